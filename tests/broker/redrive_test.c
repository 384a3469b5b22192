/* kscore redrive: dead letters scored as what they were, or sent back; each once. One piece: one
 * command. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/replays.h"
#include "tests/harness.h"

#define redrive_start(k, c, ...)                                                                   \
    child_command(k, c, "redrive", (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* To its end, with that exit code, and it says the text. */
#define redrive_exits(c, code, text, ...)                                                          \
    do {                                                                                           \
        struct child redrive_;                                                                     \
        redrive_start(&redrive_, c, __VA_ARGS__);                                                  \
        child_expect_exit(&redrive_, code);                                                        \
        replay_says(&redrive_, text);                                                              \
        child_release(&redrive_);                                                                  \
    } while (0)
#define redrive_says(c, text, ...) redrive_exits(c, 0, text, __VA_ARGS__)

/* kscore run, with one override, until everything sent has an outcome. */
static void run_until_done(struct cluster *c, const char *item)
{
    struct child k;

    child_run(&k, c, item);
    cluster_wait_no_lag(c);
    child_stop(&k);
    child_release(&k);
}

/* With it, each event is a dead letter: bind/missing_field. */
static const char broken[] = "consumer.root=payload";

/* `events` dead letters that are fixed by now, and one that is not, the last of partition 0. */
static void open_broken(struct cluster *c, int32_t partitions, int events)
{
    cluster_open(c, partitions);
    cluster_send_events(c, events);
    cluster_send(c, 0, "bad", "{", 1);
    cluster_flush(c->producer);
    run_until_done(c, broken);
    ck_assert_int_eq(cluster_outcome_count(c), events + 1);
}

/* How many scores there are; each names a record of the input of its own. */
static size_t expect_scores(struct cluster *c)
{
    bool has_score[CLUSTER_MAX_PARTITIONS][200] = {{false}};
    struct dump scores;
    size_t count;

    dump_load(&scores, c, c->scores);
    for (size_t i = 0; i < scores.count; i++) {
        const rd_kafka_message_t *m = scores.items[i];
        struct origin origin;
        origin_of_score(&origin, m);
        ck_assert_int_lt(origin.offset, cluster_end(c, c->in, origin.partition));
        ck_assert_msg(!has_score[origin.partition][origin.offset], "%s came twice", origin.id);
        has_score[origin.partition][origin.offset] = true;
        ck_assert(memmem(m->payload, m->len, "\"mode\":\"live\"", 13) != NULL);
    }
    count = scores.count;
    dump_release(&scores);
    return count;
}

/* The dead letter of that number, of partition 0, says it is the attempt of in[0]@offset. */
static void expect_letter(struct cluster *c, size_t number, const char *offset, const char *attempt)
{
    struct dump dead;

    dump_load(&dead, c, c->dead);
    ck_assert_uint_gt(dead.count, number);
    ck_assert_str_eq(dump_header(dead.items[number], "__connect.errors.topic"), c->in);
    ck_assert_str_eq(dump_header(dead.items[number], "__connect.errors.offset"), offset);
    ck_assert_str_eq(dump_header(dead.items[number], "kscore.attempt"), attempt);
    dump_release(&dead);
}

START_TEST(letters_are_scored_as_what_they_were_once)
{
    struct cluster c;

    open_broken(&c, 2, 10);
    redrive_says(&c, "        10  bind/missing_field, blame record\n");
    redrive_says(&c, "dry run: 10 would be scored, 1 would be dead letters again; --go does it\n");
    ck_assert_int_eq(cluster_outcome_count(&c), 11);
    redrive_says(&c, "10 scored, 1 dead letters again\n", "--go");
    ck_assert_uint_eq(expect_scores(&c), 10);
    ck_assert_int_eq(cluster_outcome_count(&c), 22);
    redrive_says(&c, "0 scored, 1 dead letters again\n", "--go");
    ck_assert_uint_eq(expect_scores(&c), 10);
    cluster_close(&c);
}
END_TEST

START_TEST(a_letter_that_fails_again_is_given_up_after_its_attempts)
{
    struct cluster c;

    cluster_open(&c, 1);
    cluster_send(&c, 0, "bad", "{", 1);
    cluster_flush(c.producer);
    run_until_done(&c, broken);
    for (int attempt = 2; attempt <= 3; attempt++) {
        char text[20];
        snprintf(text, sizeof text, "%d", attempt);
        redrive_says(&c, "0 scored, 1 dead letters again\n", "--go", "-s",
                     "dead_letters.attempts=3");
        expect_letter(&c, (size_t)attempt - 1, "0", text);
    }
    redrive_says(&c, "         1  left alone: failed [dead_letters] attempts times\n", "--go", "-s",
                 "dead_letters.attempts=3");
    redrive_says(&c, "0 dead letters selected\n", "--go", "-s", "dead_letters.attempts=3");
    ck_assert_int_eq(cluster_end(&c, c.dead, 0), 3);
    redrive_says(&c, "0 scored, 1 dead letters again\n", "--go", "-s", "dead_letters.attempts=4");
    cluster_close(&c);
}
END_TEST

static const struct {
    const char *option, *value, *says;
} filters[] = {
    {"--reason", "bad_json", "1 dead letters selected"},
    {"--reason", "no_such", "0 dead letters selected"},
    {"--stage", "bind", "6 dead letters selected"},
    {"--blame", "record", "7 dead letters selected"},
    {"--blame", "schema", "7  left alone: not selected"},
    {"--schema", "7", "0 dead letters selected"},
    {"--model", "tiny", "7 dead letters selected"},
    {"--model", "tin", "0 dead letters selected"},
    {"-p", "1", "3 dead letters selected"},
    {"--since", "1h", "7 dead letters selected"},
    {"--since", "2090-01-01T00:00:00Z", "0 dead letters selected"},
    {"--until", "1h", "0 dead letters selected"},
    {"--limit", "5", "5 dead letters selected"},
};

START_TEST(letters_are_selected)
{
    struct cluster c;

    open_broken(&c, 2, 6);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        redrive_says(&c, filters[i].says, filters[i].option, filters[i].value);
    cluster_close(&c);
}
END_TEST

START_TEST(selections_that_overlap_do_no_letter_twice)
{
    struct cluster c;

    open_broken(&c, 2, 10);
    redrive_says(&c, "0 scored, 1 dead letters again\n", "--go", "--reason", "bad_json");
    redrive_says(&c, "5 scored, 0 dead letters again\n", "--go", "-p", "1");
    redrive_says(&c, "         6  left alone: done by a redrive before\n");
    redrive_says(&c, "5 scored, 1 dead letters again\n", "--go");
    redrive_says(&c, "0 scored, 0 dead letters again\n", "--go", "--stage", "bind");
    ck_assert_uint_eq(expect_scores(&c), 10);
    cluster_close(&c);
}
END_TEST

START_TEST(a_limit_is_exact_and_the_next_redrive_goes_on_behind_it)
{
    struct cluster c;

    open_broken(&c, 2, 10);
    redrive_says(&c, "4 dead letters selected", "--go", "--limit", "4");
    ck_assert_uint_eq(expect_scores(&c), 4);
    redrive_says(&c, "; the limit\n", "--go", "--limit", "3", "--stage", "bind");
    ck_assert_uint_eq(expect_scores(&c), 7);
    redrive_says(&c, "3 scored, 1 dead letters again\n", "--go");
    ck_assert_uint_eq(expect_scores(&c), 10);
    cluster_close(&c);
}
END_TEST

START_TEST(letters_go_back_to_their_origin_and_keep_it)
{
    struct cluster c;

    open_broken(&c, 2, 4);
    redrive_says(&c, "dry run: 5 would be sent back, 0 would be dead letters again", "--to-origin");
    ck_assert_int_eq(cluster_end(&c, c.in, 0), 3);
    redrive_says(&c, "5 sent back, 0 dead letters again\n", "--to-origin", "--go");
    ck_assert_int_eq(cluster_end(&c, c.in, 0), 6);
    ck_assert_int_eq(cluster_end(&c, c.in, 1), 4);
    redrive_says(&c, "0 sent back, 0 dead letters again\n", "--to-origin", "--go");
    run_until_done(&c, "consumer.on_gap=resume");
    ck_assert_uint_eq(expect_scores(&c), 4);
    expect_letter(&c, 3, "2", "2"); /* the broken one, behind the 3 of the first time */
    cluster_close(&c);
}
END_TEST

START_TEST(a_crash_repeats_at_most_what_was_not_noted)
{
    struct cluster c;
    struct child k;
    struct dump scores;

    open_broken(&c, 1, 60);
    redrive_start(&k, &c, "--go", "--rate", "20");
    cluster_wait_outcomes(&c, 61 + 10);
    child_kill(&k);
    redrive_exits(&c, 0, "1 dead letters again\n", "--go");
    redrive_says(&c, "0 scored, 1 dead letters again\n", "--go");
    dump_load(&scores, &c, c.scores);
    for (int64_t offset = 0; offset < 60; offset++) {
        char text[40];
        int count = 0;
        snprintf(text, sizeof text, "\"offset\":%lld,", (long long)offset);
        for (size_t i = 0; i < scores.count; i++)
            count +=
                memmem(scores.items[i]->payload, scores.items[i]->len, text, strlen(text)) != NULL;
        ck_assert_msg(count == 1 || count == 2, "%s %d times", text, count);
    }
    dump_release(&scores);
    cluster_close(&c);
}
END_TEST

START_TEST(a_stop_is_no_end_and_the_same_command_goes_on)
{
    struct cluster c;
    struct child k;

    open_broken(&c, 1, 60);
    redrive_start(&k, &c, "--go", "--rate", "20");
    cluster_wait_outcomes(&c, 61 + 5);
    child_signal(&k, SIGTERM);
    child_expect_exit(&k, 0);
    replay_says(&k, "\nstopped, not complete: to go on: kscore redrive -c /");
    replay_says(&k, " --go --rate 20\n");
    child_release(&k);
    redrive_says(&c, "1 dead letters again\n", "--go");
    ck_assert_uint_eq(expect_scores(&c), 60);
    cluster_close(&c);
}
END_TEST

/* ---- two at once */

/* Until the brokers have given the redrive's membership up. */
static void wait_for_its_session(struct cluster *c)
{
    int64_t until = harness_deadline();
    char group[100];
    int members = 1;

    snprintf(group, sizeof group, "%s-redrive", c->group);
    while (members > 0) {
        const struct rd_kafka_group_list *list;
        ck_assert_msg(clock_ms() < until, "%s still has a member", group);
        ck_assert(!rd_kafka_list_groups(c->watcher, group, &list, 10000));
        ck_assert_int_eq(list->group_cnt, 1);
        members = list->groups[0].member_cnt;
        rd_kafka_group_list_destroy(list);
        harness_breathe();
    }
}

START_TEST(of_two_at_once_the_second_says_who_is_at_work_and_ends_with_75)
{
    struct cluster c;
    struct child k;
    char who[200];

    open_broken(&c, 1, 150);
    redrive_start(&k, &c, "--go", "--rate", "5");
    cluster_wait_outcomes(&c, 151 + 1);
    snprintf(who, sizeof who, "-%d at 127.0.0.1 is at work in group %s-redrive", (int)k.pid,
             c.group);
    redrive_exits(&c, 75, who, "--go");
    redrive_says(&c, "dry run: "); /* writes nothing, disturbs nobody */
    child_signal(&k, SIGTERM);
    child_expect_exit(&k, 0);
    child_release(&k);
    redrive_says(&c, "1 dead letters again\n", "--go");
    ck_assert_uint_eq(expect_scores(&c), 150);
    cluster_close(&c);
}
END_TEST

START_TEST(one_that_slept_and_was_overtaken_ends_with_75)
{
    struct cluster c;
    struct child k;

    open_broken(&c, 1, 150);
    redrive_start(&k, &c, "--go", "--rate", "10");
    cluster_wait_outcomes(&c, 151 + 20);
    child_signal(&k, SIGSTOP);
    redrive_says(&c, "1 dead letters again\n", "--go");
    child_signal(&k, SIGCONT);
    child_expect_exit(&k, 75);
    replay_says(&k, "-redrive for too long: another redrive went on meanwhile");
    child_release(&k);
    ck_assert_int_lt(cluster_outcome_count(&c), 2 * 151 + 60);
    cluster_close(&c);
}
END_TEST

START_TEST(one_that_slept_and_was_not_overtaken_goes_on)
{
    struct cluster c;
    struct child k;

    open_broken(&c, 1, 150);
    redrive_start(&k, &c, "--go", "--rate", "10");
    cluster_wait_outcomes(&c, 151 + 20);
    child_signal(&k, SIGSTOP);
    wait_for_its_session(&c);
    child_signal(&k, SIGCONT);
    child_expect_exit(&k, 0);
    child_release(&k);
    ck_assert_uint_eq(expect_scores(&c), 150);
    cluster_close(&c);
}
END_TEST

/* ---- other systems */

#define BINARY_2 "\0\0\0\2"
#define BINARY_LONG(n) "\0\0\0\0\0\0\0" n

struct foreign_header {
    const char *name, *value; /* @: the topic of events */
    size_t len;               /* 0: that of the text */
};

static const struct foreign {
    const char *says; /* of its reason */
    struct foreign_header headers[6];
} foreigners[] = {
    {"TRANSFORMATION/org.apache.kafka.connect.errors.DataException\n",
     {{"__connect.errors.topic", "@", 0},
      {"__connect.errors.partition", "2", 0},
      {"__connect.errors.offset", "10", 0},
      {"__connect.errors.stage", "TRANSFORMATION", 0},
      {"__connect.errors.class.name", "org.apache.kafka.connect.transforms.Cast", 0},
      {"__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException",
       0}}},
    {"  org.apache.kafka.common.errors.SerializationException\n",
     {{"__streams.errors.exception", "org.apache.kafka.common.errors.SerializationException", 0},
      {"__streams.errors.topic", "@", 0},
      {"__streams.errors.partition", "2", 0},
      {"__streams.errors.offset", "11", 0}}},
    {"  Offset rejected by client.\n",
     {{"__dlq.errors.topic", "@", 0},
      {"__dlq.errors.partition", "2", 0},
      {"__dlq.errors.offset", "12", 0},
      {"__dlq.errors.message", "Offset rejected by client.", 0}}},
    {"  java.lang.IllegalStateException\n",
     {{"kafka_dlt-original-topic", "@", 0},
      {"kafka_dlt-original-partition", BINARY_2, 4},
      {"kafka_dlt-original-offset", BINARY_LONG("\x0d"), 8},
      {"kafka_dlt-original-timestamp", BINARY_LONG("\x05"), 8},
      {"kafka_dlt-exception-fqcn", "java.lang.IllegalStateException", 0}}},
    {"  boom\n",
     {{"dead-letter-topic", "@", 0},
      {"dead-letter-partition", "2", 0},
      {"dead-letter-offset", "14", 0},
      {"dead-letter-reason", "boom", 0}}},
};

enum { FOREIGNERS = sizeof foreigners / sizeof foreigners[0] };

static void send_foreign(struct cluster *c, const char *topic, const struct foreign_header *h,
                         const char *value)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(6);
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < 6 && h[i].name; i++) {
        const char *text = strcmp(h[i].value, "@") == 0 ? c->in : h[i].value;
        rd_kafka_header_add(headers, h[i].name, -1, text,
                            (ssize_t)(h[i].len ? h[i].len : strlen(text)));
    }
    code = rd_kafka_producev(
        c->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("k", 1),
        RD_KAFKA_V_VALUE((void *)value, value ? strlen(value) : 0), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

static const char *open_foreign(struct cluster *c)
{
    static char topic[100];

    cluster_open(c, 1);
    snprintf(topic, sizeof topic, "%s-dlt", c->in);
    cluster_create_topic(c, topic, 1, NULL);
    return topic;
}

START_TEST(letters_of_other_systems_are_read)
{
    static const struct foreign_header none[6] = {{NULL, NULL, 0}},
                                       other[6] = {{"dead-letter-topic", "no-topic-of-ours", 0},
                                                   {"dead-letter-partition", "0", 0},
                                                   {"dead-letter-offset", "0", 0}};
    struct cluster c;
    struct dump scores;
    const char *topic = open_foreign(&c);

    for (size_t i = 0; i < FOREIGNERS; i++)
        send_foreign(&c, topic, foreigners[i].headers, "{\"x\":1,\"n\":1}");
    send_foreign(&c, topic, none, "{\"x\":1,\"n\":1}");
    send_foreign(&c, topic, other, "{\"x\":1,\"n\":1}");
    send_foreign(&c, topic, foreigners[0].headers, NULL);
    cluster_flush(c.producer);
    for (size_t i = 0; i < FOREIGNERS; i++)
        redrive_says(&c, foreigners[i].says, "--topic", topic);
    redrive_says(&c, " 1  left alone: no dead letters, or without their origin\n", "--topic",
                 topic);
    redrive_says(&c, " 1  left alone: from topics that [consumer] topic has not\n", "--topic",
                 topic);
    redrive_says(&c, " 1  left alone: came without their value, which is gone from their origin\n",
                 "--topic", topic);
    redrive_says(&c, "1 scored, 0 dead letters again\n", "--topic", topic, "--go", "--reason",
                 "Offset rejected by client.");
    redrive_says(&c, "4 scored, 0 dead letters again\n", "--topic", topic, "--go");
    dump_load(&scores, &c, c.scores);
    ck_assert_uint_eq(scores.count, FOREIGNERS);
    for (size_t i = 0; i < FOREIGNERS; i++) {
        struct origin origin;
        origin_of_score(&origin, scores.items[i]);
        ck_assert_int_eq(origin.partition, 2);
        ck_assert_int_eq(origin.offset, i == 0 ? 12 : (int64_t)i + (i <= 2 ? 9 : 10));
    }
    dump_release(&scores);
    cluster_close(&c);
}
END_TEST

START_TEST(a_foreign_letter_that_fails_here_counts_as_its_second_attempt)
{
    struct cluster c;
    const char *topic = open_foreign(&c);

    send_foreign(&c, topic, foreigners[3].headers, "{");
    cluster_flush(c.producer);
    redrive_says(&c, "0 scored, 1 dead letters again\n", "--topic", topic, "--go");
    expect_letter(&c, 0, "13", "2");
    redrive_says(&c, "0 dead letters selected\n", "--topic", topic, "--go");
    redrive_says(&c, "1 dead letters selected\n");
    cluster_close(&c);
}
END_TEST

START_TEST(foreign_letters_go_back_with_their_attempts_counted)
{
    struct cluster c;
    const char *topic = open_foreign(&c);

    send_foreign(&c, topic, foreigners[1].headers, "{");
    cluster_flush(c.producer);
    redrive_says(&c, "1 sent back, 0 dead letters again\n", "--topic", topic, "--to-origin",
                 "--go");
    run_until_done(&c, "consumer.on_gap=resume");
    expect_letter(&c, 0, "11", "2");
    cluster_close(&c);
}
END_TEST

/* ---- without their value */

/* A letter that says it is of in[0]@offset, which had a key, and that both were too large. */
static void send_cut_letter(struct cluster *c, int64_t offset, const char *stamp)
{
    char text[40];
    const struct foreign_header headers[6] = {{"__connect.errors.topic", "@", 0},
                                              {"__connect.errors.partition", "0", 0},
                                              {"__connect.errors.offset", text, 0},
                                              {"kscore.timestamp", stamp, 0},
                                              {"kscore.dropped", "value, headers, key", 0}};

    snprintf(text, sizeof text, "%lld", (long long)offset);
    send_foreign(c, c->dead, headers, NULL);
}

/* Of the first record of in[0], as text. */
static const char *timestamp_of(struct cluster *c)
{
    static char text[32];
    rd_kafka_timestamp_type_t type;
    struct dump in;

    dump_load(&in, c, c->in);
    snprintf(text, sizeof text, "%lld", (long long)rd_kafka_message_timestamp(in.items[0], &type));
    dump_release(&in);
    return text;
}

/* The first of them is deleted; then letters of 0, 1, 2 (of another time) and 9. */
START_TEST(a_letter_without_its_value_takes_it_from_its_origin_as_long_as_it_is_there)
{
    struct cluster c;
    struct dump scores;

    cluster_open(&c, 1);
    cluster_send_events(&c, 4);
    cluster_send(&c, 0, "k", "{", 1);
    cluster_delete_records(&c, 0, 1);
    send_cut_letter(&c, 0, timestamp_of(&c));
    send_cut_letter(&c, 1, timestamp_of(&c));
    send_cut_letter(&c, 2, "7");
    send_cut_letter(&c, 9, timestamp_of(&c));
    cluster_flush(c.producer);
    redrive_says(&c, " 2  left alone: came without their value, which is gone from their origin\n");
    redrive_says(&c, " 1  left alone: came without their value, and another record stands at ");
    redrive_says(&c, "1 scored, 0 dead letters again\n", "--go");
    redrive_says(&c, "0 scored, 0 dead letters again\n", "--go");
    dump_load(&scores, &c, c.scores);
    ck_assert_uint_eq(scores.count, 1);
    ck_assert(memmem(scores.items[0]->payload, scores.items[0]->len, "\"offset\":1,", 11) != NULL);
    ck_assert_uint_eq(scores.items[0]->key_len, 2);
    dump_release(&scores);
    cluster_close(&c);
}
END_TEST

/* More bytes than a redrive keeps at a time, and one that is broken: its letter has its value. */
START_TEST(many_large_letters_without_their_value_are_done_in_parts)
{
    enum { SIZE = 900000, COUNT = 40 };
    char *event = malloc(SIZE), stamp[32] = "";
    struct cluster c;

    cluster_open(&c, 1);
    memset(event, ' ', SIZE);
    for (int i = 0; i < COUNT; i++) {
        memcpy(event, i == 0 ? "{\"x\":1 " : "{\"x\":1}", 7);
        cluster_send(&c, 0, NULL, event, SIZE);
        if (i % 8 == 0)
            cluster_flush(c.producer);
    }
    cluster_flush(c.producer);
    for (int i = 0; i < COUNT; i++)
        send_cut_letter(&c, i, stamp);
    cluster_flush(c.producer);
    redrive_says(&c, "39 scored, 1 dead letters again\n", "--go", "-s",
                 "consumer.max_value_kib=1000");
    ck_assert_uint_eq(expect_scores(&c), COUNT - 1);
    expect_letter(&c, COUNT, "0", "2");
    redrive_says(&c, "0 scored, 1 dead letters again\n", "--go", "-s",
                 "consumer.max_value_kib=1000");
    free(event);
    cluster_close(&c);
}
END_TEST

START_TEST(without_its_value_it_goes_back_with_it)
{
    struct cluster c;
    struct dump in;

    cluster_open(&c, 1);
    cluster_send_events(&c, 2);
    send_cut_letter(&c, 1, "");
    cluster_flush(c.producer);
    redrive_says(&c, "1 sent back, 0 dead letters again\n", "--to-origin", "--go");
    dump_load(&in, &c, c.in);
    ck_assert_uint_eq(in.count, 3);
    ck_assert_uint_eq(in.items[2]->len, in.items[1]->len);
    ck_assert_mem_eq(in.items[2]->payload, in.items[1]->payload, in.items[1]->len);
    ck_assert_uint_eq(in.items[2]->key_len, in.items[1]->key_len);
    dump_release(&in);
    cluster_close(&c);
}
END_TEST

START_TEST(without_permission_on_its_group_it_ends_with_77)
{
    struct cluster c;
    char group[100];

    open_broken(&c, 1, 3);
    snprintf(group, sizeof group, "%s-redrive", c.group);
    cluster_allow_all_but(&c, -1);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.dead, RD_KAFKA_ACL_OPERATION_READ);
    cluster_use_password(&c, "kscore");
    redrive_exits(&c, 77, group);
    cluster_allow(&c, RD_KAFKA_RESOURCE_GROUP, group, RD_KAFKA_ACL_OPERATION_READ);
    redrive_says(&c, "3 scored, 1 dead letters again\n", "--go");
    cluster_close(&c);
}
END_TEST

SUITE(redrive)
{
    CASE("default", letters_are_scored_as_what_they_were_once);
    CASE("attempts", a_letter_that_fails_again_is_given_up_after_its_attempts);
    CASE("filters", letters_are_selected);
    CASE("twice", selections_that_overlap_do_no_letter_twice,
         a_limit_is_exact_and_the_next_redrive_goes_on_behind_it);
    CASE("origin", letters_go_back_to_their_origin_and_keep_it);
    CASE("crash", a_crash_repeats_at_most_what_was_not_noted,
         a_stop_is_no_end_and_the_same_command_goes_on);
    CASE("two", of_two_at_once_the_second_says_who_is_at_work_and_ends_with_75,
         one_that_slept_and_was_overtaken_ends_with_75,
         one_that_slept_and_was_not_overtaken_goes_on);
    CASE("foreign", letters_of_other_systems_are_read,
         a_foreign_letter_that_fails_here_counts_as_its_second_attempt,
         foreign_letters_go_back_with_their_attempts_counted);
    CASE("values", a_letter_without_its_value_takes_it_from_its_origin_as_long_as_it_is_there,
         many_large_letters_without_their_value_are_done_in_parts,
         without_its_value_it_goes_back_with_it);
    CASE("permission", without_permission_on_its_group_it_ends_with_77);
}
