/* Which record the brokers refused: what is remembered, for how long, and how much at most. */
#include "pipeline/refusals.h"
#include "tests/harness.h"

static struct refusals refusals;
static struct ledger ledger;

static void setup(void)
{
    refusals_reset(&refusals);
    ledger_init(&ledger);
    for (int32_t i = 0; i < 2; i++)
        ledger_assign(&ledger, ledger_add(&ledger, "in", i), 0);
}

static void teardown(void)
{
    ledger_release(&ledger);
}

static struct span span(uint32_t part, int64_t first, int64_t end, uint32_t dead)
{
    return (struct span){.part = part,
                         .epoch = ledger.parts[part].epoch,
                         .first = first,
                         .end = end,
                         .count = (uint32_t)(end - first),
                         .dead = dead};
}

START_TEST(a_score_and_its_dead_letter_are_refused_apart)
{
    struct span score = span(1, 5, 6, 0), letter = span(1, 5, 6, 1);
    const struct refused *r = refusals_add(&refusals, &score, FAULT_PRODUCE_REFUSED);

    ck_assert_int_eq(r->fault, FAULT_PRODUCE_REFUSED);
    ck_assert_uint_eq(r->dead_refusals, 0);
    refusals_add(&refusals, &letter, FAULT_PRODUCE_TOO_LARGE);
    ck_assert_ptr_eq(refusals_find(&refusals, 1, 5), r);
    ck_assert_int_eq(r->fault, FAULT_PRODUCE_REFUSED);
    ck_assert_uint_eq(r->dead_refusals, 1);
    ck_assert_ptr_null(refusals_find(&refusals, 0, 5));
    ck_assert_ptr_null(refusals_find(&refusals, 1, 6));
}
END_TEST

START_TEST(a_full_table_forgets_the_oldest)
{
    for (int64_t i = 0; i <= REFUSED_MAX; i++) {
        struct span one = span(0, i, i + 1, 0);
        refusals_add(&refusals, &one, FAULT_PRODUCE_REFUSED);
    }
    ck_assert_uint_eq(refusals.refused_count, REFUSED_MAX);
    ck_assert_ptr_null(refusals_find(&refusals, 0, 0));
    ck_assert_ptr_nonnull(refusals_find(&refusals, 0, 1));
    ck_assert_ptr_nonnull(refusals_find(&refusals, 0, REFUSED_MAX));
}
END_TEST

START_TEST(suspect_spans_of_a_partition_become_one)
{
    struct span spans[] = {span(0, 10, 20, 0), span(1, 3, 4, 0), span(0, 30, 40, 0),
                           span(0, 5, 7, 0)};

    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        refusals_suspect(&refusals, &spans[i]);
    ck_assert_uint_eq(refusals.suspect_count, 2);
    ck_assert_int_eq(refusals.suspects[0].first, 5);
    ck_assert_int_eq(refusals.suspects[0].end, 40);
}
END_TEST

START_TEST(what_is_done_or_given_up_is_forgotten)
{
    struct span one = span(0, 5, 6, 0), other = span(1, 5, 6, 0);

    refusals_suspect(&refusals, &one);
    refusals_suspect(&refusals, &other);
    refusals_add(&refusals, &one, FAULT_PRODUCE_REFUSED);
    refusals_add(&refusals, &other, FAULT_PRODUCE_REFUSED);
    ledger.parts[0].done = 5;
    refusals_forget_past(&refusals, &ledger);
    ck_assert_uint_eq(refusals.suspect_count + refusals.refused_count, 4);
    ledger.parts[0].done = 6;
    refusals_forget_past(&refusals, &ledger);
    ck_assert_ptr_null(refusals_find(&refusals, 0, 5));
    ck_assert_uint_eq(refusals.suspect_count + refusals.refused_count, 2);
    ledger_assign(&ledger, 1, 0); /* the same coordinates may be other records now */
    refusals_forget_past(&refusals, &ledger);
    ck_assert_uint_eq(refusals.suspect_count + refusals.refused_count, 0);
}
END_TEST

SUITE(refusals)
{
    TCase *tcase = CASE("refused", a_score_and_its_dead_letter_are_refused_apart,
                        a_full_table_forgets_the_oldest, suspect_spans_of_a_partition_become_one,
                        what_is_done_or_given_up_is_forgotten);

    tcase_add_checked_fixture(tcase, setup, teardown);
}
