#include "pipeline/refusals.h"

#include <string.h>

const struct refused *refusals_find(const struct refusals *f, uint32_t part, int64_t offset)
{
    for (size_t i = 0; i < f->refused_count; i++)
        if (f->refused[i].part == part && f->refused[i].offset == offset)
            return &f->refused[i];
    return NULL;
}

const struct refused *refusals_add(struct refusals *f, const struct span *span, enum fault fault)
{
    struct refused *r = (struct refused *)refusals_find(f, span->part, span->first);

    if (!r) {
        if (f->refused_count == REFUSED_MAX)
            memmove(f->refused, f->refused + 1, --f->refused_count * sizeof f->refused[0]);
        r = &f->refused[f->refused_count++];
        *r = (struct refused){span->part, span->epoch, span->first, FAULT_NONE, 0};
    }
    if (span->dead)
        r->dead_refusals++;
    else
        r->fault = fault;
    return r;
}

void refusals_suspect(struct refusals *f, const struct span *span)
{
    for (size_t i = 0; i < f->suspect_count; i++) {
        struct suspect *s = &f->suspects[i];
        if (s->part == span->part && s->epoch == span->epoch) {
            s->first = span->first < s->first ? span->first : s->first;
            s->end = span->end > s->end ? span->end : s->end;
            return;
        }
    }
    if (f->suspect_count < SUSPECT_MAX)
        f->suspects[f->suspect_count++] =
            (struct suspect){span->part, span->epoch, span->first, span->end};
}

static bool is_past(const struct ledger *ledger, uint32_t index, uint32_t epoch, int64_t end)
{
    const struct part *part = &ledger->parts[index];

    return !part->is_owned || part->epoch != epoch || part->done >= end;
}

void refusals_forget_past(struct refusals *f, const struct ledger *ledger)
{
    size_t kept = 0;

    for (size_t i = f->suspect_count; i-- > 0;)
        if (is_past(ledger, f->suspects[i].part, f->suspects[i].epoch, f->suspects[i].end))
            f->suspects[i] = f->suspects[--f->suspect_count];
    for (size_t i = 0; i < f->refused_count; i++)
        if (!is_past(ledger, f->refused[i].part, f->refused[i].epoch, f->refused[i].offset + 1))
            f->refused[kept++] = f->refused[i];
    f->refused_count = kept;
}

void refusals_reset(struct refusals *f)
{
    f->suspect_count = f->refused_count = 0;
}
