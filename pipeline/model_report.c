#include "pipeline/model_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "pipeline/golden_events.h"

enum { BATCH_ROWS = 1024, RUNS = 9 };

/* Golden rows over and over; without any, numbers from 0 to 1. */
static float *rows_to_time(const struct loaded *l)
{
    size_t width = model_feature_count(l->model), filled = 0;
    float *rows = mem_alloc_aligned(BATCH_ROWS * width, sizeof *rows);
    uint32_t state = 1;

    for (size_t i = 0; l->bundle && i < l->bundle->golden_count && filled < BATCH_ROWS; i++)
        if (l->bundle->goldens[i].row)
            memcpy(rows + filled++ * width, l->bundle->goldens[i].row, width * sizeof *rows);
    for (size_t i = filled * width; i < BATCH_ROWS * width; i++) {
        state = state * 1664525 + 1013904223; /* Numerical Recipes' generator */
        rows[i] = filled > 0 ? rows[i - filled * width] : (float)(state >> 8) * 0x1p-24F;
    }
    return rows;
}

static double cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double time_rows(const struct loaded *l)
{
    float *rows = rows_to_time(l);
    double *margins = mem_alloc(BATCH_ROWS * model_margin_count(l->model), sizeof *margins);
    double *scores = mem_alloc(BATCH_ROWS * model_score_count(l->model), sizeof *scores);
    double runs[RUNS];
    void *scratch = mem_alloc_aligned(model_scratch_bytes(l->model), 1);

    for (int i = 0; i < RUNS; i++) {
        double start = cpu_ns();
        model_score(l->model, rows, BATCH_ROWS, margins, scores, scratch);
        runs[i] = (cpu_ns() - start) / BATCH_ROWS;
    }
    qsort(runs, RUNS, sizeof runs[0], by_size);
    free(rows);
    free(margins);
    free(scores);
    free(scratch);
    return runs[RUNS / 2];
}

int model_report_load(struct model_report *report, const char *path,
                      const struct model_options *options, struct err *err)
{
    *report = (struct model_report){0};
    if (loaded_load(&report->loaded, path, options, err) != 0)
        return -1;
    report->row_ns = time_rows(&report->loaded);
    return 0;
}

void model_report_release(struct model_report *report)
{
    loaded_release(&report->loaded);
}

/* ---- two models on the same goldens */

struct side {
    const struct loaded *loaded;
    struct decoder *decoder; /* NULL for a bare model */
    float *row;
    void *scratch;

    /* of the last golden */
    double *margins, *scores;
    double score; /* of them: what is published; of a bare model the first */
    const char *decision;
};

static int side_init(struct side *s, const struct loaded *l, struct err *err)
{
    *s = (struct side){.loaded = l};
    if (l->bundle && golden_events_decoder(&s->decoder, l->bundle, err) != 0)
        return -1;
    s->row = mem_alloc_aligned(model_feature_count(l->model), sizeof *s->row);
    s->margins = mem_alloc(model_margin_count(l->model), sizeof *s->margins);
    s->scores = mem_alloc(model_score_count(l->model), sizeof *s->scores);
    s->scratch = mem_alloc_aligned(model_scratch_bytes(l->model), 1);
    return 0;
}

static void side_release(struct side *s)
{
    decoder_free(s->decoder);
    free(s->row);
    free(s->margins);
    free(s->scores);
    free(s->scratch);
}

/* The golden's row where this model has the same features, else what its event gives. */
static bool take_row(struct side *s, const struct golden *golden, bool has_same_features)
{
    struct slice event = {(const uint8_t *)golden->event, golden->event_len};
    int64_t schema_id;

    if (golden->row && has_same_features) {
        memcpy(s->row, golden->row, model_feature_count(s->loaded->model) * sizeof *s->row);
        return true;
    }
    return s->decoder && golden->event &&
           decoder_decode(s->decoder, event, s->row, &schema_id).kind == OUTCOME_SCORED;
}

static void score_row(struct side *s)
{
    const struct bundle *b = s->loaded->bundle;
    const double *outputs = s->scores;
    size_t index = 0;

    model_score(s->loaded->model, s->row, 1, s->margins, s->scores, s->scratch);
    if (b) {
        outputs = bundle_outputs(b, s->margins, s->scores, 0);
        index = b->output_index;
    }
    s->score = outputs[index];
    s->decision = b ? bundle_decision(b, s->score) : NULL;
}

static bool have_other_margins(const struct side *a, const struct side *b)
{
    size_t count = model_margin_count(a->loaded->model);

    return count != model_margin_count(b->loaded->model) ||
           memcmp(a->margins, b->margins, count * sizeof *a->margins) != 0;
}

static void compare_goldens(struct side sides[2], const struct bundle *goldens_of,
                            bool has_same_features, struct model_difference *d)
{
    for (size_t i = 0; goldens_of && i < goldens_of->golden_count; i++) {
        const struct golden *golden = &goldens_of->goldens[i];
        double distance;
        if (!take_row(&sides[0], golden, has_same_features) ||
            !take_row(&sides[1], golden, has_same_features))
            continue;
        score_row(&sides[0]);
        score_row(&sides[1]);
        distance = fabs(sides[0].score - sides[1].score);
        d->golden_count++;
        d->margin_count += have_other_margins(&sides[0], &sides[1]);
        d->decision_count += sides[0].decision && sides[1].decision &&
                             strcmp(sides[0].decision, sides[1].decision) != 0;
        d->mean += distance;
        d->largest = distance > d->largest ? distance : d->largest;
    }
}

static bool have_same_features(const struct loaded *a, const struct loaded *b)
{
    if (a->features->count != b->features->count)
        return false;
    for (size_t i = 0; i < a->features->count; i++)
        if (strcmp(a->features->items[i].name, b->features->items[i].name) != 0)
            return false;
    return true;
}

int model_compare(const struct model_report *a, const struct model_report *b,
                  struct model_difference *d, struct err *err)
{
    bool has_same_features = have_same_features(&a->loaded, &b->loaded);
    struct side sides[2] = {0};

    *d = (struct model_difference){0};
    if (side_init(&sides[0], &a->loaded, err) == 0 && side_init(&sides[1], &b->loaded, err) == 0) {
        compare_goldens(sides, a->loaded.bundle, has_same_features, d);
        compare_goldens(sides, b->loaded.bundle, has_same_features, d);
        d->mean /= d->golden_count ? (double)d->golden_count : 1;
    }
    side_release(&sides[0]);
    side_release(&sides[1]);
    return err_is_set(err) ? -1 : 0;
}
