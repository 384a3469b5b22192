/* view.h: all workers at one moment, as one: what /metrics, /status and health are made of.
 *
 * Taken from the board; a value of its own, no ties to the workers. Any thread, one at a time.
 */
#ifndef PIPELINE_VIEW_H
#define PIPELINE_VIEW_H

#include "core/metrics.h"

struct view {
    struct metrics sum;   /* activity: the worst; model: the newest; parts: of all, owned or not */
    struct metrics *each; /* worker_count */
    int64_t *ages_ms;     /* how long ago the worker's loop turned; -1: it has not begun */
    size_t worker_count;
    int64_t at_ms; /* since 1970 UTC */
};

void view_init(struct view *view, const struct board *board);
void view_release(struct view *view);
void view_take(struct view *view, struct board *board);

/* The first dead letter behind a change that a worker has met; NULL: none, or too long ago. */
const struct fallout *view_fallout(const struct view *view, uint64_t change);

/* The bundle that worker i scores with, unless it has not begun or one before it scores with the
 * same: NULL. Two workers have two while they change over. */
const struct model_metrics *view_model(const struct view *view, size_t i);

/* Of all partitions. */
struct view_totals {
    uint64_t consumed, scored, dead, skipped, returned, in_flight;
};
struct view_totals view_totals(const struct view *view);

#endif
