/* commit.h: how the offsets of finished records become committed: two strategies, one interface.
 *
 *   at_least_once.c   what is acknowledged is stored, the client commits it within commit_ms
 *   exactly_once.c    outcomes and offsets of many batches in one transaction
 *
 * The loop asks for a step each turn; whoever is about to give partitions up, or to end, settles.
 * Thread: the worker's.
 */
#ifndef PIPELINE_COMMIT_H
#define PIPELINE_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct pipeline;

struct commit {
    /* Before the first record is taken. 0: it may be, or the run was told to stop meanwhile. -1:
     * err, fatal. */
    int (*open)(struct pipeline *p, struct err *err);

    /* Once a turn: what can be finished is finished. 0, or -1 with err. */
    int (*step)(struct pipeline *p, struct err *err);

    /* A batch may be sent now. */
    bool (*can_send)(const struct pipeline *p);

    /* Nothing that was sent waits for anything: the unfinished may be given back, the run may end.
     */
    bool (*is_idle)(const struct pipeline *p);

    /* Finishes what was sent, at most until deadline_ms; must_undo: nothing of it may be committed.
     * Not idle afterwards: there was no time. */
    void (*settle)(struct pipeline *p, bool must_undo, int64_t deadline_ms);
};

extern const struct commit commit_at_least_once, commit_exactly_once;

#endif
