/* verdicts.h: what two sides say of each record of a window, sorted by its place.
 *
 * A verdict is one outcome of one record by one side: a score or a dead letter. Here is a replay;
 * there is what is published, or a replay with another bundle. Skipped records have none. They have
 * one size, so that any number of them can be sorted in a temporary file (pipeline/sorter.h):
 *
 *   part, offset            of the record: the key by which both sides are joined
 *   side                    there comes first
 *   where, where_offset     in the topic that it was published in: of several the last one counts
 *   outputs[output_count]   behind it, of models with several outputs
 *
 * Names are numbers of struct words. Owns all. Thread: one at a time.
 */
#ifndef PIPELINE_VERDICTS_H
#define PIPELINE_VERDICTS_H

#include "pipeline/replay_state.h"
#include "pipeline/sorter.h"
#include "pipeline/words.h"
#include "scoring/bundle.h"

enum side { SIDE_THERE, SIDE_HERE, SIDE_COUNT };
enum verdict_kind { VERDICT_SCORE, VERDICT_DEAD, VERDICT_KINDS };

struct verdict {
    int64_t offset;
    uint32_t part; /* of the window */
    uint8_t side, kind;
    uint16_t word; /* decision, or of a dead letter "stage/reason" */
    double score;
    int64_t event_time_ms; /* -1: it has none */
    uint16_t schema, model;
    uint32_t where; /* partition that it was published in */
    int64_t where_offset;
    int64_t stamp_ms;      /* of the record that was published */
    uint32_t output_count; /* those that it has; may be more than there is room for */
    double outputs[];      /* output_cap of them */
};

struct verdicts {
    struct sorter *sorter;
    size_t output_cap;
    struct replay_state window; /* its parts: what is compared; none before the first replay */
    struct words decisions, faults, schemas, models;
    struct verdict *room; /* for one, with its outputs */
};

/* Start with zeros; verdicts_learn may come before. Room for so many outputs: 0 for models with
 * one. */
void verdicts_open(struct verdicts *verdicts, size_t output_cap);
void verdicts_release(struct verdicts *verdicts);

/* Takes the names of the bundle's decisions, the lowest first. */
void verdicts_learn(struct verdicts *verdicts, const struct bundle *bundle);

/* The window's part of that place; false when it is outside. */
bool verdicts_find(const struct verdicts *verdicts, struct slice topic, int32_t partition,
                   int64_t offset, uint32_t *part);

/* Of one, with its outputs. */
size_t verdict_bytes(const struct verdicts *verdicts);

/* Adds verdicts->room. EXIT_IO. */
int verdicts_add(struct verdicts *verdicts, struct err *err);

/* "name version (first 12 hex of the digest)". */
uint32_t verdicts_model(struct verdicts *verdicts, struct slice name, struct slice version,
                        struct slice digest);
/* "stage/reason". */
uint32_t verdicts_fault(struct verdicts *verdicts, struct slice stage, struct slice reason);

/* The outputs go into verdicts->room, as many as fit. */
void verdicts_set_outputs(struct verdicts *verdicts, const double *outputs, size_t count);

#endif
