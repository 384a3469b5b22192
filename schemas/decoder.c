/* decoder.c: one value in, a row or an outcome out. What is slow (files, compiling) is in
 * decoder_new and decoder_learn; decoder_decode only looks things up. */
#include "schemas/decoder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "schemas/fingerprint.h"
#include "schemas/frame.h"
#include "schemas/plan.h"
#include "schemas/rooted.h"
#include "schemas/scan.h"
#include "schemas/schema_table.h"

enum { MAX_DEPTH = 1 << 16 };

struct decoder {
    struct decoder_options options;
    struct outcome (*decode)(struct decoder *d, struct slice value, float *row, int64_t *schema_id);
    struct features features;    /* with the root in front of their paths */
    struct scan *scan;           /* JSON */
    struct plan_scratch scratch; /* Avro */
    struct schema_table *table;  /* Avro that names its schema */
    struct plan *plan;           /* Avro of one schema */
    int64_t fingerprint;         /* its */
    char *words;                 /* what there is to say about it, until it is said */
};

/* What does not reach plan or scanner leaves the row as a missing one would be. */
static struct outcome without_row(const struct decoder *d, struct outcome outcome, float *row)
{
    for (size_t i = 0; i < d->features.count; i++)
        row[i] = d->features.items[i].missing;
    return outcome;
}

/* ---- one function per format and framing */

static inline struct outcome run_schema(struct decoder *d, struct slice value, size_t from,
                                        float *row, int64_t schema_id)
{
    const struct plan *plan;

    switch (schema_table_find(d->table, (uint64_t)schema_id, &plan)) {
    case SCHEMA_USABLE: return plan_run(plan, &d->scratch, value, from, row);
    case SCHEMA_UNUSABLE: return without_row(d, outcome_dead(FAULT_SCHEMA_UNUSABLE, 0), row);
    case SCHEMA_ABSENT: return without_row(d, outcome_dead(FAULT_SCHEMA_UNKNOWN_ID, 0), row);
    case SCHEMA_NOT_ASKED: break;
    }
    return without_row(d, (struct outcome){OUTCOME_WAITING, FAULT_NONE, OUTCOME_NO_FEATURE, 0},
                       row);
}

static struct outcome decode_confluent(struct decoder *d, struct slice value, float *row,
                                       int64_t *schema_id)
{
    enum fault fault = frame_read(value, schema_id);

    if (fault != FAULT_NONE)
        return without_row(d, outcome_dead(fault, 0), row);
    return run_schema(d, value, FRAME_CONFLUENT_BYTES, row, *schema_id);
}

static struct outcome decode_single_object(struct decoder *d, struct slice value, float *row,
                                           int64_t *schema_id)
{
    enum fault fault = frame_read_single_object(value, schema_id);

    if (fault != FAULT_NONE)
        return without_row(d, outcome_dead(fault, 0), row);
    return run_schema(d, value, FRAME_SINGLE_OBJECT_BYTES, row, *schema_id);
}

/* A value that is no value here, for it has the frame of AWS Glue. Such a frame is never guessed
 * at: what can be read is read. */
static struct outcome name_glue(struct slice value, struct outcome outcome)
{
    bool is_unread = outcome.kind == OUTCOME_DEAD && outcome.fault < FAULT_BIND_WRONG_TYPE;

    return is_unread && frame_is_glue(value) ? outcome_dead(FAULT_FRAME_UNSUPPORTED, 0) : outcome;
}

static struct outcome decode_fixed(struct decoder *d, struct slice value, float *row,
                                   int64_t *schema_id)
{
    *schema_id = d->fingerprint;
    return name_glue(value, plan_run(d->plan, &d->scratch, value, 0, row));
}

static struct outcome decode_json(struct decoder *d, struct slice value, float *row,
                                  int64_t *schema_id)
{
    (void)schema_id;
    return name_glue(value, scan_run(d->scan, value, row));
}

static struct outcome decode_json_schema(struct decoder *d, struct slice value, float *row,
                                         int64_t *schema_id)
{
    enum fault fault = frame_read(value, schema_id);
    struct outcome outcome;

    if (fault != FAULT_NONE)
        return without_row(d, outcome_dead(fault, 0), row);
    value.data += FRAME_CONFLUENT_BYTES;
    value.len -= FRAME_CONFLUENT_BYTES;
    outcome = scan_run(d->scan, value, row);
    if (outcome.at != 0)
        outcome.at += FRAME_CONFLUENT_BYTES;
    return outcome;
}

static void choose_decode(struct decoder *d)
{
    const struct decoder_options *o = &d->options;

    if (o->format == EVENT_JSON)
        d->decode = o->framing == FRAMING_JSON_SCHEMA ? decode_json_schema : decode_json;
    else
        d->decode = o->framing == FRAMING_CONFLUENT       ? decode_confluent
                    : o->framing == FRAMING_SINGLE_OBJECT ? decode_single_object
                                                          : decode_fixed;
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
    return decoder->decode(decoder, value, row, schema_id);
}

/* ---- making one */

static int check_options(const struct decoder_options *o, const struct features *features,
                         struct err *err)
{
    bool is_json = o->format == EVENT_JSON, is_bare = o->framing == FRAMING_NONE;

    if (is_json && !is_bare && o->framing != FRAMING_JSON_SCHEMA)
        return err_fatal(err, EXIT_CONFIGURATION,
                         "format = json needs framing = none or json-schema");
    if (!is_json && o->framing == FRAMING_JSON_SCHEMA)
        return err_fatal(err, EXIT_CONFIGURATION, "framing = json-schema needs format = json");
    if (!is_json && is_bare && !o->schema_file && !o->schema)
        return err_fatal(err, EXIT_CONFIGURATION,
                         "format = avro with framing = none needs a schema");
    if (!is_json && !is_bare && !o->schemas)
        return err_fatal(err, EXIT_CONFIGURATION, "format = avro needs a source of schemas");
    if (o->max_depth < 1 || o->max_depth > MAX_DEPTH)
        return err_fatal(err, EXIT_CONFIGURATION, "max_depth must be 1 to %d", MAX_DEPTH);
    if (features->count >= OUTCOME_NO_FEATURE)
        return err_fatal(err, EXIT_DATA, "a model with %zu features, at most %d are served",
                         features->count, OUTCOME_NO_FEATURE - 1);
    return 0;
}

static int compile_fixed(struct decoder *d, const struct avro_schema *schema, const char *where,
                         struct err *err)
{
    size_t said;
    FILE *say = open_memstream(&d->words, &said);
    int result;

    fprintf(say, "schema %s: ", where);
    d->fingerprint = (int64_t)fingerprint_of(schema);
    result = plan_compile(&d->plan, schema, &d->features, say, err);
    fclose(say);
    return result;
}

static int load_fixed(struct decoder *d, const char *path, struct err *err)
{
    struct avro_schema *schema = NULL;
    size_t len;
    char *data;
    int result;

    if (file_read(path, SCHEMA_MAX_BYTES, &data, &len, err) != 0)
        return -1;
    result = avro_schema_parse(&schema, data, len, err);
    if (result == 0)
        result = compile_fixed(d, schema, path, err);
    avro_schema_free(schema);
    free(data);
    return result == 0 ? 0 : err_prefix(err, "%s", path);
}

static int load_schemas(struct decoder *d, const struct decoder_options *o, struct err *err)
{
    if (o->framing == FRAMING_NONE && o->schema)
        return compile_fixed(d, o->schema, "of the file", err);
    if (o->framing == FRAMING_NONE)
        return load_fixed(d, o->schema_file, err);
    return schema_table_load(&d->table, o->schemas, o->first_wait_ms, &d->features, err);
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
    choose_decode(d);
    d->options.schemas = NULL; /* the table's */
    d->options.schema_file = NULL;
    d->options.schema = NULL;
    rooted_init(&d->features, features,
                &(struct rooted_options){options->root, options->carry, options->carry_count,
                                         options->event_time});
    if (options->format == EVENT_JSON) {
        d->scan = scan_new(&d->features, options->max_depth);
    } else {
        plan_scratch_init(&d->scratch, &d->features, options->max_depth);
        if (load_schemas(d, options, err) != 0) {
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
    plan_free(decoder->plan);
    free(decoder->words);
    rooted_release(&decoder->features);
    if (decoder->options.format == EVENT_AVRO)
        plan_scratch_release(&decoder->scratch);
    free(decoder);
}

const struct carried *decoder_carried(const struct decoder *d)
{
    return d->scan ? scan_carried(d->scan) : d->scratch.bind.carried;
}

int64_t decoder_event_time(const struct decoder *d)
{
    const struct carried *time;

    if (!d->features.has_time)
        return EVENT_TIME_NONE;
    time = &decoder_carried(d)[d->features.carry_count - 1];
    return time->kind == CARRIED_INTEGER ? time->integer : EVENT_TIME_NONE;
}

/* ---- schemas and words */

int decoder_learn(struct decoder *decoder, int64_t schema_id, int64_t now_ms, struct err *err)
{
    int result =
        decoder->table ? schema_table_learn(decoder->table, (uint64_t)schema_id, now_ms, err) : 0;

    assert(result >= 0 || err->kind == ERR_DEPENDENCY); /* the caller parks, whatever it is */
    return result;
}

void decoder_foresee(struct decoder *decoder, struct slice value, int64_t now_ms)
{
    bool is_single = decoder->options.framing == FRAMING_SINGLE_OBJECT;
    struct err err = ERR_INIT;
    int64_t id = SCHEMA_ID_NONE;

    if (decoder->table && value.data && value.len <= decoder->options.max_value_bytes &&
        (is_single ? frame_read_single_object : frame_read)(value, &id) == FAULT_NONE)
        (void)schema_table_learn(decoder->table, (uint64_t)id, now_ms, &err);
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

int decoder_hand_over(const struct decoder *decoder, struct decoder *next, int64_t now_ms,
                      struct err *err)
{
    if (decoder->plan && decoder->fingerprint != next->fingerprint)
        return err_fatal(err, EXIT_DATA,
                         "the file of [consumer] schema has changed: a restart "
                         "takes it");
    return decoder->table ? schema_table_hand_over(decoder->table, next->table, now_ms, err) : 0;
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
    if (decoder->words)
        say(arg, decoder->fingerprint, true, decoder->words);
    free(decoder->words);
    decoder->words = NULL;
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

/* "root payload.after" */
static size_t print_root(const struct path *root, char *out, size_t cap)
{
    size_t len = (size_t)snprintf(out, cap, "root %s", root->text);

    return len < cap ? len : cap - 1;
}

void decoder_explain(const struct decoder *decoder, const struct outcome *outcome, char *out,
                     size_t cap)
{
    bool is_root =
        outcome->feature == OUTCOME_NO_FEATURE &&
        (outcome->fault == FAULT_BIND_MISSING_FIELD || outcome->fault == FAULT_BIND_WRONG_TYPE);
    const char *help = fault_help((enum fault)outcome->fault);
    size_t len = 0;

    if (cap == 0)
        return;
    out[0] = '\0';
    if (is_root) {
        len = print_root(&decoder->features.root, out, cap);
        help =
            outcome->fault == FAULT_BIND_WRONG_TYPE ? "neither a record nor an object" : "absent";
    } else if (outcome->feature < decoder->features.count) {
        len = print_feature(&decoder->features.items[outcome->feature], out, cap);
    }
    if (outcome->at != 0)
        len += (size_t)snprintf(out + len, cap - len, "%sbyte %u", len ? ", " : "", outcome->at);
    if (len < cap)
        snprintf(out + len, cap - len, "%s%s", len ? ": " : "", help);
}
