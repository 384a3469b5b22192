/* bench_forest.c: scoring alone, each kernel beside the library of the model's format, on the same
 * rows: first the bits are held against each other, then all take turns.
 *
 *   bench_forest FOLDER [DATA]      FOLDER: where the synthetic bundle is written; DATA: reference
 *                                   models, by default $KSCORE_DATA or ../shared/data; where they
 *                                   are not there, only the synthetic model
 *
 * One thread, one named call for each (model_score, and those of library.h), margins, batches of
 * 4096 and 256 rows, and single rows. Times are medians of the turns, ratios medians of the turns'
 * ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/library.h"
#include "bench/synthetic.h"
#include "bench/timing.h"
#include "core/file.h"
#include "core/mem.h"
#include "scoring/kernel.h"
#include "scoring/model.h"

enum { ROWS = 4096, TURNS = 15, KERNELS = 3 };

static const char *const kernels[KERNELS] = {"portable", "avx2", "avx512"};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_forest: %s: %s\n", what, why);
    exit(1);
}

struct subject {
    const char *title;
    char *path;
    float *rows; /* ROWS */
    struct library (*open)(const char *path);
    size_t width;
    struct model *models[KERNELS]; /* NULL: not on this processor */
    void *scratch;
    struct library library;
};

/* Single rows take long: fewer of them do. */
static size_t rows_of(size_t batch)
{
    return batch > 1 ? ROWS : ROWS / 8;
}

static void run_kscore(const struct subject *s, size_t kernel, size_t batch, double *out)
{
    double *scores = mem_alloc(batch, sizeof *scores);

    for (size_t i = 0; i + batch <= rows_of(batch); i += batch)
        model_score(s->models[kernel], s->rows + i * s->width, batch, out + i, scores, s->scratch);
    free(scores);
}

static void run_library(const struct subject *s, size_t batch, double *out)
{
    for (size_t i = 0; i + batch <= rows_of(batch); i += batch)
        s->library.score(s->library.handle, s->rows + i * s->width, batch, s->width, out + i);
}

static void compare_bits(const struct subject *s, size_t kernel, size_t batch, const double *want,
                         double *got)
{
    run_kscore(s, kernel, batch, got);
    for (size_t i = 0; i < ROWS; i++)
        if (memcmp(&got[i], &want[i], sizeof *got) != 0) {
            fprintf(stderr, "bench_forest: %s, %s: row %zu: %.17g, %s has %.17g\n", s->title,
                    kernels[kernel], i, got[i], s->library.name, want[i]);
            exit(1);
        }
}

static void measure(const struct subject *s, size_t batch)
{
    double ours[KERNELS][TURNS], ratios[KERNELS][TURNS], theirs[TURNS], start;
    double *out = mem_alloc(ROWS, sizeof *out);

    for (int turn = 0; turn < TURNS; turn++) {
        start = timing_cpu_ns();
        if (s->library.handle)
            run_library(s, batch, out);
        theirs[turn] = (timing_cpu_ns() - start) / (double)rows_of(batch);
        for (size_t k = 0; k < KERNELS; k++) {
            start = timing_cpu_ns();
            if (s->models[k])
                run_kscore(s, k, batch, out);
            ours[k][turn] = (timing_cpu_ns() - start) / (double)rows_of(batch);
            ratios[k][turn] = theirs[turn] / ours[k][turn];
        }
    }
    printf("| %s, %zu row%s |", s->title, batch, batch > 1 ? "s" : "");
    for (size_t k = 0; k < KERNELS; k++)
        if (s->models[k] && s->library.handle)
            printf(" %.2f (%.1f) |", timing_median(ours[k], TURNS) / 1e3,
                   timing_median(ratios[k], TURNS));
        else if (s->models[k])
            printf(" %.2f |", timing_median(ours[k], TURNS) / 1e3);
        else
            printf(" - |");
    if (s->library.handle)
        printf(" %s: %.2f |\n", s->library.name, timing_median(theirs, TURNS) / 1e3);
    else
        printf(" %s: not installed |\n", s->library.name);
    fflush(stdout); /* the next takes its time */
    free(out);
}

static void load_models(struct subject *s)
{
    struct err err = ERR_INIT;
    size_t scratch = 0;

    for (size_t i = 0; kernel_at(i); i++)
        for (size_t k = 0; k < KERNELS; k++) {
            struct model_options options = {.simd = kernels[k]};
            if (strcmp(kernel_at(i)->name, kernels[k]) != 0)
                continue;
            if (model_load(&s->models[k], s->path, &options, &err) != 0)
                die(s->path, err.text);
            s->width = model_feature_count(s->models[k]);
            if (model_scratch_bytes(s->models[k]) > scratch)
                scratch = model_scratch_bytes(s->models[k]);
        }
    s->scratch = mem_alloc_aligned(scratch, 1);
}

static void subject_run(struct subject *s)
{
    double *want = mem_alloc(ROWS, sizeof *want), *got = mem_alloc(ROWS, sizeof *got);

    load_models(s);
    s->library = s->open(s->path);
    if (s->library.handle)
        run_library(s, 256, want);
    for (size_t k = 0; k < KERNELS; k++)
        if (s->models[k] && s->library.handle)
            for (size_t batch = 256; batch <= ROWS; batch *= ROWS / 256)
                compare_bits(s, k, batch, want, got);
    measure(s, ROWS);
    measure(s, 256);
    measure(s, 1);
    if (s->library.handle)
        s->library.close(s->library.handle);
    for (size_t k = 0; k < KERNELS; k++)
        model_free(s->models[k]);
    free(s->scratch);
    free(want);
    free(got);
}

static void run_synthetic(const char *folder)
{
    struct subject s = {.title = "100 trees of depth 6, 30 features (synthetic)",
                        .open = library_xgboost};
    struct synthetic source = {3};
    struct synthetic_event event;

    if (synthetic_write(folder, 100, 6) != 0)
        die(folder, "cannot be written");
    s.path = file_join(folder, "model.json");
    s.rows = mem_alloc((size_t)ROWS * SYNTHETIC_FEATURES, sizeof *s.rows);
    for (size_t i = 0; i < ROWS; i++) {
        synthetic_next(&source, &event);
        memcpy(s.rows + i * SYNTHETIC_FEATURES, event.row, sizeof event.row);
    }
    subject_run(&s);
    free(s.path);
    free(s.rows);
}

/* Files of DATA/models/timing. */
struct reference {
    const char *title, *model, *rows;
    struct library (*open)(const char *path);
};

static void run_reference(const char *data, const struct reference *r)
{
    struct subject s = {.title = r->title, .open = r->open};
    struct err err = ERR_INIT;
    char path[1200], *rows;
    size_t len;

    snprintf(path, sizeof path, "%s/models/timing/%s.rows.f32le", data, r->rows);
    if (access(path, R_OK) != 0)
        return;
    if (file_read(path, 1 << 30, &rows, &len, &err) != 0)
        die(path, err.text);
    s.rows = mem_alloc_aligned(len, 1);
    memcpy(s.rows, rows, len);
    snprintf(path, sizeof path, "%s/models/timing/%s", data, r->model);
    s.path = path;
    subject_run(&s);
    free(rows);
    free(s.rows);
}

int main(int argc, char **argv)
{
    static const struct reference references[] = {
        {"XGBoost, 100 trees of depth 6, 30 features", "a_100t_d6_f30.json", "a_100t_d6_f30",
         library_xgboost},
        {"XGBoost, 500 trees of depth 8, 100 features", "b_500t_d8_f100.json", "b_500t_d8_f100",
         library_xgboost},
        {"LightGBM, 100 trees of 63 leaves, 30 features", "lgb_a_100t_63l_f30.txt", "a_100t_d6_f30",
         library_lightgbm},
        {"LightGBM, 500 trees of 255 leaves, 100 features", "lgb_b_500t_255l_f100.txt",
         "b_500t_d8_f100", library_lightgbm},
        {"ONNX, 100 trees of depth 6, 30 features", "a_100t_d6_f30.onnx", "a_100t_d6_f30",
         library_onnx},
        {"ONNX, 500 trees of depth 8, 100 features", "b_500t_d8_f100.onnx", "b_500t_d8_f100",
         library_onnx},
    };
    const char *data = argc > 2 ? argv[2] : getenv("KSCORE_DATA");

    if (argc < 2)
        die("usage", "bench_forest FOLDER [DATA]");
    if (!data)
        data = "../shared/data";
    printf(
        "| scoring, one thread, µs per row (times faster) | portable | avx2 | avx512 | beside |\n"
        "|---|---|---|---|---|\n");
    run_synthetic(argv[1]);
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
        run_reference(data, &references[i]);
    return 0;
}
