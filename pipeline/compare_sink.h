/* compare_sink.h: the sink of kscore replay --compare: scores and dead letters become fates.
 *
 * Each worker has one, which holds the fates of batches that are not finished; those that are go
 * to the fates of all workers, where names become numbers.
 */
#ifndef PIPELINE_COMPARE_SINK_H
#define PIPELINE_COMPARE_SINK_H

#include "core/config.h"
#include "pipeline/sink.h"
#include "pipeline/fates.h"

/* What a replay's outcomes become: fates of that side. */
struct compare_target {
    struct fates *fates;
    enum side side;
};

/* Borrows all; parts: of the fates' window, by the record's part. */
struct sink *compare_sink_new(const struct compare_target *target, const struct config *config,
                              const struct provenance *provenance, const size_t *parts);

#endif
