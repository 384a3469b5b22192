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

static inline __m512 _mm512_i32gather_ps(__m512i at, const void *values, int scale)
{
    int32_t index[16];
    float x[16];

    simde_mm512_storeu_si512(index, at);
    for (int i = 0; i < 16; i++)
        memcpy(&x[i], (const char *)values + (ptrdiff_t)index[i] * scale, sizeof x[i]);
    return simde_mm512_loadu_ps(x);
}

static inline __m512d _mm512_i32gather_pd(__m256i at, const void *values, int scale)
{
    int32_t index[8];
    double x[8];

    simde_mm256_storeu_si256((simde__m256i *)index, at);
    for (int i = 0; i < 8; i++)
        memcpy(&x[i], (const char *)values + (ptrdiff_t)index[i] * scale, sizeof x[i]);
    return simde_mm512_loadu_pd(x);
}

#endif
