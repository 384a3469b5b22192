/* kscore explain on a real topic: each step of one record, dead letters and their origins, and what
 * was published. What it prints of a file: tests/golden/explain*. One piece: one command. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/registry.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"

/* kscore explain WORDS..., which ends with `code`; k->log is all that it printed. */
static void run_explain(struct child *k, struct cluster *c, int code, const char *const *words)
{
    child_command(k, c, "explain", words);
    child_expect_exit(k, code);
}

#define explain(k, c, code, ...) run_explain(k, c, code, (const char *const[]){__VA_ARGS__, NULL})

static void expect_text(const char *text, const char *want)
{
    ck_assert_msg(strstr(text, want) != NULL, "no \"%s\" in:\n%s", want, text);
}

static void expect_no_text(const char *text, const char *unwanted)
{
    ck_assert_msg(strstr(text, unwanted) == NULL, "\"%s\" in:\n%s", unwanted, text);
}

/* Scores what was sent so far, `count` outcomes in all, with these settings. */
static void score_all(struct cluster *c, int64_t count, const char *const *items)
{
    struct child k;

    cluster_flush(c->producer);
    child_start(&k, c, items);
    cluster_wait_outcomes(c, count);
    child_stop(&k);
    child_release(&k);
}

#define score(c, count, ...)                                                                       \
    score_all(c, count, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* One record into in[0] with a header; `into` NULL is that topic. */
static void send_with_header(struct cluster *c, const char *into, const char *value,
                             const char *name, const char *header)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        c->producer, RD_KAFKA_V_TOPIC(into ? into : c->in), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_KEY("key-1", 5), RD_KAFKA_V_VALUE((void *)value, strlen(value)),
        RD_KAFKA_V_HEADER(name, header, -1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_END);

    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

static const char *const score_formats[] = {"producer.format=json", "producer.format=avro"};

START_TEST(each_step_of_a_record_is_shown_and_its_score_is_equal)
{
    const char *format = score_formats[_i], *id = "producer.schema_id=7";
    struct cluster c;
    struct child k;
    char want[300];

    cluster_open(&c, 2);
    cluster_send_events(&c, 5);
    send_with_header(&c, NULL, "{\"x\": 1.25}", "trace", "t-1");
    score(&c, 6, format, id);
    explain(&k, &c, 0, c.in, "0", "3", "-s", format, "-s", id);
    snprintf(want, sizeof want, "%s[0]@3: scored 0.622459352 high\nby tiny 1, digest ", c.in);
    expect_text(k.log, want);
    expect_text(k.log, "\nkey         key-1\nheaders     trace = t-1\nvalue       11 bytes\n"
                       "  00000000  7b 22 78 22 3a 20 31 2e  32 35 7d                 "
                       "|{\"x\": 1.25}|\nas text     {\"x\": 1.25}\nframe       none\n");
    expect_text(k.log, "\nfeature  from  raw                           float32\n"
                       "x        x     1.25                          1.25\n\nmargin      0.5\n");
    expect_text(k.log, "\nscore       0.622459352016449  (probability, the linked output, p)\n"
                       "decision    high  (low, high from 0.5)\n");
    expect_text(k.log, "  0.622459352016449 high  live\n    by tiny 1, digest ");
    expect_text(k.log, ": equal bit for bit\n");
    snprintf(want, sizeof want, "\n  %s: 1 found in ", c.scores);
    expect_text(k.log, want);
    snprintf(want, sizeof want, "\n  %s: 0 found in 0 records from ", c.dead);
    expect_text(k.log, want);
    expect_text(k.log, ": committed up to 4: this record is done\n");
    expect_no_text(k.log, "\033");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_place_is_taken_as_tail_prints_it_and_json_says_the_same)
{
    struct cluster c;
    struct child k;
    char place[120];
    json_t *json, *published;

    cluster_open(&c, 1);
    cluster_add_alerts(&c, "");
    send_with_header(&c, NULL, "{\"x\":2}", "trace", "t-1");
    score(&c, 1);
    snprintf(place, sizeof place, "%s[0]@0", c.in);
    explain(&k, &c, 0, place, "--json");
    json = json_loads(k.log, 0, NULL);
    ck_assert_msg(json != NULL, "no JSON: %s", k.log);
    published = json_object_get(json, "published");
    ck_assert_uint_eq(json_array_size(published), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *p = json_array_get(published, i);
        ck_assert_str_eq(json_string_value(json_object_get(p, "kind")), i ? "alert" : "score");
        ck_assert(json_is_true(json_object_get(p, "equal")));
        ck_assert(json_is_true(json_object_get(p, "same_bundle")));
    }
    ck_assert(json_real_value(json_object_get(json_object_get(json, "result"), "score")) ==
              json_real_value(json_object_get(json_array_get(published, 0), "score")));
    ck_assert_uint_eq(json_array_size(json_object_get(json, "searched")), 3);
    json_decref(json);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(what_is_not_published_is_said_to_be_not_found)
{
    struct cluster c;
    struct child k;
    char want[200];

    cluster_open(&c, 1);
    cluster_send_events(&c, 2);
    explain(&k, &c, 0, c.in, "0", "1");
    expect_text(k.log, ": scored 0.622459352 high\n");
    snprintf(want, sizeof want, "\n  %s: 0 found in 0 records from ", c.scores);
    expect_text(k.log, want);
    expect_text(k.log, ": nothing is committed: this record is not done\n");
    child_release(&k);
    cluster_commit(&c, 0, 1, "");
    explain(&k, &c, 0, c.in, "0", "1");
    expect_text(k.log, ": committed up to 1: this record is not done yet\n");
    child_release(&k);
    cluster_delete_topic(&c, c.scores);
    explain(&k, &c, 0, c.in, "0", "1");
    snprintf(want, sizeof want, "\n  %s: could not be searched: ", c.scores);
    expect_text(k.log, want);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* 200,000 records of a topic are looked at. */
START_TEST(a_search_has_an_end_and_says_so)
{
    enum { MORE = 201000 };
    struct cluster c;
    struct child k;
    char want[200];

    cluster_open(&c, 1);
    cluster_send_events(&c, 1);
    for (int i = 0; i < MORE; i++) {
        while (rd_kafka_producev(c.producer, RD_KAFKA_V_TOPIC(c.scores), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_VALUE((void *)"{}", 2), RD_KAFKA_V_END))
            rd_kafka_poll(c.producer, 10); /* its queue is full */
    }
    cluster_flush(c.producer);
    explain(&k, &c, 0, c.in, "0", "0");
    snprintf(want, sizeof want, "\n  %s: 0 found in 20", c.scores);
    expect_text(k.log, want);
    expect_text(k.log, "; there are more, which were not searched\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- other scores than it gives now */

START_TEST(another_bundle_is_asked_and_what_differs_is_said)
{
    char other[300];
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 3);
    score(&c, 3);
    snprintf(other, sizeof other, "%s", harness_folder());
    fixture_bundle_of_three(other);
    explain(&k, &c, 0, c.in, "0", "0", "--model", other);
    expect_text(k.log, ": scored 2.5 high\n");
    expect_text(k.log, "\nmargin      0.0, 0.5, 2.5\n");
    expect_text(k.log, "NOT EQUAL (another bundle): now +2.1224");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* A score of this bundle for in[0]@0 as somebody else would have written it. */
static void forge_score(struct cluster *c, const char *digest, const char *score)
{
    char text[900];

    snprintf(text, sizeof text,
             "{\"id\":\"x\",\"topic\":\"%s\",\"partition\":0,\"offset\":0,\"event_time\":0,"
             "\"schema_id\":null,\"model\":\"tiny\",\"version\":\"1\",\"digest\":\"%s\","
             "\"run\":\"0\",\"score\":%s,\"scores\":[],\"decision\":\"low\",\"mode\":\"live\","
             "\"reasons\":null,\"carry\":{}}",
             c->in, digest, score);
    send_with_header(c, c->scores, text, "h", "v");
    cluster_flush(c->producer);
}

START_TEST(another_score_of_the_same_bundle_is_a_broken_promise)
{
    /* One unit in the last place less. */
    static const char wrong[] = "0.37754067778587335";
    struct cluster c;
    struct child k;
    json_t *json;
    char digest[80];

    cluster_open(&c, 1);
    cluster_send_events(&c, 1);
    explain(&k, &c, 0, c.in, "0", "0", "--json");
    json = json_loads(k.log, 0, NULL);
    ck_assert_ptr_nonnull(json);
    snprintf(digest, sizeof digest, "%s",
             json_string_value(json_object_get(json_object_get(json, "model"), "digest")));
    json_decref(json);
    child_release(&k);
    forge_score(&c, digest, "0.3775406777858734");
    explain(&k, &c, 0, c.in, "0", "0");
    expect_text(k.log, "equal bit for bit\n");
    child_release(&k);
    forge_score(&c, digest, wrong);
    explain(&k, &c, 65, c.in, "0", "0");
    expect_text(k.log, ": NOT EQUAL: now ");
    expect_text(k.log, "kscore explain: the same bundle published another score for it\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- dead letters */

/* in[0]: a good event, then one that dies; both have their outcome. */
static void make_dead(struct cluster *c)
{
    cluster_open(c, 1);
    cluster_send_events(c, 1);
    send_with_header(c, NULL, "{\"a\":7,\"x\":\"secret\"}", "trace", "t-1");
    score(c, 2);
}

#define MARKED                                                                                     \
    "  00000000  7b 22 61 22 3a 37 2c 22  78 22 3a 22 73 65 63 72  |{\"a\":7,\"x\":\"secr|\n"      \
    "                                              ^^ byte 11: wrong_type\n"

START_TEST(a_record_that_dies_says_why_and_where)
{
    struct cluster c;
    struct child k;
    char want[300];

    make_dead(&c);
    explain(&k, &c, 0, c.in, "0", "1");
    snprintf(want, sizeof want, "%s[0]@1: dead: bind/wrong_type, blame record\nfield x (feature x)",
             c.in);
    expect_text(k.log, want);
    expect_text(k.log, MARKED);
    expect_text(k.log, "x        x     \"secret\"                      wrong_type\n");
    expect_text(k.log, "  dead: bind/wrong_type\n    by tiny 1, digest ");
    expect_text(k.log, ": the same\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_dead_letter_leads_to_its_origin)
{
    struct cluster c;
    struct child k;
    char want[300];

    make_dead(&c);
    explain(&k, &c, 0, c.dead, "0", "0");
    snprintf(want, sizeof want, "%s[0]@1: dead: bind/wrong_type, blame record\n", c.in);
    expect_text(k.log, want);
    snprintf(want, sizeof want, "\ndead letter %s[0]@0  ", c.dead);
    expect_text(k.log, want);
    expect_text(k.log, "\n            __connect.errors.stage = bind\n");
    expect_text(k.log, "\norigin      read: what follows is the record there\n\nrecord ");
    expect_text(k.log, MARKED);
    expect_text(k.log, ": the same\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_dead_letter_whose_origin_is_gone_stands_for_itself)
{
    struct cluster c;
    struct child k;
    char want[300];

    make_dead(&c);
    cluster_delete_records(&c, 0, 2);
    explain(&k, &c, 65, c.in, "0", "1");
    expect_text(k.log, "[0]@1: there is no record: ");
    child_release(&k);
    explain(&k, &c, 0, c.dead, "0", "0");
    snprintf(want, sizeof want, "%s[0]@1: dead: bind/wrong_type, blame record\n", c.in);
    expect_text(k.log, want);
    expect_text(k.log, "\norigin      its origin is gone from the log: what follows are the dead "
                       "letter's own bytes\n");
    expect_text(k.log, MARKED);
    expect_text(k.log, ": the same\n");
    child_release(&k);
    cluster_delete_topic(&c, c.in);
    explain(&k, &c, 0, c.dead, "0", "0");
    expect_text(k.log, MARKED);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(an_origin_with_another_record_is_not_taken_for_it)
{
    struct cluster c;
    struct child k;

    make_dead(&c);
    send_with_header(&c, c.dead, "{\"x\":1}", "__connect.errors.topic", c.in);
    cluster_flush(c.producer);
    explain(&k, &c, 0, c.dead, "0", "1"); /* one header is no origin */
    expect_text(k.log, "[0]@1: scored 0.622459352 high\n");
    expect_no_text(k.log, "\norigin ");
    child_release(&k);
    rd_kafka_resp_err_t code =
        rd_kafka_producev(c.producer, RD_KAFKA_V_TOPIC(c.dead), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE((void *)"{\"x\":2}", 7),
                          RD_KAFKA_V_HEADER("__connect.errors.topic", c.in, -1),
                          RD_KAFKA_V_HEADER("__connect.errors.partition", "0", -1),
                          RD_KAFKA_V_HEADER("__connect.errors.offset", "0", -1),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    ck_assert(!code);
    cluster_flush(c.producer);
    explain(&k, &c, 0, c.dead, "0", "2");
    expect_text(k.log, "another record stands at its origin now");
    expect_text(k.log, "\nas text     {\"x\":2}\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(another_systems_letter_leads_to_its_origin_too)
{
    struct cluster c;
    struct child k;

    make_dead(&c);
    rd_kafka_resp_err_t code =
        rd_kafka_producev(c.producer, RD_KAFKA_V_TOPIC(c.dead), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE((void *)"{\"x\":2}", 7),
                          RD_KAFKA_V_HEADER("kafka_dlt-original-topic", c.in, -1),
                          RD_KAFKA_V_HEADER("kafka_dlt-original-partition", "\0\0\0\0", 4),
                          RD_KAFKA_V_HEADER("kafka_dlt-original-offset", "\0\0\0\0\0\0\0\0", 8),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    ck_assert(!code);
    cluster_flush(c.producer);
    explain(&k, &c, 0, c.dead, "0", "1");
    expect_text(k.log, "another record stands at its origin now");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_letter_without_its_value_needs_its_origin)
{
    struct cluster c;
    struct child k;

    make_dead(&c);
    ck_assert(!rd_kafka_producev(c.producer, RD_KAFKA_V_TOPIC(c.dead), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_HEADER("__connect.errors.topic", c.in, -1),
                                 RD_KAFKA_V_HEADER("__connect.errors.partition", "0", -1),
                                 RD_KAFKA_V_HEADER("__connect.errors.offset", "1", -1),
                                 RD_KAFKA_V_HEADER("kscore.dropped", "value,headers", -1),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    cluster_flush(c.producer);
    explain(&k, &c, 0, c.dead, "0", "1");
    expect_text(k.log, MARKED);
    child_release(&k);
    cluster_delete_records(&c, 0, 2);
    explain(&k, &c, 65, c.dead, "0", "1");
    expect_text(k.log, "gone from the log, and the dead letter came without its value\n");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Other programs write values into the messages of their dead letters. */
static void send_foreign_letter(struct cluster *c)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        c->producer, RD_KAFKA_V_TOPIC(c->dead), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_VALUE((void *)"{\"a\":7,\"x\":\"secret\"}", 20),
        RD_KAFKA_V_HEADER("__connect.errors.topic", c->in, -1),
        RD_KAFKA_V_HEADER("__connect.errors.partition", "0", -1),
        RD_KAFKA_V_HEADER("__connect.errors.offset", "1", -1),
        RD_KAFKA_V_HEADER("__connect.errors.exception.message", "not a number: secret", -1),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
    cluster_flush(c->producer);
}

START_TEST(a_mask_shows_no_value)
{
    struct cluster c;
    struct child k;

    make_dead(&c);
    send_foreign_letter(&c);
    for (int i = 0; i < 4; i++) {
        explain(&k, &c, 0, c.dead, "0", i / 2 ? "1" : "0", "--mask", i % 2 ? "--json" : "--mask");
        expect_no_text(k.log, "secr");
        expect_no_text(k.log, "736563"); /* the same in hex */
        expect_no_text(k.log, "73 65 63");
        expect_no_text(k.log, "t-1");
        expect_no_text(k.log, "key-1");
        expect_text(k.log, "wrong_type");
        child_release(&k);
    }
    cluster_close(&c);
}
END_TEST

/* ---- places without a record */

START_TEST(what_is_not_there_has_its_code)
{
    struct cluster c;
    struct child k;
    char offset[40];

    cluster_open(&c, 1);
    cluster_send_events(&c, 2);
    snprintf(offset, sizeof offset, "%lld", (long long)cluster_end(&c, c.in, 0));
    explain(&k, &c, 65, c.in, "0", offset);
    expect_text(k.log, "there is no record: behind the end of the log");
    child_release(&k);
    explain(&k, &c, 78, c.in, "7", "0");
    expect_text(k.log, "has 1 partitions, 0 to 0: not 7");
    child_release(&k);
    explain(&k, &c, 78, "no-such-topic", "0", "0");
    child_release(&k);
    explain(&k, &c, 69, c.in, "0", "0", "-s", "kafka.bootstrap.servers=localhost:1");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* A record, the mark behind its transaction, and a record. */
START_TEST(the_mark_of_a_transaction_is_no_record)
{
    struct cluster c;
    struct child k;
    int64_t deadline_ms = harness_deadline();
    char id[120];
    rd_kafka_t *producer;

    cluster_open(&c, 1);
    snprintf(id, sizeof id, "transactional.id=%s", c.group);
    producer = cluster_producer(&c, (const char *[]){id, NULL});
    ck_assert(!rd_kafka_init_transactions(producer, 10000) &&
              !rd_kafka_begin_transaction(producer));
    ck_assert(!rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(c.in), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7), RD_KAFKA_V_END));
    ck_assert(!rd_kafka_commit_transaction(producer, 10000));
    rd_kafka_destroy(producer);
    while (cluster_end(&c, c.in, 0) < 2 && clock_ms() < deadline_ms)
        harness_breathe();               /* the commit is answered before the mark is written */
    explain(&k, &c, 65, c.in, "0", "1"); /* the last of the log */
    child_release(&k);
    cluster_send_events(&c, 1);
    explain(&k, &c, 65, c.in, "0", "1");
    expect_text(k.log, "or the mark of a transaction\n");
    child_release(&k);
    explain(&k, &c, 0, c.in, "0", "2");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(nothing_is_committed_and_no_group_appears)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 2);
    explain(&k, &c, 0, c.in, "0", "1");
    ck_assert_int_eq(cluster_committed(&c, 0), -1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_null_value_and_a_null_root_are_skipped)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send(&c, 0, "k", NULL, 0);
    cluster_send(&c, 0, "k", "{\"after\":null}", 14);
    cluster_send(&c, 0, "k", "{\"after\":{\"x\":1}}", 17);
    cluster_flush(c.producer);
    explain(&k, &c, 0, c.in, "0", "0", "-s", "consumer.root=after");
    expect_text(k.log, "[0]@0: skipped: its value is null\n");
    child_release(&k);
    explain(&k, &c, 0, c.in, "0", "1", "-s", "consumer.root=after");
    expect_text(k.log, "[0]@1: skipped: what its root names is null\n");
    child_release(&k);
    explain(&k, &c, 0, c.in, "0", "2", "-s", "consumer.root=after");
    expect_text(k.log, "x        after.x  1 ");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- schemas of a registry */

START_TEST(a_registrys_schema_is_named_with_subject_and_version)
{
    struct cluster c;
    struct child k;
    struct event e = {0};
    char url[200], subject[120], want[200];
    uint32_t id;

    cluster_open(&c, 1);
    snprintf(url, sizeof url, "schemas.registry.url=%s", registry_url());
    snprintf(subject, sizeof subject, "%s-value", c.in);
    id = registry_register(
        subject, "{'type':'record','name':'E','fields':[{'name':'x','type':'float'}]}", NULL);
    event_frame(&e, id);
    event_float(&e, 0.1f);
    cluster_send(&c, 0, "k", e.data, e.len);
    e.data[3] = 9;
    cluster_send(&c, 0, "k", e.data, e.len);
    cluster_flush(c.producer);
    explain(&k, &c, 0, c.in, "0", "0", "-s", "consumer.format=avro", "-s", url);
    snprintf(want, sizeof want, "\nframe       confluent, 5 bytes: schema id %u\n", id);
    expect_text(k.log, want);
    snprintf(want, sizeof want, "\nschema      %u (E), %s version 1, from registry %s: usable\n",
             id, subject, registry_url());
    expect_text(k.log, want);
    expect_text(k.log, "x        x     0.1                           0.100000001\n");
    child_release(&k);
    explain(&k, &c, 0, c.in, "0", "1", "-s", "consumer.format=avro", "-s", url);
    expect_text(k.log, ": dead: schema/unknown_schema_id, blame schema\n");
    child_release(&k);
    registry_pause(true);
    explain(&k, &c, 69, c.in, "0", "0", "-s", "consumer.format=avro", "-s", url);
    registry_pause(false);
    child_release(&k);
    event_release(&e);
    cluster_close(&c);
}
END_TEST

SUITE(explain)
{
    TCase *tcase =
        CASE("published", a_place_is_taken_as_tail_prints_it_and_json_says_the_same,
             what_is_not_published_is_said_to_be_not_found, a_search_has_an_end_and_says_so,
             another_bundle_is_asked_and_what_differs_is_said,
             another_score_of_the_same_bundle_is_a_broken_promise);

    tcase_add_loop_test(tcase, each_step_of_a_record_is_shown_and_its_score_is_equal, 0, 2);
    CASE("dead", a_record_that_dies_says_why_and_where, a_dead_letter_leads_to_its_origin,
         a_dead_letter_whose_origin_is_gone_stands_for_itself,
         another_systems_letter_leads_to_its_origin_too,
         a_letter_without_its_value_needs_its_origin,
         an_origin_with_another_record_is_not_taken_for_it, a_mask_shows_no_value);
    CASE("places", what_is_not_there_has_its_code, the_mark_of_a_transaction_is_no_record,
         nothing_is_committed_and_no_group_appears, a_null_value_and_a_null_root_are_skipped);
    tcase = CASE("registry", a_registrys_schema_is_named_with_subject_and_version);
    tcase_add_checked_fixture(tcase, registry_start, registry_stop);
}
