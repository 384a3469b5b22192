/* [kscore] workers: several consumers, scorers and producers in one process. */
#include <stdio.h>
#include <string.h>

#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { PARTITIONS = 4 };

START_TEST(workers_share_the_partitions_and_give_one_account)
{
    struct cluster c;
    struct child k;
    const char *last;
    char line[200];

    cluster_open(&c, PARTITIONS);
    cluster_send_events(&c, 4000);
    cluster_send(&c, 3, "bad", "{\"x\":\"one\"}", 11);
    cluster_flush(c.producer);
    child_run(&k, &c, "kscore.workers=2", "kscore.instance=a");
    cluster_wait_outcomes(&c, 4001);
    cluster_send_events(&c, 4000);
    cluster_wait_outcomes(&c, 8001);
    ck_assert_int_eq(child_count(&k, "event=model_loaded"), 1);
    for (int i = 0; i < 2; i++) { /* the first may have them all for a moment */
        snprintf(line, sizeof line, "event=assigned worker=%d group=%s partitions=%d ", i, c.group,
                 PARTITIONS / 2);
        child_wait_line(&k, line, 1);
    }
    last = child_stop(&k);
    ck_assert_ptr_null(strstr(last, "worker="));
    ck_assert_int_eq(child_number(last, "consumed"), 8001);
    ck_assert_int_eq(child_number(last, "scored"), 8000);
    ck_assert_int_eq(child_number(last, "dead"), 1);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_crash_of_several_workers_loses_nothing)
{
    int64_t floor[PARTITIONS], repeated;
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_send_events(&c, 20000);
    child_run(&k, &c, "kscore.workers=3", "kscore.instance=a");
    cluster_wait_outcomes(&c, 4000);
    child_kill(&k);
    repeated = cluster_floor(&c, floor);
    child_run(&k, &c, "kscore.workers=3", "kscore.instance=a");
    child_wait_line(&k, "event=ready", 1);
    cluster_wait_outcomes(&c, c.event_count + repeated);
    child_stop(&k);
    ck_assert_int_eq((int64_t)expect_outcomes(&c, &(struct account){.floor = floor}), repeated);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_worker_that_fails_ends_all_with_its_code_and_the_others_commit)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    cluster_send_events(&c, 100);
    child_run(&k, &c, "kscore.workers=2", "kscore.instance=a", "consumer.on_gap=stop");
    cluster_wait_outcomes(&c, 100);
    child_stop(&k);
    child_release(&k);
    cluster_send_events(&c, 1000);
    cluster_delete_records(&c, 1, 51);
    child_run(&k, &c, "kscore.workers=2", "kscore.instance=a", "consumer.on_gap=stop");
    child_expect_exit(&k, 65);
    child_wait_line(&k, "event=stopping worker=", 1);
    ck_assert_int_eq(child_count(&k, "on_gap = stop"), 2); /* by the worker, and at the end */
    ck_assert_int_eq(cluster_committed(&c, 1), 50);
    /* What the other one took was finished: nothing has an outcome that is not committed. A reader
     * of committed ones sees them a moment after the offsets. */
    cluster_wait_outcomes(&c, cluster_committed(&c, 0) + 50);
    ck_assert_int_eq(cluster_outcome_count(&c), cluster_committed(&c, 0) + 50);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* They join a new group in the same moment: whoever looks for its start offsets finds that others
 * have committed theirs already. */
START_TEST(the_first_start_of_several_workers_is_at_the_latest_for_all)
{
    static const int64_t from[PARTITIONS] = {100, 100, 100, 100};
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_send_events(&c, 400);
    child_run(&k, &c, "kscore.workers=4", "consumer.start=latest");
    for (int i = 1; i <= PARTITIONS; i++)
        child_wait_line(&k, "partitions=1", i);
    cluster_send_events(&c, 400);
    cluster_wait_outcomes(&c, 400);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, &(struct account){.from = from}), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(workers)
{
    if (!cluster_is_exactly_once()) /* what is repeated; exactly_once_test.c has its crash */
        CASE("crash", a_crash_of_several_workers_loses_nothing);
    CASE("workers", workers_share_the_partitions_and_give_one_account,
         a_worker_that_fails_ends_all_with_its_code_and_the_others_commit,
         the_first_start_of_several_workers_is_at_the_latest_for_all);
}
