/* fates.h: what two sides say of each record of a window, sorted by its place.
 *
 * A fate is one outcome of one record by one side: a score or a dead letter. Here is a replay;
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
#ifndef PIPELINE_FATES_H
#define PIPELINE_FATES_H

#include "pipeline/replay_state.h"
#include "pipeline/sorter.h"
#include "pipeline/words.h"
#include "scoring/bundle.h"

enum side { SIDE_THERE, SIDE_HERE, SIDE_COUNT };
enum fate_kind { FATE_SCORE, FATE_DEAD, FATE_KINDS };

struct fate {
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

struct fates {
    struct sorter *sorter;
    size_t output_cap;
    struct replay_state window; /* its parts: what is compared; none before the first replay */
    struct words decisions, faults, schemas, models;
    struct fate *room; /* for one, with its outputs */
};

/* Start with zeros; fates_learn may come before. Room for so many outputs: 0 for models with
 * one. */
void fates_open(struct fates *fates, size_t output_cap);
void fates_release(struct fates *fates);

/* Takes the names of the bundle's decisions, the lowest first. */
void fates_learn(struct fates *fates, const struct bundle *bundle);

/* The window's part of that place; false when it is outside. */
bool fates_find(const struct fates *fates, struct slice topic, int32_t partition, int64_t offset,
                uint32_t *part);

/* Of one, with its outputs. */
size_t fate_bytes(const struct fates *fates);

/* Adds fates->room. EXIT_IO. */
int fates_add(struct fates *fates, struct err *err);

/* "name version (first 12 hex of the digest)". */
uint32_t fates_model(struct fates *fates, struct slice name, struct slice version,
                     struct slice digest);
/* "stage/reason". */
uint32_t fates_fault(struct fates *fates, struct slice stage, struct slice reason);

/* The outputs go into fates->room, as many as fit. */
void fates_set_outputs(struct fates *fates, const double *outputs, size_t count);

#endif
