/* measure.h: what a worker counts for those who watch it, and hands to the board (core/metrics.h).
 *
 * Counting is plain memory of the worker; a copy goes to the board every 200 ms. Without a board
 * (pipeline_options) it is counted and nobody looks. Thread: the worker's.
 */
#ifndef PIPELINE_MEASURE_H
#define PIPELINE_MEASURE_H

#include "core/metrics.h"
#include "core/record.h"
#include "scoring/bundle.h"

struct pipeline;

struct measures {
    struct metrics metrics;
    size_t decision_slots[BUNDLE_MAX_THRESHOLDS + 1]; /* by bundle_decide */
    int64_t published_ms;
    uint64_t commits;       /* seen */
    int64_t uncommitted_ms; /* since when something done is not committed, 0: all is */
};

/* What is said of a bundle; since: now. */
void measure_model(struct model_metrics *model, const struct bundle *bundle);

/* The bundle that scores from now on. */
void measure_bundle(struct pipeline *p);

/* Once a turn, and while it waits to start: publishes when it is time. */
void measure_turn(struct pipeline *p);
/* The last time, whatever the time. */
void measure_end(struct pipeline *p);

/* A dead letter was sent. True: the first of its kind, by fault and schema. */
bool measure_fault(struct pipeline *p, const struct record *record, enum fault fault,
                   int64_t schema_id, const char *message);

/* Something is waited for: logs it as `waiting`, and keeps it as the reason. */
void measure_waiting(struct pipeline *p, const char *what, const char *text);

/* `retired` slots left the ring, whose first one was at `head`. */
void measure_retired(struct pipeline *p, size_t head, size_t retired);

#endif
