/* breaker.h: what keeps a stream from being drained into the dead-letter topic.
 *
 *            more dead than breaker_share            breaker_window_s later, or on order
 *     CLOSED ---------------------------> OPEN ----------------------------------> HALF_OPEN
 *       ^                                  ^                                        |    |
 *       |                                  '------ still so: all are given back ----'    |
 *       '----- not so, or fewer records at hand than breaker_minimum --------------------'
 *
 * Judged are records that are scored or dead; skipped ones are not. What is judged within the
 * window is counted in buckets of a twelfth of it; fewer than breaker_minimum are no sample. A
 * batch is judged before it is sent: the one that opens the breaker is given back, so that dead
 * letters which were sent never pass the limit. Every start is a try, as one behind OPEN is
 * (HALF_OPEN): up to breaker_minimum records are held until the sample is there, or no more come.
 *
 * Deaths are counted by reason and schema, for the line that says why. The clock is the caller's,
 * in ms. A plain value of fixed size. Thread: the worker's.
 */
#ifndef PIPELINE_BREAKER_H
#define PIPELINE_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/outcome.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

enum { BREAKER_BUCKETS = 12, BREAKER_PAIRS = 32 };

struct breaker_place {
    const char *topic; /* lives longer than the breaker */
    int32_t partition;
    int64_t offset;
};

/* Deaths of one reason and schema. */
struct breaker_cause {
    enum fault fault;
    bool has_several; /* more schemas than are told apart: those of all others */
    int64_t schema_id;
    uint64_t count; /* in the window; 0: the row is free */
    struct {
        uint64_t count;
        struct breaker_place first;
    } buckets[BREAKER_BUCKETS];
};

struct breaker {
    enum breaker_state state;
    bool is_tripped; /* it was open, and has not closed since */
    uint64_t minimum;
    double share;
    int64_t window_ms, wait_ms; /* wait: how long a start's try waits for the next record */
    int64_t since_ms;           /* of the state */
    int64_t held_ms, grown_ms;  /* of what a try holds: the first record, the last one */
    int64_t bucket;             /* the newest one's number: time in twelfths of the window */
    uint64_t judged, dead;      /* in the window */
    struct {
        uint64_t judged, dead;
    } buckets[BREAKER_BUCKETS];
    /* Of reason and schema, and behind them one for each reason. */
    struct breaker_cause causes[BREAKER_PAIRS + FAULT_COUNT];
};

/* Half-open; closed for good with breaker_share = 1. */
void breaker_init(struct breaker *breaker, const struct config *config, int64_t now_ms);
bool breaker_is_off(const struct breaker *breaker);

/* So many records were judged, dead ones among them. */
void breaker_count(struct breaker *breaker, uint64_t judged, int64_t now_ms);
/* One of them is dead; it may be told later than it was judged. */
void breaker_bury(struct breaker *breaker, enum fault fault, int64_t schema_id,
                  const struct breaker_place *place, int64_t now_ms);

/* Whether a try waits for more than the `held` records that it has, of which `added` came now;
 * has_more: there are more. */
bool breaker_holds(struct breaker *breaker, size_t held, size_t added, bool has_more,
                   int64_t now_ms);

/* Whether what was counted may be sent: closed from now on. False: open. */
bool breaker_passes(struct breaker *breaker, int64_t now_ms);

/* Once a turn; holds_none: a try that has no record, and there are none, closes after the window,
 * too. True: the state is another one now. */
bool breaker_look(struct breaker *breaker, bool is_ordered, bool holds_none, int64_t now_ms);

/* The most frequent cause in the window; *first is its oldest death there. NULL: nothing is dead.
 */
const struct breaker_cause *breaker_worst(const struct breaker *breaker,
                                          struct breaker_place *first);

#endif
