#include "scoring/ubjson.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#include "core/mem.h"

static size_t width_of(char type)
{
    switch (type) {
    case 'i':
    case 'U':
    case 'C': return 1;
    case 'I': return 2;
    case 'l':
    case 'd': return 4;
    case 'L':
    case 'D': return 8;
    default: return 0;
    }
}

static inline uint32_t big32(const char *p)
{
    uint32_t raw;

    memcpy(&raw, p, sizeof raw);
    return be32toh(raw);
}

static inline uint64_t big64(const char *p)
{
    uint64_t raw;

    memcpy(&raw, p, sizeof raw);
    return be64toh(raw);
}

/* Always inline: in the loops over arrays the type is known. */
static inline __attribute__((always_inline)) int64_t whole_at(const char *p, char type)
{
    switch (type) {
    case 'i': return (int8_t)*p;
    case 'I': return (int16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
    case 'l': return (int32_t)big32(p);
    case 'L': return (int64_t)big64(p);
    default: return (uint8_t)*p;
    }
}

static inline float single_at(const char *p)
{
    uint32_t raw = big32(p);
    float value;

    memcpy(&value, &raw, sizeof value);
    return value;
}

bool ubjson_number(struct document *d, char type, double *value)
{
    size_t width = width_of(type);
    const char *p = d->json.at;
    uint64_t raw;

    if (type == 'T' || type == 'F') {
        *value = type == 'T';
        return true;
    }
    if (width == 0 || document_left(d) < width)
        return document_fail(d);
    d->json.at += width;
    if (type == 'd') {
        *value = (double)single_at(p);
    } else if (type == 'D') {
        raw = big64(p);
        memcpy(value, &raw, sizeof raw);
    } else {
        /* from 2^53 on a double does not hold each of them, and no field of a model needs one */
        *value = (double)whole_at(p, type);
        return fabs(*value) < 0x1p53 || document_fail(d);
    }
    return true;
}

static bool take_length(struct document *d, int64_t *len)
{
    double value = 0;

    if (document_left(d) < 1 || !strchr("iUIlL", *d->json.at) || *d->json.at == 0)
        return document_fail(d);
    if (!ubjson_number(d, *d->json.at++, &value) || value < 0)
        return document_fail(d);
    *len = (int64_t)value;
    return true;
}

bool ubjson_text(struct document *d, struct json_text *text)
{
    int64_t len = 0;

    if (!take_length(d, &len) || (uint64_t)len > document_left(d))
        return document_fail(d);
    *text = (struct json_text){d->json.at, (size_t)len, false};
    d->json.at += len;
    return true;
}

bool ubjson_enter(struct document *d, char marker)
{
    char type = 0;
    int64_t count = -1;

    if (d->has_failed || document_left(d) < 1 || *d->json.at != marker ||
        d->depth == DOCUMENT_DEPTH)
        return document_fail(d);
    d->json.at++;
    if (document_left(d) >= 2 && *d->json.at == '$') {
        type = d->json.at[1];
        d->json.at += 2;
        if (marker != '[' || width_of(type) == 0 || document_left(d) < 1 || *d->json.at != '#')
            return document_fail(d);
    }
    if (document_left(d) >= 1 && *d->json.at == '#') {
        d->json.at++;
        if (!take_length(d, &count) ||
            (uint64_t)count >
                document_left(d) / (type ? width_of(type) : 1)) /* each item has a byte at least */
            return document_fail(d);
    }
    d->levels[d->depth].left = count;
    d->levels[d->depth++].type = type;
    return true;
}

bool ubjson_has_more(struct document *d, char closing)
{
    if (d->has_failed || d->depth == 0)
        return document_fail(d);
    if (d->levels[d->depth - 1].left == 0) {
        d->depth--;
        return false;
    }
    if (d->levels[d->depth - 1].left > 0) {
        d->levels[d->depth - 1].left--;
        return true;
    }
    if (document_left(d) < 1)
        return document_fail(d);
    if (*d->json.at != closing)
        return true;
    d->json.at++;
    d->depth--;
    return false;
}

char ubjson_marker(struct document *d)
{
    if (d->depth > 0 && d->levels[d->depth - 1].type)
        return d->levels[d->depth - 1].type;
    if (d->has_failed || document_left(d) < 1) {
        document_fail(d);
        return 0;
    }
    return *d->json.at++;
}

enum document_type ubjson_peek(const struct document *d)
{
    char marker;

    if (d->has_failed)
        return DOCUMENT_NONE;
    if (d->depth > 0 && d->levels[d->depth - 1].type)
        return DOCUMENT_NUMBER;
    if (document_left(d) < 1)
        return DOCUMENT_NONE;
    marker = *d->json.at;
    if (marker == 'Z')
        return DOCUMENT_NULL;
    if (marker == 'S')
        return DOCUMENT_STRING;
    if (marker == '[')
        return DOCUMENT_ARRAY;
    if (marker == '{')
        return DOCUMENT_OBJECT;
    return marker == 'T' || marker == 'F' || width_of(marker) ? DOCUMENT_NUMBER : DOCUMENT_NONE;
}

/* How many packed items the open array has from d->json.at on: their bytes are there. */
static size_t packed_count(const struct document *d)
{
    return d->levels[d->depth - 1].type ? (size_t)d->levels[d->depth - 1].left : 0;
}

static void pass_packed(struct document *d, size_t count)
{
    d->json.at += count * width_of(d->levels[d->depth - 1].type);
    d->levels[d->depth - 1].left -= (int64_t)count;
}

bool ubjson_skip(struct document *d)
{
    struct json_text text;
    double number;

    switch (ubjson_peek(d)) {
    case DOCUMENT_NULL: ubjson_marker(d); return true;
    case DOCUMENT_NUMBER: return ubjson_number(d, ubjson_marker(d), &number);
    case DOCUMENT_STRING: ubjson_marker(d); return ubjson_text(d, &text);
    case DOCUMENT_ARRAY:
        if (ubjson_enter(d, '['))
            pass_packed(d, packed_count(d));
        while (ubjson_has_more(d, ']'))
            ubjson_skip(d);
        return !d->has_failed;
    case DOCUMENT_OBJECT:
        for (ubjson_enter(d, '{'); ubjson_has_more(d, '}') && ubjson_text(d, &text);)
            ubjson_skip(d);
        return !d->has_failed;
    case DOCUMENT_NONE: break;
    }
    return document_fail(d);
}

/* Room for `more` items behind count. */
static void *reserve(void *items, size_t count, size_t more, size_t *cap)
{
    if (more <= *cap - count)
        return items;
    *cap = count + more;
    return mem_resize(items, *cap, sizeof(uint32_t));
}

void ubjson_packed_floats(struct document *d, struct floats *list)
{
    size_t count = packed_count(d);

    if (count == 0 || d->levels[d->depth - 1].type != 'd')
        return;
    list->items = reserve(list->items, list->count, count, &list->cap);
    for (size_t i = 0; i < count; i++)
        list->items[list->count + i] = single_at(d->json.at + 4 * i);
    list->count += count;
    pass_packed(d, count);
}

static inline __attribute__((always_inline)) bool spread(const char *packed, size_t count,
                                                         char type, int32_t *out)
{
    size_t width = width_of(type);
    int64_t beyond = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t value = whole_at(packed + i * width, type);
        out[i] = (int32_t)value;
        beyond |= value ^ out[i];
    }
    return beyond == 0;
}

static void turn_32(const char *packed, size_t count, int32_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (int32_t)big32(packed + 4 * i);
}

/* A number that does not fit is left to document_int32s, which knows where it stands. */
void ubjson_packed_int32s(struct document *d, struct int32s *list)
{
    size_t count = packed_count(d);
    const char *packed = d->json.at;
    bool is_taken = false;
    int32_t *out;

    if (count == 0)
        return;
    list->items = reserve(list->items, list->count, count, &list->cap);
    out = list->items + list->count;
    switch (d->levels[d->depth - 1].type) {
    case 'U': is_taken = spread(packed, count, 'U', out); break;
    case 'l':
        turn_32(packed, count, out);
        is_taken = true;
        break;
    case 'L': is_taken = spread(packed, count, 'L', out); break;
    default: break;
    }
    if (is_taken) {
        list->count += count;
        pass_packed(d, count);
    }
}
