/* sample.h: what run would do with the newest records of the topics: how many would be scored, what
 * is wrong with the others, what each feature finds in them, and which fields nobody takes.
 *
 * Records are decoded by the decoder that run has, but outside of any group: nothing is committed.
 * Its features are a copy that marks what is missing, so that it can be told from a default; the
 * verdict is the one without the marks. No model is run.
 *
 *   sample_init   the decoder and its schemas
 *   sample_read   from the brokers; or sample_add, record by record
 *   sample_end    lists are sorted, nearest names looked for
 *
 * Records are hostile: lists are bounded, and whoever prints a name of a field must use
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
#include "schemas/unused.h"
#include "scoring/bundle.h"

enum { SAMPLE_RECORDS = 1000, SAMPLE_MAX_SCHEMAS = 1000 };

/* What a feature found in the events. */
struct sample_feature {
    uint64_t present; /* a value that became its number */
    uint64_t missing; /* absent, null or NaN */
    uint64_t wrong_type, unknown_category, not_finite;
    const char *nearest; /* never present: a field that nobody takes has nearly its name; or NULL */
};

struct sample_schema {
    int64_t number;
    char id[SCHEMA_ID_TEXT_MAX];
    uint64_t records, scored;
    bool is_lost; /* it could not be asked for: its records are waiting */
};

struct sample {
    const struct config *config;
    const struct bundle *bundle;
    uint64_t records, scored, dead, skipped, waiting; /* records is the sum of the others */
    uint64_t events;        /* whose fields were looked at: scored, or dead for a feature */
    uint64_t no_event_time; /* of the scored ones, when [consumer] event_time is set */
    bool is_cut;            /* there are more, but time was up */
    struct fault_tally faults[FAULT_COUNT];
    struct sample_feature *features; /* bundle->features.count */
    struct sample_schema *schemas;   /* of events that name one, the most frequent first */
    size_t schema_count, schema_cap;
    struct unused unused; /* of JSON; of Avro the schemas say it (pipeline/contract.h) */
    struct err trouble;   /* not set, or why some are waiting */
    struct sampler *sampler;
};

/* Errors: those of decoder_new, and of a registry that does not answer within timeout_ms
 * (ERR_DEPENDENCY; not when the cache knows schemas) or does not let us in (EXIT_DENIED). Nothing
 * is left behind then. */
int sample_init(struct sample *sample, const struct config *config, const struct bundle *bundle,
                int timeout_ms, struct err *err);
void sample_release(struct sample *sample);

/* One more record, borrowed for the call. May wait for a registry, 5 s in all. */
void sample_add(struct sample *sample, const struct record *record);

/* The newest `count` records of each topic, as many of each partition (rounded up), in timeout_ms.
 * Errors: missing topic 78, denied 77, no answer ERR_DEPENDENCY. */
int sample_read(struct sample *sample, size_t count, int timeout_ms, struct err *err);

void sample_end(struct sample *sample);

#endif
