/* What workers count, how it adds up, and what /metrics prints: by a parser of its own, for the
 * format's grammar (https://prometheus.io/docs/instrumenting/exposition_formats/). Where promtool
 * is found (tests/promtool) it is asked, too. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "pipeline/observer.h"
#include "pipeline/view.h"
#include "tests/fixture.h"
#include "tests/harness.h"

enum { MAX_METRICS = 100, MAX_SERIES = 5000 };

/* ---- counting */

START_TEST(a_duration_falls_into_the_first_bucket_that_holds_it)
{
    static const struct {
        double seconds;
        size_t bucket;
    } rows[] = {{0, 0}, {0.0001, 0}, {0.00011, 1}, {1, 12}, {86400, 19}, {86401, 20}, {1e9, 20}};
    struct histogram h = {0};
    double sum = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = h.counts[rows[i].bucket];
        histogram_add(&h, rows[i].seconds, 3);
        ck_assert_uint_eq(h.counts[rows[i].bucket], before + 3);
        sum += 3 * rows[i].seconds;
    }
    ck_assert_uint_eq(histogram_count(&h), 21);
    ck_assert_double_eq_tol(h.sum, sum, 1e-6);
}
END_TEST

/* An event's clock may run ahead of ours; Prometheus takes a sum that falls for a restart. */
START_TEST(a_negative_duration_is_none)
{
    struct histogram h = {0};

    histogram_add(&h, 2, 1);
    histogram_add(&h, -3600, 5);
    ck_assert_uint_eq(h.counts[0], 5);
    ck_assert_double_eq(h.sum, 2);
}
END_TEST

static struct metrics one, two;
static struct board *board;
static struct view view;
static char topic[] = "in", other[] = "out";

static void setup(void)
{
    metrics_init(&one);
    metrics_init(&two);
    board = board_new(2);
    view_init(&view, board);
}

static void teardown(void)
{
    metrics_release(&one);
    metrics_release(&two);
    view_release(&view);
    board_free(board);
}

static void look(void)
{
    board_publish(board, 0, &one);
    board_publish(board, 1, &two);
    view_take(&view, board);
}

static struct place place(int64_t offset, int64_t at_ms)
{
    return (struct place){topic, 0, offset, at_ms};
}

static void die(struct metrics *m, enum fault fault, int64_t schema, struct place where)
{
    struct fault_metrics *f = metrics_fault(m, fault, schema, &where);

    if (f && f->count == 1)
        snprintf(f->message, sizeof f->message, "offset %lld", (long long)where.offset);
}

START_TEST(faults_of_two_workers_are_one_with_the_first_and_the_last_of_both)
{
    die(&one, FAULT_DECODE_TRUNCATED, 7, place(10, 1000));
    die(&one, FAULT_DECODE_TRUNCATED, 7, place(11, 5000));
    die(&two, FAULT_DECODE_TRUNCATED, 7, place(3, 500));
    die(&two, FAULT_DECODE_TRUNCATED, 8, place(4, 600));
    for (int again = 0; again < 2; again++) /* a view is taken anew */
        look();
    ck_assert_uint_eq(view.sum.fault_count, 2);
    ck_assert_uint_eq(view.sum.dead[FAULT_DECODE_TRUNCATED], 4);
    ck_assert_uint_eq(view.sum.faults[0].count, 3);
    ck_assert_int_eq(view.sum.faults[0].first.offset, 3);
    ck_assert_int_eq(view.sum.faults[0].last.offset, 11);
    ck_assert_str_eq(view.sum.faults[0].message, "offset 3");
    ck_assert_int_eq(view.sum.faults[1].schema_id, 8);
}
END_TEST

START_TEST(of_too_many_kinds_the_sum_by_fault_is_kept)
{
    for (int64_t id = 0; id < 2 * METRICS_FAULTS; id++)
        die(&one, FAULT_BIND_MISSING_FIELD, id, place(id, id));
    for (int64_t id = METRICS_FAULTS; id < 2 * METRICS_FAULTS; id++)
        die(&two, FAULT_BIND_MISSING_FIELD, id, place(id, id));
    look();
    ck_assert_uint_eq(one.fault_count, METRICS_FAULTS);
    ck_assert_uint_eq(view.sum.fault_count, METRICS_FAULTS);
    ck_assert_uint_eq(view.sum.dead[FAULT_BIND_MISSING_FIELD], 3 * METRICS_FAULTS);
}
END_TEST

/* Of two workers' bundles, which have 30 names in common. */
START_TEST(decisions_beyond_the_64th_name_are_counted_together)
{
    char name[80], longest[80];

    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "d%d", i);
        metrics_decided(&one, metrics_decision(&one, name));
        snprintf(name, sizeof name, "d%d", i + 40);
        metrics_decided(&two, metrics_decision(&two, name));
    }
    for (int i = 60; i < 70; i++) {
        snprintf(name, sizeof name, "d%d", i);
        metrics_decided(&one, metrics_decision(&one, name));
    }
    look();
    ck_assert_uint_eq(one.decision_count, 65);
    ck_assert_str_eq(one.decisions[one.decision_count - 1].name, "other");
    ck_assert_uint_eq(one.decisions[one.decision_count - 1].count, 6);
    ck_assert_uint_eq(view.sum.decision_count, 65);
    ck_assert_str_eq(view.sum.decisions[view.sum.decision_count - 1].name, "other");
    ck_assert_uint_eq(view.sum.decisions[view.sum.decision_count - 1].count, 6 + 36);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_uint_eq(metrics_decision(&two, longest), metrics_decision(&two, longest));
}
END_TEST

static void own(struct metrics *m, size_t i, const char *name, struct part_metrics part)
{
    part.topic = name;
    metrics_parts(m, i + 1)[i] = part;
}

START_TEST(a_partition_that_went_to_the_other_worker_is_one)
{
    own(&one, 0, topic, (struct part_metrics){.consumed = 10, .scored = 10, .done = 10});
    own(&one, 1, other, (struct part_metrics){.consumed = 1, .is_owned = true, .done = 1});
    own(&two, 0, topic,
        (struct part_metrics){.consumed = 5, .dead = 5, .done = 15, .is_owned = true});
    look();
    ck_assert_uint_eq(view.sum.part_count, 2);
    ck_assert_str_eq(view.sum.parts[0].topic, topic);
    ck_assert_uint_eq(view.sum.parts[0].consumed, 15);
    ck_assert_int_eq(view.sum.parts[0].done, 15);
    ck_assert(view.sum.parts[0].is_owned);
    ck_assert_uint_eq(view_totals(&view).consumed, 16);
    ck_assert_uint_eq(view_totals(&view).dead, 5);
}
END_TEST

START_TEST(the_worst_activity_is_said_and_a_worker_that_has_not_begun_is_not_ready)
{
    board_publish(board, 0, &one);
    view_take(&view, board);
    ck_assert_int_eq(view.sum.activity, ACTIVITY_STARTING);
    ck_assert_str_eq(view.sum.why, "1 of 2 workers have begun");
    two.activity = ACTIVITY_WAITING;
    snprintf(two.why, sizeof two.why, "kafka");
    look();
    ck_assert_int_eq(view.sum.activity, ACTIVITY_WAITING);
    ck_assert_str_eq(view.sum.why, "kafka");
    two.since_ms = 2000;
    one = (struct metrics){.activity = ACTIVITY_WAITING, .since_ms = 1000, .why = "schema 8"};
    look();
    ck_assert_int_eq(view.sum.since_ms, 1000);
    ck_assert_str_eq(view.sum.why, "schema 8"); /* which began first */
}
END_TEST

START_TEST(scores_are_those_of_all_workers_by_their_rows)
{
    for (size_t i = 0; i < METRICS_QUANTILES; i++) {
        one.scores.now[i] = one.scores.before[i] = 0.1;
        two.scores.now[i] = 0.9;
    }
    one.scores.rows = 99;
    two.scores.rows = 299;
    look();
    ck_assert_double_eq_tol(view.sum.scores.now[2], 0.7, 1e-9);
    ck_assert_double_eq_tol(view.sum.scores.before[2], 0.1, 1e-9); /* the other has no before */
    metrics_forget_scores(&one);
    look();
    ck_assert_double_eq_tol(view.sum.scores.now[2], 0.9, 1e-9);
    ck_assert_double_nan(view.sum.scores.before[2]);
}
END_TEST

/* ---- the text */

static struct metric_row rows[MAX_METRICS];
static size_t row_count;

/* One line: name{label="value",...} number. */
struct series {
    char name[100], labels[200] /* "topic, partition" */, key[600] /* up to the number */;
    double value;
    bool has_le;
};

static const char *parse_name(const char *p, char *out, size_t cap)
{
    size_t len = 0;

    while (isalnum((unsigned char)p[len]) || p[len] == '_' || (p[len] == ':' && len > 0))
        len++;
    ck_assert_msg(len > 0 && len < cap && !isdigit((unsigned char)*p), "no name: %.60s", p);
    snprintf(out, cap, "%.*s", (int)len, p);
    return p + len;
}

static const char *parse_value(const char *p)
{
    ck_assert_msg(*p == '"', "no quote: %.60s", p);
    for (p++; *p != '"'; p++) {
        ck_assert_msg(*p && *p != '\n', "a value does not end");
        if (*p == '\\') {
            p++;
            ck_assert_msg(*p == '\\' || *p == '"' || *p == 'n', "a bad escape: %.20s", p);
        }
    }
    return p + 1;
}

static const char *parse_labels(const char *p, struct series *s)
{
    char name[100];

    if (*p != '{')
        return p;
    do {
        p = parse_name(p + 1, name, sizeof name);
        ck_assert_msg(*p == '=', "no =: %.60s", p);
        p = parse_value(p + 1);
        if (strcmp(name, "le") == 0)
            s->has_le = true;
        else
            snprintf(s->labels + strlen(s->labels), sizeof s->labels - strlen(s->labels), "%s%s",
                     *s->labels ? ", " : "", name);
    } while (*p == ',');
    ck_assert_msg(*p == '}', "no }: %.60s", p);
    return p + 1;
}

static void parse_series(const char *line, struct series *s)
{
    const char *p;
    char *end;

    memset(s, 0, sizeof *s);
    p = parse_labels(parse_name(line, s->name, sizeof s->name), s);
    snprintf(s->key, sizeof s->key, "%.*s", (int)(p - line), line);
    ck_assert_msg(*p == ' ' && p[1] != ' ', "no blank: %s", line);
    s->value = strtod(p + 1, &end);
    ck_assert_msg(end > p + 1 && *end == '\0', "no number: %s", line);
}

/* The row that a series is of; a histogram has three kinds of them. */
static bool is_of(const struct metric_row *row, const struct series *s)
{
    static const char *const ends[] = {"_bucket", "_sum", "_count"};
    size_t len = strlen(row->name);

    if (strcmp(row->type, "histogram") != 0)
        return strcmp(row->name, s->name) == 0 && !s->has_le;
    for (size_t i = 0; i < 3; i++)
        if (strncmp(s->name, row->name, len) == 0 && strcmp(s->name + len, ends[i]) == 0)
            return s->has_le == (i == 0);
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Fails unless text is well-formed, has the rows in their order, and no series twice. Returns how
 * many series there are. */
static size_t check_text(char *text)
{
    char *keys[MAX_SERIES] = {NULL}, want[400], *rest = text;
    size_t count = 0, row = 0;
    double bucket = 0;

    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    ck_assert(utf8_is_valid((const uint8_t *)text, strlen(text)));
    for (char *line; (line = strsep(&rest, "\n")) && rest;) {
        struct series s;
        if (strncmp(line, "# HELP", 6) == 0) {
            ck_assert_uint_lt(row, row_count);
            snprintf(want, sizeof want, "# HELP %s %s", rows[row].name, rows[row].help);
            ck_assert_str_eq(line, want);
            snprintf(want, sizeof want, "# TYPE %s %s", rows[row].name, rows[row].type);
            ck_assert_str_eq(strsep(&rest, "\n"), want);
            row++;
            bucket = 0;
            continue;
        }
        ck_assert_uint_gt(row, 0);
        parse_series(line, &s);
        ck_assert_msg(is_of(&rows[row - 1], &s), "%s below %s", line, rows[row - 1].name);
        ck_assert_str_eq(s.labels, rows[row - 1].labels);
        ck_assert_msg(!s.has_le || s.value >= bucket, "a bucket is smaller: %s", line);
        bucket = s.has_le ? s.value : bucket;
        if (strcmp(rows[row - 1].type, "counter") == 0)
            ck_assert_msg(s.value >= 0 && strcmp(s.name + strlen(s.name) - 6, "_total") == 0, "%s",
                          line);
        ck_assert_uint_lt(count, MAX_SERIES);
        keys[count++] = strdup(s.key);
    }
    ck_assert_uint_eq(row, row_count);
    qsort(keys, count, sizeof *keys, by_text);
    for (size_t i = 1; i < count; i++)
        ck_assert_msg(strcmp(keys[i - 1], keys[i]) != 0, "twice: %s", keys[i]);
    for (size_t i = 0; i < count; i++)
        free(keys[i]);
    return count;
}

/* With promtool where there is one. */
static void check_with_promtool(const char *text)
{
    FILE *pipe;

    if (system("command -v promtool > /dev/null") != 0) {
        harness_skip("promtool is not installed: the text is held against the grammar alone");
        return;
    }
    pipe = popen("promtool check metrics", "w");
    fputs(text, pipe);
    ck_assert_int_eq(pclose(pipe), 0);
}

static char *print_metrics(const char *model)
{
    struct config config;
    struct journal *journal = journal_new();
    struct observer *observer;
    char *text;

    fixture_config(&config, FIXTURE_CONFIG);
    snprintf(one.model.name, sizeof one.model.name, "%s", model);
    own(&one, 0, config.topics[0], (struct part_metrics){.consumed = 3, .is_owned = true});
    own(&two, 0, config.topics[0], (struct part_metrics){.partition = 1, .scored = 4});
    die(&one, FAULT_DECODE_TRUNCATED, 7, place(10, 1000));
    metrics_decided(&one, metrics_decision(&one, "high"));
    histogram_add(&one.decode, 0.003, 1);
    histogram_add(&two.freshness, 100000, 7);
    board_publish(board, 0, &one);
    board_publish(board, 1, &two);
    observer =
        observer_new(&(struct observer_options){&config, "1.0+\"quoted\"", board, journal, NULL});
    text = observer_metrics(observer);
    observer_free(observer);
    journal_free(journal);
    config_release(&config);
    return text;
}

START_TEST(the_text_is_prometheus_and_names_what_the_table_does)
{
    char *text = print_metrics("back\\slash \"quote\" line\nfeed \xc3\xa9");

    row_count = observer_metric_rows(rows, MAX_METRICS);
    check_with_promtool(text);
    ck_assert_ptr_nonnull(
        strstr(text, "name=\"back\\\\slash \\\"quote\\\" line\\nfeed \xc3\xa9\""));
    ck_assert_ptr_nonnull(strstr(text, "\nkscore_freshness_seconds_bucket{le=\"86400.0\"} 0\n"
                                       "kscore_freshness_seconds_bucket{le=\"+Inf\"} 7\n"
                                       "kscore_freshness_seconds_sum 700000.0\n"
                                       "kscore_freshness_seconds_count 7\n"));
    ck_assert_ptr_nonnull(strstr(
        text, "\nkscore_records_total{topic=\"payments\",partition=\"1\",outcome=\"scored\"} 4\n"));
    ck_assert_uint_gt(check_text(text), 100);
    free(text);
}
END_TEST

SUITE(metrics)
{
    TCase *all = CASE("board", a_duration_falls_into_the_first_bucket_that_holds_it,
                      a_negative_duration_is_none,
                      faults_of_two_workers_are_one_with_the_first_and_the_last_of_both,
                      of_too_many_kinds_the_sum_by_fault_is_kept,
                      decisions_beyond_the_64th_name_are_counted_together,
                      a_partition_that_went_to_the_other_worker_is_one,
                      scores_are_those_of_all_workers_by_their_rows,
                      the_worst_activity_is_said_and_a_worker_that_has_not_begun_is_not_ready,
                      the_text_is_prometheus_and_names_what_the_table_does);

    tcase_add_checked_fixture(all, setup, teardown);
}
