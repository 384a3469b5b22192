/* decoder.h: event bytes in, a row of floats or an outcome out.
 *
 * A decoder serves one bundle's features and one worker. It knows the format, takes off the frame,
 * finds the schema's plan, and lets it write straight into the row. Avro: one plan per schema
 * (schemas/plan.h), compiled once. JSON: one scanner (schemas/scan.h).
 *
 * decoder_decode never blocks, allocates or logs. A schema id that it has not seen gives
 * OUTCOME_WAITING; the pipeline then calls decoder_learn outside the per-record loop and decodes
 * that record again. With a root, an event whose root is null (Debezium's delete) is SKIPPED, one
 * without a root is dead: missing_field without a feature.
 *
 * Owns its plans and the source of schemas, borrows the features and the paths. Thread: the
 * worker's.
 */
#ifndef SCHEMAS_DECODER_H
#define SCHEMAS_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/carried.h"
#include "core/err.h"
#include "core/feature.h"
#include "core/outcome.h"
#include "core/record.h"
#include "core/schema_id.h"
#include "core/slice.h"
#include "schemas/schema_source.h"

enum event_format { EVENT_JSON, EVENT_AVRO };

enum event_framing {
    FRAMING_NONE,          /* the value is the JSON document, or Avro of one fixed schema */
    FRAMING_CONFLUENT,     /* 0x00, 4-byte big-endian schema id, Avro body */
    FRAMING_JSON_SCHEMA,   /* the same in front of a JSON document; the id is noted only */
    FRAMING_SINGLE_OBJECT, /* 0xC3 0x01, the schema's fingerprint, Avro body */
};

struct decoder_options {
    enum event_format format;
    enum event_framing framing;
    struct schema_source *schemas;    /* Avro that names its schema */
    const char *schema_file;          /* Avro that does not: its schema */
    const struct avro_schema *schema; /* the same, read already; borrowed by decoder_new */
    const struct path *root;  /* where an envelope's content lies; NULL: the value is the event */
    const struct path *carry; /* carry_count; what decoder_carried gives */
    size_t carry_count;
    const struct path *event_time; /* what decoder_event_time gives; NULL: nothing */
    size_t max_value_bytes;        /* longer values are fetch/too_large */
    unsigned max_depth;            /* of JSON nesting, and of Avro values of recursive schemas */
    int64_t first_wait_ms;         /* how long an id that is absent at first is asked for again */
};

struct decoder;

/* *decoder is new and owns options->schemas; when it fails, that is still the caller's. Loads what
 * the source has at once. Errors: those of its start, EXIT_IO the file unreadable, EXIT_DATA the
 * fixed schema is none, or cannot serve the model; EXIT_CONFIGURATION. */
int decoder_new(struct decoder **decoder, const struct decoder_options *options,
                const struct features *features, struct err *err);
void decoder_free(struct decoder *decoder);

/* Decodes one value (data NULL: OUTCOME_SKIPPED) into row (features->count floats, overwritten
 * whatever happens). *schema_id is the frame's id, the schema's fingerprint (single-object, fixed
 * schema: any 64 bits), or SCHEMA_ID_NONE. A bad value leaves no trace in the decoder. */
struct outcome decoder_decode(struct decoder *decoder, struct slice value, float *row,
                              int64_t *schema_id);

/* What the value that was decoded last says at the paths of `carry`, in their order. Borrows from
 * that value and from the plan; the array is valid until the next call of decoder_decode. */
const struct carried *decoder_carried(const struct decoder *decoder);

/* Milliseconds since 1970 at the path of `event_time`, in the value that was decoded last: a JSON
 * number, an Avro long (a timestamp-micros or -nanos is converted); else EVENT_TIME_NONE. */
int64_t decoder_event_time(const struct decoder *decoder);

/* Looks for a schema id that decode was WAITING for. 0: decide again, the id is now known, known to
 * be unusable, or known to be absent. 1: it is being asked for; park, and look again. -1 with
 * ERR_DEPENDENCY: it cannot be told now; park, and try again later. now_ms: clock_ms. */
int decoder_learn(struct decoder *decoder, int64_t schema_id, int64_t now_ms, struct err *err);

/* The same for the schema of a value that is not decoded yet; what comes of it is seen later. */
void decoder_foresee(struct decoder *decoder, struct slice value, int64_t now_ms);

/* Takes in what the source of schemas answered. About 1 ns when there is nothing. */
void decoder_poll(struct decoder *decoder, int64_t now_ms);

/* Waits at most timeout_ms for the schemas that are known before the first record. 0: they are
 * there; -1: as struct schema_source's await. */
int decoder_await(struct decoder *decoder, int timeout_ms, struct err *err);

/* Whether `next`, of another bundle, can serve what this one does now: see schema_table_hand_over.
 * 0, or -1 EXIT_DATA with the schema that it cannot serve, or a fixed one that is not the same any
 * more. What both say of a schema next need not report. */
int decoder_hand_over(const struct decoder *decoder, struct decoder *next, int64_t now_ms,
                      struct err *err);

/* How many schemas can be used now. */
size_t decoder_schema_count(const struct decoder *decoder);

/* What there is to say about schemas learnt since the last call, a line each: how each feature is
 * bound, or why the schema cannot serve the model. Calls say(arg, schema_id, usable, text) for
 * each, then forgets them. */
void decoder_report(struct decoder *decoder,
                    void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                    void *arg);

/* One line about a decode failure for a dead letter's message: "field weather.temp (feature temp),
 * byte 17: union branch that the schema does not have". Never a value. out is NUL-terminated. */
void decoder_explain(const struct decoder *decoder, const struct outcome *outcome, char *out,
                     size_t cap);

#endif
