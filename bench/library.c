#include "bench/library.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if __has_include(<xgboost/c_api.h>)
#include <xgboost/c_api.h>
#define HAS_XGBOOST 1
#else
#define HAS_XGBOOST 0
#endif

static void must(int result, const char *library, const char *why)
{
    if (result == 0)
        return;
    fprintf(stderr, "bench_forest: %s: %s\n", library, why);
    exit(1);
}

/* ---- XGBoost */

#if HAS_XGBOOST
static void xgboost_score(void *handle, const float *rows, size_t count, size_t width,
                          double *margins)
{
    static const char settings[] =
        "{\"type\":1,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,"
        "\"missing\":NaN,\"cache_id\":0}";
    const bst_ulong *shape;
    bst_ulong dim;
    const float *result;
    char array[200];

    snprintf(array, sizeof array,
             "{\"data\":[%zu,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
             (size_t)rows, count, width);
    must(XGBoosterPredictFromDense(handle, array, settings, NULL, &shape, &dim, &result),
         "libxgboost", XGBGetLastError());
    for (size_t i = 0; i < count; i++)
        margins[i] = (double)result[i];
}

static void xgboost_close(void *handle)
{
    XGBoosterFree(handle);
}

struct library library_xgboost(const char *path)
{
    struct library l = {.score = xgboost_score, .close = xgboost_close};
    int major, minor, patch;

    XGBoostVersion(&major, &minor, &patch);
    snprintf(l.name, sizeof l.name, "libxgboost %d.%d.%d", major, minor, patch);
    must(XGBoosterCreate(NULL, 0, &l.handle), l.name, XGBGetLastError());
    must(XGBoosterLoadModel(l.handle, path), l.name, XGBGetLastError());
    must(XGBoosterSetParam(l.handle, "nthread", "1"), l.name, XGBGetLastError());
    return l;
}
#else
struct library library_xgboost(const char *path)
{
    (void)path;
    return (struct library){.name = "libxgboost"};
}
#endif

/* ---- LightGBM: no header needed, its C interface is small and old (include/LightGBM/c_api.h) */

struct lightgbm {
    void *library, *booster;
    int (*load)(const char *path, int *iterations, void **booster);
    int (*predict)(void *booster, const void *rows, int type, int32_t count, int32_t width,
                   int is_row_major, int predict_type, int start, int iterations,
                   const char *settings, int64_t *len, double *out);
    int (*free)(void *booster);
    const char *(*error)(void);
};

enum { LGB_FLOAT32 = 0, LGB_RAW_SCORE = 1 };

static void lightgbm_score(void *handle, const float *rows, size_t count, size_t width,
                           double *margins)
{
    struct lightgbm *l = handle;
    int64_t len;

    must(l->predict(l->booster, rows, LGB_FLOAT32, (int32_t)count, (int32_t)width, 1, LGB_RAW_SCORE,
                    0, -1, "num_threads=1 verbosity=-1", &len, margins),
         "LightGBM", l->error());
}

static void lightgbm_close(void *handle)
{
    struct lightgbm *l = handle;

    l->free(l->booster);
    dlclose(l->library);
    free(l);
}

struct library library_lightgbm(const char *path)
{
    struct library result = {"LightGBM", .score = lightgbm_score, .close = lightgbm_close};
    const char *file = getenv("LIGHTGBM_LIBRARY");
    struct lightgbm *l = calloc(1, sizeof *l);
    int iterations;

    if (!l || !(l->library = dlopen(file ? file : "lib_lightgbm.so", RTLD_NOW))) {
        free(l);
        return result;
    }
    *(void **)&l->load = dlsym(l->library, "LGBM_BoosterCreateFromModelfile");
    *(void **)&l->predict = dlsym(l->library, "LGBM_BoosterPredictForMat");
    *(void **)&l->free = dlsym(l->library, "LGBM_BoosterFree");
    *(void **)&l->error = dlsym(l->library, "LGBM_GetLastError");
    must(!l->load || !l->predict || !l->free || !l->error, "LightGBM", "not its C interface");
    must(l->load(path, &iterations, &l->booster), "LightGBM", l->error());
    result.handle = l;
    return result;
}
