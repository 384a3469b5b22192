/* delivery = exactly_once: what a read_committed reader sees, on a real broker. */
#include <signal.h>
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

START_TEST(every_event_has_one_outcome_and_its_offset_is_committed_with_it)
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
    child_run(&k, &c, EXACTLY, "kscore.instance=a");
    cluster_wait_no_lag(&c);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "consumed"), 8003);
    ck_assert_int_eq(child_number(last, "scored"), 8000);
    ck_assert_int_eq(child_number(last, "dead"), 2);
    ck_assert_int_eq(child_number(last, "skipped"), 1);
    ck_assert_int_eq(child_number(last, "rewinds"), 0);
    expect_exactly_once(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_crash_in_a_transaction_repeats_nothing_that_readers_see)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    for (int kills = 0; kills < 5; kills++) {
        int64_t before = cluster_outcome_count(&c);
        cluster_send_events(&c, 3000);
        child_run(&k, &c, EXACTLY, "kscore.instance=a", "kscore.batch_rows=50");
        cluster_wait_outcomes(&c, before + 500 * (kills + 1));
        child_signal(&k, SIGKILL);
        child_expect_exit(&k, 128 + SIGKILL);
        child_release(&k);
    }
    child_run(&k, &c, EXACTLY, "kscore.instance=a");
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

SUITE(exactly_once)
{
    CASE("stream", every_event_has_one_outcome_and_its_offset_is_committed_with_it,
         a_crash_in_a_transaction_repeats_nothing_that_readers_see,
         members_that_join_and_leave_in_the_stream_repeat_nothing,
         of_two_with_one_instance_the_older_ends_with_75);
}
