/* bits_alone.h: rows that go each by itself through the trees of struct bits_alone, without blocks.
 * bits_alone.c compiles; what runs is fill_alone and add_alone of struct bits_vectors with AVX-512
 * (bits_avx512_alone.c).
 */
#ifndef SCORING_BITS_ALONE_H
#define SCORING_BITS_ALONE_H

#include "scoring/bits.h"

/* Of a program that is else complete; nothing where rows cannot go alone. */
void bits_alone_build(struct bits_program *program, const struct trees *trees, const bool *taken);
void bits_alone_release(struct bits_alone *alone);

/* bytes: 256, aligned to 64. */
void bits_fill_alone(const struct bits_program *program, const float *row, uint8_t *bytes);

/* The sums are those of the row. */
void bits_add_alone(const struct bits_program *program, size_t first, size_t count,
                    const uint8_t *bytes, float *sums);

#endif
