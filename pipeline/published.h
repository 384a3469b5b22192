/* published.h: what lies in the live topics of scores and dead letters for the records of a window.
 *
 * Both topics are read from a place to their last stable offset at the opening, outside of any
 * group. Where a record's outcome lies in them nothing tells: they are partitioned by key, written
 * in the order of scoring, and stamped with the time of the event, which may run backwards. So all
 * is read, unless it was said from where on. All of it is hostile, and what cannot be read is
 * counted.
 */
#ifndef PIPELINE_PUBLISHED_H
#define PIPELINE_PUBLISHED_H

#include <signal.h>
#include <stdbool.h>

#include "consumer/reader.h"
#include "pipeline/fates.h"

struct published_progress {
    const char *topic;     /* that is read now */
    int64_t passed, total; /* of its offsets */
};

struct published_options {
    const struct config *config; /* the live one */
    const char *digest;          /* only of bundles whose digest begins so; NULL: of all */
    struct reader_place from;
    const volatile sig_atomic_t *stop;
    /* Some times a second; or NULL. */
    void (*progress)(void *arg, const struct published_progress *progress);
    void *progress_arg;
};

/* Of both topics. */
struct published_counts {
    uint64_t records;      /* read */
    uint64_t kept;         /* of the window: fates */
    uint64_t other_bundle; /* of the window, but not of that digest: left out */
    uint64_t unreadable;   /* no score, or no dead letter with an origin */
    int64_t lost;          /* offsets that were gone when they were to be read */
};

/* Adds fates of SIDE_THERE. Brokers that are not there are waited for. A missing topic 78,
 * denied 77, EXIT_IO; told to stop EXIT_AGAIN. */
int published_read(const struct published_options *options, struct fates *fates,
                   struct published_counts *counts, struct err *err);

/* One score, as JSON, into fates->room. False: it is none. *is_ours: it is of a record of the
 * window; *is_meant: and its digest begins so. */
bool published_score(struct fates *fates, struct slice json, const char *digest, bool *is_ours,
                     bool *is_meant);

#endif
