/* number_print.c: double to the shortest decimal text that reads back to it: R. Giulietti, "The
 * Schubfach way to render doubles" (2021), with the table in pow10.h.
 */
#include <math.h>
#include <string.h>

#include "core/pow10.h"
#include "core/text.h"

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
