/* delivery = exactly_once: what a read_committed reader sees, on a real broker. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { PARTITIONS = 4 };

#define EXACTLY "kscore.delivery=exactly_once", "kscore.transaction_ms=100"

/* Everything sent has its outcome, committed with it: one each, none twice. */
static void expect_exactly_once(struct cluster *c)
{
    cluster_wait_no_lag(c);
    ck_assert_uint_eq(expect_outcomes(c, NULL), 0);
}

START_TEST(a_crash_in_a_transaction_repeats_nothing_that_readers_see)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    for (int kills = 0; kills < 5; kills++) {
        int64_t before = cluster_outcome_count(&c);
        cluster_send_events(&c, 3000);
        child_run(&k, &c, EXACTLY, "kscore.instance=a", "kscore.batch_rows=50", "kscore.workers=2");
        cluster_wait_outcomes(&c, before + 500 * (kills + 1));
        child_signal(&k, SIGKILL);
        child_expect_exit(&k, 128 + SIGKILL);
        child_release(&k);
    }
    child_run(&k, &c, EXACTLY, "kscore.instance=a", "kscore.workers=2");
    expect_exactly_once(&c);
    child_stop(&k);
    expect_exactly_once(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(members_that_join_and_leave_in_the_stream_repeat_nothing)
{
    struct cluster c;
    struct child a, b;

    cluster_open(&c, PARTITIONS);
    cluster_send_events(&c, 4000);
    child_run(&a, &c, EXACTLY, "kscore.instance=a", "kscore.batch_rows=50", "kscore.workers=2");
    child_wait_line(&a, "event=ready", 1);
    cluster_send_events(&c, 4000);
    child_run(&b, &c, EXACTLY, "kscore.instance=b", "kscore.batch_rows=50");
    child_wait_line(&b, "event=assigned", 1);
    cluster_send_events(&c, 4000);
    child_stop(&a);
    cluster_send_events(&c, 4000);
    expect_exactly_once(&c);
    child_stop(&b);
    expect_exactly_once(&c);
    child_release(&a);
    child_release(&b);
    cluster_close(&c);
}
END_TEST

START_TEST(of_two_with_one_instance_the_older_ends_with_75)
{
    struct cluster c;
    struct child older, newer;

    cluster_open(&c, 1);
    child_run(&older, &c, EXACTLY, "kscore.instance=same");
    child_wait_line(&older, "event=ready", 1);
    child_run(&newer, &c, EXACTLY, "kscore.instance=same");
    cluster_send_events(&c, 100);
    child_expect_exit(&older, 75);
    child_wait_line(&older, "instance = same", 1);
    expect_exactly_once(&c);
    child_stop(&newer);
    child_release(&older);
    child_release(&newer);
    cluster_close(&c);
}
END_TEST

/* A producer of transactions, with records of its own in in[0], where the last offset is a mark. */
static rd_kafka_t *send_transaction(struct cluster *c, int count)
{
    char id[100];
    rd_kafka_t *producer;

    snprintf(id, sizeof id, "transactional.id=%s", c->group);
    producer = cluster_producer(c, (const char *[]){id, NULL});
    ck_assert(!rd_kafka_init_transactions(producer, 10000));
    ck_assert(!rd_kafka_begin_transaction(producer));
    for (int i = 0; i < count; i++)
        ck_assert(!rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(c->in), RD_KAFKA_V_PARTITION(0),
                                     RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    ck_assert(!rd_kafka_commit_transaction(producer, 10000));
    return producer;
}

/* The mark is no record, so no transaction has carried it when the stop comes. The end of in[0] was
 * seen by then: it is in the answer that brought the record of in[1]. */
START_TEST(a_stop_behind_a_mark_commits_the_mark)
{
    struct cluster c;
    struct child k;
    rd_kafka_t *producer;
    int64_t until = harness_deadline();

    cluster_open(&c, 2);
    producer = send_transaction(&c, 10);
    if (_i)
        child_run(&k, &c, EXACTLY, "kscore.instance=a", "kscore.transaction_ms=10000");
    else
        child_run(&k, &c, "kscore.commit_ms=60000");
    for (int64_t sent = 0, want = 10; want <= 11; sent = 0) {
        for (int32_t i = 0; i < 2; i++)
            sent += cluster_high(&c, c.scores, i);
        ck_assert_msg(clock_ms() < until, "%lld are sent", (long long)sent);
        if (sent >= want && want++ == 10) {
            cluster_send(&c, 1, "k", "{\"x\":1}", 7);
            cluster_flush(c.producer);
        }
        harness_breathe();
    }
    child_stop(&k);
    ck_assert_int_eq(cluster_committed(&c, 0), 11);
    ck_assert_int_eq(cluster_committed(&c, 1), 1);
    rd_kafka_destroy(producer);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* A compacted topic takes no record without a key: the broker refuses the batch it is in, and
 * names none. */
START_TEST(a_record_that_the_broker_refuses_is_dead_and_its_neighbours_are_scored_once)
{
    struct cluster c;
    struct child k;
    const char *last;

    cluster_open(&c, PARTITIONS);
    cluster_configure(&c, c.scores, "cleanup.policy", "compact");
    for (int i = 0; i < 3; i++) {
        cluster_send_events(&c, 100);
        cluster_send(&c, i, NULL, "{\"x\":1}", 7);
    }
    cluster_send_events(&c, 100);
    child_run(&k, &c, EXACTLY, "kscore.instance=a");
    cluster_wait_no_lag(&c);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "scored"), 400);
    ck_assert_int_eq(child_number(last, "dead"), 3);
    expect_exactly_once(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* With a transaction that has records of the first events, and stays open. */
static void start_open(struct cluster *c, struct child *k, const char *more)
{
    int64_t until = harness_deadline();

    cluster_open(c, PARTITIONS);
    child_run(k, c, EXACTLY, "kscore.instance=a", "kscore.transaction_ms=10000", more);
    child_wait_line(k, "event=ready", 1);
    cluster_send_events(c, 400);
    while (cluster_high(c, c->scores, 0) == 0) {
        ck_assert_msg(clock_ms() < until, "nothing was sent in time");
        harness_breathe();
    }
    cluster_send_events(c, 400);
}

/* Goes on, repeats nothing, stops well. */
static void expect_recovery(struct cluster *c, struct child *k)
{
    expect_exactly_once(c);
    child_stop(k);
    expect_exactly_once(c);
    child_release(k);
    cluster_close(c);
}

/* The broker finds them in its sockets when it wakes up, and nobody hears of it: the transaction is
 * being aborted. librdkafka numbers what comes next as if they had not been sent, and the broker
 * takes a batch that has the number and the size of one of them for the same. */
START_TEST(what_reached_the_broker_without_an_answer_before_an_abort_costs_nothing)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 4000);
    child_run(&k, &c, EXACTLY, "kscore.instance=a", "consumer.session.timeout.ms=60000",
              "producer.socket.timeout.ms=2000", "producer.batch.num.messages=1",
              "kscore.transaction_rows=500", "kscore.batch_rows=100");
    cluster_wait_outcomes(&c, 1);
    cluster_broker("pause");
    child_wait_line(&k, "the next one holds 500 at most", 1); /* its size is not to blame */
    child_wait_line(&k, "aborting a transaction", 1);
    cluster_broker("cont");
    cluster_wait_no_lag(&c);
    ck_assert_int_eq(child_count(&k, "out of order sequence number"), 0);
    expect_recovery(&c, &k);
}
END_TEST

/* ---- beyond time-outs: tests/run-long */

static void sleep_past_the_transaction(void)
{
    int64_t until = clock_ms() + 36000;

    while (clock_ms() < until)
        harness_breathe();
}

START_TEST(who_sleeps_past_the_transaction_goes_on_with_a_new_producer)
{
    struct cluster c;
    struct child k;

    start_open(&c, &k, "consumer.session.timeout.ms=60000");
    child_signal(&k, SIGSTOP);
    sleep_past_the_transaction();
    child_signal(&k, SIGCONT);
    child_wait_line(&k, "a new one is in its place", 1);
    cluster_send_events(&c, 100);
    cluster_wait_no_lag(&c);
    /* It asks the group what is committed, and does not leave it for that: a LeaveGroup that is
     * late would fence the member that it is again. */
    ck_assert_int_eq(child_count(&k, "event=revoked"), 0);
    expect_recovery(&c, &k);
}
END_TEST

START_TEST(a_broker_that_sleeps_past_the_transaction_costs_nothing)
{
    struct cluster c;
    struct child k;

    start_open(&c, &k, _i ? "consumer.session.timeout.ms=60000" : "consumer.start=earliest");
    cluster_broker("pause");
    sleep_past_the_transaction();
    cluster_broker("cont");
    expect_recovery(&c, &k);
}
END_TEST

START_TEST(a_crash_of_the_broker_in_a_transaction_costs_nothing)
{
    struct cluster c;
    struct child k;

    start_open(&c, &k, "consumer.start=earliest");
    cluster_broker("kill");
    cluster_broker("start");
    expect_recovery(&c, &k);
}
END_TEST

/* producer_byte_rate of the client `slow`. */
static void quota(const char *change)
{
    char line[300];

    snprintf(line, sizeof line,
             "tests/kafka tool \"$KSCORE_BROKER\" configs --alter --entity-type clients "
             "--entity-name slow --%s > /dev/null",
             change);
    ck_assert_msg(system(line) == 0, "%s", line);
}

START_TEST(a_backlog_behind_a_slow_broker_is_committed_in_smaller_transactions)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_send_events(&c, 40000);
    quota("add-config producer_byte_rate=30000");
    child_run(&k, &c, EXACTLY, "kscore.instance=a", "kscore.transaction_ms=10000",
              "producer.client.id=slow");
    child_wait_line(&k, "the next one holds", 1);
    cluster_wait_outcomes(&c, 1);
    quota("delete-config producer_byte_rate");
    expect_recovery(&c, &k);
}
END_TEST

SUITE(exactly_once)
{
    CASE("stream", a_crash_in_a_transaction_repeats_nothing_that_readers_see,
         members_that_join_and_leave_in_the_stream_repeat_nothing,
         of_two_with_one_instance_the_older_ends_with_75);
    tcase_add_loop_test(harness_case(suite, "mark", NULL, 0), a_stop_behind_a_mark_commits_the_mark,
                        0, 2);
    CASE("unanswered", what_reached_the_broker_without_an_answer_before_an_abort_costs_nothing);
    CASE("refused", a_record_that_the_broker_refuses_is_dead_and_its_neighbours_are_scored_once);
    if (getenv("KSCORE_LONG")) {
        TCase *tcase = CASE("long", who_sleeps_past_the_transaction_goes_on_with_a_new_producer,
                            a_crash_of_the_broker_in_a_transaction_costs_nothing,
                            a_backlog_behind_a_slow_broker_is_committed_in_smaller_transactions);
        tcase_add_loop_test(tcase, a_broker_that_sleeps_past_the_transaction_costs_nothing, 0, 2);
        tcase_set_timeout(tcase, 180 * harness_slowness());
    }
}
