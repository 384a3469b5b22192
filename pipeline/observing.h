/* observing.h: struct observer, shared by observer.c (the thread, health), metrics_text.c and
 * status_json.c (what it answers). Under its lock, but for what never changes. */
#ifndef PIPELINE_OBSERVING_H
#define PIPELINE_OBSERVING_H

#include <pthread.h>

#include "consumer/lags.h"
#include "pipeline/arrivals.h"
#include "pipeline/observer.h"
#include "pipeline/standstill.h"
#include "pipeline/view.h"

enum { SAMPLE_MS = 5000, SAMPLES = 720, MARKS = 60000 / SAMPLE_MS };

/* What was counted until then. */
struct sample {
    int64_t at_ms; /* since 1970 UTC */
    struct view_totals totals;
    uint64_t alerts;
    int64_t lag;  /* -1: not known */
    double score; /* the median, NaN: not known */
    double freshness_sum;
    uint64_t freshness_count;
};

/* How often each fault had come at a sample. */
struct fault_mark {
    int64_t at_ms;
    size_t count;
    struct {
        enum fault fault;
        int64_t schema_id;
        uint64_t count;
    } kinds[METRICS_FAULTS];
};

struct observer {
    struct observer_options options;
    int64_t started_ms; /* since 1970 UTC */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* is_ending */
    bool is_ending;
    struct view view;
    struct sample samples[SAMPLES]; /* sample_count, the oldest at sample_first */
    size_t sample_first, sample_count;
    struct fault_mark marks[MARKS]; /* of the newest samples; mark_count, the next at % MARKS */
    size_t mark_count;
    struct journal_entry entries[JOURNAL_CAP]; /* room for reading the journal */
    struct lags *lags;
    const struct log_end *ends; /* end_count, of lags; as old as ends_age_ms, -1: none */
    size_t end_count;
    int64_t ends_age_ms;
    const struct downstream *groups; /* group_count, of lags; groups_age_ms likewise */
    size_t group_count;
    int64_t groups_age_ms;
    struct standstill still;
    struct arrivals arrivals;
};

struct situation;
struct verdict;

/* Looks at all workers and says what is wrong, once for all who answer: so they cannot differ.
 * Returns how many of o->entries there are. */
size_t observer_judge(struct observer *observer, struct situation *facts, struct verdict *verdict);

/* The i-th oldest sample. */
const struct sample *observer_sample(const struct observer *observer, size_t i);

/* How many records of a partition are not done, -1: not known. */
int64_t observer_lag(const struct observer *observer, const struct part_metrics *part);
/* Of all owned partitions, -1: none is owned, or not known. */
int64_t observer_total_lag(const struct observer *observer);

#endif
