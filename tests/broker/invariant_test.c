/* P1's sum does not hold: kscore stops with 70 and the partition's account. `unsound`
 * (tests/preload/unsound.c) is a kscore that counts wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/harness.h"

START_TEST(a_sum_that_does_not_hold_stops_all_workers_with_70_and_the_account)
{
    static const char *const modes[][4] = {
        {"kscore.workers=2", "kscore.delivery=at_least_once", NULL},
        {"kscore.workers=2", "kscore.delivery=exactly_once", "kscore.instance=a", NULL}};
    struct cluster c;
    struct child k;
    const char *last;
    char want[200];

    setenv("KSCORE_BINARY", "unsound", 1);
    cluster_open(&c, 2);
    child_start(&k, &c, modes[_i]);
    child_wait_line(&k, "partitions=1 ", 2); /* each worker has its one, and keeps it */
    cluster_send_events(&c, 80);             /* 40 each */
    cluster_wait_no_lag(&c);
    for (int i = 0; i < 20; i++)
        cluster_send(&c, 1, "k", "{\"x\":1}", 7);
    cluster_flush(c.producer);
    child_expect_exit(&k, 70);
    snprintf(want, sizeof want,
             "event=failed exit=70 P1 is broken on %s [1]: consumed 60 is not scored ", c.in);
    child_wait_line(&k, want, 1);
    child_wait_line(&k, "all workers, for this one failed: P1 is broken", 1);
    last = child_wait_line(&k, "event=stopped exit=70 ", 1);
    ck_assert_int_eq(child_number(last, "consumed"), 100);
    ck_assert_int_gt(child_number(last, "scored"), 100);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(invariant)
{
    TCase *tcase = harness_case(suite, "sum", NULL, 0);

    tcase_add_loop_test(tcase, a_sum_that_does_not_hold_stops_all_workers_with_70_and_the_account,
                        0, 2);
}
