/* The programs of bits.h with AVX2. */
#include "scoring/bits.h"

#ifdef __AVX2__

#include "scoring/bits_planes.h"

/* ---- prepare */

/* Eight rows by eight features: pairs, fours, then both halves. */
static inline void turn_eight(const __m256 *in, float *out)
{
    __m256 pairs[8], fours[8];

    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(in[i], in[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(in[i], in[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++) {
            __m256d a = _mm256_castps_pd(pairs[i + k]), b = _mm256_castps_pd(pairs[i + k + 2]);
            fours[i + 2 * k] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
            fours[i + 2 * k + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
        }
    /* half h of fours[4 * g + k]: feature 4 * h + k of four rows from 4 * g on */
    for (int k = 0; k < 4; k++) {
        _mm256_store_ps(out + k * KERNEL_ROWS,
                        _mm256_permute2f128_ps(fours[k], fours[4 + k], 0x20));
        _mm256_store_ps(out + (4 + k) * KERNEL_ROWS,
                        _mm256_permute2f128_ps(fours[k], fours[4 + k], 0x31));
    }
}

static void turn(struct bits_block *b, const float *x, size_t stride, size_t width)
{
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    for (size_t f = 0; f < width; f += 8) {
        __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(width - f)), places);
        for (size_t r = 0; r < b->count; r += 8) {
            __m256 rows[8];
            for (size_t i = 0; i < 8; i++)
                rows[i] = _mm256_maskload_ps(
                    x + f + stride * (r + i < b->count ? r + i : b->count - 1), there);
            turn_eight(rows, b->numbers[f] + r);
        }
    }
}

/* Of eight numbers that are all ones or all zeros. */
static inline __m128i eight_bytes(__m256i x)
{
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));

    return _mm_packs_epi16(words, words);
}

/* inputs_cell, for eight rows at a time */
static void find_keys(struct bits_block *b, const struct inputs *inputs, const struct input *input,
                      const float *numbers)
{
    const __m256 none = _mm256_setzero_ps(), all = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
    __m256 nan_is_missing = input->missing == MISSING_NEVER ? none : all;
    __m256 tiny_is_missing = input->missing == MISSING_NAN_OR_ZERO ? all : none;
    __m256 tiny_is_zero = inputs->tiny_is_zero ? all : none;

    for (size_t r = 0; r < b->count; r += 8) {
        __m256 x = _mm256_load_ps(numbers + r);
        __m256 is_nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
        __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
        __m256 is_tiny = _mm256_cmp_ps(size, _mm256_set1_ps(1e-35f), _CMP_LE_OQ);
        __m256 missing = _mm256_or_ps(_mm256_and_ps(is_nan, nan_is_missing),
                                      _mm256_and_ps(is_tiny, tiny_is_missing));
        __m256 is_zero = _mm256_or_ps(is_nan, _mm256_and_ps(is_tiny, tiny_is_zero));
        __m256i bits = _mm256_castps_si256(_mm256_add_ps(_mm256_andnot_ps(is_zero, x), none));
        *(__m256i *)(b->keys + r) =
            _mm256_xor_si256(bits, _mm256_srli_epi32(_mm256_srai_epi32(bits, 31), 1));
        _mm_storel_epi64((__m128i *)(b->missing + r), eight_bytes(_mm256_castps_si256(missing)));
    }
}

static inline int count_below(__m256i x, const int32_t *sixteen)
{
    __m256i low = _mm256_cmpgt_epi32(x, _mm256_load_si256((const __m256i *)sixteen));
    __m256i high = _mm256_cmpgt_epi32(x, _mm256_load_si256((const __m256i *)sixteen + 1));

    return __builtin_popcount((uint32_t)_mm256_movemask_epi8(_mm256_packs_epi32(low, high))) / 2;
}

static void rank(struct bits_block *b, const struct rank_group *group,
                 const struct bits_table *table)
{
    (void)table;
    for (size_t r = 0; r < b->count; r++) {
        __m256i x = _mm256_set1_epi32(b->keys[r]);
        int first = 16 * count_below(x, group->pivots);
        b->ranks[r] = (uint8_t)(first + count_below(x, group->below + first) - 128);
    }
}

/* ---- add */

static void add_floats(const struct bits_block *b, const float *values, uint16_t planes,
                       float *sums)
{
    (void)planes;
    add_loaded_floats(b, values, sums);
}

static const struct bits_vectors vectors = {.turn = turn,
                                            .find_keys = find_keys,
                                            .rank = rank,
                                            .settle = settle,
                                            .mark = mark,
                                            .run = run,
                                            .add_floats = add_floats,
                                            .add_doubles = add_doubles};

static void *build(const struct trees *trees, bool *taken)
{
    return bits_build(trees, taken, &vectors);
}

const struct kernel kernel_avx2 = {.name = "avx2",
                                   .split_cost = 6,
                                   .build = build,
                                   .free = bits_free,
                                   .size_bytes = bits_size_bytes,
                                   .scratch_bytes = bits_scratch_bytes,
                                   .alone_rows = bits_alone_rows,
                                   .prepare = bits_prepare,
                                   .add = bits_add};

#endif
