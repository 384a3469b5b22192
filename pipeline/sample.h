/* sample.h: what run would do with the newest records of the topics: how many would be scored, what
 * is wrong with the others, what each feature finds in them, and which fields nobody takes.
 *
 * Records are decoded by the decoder that run uses, outside of any group: nothing is committed.
 * Only the features are a copy that marks what is missing, so that it can be told from a default.
 *
 *   sample_init   the decoder and its schemas
 *   sample_read   from the brokers; or sample_add, record by record
 *   sample_end    the lists are sorted, nearest names looked for
 *
 * Records are hostile: lists are bounded, and whoever prints names of fields must use
 * visible_print. Owns everything below it, borrows configuration and bundle. Thread: the owner's.
 */
#ifndef PIPELINE_SAMPLE_H
#define PIPELINE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/outcome.h"
#include "core/record.h"
#include "core/schema_id.h"
#include "pipeline/pipeline.h"
#include "scoring/bundle.h"

enum { SAMPLE_RECORDS = 1000, SAMPLE_MAX_SCHEMAS = 1000, SAMPLE_MAX_FIELDS = 1000 };

/* What a feature found in the events that could be read. */
struct sample_feature {
    uint64_t present;    /* a value that became a number */
    uint64_t missing;    /* absent, null or NaN */
    uint64_t wrong_type; /* each of these is a dead letter, but for unknown as missing */
    uint64_t unknown_category;
    uint64_t not_finite;
    const char
        *nearest; /* never present: a field that nobody takes has nearly that name, or NULL */
};

struct sample_schema {
    int64_t id;
    uint64_t records, scored;
};

struct sample_field {
    char *path; /* from the root on, as model.ini writes it */
    uint64_t events;
};

struct sample {
    const struct config *config;
    const struct bundle *bundle;
    uint64_t records, scored, dead, skipped;
    uint64_t waiting;       /* not judged: their schema could not be asked for */
    uint64_t events;        /* whose fields were looked at: scored, or dead for what a field is */
    uint64_t no_event_time; /* of the scored ones, with [consumer] event_time */
    bool is_cut;            /* not all were read in time */
    struct fault_tally faults[FAULT_COUNT];
    struct sample_feature *features; /* bundle->features.count */
    struct sample_schema *schemas;   /* Avro: the most frequent first */
    size_t schema_count, schema_cap;
    struct sample_field *unused; /* JSON: the most frequent first (Avro: contract.h has them) */
    size_t unused_count, unused_cap;
    bool has_more_unused; /* than SAMPLE_MAX_FIELDS */
    struct sampler *sampler;
};

/* Errors: those of decoder_new, and of a registry that does not answer within timeout_ms
 * (ERR_DEPENDENCY) or does not let us in (EXIT_DENIED). Nothing is left behind then. */
int sample_init(struct sample *sample, const struct config *config, const struct bundle *bundle,
                int timeout_ms, struct err *err);
void sample_release(struct sample *sample);

/* One more record; it is borrowed for the call. */
void sample_add(struct sample *sample, const struct record *record);

/* The newest `count` records of the topics, as many of each partition, within timeout_ms in all.
 * Errors: missing topic 78, denied 77, no answer ERR_DEPENDENCY. */
int sample_read(struct sample *sample, size_t count, int timeout_ms, struct err *err);

void sample_end(struct sample *sample);

#endif
