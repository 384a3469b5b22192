/* kernel.h: what a way of scoring trees is to forest.c. A kernel finds the leaf of each row in each
 * of its trees, and adds it to the sums, tree after tree; which leaf that is scoring/trees.h says,
 * so all kernels give the same bits.
 *
 * Trees that a kernel does not take are another's: forest.c keeps the order of the trees.
 */
#ifndef SCORING_KERNEL_H
#define SCORING_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "scoring/trees.h"

enum { KERNEL_ROWS = 64 }; /* at most in one block */

/* Sums of a block: of output o and row r at [o * KERNEL_ROWS + r], in the kind of number that the
 * library sums in; the other is NULL. */
struct sums {
    float *floats;
    double *doubles;
};

struct kernel {
    const char *name;

    /* Whether it can score this tree. */
    bool (*takes)(const struct trees *trees, const struct tree *tree);

    /* A program for the trees that it takes; keeps nothing of `trees`. */
    void *(*build)(const struct trees *trees);
    void (*free)(void *program);
    size_t (*size_bytes)(const void *program); /* that scoring reads */

    /* Aligned to 64, kept from prepare to the last add of a block. */
    size_t (*scratch_bytes)(const void *program);

    /* Looks at count rows (1 to KERNEL_ROWS) for all of its trees. */
    void (*prepare)(const void *program, const float *rows, size_t count, void *scratch);

    /* Adds trees first to first + count - 1, counted in the forest, to the sums of the rows.
     * Whatever stands in the sums beyond the rows may change. */
    void (*add)(const void *program, size_t first, size_t count, struct sums sums, void *scratch);
};

/* Takes every tree. */
extern const struct kernel kernel_portable;

#endif
