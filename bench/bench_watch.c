/* bench_watch.c: what scoring/watch.h says of real rows, and what it costs.
 *
 *   bench_watch BUNDLE ROWS RATE...   ROWS: float32 rows of the bundle's features, in their order
 *   bench_watch BUNDLE ROWS           only the cost
 *
 * For each RATE (events a second) all rows go by once on a clock of its own, in batches of 20 ms;
 * each line is a change, with the row at which it was said. The cost is CPU time of watch_take and
 * watch_poll for one row, of those at that rate, beside scoring: median of turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/timing.h"
#include "core/file.h"
#include "core/mem.h"
#include "scoring/watch.h"

enum { BATCH = 1024, TURNS = 7 };

struct run {
    struct bundle *bundle;
    const float *rows;
    size_t count, width;
    double *margins, *scores;
    struct record *records;
    struct outcome *outcomes;
    uint32_t *numbers;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_watch: %s: %s\n", what, why);
    exit(1);
}

static void score(struct run *r)
{
    void *scratch = mem_alloc_aligned(model_scratch_bytes(r->bundle->model), 1);
    double start = timing_cpu_ns();

    r->margins = mem_alloc(r->count * model_margin_count(r->bundle->model), sizeof(double));
    r->scores = mem_alloc(r->count * model_score_count(r->bundle->model), sizeof(double));
    model_score(r->bundle->model, r->rows, r->count, r->margins, r->scores, scratch);
    printf("%zu rows of %zu features; scoring %.0f ns a row\n", r->count, r->width,
           (timing_cpu_ns() - start) / (double)r->count);
    free(scratch);
    r->records = mem_alloc(r->count, sizeof *r->records);
    r->outcomes = mem_alloc(r->count, sizeof *r->outcomes);
    r->numbers = mem_alloc(r->count, sizeof *r->numbers);
    for (size_t i = 0; i < r->count; i++) {
        r->records[i] = (struct record){.topic = "rows", .offset = (int64_t)i};
        r->outcomes[i] = outcome_scored();
        r->numbers[i] = (uint32_t)i;
    }
}

static void say(const struct watch_change *c, size_t row)
{
    const struct suspicion *s = &c->suspicion;

    printf("  row %7zu %s %s %s%s share=%.2f before=%.2f first=%lld\n", row,
           c->is_over ? (c->is_accepted ? "accepted" : "over") : "SUSPECT",
           watch_what_text(s->what),
           c->feature    ? c->feature
           : s->decision ? s->decision
                         : "score",
           s->after ? " after" : "", s->share, s->before, (long long)s->first.offset);
}

/* All rows at that rate; said: how many suspicions. Returns the CPU time. */
static double pass(const struct run *r, double rate, bool is_said)
{
    struct watch *w = watch_new(r->bundle);
    size_t batch = (size_t)fmin(fmax(rate / 50, 1), BATCH), suspicions = 0;
    double spent, start = timing_cpu_ns();
    int64_t now_ms = 1;

    for (size_t at = 0; at < r->count; at += batch) {
        size_t count = r->count - at < batch ? r->count - at : batch;
        struct watch_batch b = {r->records + at, r->outcomes + at, r->numbers + at, count,
                                r->rows,         r->margins,       r->scores};
        struct watch_change change;
        now_ms = 1 + (int64_t)((double)at * 1000 / rate);
        watch_take(w, &b, now_ms);
        if (!watch_poll(w, now_ms))
            continue;
        while (watch_next(w, &change)) {
            suspicions += !change.is_over;
            if (is_said)
                say(&change, at);
        }
    }
    spent = timing_cpu_ns() - start;
    watch_free(w);
    if (is_said)
        printf("rate %.0f: %zu suspicions in %.0f s, %.1f ns a row\n", rate, suspicions,
               (double)r->count / rate, spent / (double)r->count);
    return spent / (double)r->count;
}

static void time_rate(const struct run *r, double rate)
{
    double spent[TURNS];

    for (int i = 0; i < TURNS; i++)
        spent[i] = pass(r, rate, false);
    printf("watching at %.0f rows a second: %.1f ns a row\n", rate, timing_median(spent, TURNS));
}

int main(int count, char **words)
{
    struct err err = ERR_INIT;
    struct run r = {0};
    char *data;
    size_t len;

    if (count < 3)
        die("usage", "bench_watch BUNDLE ROWS [RATE...]");
    if (bundle_load(&r.bundle, words[1], NULL, &err) != 0 ||
        file_read(words[2], SIZE_MAX, &data, &len, &err) != 0)
        die(words[1], err.text);
    r.width = r.bundle->features.count;
    r.rows = (const float *)(const void *)data;
    r.count = len / sizeof(float) / r.width;
    score(&r);
    time_rate(&r, 5000);
    time_rate(&r, 500000);
    for (int i = 3; i < count; i++)
        pass(&r, strtod(words[i], NULL), true);
    return 0;
}
