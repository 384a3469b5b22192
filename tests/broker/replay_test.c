/* kscore replay: a window of the past, into files and topics of its own. One file: one command. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/replays.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"

START_TEST(scores_go_into_a_file_and_nothing_else_happens)
{
    struct cluster c;
    struct child k;
    struct lines *l;

    cluster_open(&c, 2);
    cluster_send_events(&c, 6);
    cluster_send(&c, 1, "bad", "{", 1);
    cluster_send(&c, 0, "gone", NULL, 0);
    cluster_flush(c.producer);
    replay_runs(&k, &c, "--from", "earliest", "-o", replay_path(&c, "out.jsonl"));
    replay_says(&k, "8 of 8 offsets, 2 partitions");
    replay_says(&k, "decode/bad_json, first ");
    replay_says(&k, "event=stopped exit=0 consumed=8 scored=6 dead=1 skipped=1 returned=0");
    l = lines_load(replay_path(&c, "out.jsonl"));
    ck_assert_uint_eq(l->count, 6);
    lines_say(l, 1, 2,
              "\"decision\":\"high\","
              "\"mode\":\"replay\"");
    lines_free(l);
    l = lines_load(replay_path(&c, "out.jsonl.dead.jsonl"));
    ck_assert_uint_eq(l->count, 1);
    lines_say(l, 1, 3, "\"reason\":\"bad_json\"");
    lines_say(l, 1, 3, "\"value_base64\":\"ew==\"");
    lines_free(l);
    ck_assert_int_eq(cluster_outcome_count(&c), 0);
    ck_assert_int_eq(cluster_committed(&c, 0), -1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- to topics */

static void make_own_topics(struct cluster *c, char own[2][100])
{
    snprintf(own[0], sizeof own[0], "%s.again", c->group);
    snprintf(own[1], sizeof own[1], "%s.again-dead", c->group);
    cluster_create_topic(c, own[0], c->partitions, NULL);
    cluster_create_topic(c, own[1], c->partitions, NULL);
}

/* Half a day old, so that now is not the record's time. */
static int64_t send_old(struct cluster *c, const char *value)
{
    int64_t old_ms = clock_wall_ms() - 43200000;

    ck_assert(!rd_kafka_producev(c->producer, RD_KAFKA_V_TOPIC(c->in), RD_KAFKA_V_PARTITION(1),
                                 RD_KAFKA_V_VALUE((void *)value, strlen(value)),
                                 RD_KAFKA_V_KEY("k", 1), RD_KAFKA_V_TIMESTAMP(old_ms),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    cluster_flush(c->producer);
    return old_ms;
}

static void expect_stamped_since(const rd_kafka_message_t *message, int64_t began_ms)
{
    rd_kafka_timestamp_type_t type;

    ck_assert_int_ge(rd_kafka_message_timestamp(message, &type), began_ms);
}

START_TEST(scores_and_dead_letters_go_to_topics_of_their_own_and_are_stamped_now)
{
    int64_t began_ms = clock_wall_ms();
    char own[2][100], stamp[32];
    struct cluster c;
    struct child k;
    struct dump scores, dead;

    cluster_open(&c, 2);
    make_own_topics(&c, own);
    send_old(&c, "{\"x\":1}");
    snprintf(stamp, sizeof stamp, "%lld", (long long)send_old(&c, "{"));
    replay_runs(&k, &c, "--from", "earliest", "--output-topic", own[0], "--dead-topic", own[1]);
    replay_says(&k, "consumed=2 scored=1 dead=1");
    dump_load(&scores, &c, own[0]);
    dump_load(&dead, &c, own[1]);
    ck_assert_uint_eq(scores.count, 1);
    ck_assert_uint_eq(dead.count, 1);
    expect_stamped_since(scores.items[0], began_ms);
    expect_stamped_since(dead.items[0], began_ms);
    ck_assert(memmem(scores.items[0]->payload, scores.items[0]->len, "\"mode\":\"replay\"", 15));
    ck_assert_int_eq(memcmp(scores.items[0]->key, "k", 1), 0);
    ck_assert_int_eq(memcmp(dead.items[0]->payload, "{", 1), 0);
    ck_assert_str_eq(dump_header(dead.items[0], "kscore.timestamp"), stamp);
    ck_assert_int_eq(cluster_outcome_count(&c), 0);
    ck_assert_int_eq(cluster_committed(&c, 1), -1);
    dump_release(&scores);
    dump_release(&dead);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(corrections_go_to_the_live_topic_and_raise_no_alerts)
{
    struct cluster c;
    struct child k;
    struct dump scores;

    cluster_open(&c, 2);
    cluster_add_alerts(&c, "");
    cluster_send_events(&c, 6);
    cluster_send(&c, 0, "bad", "{", 1);
    cluster_flush(c.producer);
    replay_runs(&k, &c, "--from", "earliest", "--correct", "--dead", replay_path(&c, "dead.jsonl"));
    dump_load(&scores, &c, c.scores);
    ck_assert_uint_eq(scores.count, 6);
    for (size_t i = 0; i < scores.count; i++)
        ck_assert(
            memmem(scores.items[i]->payload, scores.items[i]->len, "\"mode\":\"correction\"", 19));
    dump_release(&scores);
    ck_assert_uint_eq(lines_count(replay_path(&c, "dead.jsonl")), 1);
    ck_assert_int_eq(cluster_end(&c, c.alerts, 0) + cluster_end(&c, c.alerts, 1), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(scores_go_into_a_file_and_dead_letters_to_a_topic)
{
    char own[2][100];
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    make_own_topics(&c, own);
    cluster_send_events(&c, 100);
    for (int i = 0; i < 20; i++)
        cluster_send(&c, i % 2, "bad", "{", 1);
    cluster_send_events(&c, 100);
    replay_runs(&k, &c, "--from", "earliest", "-o", replay_path(&c, "out.csv"), "--dead-topic",
                own[1]);
    ck_assert_uint_eq(lines_count(replay_path(&c, "out.csv")), 200);
    ck_assert_int_eq(cluster_end(&c, own[1], 0) + cluster_end(&c, own[1], 1), 20);
    ck_assert_int_eq(child_count(&k, "PROTOERR"), 0); /* the one topic is asked for once */
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* The broker refuses scores once the limit is lower than their size: all that is on its way comes
 * again, and what is in the file beside must not. */
START_TEST(a_failed_delivery_leaves_no_second_line_in_the_file_beside)
{
    char own[2][100];
    struct cluster c;
    struct child k;
    struct lines *dead;
    int64_t scored;

    cluster_open(&c, 2);
    make_own_topics(&c, own);
    for (int i = 0; i < 400; i++) {
        cluster_send_events(&c, 1);
        if (i % 10 == 0)
            cluster_send(&c, i % 2, "bad", "{", 1);
    }
    cluster_flush(c.producer);
    replay_start(&k, &c, "--from", "earliest", "--rate", "150", "--output-topic", own[0], "--dead",
                 replay_path(&c, "dead.jsonl"));
    child_wait_line(&k, "event=dead_letter", 1);
    cluster_configure(&c, own[0], "max.message.bytes", "120");
    child_expect_exit(&k, 0);
    replay_says(&k, "event=rewound");
    dead = lines_load(replay_path(&c, "dead.jsonl")); /* each place once */
    scored = cluster_end(&c, own[0], 0) + cluster_end(&c, own[0], 1);
    ck_assert_int_gt(scored, 0);
    ck_assert_int_lt(scored, 400);
    ck_assert_int_eq((int64_t)dead->count + scored, 440);
    lines_free(dead);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static void send_avro(struct cluster *c, int32_t partition, uint32_t id)
{
    struct event e = {0};

    event_frame(&e, id);
    event_double(&e, 1);
    event_text(&e, "note");
    cluster_send(c, partition, "k", e.data, e.len);
    event_release(&e);
}

/* The partition is parked there for as long as that, with records before and behind it. */
START_TEST(a_schema_that_is_not_there_yet_holds_its_partition_up_and_no_other)
{
    struct cluster c;
    struct child k;
    char folder[400];
    struct lines *l;

    cluster_open(&c, 2);
    snprintf(folder, sizeof folder, "schemas.folder=%s/schemas", c.folder);
    for (int i = 0; i < 300; i++) {
        send_avro(&c, 1, 1);
        send_avro(&c, 0, i == 100 || i == 299 ? 9 : 1);
    }
    cluster_flush(c.producer);
    replay_runs(&k, &c, "--from", "0", "-o", replay_path(&c, "out.jsonl"), "-s",
                "consumer.format=avro", "-s", folder, "-s", "consumer.unknown_id_wait_ms=1500");
    ck_assert_int_gt(child_number(child_wait_line(&k, "event=stopped", 1), "returned"), 0);
    replay_says(&k, " scored=598 dead=2 ");
    l = lines_load(replay_path(&c, "out.jsonl"));
    ck_assert_uint_eq(l->count, 598);
    lines_say(l, 0, 298, "\"schema_id\":\"1\"");
    lines_free(l);
    l = lines_load(replay_path(&c, "out.jsonl.dead.jsonl"));
    ck_assert_uint_eq(l->count, 2);
    lines_say(l, 0, 100, "unknown_schema_id");
    lines_say(l, 0, 299, "unknown_schema_id");
    lines_free(l);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- options */

/* Another digest, the same scores. */
static void add_comment(const char *path)
{
    FILE *file = fopen(path, "a");

    ck_assert_ptr_nonnull(file);
    fputs("; another\n", file);
    fclose(file);
}

START_TEST(another_model_scores_and_its_scores_say_so)
{
    struct cluster c;
    struct child k;
    struct lines *a, *b;

    cluster_open(&c, 1);
    cluster_send_events(&c, 3);
    mkdir(replay_path(&c, "other"), 0755);
    fixture_bundle(replay_path(&c, "other"));
    add_comment(replay_path(&c, "other/model.ini"));
    replay_runs(&k, &c, "--from", "0", "-o", replay_path(&c, "a.jsonl"));
    child_release(&k);
    replay_runs(&k, &c, "--from", "0", "-o", replay_path(&c, "b.jsonl"), "--model",
                replay_path(&c, "other"));
    child_release(&k);
    a = lines_load(replay_path(&c, "a.jsonl"));
    b = lines_load(replay_path(&c, "b.jsonl"));
    ck_assert_uint_eq(b->count, 3);
    ck_assert_str_ne(strstr(a->at[0][0], "\"digest\""), strstr(b->at[0][0], "\"digest\""));
    lines_free(a);
    lines_free(b);
    replay_exits(&k, &c, 74, "--from", "0", "-o", replay_path(&c, "c.jsonl"), "--model",
                 replay_path(&c, "none"));
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(it_keeps_to_the_rate)
{
    struct cluster c;
    struct child k;
    int64_t began_ms;

    cluster_open(&c, 2);
    cluster_send_events(&c, 100);
    began_ms = clock_ms();
    replay_runs(&k, &c, "--from", "0", "-o", replay_path(&c, "out.jsonl"), "--rate", "50", "-s",
                "kscore.workers=2");
    ck_assert_int_ge(clock_ms() - began_ms, 1800); /* less what it begins with, a tenth of a s */
    ck_assert_uint_eq(lines_count(replay_path(&c, "out.jsonl")), 100);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(the_summary_is_json_when_asked)
{
    struct cluster c;
    struct child k;
    json_t *json, *fault;

    cluster_open(&c, 2);
    cluster_send_events(&c, 4);
    cluster_send(&c, 1, "bad", "{\"x\":\"1\"}", 9);
    cluster_flush(c.producer);
    replay_runs(&k, &c, "--from", "0", "-o", replay_path(&c, "out.jsonl"), "--json", "-s",
                "kscore.log_level=error");
    json = json_loads(k.log, 0, NULL);
    ck_assert_msg(json != NULL, "%s", k.log);
    ck_assert(json_is_true(json_object_get(json, "finished")));
    ck_assert_int_eq(json_integer_value(json_object_get(json, "offsets")), 5);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "scored")), 4);
    fault = json_array_get(json_object_get(json, "faults"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(fault, "reason")), "wrong_type");
    ck_assert_int_eq(json_integer_value(json_object_get(fault, "offset")), 2);
    json_decref(json);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_terminal_gets_a_bar_with_what_is_left_and_what_died)
{
    struct cluster c;
    char line[1600], *text;
    struct err err = ERR_INIT;
    size_t len;

    cluster_open(&c, 1);
    cluster_send(&c, 0, "bad", "{", 1);
    cluster_send_events(&c, 99);
    snprintf(line, sizeof line,
             "script -qec \"$(dirname $(readlink /proc/%d/exe))/kscore replay -c %s --from 0 "
             "--rate 100 -s kscore.log_level=error -o %s\" /dev/null > %s",
             (int)getpid(), c.config, replay_path(&c, "out.jsonl"), replay_path(&c, "screen"));
    ck_assert_msg(system(line) == 0, "%s", line);
    ck_assert_int_eq(file_read(replay_path(&c, "screen"), 1 << 20, &text, &len, &err), 0);
    for (const char *const *want =
             (const char *const[]){"\r[#", " %  ", " offsets/s, 0:0", " left, 1 dead \x1b[K\r",
                                   "\r\x1b[K100 of 100 offsets, 1 partitions, ", NULL};
         *want; want++)
        ck_assert_msg(strstr(text, *want) != NULL, "no \"%s\" in:\n%s", *want, text);
    free(text);
    cluster_close(&c);
}
END_TEST

/* Neither the group nor any output is asked for. */
START_TEST(files_need_no_permission_but_to_read)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    cluster_send_events(&c, 4);
    cluster_use_password(&c, "kscore");
    replay_exits(&k, &c, 77, "--from", "0", "-o", replay_path(&c, "out.jsonl"));
    child_release(&k);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.in, RD_KAFKA_ACL_OPERATION_READ);
    replay_runs(&k, &c, "--from", "0", "-o", replay_path(&c, "out.jsonl"));
    ck_assert_uint_eq(lines_count(replay_path(&c, "out.jsonl")), 4);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_topic_that_is_missing_ends_it)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 1);
    replay_exits(&k, &c, 78, "--from", "0", "--output-topic", "nowhere", "--dead",
                 replay_path(&c, "dead.jsonl"));
    replay_says(&k, "nowhere");
    child_release(&k);
    replay_exits(&k, &c, 78, "--from", "0", "-o", replay_path(&c, "out.jsonl"), "-s",
                 "consumer.topic=nowhere");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(replay)
{
    CASE("files", scores_go_into_a_file_and_nothing_else_happens,
         files_need_no_permission_but_to_read);
    CASE("topics", scores_and_dead_letters_go_to_topics_of_their_own_and_are_stamped_now,
         corrections_go_to_the_live_topic_and_raise_no_alerts, a_topic_that_is_missing_ends_it);
    CASE("both", scores_go_into_a_file_and_dead_letters_to_a_topic,
         a_failed_delivery_leaves_no_second_line_in_the_file_beside);
    CASE("schemas", a_schema_that_is_not_there_yet_holds_its_partition_up_and_no_other);
    CASE("options", another_model_scores_and_its_scores_say_so, it_keeps_to_the_rate,
         the_summary_is_json_when_asked, a_terminal_gets_a_bar_with_what_is_left_and_what_died);
}
