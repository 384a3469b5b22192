#include "scoring/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void document_init(struct document *d, const char *data, size_t len)
{
    *d = (struct document){0};
    json_init(&d->json, data, len, DOCUMENT_DEPTH);
    d->json.allow_nan = true;
    /* JSON's first key follows its brace or blanks; UBJSON's its length marker or a count. */
    d->is_binary = len >= 2 && data[0] == '{' && strchr("LilIU#$", data[1]) != NULL && data[1] != 0;
}

bool document_fail(struct document *d)
{
    d->has_failed = true;
    return json_fail(&d->json, JSON_BAD);
}

size_t document_at(const struct document *d)
{
    return (size_t)(d->json.at - d->json.start);
}

static size_t left(const struct document *d)
{
    return (size_t)(d->json.end - d->json.at);
}

/* ---- UBJSON */

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

static uint64_t take_big_endian(struct document *d, size_t width)
{
    uint64_t value = 0;

    for (size_t i = 0; i < width; i++)
        value = value << 8 | (uint8_t)*d->json.at++;
    return value;
}

/* A number whose marker was taken. */
static bool take_number(struct document *d, char type, double *value)
{
    size_t width = width_of(type);
    uint64_t raw;
    uint32_t narrow;
    float single;

    if (type == 'T' || type == 'F') {
        *value = type == 'T';
        return true;
    }
    if (width == 0 || left(d) < width)
        return document_fail(d);
    raw = take_big_endian(d, width);
    narrow = (uint32_t)raw;
    switch (type) {
    case 'd':
        memcpy(&single, &narrow, sizeof single);
        *value = (double)single;
        return true;
    case 'D': memcpy(value, &raw, sizeof *value); return true;
    case 'i': *value = (int8_t)raw; return true;
    case 'I': *value = (int16_t)raw; return true;
    case 'l': *value = (int32_t)raw; return true;
    case 'L':
        /* from 2^53 on a double does not hold each of them, and no field of a model needs one */
        *value = (double)(int64_t)raw;
        return fabs(*value) < 0x1p53 || document_fail(d);
    default: *value = (double)raw; return true;
    }
}

static bool take_length(struct document *d, int64_t *len)
{
    double value = 0;

    if (left(d) < 1 || !strchr("iUIlL", *d->json.at) || *d->json.at == 0)
        return document_fail(d);
    if (!take_number(d, *d->json.at++, &value) || value < 0)
        return document_fail(d);
    *len = (int64_t)value;
    return true;
}

static bool take_text(struct document *d, struct json_text *text)
{
    int64_t len = 0;

    if (!take_length(d, &len) || (uint64_t)len > left(d))
        return document_fail(d);
    *text = (struct json_text){d->json.at, (size_t)len, false};
    d->json.at += len;
    return true;
}

static bool enter(struct document *d, char marker)
{
    char type = 0;
    int64_t count = -1;

    if (d->has_failed || left(d) < 1 || *d->json.at != marker || d->depth == DOCUMENT_DEPTH)
        return document_fail(d);
    d->json.at++;
    if (left(d) >= 2 && *d->json.at == '$') {
        type = d->json.at[1];
        d->json.at += 2;
        if (marker != '[' || width_of(type) == 0 || left(d) < 1 || *d->json.at != '#')
            return document_fail(d);
    }
    if (left(d) >= 1 && *d->json.at == '#') {
        d->json.at++;
        if (!take_length(d, &count) ||
            (uint64_t)count >
                left(d) / (type ? width_of(type) : 1)) /* each item has a byte at least */
            return document_fail(d);
    }
    d->levels[d->depth].left = count;
    d->levels[d->depth++].type = type;
    return true;
}

/* Whether the open container has one more element; leaves it when not. */
static bool has_more(struct document *d, char closing)
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
    if (left(d) < 1)
        return document_fail(d);
    if (*d->json.at != closing)
        return true;
    d->json.at++;
    d->depth--;
    return false;
}

/* The marker of the next value: its own, or the typed array's. */
static char take_marker(struct document *d)
{
    if (d->depth > 0 && d->levels[d->depth - 1].type)
        return d->levels[d->depth - 1].type;
    if (d->has_failed || left(d) < 1) {
        document_fail(d);
        return 0;
    }
    return *d->json.at++;
}

static bool skip_binary(struct document *d)
{
    struct json_text text;
    double number;

    switch (document_peek(d)) {
    case DOCUMENT_NULL: take_marker(d); return true;
    case DOCUMENT_NUMBER: return take_number(d, take_marker(d), &number);
    case DOCUMENT_STRING: take_marker(d); return take_text(d, &text);
    case DOCUMENT_ARRAY:
        for (document_array(d); document_item(d);)
            skip_binary(d);
        return !d->has_failed;
    case DOCUMENT_OBJECT:
        for (document_object(d); document_key(d, &text);)
            skip_binary(d);
        return !d->has_failed;
    case DOCUMENT_NONE: break;
    }
    return document_fail(d);
}

/* ---- both */

enum document_type document_peek(struct document *d)
{
    char marker;

    if (!d->is_binary) {
        switch (json_peek(&d->json)) {
        case JSON_NULL: return DOCUMENT_NULL;
        case JSON_FALSE:
        case JSON_TRUE:
        case JSON_NUMBER: return DOCUMENT_NUMBER;
        case JSON_STRING: return DOCUMENT_STRING;
        case JSON_ARRAY: return DOCUMENT_ARRAY;
        case JSON_OBJECT: return DOCUMENT_OBJECT;
        case JSON_NONE: break;
        }
        return DOCUMENT_NONE;
    }
    if (d->has_failed)
        return DOCUMENT_NONE;
    if (d->depth > 0 && d->levels[d->depth - 1].type)
        return DOCUMENT_NUMBER;
    if (left(d) < 1)
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

bool document_object(struct document *d)
{
    return d->is_binary ? enter(d, '{') : json_enter_object(&d->json);
}

bool document_key(struct document *d, struct json_text *key)
{
    return d->is_binary ? has_more(d, '}') && take_text(d, key) : json_key(&d->json, key);
}

bool document_array(struct document *d)
{
    return d->is_binary ? enter(d, '[') : json_enter_array(&d->json);
}

bool document_item(struct document *d)
{
    return d->is_binary ? has_more(d, ']') : json_item(&d->json);
}

bool document_string(struct document *d, struct json_text *text)
{
    if (document_peek(d) != DOCUMENT_STRING)
        return document_fail(d);
    if (!d->is_binary)
        return json_take_string(&d->json, text);
    take_marker(d);
    return take_text(d, text);
}

static bool take_double(struct document *d, double *value)
{
    bool truth;

    if (document_peek(d) != DOCUMENT_NUMBER)
        return document_fail(d);
    if (d->is_binary)
        return take_number(d, take_marker(d), value);
    if (json_peek(&d->json) == JSON_NUMBER)
        return json_number(&d->json, value);
    if (!json_boolean(&d->json, &truth))
        return false;
    *value = truth;
    return true;
}

bool document_int(struct document *d, int64_t *value)
{
    double number = 0;

    if (!take_double(d, &number) || !(fabs(number) < 0x1p53) || number != floor(number))
        return document_fail(d);
    *value = (int64_t)number;
    return true;
}

bool document_float(struct document *d, float *value)
{
    double number = 0;

    if (!d->is_binary && json_peek(&d->json) == JSON_NUMBER)
        return json_float(&d->json, value);
    if (!take_double(d, &number))
        return false;
    *value = (float)number;
    return true;
}

bool document_skip(struct document *d)
{
    return d->is_binary ? skip_binary(d) : json_skip(&d->json);
}

bool document_floats(struct document *d, struct floats *list)
{
    float value = 0;

    if (!document_array(d))
        return false;
    while (document_item(d) && document_float(d, &value)) {
        list->items = mem_grow(list->items, list->count, &list->cap, sizeof *list->items);
        list->items[list->count++] = value;
    }
    return !d->has_failed && d->json.fault == JSON_OK;
}

bool document_ints(struct document *d, struct ints *list)
{
    int64_t value = 0;

    if (!document_array(d))
        return false;
    while (document_item(d) && document_int(d, &value)) {
        list->items = mem_grow(list->items, list->count, &list->cap, sizeof *list->items);
        list->items[list->count++] = value;
    }
    return !d->has_failed && d->json.fault == JSON_OK;
}

bool document_end(struct document *d)
{
    return d->is_binary ? !d->has_failed && d->depth == 0 && left(d) == 0 : json_end(&d->json);
}
