/* Where a partition stands: what is admitted, given back, and paused. */
#include <stdio.h>

#include "consumer/ledger.h"
#include "tests/harness.h"

static struct ledger ledger;

/* One owned partition, number 0, from offset 100. */
static void open_ledger(void)
{
    ledger_init(&ledger);
    ledger_assign(&ledger, ledger_add(&ledger, "in", 7), 100);
}

static void close_ledger(void)
{
    ledger_release(&ledger);
}

static struct part *part(void)
{
    return &ledger.parts[0];
}

START_TEST(partitions_keep_their_index_while_others_come)
{
    char topic[16];

    for (int i = 0; i < 100; i++) {
        snprintf(topic, sizeof topic, "t%d", i / 10);
        ck_assert_uint_eq(ledger_add(&ledger, topic, i % 10), (uint32_t)i + 1);
    }
    ck_assert_uint_eq(ledger_add(&ledger, "in", 7), 0);
    ck_assert_uint_eq(ledger_find(&ledger, "t4", 2), 43);
    ck_assert_uint_eq(ledger_find(&ledger, "t4", 10), LEDGER_NO_PART);
    ck_assert_uint_eq(ledger_find(&ledger, "t", 2), LEDGER_NO_PART);
}
END_TEST

START_TEST(records_are_admitted_at_and_past_the_position)
{
    ck_assert(!ledger_admit(&ledger, 0, 99));
    ck_assert(ledger_admit(&ledger, 0, 100));
    ck_assert(!ledger_admit(&ledger, 0, 100));
    ck_assert(ledger_admit(&ledger, 0, 105)); /* 101 to 104 hold no record */
    ck_assert(!ledger_admit(&ledger, 0, 103));
    ck_assert_int_eq(part()->position, 106);
    ck_assert_uint_eq(part()->counts.consumed, 2);
}
END_TEST

START_TEST(nothing_is_admitted_of_a_partition_that_is_not_ours)
{
    uint32_t other = ledger_add(&ledger, "in", 8);

    ck_assert(!ledger_admit(&ledger, other, 0));
    ledger_revoke(&ledger, 0);
    ck_assert(!ledger_admit(&ledger, 0, 100));
    ck_assert_uint_eq(ledger_total(&ledger).consumed, 0);
}
END_TEST

START_TEST(nothing_is_admitted_while_parked)
{
    part()->is_parked = true;
    ck_assert(!ledger_admit(&ledger, 0, 100));
    ck_assert_int_eq(part()->position, 100);
}
END_TEST

/* Without this a park that ends before the client was paused would go on behind what it returned.
 */
START_TEST(what_was_given_back_is_sought_before_anything_is_admitted)
{
    for (int64_t i = 100; i < 110; i++)
        ck_assert(ledger_admit(&ledger, 0, i));
    ledger_return(&ledger, 0, 104, 6);
    ck_assert_int_eq(part()->position, 104);
    ck_assert(!ledger_admit(&ledger, 0, 110)); /* what the client hands out next */
    ck_assert_int_eq(ledger_steer(&ledger, 0, false), TURN_PAUSE);
    ck_assert(!ledger_admit(&ledger, 0, 111));
    ck_assert_int_eq(ledger_steer(&ledger, 0, false), TURN_RESUME);
    ck_assert(ledger_admit(&ledger, 0, 104));
    ck_assert_uint_eq(part()->counts.consumed, 11);
    ck_assert_uint_eq(part()->counts.returned, 6);
}
END_TEST

START_TEST(what_was_let_go_of_is_sought_too)
{
    part()->end = 101;
    ledger_let_go(&ledger, 0);
    ck_assert_int_eq(part()->end, OFFSET_NONE);
    ck_assert(!ledger_admit(&ledger, 0, 101));
    ck_assert_int_eq(ledger_steer(&ledger, 0, false), TURN_PAUSE);
    ck_assert_int_eq(ledger_steer(&ledger, 0, false), TURN_RESUME);
    ck_assert(ledger_admit(&ledger, 0, 100));
}
END_TEST

START_TEST(a_record_that_was_refused_while_parked_is_sought)
{
    part()->is_parked = true;
    ck_assert(!ledger_admit(&ledger, 0, 100));
    part()->is_parked = false;
    ck_assert(!ledger_admit(&ledger, 0, 101));
}
END_TEST

START_TEST(records_given_back_in_any_order_leave_the_lowest_position)
{
    static const int64_t orders[][3] = {{103, 105, 101}, {101, 103, 105}, {105, 103, 101}};

    for (int64_t i = 100; i < 106; i++)
        ledger_admit(&ledger, 0, i);
    for (int i = 0; i < 3; i++)
        ledger_return(&ledger, 0, orders[_i][i], 1);
    ck_assert_int_eq(part()->position, 101);
    ck_assert_uint_eq(part()->counts.returned, 3);
}
END_TEST

START_TEST(pauses_are_told_once_and_follow_their_reasons)
{
    part()->end = 100;
    ck_assert_int_eq(ledger_steer(&ledger, 0, false), TURN_NONE);
    ck_assert_int_eq(part()->end, 100);
    ck_assert_int_eq(ledger_steer(&ledger, 0, true), TURN_PAUSE);
    ck_assert_int_eq(part()->end, 100); /* until the seek */
    ck_assert_int_eq(ledger_steer(&ledger, 0, true), TURN_NONE);
    part()->is_parked = true;
    ck_assert_int_eq(ledger_steer(&ledger, 0, false), TURN_NONE);
    part()->is_parked = false;
    ck_assert_int_eq(ledger_steer(&ledger, 0, false), TURN_RESUME);
    ledger_revoke(&ledger, 0);
    ck_assert_int_eq(ledger_steer(&ledger, 0, true), TURN_NONE);
}
END_TEST

START_TEST(an_assignment_starts_anew_but_for_its_counts)
{
    uint32_t epoch = part()->epoch;

    ledger_admit(&ledger, 0, 100);
    ledger_steer(&ledger, 0, true);
    ledger_return(&ledger, 0, 100, 1);
    part()->is_parked = true;
    part()->stored = 100;
    ledger_revoke(&ledger, 0);
    ledger_assign(&ledger, 0, 50);
    ck_assert_uint_gt(part()->epoch, epoch);
    ck_assert_int_eq(part()->position, 50);
    ck_assert_int_eq(part()->done, 50);
    ck_assert_int_eq(part()->stored, OFFSET_NONE);
    ck_assert(!part()->is_paused && !part()->is_parked && !part()->is_ahead);
    ck_assert(ledger_admit(&ledger, 0, 50));
    ck_assert_uint_eq(ledger_total(&ledger).consumed, 2);
}
END_TEST

static void note(int64_t offset, int64_t timestamp_ms)
{
    ck_assert(ledger_prove(&ledger, 0, (struct token){offset, timestamp_ms, 7}));
    ledger_admit(&ledger, 0, offset);
}

START_TEST(a_client_goes_on_at_the_last_record_that_is_known)
{
    ck_assert_int_eq(ledger_anchor(&ledger, 0), 100);
    note(100, 1);
    note(105, 2);
    ck_assert_int_eq(ledger_anchor(&ledger, 0), 105);
    ledger_return(&ledger, 0, 100, 2); /* all that is known comes again by itself */
    ck_assert_int_eq(ledger_anchor(&ledger, 0), 100);
}
END_TEST

START_TEST(a_record_in_the_place_of_another_shows_another_log)
{
    static const struct {
        struct token token;
        bool is_same;
    } cases[] = {{{105, 2, 7}, true},
                 {{105, 3, 7}, false},
                 {{105, 2, 8}, false},
                 {{104, 9, 9}, true},  /* before it: nothing is known of that */
                 {{106, 9, 9}, true}}; /* it is gone, which may be */

    note(105, 2);
    ck_assert_int_eq(ledger_anchor(&ledger, 0), 105);
    ck_assert(ledger_prove(&ledger, 0, cases[_i].token) == cases[_i].is_same);
}
END_TEST

START_TEST(what_is_let_go_of_does_not_count_as_known)
{
    note(105, 2);
    ledger_let_go(&ledger, 0);
    note(106, 3);
    ck_assert_int_eq(ledger_anchor(&ledger, 0), 105);
}
END_TEST

START_TEST(where_others_have_read_on_nothing_is_to_be_proven)
{
    note(105, 2);
    part()->done = 106;
    ledger_revoke(&ledger, 0);
    ledger_assign(&ledger, 0, 106);
    ck_assert_int_eq(ledger_anchor(&ledger, 0), 105);
    ledger_assign(&ledger, 0, 107);
    ck_assert_int_eq(ledger_anchor(&ledger, 0), 107);
}
END_TEST

SUITE(ledger)
{
    TCase *tcase;

    tcase = CASE("partitions", partitions_keep_their_index_while_others_come,
                 nothing_is_admitted_of_a_partition_that_is_not_ours,
                 an_assignment_starts_anew_but_for_its_counts);
    tcase_add_checked_fixture(tcase, open_ledger, close_ledger);
    tcase = CASE("admit", records_are_admitted_at_and_past_the_position,
                 nothing_is_admitted_while_parked);
    tcase_add_checked_fixture(tcase, open_ledger, close_ledger);
    tcase =
        CASE("return", what_was_given_back_is_sought_before_anything_is_admitted,
             what_was_let_go_of_is_sought_too, a_record_that_was_refused_while_parked_is_sought);
    tcase_add_checked_fixture(tcase, open_ledger, close_ledger);
    tcase_add_loop_test(tcase, records_given_back_in_any_order_leave_the_lowest_position, 0, 3);
    tcase = CASE("prove", a_client_goes_on_at_the_last_record_that_is_known,
                 what_is_let_go_of_does_not_count_as_known,
                 where_others_have_read_on_nothing_is_to_be_proven);
    tcase_add_checked_fixture(tcase, open_ledger, close_ledger);
    tcase_add_loop_test(tcase, a_record_in_the_place_of_another_shows_another_log, 0, 5);
    tcase = CASE("steer", pauses_are_told_once_and_follow_their_reasons);
    tcase_add_checked_fixture(tcase, open_ledger, close_ledger);
}
