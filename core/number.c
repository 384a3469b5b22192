/* number.c: decimal text to double and back, exactly.
 *
 * Reading: up to 19 digits w and a power of ten. Within 10^+-27 both w and 10^n are exact in an x87
 * long double (64-bit significand), so one multiplication or division gives w * 10^n rounded once
 * to 64 bits. Rounding that again to 53 (or 24) bits is the right answer unless the 64-bit result
 * lies exactly on a midpoint, where the first rounding may have hidden on which side the number
 * was: then strtod decides. No table, no 128-bit arithmetic, and the proof is one line: midpoints
 * are representable, rounding is monotonic.
 *
 * Writing: R. Giulietti, "The Schubfach way to render doubles" (2021), with the table in pow10.h.
 */
#include "core/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pow10.h"

enum { MAX_EXACT_POWER = 27, MAX_DIGITS = 19 };

static const long double powers[MAX_EXACT_POWER + 1] = {
    1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
    1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
    1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};

/* digits * 10^exponent in *wide, rounded once to 64 bits, and whether its lowest `spare` bits are
 * not those of a midpoint. Without a 64-bit long double it never decides. */
static inline bool scale(uint64_t digits, int exponent, unsigned spare, long double *wide)
{
#if LDBL_MANT_DIG == 64
    uint64_t significand, half = (uint64_t)1 << (spare - 1);

    if (exponent < -MAX_EXACT_POWER || exponent > MAX_EXACT_POWER)
        return false;
    *wide = exponent < 0 ? (long double)digits / powers[-exponent]
                         : (long double)digits * powers[exponent];
    memcpy(&significand, wide, sizeof significand);
    return (significand & (2 * half - 1)) != half;
#else
    (void)digits, (void)exponent, (void)spare, (void)wide;
    return false;
#endif
}

bool number_fast(uint64_t digits, int exponent, double *value)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    long double wide;

    /* W. Clinger (1990): both operands exact in a double, so one rounding. */
    if (digits <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        *value =
            exponent < 0 ? (double)digits / exact[-exponent] : (double)digits * exact[exponent];
        return true;
    }
    if (!scale(digits, exponent, 64 - DBL_MANT_DIG, &wide))
        return false;
    *value = (double)wide;
    return true;
}

struct decimal {
    uint64_t digits; /* the first 19 significant ones */
    int64_t exponent;
    size_t digit_count; /* significant ones */
    size_t len;         /* bytes taken; 0: no number */
    bool is_negative;
};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Takes a run of digits; returns how many. */
static size_t take_digits(const char *p, const char *end, struct decimal *d)
{
    const char *start = p;

    for (; p < end && is_digit(*p); p++) {
        if (d->digit_count != 0 || *p != '0')
            d->digit_count++;
        if (d->digit_count <= MAX_DIGITS)
            d->digits = d->digits * 10 + (uint64_t)(*p - '0');
    }
    return (size_t)(p - start);
}

/* Takes e+12 at p; returns the bytes, 0 when it is malformed. Exponents stop growing at 10^8: far
 * beyond what any number of digits that fits in memory could bring back. */
static size_t take_exponent(const char *p, const char *end, struct decimal *d)
{
    const char *start = p++;
    bool is_negative = p < end && *p == '-';
    int64_t exponent = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end || !is_digit(*p))
        return 0;
    for (; p < end && is_digit(*p); p++)
        if (exponent < 100000000)
            exponent = exponent * 10 + (*p - '0');
    d->exponent += is_negative ? -exponent : exponent;
    return (size_t)(p - start);
}

static struct decimal take_decimal(const char *text, size_t len)
{
    struct decimal d = {0};
    const char *p = text, *end = text + len;
    size_t whole, fraction = 0;

    d.is_negative = p < end && *p == '-';
    p += d.is_negative;
    whole = take_digits(p, end, &d);
    if (whole == 0 || (whole > 1 && *p == '0'))
        return (struct decimal){0};
    p += whole;
    if (p < end && *p == '.') {
        fraction = take_digits(p + 1, end, &d);
        if (fraction == 0)
            return (struct decimal){0};
        p += 1 + fraction;
    }
    if (d.digit_count > MAX_DIGITS)
        d.exponent = (int64_t)(d.digit_count - MAX_DIGITS);
    d.exponent -= (int64_t)fraction;
    if (p < end && (*p == 'e' || *p == 'E')) {
        size_t taken = take_exponent(p, end, &d);
        if (taken == 0)
            return (struct decimal){0};
        p += taken;
    }
    d.len = (size_t)(p - text);
    return d;
}

/* The significant digits in front of the exponent, at most 800 of them and a 1 behind when one that
 * is not 0 follows: 767 decide any double, the rest only says "a little more". strtod reads the
 * point as the C locale has it, and kscore never sets another. */
static void slow_text(const char *text, const struct decimal *d, char *out, size_t cap)
{
    enum { KEPT = 800 };
    size_t kept = 0, seen = 0;
    int64_t exponent = d->exponent;
    bool is_more = false;
    char *o = out;

    if (d->is_negative)
        *o++ = '-';
    for (const char *p = text; seen < d->digit_count; p++) {
        if (!is_digit(*p) || (seen == 0 && *p == '0'))
            continue;
        seen++;
        if (kept < KEPT) {
            *o++ = *p;
            kept++;
        } else {
            is_more |= *p != '0';
        }
    }
    if (d->digit_count > MAX_DIGITS)
        exponent -= (int64_t)(d->digit_count - MAX_DIGITS);
    exponent += (int64_t)(d->digit_count - kept);
    if (is_more) {
        *o++ = '1';
        exponent--;
    }
    snprintf(o, cap - (size_t)(o - out), "e%lld", (long long)exponent);
}

enum { SLOW_TEXT_MAX = 850 };

size_t number_parse(const char *text, size_t len, double *value)
{
    struct decimal d = take_decimal(text, len);
    char copy[SLOW_TEXT_MAX];

    if (d.len == 0)
        return 0;
    if (d.digit_count == 0) {
        *value = d.is_negative ? -0.0 : 0.0;
    } else if (d.digit_count <= MAX_DIGITS && d.exponent > -400 && d.exponent < 400 &&
               number_fast(d.digits, (int)d.exponent, value)) {
        *value = d.is_negative ? -*value : *value;
    } else {
        slow_text(text, &d, copy, sizeof copy);
        *value = strtod(copy, NULL);
    }
    return d.len;
}

static size_t take_special(const char *text, size_t len, float *value)
{
    if (len >= 3 && memcmp(text, "NaN", 3) == 0) {
        *value = NAN;
        return 3;
    }
    if (len >= 8 && memcmp(text, "Infinity", 8) == 0) {
        *value = INFINITY;
        return 8;
    }
    if (len >= 9 && memcmp(text, "-Infinity", 9) == 0) {
        *value = -INFINITY;
        return 9;
    }
    return 0;
}

size_t number_parse_float(const char *text, size_t len, float *value)
{
    struct decimal d = take_decimal(text, len);
    char copy[SLOW_TEXT_MAX];
    long double wide;

    if (d.len == 0)
        return take_special(text, len, value);
    /* Only where the float is normal: below, it has fewer bits and midpoints lie elsewhere. */
    if (d.digit_count == 0) {
        *value = d.is_negative ? -0.0f : 0.0f;
    } else if (d.digit_count <= MAX_DIGITS && d.exponent >= -MAX_EXACT_POWER &&
               d.exponent <= MAX_EXACT_POWER &&
               scale(d.digits, (int)d.exponent, 64 - FLT_MANT_DIG, &wide) && wide >= FLT_MIN * 2 &&
               wide < FLT_MAX / 2) {
        *value = d.is_negative ? -(float)wide : (float)wide;
    } else {
        slow_text(text, &d, copy, sizeof copy);
        *value = strtof(copy, NULL);
    }
    return d.len;
}

/* ---- printing */

struct shortest {
    uint64_t digits;
    int exponent; /* value = digits * 10^exponent */
};

/* floor(log2(10^k)) for |k| <= 1233 */
static int log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

/* Upper 64 bits of g * c / 2^64, with the lowest bit set when anything was cut off. */
static uint64_t round_to_odd(const uint64_t g[2], uint64_t c)
{
    unsigned __int128 low = (unsigned __int128)g[1] * c;
    unsigned __int128 high = (unsigned __int128)g[0] * c + (uint64_t)(low >> 64);

    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* bits: a positive finite double, not zero. Names as in the paper, section 9. */
static struct shortest shorten(uint64_t bits)
{
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int biased = (int)(bits >> 52);
    uint64_t c = biased ? fraction | (uint64_t)1 << 52 : fraction;
    int q = biased ? biased - 1075 : -1074;
    bool is_closer = fraction == 0 && biased > 1; /* the neighbour below is nearer */
    int k = (q * 1262611 - (is_closer ? 524031 : 0)) >> 22;
    int h = q + log2_pow10(-k) + 1;
    const uint64_t *g = pow10_fractions[-k - POW10_LOW];
    uint64_t is_odd = c & 1;
    uint64_t lower = round_to_odd(g, (4 * c - 2 + is_closer) << h) + is_odd;
    uint64_t v = round_to_odd(g, (4 * c) << h);
    uint64_t upper = round_to_odd(g, (4 * c + 2) << h) - is_odd;
    uint64_t s = v / 4, t = s / 10;

    if (s >= 10 && (lower <= 40 * t) != (40 * t + 40 <= upper))
        return (struct shortest){t + (40 * t + 40 <= upper), k + 1};
    if ((lower <= 4 * s) != (4 * s + 4 <= upper))
        return (struct shortest){s + (4 * s + 4 <= upper), k};
    return (struct shortest){s + (v > 4 * s + 2 || (v == 4 * s + 2 && (s & 1))), k};
}

static size_t print_unsigned(char *out, uint64_t value)
{
    char reversed[20];
    size_t len = 0;

    do {
        reversed[len++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

size_t integer_print(char *out, int64_t value)
{
    if (value >= 0)
        return print_unsigned(out, (uint64_t)value);
    *out = '-';
    return 1 + print_unsigned(out + 1, -(uint64_t)value);
}

/* digits[0..count) with the point `point` places from the left: 0.00123, 12.3, 1200.0, 1.2e-7 */
static size_t place_point(char *out, const char *digits, size_t count, int point)
{
    char *o = out;

    if (point > -5 && point <= 0) {
        memcpy(o, "0.0000", 6);
        o += 2 - point;
        memcpy(o, digits, count);
        return (size_t)(o - out) + count;
    }
    if (point > 0 && point <= 17) {
        for (int i = 0; i < point; i++)
            *o++ = (size_t)i < count ? digits[i] : '0';
        *o++ = '.';
        if ((size_t)point >= count)
            *o++ = '0';
        for (size_t i = (size_t)point; i < count; i++)
            *o++ = digits[i];
        return (size_t)(o - out);
    }
    *o++ = digits[0];
    if (count > 1) {
        *o++ = '.';
        memcpy(o, digits + 1, count - 1);
        o += count - 1;
    }
    *o++ = 'e';
    return (size_t)(o - out) + integer_print(o, point - 1);
}

size_t number_print(char *out, double value)
{
    struct shortest s;
    char digits[20];
    size_t sign = signbit(value) ? 1 : 0, count;
    uint64_t bits;

    if (!isfinite(value)) {
        memcpy(out, "null", 4);
        return 4;
    }
    out[0] = '-';
    if (value == 0) {
        memcpy(out + sign, "0.0", 3);
        return sign + 3;
    }
    memcpy(&bits, &value, sizeof bits);
    s = shorten(bits & ~((uint64_t)1 << 63));
    count = print_unsigned(digits, s.digits);
    s.exponent += (int)count;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return sign + place_point(out + sign, digits, count, s.exponent);
}
