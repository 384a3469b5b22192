/* What is wrong without an error is found within a minute, and what is not wrong is not. One piece:
 * one stream, and ways in which it is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scoring/watch.h"
#include "tests/events.h"
#include "tests/harness.h"

enum { TEMP, WIND, COUNT, KIND, FEATURES, BATCH = 100, MOST = 64 };

static struct threshold thresholds[] = {{0.5, (char *)"watch"}, {0.9, (char *)"block"}};

struct stream {
    struct bundle bundle;
    struct watch *watch;
    double rate; /* rows a second */
    int64_t now_ms, offset;
    uint64_t seed;
    struct watch_change changes[MOST];
    int64_t said_ms[MOST];
    size_t count;
};

struct seen {
    float row[FEATURES];
    double score;
};

typedef void wrong(const struct stream *s, struct seen *seen);

static void load(struct bundle *b, const char *temp)
{
    static char digest = 'a';

    *b = (struct bundle){.name = (char *)"fraud",
                         .version = (char *)"1",
                         .output = OUTPUT_PROBABILITY,
                         .output_count = 1,
                         .thresholds = thresholds,
                         .threshold_count = 2,
                         .below = (char *)"pass"};
    memset(b->digest, digest++, SHA256_HEX);
    b->features =
        EVENTS_FEATURES(NULL, temp, "wind = weather.wind : number, optional",
                        "count = count : number, default 0", "kind = kind : number, required");
}

static void start(struct stream *s, double rate)
{
    *s = (struct stream){.rate = rate, .now_ms = 1000, .seed = 1};
    load(&s->bundle, "temp = weather.temp : number, optional");
    s->watch = watch_new(&s->bundle);
}

static void stop(struct stream *s)
{
    watch_free(s->watch);
    features_release(&s->bundle.features);
}

static double roll(struct stream *s)
{
    s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(s->seed >> 11) / (double)(1ull << 53);
}

static void fill(struct stream *s, struct seen *seen)
{
    seen->row[TEMP] = roll(s) < 0.02 ? NAN : (float)(20 + 60 * roll(s));
    seen->row[WIND] = roll(s) < 0.75 ? NAN : (float)(30 * roll(s));
    seen->row[COUNT] = roll(s) < 0.3 ? 0 : (float)floor(1 + 9 * roll(s));
    seen->row[KIND] = (float)floor(3 * roll(s));
    seen->score = pow(roll(s), 4); /* 16 % watch or block */
}

static void note(struct stream *s)
{
    if (!watch_poll(s->watch, s->now_ms))
        return;
    while (s->count < MOST && watch_next(s->watch, &s->changes[s->count]))
        s->said_ms[s->count++] = s->now_ms;
}

/* So many seconds of rows, in batches of 100 ms. */
static void pass(struct stream *s, double seconds, wrong *how)
{
    static float matrix[BATCH * FEATURES];
    static double scores[BATCH];
    static struct record records[BATCH];
    static struct outcome outcomes[BATCH];
    static uint32_t rows[BATCH];
    struct watch_batch b = {records, outcomes, rows, 0, matrix, scores, scores};
    int64_t end_ms = s->now_ms + (int64_t)(seconds * 1000);
    double owed = 0;

    for (; s->now_ms < end_ms; s->now_ms += 100) {
        for (owed += s->rate / 10; owed >= 1; owed -= (double)b.count) {
            b.count = owed < BATCH ? (size_t)owed : BATCH;
            for (size_t i = 0; i < b.count; i++) {
                struct seen seen;
                fill(s, &seen);
                if (how)
                    how(s, &seen);
                memcpy(matrix + i * FEATURES, seen.row, sizeof seen.row);
                scores[i] = seen.score;
                rows[i] = (uint32_t)i;
                outcomes[i] = outcome_scored();
                records[i] = (struct record){.topic = "in", .partition = 2, .offset = s->offset++};
            }
            watch_take(s->watch, &b, s->now_ms);
        }
        note(s);
    }
}

static const char *name_of(const struct watch_change *c)
{
    return c->feature ? c->feature : c->suspicion.decision ? c->suspicion.decision : "score";
}

static void expect_silence(const struct stream *s, const char *when)
{
    for (size_t i = 0; i < s->count; i++)
        ck_abort_msg("%s: %s %s of %s, share %.2f before %.2f at %lld ms", when,
                     s->changes[i].is_over ? "over" : "suspect",
                     watch_what_text(s->changes[i].suspicion.what), name_of(&s->changes[i]),
                     s->changes[i].suspicion.share, s->changes[i].suspicion.before,
                     (long long)s->said_ms[i]);
}

/* The first change of that kind; fails when there is none. */
static const struct watch_change *expect(const struct stream *s, bool is_over, enum watch_what what,
                                         const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->changes[i].is_over == is_over && s->changes[i].suspicion.what == what &&
            strcmp(name_of(&s->changes[i]), name) == 0)
            return &s->changes[i];
    ck_abort_msg("no %s of %s among %zu", watch_what_text(what), name, s->count);
}

/* ---- ways to be wrong */

static void no_temp(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[TEMP] = NAN;
}

static void no_wind(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[WIND] = NAN;
}

static void default_count(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[COUNT] = 0;
}

static void less_temp(const struct stream *s, struct seen *seen)
{
    if (s->offset % 5 < 2)
        seen->row[TEMP] = NAN;
}

static void temp_in_kelvin(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[TEMP] = (seen->row[TEMP] - 32) / 1.8F + 273;
}

static void warmer(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[TEMP] = 65 + seen->row[TEMP] / 5;
}

static void frozen_temp(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[TEMP] = 50; /* the median */
}

static void one_score(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->score = 0.123;
}

static void higher_scores(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->score = sqrt(sqrt(seen->score));
}

static void much_higher_scores(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->score = 0.85 + seen->score / 7;
}

/* within: records behind the first bad one, at most, that `first` may be */
static const struct {
    wrong *how;
    enum watch_what what;
    const char *name;
    double windows; /* of 10 s, or of 100 rows, that `first` may be off */
} wrongs[] = {
    {no_temp, WATCH_ALL_MISSING, "temp", 0},
    {default_count, WATCH_ALL_MISSING, "count", 0},
    {less_temp, WATCH_MISSING, "temp", 1},
    {temp_in_kelvin, WATCH_FAR, "temp", 2},
    {warmer, WATCH_SHIFTED, "temp", 2},
    {frozen_temp, WATCH_CONSTANT, "temp", 2},
    {one_score, WATCH_CONSTANT, "score", 2},
    {higher_scores, WATCH_DECISIONS, "pass", 2},
    {much_higher_scores, WATCH_SHIFTED, "score", 2},
};

static const double rates[] = {10, 50, 500, 20000};

START_TEST(each_is_found_within_a_minute_at_any_rate)
{
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        struct stream s;
        int64_t bad, bad_ms;
        double slack = fmax(10 * rates[r], 100);
        const struct watch_change *c;
        start(&s, rates[r]);
        pass(&s, 180, NULL);
        expect_silence(&s, "before");
        bad = s.offset;
        bad_ms = s.now_ms;
        pass(&s, 60, wrongs[_i].how);
        c = expect(&s, false, wrongs[_i].what, wrongs[_i].name);
        ck_assert_int_le(s.said_ms[c - s.changes] - bad_ms, 60000);
        ck_assert_msg(c->suspicion.first.offset >= bad - 40 - wrongs[_i].windows * slack &&
                          c->suspicion.first.offset <= bad + rates[r] + wrongs[_i].windows * slack,
                      "rate %g: first %lld, bad from %lld on", rates[r],
                      (long long)c->suspicion.first.offset, (long long)bad);
        for (size_t i = 0; i < s.count; i++)
            ck_assert_msg(!s.changes[i].is_over, "%s is over", name_of(&s.changes[i]));
        ck_assert_str_eq(c->suspicion.first.topic, "in");
        ck_assert_int_eq(c->suspicion.first.partition, 2);
        stop(&s);
    }
}
END_TEST

START_TEST(what_is_found_ends_with_the_data_and_has_spoilt_nothing)
{
    struct stream s;
    struct watch_report report;
    struct watch_feature temp;
    const struct watch_change *c;

    start(&s, 100);
    pass(&s, 180, NULL);
    pass(&s, 20 * 60, wrongs[_i].how);
    s.count = 0;
    pass(&s, 60, NULL);
    c = expect(&s, true, wrongs[_i].what, wrongs[_i].name);
    ck_assert(!c->is_accepted);
    ck_assert_int_gt(c->lasted_ms, 19 * 60000);
    watch_report(s.watch, &report);
    ck_assert_uint_eq(report.suspicion_count, 0);
    temp = watch_report_feature(s.watch, TEMP);
    ck_assert_double_lt(temp.missing_before, 0.1);
    ck_assert_double_lt(fabs(report.scores_before[2] - 0.0625), 0.03);
    stop(&s);
}
END_TEST

static void longer_unit(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[TEMP] *= 1.5F;
}

START_TEST(another_unit_is_found_where_rows_are_many_though_values_stay_plausible)
{
    struct stream s;

    start(&s, 500);
    pass(&s, 240, NULL);
    pass(&s, 60, longer_unit);
    expect(&s, false, WATCH_SHIFTED, "temp");
    ck_assert_uint_eq(s.count, 1);
    stop(&s);
}
END_TEST

static void little_longer_unit(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[TEMP] *= 1.39F; /* a distance of 0.36 at the last edge */
}

START_TEST(at_a_hundred_rows_a_second_another_unit_is_found_too)
{
    struct stream s;

    start(&s, 100);
    pass(&s, 240, NULL);
    pass(&s, 60, little_longer_unit);
    expect(&s, false, WATCH_SHIFTED, "temp");
    ck_assert_uint_eq(s.count, 1);
    stop(&s);
}
END_TEST

START_TEST(behind_a_good_minute_the_next_is_held_against_it)
{
    struct stream s;

    start(&s, 100);
    pass(&s, 66, NULL);
    pass(&s, 60, temp_in_kelvin);
    expect(&s, false, WATCH_FAR, "temp");
    stop(&s);
}
END_TEST

/* The window in which it begins is `shifted` already, and has good rows at its start. */
START_TEST(the_first_row_of_a_feature_that_stands_still_is_none_that_came_before_it_did)
{
    for (int into_window = 0; into_window < 10; into_window++) {
        struct stream s;
        int64_t bad, first;

        start(&s, 100);
        pass(&s, 180 + into_window, NULL);
        bad = s.offset;
        pass(&s, 60, frozen_temp);
        first = expect(&s, false, WATCH_CONSTANT, "temp")->suspicion.first.offset;
        ck_assert_msg(first >= bad && first <= bad + 1100, "%d s: first %lld, bad from %lld on",
                      into_window, (long long)first, (long long)bad);
        stop(&s);
    }
}
END_TEST

START_TEST(a_feature_that_stood_still_and_moved_again_is_known_to_do_so)
{
    struct stream s;

    start(&s, 100);
    pass(&s, 180, NULL);
    pass(&s, 60, frozen_temp);
    pass(&s, 60, NULL);
    expect(&s, true, WATCH_CONSTANT, "temp");
    s.count = 0;
    pass(&s, 60, frozen_temp);
    for (size_t i = 0; i < s.count; i++) /* the shape of its values has changed all the same */
        ck_assert_int_eq(s.changes[i].suspicion.what, WATCH_SHIFTED);
    stop(&s);
}
END_TEST

START_TEST(what_stays_for_half_an_hour_becomes_usual)
{
    struct stream s;
    const struct watch_change *c;

    start(&s, 50);
    pass(&s, 180, NULL);
    pass(&s, 35 * 60, no_temp);
    expect(&s, false, WATCH_ALL_MISSING, "temp");
    c = expect(&s, true, WATCH_ALL_MISSING, "temp");
    ck_assert_msg(c->is_accepted, "after %lld ms", (long long)c->lasted_ms);
    ck_assert_uint_eq(s.count, 2);
    ck_assert_double_gt(watch_report_feature(s.watch, TEMP).missing_before, 0.99);
    stop(&s);
}
END_TEST

START_TEST(what_is_as_always_is_not_worth_a_word)
{
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        struct stream s;
        start(&s, rates[r]);
        pass(&s, rates[r] > 1000 ? 600 : 7200, NULL);
        expect_silence(&s, "stationary");
        stop(&s);
    }
}
END_TEST

/* Day and night: one day in so many seconds. */
static const double days_s[] = {86400, 3600, 300, 60, 5};
static double day_s;

static void daily(const struct stream *s, struct seen *seen)
{
    double day = sin((double)s->now_ms / 1000 / day_s * 6.283185307);

    seen->row[TEMP] += (float)(30 * day);
    if (s->offset % 100 < 30 + 25 * day)
        seen->row[COUNT] = 0;
    seen->score = fmin(1, seen->score * (1 + 0.3 * day));
}

START_TEST(day_and_night_are_not_suspicious_however_fast_they_pass)
{
    struct stream s;

    day_s = days_s[_i];
    start(&s, 50);
    pass(&s, fmax(2 * day_s, 3600), daily);
    expect_silence(&s, "daily rhythm");
    stop(&s);
}
END_TEST

/* ---- without anything before */

static void same_rows(const struct stream *s, struct seen *seen)
{
    (void)s;
    *seen = (struct seen){{1, 2, 3, 4}, 0.5};
}

static const struct {
    wrong *how;
    enum watch_what what;
    const char *name;
} firsts[] = {
    {one_score, WATCH_CONSTANT, "score"},    {no_temp, WATCH_ALWAYS_MISSING, "temp"},
    {no_wind, WATCH_ALWAYS_MISSING, "wind"}, {same_rows, WATCH_NOTHING, NULL},
    {less_temp, WATCH_NOTHING, NULL},
};

START_TEST(at_a_start_only_what_needs_no_before_is_told_once)
{
    struct stream s;

    start(&s, 50);
    pass(&s, 60, firsts[_i].how);
    if (firsts[_i].what) {
        expect(&s, false, firsts[_i].what, firsts[_i].name);
        ck_assert_int_le(s.changes[0].suspicion.first.offset, 100);
    }
    ck_assert_uint_eq(s.count, firsts[_i].what != WATCH_NOTHING);
    stop(&s);
}
END_TEST

START_TEST(a_backlog_that_ends_in_missing_values_is_told_when_nothing_more_comes)
{
    struct stream s;

    start(&s, 9000);
    pass(&s, 1, NULL);
    pass(&s, 0.1, no_temp);
    s.rate = 0;
    pass(&s, 2, NULL);
    expect(&s, false, WATCH_ALL_MISSING, "temp");
    ck_assert_int_ge(s.changes[0].suspicion.first.offset, 8990);
    stop(&s);
}
END_TEST

static void dead_for_a_while(const struct stream *s, struct seen *seen)
{
    if (s->offset >= 150000 && s->offset < 150600)
        seen->row[TEMP] = NAN;
}

START_TEST(in_a_backlog_a_source_that_died_for_some_hundred_rows_is_told)
{
    struct stream s;
    const struct watch_change *c;

    start(&s, 500000);
    pass(&s, 1, dead_for_a_while);
    c = expect(&s, false, WATCH_ALL_MISSING, "temp");
    ck_assert_int_ge(c->suspicion.first.offset, 150000 - BATCH);
    ck_assert_int_lt(c->suspicion.first.offset, 150100);
    ck_assert_uint_eq(s.count, 1);
    stop(&s);
}
END_TEST

/* ---- another model, another run */

static const char *const changed = "temp = weather.dew : number, optional";
static const char *const renamed = "temp = weather.temperature | weather.temp : number, optional";

static void a_little_colder(const struct stream *s, struct seen *seen)
{
    (void)s;
    seen->row[TEMP] -= 20;
}

static void some_more_block(const struct stream *s, struct seen *seen)
{
    if (s->offset % 4 == 0)
        seen->score = 0.95;
}

static const struct {
    const char *temp; /* its line in the new bundle, NULL: as before */
    wrong *how;
    enum watch_what what;
    const char *name;
} swaps[] = {
    {changed, a_little_colder, WATCH_SHIFTED, "temp"},
    {changed, temp_in_kelvin, WATCH_FAR, "temp"},
    {renamed, NULL, WATCH_NOTHING, NULL},
    {NULL, NULL, WATCH_NOTHING, NULL},
    {NULL, one_score, WATCH_CONSTANT, "score"},
    {NULL, some_more_block, WATCH_DECISIONS, "block"},
};

/* What it says of another bundle whose rows come as `how` says, from record `bad` on. */
static void expect_swap(const struct stream *s, int i, int64_t bad, enum watch_after after)
{
    const struct watch_change *c;

    if (swaps[i].what == WATCH_NOTHING) {
        expect_silence(s, watch_after_text(after));
        return;
    }
    c = expect(s, false, swaps[i].what, swaps[i].name);
    ck_assert_int_eq(c->suspicion.after, after);
    ck_assert_int_eq(c->suspicion.first.offset, bad);
    if (!c->feature)
        return;
    ck_assert_str_eq(c->source, "weather.dew");
    ck_assert_str_eq(c->source_before, "weather.temp");
}

static void load_next(struct bundle *next, int i)
{
    load(next, swaps[i].temp ? swaps[i].temp : "temp = weather.temp : number, optional");
}

START_TEST(behind_a_swap_what_reads_other_fields_is_told_with_the_first_row)
{
    struct bundle next;
    struct watch *watch;
    struct stream s;
    int64_t bad;

    start(&s, 100);
    load_next(&next, _i);
    pass(&s, _i % 2 ? 47 : 5, NULL); /* or not one window */
    expect_silence(&s, "before");
    watch = watch_new(&next);
    watch_take_over(watch, s.watch);
    watch_free(s.watch);
    s.watch = watch;
    bad = s.offset;
    pass(&s, 30, swaps[_i].how);
    expect_swap(&s, _i, bad, WATCH_AFTER_SWAP);
    features_release(&next.features);
    stop(&s);
}
END_TEST

/* Nobody would say its end any more: it would be suspected for ever. */
START_TEST(what_the_next_bundle_has_no_place_for_is_over_with_the_swap)
{
    static struct threshold others[] = {{0.5, (char *)"look"}, {0.9, (char *)"stop"}};
    static const struct {
        wrong *how;
        enum watch_what what;
        const char *name;
    } rows[] = {{no_temp, WATCH_ALL_MISSING, "temp"}, {higher_scores, WATCH_DECISIONS, "pass"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bundle next;
        struct watch *watch;
        struct stream s;
        const struct watch_change *c;
        start(&s, 100);
        pass(&s, 180, NULL);
        pass(&s, 60, rows[i].how);
        expect(&s, false, rows[i].what, rows[i].name);
        s.count = 0;
        load(&next, "dew = weather.dew : number, optional");
        next.thresholds = others;
        next.below = (char *)"let";
        watch = watch_new(&next);
        watch_take_over(watch, s.watch);
        while (s.count < MOST && watch_next(s.watch, &s.changes[s.count]))
            s.count++;
        c = expect(&s, true, rows[i].what, rows[i].name);
        ck_assert(!c->is_accepted);
        watch_free(s.watch);
        s.watch = watch;
        note(&s);
        ck_assert_uint_eq(s.count, 1);
        features_release(&next.features);
        stop(&s);
    }
}
END_TEST

START_TEST(a_profile_tells_the_next_run_what_was_usual)
{
    char profile[WATCH_PROFILE_MAX], again[WATCH_PROFILE_MAX];
    struct err err = ERR_INIT;
    struct stream s, t;
    size_t len;

    start(&s, 100);
    pass(&s, 60, NULL);
    len = watch_profile_print(s.watch, profile, 5);
    ck_assert_uint_eq(len, strlen(profile));
    start(&t, 100);
    features_release(&t.bundle.features);
    watch_free(t.watch);
    load_next(&t.bundle, _i);
    if (!swaps[_i].temp && !swaps[_i].how) /* the same bundle */
        memcpy(t.bundle.digest, s.bundle.digest, sizeof t.bundle.digest);
    t.watch = watch_new(&t.bundle);
    ck_assert_msg(watch_profile_parse(t.watch, profile, len, &err) == 0, "%s", err.text);
    if (!swaps[_i].temp && !swaps[_i].how) {
        watch_profile_print(t.watch, again, 5);
        ck_assert_str_eq(again, profile);
    }
    pass(&t, 30, swaps[_i].how);
    expect_swap(&t, _i, 0, WATCH_AFTER_START);
    stop(&t);
    stop(&s);
}
END_TEST

START_TEST(a_damaged_profile_is_refused_and_nothing_of_it_taken)
{
    char profile[WATCH_PROFILE_MAX], before[WATCH_PROFILE_MAX], after[WATCH_PROFILE_MAX];
    struct stream s, t;
    size_t len;

    start(&s, 100);
    pass(&s, 60, NULL);
    len = watch_profile_print(s.watch, profile, 5);
    start(&t, 100);
    watch_profile_print(t.watch, before, 5);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *damaged = events_exact(profile, cut);
        struct err err = ERR_INIT;
        ck_assert_int_ne(watch_profile_parse(t.watch, (char *)damaged, cut, &err), 0);
        ck_assert_int_eq(err.exit_code, EXIT_DATA);
        free(damaged);
    }
    watch_profile_print(t.watch, after, 5);
    ck_assert_str_eq(after, before);
    stop(&t);
    stop(&s);
}
END_TEST

START_TEST(a_profile_of_many_features_leaves_out_what_does_not_fit)
{
    enum { MANY = 500 };
    static struct feature items[MANY];
    static char names[MANY][40];
    struct bundle bundle = {.name = (char *)"wide", .version = (char *)"1"};
    char profile[WATCH_PROFILE_MAX];
    struct err err = ERR_INIT;
    struct watch *w;
    size_t len;

    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "\"feature\" number %d", i);
        items[i] = (struct feature){.name = names[i], .missing = NAN};
    }
    bundle.features = (struct features){.items = items, .count = MANY};
    w = watch_new(&bundle);
    len = watch_profile_print(w, profile, 5);
    ck_assert_uint_lt(len, WATCH_PROFILE_MAX);
    ck_assert_uint_gt(len, WATCH_PROFILE_MAX - 500);
    ck_assert_msg(watch_profile_parse(w, profile, len, &err) == 0, "%s", err.text);
    watch_free(w);
}
END_TEST

START_TEST(a_report_shows_now_and_before)
{
    struct stream s;
    struct watch_report report;
    struct watch_change c;

    start(&s, 100);
    pass(&s, 60, NULL);
    pass(&s, 15, no_temp);
    watch_report(s.watch, &report);
    ck_assert_uint_eq(report.feature_count, FEATURES);
    ck_assert_uint_eq(report.decision_count, 3);
    ck_assert_uint_eq(report.suspicion_count, 1);
    c = watch_report_suspicion(s.watch, 0);
    ck_assert_str_eq(c.feature, "temp");
    ck_assert_double_gt(watch_report_feature(s.watch, TEMP).missing_now, 0.9);
    ck_assert_double_lt(watch_report_feature(s.watch, TEMP).missing_before, 0.1);
    ck_assert_str_eq(watch_report_decision(s.watch, 0).name, "pass");
    ck_assert_double_lt(fabs(watch_report_decision(s.watch, 0).now - 0.84), 0.08);
    for (int i = 0; i < WATCH_QUANTILES; i++) {
        static const double q[] = {0.01, 0.1, 0.5, 0.9, 0.99};
        ck_assert_double_lt(fabs(report.scores_now[i] - pow(q[i], 4)), 0.12);
        ck_assert_double_lt(fabs(report.scores_before[i] - pow(q[i], 4)), 0.12);
    }
    stop(&s);
}
END_TEST

#define LOOP(test, table)                                                                          \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

SUITE(watch)
{
    TCase *tcase = harness_case(suite, "wrong", NULL, 0);

    LOOP(each_is_found_within_a_minute_at_any_rate, wrongs);
    LOOP(what_is_found_ends_with_the_data_and_has_spoilt_nothing, wrongs);
    CASE("usual", another_unit_is_found_where_rows_are_many_though_values_stay_plausible,
         at_a_hundred_rows_a_second_another_unit_is_found_too,
         behind_a_good_minute_the_next_is_held_against_it,
         the_first_row_of_a_feature_that_stands_still_is_none_that_came_before_it_did,
         a_feature_that_stood_still_and_moved_again_is_known_to_do_so,
         what_stays_for_half_an_hour_becomes_usual, what_is_as_always_is_not_worth_a_word);
    tcase = harness_case(suite, "rhythm", NULL, 0);
    LOOP(day_and_night_are_not_suspicious_however_fast_they_pass, days_s);
    tcase = harness_case(suite, "start", NULL, 0);
    LOOP(at_a_start_only_what_needs_no_before_is_told_once, firsts);
    tcase = harness_case(suite, "change", NULL, 0);
    LOOP(behind_a_swap_what_reads_other_fields_is_told_with_the_first_row, swaps);
    LOOP(a_profile_tells_the_next_run_what_was_usual, swaps);
    CASE("next", what_the_next_bundle_has_no_place_for_is_over_with_the_swap);
    CASE("backlog", in_a_backlog_a_source_that_died_for_some_hundred_rows_is_told,
         a_backlog_that_ends_in_missing_values_is_told_when_nothing_more_comes);
    CASE("profile", a_damaged_profile_is_refused_and_nothing_of_it_taken,
         a_profile_of_many_features_leaves_out_what_does_not_fit);
    CASE("report", a_report_shows_now_and_before);
}
