/* metrics.h: what one worker knows of itself, as plain numbers, and the board where others see it.
 *
 * A worker counts in a struct metrics of its own, without locks or atomics; a few times a second it
 * hands a copy to the board (board_publish), under a mutex. Whoever serves people reads the copies:
 * that a copy grows old is how a loop that does not turn is seen.
 *
 *   worker 0: metrics --copy--> |       |
 *   worker 1: metrics --copy--> | board | --copy--> /metrics, /status, the observer
 *
 * Texts in a copy are the copy's own, or live as long as the configuration.
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/outcome.h"
#include "core/sha256.h"

enum {
    METRICS_BOUNDS = 20,
    METRICS_FAULTS =
        64, /* kinds that are told apart: fault and schema; the rest is counted by fault alone */
    METRICS_DECISIONS = 65, /* names of decisions, and `other` for the rest of them */
    METRICS_CHANGES = 32,   /* of the last ones the first dead letter behind each is known */
    METRICS_TEXT = 256,
};

/* Upper bounds in seconds, 100 us to a day; a last bucket has what is above. */
extern const double metrics_bounds[METRICS_BOUNDS];

struct histogram {
    uint64_t counts[METRICS_BOUNDS + 1]; /* per bucket, not summed up */
    double sum;                          /* seconds */
};

/* `count` times the same duration. */
void histogram_add(struct histogram *histogram, double seconds, uint64_t count);
/* *sum += one, bucket by bucket. */
void histogram_merge(struct histogram *sum, const struct histogram *one);
uint64_t histogram_count(const struct histogram *histogram);

/* What a worker does. Only one that runs is ready; of several the last in this order counts. */
enum activity {
    ACTIVITY_RUNNING,
    ACTIVITY_STARTING, /* until the first assignment */
    ACTIVITY_WAITING,  /* for a dependency */
    ACTIVITY_FULL,     /* the output takes less than comes in */
    ACTIVITY_BREAKER,  /* too many dead letters */
    ACTIVITY_DRAINING,
};
/* "running", "starting", "waiting", "paused", "breaker_open", "draining". Static. */
const char *activity_name(enum activity activity);

struct place {
    const char *topic; /* lives as long as the configuration; NULL: no place */
    int32_t partition;
    int64_t offset;
    int64_t at_ms; /* when it was met, since 1970 UTC */
};

/* How often a fault comes, in windows of 10 s. */
struct fault_pace {
    struct place first; /* of the window */
    uint64_t now, before;
    bool is_burst; /* since is this window's or the last one's doing */
};

/* Dead letters of one kind. */
struct fault_metrics {
    enum fault fault;
    int64_t schema_id;
    uint64_t count;
    struct place first, last;
    struct place since;     /* where it began to come: behind a quiet minute, or much more often */
    struct fault_pace pace; /* for `since` */
    char message[METRICS_TEXT]; /* of the first */
};

/* The first dead letter behind a change. */
struct fallout {
    uint64_t change; /* its number, board_change */
    enum fault fault;
    int64_t schema_id;
    struct place place;
};

/* How scores are distributed: 1, 10, 50, 90 and 99 of a hundred are below. NaN: not known. */
enum { METRICS_QUANTILES = 5 };
struct score_metrics {
    uint32_t rows; /* that `now` is of */
    double now[METRICS_QUANTILES], before[METRICS_QUANTILES];
};

struct decision_metrics {
    char name[64];
    uint64_t count;
};

struct part_metrics {
    const char *topic;
    int32_t partition;
    bool is_owned, is_parked;
    uint64_t consumed, scored, dead, skipped, returned, in_flight;
    int64_t position, done; /* next offset to take; below it all is acknowledged */
    int64_t end;            /* the client's latest knowledge of the log's end, -1: none */
    int64_t moved_ms;       /* when done last moved (clock_ms), 0: never */
};

struct model_metrics {
    char name[128], version[64], digest[SHA256_HEX + 1];
    int64_t since_ms; /* that it scores, since 1970 UTC */
};

struct metrics {
    enum activity activity;
    int64_t since_ms;         /* of the activity, since 1970 UTC */
    char why[METRICS_TEXT];   /* one line, of what is not running */
    char quota[METRICS_TEXT]; /* of the brokers, that holds it up: a line; "": none does */
    struct model_metrics model;
    struct histogram decode, score; /* per batch */
    struct histogram freshness;     /* per record, its batch's oldest: its time to its ack */
    double ahead_sum;        /* seconds, of records from the future: how far, in freshness 0 */
    struct histogram commit; /* per commit: how long the brokers took */
    struct score_metrics scores;
    uint64_t alerts, stale_alerts, commits, rewinds, no_event_time;
    uint64_t dead[FAULT_COUNT];              /* by fault, all of them */
    struct fallout fallout[METRICS_CHANGES]; /* a ring: the i-th is at i % METRICS_CHANGES */
    size_t fallout_count;
    struct fault_metrics faults[METRICS_FAULTS];
    size_t fault_count;
    struct decision_metrics decisions[METRICS_DECISIONS];
    size_t decision_count;
    struct part_metrics *parts; /* owned */
    size_t part_count, part_cap;
};

void metrics_init(struct metrics *metrics);
void metrics_release(struct metrics *metrics);

/* They are not known. */
void metrics_forget_scores(struct metrics *metrics);

/* The entry of a kind of dead letter, count 0 when new. NULL: there are too many kinds. */
struct fault_metrics *metrics_kind(struct metrics *metrics, enum fault fault, int64_t schema_id);

/* One dead letter: the entry of its kind, new (count 1) the first time. NULL: there are too many
 * kinds, and only the sum by fault has it. */
struct fault_metrics *metrics_fault(struct metrics *metrics, enum fault fault, int64_t schema_id,
                                    const struct place *place);

/* The first dead letter behind the change of this number, unless one is known. */
void metrics_fallout(struct metrics *metrics, uint64_t change, const struct fault_metrics *fault);

/* Where a decision of this name is counted: from the 65th name on, with all others. */
size_t metrics_decision(struct metrics *metrics, const char *name);

static inline void metrics_decided(struct metrics *metrics, size_t slot)
{
    if (slot < METRICS_DECISIONS)
        metrics->decisions[slot].count++;
}

/* Room for count parts, zeroed when new. */
struct part_metrics *metrics_parts(struct metrics *metrics, size_t count);

struct board;

struct board *board_new(size_t worker_count);
void board_free(struct board *board);
size_t board_worker_count(const struct board *board);

/* The number of the last change (core/journal.h), 0: none. Any thread; no lock. */
void board_set_change(struct board *board, uint64_t change);
uint64_t board_change(const struct board *board);

/* The worker's thread: others see this from now on. */
void board_publish(struct board *board, size_t worker, const struct metrics *metrics);

/* A copy into *out, which was initialised and is used again; *age_ms: how old it is. False: the
 * worker has published nothing yet. Any thread. */
bool board_read(struct board *board, size_t worker, struct metrics *out, int64_t *age_ms);

#endif
