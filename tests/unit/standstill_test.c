#include "pipeline/standstill.h"
#include "tests/harness.h"

static const char topic[] = "in";
static struct standstill still;

static void teardown(void)
{
    standstill_release(&still);
}

/* Partition 0 of a topic at a time: how long it has stood. */
static int64_t at(int64_t now_ms, int64_t done, int64_t lag)
{
    struct part_metrics part = {.topic = topic, .is_owned = true, .done = done};

    standstill_take(&still, &part, lag, now_ms);
    return standstill_ms(&still, &part, now_ms);
}

START_TEST(an_idle_partition_that_gets_a_record_does_not_stand_still)
{
    at(0, 5, 0);
    at(3600000, 5, 0);
    ck_assert_int_eq(at(3601000, 5, 1), 1000);
    ck_assert_int_eq(at(3602000, 6, 0), 0);
}
END_TEST

START_TEST(one_with_lag_stands_since_it_was_seen_to_move_last)
{
    at(0, 5, 10);
    at(1000, 6, 9);
    ck_assert_int_eq(at(2000, 6, 9), 1000);
    ck_assert_int_eq(at(40000, 6, 100), 39000);
    ck_assert_int_eq(at(41000, 7, 99), 0);
}
END_TEST

START_TEST(what_is_not_known_or_not_ours_does_not_stand)
{
    struct part_metrics left = {.topic = topic, .done = 5};

    at(0, 5, 10);
    ck_assert_int_eq(at(40000, 5, -1), 0);
    ck_assert_int_eq(at(80000, 5, 10), 40000); /* the end is known again */
    standstill_take(&still, &left, 10, 90000);
    ck_assert_int_eq(standstill_ms(&still, &left, 90000), 0);
    ck_assert_int_eq(at(91000, 5, 10), 1000); /* it came back */
}
END_TEST

SUITE(standstill)
{
    TCase *all = CASE("time", an_idle_partition_that_gets_a_record_does_not_stand_still,
                      one_with_lag_stands_since_it_was_seen_to_move_last,
                      what_is_not_known_or_not_ours_does_not_stand);

    tcase_add_checked_fixture(all, NULL, teardown);
}
