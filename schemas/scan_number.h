/* scan_number.h: JSON numbers, eight digits at a time; private to scan.c.
 *
 * Eight bytes are looked at as one word: where the first byte that is no digit stands, and what the
 * digits before it are worth, are computed without a branch on how many there are (that number is
 * what a processor cannot foresee). Then digits and power of ten become the nearest double:
 * directly where both are exact in a double (W. Clinger, 1990), else by core/text.h.
 */
#ifndef SCHEMAS_SCAN_NUMBER_H
#define SCHEMAS_SCAN_NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/text.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read with the first byte low");

/* Bytes that may be looked at: sign, 16 digits, point, 24 digits, and a word beyond. */
enum { SCAN_NUMBER_ROOM = 56 };

/* What up to 8 digits at p are worth; *count of them. */
static inline uint64_t scan_digits(const char *p, unsigned *count)
{
    uint64_t word, others;

    memcpy(&word, p, sizeof word);
    word ^= 0x3030303030303030;
    others = (word | (word + 0x7676767676767676)) & 0x8080808080808080;
    *count = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    word = *count ? word << (64 - 8 * *count) : 0;
    word = word * 10 + (word >> 8);
    return ((word & 0x000000ff000000ff) * 0x000f424000000064 +
            ((word >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
           32;
}

static inline uint64_t scan_pow10(unsigned count)
{
    static const uint64_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};

    return powers[count];
}

static inline bool scan_scale(uint64_t digits, int exponent, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    if (digits <= (uint64_t)1 << 53 && exponent <= 0 && exponent >= -22) {
        *value = (double)digits / powers[-exponent];
        return true;
    }
    return number_fast(digits, exponent, value);
}

/* Any number; for what the fast path leaves. An integer has no negative zero (Python's json, which
 * reads events for training, makes it an int). */
static __attribute__((noinline)) const char *scan_number_slowly(const char *p, const char *end,
                                                                double *value)
{
    size_t len = number_parse(p, (size_t)(end - p), value);

    if (len == 2 && p[0] == '-' && p[1] == '0')
        *value = 0;
    return len ? p + len : NULL;
}

/* The number at p, which starts with '-' or a digit: where it ends, or NULL when it is none. */
static inline const char *scan_number(const char *p, const char *end, double *value)
{
    const char *start = p;
    unsigned count, whole, fraction = 0;
    uint64_t digits;

    if (__builtin_expect(end - p < SCAN_NUMBER_ROOM, 0))
        return scan_number_slowly(start, end, value);
    p += *p == '-';
    digits = scan_digits(p, &whole);
    if (whole == 8) {
        uint64_t more = scan_digits(p + 8, &count);
        digits = digits * scan_pow10(count) + more;
        whole += count;
    }
    if (whole == 0 || (*p == '0' && whole > 1))
        return NULL;
    p += whole;
    if (*p == '.') {
        uint64_t more = scan_digits(++p, &fraction);
        if (fraction == 0)
            return NULL;
        digits = digits * scan_pow10(fraction) + more;
        for (count = fraction; count == 8 && fraction < 24; fraction += count) {
            more = scan_digits(p + fraction, &count);
            digits = digits * scan_pow10(count) + more;
        }
        p += fraction;
    }
    /* A run of digits that goes on, an exponent, or more than 19 digits. */
    if (__builtin_expect((*p | 0x20) == 'e' || whole >= 16 || fraction >= 24, 0) ||
        (whole + fraction > 19 && (start[*start == '-'] != '0' || fraction > 19)))
        return scan_number_slowly(start, end, value);
    if (__builtin_expect(!scan_scale(digits, -(int)fraction, value), 0))
        return scan_number_slowly(start, end, value);
    if (*start == '-')
        *value = digits == 0 && fraction == 0 ? 0 : -*value;
    return p;
}

#endif
