#include "pipeline/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/reader.h"
#include "core/clock.h"
#include "core/mem.h"
#include "pipeline/schemas.h"
#include "schemas/bind.h"
#include "schemas/decoder.h"
#include "schemas/frame.h"
#include "schemas/rooted.h"

enum { WAIT_MS = 5000, POLL_MS = 100 };

struct sampler {
    struct features marked; /* the bundle's, but for what missing is */
    struct features rooted;
    struct decoder *decoder;
    float *row;
    int64_t wait_ms; /* that may still be spent on schemas */
};

/* ---- life */

/* Borrows all but the list from the bundle. */
static void mark_missing(struct features *marked, const struct features *features)
{
    *marked = (struct features){.items = mem_alloc(features->count, sizeof *marked->items),
                                .count = features->count};
    memcpy(marked->items, features->items, features->count * sizeof *marked->items);
    for (size_t i = 0; i < features->count; i++) {
        marked->items[i].missing = bind_fault_float(FAULT_BIND_MISSING_FIELD);
        marked->items[i].unknown_is_missing = false;
    }
}

int sample_init(struct sample *s, const struct config *config, const struct bundle *bundle,
                int timeout_ms, struct err *err)
{
    const struct features *features = &bundle->features;
    struct sampler *sampler = mem_alloc(1, sizeof *sampler);

    *s = (struct sample){
        .config = config, .bundle = bundle, .sampler = sampler, .trouble = ERR_INIT};
    s->features = mem_alloc(features->count, sizeof *s->features);
    sampler->row = mem_alloc(features->count, sizeof *sampler->row);
    sampler->wait_ms = WAIT_MS;
    mark_missing(&sampler->marked, features);
    rooted_init(&sampler->rooted, features,
                &(struct rooted_options){&config->root, config->carry, config->carry_count,
                                         &config->event_time});
    unused_init(&s->unused, &sampler->rooted, NULL);
    if (schemas_decoder_now(&sampler->decoder, config, &sampler->marked, timeout_ms, err) == 0)
        return 0;
    sample_release(s);
    return -1;
}

void sample_release(struct sample *s)
{
    if (!s->sampler)
        return;
    decoder_free(s->sampler->decoder);
    unused_release(&s->unused);
    rooted_release(&s->sampler->rooted);
    free(s->sampler->marked.items);
    free(s->sampler->row);
    free(s->sampler);
    free(s->features);
    free(s->schemas);
    *s = (struct sample){0};
}

/* ---- one record */

/* NULL: it names none, or one too many. */
static struct sample_schema *schema_of(struct sample *s, int64_t number)
{
    struct sample_schema *schema;

    for (size_t i = 0; i < s->schema_count; i++)
        if (s->schemas[i].number == number)
            return &s->schemas[i];
    if (number == SCHEMA_ID_NONE || s->schema_count == SAMPLE_MAX_SCHEMAS)
        return NULL;
    s->schemas = mem_grow(s->schemas, s->schema_count, &s->schema_cap, sizeof *s->schemas);
    schema = &s->schemas[s->schema_count++];
    *schema = (struct sample_schema){.number = number};
    schema_id_print(schema->id, number, config_has_fingerprints(s->config));
    return schema;
}

/* False: it cannot be told now what the schema is, or whether there is one. */
static bool learn(struct sample *s, int64_t number)
{
    int64_t start_ms = clock_ms();
    struct err err = ERR_INIT;
    int learnt = schemas_learn(s->sampler->decoder, number, s->sampler->wait_ms, &err);

    s->sampler->wait_ms -= clock_ms() - start_ms;
    if (learnt != 0 && !err_is_set(&s->trouble))
        s->trouble = err;
    return learnt == 0;
}

/* Whether it is a dead letter, or just missing. */
static bool is_fatal(enum fault fault, const struct feature *feature)
{
    switch (fault) {
    case FAULT_NONE: return false;
    case FAULT_BIND_MISSING_FIELD: return feature->required;
    case FAULT_BIND_UNKNOWN_CATEGORY: return !feature->unknown_is_missing;
    default: return true;
    }
}

/* The verdict without marks. */
static struct outcome judge(const struct sample *s, struct outcome marked)
{
    const struct features *features = &s->bundle->features;

    if (!outcome_is_judged(marked))
        return marked;
    for (size_t i = 0; i < features->count; i++) {
        enum fault fault = bind_fault_of(s->sampler->row[i]);
        if (is_fatal(fault, &features->items[i]))
            return outcome_dead_feature(fault, i, marked.feature == i ? marked.at : 0);
    }
    return outcome_scored();
}

static void count_features(struct sample *s)
{
    s->events++;
    for (size_t i = 0; i < s->bundle->features.count; i++) {
        struct sample_feature *f = &s->features[i];
        switch (bind_fault_of(s->sampler->row[i])) {
        case FAULT_BIND_MISSING_FIELD: f->missing++; break;
        case FAULT_BIND_WRONG_TYPE: f->wrong_type++; break;
        case FAULT_BIND_UNKNOWN_CATEGORY: f->unknown_category++; break;
        case FAULT_BIND_NOT_FINITE: f->not_finite++; break;
        default: f->present++;
        }
    }
}

static void count_dead(struct sample *s, const struct record *record, struct outcome outcome)
{
    struct fault_tally *tally = &s->faults[outcome.fault];

    s->dead++;
    if (tally->count++ > 0)
        return;
    snprintf(tally->topic, sizeof tally->topic, "%s", record->topic);
    tally->first_partition = record->partition;
    tally->first_offset = record->offset;
    decoder_explain(s->sampler->decoder, &outcome, tally->message, sizeof tally->message);
}

static void look_for_fields(struct sample *s, struct slice value)
{
    size_t frame = s->config->framing == CONFIG_FRAMING_JSON_SCHEMA ? FRAME_CONFLUENT_BYTES : 0;

    if (s->config->format == FORMAT_JSON)
        unused_event(&s->unused, (struct slice){value.data + frame, value.len - frame},
                     (unsigned)s->config->max_depth);
}

void sample_add(struct sample *s, const struct record *record)
{
    struct sampler *sampler = s->sampler;
    int64_t number;
    struct outcome outcome = decoder_decode(sampler->decoder, record->value, sampler->row, &number);
    struct sample_schema *schema = schema_of(s, number);

    if (outcome.kind == OUTCOME_WAITING && !(schema && schema->is_lost) && learn(s, number))
        outcome = decoder_decode(sampler->decoder, record->value, sampler->row, &number);
    outcome = judge(s, outcome);
    s->records++;
    s->scored += outcome.kind == OUTCOME_SCORED;
    s->skipped += outcome.kind == OUTCOME_SKIPPED;
    s->waiting += outcome.kind == OUTCOME_WAITING;
    if (outcome.kind == OUTCOME_DEAD)
        count_dead(s, record, outcome);
    if (outcome.kind == OUTCOME_SCORED && s->config->event_time.step_count)
        s->no_event_time += decoder_event_time(sampler->decoder) == EVENT_TIME_NONE;
    if (outcome_is_judged(outcome)) {
        count_features(s);
        look_for_fields(s, record->value);
    }
    if (schema) {
        schema->records++;
        schema->scored += outcome.kind == OUTCOME_SCORED;
        schema->is_lost |= outcome.kind == OUTCOME_WAITING;
    }
}

/* ---- from the brokers */

int sample_read(struct sample *s, size_t count, int timeout_ms, struct err *err)
{
    const struct config *c = s->config;
    const struct reader_range range = {-1, {PLACE_SHARE, (int64_t)count}, {PLACE_END, 0}, 0};
    size_t cap = (size_t)c->batch_rows;
    struct record *records;
    int64_t until_ms = clock_ms() + timeout_ms;
    struct reader *reader = reader_new(c, err);
    ssize_t got = -1;

    if (!reader)
        return -1;
    records = mem_alloc(cap, sizeof *records);
    if (reader_open(reader, (const char *const *)c->topics, c->topic_count, &range, timeout_ms,
                    err) == 0)
        got = 0;
    while (got >= 0 && !reader_is_done(reader) && !s->is_cut) {
        got = reader_poll(reader, records, cap, POLL_MS, err);
        for (ssize_t i = 0; i < got; i++)
            sample_add(s, &records[i]);
        if (got > 0)
            reader_release(records, (size_t)got);
        s->is_cut = !reader_is_done(reader) && clock_ms() >= until_ms;
    }
    reader_free(reader);
    free(records);
    return got < 0 ? -1 : 0;
}

/* ---- the end */

static int by_records(const void *a, const void *b)
{
    const struct sample_schema *x = a, *y = b;

    if (x->records != y->records)
        return x->records < y->records ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

void sample_end(struct sample *s)
{
    if (s->schema_count)
        qsort(s->schemas, s->schema_count, sizeof *s->schemas, by_records);
    unused_sort(&s->unused);
    for (size_t i = 0; i < s->bundle->features.count; i++) {
        const struct feature *f = &s->bundle->features.items[i];
        const struct unused_field *field = NULL;
        if (s->features[i].missing == s->events)
            field = unused_nearest(&s->unused, path_name(&f->paths[0]));
        if (field)
            s->features[i].nearest = field->path;
    }
}
