/* bench_load.c: loading a model, beside libxgboost: time, both taking turns, and peak memory.
 *
 *   bench_load FOLDER [DATA]        FOLDER: where the synthetic bundle is written; DATA: reference
 *                                   models, by default $KSCORE_DATA or ../shared/data; where they
 *                                   are not there, only the synthetic model
 *
 * One thread, one named call for each, from the file's path to a model that can score: model_load;
 * XGBoosterLoadModel. CPU time, the file in the page cache. Each load is a process of its own, as
 * programs load one model when they start: memory is new, and its page faults are part of the
 * price. What a library does once is done before, with the synthetic model. Memory is what a
 * process that loads the model and keeps it grows by at its peak (getrusage), the file's bytes
 * included.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/synthetic.h"
#include "bench/timing.h"
#include "core/mem.h"
#include "scoring/model.h"

#if __has_include(<xgboost/c_api.h>)
#include <xgboost/c_api.h>
#define HAS_XGBOOST 1
#else
#define HAS_XGBOOST 0
#endif

enum { TURNS = 11 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, why);
    exit(1);
}

static void *load_kscore(const char *path)
{
    struct err err = ERR_INIT;
    struct model *model;

    if (model_load(&model, path, NULL, &err) != 0)
        die(path, err.text);
    return model;
}

static void free_kscore(void *model)
{
    model_free(model);
}

#if HAS_XGBOOST
static void *load_library(const char *path)
{
    BoosterHandle booster;

    if (XGBoosterCreate(NULL, 0, &booster) != 0 ||
        XGBoosterSetParam(booster, "nthread", "1") != 0 || XGBoosterLoadModel(booster, path) != 0)
        die("libxgboost", XGBGetLastError());
    return booster;
}

static void free_library(void *booster)
{
    XGBoosterFree(booster);
}
#endif

static const struct loader {
    void *(*load)(const char *path);
    void (*free)(void *model);
} loaders[] = {
    {load_kscore, free_kscore},
#if HAS_XGBOOST
    {load_library, free_library},
#endif
};
enum { LOADERS = sizeof loaders / sizeof loaders[0] };

static double resident_kib(void)
{
    double pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%*s %lf", &pages) != 1)
        die("/proc/self/statm", "cannot be read");
    fclose(f);
    return pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

struct cost {
    double ms, growth_mb;
};

/* first: loaded before, and freed; NULL: nothing. */
static struct cost load(const struct loader *loader, const char *first, const char *path)
{
    struct cost cost;
    struct rusage usage;
    double before, start;

    if (first)
        loader->free(loader->load(first));
    before = resident_kib();
    start = timing_cpu_ns();
    loader->load(path);
    cost.ms = (timing_cpu_ns() - start) / 1e6;
    getrusage(RUSAGE_SELF, &usage);
    cost.growth_mb = ((double)usage.ru_maxrss - before) * 1024 / 1e6;
    return cost;
}

/* In a process of its own; this one never loads anything: no threads that a fork would lose. */
static struct cost load_alone(const struct loader *loader, const char *first, const char *path)
{
    struct cost cost;
    int ends[2], status;
    pid_t child;

    if (pipe(ends) != 0 || (child = fork()) < 0)
        die("fork", "fails");
    if (child == 0) {
        cost = load(loader, first, path);
        _exit(write(ends[1], &cost, sizeof cost) == sizeof cost ? 0 : 1);
    }
    if (waitpid(child, &status, 0) != child || status != 0 ||
        read(ends[0], &cost, sizeof cost) != sizeof cost)
        die(path, "the process that loads it failed");
    close(ends[0]);
    close(ends[1]);
    return cost;
}

struct subject {
    const char *file, *title;
};

/* One line of the table. first: of the synthetic model. */
static void measure(const struct subject *s, const char *first, const char *path)
{
    double times[LOADERS][TURNS], ratios[TURNS], peaks[LOADERS];
    struct stat info;

    if (stat(path, &info) != 0)
        return;
    for (int i = 0; i < LOADERS; i++)
        peaks[i] = load_alone(&loaders[i], NULL, path).growth_mb;
    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < LOADERS; i++)
            times[i][turn] = load_alone(&loaders[i], first, path).ms;
        ratios[turn] = times[LOADERS - 1][turn] / times[0][turn];
    }
    printf("| %s, %.1f MB | %.1f ms | ", s->title, (double)info.st_size / 1e6,
           timing_median(times[0], TURNS));
    if (LOADERS == 1)
        printf("not installed | | %.1f MB | |\n", peaks[0]);
    else
        printf("%.1f ms | %.1f | %.1f MB | %.1f MB |\n", timing_median(times[LOADERS - 1], TURNS),
               timing_median(ratios, TURNS), peaks[0], peaks[LOADERS - 1]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct subject subjects[] = {
        {"a_100t_d6_f30.json", "100 trees of depth 6, JSON"},
        {"a_100t_d6_f30.ubj", "100 trees of depth 6, UBJSON"},
        {"b_500t_d8_f100.json", "500 trees of depth 8, JSON"},
        {"b_500t_d8_f100.ubj", "500 trees of depth 8, UBJSON"},
    };
    static const struct subject synthetic = {"model.json",
                                             "100 trees of depth 6, JSON (synthetic)"};
    const char *data = argc > 2 ? argv[2] : getenv("KSCORE_DATA");
    char first[1200], path[1200];

    if (argc < 2)
        die("usage", "bench_load FOLDER [DATA]");
    if (!data)
        data = "../shared/data";
    if (synthetic_write(argv[1], 100, 6) != 0)
        die(argv[1], "cannot be written");
    snprintf(first, sizeof first, "%s/%s", argv[1], synthetic.file);
    printf("| loading a model | kscore | libxgboost");
#if HAS_XGBOOST
    int major, minor, patch;
    XGBoostVersion(&major, &minor, &patch);
    printf(" %d.%d.%d", major, minor, patch);
#endif
    printf(" | times faster | peak memory | the library's |\n|---|---|---|---|---|---|\n");
    fflush(stdout);
    measure(&synthetic, first, first);
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        snprintf(path, sizeof path, "%s/models/timing/%s", data, subjects[i].file);
        measure(&subjects[i], first, path);
    }
    return 0;
}
