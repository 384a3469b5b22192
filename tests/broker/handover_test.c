/* Processes that stop, crash, leave and join: nothing is lost, and what is repeated is repeated for
 * a reason. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { PARTITIONS = 4 };

/* Sends events until the group has committed some and more than that has an outcome; the stream
 * does not pause. */
static void stream_until_busy(struct cluster *c, int64_t outcomes)
{
    int64_t until = harness_deadline(), committed;

    do {
        ck_assert_msg(clock_ms() < until, "no commit after %lld outcomes in time",
                      (long long)outcomes);
        cluster_send_events(c, 100);
        committed = 0;
        for (int32_t i = 0; i < c->partitions; i++)
            committed += cluster_committed(c, i) > 0 ? cluster_committed(c, i) : 0;
    } while (committed == 0 || cluster_outcome_count(c) < outcomes);
}

/* Sends events until the process is gone. */
static void stream_until_gone(struct cluster *c, struct child *k)
{
    int64_t until = harness_deadline();

    while (child_is_running(k)) {
        ck_assert_msg(clock_ms() < until, "it did not end in time");
        cluster_send_events(c, 100);
    }
}

START_TEST(thousands_of_events_get_one_outcome_each_and_no_lag)
{
    struct cluster c;
    struct child k;
    const char *last;

    cluster_open(&c, PARTITIONS);
    cluster_send_events(&c, 8000);
    cluster_send(&c, 1, "bad", "{\"x\":\"one\"}", 11);
    cluster_send(&c, 2, NULL, "{\"x\":", 5);
    cluster_send(&c, 3, "gone", NULL, 0);
    cluster_flush(c.producer);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 8002);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "consumed"), 8003);
    ck_assert_int_eq(child_number(last, "scored"), 8000);
    ck_assert_int_eq(child_number(last, "dead"), 2);
    ck_assert_int_eq(child_number(last, "skipped"), 1);
    ck_assert_int_eq(child_number(last, "rewinds"), 0);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_stop_in_the_stream_and_a_restart_repeat_nothing)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    child_run(&k, &c);
    stream_until_busy(&c, 1000);
    child_signal(&k, SIGTERM);
    stream_until_gone(&c, &k);
    child_expect_exit(&k, 0);
    ck_assert_int_lt(cluster_outcome_count(&c), c.event_count);
    child_release(&k);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, c.event_count);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* What the client hands out while it leaves the group is nobody's. */
START_TEST(events_that_come_while_it_stops_are_left_to_the_next_start)
{
    enum { ROUNDS = 4 };
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    for (int round = 0; round <= ROUNDS; round++) {
        child_run(&k, &c);
        cluster_send_events(&c, 50);
        cluster_wait_outcomes(&c, c.event_count);
        child_signal(&k, SIGTERM);
        if (round < ROUNDS)
            cluster_send_events(&c, 50);
        child_expect_exit(&k, 0);
        child_release(&k);
    }
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    cluster_close(&c);
}
END_TEST

START_TEST(a_crash_loses_nothing_and_repeats_only_what_was_not_committed)
{
    int64_t floor[PARTITIONS], repeated;
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    child_run(&k, &c, "kscore.instance=a", "kscore.commit_ms=300");
    stream_until_busy(&c, 2000);
    child_kill(&k);
    cluster_send_events(&c, 200);
    repeated = cluster_floor(&c, floor);
    child_run(&k, &c, "kscore.instance=a");
    child_wait_line(&k, "event=ready", 1);
    cluster_wait_outcomes(&c, c.event_count + repeated);
    child_stop(&k);
    ck_assert_int_eq((int64_t)expect_outcomes(&c, &(struct account){.floor = floor}), repeated);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(after_a_crash_before_the_first_commit_everything_is_scored_again_with_equal_ids)
{
    static const int64_t floor[PARTITIONS];
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_send_events(&c, 400);
    child_run(&k, &c, "kscore.instance=a", "kscore.commit_ms=60000");
    cluster_wait_outcomes(&c, 400);
    child_kill(&k);
    child_run(&k, &c, "kscore.instance=a");
    cluster_wait_outcomes(&c, 800);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, &(struct account){.floor = floor}), 400);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_member_that_leaves_hands_over_without_loss_or_repetition)
{
    struct cluster c;
    struct child a, b;

    cluster_open(&c, PARTITIONS);
    child_run(&a, &c);
    child_wait_line(&a, "owned=4", 1);
    child_run(&b, &c);
    child_wait_line(&a, " partitions=2", 1);
    child_wait_line(&b, " partitions=2", 1);
    stream_until_busy(&c, 1000);
    child_signal(&a, SIGTERM);
    stream_until_gone(&c, &a);
    child_expect_exit(&a, 0);
    child_wait_line(&b, "owned=4", 1);
    cluster_send_events(&c, 500);
    cluster_wait_outcomes(&c, c.event_count);
    child_stop(&b);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&a);
    child_release(&b);
    cluster_close(&c);
}
END_TEST

START_TEST(a_member_that_joins_in_the_stream_takes_over_without_loss_or_repetition)
{
    struct cluster c;
    struct child a, b;

    cluster_open(&c, PARTITIONS);
    child_run(&a, &c);
    stream_until_busy(&c, 500);
    child_run(&b, &c);
    while (child_count(&b, " partitions=2") == 0)
        stream_until_busy(&c, 500);
    child_wait_line(&a, "event=revoked", 1);
    cluster_wait_outcomes(&c, c.event_count);
    child_finish_pair(&c, &a, &b);
}
END_TEST

START_TEST(a_static_member_that_comes_back_in_time_disturbs_nobody)
{
    struct cluster c;
    struct child a, b;
    int assigned, revoked;

    cluster_open(&c, PARTITIONS);
    child_run(&a, &c, "kscore.instance=a");
    child_run(&b, &c, "kscore.instance=b");
    child_wait_line(&a, " partitions=2", 1);
    child_wait_line(&b, " partitions=2", 1);
    assigned = child_count(&b, "event=assigned");
    revoked = child_count(&b, "event=revoked");
    child_stop(&a);
    child_release(&a);
    cluster_send_events(&c, 200);
    child_run(&a, &c, "kscore.instance=a");
    child_wait_line(&a, " partitions=2", 1);
    cluster_wait_outcomes(&c, 200);
    ck_assert_int_eq(child_count(&b, "event=assigned"), assigned);
    ck_assert_int_eq(child_count(&b, "event=revoked"), revoked);
    child_finish_pair(&c, &a, &b);
}
END_TEST

START_TEST(of_two_with_one_instance_the_older_ends_with_75)
{
    struct cluster c;
    struct child older, newer;
    int64_t start_ms;

    cluster_open(&c, 1);
    child_run(&older, &c, "kscore.instance=same");
    child_wait_line(&older, "event=ready", 1);
    child_run(&newer, &c, "kscore.instance=same");
    start_ms = clock_ms();
    child_expect_exit(&older, 75);
    ck_assert_int_lt(clock_ms() - start_ms, (int64_t)(4000 * harness_slowness()));
    child_wait_line(&older, "instance = same", 1);
    child_wait_line(&newer, "event=ready", 1);
    cluster_send_events(&c, 50);
    cluster_wait_outcomes(&c, 50);
    child_stop(&newer);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    child_release(&older);
    child_release(&newer);
    cluster_close(&c);
}
END_TEST

START_TEST(a_process_that_slept_past_its_session_repeats_but_loses_nothing)
{
    static const int64_t floor[PARTITIONS];
    struct cluster c;
    struct child k, other;

    cluster_open(&c, PARTITIONS);
    child_run(&k, &c, "consumer.session.timeout.ms=1500");
    stream_until_busy(&c, 500);
    child_signal(&k, SIGSTOP);
    child_run(&other, &c, "consumer.session.timeout.ms=1500");
    child_wait_line(&other, "owned=4", 1);
    cluster_send_events(&c, 400);
    child_signal(&k, SIGCONT);
    child_wait_line(&k, " partitions=2", 1);
    cluster_send_events(&c, 400);
    cluster_wait_outcomes(&c, c.event_count);
    child_stop(&k);
    child_stop(&other);
    expect_outcomes(&c, &(struct account){.floor = floor});
    cluster_expect_no_lag(&c);
    child_release(&k);
    child_release(&other);
    cluster_close(&c);
}
END_TEST

START_TEST(cooperative_needs_a_newer_librdkafka)
{
    harness_skip("cooperative rebalances: librdkafka below 2.10");
}
END_TEST

SUITE(handover)
{
    CASE("stream", thousands_of_events_get_one_outcome_each_and_no_lag);
    CASE("stop", a_stop_in_the_stream_and_a_restart_repeat_nothing,
         events_that_come_while_it_stops_are_left_to_the_next_start);
    if (!cluster_is_exactly_once()) /* what is repeated; exactly_once_test.c has its crash */
        CASE("crash", a_crash_loses_nothing_and_repeats_only_what_was_not_committed,
             after_a_crash_before_the_first_commit_everything_is_scored_again_with_equal_ids);
    CASE("rebalance", a_member_that_leaves_hands_over_without_loss_or_repetition,
         a_member_that_joins_in_the_stream_takes_over_without_loss_or_repetition,
         a_static_member_that_comes_back_in_time_disturbs_nobody,
         of_two_with_one_instance_the_older_ends_with_75,
         a_process_that_slept_past_its_session_repeats_but_loses_nothing);
    if (rd_kafka_version() < KAFKA_COOPERATIVE_VERSION) {
        CASE("cooperative", cooperative_needs_a_newer_librdkafka);
        return;
    }
    tcase_add_checked_fixture(
        CASE("cooperative", a_member_that_leaves_hands_over_without_loss_or_repetition,
             a_member_that_joins_in_the_stream_takes_over_without_loss_or_repetition,
             a_static_member_that_comes_back_in_time_disturbs_nobody,
             of_two_with_one_instance_the_older_ends_with_75,
             a_process_that_slept_past_its_session_repeats_but_loses_nothing),
        cluster_be_cooperative, NULL);
}
