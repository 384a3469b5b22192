#include "schemas/doubts.h"

#include <string.h>

static uint16_t *chain_of(struct doubts *d, uint64_t id)
{
    return &d->chains[(uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 40) % DOUBTS_MAX];
}

const struct doubt *doubts_find(const struct doubts *doubts, uint64_t id)
{
    uint16_t at = *chain_of((struct doubts *)doubts, id);

    while (at != 0 && doubts->items[at - 1].id != id)
        at = doubts->items[at - 1].next;
    return at ? &doubts->items[at - 1] : NULL;
}

void doubts_remove(struct doubts *doubts, uint64_t id)
{
    uint16_t *link = chain_of(doubts, id);
    struct doubt *item;

    while (*link != 0 && doubts->items[*link - 1].id != id)
        link = &doubts->items[*link - 1].next;
    if (*link == 0)
        return;
    item = &doubts->items[*link - 1];
    doubts->asked_count -= item->kind == DOUBT_ASKED;
    *link = item->next;
    item->kind = DOUBT_NONE;
}

static struct doubt *add(struct doubts *d, uint64_t id)
{
    uint16_t index = (uint16_t)d->oldest;
    struct doubt *item = &d->items[index];
    uint16_t *chain;

    if (item->kind != DOUBT_NONE)
        doubts_remove(d, item->id);
    d->oldest = (d->oldest + 1) % DOUBTS_MAX;
    chain = chain_of(d, id);
    *item = (struct doubt){.id = id, .next = *chain};
    *chain = (uint16_t)(index + 1);
    return item;
}

void doubts_put(struct doubts *doubts, uint64_t id, enum doubt_kind kind, int64_t now_ms)
{
    struct doubt *item = (struct doubt *)doubts_find(doubts, id);

    if (!item)
        item = add(doubts, id);
    doubts->asked_count -= item->kind == DOUBT_ASKED;
    doubts->asked_count += kind == DOUBT_ASKED;
    item->kind = (uint16_t)kind;
    item->at_ms = now_ms;
    if (kind == DOUBT_ABSENT && item->absent_ms == 0)
        item->absent_ms = now_ms;
}
