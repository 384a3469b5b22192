/* ledger.h: where each partition stands, and the sum that must hold.
 *
 * Per partition:
 *
 *     ...done |  spans in the ring, in order  | position...
 *             ^ commit offset                  ^ next record to admit
 *
 *  1. Records are admitted only when the partition is owned, not parked, and offset >= position.
 *  2. consumed = scored + dead + skipped + returned + in flight, at any moment (P1). In flight is
 * counted from the spans themselves (consumer/ring.h), never derived.
 *  3. `done` moves only when the oldest slot retires; nothing below it is unfinished, and between
 * it and the lowest unfinished span lie at most offsets without a record.
 *  4. Returning sets position back to the first returned offset; what was returned is consumed (and
 * counted) again.
 *  5. A span of an earlier assignment (another epoch) moves nothing.
 *  6. When a record at or past position was let go of, or given back, the client is ahead: nothing
 * is admitted until it has sought back to position (ledger_steer).
 *
 * Grows when partitions are assigned, never per record. Thread: the worker's.
 */
#ifndef CONSUMER_LEDGER_H
#define CONSUMER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum { OFFSET_NONE = -1, LEDGER_NO_PART = 0xffffffff };

struct counts {
    uint64_t consumed, scored, dead, skipped, returned;
    uint64_t alerts, stale_alerts; /* of the scored, as in struct span */
};

/* By which a log is known again. */
struct token {
    int64_t offset, timestamp_ms; /* OFFSET_NONE: nothing is known */
    size_t len;                   /* of key and value */
};

struct part {
    char *topic; /* owned */
    int32_t partition;
    bool is_owned;
    uint32_t epoch;       /* of the assignment */
    int64_t position;     /* next offset to admit */
    int64_t done;         /* commit offset: everything below has an acknowledged outcome */
    int64_t stored;       /* last offset handed to the client for commit, OFFSET_NONE at first */
    int64_t committed;    /* what the brokers have, as far as is known */
    int64_t end;          /* offset at which the client saw the end, OFFSET_NONE when unknown */
    int64_t seen_end;     /* the last one seen since the client sought, also when it is done */
    int64_t refused;      /* what the client asked for and the log does not have, OFFSET_NONE */
    struct token last;    /* the newest record that the client handed out */
    bool must_prove;      /* the client was sought to it, or before it: it must be there again */
    bool is_parked;       /* waits for a dependency; position is where it goes on */
    int64_t parked_id;    /* schema id it waits for */
    int64_t retry_ms;     /* when to ask again (monotonic) */
    unsigned tries;       /* how often asked in vain */
    bool is_paused;       /* as the client was told */
    bool is_ahead;        /* the client's next record is not the one at position: it must seek */
    unsigned model;       /* the pipeline's: which of its models scored of it last, */
    int64_t model_from;   /* and from where on */
    struct counts counts; /* since the process started */
};

struct ledger {
    struct part *parts;
    size_t count, cap;
    uint32_t epoch;
};

void ledger_init(struct ledger *ledger);
void ledger_release(struct ledger *ledger);

/* Index of a partition, or LEDGER_NO_PART. ledger_add also makes it. Indexes never change; texts of
 * struct part live as long as the ledger. */
uint32_t ledger_find(const struct ledger *ledger, const char *topic, int32_t partition);
uint32_t ledger_add(struct ledger *ledger, const char *topic, int32_t partition);

/* The partition is ours from `offset` on, which is committed. */
void ledger_assign(struct ledger *ledger, uint32_t part, int64_t offset);

/* The partition is not ours any more. Its spans must have been returned before, or fail. */
void ledger_revoke(struct ledger *ledger, uint32_t part);

/* What the client has handed out of the partition was let go of: rule 6. */
static inline void ledger_let_go(struct ledger *ledger, uint32_t part)
{
    ledger->parts[part].is_ahead = true;
    ledger->parts[part].end = ledger->parts[part].seen_end = OFFSET_NONE;
}

/* The client has handed out all up to an end of the partition, and nothing behind it yet. */
static inline bool part_is_at_end(const struct part *part)
{
    return part->seen_end != OFFSET_NONE && part->position <= part->seen_end;
}

/* Rule 1 for one record: true and it is counted as consumed, position is behind it. */
static inline bool ledger_admit(struct ledger *ledger, uint32_t part, int64_t offset)
{
    struct part *p = &ledger->parts[part];

    if (!p->is_owned || offset < p->position)
        return false;
    if (p->is_parked || p->is_ahead) {
        ledger_let_go(ledger, part);
        return false;
    }
    p->position = offset + 1;
    p->counts.consumed++;
    return true;
}

/* Where the client is to go on: at the position, or a little before it, at the last record that it
 * knows. That is refused by rule 1, once it is proven (ledger_prove). */
int64_t ledger_anchor(struct ledger *ledger, uint32_t part);

/* Notes a record that the client handed out. False: it stands where another one stood. */
bool ledger_prove(struct ledger *ledger, uint32_t part, struct token token);

/* Rule 4: `count` admitted records from `first` on are given back, in any order. */
void ledger_return(struct ledger *ledger, uint32_t part, int64_t first, uint64_t count);

enum turn {
    TURN_NONE,
    TURN_PAUSE,
    TURN_RESUME, /* seek to position first */
};

/* What the client must do now so that its pauses are the ledger's: a partition is paused while it
 * is parked, or all are; one that is ahead is paused once, for a pause ends with a seek. */
enum turn ledger_steer(struct ledger *ledger, uint32_t part, bool pause_all);

/* Sum over all partitions. */
struct counts ledger_total(const struct ledger *ledger);

#endif
