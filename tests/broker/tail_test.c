/* kscore tail: what lies in the topics, as lines, outside of any group. One file: one command. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "schemas/avro_schema.h"
#include "schemas/fingerprint.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/events.h"
#include "tests/harness.h"

#define tail_start(k, c, ...) child_command(k, c, "tail", (const char *const[]){__VA_ARGS__, NULL})

/* The same to its end, which is 0; k->log is all that it printed. */
static void run_tail(struct child *k, struct cluster *c, const char *const *words)
{
    child_command(k, c, "tail", words);
    child_expect_exit(k, 0);
}

#define tail_all(k, c, ...) run_tail(k, c, (const char *const[]){__VA_ARGS__, NULL})

static void expect_text(const char *text, const char *want)
{
    ck_assert_msg(strstr(text, want) != NULL, "no \"%s\" in:\n%s", want, text);
}

static size_t line_count(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static json_t *first_json(const char *text)
{
    json_t *json = json_loadb(text, strcspn(text, "\n"), 0, NULL);

    ck_assert_msg(json != NULL, "no JSON: %s", text);
    return json;
}

static void score_events(struct cluster *c, int count, const char *const *items)
{
    struct child k;

    cluster_send_events(c, count);
    child_start(&k, c, items);
    cluster_wait_outcomes(c, count);
    child_stop(&k);
    child_release(&k);
}

static const char *const score_formats[][2] = {{"producer.format=json", "producer.schema_id=7"},
                                               {"producer.format=avro", "producer.schema_id=7"}};

START_TEST(scores_say_what_they_are_and_of_what)
{
    const char *format = score_formats[_i][0], *id = score_formats[_i][1];
    struct cluster c;
    struct child k;
    char want[200];
    json_t *json;

    cluster_open(&c, 2);
    score_events(&c, 6, (const char *const[]){format, id, NULL});
    tail_all(&k, &c, "scores", "--from", "earliest", "-s", format, "-s", id);
    ck_assert_uint_eq(line_count(k.log), 6);
    snprintf(want, sizeof want, " k0 0.377541 low tiny 1 <- %s[0]@0", c.in);
    expect_text(k.log, want);
    snprintf(want, sizeof want, " k5 0.622459 high tiny 1 <- %s[1]@2", c.in);
    expect_text(k.log, want);
    child_release(&k);
    tail_all(&k, &c, "--json", "-n", "1", "-p", "1", "-s", format, "-s", id);
    ck_assert_uint_eq(line_count(k.log), 1);
    json = first_json(k.log);
    ck_assert_str_eq(json_string_value(json_object_get(json, "topic")), c.scores);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(json, "value"), "topic")),
                     c.in);
    json_decref(json);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(dead_letters_say_why_and_no_terminal_obeys_their_values)
{
    struct cluster c;
    struct child k, t;
    char want[200];
    json_t *json;

    cluster_open(&c, 1);
    cluster_send(&c, 0, "k\x9b", "\x1b[2J{\"x\"\xc2\x9b", 10);
    cluster_send(&c, 0, NULL, "{\"x\":\"1\"}", 9);
    cluster_flush(c.producer);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 2);
    child_stop(&k);
    tail_all(&t, &c, "dead", "--from", "earliest");
    snprintf(want, sizeof want, "%s[0]@0 decode/bad_json record not JSON ", c.in);
    expect_text(t.log, want);
    expect_text(t.log, " | \\u001b[2J{\"x\"\\u009b\n");
    snprintf(want, sizeof want, "%s[0]@1 bind/wrong_type record field x (feature x)", c.in);
    expect_text(t.log, want);
    ck_assert_msg(!strchr(t.log, '\x1b') && !strstr(t.log, "\xc2\x9b"), "raw: %s", t.log);
    child_release(&t);
    tail_all(&t, &c, "dead", "--from", "0", "-n", "1", "--json");
    ck_assert_msg(!strchr(t.log, '\x1b') && !strstr(t.log, "\xc2\x9b"), "raw: %s", t.log);
    json = first_json(t.log);
    ck_assert_str_eq(json_string_value(json_object_get(json, "reason")), "bad_json");
    ck_assert_str_eq(json_string_value(json_object_get(json, "value")), "\x1b[2J{\"x\"\xc2\x9b");
    ck_assert_int_eq(json_integer_value(json_object_get(json, "origin_offset")), 0);
    json_decref(json);
    child_release(&t);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(events_are_read_from_an_offset_to_the_end)
{
    static const char pretty[] = "{\n  \"x\": 1.50\r\n}", broken[] = "{\"x\":";
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 5);
    cluster_send(&c, 0, NULL, pretty, sizeof pretty - 1);
    cluster_send(&c, 0, NULL, broken, sizeof broken - 1);
    cluster_send(&c, 0, "gone", NULL, 0);
    cluster_flush(c.producer);
    tail_all(&k, &c, "events", "--from", "3");
    ck_assert_uint_eq(line_count(k.log), 5);
    expect_text(k.log, ".in[0]@3 k3 {\"x\":0,\"n\":3}\n");
    expect_text(k.log, ".in[0]@5 - {   \"x\": 1.50  }\n");
    expect_text(k.log, ".in[0]@6 - not JSON {\"x\":\n");
    expect_text(k.log, ".in[0]@7 gone null\n");
    child_release(&k);
    tail_all(&k, &c, "events", "--from", "1", "-n", "2");
    ck_assert_uint_eq(line_count(k.log), 2);
    expect_text(k.log, "@2 k2 {\"x\":2,\"n\":2}\n");
    child_release(&k);
    tail_all(&k, &c, "events", "-n", "3");
    ck_assert_uint_eq(line_count(k.log), 3);
    child_release(&k);
    tail_all(&k, &c, "events", "--from", "5", "-n", "1", "--json");
    expect_text(k.log, ",\"key\":null,\"value\":{   \"x\": 1.50  }}\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(events_of_every_topic_are_read)
{
    struct cluster c;
    struct child k;
    char other[100], topics[200], want[120];

    cluster_open(&c, 2);
    cluster_send_events(&c, 4);
    snprintf(other, sizeof other, "%s.more", c.group);
    cluster_create_topic(&c, other, 1, NULL);
    ck_assert(!rd_kafka_producev(c.producer, RD_KAFKA_V_TOPIC(other), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_VALUE((void *)"[1]", 3),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    cluster_flush(c.producer);
    snprintf(topics, sizeof topics, "consumer.topic=%s, %s", c.in, other);
    tail_all(&k, &c, "events", "--from", "earliest", "-s", topics);
    ck_assert_uint_eq(line_count(k.log), 5);
    snprintf(want, sizeof want, " %s[0]@0 - [1]\n", other);
    expect_text(k.log, want);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(events_in_avro_are_read_by_their_writers_schema)
{
    struct cluster c;
    struct child k;
    struct event e = {0};
    char folder[400];

    cluster_open(&c, 1);
    snprintf(folder, sizeof folder, "schemas.folder=%s/schemas", c.folder);
    event_frame(&e, 1);
    event_double(&e, 0.1);
    event_text(&e, "\x1b]0;x\a");
    cluster_send(&c, 0, "k", e.data, e.len);
    cluster_send(&c, 0, "cut", e.data, e.len - 1);
    e.data[4] = 9;
    cluster_send(&c, 0, "unknown", e.data, e.len);
    cluster_send(&c, 0, "plain", "{}", 2);
    cluster_flush(c.producer);
    event_release(&e);
    tail_all(&k, &c, "events", "--from", "earliest", "-s", "consumer.format=avro", "-s", folder);
    expect_text(k.log, "@0 k {\"x\":0.1,\"note\":\"\\u001b]0;x\\u0007\"}\n");
    expect_text(k.log,
                "@1 cut byte 14: truncated: value ends inside a field {\"x\":0.1,\"note\":\n");
    expect_text(k.log, "@2 unknown schema 9: there is none");
    expect_text(k.log, "@3 plain bad_magic: ");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static void send_avro(struct cluster *c, const char *body, size_t len)
{
    struct event e = {0};

    event_frame(&e, 2);
    event_bytes(&e, body, len);
    cluster_send(c, 0, "k", e.data, e.len);
    event_release(&e);
}

START_TEST(envelopes_are_shown_whole_and_those_without_an_event_are_marked)
{
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"Change\",\"fields\":[{\"name\":\"op\",\"type\":\"string\"}"
        ","
        "{\"name\":\"after\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"E\",\"fields\":["
        "{\"name\":\"x\",\"type\":\"int\"}]}]}]}";
    static const char *const events[] = {"{\"op\":\"d\",\"after\":null}",
                                         "{\"op\":\"c\",\"after\":{\"x\":1}}", "{\"op\":\"?\"}"};
    struct cluster c;
    struct child k;
    char folder[400];

    cluster_open(&c, 1);
    snprintf(folder, sizeof folder, "schemas.folder=%s", c.folder);
    harness_write(c.folder, "2.avsc", schema, sizeof schema - 1);
    for (size_t i = 0; i < 3; i++)
        cluster_send(&c, 0, "k", events[i], strlen(events[i]));
    cluster_send(&c, 0, "k", NULL, 0);
    send_avro(&c, "\2d\0", 3);
    send_avro(&c, "\2c\2\2", 4);
    cluster_flush(c.producer);
    tail_all(&k, &c, "events", "--from", "0", "-n", "4", "-s", "consumer.root=after");
    expect_text(k.log, "@0 k skipped {\"op\":\"d\",\"after\":null}\n");
    expect_text(k.log, "@1 k {\"op\":\"c\",\"after\":{\"x\":1}}\n");
    expect_text(k.log, "@2 k {\"op\":\"?\"}\n");
    expect_text(k.log, "@3 k null\n");
    child_release(&k);
    tail_all(&k, &c, "events", "--from", "4", "-s", "consumer.root=after", "-s",
             "consumer.format=avro", "-s", folder);
    expect_text(k.log, "@4 k skipped {\"op\":\"d\",\"after\":null}\n");
    expect_text(k.log, "@5 k {\"op\":\"c\",\"after\":{\"x\":1}}\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static void send_at(struct cluster *c, int64_t timestamp_ms)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        c->producer, RD_KAFKA_V_RKT(c->topic), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

/* Behind the JSON Schema frame, as a single object, and of one fixed schema. */
START_TEST(events_are_read_in_each_framing)
{
    struct cluster c;
    struct child k;
    struct event body = {0}, single = {0};
    char file[500], folder[400], path[400], *text;
    struct avro_schema *schema;
    struct err err = ERR_INIT;
    uint64_t fingerprint;
    size_t len;

    cluster_open(&c, 1);
    snprintf(path, sizeof path, "%s/schemas/1.avsc", c.folder);
    snprintf(folder, sizeof folder, "schemas.folder=%s/schemas", c.folder);
    snprintf(file, sizeof file, "consumer.schema=%s", path);
    ck_assert_int_eq(file_read(path, SCHEMA_MAX_BYTES, &text, &len, &err), 0);
    ck_assert_int_eq(avro_schema_parse(&schema, text, len, &err), 0);
    fingerprint = fingerprint_of(schema);
    event_double(&body, 0.5);
    event_text(&body, "hi");
    event_bytes(&single, "\xc3\x01", 2);
    event_bytes(&single, &fingerprint, sizeof fingerprint);
    event_bytes(&single, body.data, body.len);
    cluster_send(&c, 0, "json", "\0\0\0\0\7{\"x\":1}", 12);
    cluster_send(&c, 0, "single", single.data, single.len);
    cluster_send(&c, 0, "fixed", body.data, body.len);
    cluster_flush(c.producer);
    tail_all(&k, &c, "events", "--from", "earliest", "-s", "consumer.framing=json-schema");
    expect_text(k.log, "@0 json {\"x\":1}\n");
    child_release(&k);
    tail_all(&k, &c, "events", "--from", "earliest", "-s", "consumer.format=avro", "-s",
             "consumer.framing=single-object", "-s", folder);
    expect_text(k.log, "@1 single {\"x\":0.5,\"note\":\"hi\"}\n");
    child_release(&k);
    tail_all(&k, &c, "events", "--from", "earliest", "-s", "consumer.format=avro", "-s", file);
    expect_text(k.log, "@2 fixed {\"x\":0.5,\"note\":\"hi\"}\n");
    child_release(&k);
    avro_schema_free(schema);
    free(text);
    event_release(&single);
    event_release(&body);
    cluster_close(&c);
}
END_TEST

START_TEST(a_time_begins_at_the_first_record_that_is_not_older)
{
    enum { HOUR_MS = 3600000 };
    int64_t now_ms = clock_wall_ms();
    char time[CLOCK_TEXT_MAX];
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    for (int i = 0; i < 4; i++)
        send_at(&c, now_ms - (4 - i) * HOUR_MS);
    cluster_flush(c.producer);
    clock_print(time, now_ms - 2 * HOUR_MS);
    tail_all(&k, &c, "events", "--from", time);
    ck_assert_uint_eq(line_count(k.log), 2);
    expect_text(k.log, time);
    child_release(&k);
    tail_all(&k, &c, "events", "--from", "90m");
    ck_assert_uint_eq(line_count(k.log), 1);
    child_release(&k);
    clock_print(time, now_ms + HOUR_MS); /* nothing is that young */
    tail_all(&k, &c, "events", "--from", time);
    ck_assert_uint_eq(line_count(k.log), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(without_an_offset_it_shows_the_last_few_and_goes_on_until_a_signal)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 30);
    tail_start(&k, &c, "events");
    child_wait_line(&k, "@29 ", 1);
    ck_assert_int_eq(child_count(&k, "\n"), 10);
    cluster_send_events(&c, 1);
    child_wait_line(&k, "@30 ", 1);
    child_signal(&k, SIGINT);
    child_expect_exit(&k, 0);
    ck_assert_int_eq(child_count(&k, "\n"), 11);
    child_release(&k);
    tail_start(&k, &c, "events", "--from", "29", "-f", "-n", "3");
    child_wait_line(&k, "@30 ", 1);
    cluster_send_events(&c, 5);
    child_expect_exit(&k, 0);
    ck_assert_int_eq(child_count(&k, "\n"), 3);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(latest_shows_only_what_comes)
{
    struct cluster c;
    struct child k;
    int64_t until = harness_deadline();

    cluster_open(&c, 1);
    cluster_send_events(&c, 5);
    tail_start(&k, &c, "events", "--from", "latest");
    while (child_count(&k, "\n") == 0) { /* it does not say when it begins */
        ck_assert(clock_ms() < until);
        cluster_send_events(&c, 1);
    }
    ck_assert_int_eq(child_count(&k, "@4 "), 0);
    child_signal(&k, SIGTERM);
    child_expect_exit(&k, 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(an_offset_outside_of_the_log_is_said_and_begins_at_its_edge)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 10);
    cluster_delete_records(&c, 0, 6);
    tail_all(&k, &c, "events", "--from", "2");
    expect_text(k.log, "event=gap ");
    expect_text(k.log, "from=2 to=6");
    ck_assert_int_eq(child_count(&k, ".in[0]@"), 4);
    child_release(&k);
    tail_all(&k, &c, "events", "--from", "99");
    expect_text(k.log, "from=99 to=10");
    ck_assert_int_eq(child_count(&k, ".in[0]@"), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(retention_that_overtakes_it_is_said_and_it_goes_on)
{
    struct cluster c;
    struct child k;

    enum { TRIES = 5 };
    char last[32], to[32], lost[32];
    int next = 1;

    cluster_open(&c, 1);
    cluster_send_events(&c, next);
    tail_start(&k, &c, "events");
    child_wait_line(&k, "@0 ", 1);
    /* The first of each nine answers the fetch that waits; seldom all of them do: then again. */
    do {
        child_signal(&k, SIGSTOP);
        cluster_send_events(&c, 1);
        cluster_send_events(&c, 8);
        next += 9;
        cluster_delete_records(&c, 0, next - 2);
        child_signal(&k, SIGCONT);
        snprintf(last, sizeof last, "@%d ", next - 1);
        child_wait_line(&k, last, 1);
    } while (child_count(&k, "event=gap ") == 0 && next < 9 * TRIES);
    snprintf(to, sizeof to, " to=%d ", next - 2);
    snprintf(lost, sizeof lost, "@%d ", next - 3);
    expect_text(k.log, "event=gap ");
    expect_text(k.log, to);
    ck_assert_int_eq(child_count(&k, lost), 0);
    child_signal(&k, SIGINT);
    child_expect_exit(&k, 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Records of transactions: what was aborted is not there, markers take offsets at the end. */
START_TEST(aborted_records_are_not_shown_and_markers_do_not_hold_up_the_end)
{
    struct cluster c;
    struct child k;
    char id[120];
    rd_kafka_t *producer;

    cluster_open(&c, 1);
    snprintf(id, sizeof id, "transactional.id=%s", c.group);
    producer = cluster_producer(&c, (const char *[]){id, NULL});
    ck_assert(!rd_kafka_init_transactions(producer, 10000));
    for (int i = 0; i < 2; i++) {
        ck_assert(!rd_kafka_begin_transaction(producer));
        ck_assert(!rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(c.in), RD_KAFKA_V_PARTITION(0),
                                     RD_KAFKA_V_VALUE((void *)(i ? "{}" : "[]"), 2),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
        ck_assert(i ? !rd_kafka_commit_transaction(producer, 10000)
                    : !rd_kafka_flush(producer, 10000) &&
                          !rd_kafka_abort_transaction(producer, 10000));
    }
    rd_kafka_destroy(producer);
    tail_all(&k, &c, "events", "--from", "earliest");
    ck_assert_uint_eq(line_count(k.log), 1);
    expect_text(k.log, "@2 - {}\n");
    child_release(&k);
    for (int n = 1; n < 3; n++) { /* the last few, which lie before the mark */
        tail_all(&k, &c, "events", "-n", n == 1 ? "1" : "2");
        ck_assert_uint_eq(line_count(k.log), 1);
        expect_text(k.log, "@2 - {}\n");
        child_release(&k);
    }
    cluster_close(&c);
}
END_TEST

START_TEST(what_is_not_there_or_not_allowed_has_the_codes_of_run)
{
    static const char unreachable[] = "kafka.bootstrap.servers=127.0.0.1:1";
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    tail_start(&k, &c, "-s", "producer.topic=none-such");
    child_expect_exit(&k, 78);
    expect_text(k.log, "kscore tail: topic none-such does not exist");
    child_release(&k);
    tail_start(&k, &c, "-p", "1");
    child_expect_exit(&k, 78);
    expect_text(k.log, "has 1 partitions");
    child_release(&k);
    tail_start(&k, &c, "-s", unreachable);
    child_wait_line(&k, "event=waiting for=brokers", 1);
    child_signal(&k, SIGINT);
    child_expect_exit(&k, 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Reading needs no more than the topic: the user may use no group. */
START_TEST(permission_to_read_the_topic_is_needed_and_enough)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 3);
    cluster_use_password(&c, "guessed");
    tail_start(&k, &c, "events", "-n", "3");
    child_expect_exit(&k, 77);
    child_release(&k);
    cluster_use_password(&c, "kscore");
    tail_start(&k, &c, "events", "-n", "3");
    child_expect_exit(&k, 77);
    expect_text(k.log, c.in);
    child_release(&k);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.in, RD_KAFKA_ACL_OPERATION_DESCRIBE);
    tail_start(&k, &c, "events", "-n", "3");
    child_expect_exit(&k, 77);
    child_release(&k);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.in, RD_KAFKA_ACL_OPERATION_READ);
    tail_all(&k, &c, "events", "-n", "3", "-s", "kscore.instance=a");
    ck_assert_uint_eq(line_count(k.log), 3);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(tail)
{
    TCase *loops = harness_case(suite, "formats", NULL, 0);

    tcase_add_loop_test(loops, scores_say_what_they_are_and_of_what, 0, 2);
    CASE("values", dead_letters_say_why_and_no_terminal_obeys_their_values,
         events_are_read_from_an_offset_to_the_end, events_of_every_topic_are_read,
         events_in_avro_are_read_by_their_writers_schema, events_are_read_in_each_framing,
         envelopes_are_shown_whole_and_those_without_an_event_are_marked);
    CASE("places", a_time_begins_at_the_first_record_that_is_not_older,
         an_offset_outside_of_the_log_is_said_and_begins_at_its_edge,
         retention_that_overtakes_it_is_said_and_it_goes_on,
         aborted_records_are_not_shown_and_markers_do_not_hold_up_the_end);
    CASE("live", without_an_offset_it_shows_the_last_few_and_goes_on_until_a_signal,
         latest_shows_only_what_comes);
    CASE("codes", what_is_not_there_or_not_allowed_has_the_codes_of_run,
         permission_to_read_the_topic_is_needed_and_enough);
}
