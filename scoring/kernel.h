/* kernel.h: what a way of scoring trees is to forest.c. A kernel finds the leaf of each row in each
 * of its trees, and adds it to the sums, tree after tree; which leaf that is scoring/trees.h says,
 * so all kernels give the same bits.
 *
 * Trees that a kernel does not take are the portable one's: forest.c keeps the order of the trees.
 */
#ifndef SCORING_KERNEL_H
#define SCORING_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "scoring/trees.h"

enum { KERNEL_ROWS = 256 }; /* at most in one block */

/* Sums of a block: of output o and row r at [o * KERNEL_ROWS + r], in the kind of number that the
 * library sums in; the other is NULL. */
struct sums {
    float *floats;
    double *doubles;
};

struct kernel {
    const char *name;
    /* What a split costs in a block of any size: as much as so many levels that a row walks with
     * kernel_portable. Blocks of too few rows for that are kernel_portable's. */
    size_t split_cost;

    /* A program for the trees that it takes, and which those are, of all `trees`; keeps nothing of
     * them. NULL when it takes none. */
    void *(*build)(const struct trees *trees, bool *taken);
    void (*free)(void *program);
    size_t (*size_bytes)(const void *program); /* that scoring reads */

    /* For blocks of up to so many rows; aligned to 64, kept from prepare to the last add of one. */
    size_t (*scratch_bytes)(const void *program, size_t rows);

    /* Looks at count rows (1 to KERNEL_ROWS) for all of its trees. */
    void (*prepare)(const void *program, const float *rows, size_t count, void *scratch);

    /* Up to how many rows go each by itself, whatever the cost of splits; NULL: none do. */
    size_t (*alone_rows)(const void *program);

    /* Adds trees first to first + count - 1, counted in the forest, to the sums of the rows.
     * Whatever stands in the sums beyond the rows may change. */
    void (*add)(const void *program, size_t first, size_t count, struct sums sums, void *scratch);
};

/* Takes every tree. */
extern const struct kernel kernel_portable;

/* The levels that a row walks in all trees of its program; a level of a tree with links counts
 * twice, as it takes twice as long. */
size_t portable_level_count(const void *program);

/* Only where the compiler has them; run only where the processor does. */
extern const struct kernel kernel_avx2;
extern const struct kernel kernel_avx512;

/* The kernel of that name, or of the best that this processor has where name is NULL. Errors:
 * EXIT_CONFIGURATION, an unknown name, or one that this processor cannot run; then NULL. */
const struct kernel *kernel_find(const char *name, struct err *err);

/* The kernels that kernel_find finds here, the best first, then NULL. */
const struct kernel *kernel_at(size_t index);

#endif
