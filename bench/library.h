/* library.h: the libraries that scoring is measured beside, one named C call each, one thread.
 *
 *   libxgboost    XGBoosterPredictFromDense, type margin; where its header was there at build time
 *   LightGBM      LGBM_BoosterPredictForMat, raw scores; lib_lightgbm.so, $LIGHTGBM_LIBRARY or
 *                 where the loader finds it
 *   ONNX Runtime  OrtApi's Run, on a tensor that is made over the rows, and the model's first
 *                 output, of one column; libonnxruntime.so.1, $ONNXRUNTIME_LIBRARY or where the
 *                 loader finds it (library_onnx.c)
 */
#ifndef BENCH_LIBRARY_H
#define BENCH_LIBRARY_H

#include <stddef.h>

struct library {
    char name[60]; /* with its version, for the table */
    void *handle;  /* NULL: not there */
    void (*score)(void *handle, const float *rows, size_t count, size_t width, double *margins);
    void (*close)(void *handle);
};

/* Opens the model with the library that wrote it, or of its format. Exits with a line when the
 * library refuses. */
struct library library_xgboost(const char *path);
struct library library_lightgbm(const char *path);
struct library library_onnx(const char *path);

#endif
