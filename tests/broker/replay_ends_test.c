/* Where a replay ends: with its window, whatever the log is like there. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/replays.h"
#include "tests/harness.h"

static void send_at(struct cluster *c, rd_kafka_t *client, int count)
{
    for (int i = 0; i < count; i++) {
        rd_kafka_resp_err_t code =
            rd_kafka_producev(client, RD_KAFKA_V_TOPIC(c->in), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7), RD_KAFKA_V_KEY("same", 4),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
    }
    cluster_flush(client);
}

static rd_kafka_t *transactional(struct cluster *c)
{
    char id[100];
    rd_kafka_t *client;

    snprintf(id, sizeof id, "transactional.id=%s", c->group);
    client = cluster_producer(c, (const char *[]){id, NULL});
    ck_assert_ptr_null(rd_kafka_init_transactions(client, 10000));
    ck_assert_ptr_null(rd_kafka_begin_transaction(client));
    return client;
}

/* Its mark comes some time after the coordinator's answer. */
static void wait_for_mark(struct cluster *c, int64_t end)
{
    int64_t until = harness_deadline();

    while (cluster_end(c, c->in, 0) != end) {
        ck_assert_msg(clock_ms() < until, "the transaction did not end in time");
        harness_breathe();
    }
}

/* Three records, and the mark of their transaction. */
static void end_with_a_mark(struct cluster *c)
{
    rd_kafka_t *client = transactional(c);

    send_at(c, client, 3);
    ck_assert_ptr_null(rd_kafka_commit_transaction(client, 10000));
    wait_for_mark(c, 4);
    rd_kafka_destroy(client);
}

static void end_with_aborted_records(struct cluster *c)
{
    rd_kafka_t *client = transactional(c);

    send_at(c, c->producer, 3);
    send_at(c, client, 5);
    ck_assert_ptr_null(rd_kafka_abort_transaction(client, 10000));
    wait_for_mark(c, 9);
    rd_kafka_destroy(client);
}

/* The last stable offset is 3, whatever is behind it. The transaction stays open, as long as the
 * test. */
static void end_with_an_open_transaction(struct cluster *c)
{
    rd_kafka_t *client = transactional(c);

    send_at(c, c->producer, 3);
    send_at(c, client, 2);
}

/* Records of one key, of which compaction leaves the last: 9, and 10 in the segment that is in use.
 */
static void compact(struct cluster *c)
{
    static const char *const settings[][2] = {{"cleanup.policy", "compact"},
                                              {"segment.ms", "100"},
                                              {"max.compaction.lag.ms", "100"},
                                              {"min.cleanable.dirty.ratio", "0.001"}};
    int64_t until = harness_deadline();
    size_t count = 0;

    cluster_configure_all(c, c->in, settings, sizeof settings / sizeof settings[0]);
    send_at(c, c->producer, 10);
    while (count != 2) { /* a segment is only closed by the next record */
        struct dump dump;
        ck_assert_msg(clock_ms() < until, "no compaction in time");
        usleep(200000); /* between two polls, longer than segment.ms */
        if (count == 0)
            send_at(c, c->producer, 1);
        dump_load(&dump, c, c->in);
        count = dump.count;
        dump_release(&dump);
    }
}

static void leave_it_empty(struct cluster *c)
{
    (void)c;
}

/* All that there was is deleted: it begins where it ends. */
static void empty_it(struct cluster *c)
{
    send_at(c, c->producer, 7);
    cluster_delete_records(c, 0, 7);
}

static void fill(struct cluster *c)
{
    send_at(c, c->producer, 7);
}

static const struct {
    void (*prepare)(struct cluster *c);
    const char *from, *to, *account;
} ends[] = {{end_with_a_mark, "earliest", "latest", "consumed=3 scored=3"},
            {end_with_aborted_records, "earliest", "latest", "consumed=3 scored=3"},
            {end_with_an_open_transaction, "earliest", "latest", "consumed=3 scored=3"},
            {end_with_an_open_transaction, "earliest", "5", "consumed=3 scored=3"},
            {compact, "earliest", "latest", "consumed=2 scored=2"},
            {compact, "0", "5", "consumed=0 scored=0"},
            {compact, "3", "10", "consumed=1 scored=1"},
            {leave_it_empty, "earliest", "latest", "consumed=0 scored=0"},
            {leave_it_empty, "latest", "1h", "consumed=0 scored=0"},
            {empty_it, "earliest", "latest", "consumed=0 scored=0"},
            {empty_it, "3", "5", "consumed=0 scored=0"},
            {fill, "2", "5", "consumed=3 scored=3"},
            {fill, "5", "2", "consumed=0 scored=0"},
            {fill, "5", "99", "consumed=2 scored=2"},
            {fill, "99", "latest", "consumed=0 scored=0"},
            {fill, "latest", "latest", "consumed=0 scored=0"}};

/* In one partition of three; the others are empty. */
START_TEST(it_ends_where_the_window_does_whatever_the_log_is_like_there)
{
    struct cluster c;
    struct child k;
    int64_t began_ms;

    cluster_open(&c, 3);
    ends[_i].prepare(&c);
    began_ms = clock_ms();
    replay_runs(&k, &c, "--from", ends[_i].from, "--to", ends[_i].to, "-o",
                replay_path(&c, "out.jsonl"));
    ck_assert_int_lt(clock_ms() - began_ms, (int64_t)(10000 * harness_slowness()));
    replay_says(&k, ends[_i].account);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_topic_that_keeps_growing_ends_where_it_did_at_the_start)
{
    struct cluster c;
    struct child k;
    struct lines *l;

    cluster_open(&c, 2);
    cluster_send_events(&c, 400);
    replay_start(&k, &c, "--from", "earliest", "--rate", "400", "-o", replay_path(&c, "out.jsonl"));
    child_wait_line(&k, "event=assigned", 1);
    while (child_is_running(&k))
        cluster_send_events(&c, 50);
    child_expect_exit(&k, 0);
    replay_says(&k, "consumed=400 scored=400");
    ck_assert_int_gt(c.event_count, 450);
    l = lines_load(replay_path(&c, "out.jsonl"));
    ck_assert_uint_eq(l->count, 400);
    ck_assert(l->at[0][199] && l->at[1][199]);
    lines_free(l);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_window_of_time_has_the_records_from_the_one_time_to_before_the_other)
{
    enum { HOUR_MS = 3600000 };
    int64_t now_ms = clock_wall_ms();
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    struct cluster c;
    struct child k;
    struct lines *l;

    cluster_open(&c, 2);
    for (int i = 0; i < 5; i++)
        ck_assert(!rd_kafka_producev(c.producer, RD_KAFKA_V_TOPIC(c.in), RD_KAFKA_V_PARTITION(1),
                                     RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7),
                                     RD_KAFKA_V_TIMESTAMP(now_ms - (5 - i) * HOUR_MS),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    cluster_flush(c.producer);
    clock_print(from, now_ms - 4 * HOUR_MS);
    clock_print(to, now_ms - 2 * HOUR_MS);
    replay_runs(&k, &c, "--from", from, "--to", to, "-o", replay_path(&c, "out.jsonl"));
    l = lines_load(replay_path(&c, "out.jsonl"));
    ck_assert_uint_eq(l->count, 2);
    ck_assert(l->at[1][1] && l->at[1][2]);
    lines_free(l);
    child_release(&k);
    replay_runs(&k, &c, "--from", "90m", "-p", "1", "-o", replay_path(&c, "late.jsonl"));
    ck_assert_uint_eq(lines_count(replay_path(&c, "late.jsonl")), 1);
    child_release(&k);
    replay_runs(&k, &c, "--from", "earliest", "-p", "0", "-o", replay_path(&c, "none.jsonl"));
    ck_assert_uint_eq(lines_count(replay_path(&c, "none.jsonl")), 0);
    child_release(&k);
    replay_exits(&k, &c, 78, "--from", "earliest", "-p", "2", "-o",
                 replay_path(&c, "absent.jsonl"));
    replay_says(&k, "has 2 partitions, 0 to 1: not 2");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(replay_ends)
{
    tcase_add_loop_test(CASE("log", a_topic_that_keeps_growing_ends_where_it_did_at_the_start),
                        it_ends_where_the_window_does_whatever_the_log_is_like_there, 0,
                        sizeof ends / sizeof ends[0]);
    CASE("places", a_window_of_time_has_the_records_from_the_one_time_to_before_the_other);
}
