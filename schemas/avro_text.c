#include "schemas/avro_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "schemas/avro_input.h"

struct printer {
    struct avro_text *text;
    const struct avro_schema *schema;
    struct avro_input in;
    size_t max_bytes;
    unsigned depth;
};

/* Room for len more bytes; the caller adds what it has written to text->len. */
static char *room(struct printer *p, size_t len)
{
    struct avro_text *t = p->text;

    if (t->cap - t->len < len) {
        t->cap = (t->len + len) * 2;
        t->data = mem_resize(t->data, t->cap, 1);
    }
    return t->data + t->len;
}

/* False when the text has become too long. */
static bool is_within(const struct printer *p)
{
    return p->text->len <= p->max_bytes;
}

static bool put(struct printer *p, const char *text, size_t len)
{
    memcpy(room(p, len), text, len);
    p->text->len += len;
    return is_within(p);
}

#define PUT(p, literal) put(p, literal, sizeof(literal) - 1)

/* As much of len bytes as says that the text is too long. */
static size_t bounded(const struct printer *p, size_t len)
{
    return len < p->max_bytes ? len : p->max_bytes;
}

static bool put_string(struct printer *p, const char *text, size_t len)
{
    len = bounded(p, len);
    p->text->len += json_string_print(room(p, JSON_STRING_MAX(len)), text, len);
    return is_within(p);
}

static bool put_integer(struct printer *p, int64_t value)
{
    p->text->len += integer_print(room(p, NUMBER_TEXT_MAX), value);
    return is_within(p);
}

static bool put_number(struct printer *p, double value)
{
    if (isnan(value))
        return PUT(p, "\"NaN\"");
    if (isinf(value))
        return value > 0 ? PUT(p, "\"Infinity\"") : PUT(p, "\"-Infinity\"");
    p->text->len += number_print(room(p, NUMBER_TEXT_MAX), value);
    return is_within(p);
}

/* The double whose shortest text is that of the float: 0.1f is 0.1, not 0.10000000149011612. */
static double shortest_of_float(float value)
{
    enum { MAX_DIGITS = 9 }; /* always enough for a float32 */
    char text[NUMBER_TEXT_MAX];
    double wide = value;

    for (int digits = 1; isfinite(value) && digits <= MAX_DIGITS; digits++) {
        size_t len = (size_t)snprintf(text, sizeof text, "%.*g", digits, (double)value);
        float back;
        if (number_parse_float(text, len, &back) == len && back == value &&
            number_parse(text, len, &wide) == len)
            return wide;
    }
    return wide;
}

static bool print_binary(struct printer *p, const uint8_t *data, size_t len)
{
    enum { ESCAPE = 6 };
    char *start, *o;

    len = bounded(p, len);
    o = start = room(p, len * ESCAPE + 2);
    *o++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (data[i] >= 0x20 && data[i] < 0x7f && data[i] != '"' && data[i] != '\\')
            *o++ = (char)data[i];
        else
            o += sprintf(o, "\\u%04x", data[i]);
    }
    *o++ = '"';
    p->text->len += (size_t)(o - start);
    return is_within(p);
}

static bool print_value(struct printer *p, int32_t type);

static bool print_record(struct printer *p, const struct schema_type *t)
{
    if (!PUT(p, "{"))
        return false;
    for (uint64_t i = 0; i < t->count; i++) {
        if ((i > 0 && !PUT(p, ",")) ||
            !put_string(p, t->fields[i].name, strlen(t->fields[i].name)) || !PUT(p, ":") ||
            !print_value(p, t->fields[i].type))
            return false;
    }
    return PUT(p, "}");
}

static bool print_item(struct printer *p, const struct schema_type *t)
{
    const char *key;
    size_t len;

    if (t->kind == SCHEMA_MAP &&
        (!avro_bytes(&p->in, &key, &len) || !put_string(p, key, len) || !PUT(p, ":")))
        return false;
    return print_value(p, t->items);
}

/* An array or a map: blocks of items. */
static bool print_items(struct printer *p, const struct schema_type *t)
{
    uint64_t least = p->schema->types[t->items].min_size + (t->kind == SCHEMA_MAP), count;
    bool is_first = true;
    const uint8_t *end;

    if (!put(p, t->kind == SCHEMA_MAP ? "{" : "[", 1))
        return false;
    for (;;) {
        if (!avro_block(&p->in, least, &count, &end))
            return false;
        if (count == 0)
            return put(p, t->kind == SCHEMA_MAP ? "}" : "]", 1);
        for (; count > 0; count--, is_first = false)
            if ((!is_first && !PUT(p, ",")) || !print_item(p, t))
                return false;
        if (end && end != p->in.p)
            return avro_fail(&p->in, FAULT_DECODE_BAD_LENGTH);
    }
}

static bool print_container(struct printer *p, const struct schema_type *t)
{
    bool is_well;

    if (p->depth == AVRO_TEXT_MAX_DEPTH)
        return avro_fail(&p->in, FAULT_DECODE_TOO_DEEP);
    p->depth++;
    is_well = t->kind == SCHEMA_RECORD ? print_record(p, t) : print_items(p, t);
    p->depth--;
    return is_well;
}

static bool take(struct printer *p, size_t len, const uint8_t **data)
{
    if ((size_t)(p->in.end - p->in.p) < len)
        return avro_fail(&p->in, FAULT_DECODE_TRUNCATED);
    *data = p->in.p;
    p->in.p += len;
    return true;
}

static bool print_bytes(struct printer *p, bool is_text)
{
    const char *data;
    size_t len;

    if (!avro_bytes(&p->in, &data, &len))
        return false;
    return is_text ? put_string(p, data, len) : print_binary(p, (const uint8_t *)data, len);
}

static bool print_float(struct printer *p, bool is_double)
{
    const uint8_t *data;
    double wide;
    float narrow;

    if (!take(p, is_double ? sizeof wide : sizeof narrow, &data))
        return false;
    if (is_double) {
        memcpy(&wide, data, sizeof wide);
        return put_number(p, wide);
    }
    memcpy(&narrow, data, sizeof narrow);
    return put_number(p, shortest_of_float(narrow));
}

static bool print_value(struct printer *p, int32_t type)
{
    const struct schema_type *t = &p->schema->types[type];
    uint32_t count = (uint32_t)t->count, choice;
    const uint8_t *data;
    int64_t number;
    uint8_t byte;

    switch (t->kind) {
    case SCHEMA_NULL: return PUT(p, "null");
    case SCHEMA_BOOLEAN:
        return avro_boolean(&p->in, &byte) && (byte ? PUT(p, "true") : PUT(p, "false"));
    case SCHEMA_INT: return avro_int(&p->in, &number) && put_integer(p, number);
    case SCHEMA_LONG: return avro_long(&p->in, &number) && put_integer(p, number);
    case SCHEMA_FLOAT:
    case SCHEMA_DOUBLE: return print_float(p, t->kind == SCHEMA_DOUBLE);
    case SCHEMA_BYTES:
    case SCHEMA_STRING: return print_bytes(p, t->kind == SCHEMA_STRING);
    case SCHEMA_FIXED: return take(p, t->count, &data) && print_binary(p, data, t->count);
    case SCHEMA_ENUM:
        return avro_choice(&p->in, count, FAULT_DECODE_BAD_ENUM, &choice) &&
               put_string(p, t->symbols[choice], strlen(t->symbols[choice]));
    case SCHEMA_UNION:
        return avro_choice(&p->in, count, FAULT_DECODE_BAD_UNION, &choice) &&
               print_value(p, t->branches[choice]);
    case SCHEMA_RECORD:
    case SCHEMA_ARRAY:
    case SCHEMA_MAP: break;
    }
    return print_container(p, t);
}

enum avro_text_end avro_text_print(struct avro_text *text, const struct avro_schema *schema,
                                   struct slice value, size_t from, size_t max_bytes)
{
    struct printer p = {.text = text,
                        .schema = schema,
                        .in = {value.data + from, value.data + value.len, FAULT_NONE},
                        .max_bytes = max_bytes};
    bool is_well;

    text->len = 0;
    room(&p, 1);
    is_well = print_value(&p, schema->root);
    if (is_well && p.in.p != p.in.end)
        is_well = avro_fail(&p.in, FAULT_DECODE_TRAILING_BYTES);
    text->fault = p.in.fault;
    text->at = (size_t)(p.in.p - value.data);
    if (is_well)
        return AVRO_TEXT_WHOLE;
    if (text->fault != FAULT_NONE)
        return AVRO_TEXT_DAMAGED;
    text->len = max_bytes;
    return AVRO_TEXT_CUT;
}

void avro_text_release(struct avro_text *text)
{
    free(text->data);
    *text = (struct avro_text){0};
}
