#include "cli/tail_view.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

enum { DEAD_VALUE_BYTES = 80, LEAST_VALUE_COLUMNS = 20 };

static const char dim[] = "2", bold[] = "1", red[] = "31", yellow[] = "33", plain[] = "";

static const char *text_of(struct slice s)
{
    return (const char *)s.data;
}

/* The header's value, data NULL without one. */
static struct slice header_of(const struct tail_item *item, const char *name)
{
    for (size_t i = item->header_count; i-- > 0;)
        if (strcmp(item->headers[i].name, name) == 0)
            return item->headers[i].value;
    return (struct slice){NULL, 0};
}

/* JSON has line breaks only between its tokens: a new text with blanks there. */
static char *flatten(struct slice json)
{
    char *text = mem_copy_text(text_of(json), json.len);

    for (size_t i = 0; i < json.len; i++)
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
            text[i] = ' ';
    return text;
}

/* ---- for a person */

/* At most `most` columns of it. */
static void put_cut(struct tail_view *v, const char *colour, struct slice s, size_t most)
{
    /* What is more than 4 bytes a column is cut before it is looked at. */
    size_t len = s.len / 4 > most ? most * 4 : s.len, columns = most;
    char *text = mem_alloc(VISIBLE_MAX(len) + 1, 1);
    size_t got = visible_print(text, s.data, len), cut = text_columns(text, got, &columns);

    if (v->has_colour && *colour)
        fprintf(v->out, "\033[%sm", colour);
    fwrite(text, 1, cut, v->out);
    if (v->has_colour && *colour)
        fputs("\033[0m", v->out);
    v->columns += columns;
    free(text);
}

static void put(struct tail_view *v, const char *colour, struct slice s)
{
    put_cut(v, colour, s, SIZE_MAX / 8);
}

static void put_text(struct tail_view *v, const char *colour, const char *text)
{
    put(v, colour, slice_of(text));
}

static void put_word(struct tail_view *v, const char *colour, struct slice s)
{
    put(v, colour, s.data ? s : slice_of("-"));
    put_text(v, plain, " ");
}

/* The last of a line: what is left of the terminal's width. */
static void put_value(struct tail_view *v, const char *colour, struct slice s)
{
    size_t left = v->width > v->columns ? v->width - v->columns : 0;

    if (v->width == 0)
        put(v, colour, s);
    else
        put_cut(v, colour, s, left > LEAST_VALUE_COLUMNS ? left : LEAST_VALUE_COLUMNS);
}

static void put_time(struct tail_view *v, const struct record *r)
{
    char time[CLOCK_TEXT_MAX] = "-";

    if (r->timestamp_ms >= 0)
        clock_print(time, r->timestamp_ms);
    put_word(v, dim, slice_of(time));
}

static void put_place(struct tail_view *v, const char *topic, int64_t partition, int64_t offset)
{
    char text[400];

    snprintf(text, sizeof text, "%s[%lld]@%lld", topic, (long long)partition, (long long)offset);
    put_text(v, dim, text);
}

static void put_own_place(struct tail_view *v, const struct record *r)
{
    put_place(v, r->topic, r->partition, r->offset);
    put_text(v, plain, " ");
}

static void put_event(struct tail_view *v, const struct tail_item *item)
{
    const struct record *r = item->record;
    char *json;

    put_word(v, plain, r->key);
    if (item->is_skipped && r->value.data)
        put_text(v, yellow, "skipped ");
    if (item->trouble) {
        put_text(v, red, item->trouble);
        put_text(v, plain, " ");
        put_value(v, plain, item->rest.data ? item->rest : r->value);
    } else if (item->json.data) {
        json = flatten(item->json);
        put_value(v, plain, (struct slice){(const uint8_t *)json, item->json.len});
        free(json);
    } else if (r->value.data) {
        put_value(v, plain, r->value);
    } else {
        put_text(v, dim, "null");
    }
}

static const char *string_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "-";
}

/* False when it is no score. */
static bool put_score(struct tail_view *v, const struct tail_item *item)
{
    json_t *json = json_loadb(text_of(item->json), item->json.len, JSON_ALLOW_NUL, NULL);
    const json_t *score = json_object_get(json, "score");
    const char *mode = string_of(json, "mode");
    char number[NUMBER_TEXT_MAX];

    if (!json_is_number(score) || !json_is_integer(json_object_get(json, "offset"))) {
        json_decref(json);
        return false;
    }
    put_word(v, plain, item->record->key);
    snprintf(number, sizeof number, "%.6g", json_number_value(score));
    put_word(v, bold, slice_of(number));
    put_word(v, bold, slice_of(string_of(json, "decision")));
    put_word(v, plain, slice_of(string_of(json, "model")));
    put_word(v, plain, slice_of(string_of(json, "version")));
    put_text(v, dim, "<- ");
    put_place(v, string_of(json, "topic"), json_integer_value(json_object_get(json, "partition")),
              json_integer_value(json_object_get(json, "offset")));
    if (strcmp(mode, "live") != 0) {
        put_text(v, plain, " ");
        put_text(v, yellow, mode);
    }
    json_decref(json);
    return true;
}

/* False when it is none of kscore's. */
static bool put_dead(struct tail_view *v, const struct tail_item *item)
{
    struct slice topic = header_of(item, "__connect.errors.topic");
    struct slice partition = header_of(item, "__connect.errors.partition");
    struct slice offset = header_of(item, "__connect.errors.offset");
    struct slice message = header_of(item, "__connect.errors.exception.message");
    struct slice value = item->record->value;

    if (!topic.data || !partition.data || !offset.data)
        return false;
    put(v, dim, topic);
    put_text(v, dim, "[");
    put(v, dim, partition);
    put_text(v, dim, "]@");
    put_word(v, dim, offset);
    put(v, red, header_of(item, "__connect.errors.stage"));
    put_text(v, red, "/");
    put_word(v, red, header_of(item, "__connect.errors.exception.class.name"));
    put_word(v, yellow, header_of(item, "kscore.blame"));
    put_word(v, plain, message);
    put_text(v, dim, "| ");
    if (!value.data)
        put_text(v, dim, header_of(item, "kscore.dropped").data ? "dropped" : "null");
    else
        put_cut(v, plain, value, DEAD_VALUE_BYTES);
    return true;
}

static void show_text(struct tail_view *v, const struct tail_item *item)
{
    bool is_shown = false;

    v->columns = 0;
    put_time(v, item->record);
    if (v->topic == TAIL_DEAD) {
        is_shown = put_dead(v, item);
        if (!is_shown)
            put_own_place(v, item->record);
    } else {
        put_own_place(v, item->record);
        is_shown = v->topic != TAIL_EVENTS && item->json.data && put_score(v, item);
    }
    if (!is_shown)
        put_event(v, item);
    fputc('\n', v->out);
}

/* ---- as JSON */

static void write_text(FILE *out, struct slice s)
{
    char *text;

    if (!s.data) {
        fputs("null", out);
        return;
    }
    text = mem_alloc(JSON_STRING_MAX(s.len), 1);
    fwrite(text, 1, json_string_print(text, text_of(s), s.len), out);
    free(text);
}

/* A header whose text is an integer, else null. */
static void write_integer(FILE *out, struct slice s)
{
    int64_t value;

    if (s.data && integer_parse(text_of(s), s.len, INT64_MIN, INT64_MAX, &value))
        fprintf(out, "%lld", (long long)value);
    else
        fputs("null", out);
}

static void write_dead(FILE *out, const struct tail_item *item)
{
    static const struct {
        const char *name, *header;
        bool is_integer;
    } fields[] = {
        {"origin_topic", "__connect.errors.topic", false},
        {"origin_partition", "__connect.errors.partition", true},
        {"origin_offset", "__connect.errors.offset", true},
        {"stage", "__connect.errors.stage", false},
        {"reason", "__connect.errors.exception.class.name", false},
        {"blame", "kscore.blame", false},
        {"message", "__connect.errors.exception.message", false},
        {"schema_id", "kscore.schema_id", false},
        {"model", "kscore.model", false},
        {"version", "kscore.version", false},
        {"digest", "kscore.digest", false},
        {"run", "kscore.run", false},
        {"attempt", "kscore.attempt", true},
        {"first_failed", "kscore.first_failed", true},
        {"dropped", "kscore.dropped", false},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        fprintf(out, ",\"%s\":", fields[i].name);
        (fields[i].is_integer ? write_integer : write_text)(out, header_of(item, fields[i].header));
    }
    fputs(",\"value\":", out);
    write_text(out, item->record->value);
}

static void write_value(FILE *out, const struct tail_item *item)
{
    char *json;

    fputs(",\"value\":", out);
    if (item->json.data) {
        json = flatten(item->json);
        fwrite(json, 1, item->json.len, out);
        free(json);
        return;
    }
    fputs("null", out);
    if (item->trouble) {
        fputs(",\"trouble\":", out);
        write_text(out, slice_of(item->trouble));
        fputs(",\"text\":", out);
        write_text(out, item->rest.data ? item->rest : item->record->value);
    }
}

static void show_json(struct tail_view *v, const struct tail_item *item)
{
    const struct record *r = item->record;
    char *line, *visible;
    size_t len;
    FILE *out = open_memstream(&line, &len);

    fputs("{\"topic\":", out);
    write_text(out, slice_of(r->topic));
    fprintf(out, ",\"partition\":%d,\"offset\":%lld,\"timestamp\":", r->partition,
            (long long)r->offset);
    if (r->timestamp_ms >= 0)
        fprintf(out, "%lld", (long long)r->timestamp_ms);
    else
        fputs("null", out);
    fputs(",\"key\":", out);
    write_text(out, r->key);
    if (item->is_skipped)
        fputs(",\"skipped\":true", out);
    (v->topic == TAIL_DEAD ? write_dead : write_value)(out, item);
    fputc('}', out);
    fclose(out);
    /* All that is left to escape stands in strings, where JSON has the same escapes. */
    visible = mem_alloc(VISIBLE_MAX(len), 1);
    fwrite(visible, 1, visible_print(visible, line, len), v->out);
    fputc('\n', v->out);
    free(visible);
    free(line);
}

void tail_view_show(struct tail_view *view, const struct tail_item *item)
{
    (view->is_json ? show_json : show_text)(view, item);
}
