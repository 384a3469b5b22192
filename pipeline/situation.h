/* situation.h: what the observer knows, as verdict.h takes it. The observer's lock is held; what is
 * pointed to lives as long as that. */
#ifndef PIPELINE_SITUATION_H
#define PIPELINE_SITUATION_H

#include "pipeline/observing.h"
#include "pipeline/verdict.h"

enum { SITUATION_GROUPS = 32 };

struct situation {
    struct verdict_facts verdict;
    uint64_t recent[METRICS_FAULTS];
    struct verdict_backlog backlogs[1 + SITUATION_GROUPS]; /* kscore's own first */
    struct place standing;
    struct arrivals arrivals;
};

/* Of o->view, and the first entry_count of o->entries. */
void situation_take(struct situation *s, struct observer *o, size_t entry_count);

/* The last minute: what was counted since the sample of then, *seconds: how long that is. */
struct sample situation_minute(const struct observer *o, double *seconds);

/* What share of scored and dead records was dead in the minute before, or behind, a time; NaN:
 * there were none, or nobody looked. */
double situation_dead_share_before(const struct observer *o, int64_t at_ms);
double situation_dead_share_after(const struct observer *o, int64_t at_ms);

/* Once a sample: how often each fault has come until now, and how events come. */
void situation_mark(struct observer *o);

#endif
