#include "core/text.h"

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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void text_trim(const char **text, size_t *len)
{
    while (*len > 0 && is_blank(**text)) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && is_blank((*text)[*len - 1]))
        (*len)--;
}
