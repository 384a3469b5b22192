/* The list of checks: what runs, what is skipped, and which code the whole has. */
#include <stdio.h>
#include <string.h>

#include "pipeline/checks.h"
#include "tests/harness.h"

/* Lines as "name/result" with blanks between. */
static void take(void *arg, const struct check_line *line)
{
    char *said = arg;

    sprintf(said + strlen(said), "%s%s/%s", *said ? " " : "", line->check,
            check_result_word(line->result));
}

static void prove(struct checker *c)
{
    check_say(c, CHECK_PROVEN, "so it is");
}

static void remark(struct checker *c)
{
    check_say(c, CHECK_REMARK, "well");
    check_say(c, CHECK_NOT_PROVEN, "who knows");
}

static void say_nothing(struct checker *c)
{
    (void)c;
}

static void deny(struct checker *c)
{
    struct err err = ERR_INIT;

    err_fatal(&err, EXIT_DENIED, "no");
    check_fail(c, &err);
    check_say(c, CHECK_PROVEN, "this much");
}

static void lack(struct checker *c)
{
    struct err err = ERR_INIT;

    err_dependency(&err, "nobody there");
    check_fail(c, &err);
}

static const struct {
    struct check table[4];
    const char *said;
    int code;
} lists[] = {
    {{{"a", 0, prove}, {"b", 1, prove}, {"c", 2, remark}, {"d", 7, prove}},
     "a/proven b/proven c/remark c/not proven d/proven",
     0},
    {{{"a", 0, deny}, {"b", 1, prove}, {"c", 2, prove}, {"d", 0, prove}},
     "a/failed a/proven b/skipped c/skipped d/proven",
     77},
    {{{"a", 0, prove}, {"b", 0, lack}, {"c", 0, deny}, {"d", 1, prove}},
     "a/proven b/failed c/failed c/proven d/proven",
     69},
    {{{"a", 0, say_nothing}, {"b", 1, deny}, {"c", 0, lack}, {"d", 6, prove}},
     "b/failed b/proven c/failed d/skipped",
     77},
};

START_TEST(what_rests_on_a_failure_is_skipped_and_the_first_failure_is_the_code)
{
    char said[400] = "";
    struct check_options options = {.arg = said, .say = take};
    struct check_summary summary = {0};
    struct checker c = {.options = &options, .summary = &summary};

    checks_run(&c, lists[_i].table, 4);
    ck_assert_str_eq(said, lists[_i].said);
    ck_assert_int_eq(summary.exit_code, lists[_i].code);
}
END_TEST

START_TEST(without_a_configuration_all_else_is_skipped)
{
    struct err err = ERR_INIT;
    char said[1000] = "";
    struct check_options options = {
        .path = "k.ini", .config_error = &err, .arg = said, .say = take};
    struct check_summary summary;

    err_fatal(&err, EXIT_CONFIGURATION, "k.ini:3: no");
    check_run(&options, &summary);
    ck_assert_msg(strncmp(said, "configuration/failed ", 21) == 0, "%s", said);
    ck_assert_uint_eq(summary.counts[CHECK_FAILED], 1);
    ck_assert_uint_gt(summary.counts[CHECK_SKIPPED], 5);
    ck_assert_uint_eq(summary.counts[CHECK_PROVEN], 0);
    ck_assert_int_eq(summary.exit_code, 78);
}
END_TEST

SUITE(checks)
{
    TCase *tcase = CASE("list", without_a_configuration_all_else_is_skipped);

    tcase_add_loop_test(tcase, what_rests_on_a_failure_is_skipped_and_the_first_failure_is_the_code,
                        0, sizeof lists / sizeof lists[0]);
}
