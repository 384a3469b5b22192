/* Rows that go alone (struct bits_alone) with AVX-512: 64 splits of a tree look at bytes of the row
 * in one instruction and are compared in another. What is left to do is to follow the bits down. */
#include "scoring/bits_alone.h"

#ifdef __AVX512VBMI__

#include <immintrin.h>

static inline uint8_t rank_of(int32_t key, const struct rank_group *group)
{
    __m512i x = _mm512_set1_epi32(key);
    int first = 16 * __builtin_popcount(_mm512_cmpgt_epi32_mask(
                         x, _mm512_load_si512((const void *)group->pivots)));

    return (uint8_t)(first + __builtin_popcount(_mm512_cmpgt_epi32_mask(
                                 x, _mm512_load_si512((const void *)(group->below + first)))));
}

void bits_fill_alone(const struct bits_program *p, const float *row, uint8_t *bytes)
{
    const struct ranks *ranks = &p->ranks;

    for (size_t i = 0; i < ranks->inputs.count; i++) {
        const struct rank_source *s = &ranks->sources[i];
        const struct input *input = &ranks->inputs.items[i];
        uint32_t cell = inputs_cell(&ranks->inputs, input, row[input->feature]);
        uint8_t missing = cell == CELL_RIGHT ? 255 : 0; /* they are added for the right side */
        for (size_t g = 0; g < s->group_count; g++) {
            uint8_t rank =
                rank_of((int32_t)(cell ^ 0x80000000u), &ranks->groups[s->first_group + g]);
            bytes[s->first_column + g] = (uint8_t)(rank & ~missing);
            bytes[ranks->column_count + s->first_column + g] = rank | missing;
        }
    }
}

/* Bytes of the row by their numbers, 64 at a time. */
static inline __attribute__((always_inline)) __m512i pick_bytes(const __m512i *row, __m512i at,
                                                                size_t registers)
{
    __m512i low, high;

    if (registers == 1)
        return _mm512_permutexvar_epi8(at, row[0]);
    low = _mm512_permutex2var_epi8(row[0], at, row[1]);
    if (registers == 2)
        return low;
    high = _mm512_permutex2var_epi8(row[2], at, row[3]);
    return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(at), high);
}

/* From a place to the one below it: 2 at + its bit, of 64 bits that `at` is counted in. */
static inline uint64_t go_down(uint64_t bits, uint64_t at)
{
#ifdef __x86_64__
    __asm__("bt %[at], %[bits]\n\tadc %[at], %[at]" : [at] "+r"(at) : [bits] "r"(bits) : "cc");
    return at;
#else
    return at + at + (bits >> (at & 63) & 1);
#endif
}

/* Where the row comes out, counted from the first place below the last level. */
static inline __attribute__((always_inline)) uint64_t find_end(const struct bits_alone *alone,
                                                               size_t tree, const __m512i *row,
                                                               size_t registers)
{
    const uint8_t *bytes = alone->bytes + tree * alone->places;
    const uint8_t *limits = alone->limits + tree * alone->places;
    uint64_t left[4] = {0}, at = 1;

    for (size_t w = 0; 64 * w < alone->places; w++)
        left[w] = _mm512_cmplt_epu8_mask(
            pick_bytes(row, _mm512_load_si512((const void *)(bytes + 64 * w)), registers),
            _mm512_load_si512((const void *)(limits + 64 * w)));
    for (int level = 0; level < 6; level++)
        at = go_down(left[0], at);
    if (alone->places > 64)
        at = go_down(left[1], at);
    if (alone->places > 128)
        at = go_down(left[at >> 6], at);
    return at - alone->places;
}

/* Trees that add to the same output. */
static inline __attribute__((always_inline)) float add_run(const struct bits_alone *alone,
                                                           size_t first, size_t count,
                                                           const __m512i *row, size_t registers,
                                                           float sum)
{
    for (size_t i = first; i < first + count; i++)
        sum += alone->values[i * alone->places + find_end(alone, i, row, registers)];
    return sum;
}

void bits_add_alone(const struct bits_program *p, size_t first, size_t count, const uint8_t *bytes,
                    float *sums)
{
    size_t len = 2 * p->ranks.column_count, end = first + count, run;
    __m512i row[4];

    for (size_t i = 0; i < 4; i++)
        row[i] = _mm512_load_si512((const void *)(bytes + 64 * i));
    for (size_t i = first; i < end; i += run) {
        float *sum = sums + (size_t)p->trees[i].output * KERNEL_ROWS;
        run = p->alone.runs[i] < end - i ? p->alone.runs[i] : end - i;
        if (len <= 64)
            *sum = add_run(&p->alone, i, run, row, 1, *sum);
        else if (len <= 128)
            *sum = add_run(&p->alone, i, run, row, 2, *sum);
        else
            *sum = add_run(&p->alone, i, run, row, 4, *sum);
    }
}

#endif
