/* The programs of bits.h with AVX-512 (F, BW, VL, VBMI: Ice Lake, Zen 4 and later). */
#include "scoring/bits.h"

#ifdef __AVX512VBMI__

#include "scoring/bits_planes.h"

/* ---- prepare */

/* inputs_cell, for sixteen rows at a time */
static void find_keys(struct bits_block *b, const struct inputs *inputs, const struct input *input)
{
    __mmask16 nan_is_missing = input->missing == MISSING_NEVER ? 0 : 0xffff;
    __mmask16 tiny_is_missing = input->missing == MISSING_NAN_OR_ZERO ? 0xffff : 0;
    __mmask16 tiny_is_zero = inputs->tiny_is_zero ? 0xffff : 0;

    for (size_t r = 0; r < b->count; r += 16) {
        __m512i loaded = _mm512_load_si512((const void *)(b->keys + r));
        __m512 x = _mm512_castsi512_ps(loaded);
        __m512 size = _mm512_castsi512_ps(_mm512_and_si512(loaded, _mm512_set1_epi32(0x7fffffff)));
        __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
        __mmask16 is_tiny = _mm512_cmp_ps_mask(size, _mm512_set1_ps(1e-35f), _CMP_LE_OQ);
        __mmask16 missing = (__mmask16)((is_nan & nan_is_missing) | (is_tiny & tiny_is_missing));
        __mmask16 is_zero = (__mmask16)(is_nan | (is_tiny & tiny_is_zero));
        __m512 number = _mm512_mask_mov_ps(x, is_zero, _mm512_setzero_ps());
        __m512i bits = _mm512_castps_si512(_mm512_add_ps(number, _mm512_setzero_ps()));
        __m512i key = _mm512_xor_si512(bits, _mm512_srli_epi32(_mm512_srai_epi32(bits, 31), 1));
        _mm512_store_si512((void *)(b->keys + r), key);
        _mm512_store_si512((void *)(b->missing + r), _mm512_maskz_set1_epi32(missing, -1));
    }
}

static inline int count_below(__m512i x, const int32_t *sixteen)
{
    return __builtin_popcount(_mm512_cmpgt_epi32_mask(x, _mm512_load_si512((const void *)sixteen)));
}

static void rank(struct bits_block *b, const struct rank_group *group)
{
    for (size_t r = 0; r < b->count; r++) {
        __m512i x = _mm512_set1_epi32(b->keys[r]);
        int first = 16 * count_below(x, group->pivots);
        b->ranks[r] = (uint8_t)(first + count_below(x, group->below + first) - 128);
    }
}

static void settle(const struct bits_block *b, uint8_t missing, uint8_t *column)
{
    for (size_t r = 0; r < b->count; r += 16) {
        __m512i is_missing = _mm512_load_si512((const void *)(b->missing + r));
        __m128i ranks = _mm_load_si128((const __m128i *)(b->ranks + r));
        _mm_store_si128((__m128i *)(column + r),
                        _mm_mask_mov_epi8(ranks, _mm512_test_epi32_mask(is_missing, is_missing),
                                          _mm_set1_epi8((char)missing)));
    }
}

/* ---- add */

static inline __m512 pick(const float *values, uint16_t planes, __m512i at)
{
    __m512 low, high;

    if (planes > 6)
        return _mm512_i32gather_ps(at, (const void *)values, 4);
    low = _mm512_permutex2var_ps(_mm512_loadu_ps(values), at, _mm512_loadu_ps(values + 16));
    if (planes < 6)
        return low;
    high = _mm512_permutex2var_ps(_mm512_loadu_ps(values + 32), at, _mm512_loadu_ps(values + 48));
    return _mm512_mask_mov_ps(low, _mm512_test_epi32_mask(at, _mm512_set1_epi32(32)), high);
}

static void add_floats(const struct bits_block *b, const float *values, uint16_t planes,
                       float *sums)
{
    for (size_t r = 0; r < b->count; r += 16) {
        __m512i at = _mm512_cvtepu8_epi32(_mm_load_si128((const __m128i *)(b->codes + r)));
        _mm512_store_ps(sums + r,
                        _mm512_add_ps(_mm512_load_ps(sums + r), pick(values, planes, at)));
    }
}

static void add_doubles(const struct bits_block *b, const double *values, double *sums)
{
    for (size_t r = 0; r < b->count; r += 8) {
        __m256i at = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(b->codes + r)));
        _mm512_store_pd(sums + r, _mm512_add_pd(_mm512_load_pd(sums + r),
                                                _mm512_i32gather_pd(at, (const void *)values, 8)));
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

const struct kernel kernel_avx512 = {.name = "avx512",
                                     .split_cost = 5,
                                     .build = build,
                                     .free = bits_free,
                                     .size_bytes = bits_size_bytes,
                                     .scratch_bytes = bits_scratch_bytes,
                                     .prepare = bits_prepare,
                                     .add = bits_add};

#endif
