/* bits_planes.h: from columns to codes (scoring/bits.h), 256 rows in vectors of 32 bytes: what
 * bits_avx2.c and bits_avx512.c each compile for their own processors.
 *
 * Bit i of byte k of a plane is row 32 * i + k: the comparison of 32 rows becomes a bit of each
 * byte without leaving the vectors. Masks of AVX-512 (a comparison of 64 bytes is 64 bits) take
 * half as long again on Zen 4: each goes through memory, and what reads a plane waits for four.
 */
#ifndef SCORING_BITS_PLANES_H
#define SCORING_BITS_PLANES_H

#ifdef __AVX2__

#include <immintrin.h>
#include <string.h>

#include "scoring/bits.h"

enum { BITS_VECTORS = KERNEL_ROWS / 32 };

#ifdef __AVX512VL__
static inline __m256i select_bits(__m256i which, __m256i set, __m256i clear)
{
    return _mm256_ternarylogic_epi64(which, set, clear, 0xca);
}

static inline __m256i or_and(__m256i x, __m256i a, __m256i b)
{
    return _mm256_ternarylogic_epi64(x, a, b, 0xf8);
}
#else
/* Each bit of `set` where `which` has one, else that of `clear`. */
static inline __m256i select_bits(__m256i which, __m256i set, __m256i clear)
{
    return _mm256_xor_si256(clear, _mm256_and_si256(which, _mm256_xor_si256(clear, set)));
}

/* x | (a & b) */
static inline __m256i or_and(__m256i x, __m256i a, __m256i b)
{
    return _mm256_or_si256(x, _mm256_and_si256(a, b));
}
#endif

/* ---- prepare */

/* What bits_vectors.settle is. */
static void settle(const struct bits_block *b, uint8_t *column)
{
    for (size_t r = 0; r < KERNEL_ROWS; r += 32) {
        __m256i ranks = _mm256_load_si256((const __m256i *)(const void *)(b->ranks + r));
        __m256i missing = _mm256_load_si256((const __m256i *)(const void *)(b->missing + r));
        _mm256_store_si256((__m256i *)(void *)(column + r),
                           select_bits(missing, _mm256_set1_epi8((char)128), ranks));
    }
}

/* Bit i of each byte where vector i is not 0 there: of bytes that are all ones or all zeros. Two
 * sums: one would be a chain, which takes gcc 12 twice as long. */
static inline __m256i gather_bits(const __m256i *x)
{
    __m256i even = _mm256_and_si256(x[0], _mm256_set1_epi8(1));
    __m256i odd = _mm256_and_si256(x[1], _mm256_set1_epi8(2));

    for (int i = 2; i < BITS_VECTORS; i += 2) {
        even = or_and(even, x[i], _mm256_set1_epi8((char)(1 << i)));
        odd = or_and(odd, x[i + 1], _mm256_set1_epi8((char)(2 << i)));
    }
    return _mm256_or_si256(even, odd);
}

/* What bits_vectors.mark is. */
static void mark(const struct bits_block *b, uint8_t *plane)
{
    const __m256i *missing = (const __m256i *)(const void *)b->missing;

    _mm256_store_si256((__m256i *)(void *)plane,
                       _mm256_xor_si256(gather_bits(missing), _mm256_set1_epi8(-1)));
}

/* ---- splits to planes */

/* The rows below the limit. This way round a column is an operand of the comparison, not a load of
 * its own. */
static inline __m256i compare(const struct bits_compare *c, const struct bits_block *b)
{
    const __m256i *x =
        (const __m256i *)(const void *)(b->columns + (size_t)c->column * KERNEL_ROWS);
    __m256i below[BITS_VECTORS], limit = _mm256_set1_epi8(c->limit);

    for (int i = 0; i < BITS_VECTORS; i++)
        below[i] = _mm256_cmpgt_epi8(limit, x[i]);
    return gather_bits(below);
}

static inline __m256i look_up(const uint8_t *column, const uint8_t *table)
{
    const __m256i *x = (const __m256i *)column;
    __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
    __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table + 1));
    __m256i powers = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    __m256i to = _mm256_setzero_si256();

    for (int i = 0; i < BITS_VECTORS; i++) {
        /* a byte index of 16 and more gives 0 of the lower half, one below 16 of the upper */
        __m256i byte = _mm256_and_si256(_mm256_srli_epi16(x[i], 3), _mm256_set1_epi8(31));
        __m256i bits =
            _mm256_or_si256(_mm256_shuffle_epi8(low, _mm256_add_epi8(byte, _mm256_set1_epi8(0x70))),
                            _mm256_shuffle_epi8(high, _mm256_sub_epi8(byte, _mm256_set1_epi8(16))));
        __m256i bit = _mm256_shuffle_epi8(powers, _mm256_and_si256(x[i], _mm256_set1_epi8(7)));
        __m256i is_in = _mm256_cmpeq_epi8(_mm256_and_si256(bits, bit), bit);
        to = or_and(to, is_in, _mm256_set1_epi8((char)(1 << i)));
    }
    return to;
}

/* ---- planes to codes */

/* Exchanges the bits of p[i] above `keep` with those of p[i + shift] in it. */
static inline void swap_bits(__m256i *p, int shift, char keep)
{
    __m256i low = _mm256_set1_epi8(keep), high = _mm256_slli_epi16(low, shift);

    for (int i = 0; i < BITS_PLANES; i++) {
        __m256i up;
        if (i & shift)
            continue;
        up = _mm256_slli_epi16(p[i + shift], shift);
        p[i + shift] = select_bits(low, _mm256_srli_epi16(p[i], shift), p[i + shift]);
        p[i] = select_bits(high, up, p[i]);
    }
}

static inline __m256i *slot(uint8_t *slots, size_t place)
{
    return (__m256i *)(void *)(slots + place);
}

/* A transposition of 8 by 8 bits in each byte: bit k of plane i becomes bit i of vector k. */
static inline void find_codes(__m256i *planes, __m256i *codes)
{
    swap_bits(planes, 4, 0x0f);
    swap_bits(planes, 2, 0x33);
    swap_bits(planes, 1, 0x55);
    for (int k = 0; k < BITS_VECTORS; k++)
        codes[k] = planes[k];
}

/* Of the splits of a level the one that the sides p[] taken above it lead to; all that is chosen
 * among stays in registers. */
static inline __m256i choose_1(const __m256i *level, const __m256i *p)
{
    (void)p;
    return *level;
}

#define CHOOSE(count, half)                                                                        \
    static inline __m256i choose_##count(const __m256i *level, const __m256i *p)                   \
    {                                                                                              \
        return select_bits(p[0], choose_##half(level + (half), p + 1),                             \
                           choose_##half(level, p + 1));                                           \
    }
CHOOSE(2, 1)
CHOOSE(4, 2)
CHOOSE(8, 4)
CHOOSE(16, 8)
CHOOSE(32, 16)
CHOOSE(64, 32)
CHOOSE(128, 64)
#undef CHOOSE

static void find_padded(const __m256i *slots, int depth, __m256i *codes)
{
    __m256i p[BITS_PLANES], none = _mm256_setzero_si256();

    p[0] = depth > 0 ? slots[0] : none;
    p[1] = depth > 1 ? choose_2(slots + 1, p) : none;
    p[2] = depth > 2 ? choose_4(slots + 3, p) : none;
    p[3] = depth > 3 ? choose_8(slots + 7, p) : none;
    p[4] = depth > 4 ? choose_16(slots + 15, p) : none;
    p[5] = depth > 5 ? choose_32(slots + 31, p) : none;
    p[6] = depth > 6 ? choose_64(slots + 63, p) : none;
    p[7] = depth > 7 ? choose_128(slots + 127, p) : none;
    find_codes(p, codes);
}

static void find_muxed(const struct bits_tree *tree, const struct bits_mux *muxes, uint8_t *slots,
                       __m256i *codes)
{
    __m256i p[BITS_PLANES];

    for (size_t i = 0, count = tree->mux_count; i < count; i++) {
        uint64_t mux; /* read at once: four loads would be a third of what it costs */
        memcpy(&mux, &muxes[i], sizeof mux);
        *slot(slots, (uint16_t)mux) =
            select_bits(*slot(slots, _bextr_u64(mux, 16, 16)), *slot(slots, mux >> 48),
                        *slot(slots, _bextr_u64(mux, 32, 16)));
    }
    for (int i = 0; i < BITS_PLANES; i++)
        p[i] = *slot(slots, tree->planes[i]);
    find_codes(p, codes);
}

/* What bits_vectors.run is. */
static void run(const struct bits_program *p, const struct bits_tree *tree, struct bits_block *b,
                uint8_t *present, uint8_t *slots)
{
    const struct bits_compare *compares = p->compares + tree->first_compare;
    const struct bits_member *members = p->members + tree->first_member;
    size_t i = 0, count = tree->compare_count, left = count - tree->right_count;
    __m256i *codes = (__m256i *)(void *)b->codes;

    for (; i < left; i++)
        *slot(slots, (size_t)compares[i].to * BITS_PLANE_BYTES) = compare(&compares[i], b);
    for (; i < count; i++)
        *slot(slots, (size_t)compares[i].to * BITS_PLANE_BYTES) =
            _mm256_and_si256(compare(&compares[i], b),
                             *slot(present, (size_t)compares[i].column * BITS_PLANE_BYTES));
    for (i = 0; i < tree->member_count; i++)
        *slot(slots, members[i].to) =
            look_up(b->columns + (size_t)members[i].column * KERNEL_ROWS, members[i].is_left);
    if (tree->is_padded)
        find_padded((const __m256i *)(void *)slots, tree->plane_count, codes);
    else
        find_muxed(tree, p->muxes + tree->first_mux, slots, codes);
}

/* ---- add: a load for each row, as gathers take two to three times as long (Zen 4) */

static inline uint64_t eight_codes(const struct bits_block *b, size_t row)
{
    uint64_t codes;

    memcpy(&codes, b->codes + row, sizeof codes);
    return codes;
}

static void add_loaded_floats(const struct bits_block *b, const float *values, float *sums)
{
    for (size_t r = 0; r < b->count; r += 8) {
        uint64_t c = eight_codes(b, r);
        __m256 x = _mm256_setr_ps(values[c & 255], values[c >> 8 & 255], values[c >> 16 & 255],
                                  values[c >> 24 & 255], values[c >> 32 & 255],
                                  values[c >> 40 & 255], values[c >> 48 & 255], values[c >> 56]);
        _mm256_store_ps(sums + r, _mm256_add_ps(_mm256_load_ps(sums + r), x));
    }
}

/* What bits_vectors.add_doubles is. */
static void add_doubles(const struct bits_block *b, const double *values, double *sums)
{
    for (size_t r = 0; r < b->count; r += 8) {
        uint64_t c = eight_codes(b, r);
        __m256d low = _mm256_setr_pd(values[c & 255], values[c >> 8 & 255], values[c >> 16 & 255],
                                     values[c >> 24 & 255]);
        __m256d high = _mm256_setr_pd(values[c >> 32 & 255], values[c >> 40 & 255],
                                      values[c >> 48 & 255], values[c >> 56]);
        _mm256_store_pd(sums + r, _mm256_add_pd(_mm256_load_pd(sums + r), low));
        _mm256_store_pd(sums + r + 4, _mm256_add_pd(_mm256_load_pd(sums + r + 4), high));
    }
}

#endif
#endif
