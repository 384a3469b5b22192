/* Which scores are alerts: decisions by name, and how old they may be. */
#include <stdio.h>
#include <string.h>

#include "pipeline/alerts.h"
#include "tests/fixture.h"
#include "tests/harness.h"

static struct threshold thresholds[] = {
    {0.1, (char *)"review"}, {0.3, (char *)"pass"}, {0.9, (char *)"block"}};
static const struct bundle bundle = {.name = (char *)"fraud",
                                     .thresholds = thresholds,
                                     .threshold_count = 3,
                                     .below = (char *)"pass"};
static const struct bundle bare = {.name = (char *)"bare"};

static int init(struct alerts *alerts, const struct bundle *b, const char *lines, struct err *err)
{
    struct config config;
    char text[1000];
    int result;

    snprintf(text, sizeof text, FIXTURE_CONFIG "%s", lines);
    fixture_config(&config, text);
    result = alerts_init(alerts, &config, b, err);
    config_release(&config);
    return result;
}

/* [alerts] decisions, and which of 0, 0.1, 0.3 and 0.9 are alerts */
static const struct {
    const char *decisions;
    bool is_alert[4];
} wanted[] = {
    {"block", {false, false, false, true}},
    {"pass", {true, false, true, false}},
    {"review, block , review", {false, true, false, true}},
};

START_TEST(a_decision_is_wanted_wherever_the_bundle_gives_it)
{
    static const double scores[] = {0, 0.1, 0.3, 0.9};

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct err err = ERR_INIT;
        struct alerts alerts;
        char lines[200];
        snprintf(lines, sizeof lines, "[alerts]\ntopic = e\ndecisions = %s\n", wanted[i].decisions);
        ck_assert_msg(init(&alerts, &bundle, lines, &err) == 0, "%s", err.text);
        for (size_t k = 0; k < 4; k++)
            ck_assert_msg(alerts.is_wanted[bundle_decide(&bundle, scores[k])] ==
                              wanted[i].is_alert[k],
                          "%s at %g", wanted[i].decisions, scores[k]);
    }
}
END_TEST

START_TEST(without_the_section_nothing_is_wanted)
{
    static const bool none[BUNDLE_MAX_THRESHOLDS + 1];
    struct err err = ERR_INIT;
    struct alerts alerts;

    ck_assert_int_eq(init(&alerts, &bundle, "", &err), 0);
    ck_assert_mem_eq(alerts.is_wanted, none, sizeof none);
    ck_assert_int_eq(init(&alerts, &bare, "", &err), 0);
}
END_TEST

static const struct {
    const struct bundle *bundle;
    const char *want;
} unknown[] = {
    {&bundle, "[alerts] decisions: blok is no decision of model fraud, which has pass, review, "
              "block; did you mean block?"},
    {&bare, "[alerts] decisions: blok is no decision of model bare, which has none"},
};

START_TEST(a_decision_that_the_bundle_does_not_name_is_refused_with_those_it_does)
{
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct alerts alerts;
        ck_assert_int_eq(
            init(&alerts, unknown[i].bundle, "[alerts]\ntopic = e\ndecisions = blok\n", &err), -1);
        ck_assert_int_eq(err.exit_code, EXIT_CONFIGURATION);
        ck_assert_str_eq(err.text, unknown[i].want);
    }
}
END_TEST

START_TEST(what_is_older_than_its_limit_is_stale_and_what_has_no_time_is_not)
{
    const struct alerts limited = {.max_age_ms = 1000}, any = {.max_age_ms = 0};

    ck_assert(!alerts_is_stale(&limited, 5000, 6000));
    ck_assert(alerts_is_stale(&limited, 5000, 6001));
    ck_assert(!alerts_is_stale(&limited, 7000, 6000)); /* of a clock that is ahead */
    ck_assert(!alerts_is_stale(&limited, -1, 6000));
    ck_assert(!alerts_is_stale(&any, 0, INT64_MAX));
}
END_TEST

SUITE(alerts)
{
    CASE("decisions", a_decision_is_wanted_wherever_the_bundle_gives_it,
         without_the_section_nothing_is_wanted,
         a_decision_that_the_bundle_does_not_name_is_refused_with_those_it_does);
    CASE("age", what_is_older_than_its_limit_is_stale_and_what_has_no_time_is_not);
}
