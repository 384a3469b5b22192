/* decoder.c: one value in, a row or an outcome out. What is slow (files, compiling) is in
 * decoder_new and decoder_learn; decoder_decode only looks things up. */
#include "schemas/decoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "schemas/frame.h"
#include "schemas/plan.h"
#include "schemas/scan.h"
#include "schemas/schema_table.h"

enum { MAX_DEPTH = 1 << 16 };

struct decoder {
    struct decoder_options options;
    const struct features *features;
    struct scan *scan;           /* JSON */
    struct schema_table *table;  /* Avro */
    struct plan_scratch scratch; /* Avro */
};

static int check_options(const struct decoder_options *o, const struct features *features,
                         struct err *err)
{
    if (o->format == EVENT_JSON && o->framing != FRAMING_NONE)
        return err_fatal(err, EXIT_CONFIGURATION, "format = json needs framing = none");
    if (o->format == EVENT_AVRO && o->framing != FRAMING_CONFLUENT)
        return err_fatal(err, EXIT_CONFIGURATION, "format = avro needs framing = confluent");
    if (o->format == EVENT_AVRO && !o->schemas)
        return err_fatal(err, EXIT_CONFIGURATION, "format = avro needs a source of schemas");
    if (o->max_depth < 1 || o->max_depth > MAX_DEPTH)
        return err_fatal(err, EXIT_CONFIGURATION, "max_depth must be 1 to %d", MAX_DEPTH);
    if (features->count >= OUTCOME_NO_FEATURE)
        return err_fatal(err, EXIT_DATA, "a model with %zu features, at most %d are served",
                         features->count, OUTCOME_NO_FEATURE - 1);
    return 0;
}

int decoder_new(struct decoder **decoder, const struct decoder_options *options,
                const struct features *features, struct err *err)
{
    struct decoder *d;

    *decoder = NULL;
    if (check_options(options, features, err) != 0)
        return -1;
    d = mem_alloc(1, sizeof *d);
    d->options = *options;
    d->options.schemas = NULL; /* the table keeps it */
    d->features = features;
    if (options->format == EVENT_JSON) {
        d->scan = scan_new(features, options->max_depth);
    } else {
        plan_scratch_init(&d->scratch, features, options->max_depth);
        if (schema_table_load(&d->table, options->schemas, options->first_wait_ms, features, err) !=
            0) {
            decoder_free(d);
            return -1;
        }
    }
    *decoder = d;
    return 0;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    scan_free(decoder->scan);
    schema_table_free(decoder->table);
    if (decoder->options.format == EVENT_AVRO)
        plan_scratch_release(&decoder->scratch);
    free(decoder);
}

/* What does not reach plan or scanner leaves the row as a missing one would be. */
static struct outcome without_row(const struct decoder *d, struct outcome outcome, float *row)
{
    for (size_t i = 0; i < d->features->count; i++)
        row[i] = d->features->items[i].missing;
    return outcome;
}

static struct outcome decode_avro(struct decoder *d, struct slice value, float *row,
                                  int64_t *schema_id)
{
    enum fault fault = frame_read(value, schema_id);
    const struct plan *plan;

    if (fault != FAULT_NONE)
        return without_row(d, outcome_dead(fault, 0), row);
    switch (schema_table_find(d->table, (uint32_t)*schema_id, &plan)) {
    case SCHEMA_USABLE: return plan_run(plan, &d->scratch, value, FRAME_CONFLUENT_BYTES, row);
    case SCHEMA_UNUSABLE: return without_row(d, outcome_dead(FAULT_SCHEMA_UNUSABLE, 0), row);
    case SCHEMA_ABSENT: return without_row(d, outcome_dead(FAULT_SCHEMA_UNKNOWN_ID, 0), row);
    case SCHEMA_NOT_ASKED: break;
    }
    return without_row(d, (struct outcome){OUTCOME_WAITING, FAULT_NONE, OUTCOME_NO_FEATURE, 0},
                       row);
}

struct outcome decoder_decode(struct decoder *decoder, struct slice value, float *row,
                              int64_t *schema_id)
{
    *schema_id = SCHEMA_ID_NONE;
    if (!value.data)
        return without_row(
            decoder, (struct outcome){OUTCOME_SKIPPED, FAULT_NONE, OUTCOME_NO_FEATURE, 0}, row);
    if (value.len > decoder->options.max_value_bytes)
        return without_row(decoder, outcome_dead(FAULT_FETCH_TOO_LARGE, 0), row);
    if (decoder->scan)
        return scan_run(decoder->scan, value, row);
    return decode_avro(decoder, value, row, schema_id);
}

int decoder_learn(struct decoder *decoder, int64_t schema_id, int64_t now_ms, struct err *err)
{
    if (!decoder->table || schema_id < 0 || schema_id > UINT32_MAX)
        return 0;
    return schema_table_learn(decoder->table, (uint32_t)schema_id, now_ms, err);
}

void decoder_foresee(struct decoder *decoder, struct slice value, int64_t now_ms)
{
    struct err err = ERR_INIT;
    int64_t id;

    if (decoder->table && value.data && value.len <= decoder->options.max_value_bytes &&
        frame_read(value, &id) == FAULT_NONE)
        (void)schema_table_learn(decoder->table, (uint32_t)id, now_ms, &err);
}

void decoder_poll(struct decoder *decoder, int64_t now_ms)
{
    if (decoder->table)
        schema_table_poll(decoder->table, now_ms);
}

int decoder_await(struct decoder *decoder, int timeout_ms, struct err *err)
{
    return decoder->table ? schema_table_await(decoder->table, timeout_ms, err) : 0;
}

size_t decoder_schema_count(const struct decoder *decoder)
{
    return decoder->table ? schema_table_count(decoder->table) : 0;
}

void decoder_report(struct decoder *decoder,
                    void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                    void *arg)
{
    if (decoder->table)
        schema_table_report(decoder->table, say, arg);
}

/* "field weather.temp | temp (feature temp)" */
static size_t print_feature(const struct feature *f, char *out, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < f->path_count && len < cap; i++)
        len +=
            (size_t)snprintf(out + len, cap - len, "%s%s", i ? " | " : "field ", f->paths[i].text);
    if (len < cap)
        len += (size_t)snprintf(out + len, cap - len, " (feature %s)", f->name);
    return len < cap ? len : cap - 1;
}

void decoder_explain(const struct decoder *decoder, const struct outcome *outcome, char *out,
                     size_t cap)
{
    size_t len = 0;

    if (cap == 0)
        return;
    out[0] = '\0';
    if (outcome->feature < decoder->features->count)
        len = print_feature(&decoder->features->items[outcome->feature], out, cap);
    if (outcome->at != 0)
        len += (size_t)snprintf(out + len, cap - len, "%sbyte %u", len ? ", " : "", outcome->at);
    if (len < cap)
        snprintf(out + len, cap - len, "%s%s", len ? ": " : "",
                 fault_help((enum fault)outcome->fault));
}
