/* When the breaker opens, what a try holds and decides, and what it says was the cause. */
#include <string.h>

#include "core/schema_id.h"
#include "pipeline/breaker.h"
#include "tests/harness.h"

static const struct config config = {
    .breaker_window_s = 60, .breaker_minimum = 100, .breaker_share = 0.2, .batch_wait_ms = 5};

static struct breaker breaker;

static void setup(void)
{
    breaker_init(&breaker, &config, 0);
}

static struct breaker_place place(int64_t offset)
{
    return (struct breaker_place){"in", 3, offset};
}

/* So many records of which so many are dead, of one reason and schema, from an offset on. */
static void feed_from(int64_t offset, uint64_t judged, uint64_t dead, int64_t now_ms)
{
    breaker_count(&breaker, judged, now_ms);
    for (uint64_t i = 0; i < dead; i++) {
        struct breaker_place at = place(offset + (int64_t)i);
        breaker_bury(&breaker, FAULT_BIND_WRONG_TYPE, 8, &at, now_ms);
    }
}

static bool feed(uint64_t judged, uint64_t dead, int64_t now_ms)
{
    feed_from(0, judged, dead, now_ms);
    return breaker_passes(&breaker, now_ms);
}

/* Up to four batches, each: when, judged, dead, and whether it passes. The window is 60 s. */
struct course {
    const char *what;
    struct {
        int64_t at_ms;
        uint64_t judged, dead;
        bool passes;
    } batches[4];
};

static const struct course courses[] = {
    {"all dead, but too few", {{0, 99, 99, true}}},
    {"all dead", {{0, 100, 100, false}}},
    {"at the limit", {{0, 100, 20, true}}},
    {"over the limit", {{0, 100, 21, false}}},
    {"one more makes the sample", {{0, 99, 99, true}, {0, 1, 0, false}}},
    {"skipped records are no sample", {{0, 0, 0, true}, {1, 50, 50, true}}},
    {"a sound past counts", {{0, 1000, 0, true}, {9, 200, 200, true}, {9, 100, 100, false}}},
    {"until it is old", {{0, 1000, 0, true}, {60000, 100, 100, false}}},
    {"a dead past counts", {{0, 100, 20, true}, {30000, 100, 21, false}}},
    {"until that is old", {{0, 100, 20, true}, {60000, 100, 20, true}, {60001, 100, 20, true}}},
    {"the window moves by twelfths",
     {{0, 900, 0, true}, {54999, 100, 100, true}, {59999, 100, 100, true}, {60000, 1, 0, false}}},
    {"a long silence", {{0, 100, 20, true}, {10000000, 99, 99, true}, {20000000, 99, 99, true}}},
};

START_TEST(the_share_of_the_window_decides)
{
    const struct course *c = &courses[_i];

    for (int i = 0; i < 4 && (i == 0 || c->batches[i].judged > 0); i++) {
        bool passes = feed(c->batches[i].judged, c->batches[i].dead, c->batches[i].at_ms);
        ck_assert_msg(passes == c->batches[i].passes, "%s: batch %d %s", c->what, i,
                      passes ? "passes" : "does not pass");
    }
}
END_TEST

START_TEST(a_share_of_one_turns_it_off)
{
    struct config off = config;

    off.breaker_share = 1;
    breaker_init(&breaker, &off, 0);
    ck_assert(breaker_is_off(&breaker));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
    ck_assert(feed(1000, 1000, 0));
    ck_assert(!breaker_holds(&breaker, 1, 1, false, 0));
}
END_TEST

START_TEST(a_share_of_zero_lets_no_sample_pass_that_has_a_dead_one)
{
    struct config strict = config;

    strict.breaker_share = 0;
    breaker_init(&breaker, &strict, 0);
    ck_assert(feed(100, 0, 0));
    ck_assert(!feed(100, 1, 0));
}
END_TEST

/* What dies only when it is sent was judged as scored: the next batch is given back for it. */
START_TEST(a_death_behind_the_judgement_counts)
{
    struct breaker_place at = place(0);

    ck_assert(feed(100, 0, 0));
    for (int i = 0; i < 21; i++)
        breaker_bury(&breaker, FAULT_ENCODE_TOO_LARGE, 8, &at, 0);
    ck_assert(!feed(0, 0, 0));
}
END_TEST

static void open_it(int64_t now_ms)
{
    ck_assert(!feed(100, 100, now_ms));
    ck_assert_int_eq(breaker.state, BREAKER_OPEN);
    ck_assert(breaker.is_tripped);
}

START_TEST(it_tries_again_after_the_window_or_on_order)
{
    open_it(1000);
    ck_assert(!breaker_look(&breaker, false, true, 60999));
    ck_assert(breaker_look(&breaker, _i == 1, true, _i == 1 ? 1001 : 61000));
    ck_assert_int_eq(breaker.state, BREAKER_HALF_OPEN);
    ck_assert(breaker.is_tripped);
    ck_assert_uint_eq(breaker.judged + breaker.dead, 0);
    ck_assert(!breaker_look(&breaker, true, false, 61001));
}
END_TEST

/* judged and dead of a try, and whether it closes */
static const struct {
    uint64_t judged, dead;
    bool closes;
} tries[] = {{100, 20, true}, {100, 21, false}, {100, 100, false}, {99, 99, true}, {1, 1, true}};

START_TEST(a_try_closes_it_or_opens_it_again)
{
    open_it(0);
    breaker_look(&breaker, true, true, 1);
    ck_assert(feed(tries[_i].judged, tries[_i].dead, 2) == tries[_i].closes);
    ck_assert_int_eq(breaker.state, tries[_i].closes ? BREAKER_CLOSED : BREAKER_OPEN);
    ck_assert(breaker.is_tripped != tries[_i].closes);
}
END_TEST

START_TEST(every_start_is_a_try)
{
    ck_assert_int_eq(breaker.state, BREAKER_HALF_OPEN);
    ck_assert(!breaker.is_tripped);
    ck_assert(!breaker_look(&breaker, true, true, 1000000));
    ck_assert(feed(99, 99, 1000000));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

/* Dead letters of a try that was too small are sent, and count as those of any batch. */
START_TEST(what_a_small_try_let_through_counts)
{
    ck_assert(feed(99, 99, 0));
    ck_assert(!feed(1, 1, 1));
}
END_TEST

START_TEST(a_try_without_any_record_closes_it_after_the_window)
{
    open_it(0);
    breaker_look(&breaker, true, true, 1000);
    ck_assert(breaker_holds(&breaker, 0, 0, false, 60999));
    ck_assert(!breaker_look(&breaker, false, true, 60999));
    ck_assert(!breaker_look(&breaker, false, false, 61000));
    ck_assert(breaker_look(&breaker, false, true, 61000));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

/* After the first record at 0 ms: how many are held, how many of them came when; of a start, or
 * behind an open breaker; whether there are more; and whether they are waited for at now_ms. */
static const struct {
    size_t held, grew_ms;
    int64_t now_ms;
    bool is_start, has_more, holds;
} holds[] = {
    {1, 0, 4, true, false, true},       {1, 0, 5, true, false, false},
    {2, 900, 904, true, false, true},   {2, 996, 1000, true, false, false},
    {1, 0, 499, false, false, true},    {1, 0, 500, false, false, false},
    {2, 900, 999, false, false, true},  {2, 900, 1000, false, false, false},
    {99, 0, 4, true, false, true},      {100, 0, 0, true, false, false},
    {100, 0, 0, false, false, false},   {200, 0, 0, false, false, false},
    {1, 0, 4999, true, true, true},     {1, 0, 5000, true, true, false},
    {2, 4000, 4999, false, true, true}, {2, 4000, 5000, false, true, false},
    {100, 0, 0, true, true, false},
};

START_TEST(a_try_waits_for_its_records_but_not_for_long)
{
    if (!holds[_i].is_start) {
        open_it(0);
        breaker_look(&breaker, true, true, 0);
    }
    breaker_holds(&breaker, 1, 1, false, 0);
    if (holds[_i].held > 1)
        breaker_holds(&breaker, holds[_i].held, holds[_i].held - 1, false,
                      (int64_t)holds[_i].grew_ms);
    ck_assert(breaker_holds(&breaker, holds[_i].held, 0, holds[_i].has_more, holds[_i].now_ms) ==
              holds[_i].holds);
}
END_TEST

/* What was held is given back: the next try's time begins with its own first record. */
START_TEST(a_try_that_was_taken_away_begins_anew)
{
    ck_assert(breaker_holds(&breaker, 5, 5, false, 0));
    ck_assert(breaker_holds(&breaker, 0, 0, false, 5000));
    ck_assert(breaker_holds(&breaker, 5, 5, false, 5000));
    ck_assert(breaker_holds(&breaker, 5, 0, false, 5004));
}
END_TEST

START_TEST(the_worst_cause_and_its_first_place_are_told)
{
    const struct breaker_cause *worst;
    struct breaker_place at = place(70), first;

    ck_assert_ptr_null(breaker_worst(&breaker, &first));
    feed_from(50, 1000, 3, 0); /* of long ago, by then */
    feed_from(500, 1000, 40, 59000);
    feed_from(600, 1000, 40, 61000);
    for (int i = 0; i < 60; i++)
        breaker_bury(&breaker, FAULT_BIND_WRONG_TYPE, 9, &at, 61000);
    worst = breaker_worst(&breaker, &first);
    ck_assert_int_eq(worst->fault, FAULT_BIND_WRONG_TYPE);
    ck_assert_int_eq(worst->schema_id, 8);
    ck_assert(!worst->has_several);
    ck_assert_uint_eq(worst->count, 80);
    ck_assert_int_eq(first.offset, 500);
    ck_assert_int_eq(first.partition, 3);
}
END_TEST

START_TEST(more_schemas_than_are_told_apart_are_told_together)
{
    struct breaker_place at = place(1), first;
    const struct breaker_cause *worst;

    for (int64_t id = 0; id < 1000; id++)
        breaker_bury(&breaker, FAULT_SCHEMA_UNKNOWN_ID, id, &at, 0);
    for (int i = 0; i < 900; i++)
        breaker_bury(&breaker, FAULT_DECODE_BAD_JSON, SCHEMA_ID_NONE, &at, 0);
    worst = breaker_worst(&breaker, &first);
    ck_assert_int_eq(worst->fault, FAULT_SCHEMA_UNKNOWN_ID);
    ck_assert(worst->has_several);
    ck_assert_uint_eq(worst->count, 1000 - BREAKER_PAIRS);
}
END_TEST

/* The counters are sums: whatever comes and goes, they are those of the buckets. */
START_TEST(what_leaves_the_window_leaves_all_sums)
{
    uint64_t causes = 0;

    for (int64_t i = 0; i < 1000; i++) {
        struct breaker_place at = place(i);
        breaker_count(&breaker, (uint64_t)(i % 5), i * 700);
        breaker_bury(&breaker, (enum fault)(1 + i % (FAULT_COUNT - 1)), i % 40, &at, i * 700);
    }
    for (int i = 0; i < BREAKER_PAIRS + FAULT_COUNT; i++)
        causes += breaker.causes[i].count;
    ck_assert_uint_eq(causes, breaker.dead);
    ck_assert_uint_ge(breaker.dead, 55 * 1000 / 700);
    ck_assert_uint_le(breaker.dead, 60 * 1000 / 700 + 1);
    breaker_count(&breaker, 0, 999 * 700 + 60000);
    ck_assert_uint_eq(breaker.judged + breaker.dead, 0);
}
END_TEST

#define LOOP(name, test, table)                                                                    \
    tcase = harness_case(suite, name, NULL, 0);                                                    \
    tcase_add_checked_fixture(tcase, setup, NULL);                                                 \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof(table)[0])

SUITE(breaker)
{
    static const int twice[2];
    TCase *tcase;

    LOOP("window", the_share_of_the_window_decides, courses);
    tcase_add_test(tcase, a_share_of_one_turns_it_off);
    tcase_add_test(tcase, a_share_of_zero_lets_no_sample_pass_that_has_a_dead_one);
    tcase_add_test(tcase, a_death_behind_the_judgement_counts);
    tcase_add_test(tcase, what_leaves_the_window_leaves_all_sums);
    LOOP("retry", it_tries_again_after_the_window_or_on_order, twice);
    LOOP("try", a_try_closes_it_or_opens_it_again, tries);
    tcase_add_test(tcase, every_start_is_a_try);
    tcase_add_test(tcase, what_a_small_try_let_through_counts);
    tcase_add_test(tcase, a_try_without_any_record_closes_it_after_the_window);
    LOOP("hold", a_try_waits_for_its_records_but_not_for_long, holds);
    tcase_add_test(tcase, a_try_that_was_taken_away_begins_anew);
    tcase = CASE("cause", the_worst_cause_and_its_first_place_are_told,
                 more_schemas_than_are_told_apart_are_told_together);
    tcase_add_checked_fixture(tcase, setup, NULL);
}
