#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool integer_parse(const char *text, size_t len, int64_t low, int64_t high, int64_t *value)
{
    bool is_negative = len > 0 && text[0] == '-';
    uint64_t limit = is_negative ? (uint64_t)1 << 63 : INT64_MAX, sum = 0;
    size_t i = is_negative;

    if (i == len)
        return false;
    for (; i < len; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        if (digit > 9 || sum > (limit - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = is_negative ? (int64_t)-sum : (int64_t)sum;
    return *value >= low && *value <= high;
}

/* Bytes of the well-formed sequence at p (Unicode 15, table 3-7), 0 when it is none. */
static size_t sequence_len(const uint8_t *p, size_t left)
{
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    uint8_t high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool utf8_is_valid(const uint8_t *data, size_t len)
{
    size_t i = 0;

    while (i < len) {
        uint64_t eight;
        size_t step;
        if (len - i >= 8) {
            memcpy(&eight, data + i, 8);
            if ((eight & 0x8080808080808080) == 0) {
                i += 8;
                continue;
            }
        }
        step = sequence_len(data + i, len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

size_t utf8_repair(char *out, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + len;
    char *o = out;

    while (p < end) {
        size_t step = sequence_len(p, (size_t)(end - p));
        memcpy(o, step ? (const char *)p : "\xef\xbf\xbd", step ? step : 3);
        o += step ? step : 3;
        p += step ? step : 1;
    }
    return (size_t)(o - out);
}

static size_t print_escape(char *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef", from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
    const char *simple = c ? strchr(from, c) : NULL;

    out[0] = '\\';
    if (simple) {
        out[1] = to[simple - from];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = hex[c >> 4];
    out[5] = hex[c & 15];
    return 6;
}

size_t json_string_print(char *out, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + len;
    char *o = out;

    *o++ = '"';
    while (p < end) {
        size_t step = sequence_len(p, (size_t)(end - p));
        if (step == 0) {
            memcpy(o, "\xef\xbf\xbd", 3);
            o += 3;
            p++;
        } else if (*p < 0x20 || *p == '"' || *p == '\\') {
            o += print_escape(o, *p++);
        } else {
            memcpy(o, p, step);
            o += step;
            p += step;
        }
    }
    *o++ = '"';
    return (size_t)(o - out);
}

/* The code point of a well-formed sequence. */
static uint32_t code_point(const uint8_t *p, size_t len)
{
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);

    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3fu);
    return c;
}

/* Unicode's controls (Cc), line and paragraph separator, and the marks of bidirectional text with
 * which one text can look like another (CVE-2021-42574). */
static bool is_obeyed(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static size_t print_hex(char *out, const char *head, uint32_t value, int digits)
{
    size_t head_len = strlen(head);

    memcpy(out, head, head_len);
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        out[head_len + (size_t)i] = "0123456789abcdef"[value & 15];
    return head_len + (size_t)digits;
}

size_t base64_print(char *out, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = data;
    size_t at = 0;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)in[i] << 16;
        if (i + 1 < len)
            three |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < len)
            three |= in[i + 2];
        for (int digit = 0; digit < 4; digit++)
            out[at++] = digits[three >> (18 - 6 * digit) & 63];
        for (size_t left = len - i; left < 3; left++)
            out[at - 3 + left] = '=';
    }
    return at;
}

size_t visible_print(char *out, const void *data, size_t len)
{
    const uint8_t *p = data, *end = p + len;
    char *o = out;

    while (p < end) {
        size_t step = sequence_len(p, (size_t)(end - p));
        uint32_t c = step ? code_point(p, step) : *p;
        if (step == 0) {
            o += print_hex(o, "\\x", c, 2);
            p++;
            continue;
        }
        if (c < 0x20) {
            o += print_escape(o, (unsigned char)c);
        } else if (is_obeyed(c)) {
            o += print_hex(o, "\\u", c, 4);
        } else {
            memcpy(o, p, step);
            o += step;
        }
        p += step;
    }
    return (size_t)(o - out);
}

size_t text_columns(const char *text, size_t len, size_t *columns)
{
    size_t count = 0, at = 0;

    while (at < len && count < *columns) {
        for (at++; at < len && ((uint8_t)text[at] & 0xc0) == 0x80;)
            at++;
        count++;
    }
    *columns = count;
    return at;
}

/* Levenshtein's distance with one row; texts beyond 63 bytes are compared by their first 63. */
size_t text_distance(const char *a, const char *b)
{
    enum { MAX = 63 };
    size_t a_len = strnlen(a, MAX), b_len = strnlen(b, MAX), row[MAX + 1];

    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < shift ? replace : shift;
        }
    }
    return row[b_len];
}

const char *text_nearest(const char *text, const char *const *names, size_t count)
{
    size_t len = strlen(text), limit = len < 3 ? 1 : len < 9 ? 2 : len / 3, best;
    const char *nearest = NULL;

    best = limit + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = text_distance(text, names[i]);
        if (len >= 3 && distance > 1 && strncmp(text, names[i], len) == 0)
            distance = 1; /* its beginning */
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

void text_add(char *out, size_t cap, size_t *len, const char *format, ...)
{
    va_list args;
    int more;

    va_start(args, format);
    more = vsnprintf(out + *len, cap - *len, format, args);
    va_end(args);
    *len += more > 0 ? (size_t)more : 0;
    if (*len >= cap)
        *len = cap - 1;
}

bool text_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void text_trim(const char **text, size_t *len)
{
    while (*len > 0 && text_is_blank(**text)) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && text_is_blank((*text)[*len - 1]))
        (*len)--;
}
