/* leaves.h: the values behind the leaves, and how they are added to the sums of a block.
 *
 * A kernel numbers the leaves as struct trees does: from a tree's first_leaf on, from left to
 * right. Doubles that the library has as float32 are floats again here.
 *
 * Immutable after leaves_init, which copies; any thread may add.
 */
#ifndef SCORING_LEAVES_H
#define SCORING_LEAVES_H

#include "scoring/kernel.h"

struct leaves {
    bool is_double, tiny_is_zero;
    size_t width;               /* values per leaf: 1, or one for each output */
    float *floats;              /* or */
    double *doubles;            /* leaf i, value k at [i * width + k] */
    struct linear_leaf *linear; /* per leaf, or NULL */
    uint32_t *linear_features;
    double *coefficients;
    size_t feature_count, size_bytes;
};

void leaves_init(struct leaves *leaves, const struct trees *trees);
void leaves_release(struct leaves *leaves);

/* Where the rows of a block have arrived in one tree. */
struct arrivals {
    uint32_t output;     /* that the tree adds to */
    const uint32_t *ids; /* the leaf of each row, counted in the forest */
    const float *rows;   /* looked at by linear trees only */
    size_t count;
};

void leaves_add(const struct leaves *leaves, const struct arrivals *at, struct sums sums);

#endif
