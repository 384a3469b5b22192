/* ring.h: what was decided and is not yet acknowledged.
 *
 * A slot is one batch: spans of offsets (one per partition in it) and a count of outcomes that were
 * sent and that the brokers have not acknowledged. Slots retire in the order of admission, the
 * oldest first, when all of it was sent, the count is zero and none of them failed: then each
 * span's partition is done up to the span's end.
 *
 *     head                              tail
 *      v                                 v
 *    [0 left] [3 left] [0 left] [1024 left]      only the first may retire
 *
 * A failed delivery rewinds: every slot's spans are returned to the ledger, newest first, and the
 * ring is empty. Slots are fixed; the spans of a slot grow to the number of partitions and stay.
 * Nothing is allocated after the first turns. Thread: the worker's (delivery reports come out of
 * its own polls).
 */
#ifndef CONSUMER_RING_H
#define CONSUMER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer/ledger.h"

enum { RING_SLOTS = 256 };

struct span {
    uint32_t part;
    uint32_t epoch;                 /* the partition's when admitted */
    int64_t first, end;             /* offsets first..end-1, gaps allowed */
    uint32_t count;                 /* records in it */
    uint32_t scored, dead, skipped; /* what they became; they sum up to count */
    uint32_t alerts, stale_alerts;  /* of the scored: sent as alerts, too; withheld as too old */
};

struct slot {
    struct span *spans;
    size_t span_count, span_cap;
    uint32_t waiting;      /* outcomes not yet acknowledged */
    bool is_open;          /* still being sent: may not retire */
    bool has_failed;       /* an outcome was not delivered: waits for the rewind */
    int64_t oldest_ms;     /* of its records, -1: they have no time */
    uint32_t record_count; /* of the whole slot */
    bool is_alone;         /* one record, and nothing else on its way: a refusal means it */
};

struct ring {
    struct slot slots[RING_SLOTS];
    size_t head, count; /* slots[head] is the oldest of count */
};

void ring_init(struct ring *ring);
void ring_release(struct ring *ring);
bool ring_is_full(const struct ring *ring);

/* Takes the next slot, open and empty. The ring must not be full. Borrowed; stays put. */
struct slot *ring_open(struct ring *ring);

/* Adds one admitted record to a slot: its partition's span grows, or a new one starts. */
struct span *slot_add(struct slot *slot, const struct ledger *ledger, uint32_t part,
                      int64_t offset);

/* One outcome was acknowledged, or not. */
static inline void slot_acknowledge(struct slot *slot, bool ok)
{
    slot->waiting--;
    slot->has_failed |= !ok;
}

/* Retires what can be; returns how many slots. */
size_t ring_retire(struct ring *ring, struct ledger *ledger);

/* Where the partition is done once all is retired that can be. */
int64_t ring_next(const struct ring *ring, const struct ledger *ledger, uint32_t part);

/* Records in the slots. */
uint64_t ring_records(const struct ring *ring);

/* The newest slot, of which nothing was sent, leaves the ring: its spans are returned. */
void ring_return_last(struct ring *ring, struct ledger *ledger);

/* Returns every span to the ledger, and empties the ring. No report may be outstanding. */
void ring_return_all(struct ring *ring, struct ledger *ledger);

/* Records in flight of one partition, counted from the spans; *lowest is the first offset of the
 * lowest span, or OFFSET_NONE. */
uint64_t ring_in_flight(const struct ring *ring, const struct ledger *ledger, uint32_t part,
                        int64_t *lowest);

/* P1 for every partition: the sum, and stored <= done <= lowest unfinished <= position. 0, or -1
 * with ERR_FATAL EXIT_INTERNAL and the account of the broken partition. */
int ring_check(const struct ring *ring, const struct ledger *ledger, struct err *err);

#endif
