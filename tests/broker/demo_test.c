/* kscore demo as a process; it brings its own broker. */
#include <signal.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/harness.h"

/* In the middle of the story, and while it stays. */
static const struct {
    const char *lines[4]; /* that are waited for */
    int number;           /* of the signal */
} ends[] = {
    {{"the page, live: http://", "payments-api 2.9"}, SIGTERM},
    {{"the page, live: http://", "on 1 of 3 instances", "on all instances", "Ctrl-C ends."},
     SIGINT},
};

START_TEST(a_demo_that_stays_ends_at_once_with_ctrl_c)
{
    static const char *const words[] = {"demo", "--stay", "--listen", "127.0.0.1:0", NULL};
    struct child k;
    int64_t told_ms;

    child_exec(&k, harness_folder(), words);
    for (size_t i = 0; i < 4 && ends[_i].lines[i]; i++)
        child_wait_line(&k, ends[_i].lines[i], 1);
    told_ms = clock_ms();
    child_signal(&k, ends[_i].number);
    child_expect_exit(&k, 0);
    ck_assert_int_lt(clock_ms() - told_ms, (int64_t)(5000 * harness_slowness()));
    ck_assert_int_eq(child_count(&k, "\nEnded: "), 1);
    ck_assert_int_eq(child_count(&k, " + 0 in flight\n"), 1);
    ck_assert_int_eq(child_count(&k, "Ctrl-C ends."), ends[_i].lines[3] != NULL);
    child_release(&k);
}
END_TEST

SUITE(demo)
{
    TCase *tcase = harness_case(suite, "stay", NULL, 0);

    tcase_add_loop_test(tcase, a_demo_that_stays_ends_at_once_with_ctrl_c, 0,
                        sizeof ends / sizeof ends[0]);
}
