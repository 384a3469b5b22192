#include "producer/score_csv.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "producer/put.h"

/* Room for a text: quotes around it, and each of its own twice. */
#define CSV_MAX(len) ((len)*2 + 2)

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strchr(",\"\r\n", text[i])) /* NUL, too */
            return false;
    return true;
}

static char *put_text(char *o, const char *text, size_t len)
{
    if (len == 0 || is_plain(text, len))
        return len ? put(o, text, len) : o;
    *o++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            *o++ = '"';
        *o++ = text[i];
    }
    *o++ = '"';
    return o;
}

static char *put_field(char *o, const char *text)
{
    *o++ = ',';
    return put_text(o, text, strlen(text));
}

void score_csv_init(struct score_csv *csv, const struct score_options *options,
                    const struct provenance *p)
{
    struct score_options own = *options;
    char *o;

    own.format = FORMAT_JSON;
    *csv = (struct score_csv){.mode = p->mode};
    score_encoder_init(&csv->encoder, &own, p);
    o = csv->source = mem_alloc(
        CSV_MAX(strlen(p->model) + strlen(p->version) + strlen(p->digest) + strlen(p->run)) + 20,
        1);
    o = put_field(o, p->model);
    o = put_field(o, p->version);
    o = put_field(o, p->digest);
    o = put_field(o, p->run);
    csv->source_len = (size_t)(o - csv->source);
}

void score_csv_release(struct score_csv *csv)
{
    score_encoder_release(&csv->encoder);
    free(csv->source);
    *csv = (struct score_csv){0};
}

char *score_csv_heading(const struct path *carry, size_t carry_count)
{
    static const char fields[] = "id,topic,partition,offset,event_time,schema_id,model,version,"
                                 "digest,run,score,scores,decision,mode";
    size_t cap = sizeof fields + 2;
    char *text, *o;

    for (size_t i = 0; i < carry_count; i++)
        cap += CSV_MAX(strlen(carry[i].text)) + 1;
    text = mem_alloc(cap, 1);
    o = put(text, fields, sizeof fields - 1);
    for (size_t i = 0; i < carry_count; i++)
        o = put_field(o, carry[i].text);
    *o++ = '\n';
    *o = '\0';
    return text;
}

size_t score_csv_max_bytes(const struct score_csv *csv, const struct record *r,
                           const struct score *s)
{
    enum { REST = 512 };
    size_t sum = 2 * strlen(r->topic) + csv->source_len + REST +
                 CSV_MAX(s->decision ? strlen(s->decision) : 0) +
                 s->value_count * (NUMBER_TEXT_MAX + 1);

    for (size_t i = 0; i < csv->encoder.options.carry_count; i++)
        if (s->carried[i].kind != CARRIED_NOTHING) /* its print lies behind what is made of it */
            sum += CSV_MAX(carried_max(&s->carried[i])) + carried_max(&s->carried[i]) + 1;
    return sum + csv->encoder.options.carry_count;
}

static char *put_scores(char *o, const struct score *s)
{
    *o++ = ',';
    o += number_print(o, s->value);
    *o++ = ',';
    for (size_t i = 0; i < s->value_count; i++) {
        if (i > 0)
            *o++ = ' ';
        o += number_print(o, s->values[i]);
    }
    return o;
}

static char *put_carried(char *o, const struct carried *c)
{
    char *print;

    *o++ = ',';
    if (c->kind == CARRIED_NOTHING)
        return o;
    print = o + CSV_MAX(carried_max(c));
    return put_text(o, print, carried_print(c, print));
}

size_t score_csv_encode(const struct score_csv *csv, const struct record *r, const struct score *s,
                        char *out)
{
    const struct score_options *options = &csv->encoder.options;
    char *o = out + score_print_id(&csv->encoder, r, out);

    o = put_field(o, r->topic);
    *o++ = ',';
    o += integer_print(o, r->partition);
    *o++ = ',';
    o += integer_print(o, r->offset);
    *o++ = ',';
    o += integer_print(o, s->event_time_ms);
    *o++ = ',';
    if (s->schema_id != SCHEMA_ID_NONE)
        o += schema_id_print(o, s->schema_id, options->has_fingerprints);
    o = put(o, csv->source, csv->source_len);
    o = put_scores(o, s);
    o = put_field(o, s->decision ? s->decision : "");
    o = put_field(o, score_mode_name(csv->mode));
    for (size_t i = 0; i < options->carry_count; i++)
        o = put_carried(o, &s->carried[i]);
    *o++ = '\n';
    return (size_t)(o - out);
}
