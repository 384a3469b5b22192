/* bench_forest.c: scoring alone, beside libxgboost's C API on the same rows: first the bits are
 * held against each other, then both take turns.
 *
 *   bench_forest FOLDER [DATA]      FOLDER: where the synthetic bundle is written; DATA: reference
 *                                   models, by default $KSCORE_DATA or ../shared/data; where they
 *                                   are not there, only the synthetic model
 *
 * One thread, one named call for each (model_score; XGBoosterPredictFromDense, type margin),
 * batches of 1,024 rows. Where the library is not installed it is said, and only kscore's figure is
 * printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/synthetic.h"
#include "bench/timing.h"
#include "core/file.h"
#include "core/mem.h"
#include "scoring/model.h"

#if __has_include(<xgboost/c_api.h>)
#include <xgboost/c_api.h>
#define HAS_XGBOOST 1
#else
#define HAS_XGBOOST 0
#endif

enum { BATCH = 1024, TURNS = 21 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_forest: %s: %s\n", what, why);
    exit(1);
}

struct subject {
    const char *title;
    char *path;
    float *rows;
    size_t count, width; /* count is a multiple of BATCH */
    struct model *model;
    void *scratch;
    double margins[BATCH], scores[BATCH];
};

static void run_kscore(struct subject *s, float *out)
{
    for (size_t i = 0; i < s->count; i += BATCH) {
        model_score(s->model, s->rows + i * s->width, BATCH, s->margins, s->scores, s->scratch);
        for (size_t k = 0; out && k < BATCH; k++)
            out[i + k] = (float)s->margins[k];
    }
}

#if HAS_XGBOOST
static void must(int result)
{
    if (result != 0)
        die("libxgboost", XGBGetLastError());
}

static BoosterHandle booster_open(const struct subject *s)
{
    BoosterHandle booster;

    must(XGBoosterCreate(NULL, 0, &booster));
    must(XGBoosterLoadModel(booster, s->path));
    must(XGBoosterSetParam(booster, "nthread", "1"));
    return booster;
}

static void run_library(const struct subject *s, BoosterHandle booster, float *out)
{
    static const char settings[] =
        "{\"type\":1,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,"
        "\"missing\":NaN,\"cache_id\":0}";
    const bst_ulong *shape;
    bst_ulong dim;
    const float *result;
    char array[200];

    for (size_t i = 0; i < s->count; i += BATCH) {
        snprintf(array, sizeof array,
                 "{\"data\":[%zu,true],\"shape\":[%d,%zu],\"typestr\":\"<f4\",\"version\":3}",
                 (size_t)(s->rows + i * s->width), BATCH, s->width);
        must(XGBoosterPredictFromDense(booster, array, settings, NULL, &shape, &dim, &result));
        if (out)
            memcpy(out + i, result, BATCH * sizeof *out);
    }
}

static void compare_bits(struct subject *s, BoosterHandle booster)
{
    float *ours = mem_alloc(s->count, sizeof *ours), *theirs = mem_alloc(s->count, sizeof *theirs);

    run_kscore(s, ours);
    run_library(s, booster, theirs);
    for (size_t i = 0; i < s->count; i++)
        if (memcmp(&ours[i], &theirs[i], sizeof *ours) != 0) {
            fprintf(stderr, "bench_forest: %s: row %zu: %.9g, the library has %.9g\n", s->title, i,
                    (double)ours[i], (double)theirs[i]);
            exit(1);
        }
    free(ours);
    free(theirs);
}

static void measure(struct subject *s)
{
    BoosterHandle booster = booster_open(s);
    double ours[TURNS], theirs[TURNS], ratios[TURNS];

    compare_bits(s, booster);
    for (int turn = 0; turn < TURNS; turn++) {
        double start = timing_cpu_ns(), middle;
        run_kscore(s, NULL);
        middle = timing_cpu_ns();
        run_library(s, booster, NULL);
        ours[turn] = (middle - start) / (double)s->count;
        theirs[turn] = (timing_cpu_ns() - middle) / (double)s->count;
        ratios[turn] = theirs[turn] / ours[turn];
    }
    printf("| %s | %.0f ns | %.0f ns | %.1f |\n", s->title, timing_median(ours, TURNS),
           timing_median(theirs, TURNS), timing_median(ratios, TURNS));
    XGBoosterFree(booster);
}
#else
static void measure(struct subject *s)
{
    double ours[TURNS];

    for (int turn = 0; turn < TURNS; turn++) {
        double start = timing_cpu_ns();
        run_kscore(s, NULL);
        ours[turn] = (timing_cpu_ns() - start) / (double)s->count;
    }
    printf("| %s | %.0f ns | not installed | |\n", s->title, timing_median(ours, TURNS));
}
#endif

static void subject_run(struct subject *s)
{
    struct err err = ERR_INIT;

    if (model_load(&s->model, s->path, NULL, &err) != 0)
        die(s->path, err.text);
    s->width = model_feature_count(s->model);
    s->scratch = mem_alloc_aligned(model_scratch_bytes(s->model), 1);
    measure(s);
    free(s->scratch);
    model_free(s->model);
}

static void run_synthetic(const char *folder)
{
    struct subject s = {.title = "100 trees of depth 6, 30 features (synthetic)",
                        .count = 4 * BATCH};
    struct synthetic source = {3};
    struct synthetic_event event;

    if (synthetic_write(folder, 100, 6) != 0)
        die(folder, "cannot be written");
    s.path = file_join(folder, "model.json");
    s.rows = mem_alloc(s.count * SYNTHETIC_FEATURES, sizeof *s.rows);
    for (size_t i = 0; i < s.count; i++) {
        synthetic_next(&source, &event);
        memcpy(s.rows + i * SYNTHETIC_FEATURES, event.row, sizeof event.row);
    }
    subject_run(&s);
    free(s.path);
    free(s.rows);
}

/* DATA/models/timing/NAME.json with NAME.rows.f32le. */
static void run_reference(const char *data, const char *name, const char *title, size_t width)
{
    struct subject s = {.title = title};
    struct err err = ERR_INIT;
    char path[1200], *rows;
    size_t len;

    snprintf(path, sizeof path, "%s/models/timing/%s.rows.f32le", data, name);
    if (access(path, R_OK) != 0)
        return;
    if (file_read(path, 1 << 30, &rows, &len, &err) != 0)
        die(path, err.text);
    s.rows = mem_alloc_aligned(len, 1);
    memcpy(s.rows, rows, len);
    s.count = len / sizeof(float) / width / BATCH * BATCH;
    snprintf(path, sizeof path, "%s/models/timing/%s.json", data, name);
    s.path = path;
    subject_run(&s);
    free(rows);
    free(s.rows);
}

int main(int argc, char **argv)
{
    const char *data = argc > 2 ? argv[2] : getenv("KSCORE_DATA");

    if (argc < 2)
        die("usage", "bench_forest FOLDER [DATA]");
    if (!data)
        data = "../shared/data";
    printf("| scoring, per row, one thread | kscore (portable) | libxgboost");
#if HAS_XGBOOST
    int major, minor, patch;
    XGBoostVersion(&major, &minor, &patch);
    printf(" %d.%d.%d", major, minor, patch);
#endif
    printf(" | times faster |\n|---|---|---|---|\n");
    run_synthetic(argv[1]);
    run_reference(data, "a_100t_d6_f30", "100 trees of depth 6, 30 features (trained)", 30);
    run_reference(data, "b_500t_d8_f100", "500 trees of depth 8, 100 features (trained)", 100);
    return 0;
}
