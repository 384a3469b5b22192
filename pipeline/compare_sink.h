/* compare_sink.h: the sink of kscore replay --compare: scores and dead letters become verdicts.
 *
 * Each worker has one, which holds the verdicts of batches that are not finished; those that are go
 * to the verdicts of all workers, where names become numbers.
 */
#ifndef PIPELINE_COMPARE_SINK_H
#define PIPELINE_COMPARE_SINK_H

#include "core/config.h"
#include "pipeline/sink.h"
#include "pipeline/verdicts.h"

/* What a replay's outcomes become: verdicts of that side. */
struct compare_target {
    struct verdicts *verdicts;
    enum side side;
};

/* Borrows all; parts: of the verdicts' window, by the record's part. */
struct sink *compare_sink_new(const struct compare_target *target, const struct config *config,
                              const struct provenance *provenance, const size_t *parts);

#endif
