/* bench_load.c: loading a model, beside libxgboost: time, both taking turns, and peak memory.
 *
 *   bench_load FOLDER [DATA]        FOLDER: where the synthetic bundle is written; DATA: reference
 *                                   models, by default $KSCORE_DATA or ../shared/data; where they
 *                                   are not there, only the synthetic model
 *
 * One thread, one named call for each, from the file's path to a model that can score: model_load;
 * XGBoosterLoadModel. CPU time, the file in the page cache. Memory is what a process that loads the
 * model once and keeps it grows by at its peak (getrusage), the file's bytes in memory included.
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

static double load_once_ms(const struct loader *loader, const char *path)
{
    double start = timing_cpu_ns(), end;
    void *model = loader->load(path);

    end = timing_cpu_ns();
    loader->free(model);
    return (end - start) / 1e6;
}

static double resident_kib(void)
{
    double pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%*s %lf", &pages) != 1)
        die("/proc/self/statm", "cannot be read");
    fclose(f);
    return pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* In a process of its own: what has loaded before leaves no memory to be used again. */
static double peak_growth_mb(const struct loader *loader, const char *path)
{
    struct rusage usage;
    double growth = 0;
    int ends[2], status;
    pid_t child;

    mem_give_back();
    if (pipe(ends) != 0 || (child = fork()) < 0)
        die("fork", "fails");
    if (child == 0) {
        double before = resident_kib();
        loader->load(path);
        getrusage(RUSAGE_SELF, &usage);
        growth = ((double)usage.ru_maxrss - before) * 1024 / 1e6;
        _exit(write(ends[1], &growth, sizeof growth) == sizeof growth ? 0 : 1);
    }
    if (waitpid(child, &status, 0) != child || status != 0 ||
        read(ends[0], &growth, sizeof growth) != sizeof growth)
        die(path, "the process that loads it failed");
    close(ends[0]);
    close(ends[1]);
    return growth;
}

struct subject {
    const char *file, *title;
    char path[1200];
    double peaks[LOADERS];
    bool is_there;
};

/* One line of the table. */
static void measure(const struct subject *s)
{
    double times[LOADERS][TURNS], ratios[TURNS];
    struct stat info;

    if (stat(s->path, &info) != 0)
        die(s->path, "is gone");
    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < LOADERS; i++)
            times[i][turn] = load_once_ms(&loaders[i], s->path);
        ratios[turn] = times[LOADERS - 1][turn] / times[0][turn];
    }
    printf("| %s, %.1f MB | %.1f ms | ", s->title, (double)info.st_size / 1e6,
           timing_median(times[0], TURNS));
    if (LOADERS == 1)
        printf("not installed | | %.1f MB | |\n", s->peaks[0]);
    else
        printf("%.1f ms | %.1f | %.1f MB | %.1f MB |\n", timing_median(times[LOADERS - 1], TURNS),
               timing_median(ratios, TURNS), s->peaks[0], s->peaks[LOADERS - 1]);
}

int main(int argc, char **argv)
{
    static struct subject subjects[] = {
        {.file = "model.json", .title = "100 trees of depth 6, JSON (synthetic)"},
        {.file = "a_100t_d6_f30.json", .title = "100 trees of depth 6, JSON"},
        {.file = "a_100t_d6_f30.ubj", .title = "100 trees of depth 6, UBJSON"},
        {.file = "b_500t_d8_f100.json", .title = "500 trees of depth 8, JSON"},
        {.file = "b_500t_d8_f100.ubj", .title = "500 trees of depth 8, UBJSON"},
    };
    enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };
    const char *data = argc > 2 ? argv[2] : getenv("KSCORE_DATA");

    if (argc < 2)
        die("usage", "bench_load FOLDER [DATA]");
    if (!data)
        data = "../shared/data";
    if (synthetic_write(argv[1], 100, 6) != 0)
        die(argv[1], "cannot be written");
    /* All of these first: the library's threads do not survive a fork, and it waits for them. */
    for (struct subject *s = subjects; s < subjects + SUBJECTS; s++) {
        if (s == subjects)
            snprintf(s->path, sizeof s->path, "%s/%s", argv[1], s->file);
        else
            snprintf(s->path, sizeof s->path, "%s/models/timing/%s", data, s->file);
        s->is_there = access(s->path, R_OK) == 0;
        for (int i = 0; s->is_there && i < LOADERS; i++)
            s->peaks[i] = peak_growth_mb(&loaders[i], s->path);
    }
    printf("| loading a model | kscore | libxgboost");
#if HAS_XGBOOST
    int major, minor, patch;
    XGBoostVersion(&major, &minor, &patch);
    printf(" %d.%d.%d", major, minor, patch);
#endif
    printf(" | times faster | peak memory | the library's |\n|---|---|---|---|---|---|\n");
    for (const struct subject *s = subjects; s < subjects + SUBJECTS; s++)
        if (s->is_there)
            measure(s);
    return 0;
}
