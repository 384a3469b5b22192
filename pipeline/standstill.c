#include "pipeline/standstill.h"

#include <stdlib.h>

#include "core/mem.h"

void standstill_release(struct standstill *s)
{
    free(s->parts);
    *s = (struct standstill){0};
}

static struct standstill_part *find(const struct standstill *s, const struct part_metrics *part)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->parts[i].topic == part->topic && s->parts[i].partition == part->partition)
            return &s->parts[i];
    return NULL;
}

void standstill_take(struct standstill *s, const struct part_metrics *part, int64_t lag,
                     int64_t now_ms)
{
    struct standstill_part *p = find(s, part);

    if (p && part->is_owned && lag > 0 && p->done == part->done)
        return;
    if (!p) {
        s->parts = mem_grow(s->parts, s->count, &s->cap, sizeof *s->parts);
        p = &s->parts[s->count++];
    }
    *p = (struct standstill_part){part->topic, part->partition, part->done, now_ms};
}

int64_t standstill_ms(const struct standstill *s, const struct part_metrics *part, int64_t now_ms)
{
    const struct standstill_part *p = find(s, part);

    return p && part->is_owned && p->done == part->done ? now_ms - p->since_ms : 0;
}
