/* What comes otherwise than it did, in samples of 5 s; and what is as ever. */
#include "pipeline/arrivals.h"
#include "tests/harness.h"

enum { SAMPLE_MS = 5000, MINUTE = 12, HOUR = 720 };

static struct arrivals arrivals;
static struct arrival now;

static void setup(void)
{
    arrivals = (struct arrivals){0};
    now = (struct arrival){.at_ms = 1000, .owned = 4, .is_running = true};
}

/* So many samples, in each of which so many records had an outcome, and as many were skipped; each
 * so old. */
static void pass(int samples, unsigned outcomes, unsigned skipped, double age_s)
{
    for (int i = 0; i < samples; i++) {
        arrivals_take(&arrivals, &now);
        now.at_ms += SAMPLE_MS;
        now.outcomes += outcomes;
        now.skipped += skipped;
        now.age_sum += age_s * outcomes;
        now.age_count += outcomes;
    }
    arrivals_take(&arrivals, &now);
}

static void expect_silence(void)
{
    ck_assert_int_eq(arrivals_quiet_ms(&arrivals), 0);
    ck_assert_int_eq(arrivals_skipped_ms(&arrivals), 0);
    ck_assert(!arrivals_are_late(&arrivals));
}

START_TEST(what_comes_no_more_is_quiet_since_the_last_one_and_until_the_next)
{
    int64_t last_ms;

    pass(2 * MINUTE, 500, 0, 0.1);
    last_ms = now.at_ms;
    pass(3, 0, 0, 0);
    expect_silence();
    pass(1, 0, 0, 0);
    ck_assert_int_eq(arrivals_quiet_ms(&arrivals), last_ms);
    ck_assert_double_eq_tol(arrivals.per_s, 100, 0.1);
    pass(1, 1, 0, 0.1);
    expect_silence();
}
END_TEST

START_TEST(events_without_a_value_are_skipped_and_not_quiet)
{
    int64_t last_ms;

    pass(2 * MINUTE, 500, 5, 0.1);
    last_ms = now.at_ms;
    now.lag = 3;
    pass(5, 0, 500, 0);
    ck_assert_int_eq(arrivals_skipped_ms(&arrivals), last_ms);
    ck_assert_int_eq(arrivals_quiet_ms(&arrivals), 0);
    pass(1, 500, 0, 0.1);
    expect_silence();
}
END_TEST

START_TEST(a_pause_as_there_were_others_is_none)
{
    for (int i = 0; i < 20; i++) {
        pass(1, 1, 0, 0.1);
        pass(6, 0, 0, 0); /* half a minute */
    }
    expect_silence();
    pass(22, 0, 0, 0);
    ck_assert_int_ne(arrivals_quiet_ms(&arrivals), 0);
}
END_TEST

START_TEST(what_lasts_an_hour_is_usual)
{
    pass(2 * MINUTE, 500, 0, 0.1);
    pass(HOUR - 1, 0, 0, 0);
    ck_assert_int_ne(arrivals_quiet_ms(&arrivals), 0);
    pass(1, 0, 0, 0);
    expect_silence();
    pass(2 * MINUTE, 500, 0, 0.1);
    pass(HOUR, 500, 0, 3600);
    ck_assert(arrivals_are_late(&arrivals));
    pass(3, 500, 0, 3600);
    expect_silence();
}
END_TEST

/* Each ends with silence though nothing came for a minute. */
static const struct {
    int samples_before;
    size_t owned;
    bool is_running;
    int64_t lag;
} known[] = {
    {MINUTE / 2, 4, true, 0},                             /* too little is known */
    {2 * MINUTE, 3, true, 0},                             /* another member has a partition */
    {2 * MINUTE, 0, true, -1}, {2 * MINUTE, 4, false, 0}, /* kscore waits itself */
    {2 * MINUTE, 4, true, 7},  /* there is something, and it does not move */
    {2 * MINUTE, 4, true, -1}, /* nobody knows */
};

START_TEST(a_silence_that_is_not_the_events_is_not_said_of_them)
{
    pass(known[_i].samples_before, 500, 0, 0.1);
    now.owned = known[_i].owned;
    now.is_running = known[_i].is_running;
    now.lag = known[_i].lag;
    pass(MINUTE, 0, 0, 0);
    expect_silence();
    now.is_running = true;
    now.lag = 0;
    pass(2, 500, 0, 0.1);
    ck_assert_msg(arrivals.longest_ms <= SAMPLE_MS || known[_i].is_running,
                  "kscore's own pause is taken for one of the events");
}
END_TEST

/* before, now: how old events are */
static const struct {
    double before_s, now_s;
    bool is_late;
} ages[] = {
    {0.1, 3600, true}, {0.1, 61, true},     {0.1, -3000, true}, {0.1, 59, false},
    {0.1, -4, false},  {3600, 7200, false}, {3600, 0.1, false}, {-3000, -3000, false},
};

START_TEST(events_are_late_or_from_the_future_when_they_were_not)
{
    int64_t last_ms;

    pass(2 * MINUTE, 500, 0, ages[_i].before_s);
    expect_silence();
    last_ms = now.at_ms;
    pass(2, 500, 0, ages[_i].now_s);
    ck_assert_int_eq(arrivals_are_late(&arrivals), ages[_i].is_late);
    if (ages[_i].is_late) {
        ck_assert_int_eq(arrivals.late_ms, last_ms);
        ck_assert_double_eq_tol(arrivals.late_s, ages[_i].now_s, 1e-9);
    }
    pass(1, 500, 0, ages[_i].before_s);
    expect_silence();
}
END_TEST

START_TEST(what_waited_here_is_not_late)
{
    pass(2 * MINUTE, 500, 0, 0.1);
    now.lag = 50000;
    pass(5, 500, 0, 300);
    now.lag = 0;
    pass(1, 500, 0, 300);
    expect_silence();
    pass(1, 500, 0, 0.1);
    expect_silence();
}
END_TEST

SUITE(arrivals)
{
    TCase *all =
        CASE("samples", what_comes_no_more_is_quiet_since_the_last_one_and_until_the_next,
             events_without_a_value_are_skipped_and_not_quiet, a_pause_as_there_were_others_is_none,
             what_lasts_an_hour_is_usual, what_waited_here_is_not_late);

    tcase_add_checked_fixture(all, setup, NULL);
    tcase_add_loop_test(all, a_silence_that_is_not_the_events_is_not_said_of_them, 0,
                        sizeof known / sizeof *known);
    tcase_add_loop_test(all, events_are_late_or_from_the_future_when_they_were_not, 0,
                        sizeof ages / sizeof *ages);
}
