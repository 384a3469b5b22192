#include "scoring/document.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "scoring/ubjson.h"

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

size_t document_left(const struct document *d)
{
    return (size_t)(d->json.end - d->json.at);
}

enum document_type document_peek(struct document *d)
{
    if (d->is_binary)
        return ubjson_peek(d);
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

bool document_object(struct document *d)
{
    return d->is_binary ? ubjson_enter(d, '{') : json_enter_object(&d->json);
}

bool document_key(struct document *d, struct json_text *key)
{
    return d->is_binary ? ubjson_has_more(d, '}') && ubjson_text(d, key) : json_key(&d->json, key);
}

bool document_array(struct document *d)
{
    return d->is_binary ? ubjson_enter(d, '[') : json_enter_array(&d->json);
}

bool document_item(struct document *d)
{
    return d->is_binary ? ubjson_has_more(d, ']') : json_item(&d->json);
}

bool document_string(struct document *d, struct json_text *text)
{
    if (document_peek(d) != DOCUMENT_STRING)
        return document_fail(d);
    if (!d->is_binary)
        return json_take_string(&d->json, text);
    ubjson_marker(d);
    return ubjson_text(d, text);
}

static bool take_double(struct document *d, double *value)
{
    bool truth;

    if (document_peek(d) != DOCUMENT_NUMBER)
        return document_fail(d);
    if (d->is_binary)
        return ubjson_number(d, ubjson_marker(d), value);
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

/* Whether all bytes are of a list of numbers: digits, signs, points, exponents, commas. A loop that
 * becomes vector code: some 10 bytes a nanosecond. */
static bool is_numbers(const char *p, size_t len)
{
    uint8_t bad = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)p[i], place = (uint8_t)(c - '+'); /* + , - . / 0 to 9 */
        bad |= (uint8_t)(((place > 14) | (c == '/')) & ((c | 0x20) != 'e'));
    }
    return bad == 0;
}

/* Passes a list of numbers that nobody asked for, half of a model: to its bracket, and that its
 * bytes could be numbers is all that is looked at. False: something else, nothing is taken. */
static bool pass_numbers(struct document *d)
{
    const char *first, *last;

    if (json_peek(&d->json) != JSON_ARRAY || document_left(d) < 2)
        return false;
    first = d->json.at + 1;
    last = memchr(first, ']', document_left(d) - 1);
    if (!last || last == first || last[-1] < '0' || last[-1] > '9' || *first == ',' ||
        !is_numbers(first, (size_t)(last - first)))
        return false;
    d->json.at = last + 1;
    return true;
}

bool document_skip(struct document *d)
{
    if (d->is_binary)
        return ubjson_skip(d);
    return pass_numbers(d) || json_skip(&d->json);
}

/* ---- lists: XGBoost's are packed, or JSON without blanks; what differs is read item by item. */

static bool is_well(const struct document *d)
{
    return !d->has_failed && d->json.fault == JSON_OK;
}

bool document_floats(struct document *d, struct floats *list)
{
    float value = 0;
    size_t count;

    if (!document_array(d))
        return false;
    if (d->is_binary)
        ubjson_packed_floats(d, list);
    while (document_item(d) && document_float(d, &value)) {
        list->items = mem_grow(list->items, list->count, &list->cap, sizeof *list->items);
        list->items[list->count++] = value;
        if (d->is_binary)
            continue;
        d->json.at += number_list_floats(d->json.at, document_left(d), list->items + list->count,
                                         list->cap - list->count, &count);
        list->count += count;
    }
    return is_well(d);
}

static bool take_int32(struct document *d, int32_t *value)
{
    int64_t whole = 0;

    if (!document_int(d, &whole))
        return false;
    *value = (int32_t)whole;
    return *value == whole || document_fail(d);
}

bool document_int32s(struct document *d, struct int32s *list)
{
    int32_t value = 0;
    size_t count;

    if (!document_array(d))
        return false;
    if (d->is_binary)
        ubjson_packed_int32s(d, list);
    while (document_item(d) && take_int32(d, &value)) {
        list->items = mem_grow(list->items, list->count, &list->cap, sizeof *list->items);
        list->items[list->count++] = value;
        if (d->is_binary)
            continue;
        d->json.at += number_list_integers(d->json.at, document_left(d), list->items + list->count,
                                           list->cap - list->count, &count);
        list->count += count;
    }
    return is_well(d);
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
    return is_well(d);
}

bool document_end(struct document *d)
{
    return d->is_binary ? !d->has_failed && d->depth == 0 && document_left(d) == 0
                        : json_end(&d->json);
}
