#include "consumer/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void ledger_init(struct ledger *ledger)
{
    *ledger = (struct ledger){0};
}

void ledger_release(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        free(ledger->parts[i].topic);
    free(ledger->parts);
    *ledger = (struct ledger){0};
}

uint32_t ledger_find(const struct ledger *ledger, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->parts[i].partition == partition && strcmp(ledger->parts[i].topic, topic) == 0)
            return (uint32_t)i;
    return LEDGER_NO_PART;
}

uint32_t ledger_add(struct ledger *ledger, const char *topic, int32_t partition)
{
    uint32_t part = ledger_find(ledger, topic, partition);

    if (part != LEDGER_NO_PART)
        return part;
    ledger->parts = mem_grow(ledger->parts, ledger->count, &ledger->cap, sizeof *ledger->parts);
    ledger->parts[ledger->count] = (struct part){.topic = mem_copy_text(topic, strlen(topic)),
                                                 .partition = partition,
                                                 .stored = OFFSET_NONE,
                                                 .refused = OFFSET_NONE,
                                                 .last = {.offset = OFFSET_NONE}};
    return (uint32_t)ledger->count++;
}

void ledger_assign(struct ledger *ledger, uint32_t part, int64_t offset)
{
    struct part *p = &ledger->parts[part];

    if (offset != p->committed && offset != p->done) /* others have read on since, whatever log */
        p->last.offset = OFFSET_NONE;
    p->is_owned = true;
    p->epoch = ++ledger->epoch;
    p->position = p->done = p->committed = offset;
    p->stored = p->end = p->seen_end = p->refused = OFFSET_NONE;
    p->is_parked = p->is_paused = p->is_ahead = p->must_prove = false;
    p->tries = 0;
}

void ledger_revoke(struct ledger *ledger, uint32_t part)
{
    ledger->parts[part].is_owned = false;
    ledger->parts[part].is_parked = false;
}

int64_t ledger_anchor(struct ledger *ledger, uint32_t part)
{
    enum { NEAR = 100 }; /* markers of transactions; else others have read on since */
    struct part *p = &ledger->parts[part];

    p->must_prove = p->last.offset != OFFSET_NONE && p->last.offset >= p->position - NEAR;
    return p->must_prove && p->last.offset < p->position ? p->last.offset : p->position;
}

/* One that is not there at all was compacted away, or deleted: that says nothing. */
bool ledger_prove(struct ledger *ledger, uint32_t part, struct token token)
{
    struct part *p = &ledger->parts[part];
    bool is_known = p->must_prove && token.offset == p->last.offset;

    if (p->is_ahead || p->is_parked || (p->must_prove && token.offset < p->last.offset))
        return true; /* what is let go of proves nothing of what was admitted */
    if (is_known && (token.timestamp_ms != p->last.timestamp_ms || token.len != p->last.len))
        return false;
    p->must_prove = false;
    p->last = token;
    return true;
}

void ledger_return(struct ledger *ledger, uint32_t part, int64_t first, uint64_t count)
{
    struct part *p = &ledger->parts[part];

    assert(first >= p->done);
    if (first < p->position)
        p->position = first;
    ledger_let_go(ledger, part);
    p->counts.returned += count;
}

enum turn ledger_steer(struct ledger *ledger, uint32_t part, bool pause_all)
{
    struct part *p = &ledger->parts[part];
    bool want = p->is_parked || pause_all || (p->is_ahead && !p->is_paused);

    if (!p->is_owned || p->is_paused == want)
        return TURN_NONE;
    p->is_paused = want;
    p->is_ahead = p->is_ahead && want;
    if (!want)
        p->end = p->seen_end = OFFSET_NONE; /* what the client saw of the end was before the seek */
    return want ? TURN_PAUSE : TURN_RESUME;
}

struct counts ledger_total(const struct ledger *ledger)
{
    struct counts sum = {0};

    for (size_t i = 0; i < ledger->count; i++) {
        const struct counts *c = &ledger->parts[i].counts;
        sum.consumed += c->consumed;
        sum.scored += c->scored;
        sum.dead += c->dead;
        sum.skipped += c->skipped;
        sum.returned += c->returned;
        sum.alerts += c->alerts;
        sum.stale_alerts += c->stale_alerts;
    }
    return sum;
}
