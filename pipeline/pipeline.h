/* pipeline.h: scores a topic live: the only folder that knows consumer, schemas, scoring and
 * producer.
 *
 * A pipeline is one worker: its own consumer, producer and ring; no globals. [kscore] workers says
 * how many run, each on a thread of its own; they share the model, which a new one may follow
 * (pipeline/lifecycle.h), and the source of schemas (pipeline/shared.h). All run until they are
 * told to stop or one of them fails. ARCHITECTURE.md has the life of a record.
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/outcome.h"

/* How many dead letters of a fault were sent, and where it was met first. One that is sent again,
 * after a failed delivery, counts again; P1's counts do not. */
struct fault_tally {
    uint64_t count;
    char topic[250];
    int32_t first_partition;
    int64_t first_offset;
    char message[256]; /* of the first */
};

struct board;
struct journaling;
struct replay;

/* The account that every run ends with, of all workers. */
struct pipeline_summary {
    uint64_t consumed, scored, dead, skipped, returned, in_flight;
    uint64_t alerts, stale_alerts; /* of the scored: sent as alerts, too; withheld as too old */
    uint64_t commits, rewinds;
    uint64_t no_event_time; /* scored with the record's time for want of the event's own */
    int64_t first_score_ms; /* from first assigned to first acknowledged, -1: none was */
    struct fault_tally faults[FAULT_COUNT];
};

/* What another thread may look at meanwhile; the caller makes it 0. */
struct pipeline_progress {
    _Atomic uint64_t consumed, scored, dead, skipped;
    _Atomic unsigned ready_workers; /* that had their first assignment */
};

/* Orders from outside, each a count of how often it was given; any thread, and a signal's handler,
 * adds to it. Several of a kind that come while one is carried out are one. */
struct pipeline_orders {
    _Atomic unsigned reload, rollback, resume;
};

struct pipeline_options {
    const struct config *config;
    const char *build;                  /* version of the program, for `run` */
    const volatile sig_atomic_t *stop;  /* not 0: drain and end */
    struct pipeline_progress *progress; /* or NULL */
    struct board *board;            /* core/metrics.h: where workers show their numbers; or NULL */
    struct journaling *journaling;  /* what changed since the run before; or NULL */
    struct replay *replay;          /* pipeline/seat.h: a window instead of the group; or NULL */
    struct pipeline_orders *orders; /* or NULL: none come */
};

/* Runs all workers until *stop or an error of one of them; then the others drain and commit. Fills
 * *summary whatever happens. 0, or -1 with err: kind ERR_FATAL and the exit code of the program. */
int pipeline_run(const struct pipeline_options *options, struct pipeline_summary *summary,
                 struct err *err);

#endif
