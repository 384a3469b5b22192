/* linear.h: linear models as data: each output is a sum of weight * x over the features.
 *
 * The order of the sum is fixed: the intercept first, then the features from first to last, each
 * product and each sum rounded to the kind of number that the library has (no fused multiply-add).
 * A missing x (NaN) is replaced, left out, or makes the sum NaN.
 *
 * Owns its arrays. Built by one thread, then only read; any thread may score.
 */
#ifndef SCORING_LINEAR_H
#define SCORING_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

struct linear {
    size_t feature_count, output_count;
    bool is_double;     /* else all is float32, which the doubles hold without loss */
    bool nan_stays;     /* a missing x makes the sum NaN (only where is_double) */
    double *missing;    /* what stands in for a missing x; NaN, or NULL: nothing (is_double) */
    double *weights;    /* of output o and feature f at [o * feature_count + f] */
    double *intercepts; /* output_count */
};

/* Weights and intercepts of 0. The caller has bounded the product. */
struct linear *linear_new(size_t feature_count, size_t output_count);
void linear_free(struct linear *linear);

size_t linear_size_bytes(const struct linear *linear);

/* The feature's x, or what stands in for it. */
static inline double linear_input(const struct linear *linear, size_t feature, float x)
{
    return x != x && linear->missing ? linear->missing[feature] : (double)x;
}

/* margins[i * output_count ...] for rows[i * feature_count ...]. */
void linear_score(const struct linear *linear, const float *rows, size_t count, double *margins);

#endif
