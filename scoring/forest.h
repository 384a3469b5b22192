/* forest.h: trees made ready for scoring, and the kernels that score them.
 *
 * A forest is compiled from struct trees (scoring/trees.h), which says what a split means; here it
 * is made fast. Why the kernels give the library's bits: scoring/README.md.
 *
 *   inputs.c     what the splits look at: one column per feature, kind of missing and default side
 *   forest.c     the kernels' common part: which trees go where, sums, margins
 *   kernel.c     which kernels this processor has
 *   portable.c   level by level: eight rows in a tree, or one row in several
 *   ranks.c      numbers as bytes
 *   bits.c       trees without jumps, 256 rows at a time; bits_avx2.c, bits_avx512.c run them
 *   bits_alone.c rows by themselves, with AVX-512
 *
 * Immutable, owns its arrays, any thread may score with a scratch of its own. Keeps nothing of the
 * trees.
 */
#ifndef SCORING_FOREST_H
#define SCORING_FOREST_H

#include <stddef.h>

#include "scoring/trees.h"

struct forest;

struct kernel; /* scoring/kernel.h */

/* What that kernel does not take is scored by the portable one. */
struct forest *forest_new(const struct trees *trees, const struct kernel *kernel);
void forest_free(struct forest *forest);

/* For people: the name of the kernel or kernels, and how many bytes scoring reads. */
const char *forest_kernel(const struct forest *forest);
size_t forest_size_bytes(const struct forest *forest);

size_t forest_scratch_bytes(const struct forest *forest);

/* margins[i * output_count ...] for rows[i * feature_count ...]: float32 sums are widened. Scratch
 * aligned to 64. */
void forest_score(const struct forest *forest, const float *rows, size_t count, double *margins,
                  void *scratch);

#endif
