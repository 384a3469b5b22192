/* transform.h: what happens to a row before a model's body sees it: columns are chosen and ordered,
 * missing values replaced, numbers scaled, as the file says. Data, no code: steps on one column
 * each, one after the other, float32 unless a step says double.
 *
 * Owns its arrays. Built by one thread, then only read; any thread may apply.
 */
#ifndef SCORING_TRANSFORM_H
#define SCORING_TRANSFORM_H

#include <stddef.h>
#include <stdint.h>

enum step_kind {
    STEP_REPLACE,      /* what equals a, or is NaN where a is: b */
    STEP_SCALE,        /* (x - a) * b */
    STEP_SCALE_DOUBLE, /* the same in double, then rounded */
    STEP_ADD,          /* x + a */
    STEP_SUBTRACT,     /* x - a */
    STEP_MULTIPLY,     /* x * a */
    STEP_DIVIDE,       /* x / a */
};

struct step {
    uint32_t column; /* of the body's row */
    enum step_kind kind;
    double a, b;
};

struct transform {
    size_t from_count, to_count; /* columns of the model's rows, and of the body's */
    uint32_t *sources;           /* to_count: which of the model's columns each is */
    struct step *steps;
    size_t step_count, step_cap;
};

/* Columns as they are: source i for i < to_count. */
struct transform *transform_new(size_t from_count, size_t to_count);
void transform_free(struct transform *transform);
void transform_add(struct transform *transform, struct step step);

/* to[i * to_count ...] of rows[i * from_count ...]. */
void transform_apply(const struct transform *transform, const float *rows, size_t count, float *to);

#endif
