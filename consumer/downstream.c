#include "consumer/downstream.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void downstream_release(struct downstream *d)
{
    free(d->parts);
    d->parts = NULL;
    d->part_count = 0;
}

/* A topic that was made anew may have fewer. */
static void make_room(struct downstream *d, size_t count)
{
    if (count > d->part_count)
        d->parts = mem_resize(d->parts, count, sizeof *d->parts);
    for (size_t i = d->part_count; i < count; i++)
        d->parts[i] = (struct downstream_part){-1, -1, -1, 0, 0};
    d->part_count = count;
}

/* What took longer than is usual is an outage, and teaches nothing. */
static void learn(struct downstream *d, int64_t took_ms)
{
    if (took_ms > d->slowest_ms && took_ms <= DOWNSTREAM_SLOWEST_MS)
        d->slowest_ms = took_ms;
}

static void take_part(struct downstream *d, struct downstream_part *p, int64_t committed,
                      int64_t now_ms)
{
    bool is_first = p->moved_ms == 0;

    if (committed < 0)
        committed = p->committed; /* a group that is deleted leaves what it has not read */
    if (committed != p->committed || is_first) {
        if (!is_first) {
            d->moved_ms = now_ms;
            if (p->behind_ms)
                learn(d, now_ms - p->behind_ms);
        }
        p->moved_ms = now_ms;
        p->behind_ms = 0;
    }
    p->committed = committed;
    p->lag = committed < 0 || p->end < 0 ? -1 : p->end > committed ? p->end - committed : 0;
    if (p->lag <= 0)
        p->behind_ms = 0;
    else if (p->behind_ms == 0)
        p->behind_ms = now_ms;
}

static void judge(struct downstream *d, int64_t now_ms)
{
    int64_t patience_ms = d->slowest_ms + DOWNSTREAM_MARGIN_MS;

    if (patience_ms < DOWNSTREAM_STANDS_MS)
        patience_ms = DOWNSTREAM_STANDS_MS;
    d->stands_ms = 0;
    for (size_t i = 0; i < d->part_count; i++) {
        const struct downstream_part *p = &d->parts[i];
        if (p->behind_ms && now_ms - p->behind_ms > patience_ms &&
            (d->stands_ms == 0 || p->behind_ms < d->stands_ms))
            d->stands_ms = p->behind_ms;
    }
}

static void keep_low(struct downstream *d, int64_t now_ms)
{
    if (d->lag < 0 || (d->low_ms && d->lag > d->low && now_ms - d->low_ms < DOWNSTREAM_LOW_MS))
        return;
    d->low = d->lag;
    d->low_ms = now_ms;
}

void downstream_take(struct downstream *d, const int64_t *committed, const int64_t *ends,
                     size_t count, int64_t now_ms)
{
    make_room(d, count);
    d->lag = -1;
    for (size_t i = 0; i < count; i++) {
        struct downstream_part *p = &d->parts[i];
        if (ends[i] >= 0)
            p->end = ends[i];
        take_part(d, p, committed[i] < 0 ? -1 : committed[i], now_ms);
        if (p->lag >= 0)
            d->lag = (d->lag < 0 ? 0 : d->lag) + p->lag;
    }
    keep_low(d, now_ms);
    judge(d, now_ms);
}
