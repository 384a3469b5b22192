#include "producer/score.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "producer/put.h"

const char *score_mode_name(enum score_mode mode)
{
    static const char *const names[] = {"live", "replay", "shadow", "correction"};

    return names[mode];
}

/* Avro 1.11, "Binary Encoding": zig-zag, 7 bits a byte, lowest first. */
static char *put_long(char *o, int64_t value)
{
    uint64_t v = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);

    while (v >= 0x80) {
        *o++ = (char)(v | 0x80);
        v >>= 7;
    }
    *o++ = (char)v;
    return o;
}

static char *put_string(char *o, const char *text, size_t len)
{
    return put(put_long(o, (int64_t)len), text, len);
}

static void encode_names(struct score_encoder *e)
{
    size_t count = e->options.carry_count;

    e->names = mem_alloc(count, sizeof *e->names);
    for (size_t i = 0; i < count; i++) {
        const char *text = e->options.carry[i].text;
        size_t len = strlen(text);
        char *o = e->names[i].text = mem_alloc(JSON_STRING_MAX(len) + 10, 1);
        if (e->options.format == FORMAT_JSON) {
            o += json_string_print(o, text, len);
            *o++ = ':';
        } else {
            o = put_string(o, text, len);
        }
        e->names[i].len = (size_t)(o - e->names[i].text);
    }
}

/* No reasons are given yet. */
static void encode_tail(struct score_encoder *e, enum score_mode mode)
{
    char *o = e->tail;

    if (e->options.format == FORMAT_JSON) {
        o = put_json_field(o, ",\"mode\":", score_mode_name(mode));
        o = PUT(o, ",\"reasons\":null,\"carry\":{");
    } else {
        o = put_long(o, mode); /* the symbol's position in schemas/score.avsc */
        *o++ = 0;              /* null */
    }
    e->tail_len = (size_t)(o - e->tail);
}

void score_encoder_init(struct score_encoder *e, const struct score_options *options,
                        const struct provenance *p)
{
    size_t len = strlen(p->model) + strlen(p->version) + strlen(p->digest) + strlen(p->run);
    char *o;

    *e = (struct score_encoder){.options = *options};
    e->digest_tail[0] = '-';
    memcpy(e->digest_tail + 1, p->digest, 12);
    o = e->source = mem_alloc(JSON_STRING_MAX(len) + 100, 1);
    if (options->format == FORMAT_JSON) {
        o = put_json_field(o, ",\"model\":", p->model);
        o = put_json_field(o, ",\"version\":", p->version);
        o = put_json_field(o, ",\"digest\":", p->digest);
        o = put_json_field(o, ",\"run\":", p->run);
    } else {
        o = put_string(o, p->model, strlen(p->model));
        o = put_string(o, p->version, strlen(p->version));
        o = put_string(o, p->digest, strlen(p->digest));
        o = put_string(o, p->run, strlen(p->run));
    }
    e->source_len = (size_t)(o - e->source);
    encode_tail(e, p->mode);
    encode_names(e);
}

void score_encoder_release(struct score_encoder *e)
{
    for (size_t i = 0; i < e->options.carry_count; i++)
        free(e->names[i].text);
    free(e->names);
    free(e->source);
    *e = (struct score_encoder){0};
}

/* Room for one field. A text becomes JSON from where it lies; of what must be printed first, the
 * print lies behind its encoded form while that is made. */
static size_t room_of(const struct score_encoder *e, const struct carried *c)
{
    size_t max = carried_max(c);

    if (e->options.format == FORMAT_AVRO)
        return max + 10; /* its length */
    return c->kind == CARRIED_TEXT ? JSON_STRING_MAX(c->len) : JSON_STRING_MAX(max) + max;
}

static size_t carry_max(const struct score_encoder *e, const struct carried *c)
{
    size_t sum = 0;

    for (size_t i = 0; i < e->options.carry_count; i++)
        if (c[i].kind != CARRIED_NOTHING)
            sum += 1 + e->names[i].len + room_of(e, &c[i]);
    return sum;
}

size_t score_min_bytes(const struct score_encoder *e, const struct score *s)
{
    const struct carried *c = s->carried;
    size_t sum = 0;

    for (size_t i = 0; i < e->options.carry_count; i++)
        sum += c[i].kind == CARRIED_TEXT      ? c[i].len
               : c[i].kind == CARRIED_ESCAPED ? c[i].len / 6 /* \u0041 */
                                              : 0;
    return sum;
}

static char *put_carried_json(char *o, const struct carried *c)
{
    char *text = o + JSON_STRING_MAX(carried_max(c));

    if (c->kind == CARRIED_TEXT)
        return o + json_string_print(o, c->text, c->len);
    return o + json_string_print(o, text, carried_print(c, text));
}

static char *put_carry_json(const struct score_encoder *e, const struct carried *c, char *o)
{
    bool is_first = true;

    for (size_t i = 0; i < e->options.carry_count; i++) {
        if (c[i].kind == CARRIED_NOTHING)
            continue;
        if (!is_first)
            *o++ = ',';
        is_first = false;
        o = put_carried_json(put(o, e->names[i].text, e->names[i].len), &c[i]);
    }
    return o;
}

/* The length is known when the text is printed: it moves back behind it. */
static char *put_carried_avro(char *o, const struct carried *c)
{
    enum { LENGTH_MAX = 10 };
    size_t len = carried_print(c, o + LENGTH_MAX);
    char *text = put_long(o, (int64_t)len);

    memmove(text, o + LENGTH_MAX, len);
    return text + len;
}

/* A map: one block, and the empty one that ends it. */
static char *put_carry_avro(const struct score_encoder *e, const struct carried *c, char *o)
{
    size_t count = 0;

    for (size_t i = 0; i < e->options.carry_count; i++)
        count += c[i].kind != CARRIED_NOTHING;
    if (count != 0)
        o = put_long(o, (int64_t)count);
    for (size_t i = 0; count != 0 && i < e->options.carry_count; i++) {
        if (c[i].kind != CARRIED_NOTHING)
            o = put_carried_avro(put(o, e->names[i].text, e->names[i].len), &c[i]);
    }
    *o++ = 0;
    return o;
}

/* The topic comes twice; numbers and names fit in what is left. Kafka's topic names need no
 * escapes. */
size_t score_max_bytes(const struct score_encoder *e, const struct record *r, const struct score *s)
{
    enum { REST = 1024 };
    size_t decision_len = s->decision ? strlen(s->decision) : 0;

    return 2 * strlen(r->topic) + JSON_STRING_MAX(decision_len) + e->source_len + REST +
           s->value_count * (NUMBER_TEXT_MAX + 1) + carry_max(e, s->carried);
}

size_t score_print_id(const struct score_encoder *e, const struct record *r, char *out)
{
    char *o = put(out, r->topic, strlen(r->topic));

    *o++ = '-';
    o += integer_print(o, r->partition);
    *o++ = '-';
    o += integer_print(o, r->offset);
    o = put(o, e->digest_tail, 13);
    return (size_t)(o - out);
}

static size_t encode_json(const struct score_encoder *e, const struct record *r,
                          const struct score *s, char *out)
{
    size_t topic_len = strlen(r->topic);
    char *o = PUT(out, "{\"id\":\"");

    o += score_print_id(e, r, o);
    o = PUT(o, "\",\"topic\":\"");
    o = put(o, r->topic, topic_len);
    o = PUT(o, "\",\"partition\":");
    o += integer_print(o, r->partition);
    o = PUT(o, ",\"offset\":");
    o += integer_print(o, r->offset);
    o = PUT(o, ",\"event_time\":");
    o += integer_print(o, s->event_time_ms);
    o = PUT(o, ",\"schema_id\":");
    if (s->schema_id != SCHEMA_ID_NONE) {
        *o++ = '"';
        o += schema_id_print(o, s->schema_id, e->options.has_fingerprints);
        *o++ = '"';
    } else {
        o = PUT(o, "null");
    }
    o = put(o, e->source, e->source_len);
    o = PUT(o, ",\"score\":");
    o += number_print(o, s->value);
    o = PUT(o, ",\"scores\":[");
    for (size_t i = 0; i < s->value_count; i++) {
        if (i > 0)
            *o++ = ',';
        o += number_print(o, s->values[i]);
    }
    o = PUT(o, "],\"decision\":");
    if (s->decision)
        o += json_string_print(o, s->decision, strlen(s->decision));
    else
        o = PUT(o, "null");
    o = put(o, e->tail, e->tail_len);
    o = put_carry_json(e, s->carried, o);
    o = PUT(o, "}}");
    return (size_t)(o - out);
}

static size_t encode_avro(const struct score_encoder *e, const struct record *r,
                          const struct score *s, char *out)
{
    size_t topic_len = strlen(r->topic);
    char id[SCORE_ID_MAX], number[SCHEMA_ID_TEXT_MAX], *o = out;
    uint32_t frame_id = __builtin_bswap32((uint32_t)e->options.schema_id);

    *o++ = 0;
    o = put(o, (const char *)&frame_id, 4);
    o = put_string(o, id, score_print_id(e, r, id));
    o = put_string(o, r->topic, topic_len);
    o = put_long(o, r->partition);
    o = put_long(o, r->offset);
    o = put_long(o, s->event_time_ms);
    if (s->schema_id != SCHEMA_ID_NONE) {
        *o++ = 2; /* union branch 1, string */
        o = put_string(o, number,
                       schema_id_print(number, s->schema_id, e->options.has_fingerprints));
    } else {
        *o++ = 0;
    }
    o = put(o, e->source, e->source_len);
    o = put(o, (const char *)&s->value, 8);
    if (s->value_count > 0) { /* scores: one block, and the empty one that ends it */
        o = put_long(o, (int64_t)s->value_count);
        o = put(o, (const char *)s->values, s->value_count * sizeof *s->values);
    }
    *o++ = 0;
    if (s->decision) {
        *o++ = 2;
        o = put_string(o, s->decision, strlen(s->decision));
    } else {
        *o++ = 0;
    }
    o = put(o, e->tail, e->tail_len);
    o = put_carry_avro(e, s->carried, o);
    return (size_t)(o - out);
}

size_t score_encode(const struct score_encoder *e, const struct record *r, const struct score *s,
                    char *out)
{
    return e->options.format == FORMAT_JSON ? encode_json(e, r, s, out) : encode_avro(e, r, s, out);
}
