/* number.c: decimal text to double and float32, exactly.
 *
 * Up to 19 digits w and a power of ten. Within 10^+-27 both w and 10^n are exact in an x87
 * long double (64-bit significand), so one multiplication or division gives w * 10^n rounded once
 * to 64 bits. Rounding that again to 53 (or 24) bits is the right answer unless the 64-bit result
 * lies exactly on a midpoint, where the first rounding may have hidden on which side the number
 * was: then strtod decides. No table, no 128-bit arithmetic, and the proof is one line: midpoints
 * are representable, rounding is monotonic.
 *
 * Most numbers of a model file need less: eight digits at a time, and one operation of doubles.
 */
#include "core/text.h"

#include <endian.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EXACT_POWER = 27, MAX_DOUBLE_POWER = 22, MAX_DIGITS = 19 };

static const long double powers[MAX_EXACT_POWER + 1] = {
    1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
    1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
    1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};

static const double exact[MAX_DOUBLE_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The sign of every second number of a model is a surprise: multiplying by it is no branch. */
static const double signs[] = {1, -1};

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
    long double wide;

    /* W. Clinger (1990): both operands exact in a double, so one rounding. */
    if (digits <= (uint64_t)1 << DBL_MANT_DIG && exponent >= -MAX_DOUBLE_POWER &&
        exponent <= MAX_DOUBLE_POWER) {
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

/* How many of the eight bytes at p are digits before the first that is none, and their value. The
 * others are shifted out, which leaves zeros in front; then neighbours are joined to 2, 4 and 8
 * digits. A loop would guess its end wrong once a number: 20 cycles, twice what this takes. */
static inline unsigned take_eight(const char *p, uint64_t *value)
{
    uint64_t word, others;
    unsigned count;

    memcpy(&word, p, sizeof word);
    word = le64toh(word) ^ 0x3030303030303030; /* the first byte is the lowest */
    others = (word | (word + 0x7676767676767676)) & 0x8080808080808080; /* over 9; carries go up */
    count = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    word = count ? word << (64 - 8 * count) : 0;
    word = word * 10 + (word >> 8);
    *value = ((word & 0x000000ff000000ff) * 0x000f424000000064 +
              (word >> 16 & 0x000000ff000000ff) * 0x0000271000000001) >>
             32;
    return count;
}

/* take_decimal for what model files are full of: at most 19 digits (zeros in front count) and two
 * of an exponent, far from the end of the text. False: take_decimal looks closer. */
static inline __attribute__((always_inline)) bool take_plain(const char *text, const char *end,
                                                             struct decimal *d)
{
    enum { LONGEST = 64 }; /* no look goes farther: 24 digits, 8 behind them, and the exponent */
    static const uint64_t shift[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    const char *p = text, *whole, *fraction;
    uint64_t digits = 0, eight;
    unsigned count;
    int exponent = 0;

    if (end - text < LONGEST)
        return false;
    d->is_negative = *p == '-';
    whole = p += d->is_negative;
    for (; is_digit(*p) && p - whole < MAX_DIGITS; p++) /* XGBoost has one digit here */
        digits = digits * 10 + (uint64_t)(*p - '0');
    d->digit_count = (size_t)(p - whole);
    if (d->digit_count == 0 || (*whole == '0' && d->digit_count > 1))
        return false;
    if (*p == '.') {
        fraction = ++p;
        do {
            count = take_eight(p, &eight);
            digits = digits * shift[count] + eight;
            p += count;
        } while (count == 8 && p - fraction <= MAX_DIGITS);
        exponent = (int)(fraction - p);
        d->digit_count += (size_t)(p - fraction);
        if (p == fraction)
            return false;
    }
    if (*p == 'E' || *p == 'e') {
        bool is_below = p[1] == '-';
        int power;
        p += 1 + (is_below || p[1] == '+');
        if (!is_digit(*p))
            return false;
        power = *p++ - '0';
        if (is_digit(*p))
            power = power * 10 + (*p++ - '0');
        exponent += is_below ? -power : power;
    }
    d->digits = digits;
    d->exponent = exponent;
    d->len = (size_t)(p - text);
    return d->digit_count <= MAX_DIGITS && !is_digit(*p);
}

enum { SLOW_TEXT_MAX = 850 };

size_t number_parse(const char *text, size_t len, double *value)
{
    struct decimal d;
    char copy[SLOW_TEXT_MAX];

    if (take_plain(text, text + len, &d) && number_fast(d.digits, (int)d.exponent, value)) {
        *value *= signs[d.is_negative];
        return d.len;
    }
    d = take_decimal(text, len);
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

/* As number_fast, to float32 and only where a double decides: the double is rounded once, and
 * rounding it again is right unless it lies on a midpoint of two floats. It is 0 or in float32's
 * normal range: 10^-22 to 2^53 * 10^22. */
static inline bool narrow_fast(const struct decimal *d, float *value)
{
    uint64_t bits, half = (uint64_t)1 << (DBL_MANT_DIG - FLT_MANT_DIG - 1);
    int64_t power = d->exponent;
    double wide;

    if (d->digits > (uint64_t)1 << DBL_MANT_DIG || power < -MAX_DOUBLE_POWER ||
        power > MAX_DOUBLE_POWER)
        return false;
    wide = (double)(int64_t)d->digits;
    wide = power < 0 ? wide / exact[-power] : wide * exact[power];
    memcpy(&bits, &wide, sizeof bits);
    *value = (float)(wide * signs[d->is_negative]);
    return (bits & (2 * half - 1)) != half;
}

size_t number_parse_float(const char *text, size_t len, float *value)
{
    struct decimal d;
    char copy[SLOW_TEXT_MAX];
    long double wide;

    if (take_plain(text, text + len, &d) && narrow_fast(&d, value))
        return d.len;
    d = take_decimal(text, len);
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

/* ---- lists */

size_t number_list_floats(const char *text, size_t len, float *out, size_t room, size_t *count)
{
    const char *p = text, *end = text + len;
    size_t n = 0, taken;

    for (; n < room && end - p > 1 && *p == ','; p += 1 + taken, n++) {
        taken = number_parse_float(p + 1, (size_t)(end - p - 1), &out[n]);
        if (taken == 0)
            break;
    }
    *count = n;
    return (size_t)(p - text);
}

size_t number_list_integers(const char *text, size_t len, int32_t *out, size_t room, size_t *count)
{
    const char *p = text, *end = text + len;
    size_t n = 0;

    /* a comma, a sign, eight bytes and the one that ends the number */
    for (; n < room && end - p > 10 && *p == ','; n++) {
        bool is_negative = p[1] == '-';
        const char *digits = p + 1 + is_negative;
        uint64_t value;
        unsigned taken = take_eight(digits, &value);
        if (taken == 0 || taken == 8 || (*digits == '0' && taken > 1) ||
            (digits[taken] != ',' && digits[taken] != ']'))
            break;
        out[n] = is_negative ? -(int32_t)value : (int32_t)value;
        p = digits + taken;
    }
    *count = n;
    return (size_t)(p - text);
}
