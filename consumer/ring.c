#include "consumer/ring.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"

void ring_init(struct ring *ring)
{
    *ring = (struct ring){0};
}

void ring_release(struct ring *ring)
{
    for (size_t i = 0; i < RING_SLOTS; i++)
        free(ring->slots[i].spans);
    *ring = (struct ring){0};
}

bool ring_is_full(const struct ring *ring)
{
    return ring->count == RING_SLOTS;
}

struct slot *ring_open(struct ring *ring)
{
    struct slot *slot;

    assert(!ring_is_full(ring));
    slot = &ring->slots[(ring->head + ring->count++) % RING_SLOTS];
    slot->span_count = 0;
    slot->waiting = 0;
    slot->is_open = true;
    slot->has_failed = slot->is_alone = false;
    return slot;
}

struct span *slot_add(struct slot *slot, const struct ledger *ledger, uint32_t part, int64_t offset)
{
    /* Records come in runs of a partition: the last span is nearly always the one. */
    for (size_t i = slot->span_count; i-- > 0;) {
        struct span *span = &slot->spans[i];
        if (span->part == part) {
            assert(offset >= span->end);
            span->end = offset + 1;
            span->count++;
            return span;
        }
    }
    slot->spans = mem_grow(slot->spans, slot->span_count, &slot->span_cap, sizeof *slot->spans);
    slot->spans[slot->span_count] = (struct span){.part = part,
                                                  .epoch = ledger->parts[part].epoch,
                                                  .first = offset,
                                                  .end = offset + 1,
                                                  .count = 1};
    return &slot->spans[slot->span_count++];
}

static bool is_current(const struct ledger *ledger, const struct span *span)
{
    const struct part *part = &ledger->parts[span->part];

    return part->is_owned && part->epoch == span->epoch;
}

static void retire(struct slot *slot, struct ledger *ledger)
{
    for (size_t i = 0; i < slot->span_count; i++) {
        const struct span *span = &slot->spans[i];
        struct part *part = &ledger->parts[span->part];
        part->counts.scored += span->scored;
        part->counts.dead += span->dead;
        part->counts.skipped += span->skipped;
        part->counts.alerts += span->alerts;
        part->counts.stale_alerts += span->stale_alerts;
        if (is_current(ledger, span)) {
            assert(span->first >= part->done);
            part->done = span->end;
        }
    }
    slot->span_count = 0;
}

static bool is_finished(const struct slot *slot)
{
    return slot->waiting == 0 && !slot->is_open && !slot->has_failed;
}

size_t ring_retire(struct ring *ring, struct ledger *ledger)
{
    size_t retired = 0;

    while (ring->count > 0) {
        struct slot *slot = &ring->slots[ring->head];
        if (!is_finished(slot))
            break;
        retire(slot, ledger);
        ring->head = (ring->head + 1) % RING_SLOTS;
        ring->count--;
        retired++;
    }
    return retired;
}

int64_t ring_next(const struct ring *ring, const struct ledger *ledger, uint32_t part)
{
    int64_t next = ledger->parts[part].done;

    for (size_t i = 0; i < ring->count; i++) {
        const struct slot *slot = &ring->slots[(ring->head + i) % RING_SLOTS];
        if (!is_finished(slot))
            break;
        for (size_t s = 0; s < slot->span_count; s++)
            if (slot->spans[s].part == part && is_current(ledger, &slot->spans[s]))
                next = slot->spans[s].end;
    }
    return next;
}

uint64_t ring_records(const struct ring *ring)
{
    uint64_t count = 0;

    for (size_t i = 0; i < ring->count; i++) {
        const struct slot *slot = &ring->slots[(ring->head + i) % RING_SLOTS];
        for (size_t s = 0; s < slot->span_count; s++)
            count += slot->spans[s].count;
    }
    return count;
}

void ring_return_last(struct ring *ring, struct ledger *ledger)
{
    struct slot *slot = &ring->slots[(ring->head + --ring->count) % RING_SLOTS];

    assert(slot->waiting == 0);
    for (size_t i = slot->span_count; i-- > 0;) {
        const struct span *span = &slot->spans[i];
        if (is_current(ledger, span))
            ledger_return(ledger, span->part, span->first, span->count);
        else
            ledger->parts[span->part].counts.returned += span->count;
    }
    slot->span_count = 0;
    slot->is_open = false;
}

void ring_return_all(struct ring *ring, struct ledger *ledger)
{
    while (ring->count > 0)
        ring_return_last(ring, ledger);
}

static void add_slot(const struct slot *slot, const struct ledger *ledger, uint32_t part,
                     uint64_t *count, int64_t *lowest)
{
    for (size_t i = 0; i < slot->span_count; i++) {
        const struct span *span = &slot->spans[i];
        if (span->part != part)
            continue;
        *count += span->count;
        if (is_current(ledger, span) && (*lowest == OFFSET_NONE || span->first < *lowest))
            *lowest = span->first;
    }
}

uint64_t ring_in_flight(const struct ring *ring, const struct ledger *ledger, uint32_t part,
                        int64_t *lowest)
{
    uint64_t count = 0;

    *lowest = OFFSET_NONE;
    for (size_t i = 0; i < ring->count; i++)
        add_slot(&ring->slots[(ring->head + i) % RING_SLOTS], ledger, part, &count, lowest);
    return count;
}

static int check_part(const struct ring *ring, const struct ledger *ledger, uint32_t index,
                      struct err *err)
{
    const struct part *part = &ledger->parts[index];
    const struct counts *c = &part->counts;
    int64_t lowest;
    uint64_t in_flight = ring_in_flight(ring, ledger, index, &lowest);

    if (c->consumed != c->scored + c->dead + c->skipped + c->returned + in_flight)
        return err_fatal(err, EXIT_INTERNAL,
                         "P1 is broken on %s [%d]: consumed %llu is not scored %llu + dead %llu + "
                         "skipped %llu + returned %llu + in flight %llu",
                         part->topic, part->partition, (unsigned long long)c->consumed,
                         (unsigned long long)c->scored, (unsigned long long)c->dead,
                         (unsigned long long)c->skipped, (unsigned long long)c->returned,
                         (unsigned long long)in_flight);
    /* Offsets between done and the lowest span that hold no record (markers, compaction) may lie in
     * between. */
    if (part->is_owned && ((lowest != OFFSET_NONE && part->done > lowest) ||
                           part->done > part->position || part->stored > part->done))
        return err_fatal(err, EXIT_INTERNAL,
                         "P2 is broken on %s [%d]: stored %lld, done %lld, lowest unfinished %lld, "
                         "position %lld",
                         part->topic, part->partition, (long long)part->stored,
                         (long long)part->done, (long long)lowest, (long long)part->position);
    return 0;
}

int ring_check(const struct ring *ring, const struct ledger *ledger, struct err *err)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (check_part(ring, ledger, (uint32_t)i, err) != 0)
            return -1;
    return 0;
}
