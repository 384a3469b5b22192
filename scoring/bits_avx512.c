/* The programs of bits.h with AVX-512 (F, BW, VL, VBMI: Ice Lake, Zen 4 and later). */
#include "scoring/bits.h"

#ifdef __AVX512VBMI__

#include "scoring/bits_alone.h"
#include "scoring/bits_planes.h"

/* ---- prepare */

/* Sixteen rows by sixteen features: pairs, fours, then fours of fours. */
static inline void turn_sixteen(const __m512 *in, float *out)
{
    __m512 pairs[16], fours[16];

    for (int i = 0; i < 16; i += 2) {
        pairs[i] = _mm512_unpacklo_ps(in[i], in[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_ps(in[i], in[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int k = 0; k < 2; k++) {
            __m512d a = _mm512_castps_pd(pairs[i + k]), b = _mm512_castps_pd(pairs[i + k + 2]);
            fours[i + 2 * k] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            fours[i + 2 * k + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    /* lane l of fours[4 * g + k]: feature 4 * l + k of four rows from 4 * g on */
    for (int k = 0; k < 4; k++) {
        __m512 even0 = _mm512_shuffle_f32x4(fours[k], fours[4 + k], 0x88);
        __m512 even1 = _mm512_shuffle_f32x4(fours[8 + k], fours[12 + k], 0x88);
        __m512 odd0 = _mm512_shuffle_f32x4(fours[k], fours[4 + k], 0xdd);
        __m512 odd1 = _mm512_shuffle_f32x4(fours[8 + k], fours[12 + k], 0xdd);
        _mm512_store_ps(out + k * KERNEL_ROWS, _mm512_shuffle_f32x4(even0, even1, 0x88));
        _mm512_store_ps(out + (4 + k) * KERNEL_ROWS, _mm512_shuffle_f32x4(odd0, odd1, 0x88));
        _mm512_store_ps(out + (8 + k) * KERNEL_ROWS, _mm512_shuffle_f32x4(even0, even1, 0xdd));
        _mm512_store_ps(out + (12 + k) * KERNEL_ROWS, _mm512_shuffle_f32x4(odd0, odd1, 0xdd));
    }
}

static void turn(struct bits_block *b, const float *x, size_t stride, size_t width)
{
    __mmask16 there = (__mmask16)((1u << width) - 1);

    for (size_t r = 0; r < b->count; r += 16) {
        __m512 rows[16];
        for (size_t i = 0; i < 16; i++)
            rows[i] = _mm512_maskz_loadu_ps(there,
                                            x + stride * (r + i < b->count ? r + i : b->count - 1));
        turn_sixteen(rows, b->numbers[0] + r);
    }
}

/* inputs_cell, for sixteen rows at a time */
static void find_keys(struct bits_block *b, const struct inputs *inputs, const struct input *input,
                      const float *numbers)
{
    __mmask16 nan_is_missing = input->missing == MISSING_NEVER ? 0 : 0xffff;
    __mmask16 tiny_is_missing = input->missing == MISSING_NAN_OR_ZERO ? 0xffff : 0;
    __mmask16 tiny_is_zero = inputs->tiny_is_zero ? 0xffff : 0;

    for (size_t r = 0; r < b->count; r += 16) {
        __m512i loaded = _mm512_load_si512((const void *)(numbers + r));
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
        _mm_store_si128((__m128i *)(b->missing + r), _mm_movm_epi8(missing));
    }
}

/* more where x is above, else n */
static inline __m512i step(__m512i n, __m512i x, __m512i threshold, int more)
{
    return _mm512_mask_add_epi32(n, _mm512_cmpgt_epi32_mask(x, threshold), n,
                                 _mm512_set1_epi32(more));
}

/* Which sixteen each of sixteen keys belongs to: half of them, a quarter, an eighth, one. */
static inline __m512i find_sixteen(__m512i x, const int32_t *pivots)
{
    __m512i n = step(_mm512_setzero_si512(), x, _mm512_set1_epi32(pivots[7]), 8);

    n = step(n, x, _mm512_permutexvar_epi32(n, _mm512_loadu_si512((const void *)(pivots + 3))), 4);
    n = step(n, x, _mm512_permutexvar_epi32(n, _mm512_loadu_si512((const void *)(pivots + 1))), 2);
    return step(n, x, _mm512_permutexvar_epi32(n, _mm512_load_si512((const void *)pivots)), 1);
}

/* The same search within them: of the thresholds that may come next two are told apart by the
 * lookup (`at` is 16 more when the first step went up), the others by what the second and third
 * said. */
static inline __m512i find_below(__m512i x, __m512i sixteen, const __m512i *t)
{
    __mmask16 up8 = _mm512_cmpgt_epi32_mask(x, _mm512_permutexvar_epi32(sixteen, t[7]));
    __m512i at = _mm512_mask_add_epi32(sixteen, up8, sixteen, _mm512_set1_epi32(16));
    __mmask16 up4 = _mm512_cmpgt_epi32_mask(x, _mm512_permutex2var_epi32(t[3], at, t[11]));
    __m512i low = _mm512_permutex2var_epi32(t[1], at, t[9]);
    __m512i high = _mm512_permutex2var_epi32(t[5], at, t[13]);
    __mmask16 up2 = _mm512_cmpgt_epi32_mask(x, _mm512_mask_mov_epi32(low, up4, high));
    __m512i n = _mm512_slli_epi32(sixteen, 4);

    low = _mm512_mask_mov_epi32(_mm512_permutex2var_epi32(t[0], at, t[8]), up4,
                                _mm512_permutex2var_epi32(t[4], at, t[12]));
    high = _mm512_mask_mov_epi32(_mm512_permutex2var_epi32(t[2], at, t[10]), up4,
                                 _mm512_permutex2var_epi32(t[6], at, t[14]));
    n = _mm512_mask_add_epi32(n, up8, n, _mm512_set1_epi32(8));
    n = _mm512_mask_add_epi32(n, up4, n, _mm512_set1_epi32(4));
    n = _mm512_mask_add_epi32(n, up2, n, _mm512_set1_epi32(2));
    return step(n, x, _mm512_mask_mov_epi32(low, up2, high), 1);
}

static void rank(struct bits_block *b, const struct rank_group *group,
                 const struct bits_table *table)
{
    __m512i t[16];

    for (int i = 0; i < 16; i++)
        t[i] = _mm512_load_si512((const void *)table->below[i]);
    for (size_t r = 0; r < b->count; r += 16) {
        __m512i x = _mm512_load_si512((const void *)(b->keys + r));
        __m128i n = _mm512_cvtepi32_epi8(find_below(x, find_sixteen(x, group->pivots), t));
        _mm_store_si128((__m128i *)(b->ranks + r), _mm_xor_si128(n, _mm_set1_epi8((char)128)));
    }
}

/* ---- add */

/* Of up to 64 values. */
static inline __m512 pick(const float *values, uint16_t planes, __m512i at)
{
    __m512 low, high;

    low = _mm512_permutex2var_ps(_mm512_loadu_ps(values), at, _mm512_loadu_ps(values + 16));
    if (planes < 6)
        return low;
    high = _mm512_permutex2var_ps(_mm512_loadu_ps(values + 32), at, _mm512_loadu_ps(values + 48));
    return _mm512_mask_mov_ps(low, _mm512_test_epi32_mask(at, _mm512_set1_epi32(32)), high);
}

static void add_floats(const struct bits_block *b, const float *values, uint16_t planes,
                       float *sums)
{
    if (planes > 6) {
        add_loaded_floats(b, values, sums);
        return;
    }
    for (size_t r = 0; r < b->count; r += 16) {
        __m512i at = _mm512_cvtepu8_epi32(_mm_load_si128((const __m128i *)(b->codes + r)));
        _mm512_store_ps(sums + r,
                        _mm512_add_ps(_mm512_load_ps(sums + r), pick(values, planes, at)));
    }
}

static const struct bits_vectors vectors = {.wants_tables = true,
                                            .turn = turn,
                                            .find_keys = find_keys,
                                            .rank = rank,
                                            .settle = settle,
                                            .mark = mark,
                                            .run = run,
                                            .add_floats = add_floats,
                                            .add_doubles = add_doubles,
                                            .fill_alone = bits_fill_alone,
                                            .add_alone = bits_add_alone};

static void *build(const struct trees *trees, bool *taken)
{
    return bits_build(trees, taken, &vectors);
}

const struct kernel kernel_avx512 = {.name = "avx512",
                                     .split_cost = 4,
                                     .build = build,
                                     .free = bits_free,
                                     .size_bytes = bits_size_bytes,
                                     .scratch_bytes = bits_scratch_bytes,
                                     .alone_rows = bits_alone_rows,
                                     .prepare = bits_prepare,
                                     .add = bits_add};

#endif
