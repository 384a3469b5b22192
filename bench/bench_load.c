/* bench_load.c: loading a model, beside the library that wrote it: time, both taking turns, and
 * peak memory.
 *
 *   bench_load FOLDER [DATA]        FOLDER: where the synthetic bundle is written; DATA: reference
 *                                   models, by default $KSCORE_DATA or ../shared/data; where they
 *                                   are not there, only the synthetic model
 *
 * One thread, one named call for each, from the file's path to a model that can score: model_load;
 * XGBoosterLoadModel; LGBM_BoosterCreateFromModelfile. CPU time, the file in the page cache. Each
 * load is a process of its own, as programs load one model when they start: memory is new, and its
 * page faults are part of the price. What a library does once is done before, with a small model.
 * Memory is what a process that loads the model and keeps it grows by at its peak (getrusage), the
 * file's bytes included.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/library.h"
#include "bench/synthetic.h"
#include "bench/timing.h"
#include "core/mem.h"
#include "scoring/model.h"

enum { TURNS = 11 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, why);
    exit(1);
}

/* What loads a model: one of library.h, or load_kscore. */
struct loader {
    struct library (*load)(const char *path);
};

static void free_kscore(void *model)
{
    model_free(model);
}

static struct library load_kscore(const char *path)
{
    struct library loaded = {"kscore", .close = free_kscore};
    struct err err = ERR_INIT;
    struct model *model;

    if (model_load(&model, path, NULL, &err) != 0)
        die(path, err.text);
    loaded.handle = model;
    return loaded;
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

struct cost {
    double ms, growth_mb;
    struct library library; /* its name; where its handle is NULL it is not there */
};

/* first: loaded before, and freed; NULL: nothing. */
static struct cost load(struct loader loader, const char *first, const char *path)
{
    struct cost cost;
    struct rusage usage;
    double before, start;

    if (first) {
        struct library small = loader.load(first);
        if (small.handle)
            small.close(small.handle);
    }
    before = resident_kib();
    start = timing_cpu_ns();
    cost.library = loader.load(path);
    cost.ms = (timing_cpu_ns() - start) / 1e6;
    getrusage(RUSAGE_SELF, &usage);
    cost.growth_mb = ((double)usage.ru_maxrss - before) * 1024 / 1e6;
    return cost;
}

/* In a process of its own; this one never loads anything: no threads that a fork would lose. */
static struct cost load_alone(struct loader loader, const char *first, const char *path)
{
    const char *lightgbm = getenv("LIGHTGBM_LIBRARY");
    struct cost cost;
    int ends[2], status;
    pid_t child;

    if (pipe(ends) != 0 || (child = fork()) < 0)
        die("fork", "fails");
    if (child == 0) {
        dlopen(lightgbm ? lightgbm : "lib_lightgbm.so", RTLD_NOW); /* which closing would unload */
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
    const char *file, *title, *first; /* a small model of its format */
    struct loader library;
};

/* One line of the table. */
static void measure(const struct subject *s, const char *first, const char *path)
{
    double ours[TURNS], theirs[TURNS], ratios[TURNS], peak, their_peak;
    struct cost cost;
    struct stat info;

    if (stat(path, &info) != 0)
        return;
    peak = load_alone((struct loader){load_kscore}, NULL, path).growth_mb;
    their_peak = load_alone(s->library, NULL, path).growth_mb;
    for (int turn = 0; turn < TURNS; turn++) {
        ours[turn] = load_alone((struct loader){load_kscore}, first, path).ms;
        cost = load_alone(s->library, first, path);
        theirs[turn] = cost.ms;
        ratios[turn] = theirs[turn] / ours[turn];
    }
    printf("| %s, %.1f MB | %.1f ms | ", s->title, (double)info.st_size / 1e6,
           timing_median(ours, TURNS));
    if (!cost.library.handle)
        printf("%s: not installed | | %.1f MB | |\n", cost.library.name, peak);
    else
        printf("%s: %.1f ms | %.1f | %.1f MB | %.1f MB |\n", cost.library.name,
               timing_median(theirs, TURNS), timing_median(ratios, TURNS), peak, their_peak);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct subject subjects[] = {
        {"a_100t_d6_f30.json", "100 trees of depth 6, JSON", NULL, {library_xgboost}},
        {"a_100t_d6_f30.ubj", "100 trees of depth 6, UBJSON", NULL, {library_xgboost}},
        {"b_500t_d8_f100.json", "500 trees of depth 8, JSON", NULL, {library_xgboost}},
        {"b_500t_d8_f100.ubj", "500 trees of depth 8, UBJSON", NULL, {library_xgboost}},
        {"lgb_b_500t_255l_f100.txt",
         "500 trees of 255 leaves, LightGBM",
         "lgb_a_100t_63l_f30.txt",
         {library_lightgbm}},
    };
    static const struct subject synthetic = {
        "model.json", "100 trees of depth 6, JSON (synthetic)", NULL, {library_xgboost}};
    const char *data = argc > 2 ? argv[2] : getenv("KSCORE_DATA");
    char small[1200], first[1200], path[1200];

    if (argc < 2)
        die("usage", "bench_load FOLDER [DATA]");
    if (!data)
        data = "../shared/data";
    if (synthetic_write(argv[1], 100, 6) != 0)
        die(argv[1], "cannot be written");
    snprintf(small, sizeof small, "%s/%s", argv[1], synthetic.file);
    printf(
        "| loading a model | kscore | its library | times faster | peak memory | the library's |\n"
        "|---|---|---|---|---|---|\n");
    fflush(stdout);
    measure(&synthetic, small, small);
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        const struct subject *s = &subjects[i];
        snprintf(path, sizeof path, "%s/models/timing/%s", data, s->file);
        snprintf(first, sizeof first, "%s/models/timing/%s", data, s->first ? s->first : "");
        measure(s, s->first ? first : small, path);
    }
    return 0;
}
