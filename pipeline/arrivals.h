/* arrivals.h: whether events come as they did: since when none does, since when all are skipped,
 * since when they come late or from the future.
 *
 * Neither is a failure of kscore, and each looks healthy: no error, no lag. It is fed at each of
 * the observer's samples. What is usual is how often something came (the mean of some five
 * minutes), the longest silence of the last hour or so, and how old events were. Said is only what
 * is far from it, and nothing before twelve samples (a minute) had outcomes; what lasts an hour is
 * usual. While kscore itself waits, and when its partitions are others, nothing is learnt or said:
 * another member may have what came here.
 *
 * A plain value, zero at first. Thread: the observer's.
 */
#ifndef PIPELINE_ARRIVALS_H
#define PIPELINE_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was counted until then, of all partitions. */
struct arrival {
    int64_t at_ms;
    uint64_t outcomes, skipped; /* outcomes: scored or dead */
    int64_t lag;                /* -1: not known */
    double age_sum; /* seconds, of age_count records; of some negative: from the future */
    uint64_t age_count;
    size_t owned;    /* partitions */
    bool is_running; /* it takes events */
};

struct arrivals {
    struct arrival last;
    uint32_t count;      /* samples with outcomes */
    double per_s, age_s; /* the usual ones */
    int64_t moved_ms;    /* the last outcome */
    uint64_t skipped;    /* until then */
    int64_t longest_ms;  /* silence of late */
    int64_t running_ms;  /* when kscore took events last; 0: not yet */
    uint32_t late_count; /* samples in a row with events that are late, or from the future */
    int64_t late_ms;     /* since when */
    double late_s;       /* how late; negative: so far ahead */
};

void arrivals_take(struct arrivals *arrivals, const struct arrival *now);

/* Since when all are skipped, or none comes; 0: it is not so. */
int64_t arrivals_skipped_ms(const struct arrivals *arrivals);
int64_t arrivals_quiet_ms(const struct arrivals *arrivals);

/* They are much older than usual, or from the future. */
bool arrivals_are_late(const struct arrivals *arrivals);

#endif
