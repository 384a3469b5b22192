/* Events in envelopes and framings, and what goes along with their scores. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

static void send_with_headers(struct cluster *c, const char *value)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        c->producer, RD_KAFKA_V_TOPIC(c->in), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_VALUE((void *)value, strlen(value)), RD_KAFKA_V_TIMESTAMP(1000000000000),
        RD_KAFKA_V_HEADER("traceparent", "00-ab", 5), RD_KAFKA_V_HEADER("other", "b", 1),
        RD_KAFKA_V_HEADER("traceparent", "00-cd", 5), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_END);

    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

/* carry as JSON text, event_time */
static void expect_score(const rd_kafka_message_t *m, const char *carry, int64_t event_time)
{
    json_t *json = json_loadb(m->payload, m->len, 0, NULL);
    char *text;

    ck_assert_ptr_nonnull(json);
    text = json_dumps(json_object_get(json, "carry"), JSON_SORT_KEYS | JSON_COMPACT);
    ck_assert_str_eq(text, carry);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "event_time")), event_time);
    free(text);
    json_decref(json);
}

static void expect_trace(const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;

    ck_assert_int_eq(rd_kafka_message_headers(m, &headers), 0);
    ck_assert_uint_eq(rd_kafka_header_cnt(headers), 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(rd_kafka_header_get(headers, i, "traceparent", &value, &len), 0);
        ck_assert_str_eq(value, i ? "00-cd" : "00-ab");
    }
}

START_TEST(a_change_event_is_scored_with_what_it_carries_and_its_delete_is_skipped)
{
    struct cluster c;
    struct child k;
    struct dump scores;
    const char *last;

    cluster_open(&c, 1);
    send_with_headers(&c, "{\"payload\":{\"op\":\"c\",\"after\":{\"x\":1,\"id\":\"U\\u0041\","
                          "\"c\":{\"n\":12.50},\"t\":1385856000000}}}");
    send_with_headers(&c, "{\"payload\":{\"op\":\"d\",\"before\":{\"x\":1},\"after\":null}}");
    send_with_headers(&c, "{\"payload\":{\"op\":\"c\",\"after\":{\"x\":0}}}");
    send_with_headers(&c, "{\"x\":0}");
    cluster_flush(c.producer);
    child_run(&k, &c, "consumer.root=payload.after", "consumer.event_time=t",
              "producer.carry=id, c.n", "producer.headers=traceparent");
    cluster_wait_outcomes(&c, 3);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "scored"), 2);
    ck_assert_int_eq(child_number(last, "skipped"), 1);
    ck_assert_int_eq(child_number(last, "dead"), 1);
    ck_assert_int_eq(child_number(last, "no_event_time"), 1);
    cluster_expect_no_lag(&c);
    dump_load(&scores, &c, c.scores);
    ck_assert_uint_eq(scores.count, 2);
    expect_score(scores.items[0], "{\"c.n\":\"12.50\",\"id\":\"UA\"}", 1385856000000);
    expect_score(scores.items[1], "{}", 1000000000000);
    expect_trace(scores.items[0]);
    dump_release(&scores);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(single_objects_are_named_by_fingerprint_in_scores_and_dead_letters)
{
    static const char schema[] = "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\","
                                 "\"type\":\"int\"}]}";
    static const char good[] = "\xc3\x01\x40\x6e\xed\x6e\x92\xf9\x45\xe4\x02";
    static const char unknown[] = "\xc3\x01\x08\x07\x06\x05\x04\x03\x02\x01\x02";
    static const char glue[] = "\x03\x00"
                               "0123456789abcdef\x02";
    char folder[400];
    struct cluster c;
    struct child k;
    struct dump dump;

    cluster_open(&c, 1);
    snprintf(folder, sizeof folder, "schemas.folder=%s", c.folder);
    harness_write(c.folder, "anything.avsc", schema, sizeof schema - 1);
    cluster_send(&c, 0, "k", good, sizeof good - 1);
    cluster_send(&c, 0, "k", unknown, sizeof unknown - 1);
    cluster_send(&c, 0, "k", glue, sizeof glue - 1);
    cluster_send(&c, 0, "k", good, sizeof good - 1);
    cluster_flush(c.producer);
    child_run(&k, &c, "consumer.format=avro", "consumer.framing=single-object", folder);
    cluster_wait_outcomes(&c, 4);
    child_stop(&k);
    dump_load(&dump, &c, c.scores);
    ck_assert_uint_eq(dump.count, 2);
    ck_assert_ptr_nonnull(memmem(dump.items[0]->payload, dump.items[0]->len,
                                 "\"schema_id\":\"e445f9926eed6e40\"", 30));
    dump_release(&dump);
    dump_load(&dump, &c, c.dead);
    ck_assert_uint_eq(dump.count, 2);
    ck_assert_str_eq(dump_header(dump.items[0], "kscore.schema_id"), "0102030405060708");
    ck_assert_str_eq(dump_header(dump.items[1], "__connect.errors.exception.class.name"),
                     "unsupported_framing");
    dump_release(&dump);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(envelope)
{
    CASE("values", a_change_event_is_scored_with_what_it_carries_and_its_delete_is_skipped,
         single_objects_are_named_by_fingerprint_in_scores_and_dead_letters);
}
