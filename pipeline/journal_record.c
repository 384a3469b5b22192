#include "pipeline/journal_record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/repaired.h"

enum { MAX_SCHEMAS = 1000 };

struct run_facts {
    json_t *values;  /* {"kscore.workers": "1", "build": "...", ...} */
    json_t *schemas; /* ["1", "7"] */
};

/* ---- values */

static json_t *record_of(const struct journal_source *source, int64_t at_ms, const char *kind)
{
    char time[CLOCK_TEXT_MAX];

    clock_print(time, at_ms);
    return json_pack("{s:s, s:o, s:o, s:s, s:s}", "time", time, "name", repaired_json(source->name),
                     "instance", repaired_json(source->instance), "run", source->run, "kind", kind);
}

static char *print(json_t *record)
{
    char *text = json_dumps(record, JSON_COMPACT);

    json_decref(record);
    return text;
}

char *journal_record_key(const struct journal_source *source, const char *kind)
{
    char *key;

    if (asprintf(&key, "%s%s%s%s%s", source->name, *source->instance ? "/" : "", source->instance,
                 kind ? "#" : "", kind ? kind : "") < 0)
        abort();
    return key;
}

static void set_number(json_t *record, const char *name, const char *text)
{
    const char *value;
    size_t len = journal_word(text, name, &value);
    int64_t number;

    if (len > 0 && integer_parse(value, len, INT64_MIN, INT64_MAX, &number))
        json_object_set_new(record, name, json_integer(number));
}

char *journal_record_entry(const struct journal_source *source, const struct journal_entry *e,
                           uint64_t missed)
{
    json_t *record = record_of(source, e->at_ms, journal_kind_name(e->kind));
    const char *topic;
    size_t len = journal_word(e->text, "topic", &topic);

    json_object_set_new(record, "event", json_string(e->event));
    json_object_set_new(record, "text", repaired_json(e->text));
    if (e->worker >= 0)
        json_object_set_new(record, "worker", json_integer(e->worker));
    if (len > 0)
        json_object_set_new(record, "topic", repaired_json_bytes(topic, len));
    set_number(record, "partition", e->text);
    set_number(record, "offset", e->text);
    if (missed > 0)
        json_object_set_new(record, "missed", json_integer((json_int_t)missed));
    return print(record);
}

char *journal_record_profile(const struct journal_source *source, int64_t at_ms, const char *text)
{
    json_t *profile = json_loads(text, JSON_DECODE_ANY, NULL), *record;

    if (!profile)
        return NULL;
    record = record_of(source, at_ms, "profile");
    json_object_set_new(record, "profile", profile);
    return print(record);
}

char *journal_record_run(const struct journal_source *source, int64_t at_ms,
                         const struct run_facts *facts)
{
    json_t *record = record_of(source, at_ms, "run");

    json_object_set(record, "facts", facts->values);
    json_object_set(record, "schemas", facts->schemas);
    return print(record);
}

/* ---- facts */

static void set(struct run_facts *f, const char *key, const char *value)
{
    json_object_set_new(f->values, key, repaired_json(value));
}

struct run_facts *run_facts_new(const struct config *config, const char *build)
{
    struct run_facts *f = mem_alloc(1, sizeof *f);

    f->values = json_object();
    f->schemas = json_array();
    set(f, "build", build);
    set(f, "librdkafka", kafka_conf_version());
    for (size_t i = 0; i < config->effective.count; i++)
        set(f, config->effective.items[i].name, config->effective.items[i].value);
    set(f, "config.digest", config->digest);
    return f;
}

void run_facts_free(struct run_facts *f)
{
    if (!f)
        return;
    json_decref(f->values);
    json_decref(f->schemas);
    free(f);
}

static const char *get(const struct run_facts *f, const char *key)
{
    const char *value = json_string_value(json_object_get(f->values, key));

    return value ? value : "";
}

bool run_facts_set_model(struct run_facts *f, const struct model_metrics *model)
{
    if (strcmp(get(f, "model.digest"), model->digest) == 0)
        return false;
    set(f, "model.name", model->name);
    set(f, "model.version", model->version);
    set(f, "model.digest", model->digest);
    return true;
}

bool run_facts_has_schema(const struct run_facts *f, const char *id, size_t len)
{
    const json_t *one;
    size_t i;

    json_array_foreach(f->schemas, i, one)
    {
        if (json_string_length(one) == len && memcmp(json_string_value(one), id, len) == 0)
            return true;
    }
    return false;
}

bool run_facts_add_schema(struct run_facts *f, const char *id, size_t len)
{
    if (run_facts_has_schema(f, id, len) || json_array_size(f->schemas) == MAX_SCHEMAS)
        return false;
    json_array_append_new(f->schemas, repaired_json_bytes(id, len));
    return true;
}

/* The record when it is one of that kind; json_decref it. */
static json_t *parse(const char *value, size_t len, const char *kind)
{
    json_t *record = json_loadb(value, len, 0, NULL);
    const char *is = json_string_value(json_object_get(record, "kind"));

    if (is && strcmp(is, kind) == 0)
        return record;
    json_decref(record);
    return NULL;
}

static void copy_text(const json_t *record, const char *name, char *out, size_t cap)
{
    const char *text = json_string_value(json_object_get(record, name));

    snprintf(out, cap, "%s", text ? text : "");
}

struct run_facts *run_facts_parse(const char *value, size_t len, char run[16], char time[32])
{
    json_t *record = parse(value, len, "run"), *values = json_object_get(record, "facts"),
           *schemas = json_object_get(record, "schemas");
    struct run_facts *f = NULL;

    if (json_is_object(values) && json_is_array(schemas)) {
        f = mem_alloc(1, sizeof *f);
        f->values = json_incref(values);
        f->schemas = json_incref(schemas);
        copy_text(record, "run", run, 16);
        copy_text(record, "time", time, 32);
    }
    json_decref(record);
    return f;
}

char *journal_record_parse_profile(const char *value, size_t len)
{
    json_t *record = parse(value, len, "profile"), *profile = json_object_get(record, "profile");
    char *text = profile ? json_dumps(profile, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    json_decref(record);
    return text;
}

bool profile_seat_take(struct profile_seat *seat, const struct profile_seat *next)
{
    enum { GONE_MS = 180000 }; /* each says its own once a minute */
    bool is_free = seat->at_ms == 0 || next->at_ms - seat->at_ms > GONE_MS;

    if (!is_free && next->worker != seat->worker && next->windows <= seat->windows)
        return false;
    *seat = *next;
    return true;
}

/* The digest differs with each key, which says more. */
static bool is_compared(const char *key)
{
    return strcmp(key, "config.digest") != 0;
}

size_t run_facts_compare(const struct run_facts *before, const struct run_facts *now,
                         run_facts_change *change, void *arg)
{
    const char *key;
    json_t *value;
    size_t count = 0;

    json_object_foreach(now->values, key, value)
    {
        if (!is_compared(key) || strcmp(get(before, key), get(now, key)) == 0)
            continue;
        change(arg, key, get(before, key), get(now, key));
        count++;
    }
    json_object_foreach(before->values, key, value)
    {
        if (json_object_get(now->values, key) || !is_compared(key) || !*get(before, key))
            continue;
        change(arg, key, get(before, key), "");
        count++;
    }
    return count;
}
