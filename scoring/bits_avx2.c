/* The programs of bits.h with AVX2. Bit i of byte k of a plane is row 32 * i + k: the comparison of
 * 32 rows becomes a bit of each byte without leaving the vectors. */
#include "scoring/bits.h"

#ifdef __AVX2__

#include <immintrin.h>

enum { VECTORS = KERNEL_ROWS / 32 };

/* ---- prepare */

/* inputs_cell, for eight rows at a time */
static void find_keys(struct bits_block *b, const struct inputs *inputs, const struct input *input)
{
    const __m256 none = _mm256_setzero_ps(), all = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
    __m256 nan_is_missing = input->missing == MISSING_NEVER ? none : all;
    __m256 tiny_is_missing = input->missing == MISSING_NAN_OR_ZERO ? all : none;
    __m256 tiny_is_zero = inputs->tiny_is_zero ? all : none;

    for (size_t r = 0; r < b->count; r += 8) {
        __m256i *at = (__m256i *)(b->keys + r);
        __m256 x = _mm256_castsi256_ps(*at);
        __m256 is_nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
        __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
        __m256 is_tiny = _mm256_cmp_ps(size, _mm256_set1_ps(1e-35f), _CMP_LE_OQ);
        __m256 missing = _mm256_or_ps(_mm256_and_ps(is_nan, nan_is_missing),
                                      _mm256_and_ps(is_tiny, tiny_is_missing));
        __m256 is_zero = _mm256_or_ps(is_nan, _mm256_and_ps(is_tiny, tiny_is_zero));
        __m256i bits = _mm256_castps_si256(_mm256_add_ps(_mm256_andnot_ps(is_zero, x), none));
        *at = _mm256_xor_si256(bits, _mm256_srli_epi32(_mm256_srai_epi32(bits, 31), 1));
        *(__m256i *)(b->missing + r) = _mm256_castps_si256(missing);
    }
}

static inline int count_below(__m256i x, const int32_t *sixteen)
{
    __m256i low = _mm256_cmpgt_epi32(x, _mm256_load_si256((const __m256i *)sixteen));
    __m256i high = _mm256_cmpgt_epi32(x, _mm256_load_si256((const __m256i *)sixteen + 1));

    return __builtin_popcount((uint32_t)_mm256_movemask_epi8(_mm256_packs_epi32(low, high))) / 2;
}

static void rank(struct bits_block *b, const struct rank_group *group)
{
    for (size_t r = 0; r < b->count; r++) {
        __m256i x = _mm256_set1_epi32(b->keys[r]);
        int first = 16 * count_below(x, group->pivots);
        b->ranks[r] = (uint8_t)(first + count_below(x, group->below + first) - 128);
    }
}

static void settle(const struct bits_block *b, uint8_t missing, uint8_t *column)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);

    for (size_t r = 0; r < b->count; r += 32) {
        const __m256i *m = (const __m256i *)(b->missing + r);
        __m256i is_missing = _mm256_permutevar8x32_epi32(
            _mm256_packs_epi16(_mm256_packs_epi32(m[0], m[1]), _mm256_packs_epi32(m[2], m[3])),
            order);
        *(__m256i *)(column + r) = _mm256_blendv_epi8(*(const __m256i *)(b->ranks + r),
                                                      _mm256_set1_epi8((char)missing), is_missing);
    }
}

/* ---- splits to planes */

static inline __m256i compare(const uint8_t *column, int8_t rank)
{
    const __m256i *x = (const __m256i *)column;
    __m256i limit = _mm256_set1_epi8(rank), to = _mm256_setzero_si256();

    for (int i = 0; i < VECTORS; i++)
        to = _mm256_or_si256(
            to, _mm256_and_si256(_mm256_cmpgt_epi8(x[i], limit), _mm256_set1_epi8((char)(1 << i))));
    return to;
}

static inline __m256i look_up(const uint8_t *column, const uint8_t *table)
{
    const __m256i *x = (const __m256i *)column;
    __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
    __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table + 1));
    __m256i powers = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    __m256i to = _mm256_setzero_si256();

    for (int i = 0; i < VECTORS; i++) {
        /* a byte index of 16 and more gives 0 of the lower half, one below 16 of the upper */
        __m256i byte = _mm256_and_si256(_mm256_srli_epi16(x[i], 3), _mm256_set1_epi8(31));
        __m256i bits =
            _mm256_or_si256(_mm256_shuffle_epi8(low, _mm256_add_epi8(byte, _mm256_set1_epi8(0x70))),
                            _mm256_shuffle_epi8(high, _mm256_sub_epi8(byte, _mm256_set1_epi8(16))));
        __m256i bit = _mm256_shuffle_epi8(powers, _mm256_and_si256(x[i], _mm256_set1_epi8(7)));
        __m256i is_in = _mm256_cmpeq_epi8(_mm256_and_si256(bits, bit), bit);
        to = _mm256_or_si256(to, _mm256_and_si256(is_in, _mm256_set1_epi8((char)(1 << i))));
    }
    return to;
}

/* ---- planes to codes */

/* Exchanges the bits of p[i] above `keep` with those of p[i + shift] in it. */
static inline void swap_bits(__m256i *p, int shift, char keep)
{
    for (int i = 0; i < 8; i++) {
        __m256i swap;
        if (i & shift)
            continue;
        swap = _mm256_and_si256(_mm256_xor_si256(_mm256_srli_epi16(p[i], shift), p[i + shift]),
                                _mm256_set1_epi8(keep));
        p[i + shift] = _mm256_xor_si256(p[i + shift], swap);
        p[i] = _mm256_xor_si256(p[i], _mm256_slli_epi16(swap, shift));
    }
}

/* A transposition of 8 by 8 bits in each byte: bit k of plane i becomes bit i of vector k. */
static inline void find_codes(const uint16_t *planes, const __m256i *slots, __m256i *codes)
{
    __m256i p[BITS_PLANES];

    for (int i = 0; i < BITS_PLANES; i++)
        p[i] = slots[planes[i]];
    swap_bits(p, 4, 0x0f);
    swap_bits(p, 2, 0x33);
    swap_bits(p, 1, 0x55);
    for (int k = 0; k < VECTORS; k++)
        codes[k] = p[k];
}

static void run(const struct bits_program *p, const struct bits_tree *tree, struct bits_block *b,
                uint8_t *slot_bytes)
{
    const struct bits_compare *compares = p->compares + tree->first_compare;
    const struct bits_member *members = p->members + tree->first_member;
    const struct bits_mux *muxes = p->muxes + tree->first_mux;
    __m256i *slots = (__m256i *)slot_bytes;

    for (size_t i = 0; i < tree->compare_count; i++)
        slots[compares[i].to] =
            compare(b->columns + (size_t)compares[i].column * KERNEL_ROWS, compares[i].rank);
    for (size_t i = 0; i < tree->member_count; i++)
        slots[members[i].to] =
            look_up(b->columns + (size_t)members[i].column * KERNEL_ROWS, members[i].is_right);
    for (size_t i = 0; i < tree->mux_count; i++) {
        __m256i left = slots[muxes[i].left], right = slots[muxes[i].right];
        __m256i differ = _mm256_and_si256(slots[muxes[i].by], _mm256_xor_si256(left, right));
        slots[muxes[i].to] = _mm256_xor_si256(left, differ);
    }
    find_codes(tree->planes, slots, (__m256i *)b->codes);
}

/* ---- add */

static void add_floats(const struct bits_block *b, const float *values, uint16_t planes,
                       float *sums)
{
    (void)planes;
    for (size_t r = 0; r < b->count; r += 8) {
        __m256i at = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(b->codes + r)));
        _mm256_store_ps(
            sums + r, _mm256_add_ps(_mm256_load_ps(sums + r), _mm256_i32gather_ps(values, at, 4)));
    }
}

static void add_doubles(const struct bits_block *b, const double *values, double *sums)
{
    for (size_t r = 0; r < b->count; r += 4) {
        __m128i at = _mm_cvtepu8_epi32(_mm_loadu_si32(b->codes + r));
        _mm256_store_pd(
            sums + r, _mm256_add_pd(_mm256_load_pd(sums + r), _mm256_i32gather_pd(values, at, 8)));
    }
}

static const struct bits_vectors vectors = {.find_keys = find_keys,
                                            .rank = rank,
                                            .settle = settle,
                                            .run = run,
                                            .add_floats = add_floats,
                                            .add_doubles = add_doubles};

static void *build(const struct trees *trees, bool *taken)
{
    return bits_build(trees, taken, &vectors);
}

const struct kernel kernel_avx2 = {.name = "avx2",
                                   .split_cost = 8,
                                   .build = build,
                                   .free = bits_free,
                                   .size_bytes = bits_size_bytes,
                                   .scratch_bytes = bits_scratch_bytes,
                                   .prepare = bits_prepare,
                                   .add = bits_add};

#endif
