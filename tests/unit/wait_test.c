/* What a worker waits for: when a trouble begins, and when it is over. */
#include "pipeline/wait.h"
#include "tests/harness.h"

START_TEST(a_failure_is_over_when_things_move_and_nothing_fails_for_3_s)
{
    struct wait w = {0};
    int64_t lasted_ms;

    wait_move(&w, 500);
    ck_assert(!wait_is_on(&w));
    wait_fail(&w, 1000);
    ck_assert(wait_is_on(&w));
    ck_assert(!wait_is_over(&w, 60000, &lasted_ms));
    wait_move(&w, 60000);
    wait_fail(&w, 61000);
    wait_move(&w, 62000);
    wait_move(&w, 63000);
    ck_assert(!wait_is_on(&w));
    wait_hold(&w, 61500);
    ck_assert(!wait_is_over(&w, 64000, &lasted_ms));
    wait_hold(&w, 61000);
    ck_assert(!wait_is_over(&w, 63999, &lasted_ms));
    ck_assert(wait_is_over(&w, 64000, &lasted_ms));
    ck_assert_int_eq(lasted_ms, 61000);
    ck_assert(!wait_is_over(&w, 99000, &lasted_ms));
}
END_TEST

START_TEST(silence_is_a_trouble_after_5_s_and_counts_from_what_moved_last)
{
    struct wait w = {0};
    int64_t lasted_ms;

    ck_assert(!wait_is_stalled(&w, true, 1000));
    ck_assert(!wait_is_stalled(&w, false, 20000)); /* nothing is due */
    wait_move(&w, 21000);
    ck_assert(!wait_is_stalled(&w, true, 25999));
    ck_assert(wait_is_stalled(&w, true, 26000));
    ck_assert(wait_is_on(&w));
    ck_assert(wait_is_stalled(&w, true, 40000));
    wait_move(&w, 41000);
    ck_assert(!wait_is_stalled(&w, true, 43000));
    ck_assert(wait_is_over(&w, 43000, &lasted_ms));
    ck_assert_int_eq(lasted_ms, 20000);
}
END_TEST

SUITE(wait)
{
    CASE("failure", a_failure_is_over_when_things_move_and_nothing_fails_for_3_s);
    CASE("silence", silence_is_a_trouble_after_5_s_and_counts_from_what_moved_last);
}
