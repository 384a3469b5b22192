#include "pipeline/refusals.h"

#include <string.h>

const struct refused *refusals_find(const struct refusals *r, uint32_t part, int64_t offset)
{
    for (size_t i = 0; i < r->refused_count; i++)
        if (r->refused[i].part == part && r->refused[i].offset == offset)
            return &r->refused[i];
    return NULL;
}

const struct refused *refusals_add(struct refusals *r, const struct span *span, enum fault fault)
{
    struct refused *known = (struct refused *)refusals_find(r, span->part, span->first);

    if (!known) {
        if (r->refused_count == REFUSED_MAX)
            memmove(r->refused, r->refused + 1, --r->refused_count * sizeof r->refused[0]);
        known = &r->refused[r->refused_count++];
        *known = (struct refused){span->part, span->epoch, span->first, FAULT_NONE, 0};
    }
    if (span->dead)
        known->dead_refusals++;
    else
        known->fault = fault;
    return known;
}

void refusals_suspect(struct refusals *r, const struct span *span)
{
    for (size_t i = 0; i < r->suspect_count; i++) {
        struct suspect *s = &r->suspects[i];
        if (s->part == span->part && s->epoch == span->epoch) {
            s->first = span->first < s->first ? span->first : s->first;
            s->end = span->end > s->end ? span->end : s->end;
            return;
        }
    }
    if (r->suspect_count < SUSPECT_MAX)
        r->suspects[r->suspect_count++] =
            (struct suspect){span->part, span->epoch, span->first, span->end};
}

static bool is_past(const struct ledger *ledger, uint32_t index, uint32_t epoch, int64_t end)
{
    const struct part *part = &ledger->parts[index];

    return !part->is_owned || part->epoch != epoch || part->done >= end;
}

void refusals_forget_past(struct refusals *r, const struct ledger *ledger)
{
    size_t kept = 0;

    for (size_t i = r->suspect_count; i-- > 0;)
        if (is_past(ledger, r->suspects[i].part, r->suspects[i].epoch, r->suspects[i].end))
            r->suspects[i] = r->suspects[--r->suspect_count];
    for (size_t i = 0; i < r->refused_count; i++)
        if (!is_past(ledger, r->refused[i].part, r->refused[i].epoch, r->refused[i].offset + 1))
            r->refused[kept++] = r->refused[i];
    r->refused_count = kept;
}

void refusals_reset(struct refusals *r)
{
    r->suspect_count = r->refused_count = 0;
}
