#include <string.h>

#include "core/outcome.h"
#include "tests/harness.h"

/* The closed list as the product describes it, written out again by hand: the table in the code
 * must not drift from what users and tools rely on. */
static const struct {
    const char *stage, *reason, *blame;
} list[] = {
    {"fetch", "too_large", "record"},          {"frame", "too_short", "record"},
    {"frame", "bad_magic", "record"},          {"frame", "unsupported_framing", "record"},
    {"schema", "unknown_schema_id", "schema"}, {"schema", "unusable_schema", "schema"},
    {"decode", "truncated", "record"},         {"decode", "trailing_bytes", "record"},
    {"decode", "bad_varint", "record"},        {"decode", "bad_union", "record"},
    {"decode", "bad_enum", "record"},          {"decode", "bad_boolean", "record"},
    {"decode", "bad_length", "record"},        {"decode", "bad_utf8", "record"},
    {"decode", "bad_json", "record"},          {"decode", "too_deep", "record"},
    {"bind", "wrong_type", "record"},          {"bind", "missing_field", "record"},
    {"bind", "unknown_category", "record"},    {"bind", "not_finite", "record"},
    {"score", "score_not_finite", "model"},    {"encode", "too_large", "self"},
    {"produce", "too_large", "config"},        {"produce", "refused", "dependency"},
};

enum { LISTED = sizeof list / sizeof list[0] };

START_TEST(every_reason_of_the_closed_list_has_its_row)
{
    size_t hits = 0;

    for (int fault = 1; fault < FAULT_COUNT; fault++)
        hits += strcmp(fault_stage((enum fault)fault), list[_i].stage) == 0 &&
                strcmp(fault_reason((enum fault)fault), list[_i].reason) == 0 &&
                strcmp(fault_blame((enum fault)fault), list[_i].blame) == 0;
    ck_assert_msg(hits == 1, "%s/%s blamed on %s: %zu rows", list[_i].stage, list[_i].reason,
                  list[_i].blame, hits);
}
END_TEST

START_TEST(no_row_is_outside_of_the_closed_list)
{
    ck_assert_int_eq(FAULT_COUNT - 1, LISTED);
}
END_TEST

START_TEST(every_fault_has_all_its_texts)
{
    for (int fault = 1; fault < FAULT_COUNT; fault++) {
        const char *help = fault_help((enum fault)fault);
        ck_assert_str_ne(fault_stage((enum fault)fault), "");
        ck_assert_str_ne(fault_reason((enum fault)fault), "");
        ck_assert_str_ne(fault_blame((enum fault)fault), "");
        ck_assert_uint_gt(strlen(help), 10);
        ck_assert_msg(help[strlen(help) - 1] != '.' && !strchr(help, '|'), "%s", help);
    }
}
END_TEST

START_TEST(no_fault_has_empty_texts)
{
    ck_assert_str_eq(fault_stage(FAULT_NONE), "");
    ck_assert_str_eq(fault_reason(FAULT_NONE), "");
    ck_assert_str_eq(fault_blame(FAULT_NONE), "");
    ck_assert_str_eq(fault_help(FAULT_NONE), "");
}
END_TEST

START_TEST(outcomes_carry_what_they_were_made_of)
{
    struct outcome dead = outcome_dead_feature(FAULT_BIND_WRONG_TYPE, 300, 70000);

    ck_assert_int_eq(outcome_scored().kind, OUTCOME_SCORED);
    ck_assert_int_eq(outcome_scored().fault, FAULT_NONE);
    ck_assert_int_eq(dead.kind, OUTCOME_DEAD);
    ck_assert_int_eq(dead.fault, FAULT_BIND_WRONG_TYPE);
    ck_assert_int_eq(dead.feature, 300);
    ck_assert_uint_eq(dead.at, 70000);
    ck_assert_int_eq(outcome_dead(FAULT_DECODE_TRUNCATED, 1).feature, OUTCOME_NO_FEATURE);
    ck_assert_uint_eq(sizeof(struct outcome), 8);
}
END_TEST

SUITE(outcome)
{
    TCase *loop;

    CASE("table", no_row_is_outside_of_the_closed_list, every_fault_has_all_its_texts,
         no_fault_has_empty_texts);
    CASE("values", outcomes_carry_what_they_were_made_of);
    loop = harness_case(suite, "list", NULL, 0);
    tcase_add_loop_test(loop, every_reason_of_the_closed_list_has_its_row, 0, LISTED);
}
