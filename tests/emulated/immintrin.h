/* immintrin.h: in place of the compiler's in the build variant `emulated`: every vector instruction
 * as plain C (SIMDe), so that each kernel is tested on each processor. */
#ifndef TESTS_EMULATED_IMMINTRIN_H
#define TESTS_EMULATED_IMMINTRIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>

typedef simde__mmask16 __mmask16;
typedef simde__mmask64 __mmask64;

/* What SIMDe 0.7.4 lacks, as Intel's manual says it. */

static inline __m512i _mm512_srai_epi32(__m512i a, unsigned shift)
{
    int32_t x[16];

    simde_mm512_storeu_si512(x, a);
    for (int i = 0; i < 16; i++)
        x[i] >>= shift;
    return simde_mm512_loadu_si512(x);
}

static inline __m512i _mm512_cvtepu8_epi32(__m128i a)
{
    uint8_t bytes[16];
    int32_t x[16];

    simde_mm_storeu_si128(bytes, a);
    for (int i = 0; i < 16; i++)
        x[i] = bytes[i];
    return simde_mm512_loadu_si512(x);
}

static inline __m512 _mm512_maskz_loadu_ps(__mmask16 there, const void *from)
{
    float x[16] = {0};

    for (int i = 0; i < 16; i++)
        if (there >> i & 1)
            memcpy(&x[i], (const float *)from + i, sizeof x[i]);
    return simde_mm512_loadu_ps(x);
}

static inline __m512 _mm512_shuffle_f32x4(__m512 a, __m512 b, unsigned which)
{
    float from[2][16], x[16];

    simde_mm512_storeu_ps(from[0], a);
    simde_mm512_storeu_ps(from[1], b);
    for (int i = 0; i < 4; i++)
        memcpy(x + 4 * i, from[i / 2] + 4 * (which >> 2 * i & 3), 4 * sizeof *x);
    return simde_mm512_loadu_ps(x);
}

static inline __m128i _mm512_cvtepi32_epi8(__m512i a)
{
    int32_t x[16];
    uint8_t bytes[16];

    simde_mm512_storeu_si512(x, a);
    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)x[i];
    return simde_mm_loadu_si128((const simde__m128i *)bytes);
}

static inline uint64_t _bextr_u64(uint64_t x, unsigned start, unsigned len)
{
    return x >> start & ((UINT64_C(1) << len) - 1);
}

#endif
