#include "consumer/downstream.h"
#include "tests/harness.h"

static struct downstream group;

static void setup(void)
{
    group = (struct downstream){.group = "reader", .lag = -1};
}

static void teardown(void)
{
    downstream_release(&group);
}

/* An answer at second s: a partition, committed so far, that long. */
static void at(int64_t s, int64_t committed, int64_t end)
{
    downstream_take(&group, &committed, &end, 1, 1000000 + s * 1000);
}

START_TEST(lag_is_the_sum_of_what_is_known)
{
    const int64_t committed[] = {10, -1001, 5, 7}, ends[] = {15, 8, 4, -1};

    ck_assert_int_eq(group.lag, -1);
    downstream_take(&group, committed, ends, 4, 1000);
    ck_assert_int_eq(group.lag, 5);
    ck_assert_int_eq(group.parts[0].lag, 5);
    ck_assert_int_eq(group.parts[1].lag, -1); /* nothing is committed */
    ck_assert_int_eq(group.parts[2].lag, 0);  /* the end was asked for first */
    ck_assert_int_eq(group.parts[3].lag, -1);
}
END_TEST

START_TEST(a_group_that_commits_nothing_more_stands_since_something_was_there)
{
    for (int s = 0; s < 10; s += 2)
        at(s, s * 10, s * 10 + 5);
    ck_assert_int_eq(group.stands_ms, 0);
    for (int s = 10; s <= 16; s += 2)
        at(s, 80, s * 10);
    ck_assert_int_eq(group.stands_ms, 1008000);
    ck_assert_int_eq(group.moved_ms, 1008000);
    ck_assert_int_eq(group.lag, 80);
}
END_TEST

START_TEST(a_group_that_is_deleted_stands_as_one_that_stopped)
{
    for (int s = 0; s < 10; s += 2)
        at(s, s * 10, s * 10 + 5);
    for (int s = 10; s <= 16; s += 2)
        at(s, -1001, s * 10);
    ck_assert_int_eq(group.stands_ms, 1008000);
    ck_assert_int_eq(group.lag, 80);
}
END_TEST

START_TEST(a_group_with_nothing_to_read_does_not_stand)
{
    for (int s = 0; s < 300; s += 2)
        at(s, 80, 80);
    ck_assert_int_eq(group.stands_ms, 0);
    ck_assert_int_eq(group.moved_ms, 0);
    at(300, 80, 81);
    ck_assert_int_eq(group.stands_ms, 0);
    at(308, 80, 81);
    ck_assert_int_eq(group.stands_ms, 1300000);
}
END_TEST

START_TEST(partitions_that_are_no_more_stand_no_more)
{
    const int64_t committed[] = {10, 10}, ends[] = {10, 15};

    downstream_take(&group, committed, ends, 2, 1000);
    downstream_take(&group, committed, ends, 2, 9000);
    ck_assert_int_eq(group.stands_ms, 1000);
    downstream_take(&group, committed, ends, 1, 11000);
    ck_assert_uint_eq(group.part_count, 1);
    ck_assert_int_eq(group.stands_ms, 0);
    ck_assert_int_eq(group.lag, 0);
    downstream_take(&group, committed, ends, 2, 13000);
    ck_assert_int_eq(group.parts[1].behind_ms, 13000);
}
END_TEST

/* Commits every `period` seconds, looked at every 2: how often it was said to stand. */
static int count_stands(int period, int seconds)
{
    int count = 0;

    for (int s = 0; s < seconds; s += 2) {
        at(s, s / period * period, s + 1);
        count += group.stands_ms != 0;
    }
    return count;
}

START_TEST(what_is_usual_is_learnt)
{
    static const int periods[] = {1, 5, 10, 30, 60};
    int period = periods[_i];

    count_stands(period, 3 * period);
    ck_assert_int_eq(count_stands(period, 10 * period), 0);
}
END_TEST

START_TEST(the_lowest_lag_of_a_quarter_of_an_hour_is_kept)
{
    at(0, 0, 50);
    at(2, 40, 60);
    at(4, 40, 90);
    ck_assert_int_eq(group.low, 20);
    ck_assert_int_eq(group.low_ms, 1002000);
    at(902, 40, 91);
    ck_assert_int_eq(group.low, 51);
    ck_assert_int_eq(group.low_ms, 1902000);
}
END_TEST

START_TEST(an_outage_teaches_nothing)
{
    at(0, 0, 0);
    at(2, 0, 5);
    at(600, 5, 10);
    ck_assert_int_eq(group.stands_ms, 0);
    at(606, 5, 10);
    ck_assert_int_ne(group.stands_ms, 0);
}
END_TEST

START_TEST(one_partition_of_many_stands)
{
    for (int64_t s = 0; s < 20; s += 2) {
        const int64_t committed[] = {s, 3}, ends[] = {s, 3 + s};
        downstream_take(&group, committed, ends, 2, 1000000 + s * 1000);
    }
    ck_assert_int_eq(group.stands_ms, 1002000);
    ck_assert_int_eq(group.moved_ms, 1018000);
}
END_TEST

SUITE(downstream)
{
    TCase *all = CASE("lag", lag_is_the_sum_of_what_is_known,
                      a_group_that_commits_nothing_more_stands_since_something_was_there,
                      a_group_that_is_deleted_stands_as_one_that_stopped,
                      a_group_with_nothing_to_read_does_not_stand,
                      the_lowest_lag_of_a_quarter_of_an_hour_is_kept, an_outage_teaches_nothing,
                      one_partition_of_many_stands, partitions_that_are_no_more_stand_no_more);

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_loop_test(all, what_is_usual_is_learnt, 0, 5);
}
