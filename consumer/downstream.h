/* downstream.h: whether those who read the scores keep up: a consumer group's committed offsets
 * against the ends of the topic, answer after answer.
 *
 * A partition stands when there is something to read and the group has committed nothing of it for
 * longer than it ever took so far. That is learnt, for some commit every 100 ms and others every
 * minute: at least STANDS_MS, never more than a minute and a bit, so that an outage teaches
 * nothing.
 *
 * A value of its owner, no Kafka, no clock: times are given, in ms on clock_wall_ms.
 */
#ifndef CONSUMER_DOWNSTREAM_H
#define CONSUMER_DOWNSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct downstream_part {
    int64_t committed; /* -1: nothing */
    int64_t end;       /* last stable offset, -1: not known */
    int64_t lag;       /* -1: not known */
    int64_t moved_ms;  /* when the committed offset was first seen where it is */
    int64_t behind_ms; /* since when something is there and is not committed, 0: nothing is */
};

struct downstream {
    const char *group;             /* borrowed */
    struct downstream_part *parts; /* owned, of the topic's partitions by number */
    size_t part_count;
    int64_t slowest_ms; /* longest that it took to commit what was there */
    int64_t lag;        /* sum of the known ones, -1: none is known */
    int64_t moved_ms;   /* when any committed offset moved last, 0: none was seen to move */
    int64_t low;        /* lowest lag of the last quarter of an hour, and when it was that */
    int64_t low_ms;     /* 0: never known */
    int64_t stands_ms;  /* since when the partition that stands longest does; 0: none does */
};

enum {
    DOWNSTREAM_STANDS_MS = 5000,
    DOWNSTREAM_SLOWEST_MS = 60000,
    DOWNSTREAM_MARGIN_MS = 2000,
    DOWNSTREAM_LOW_MS = 900000
};

void downstream_release(struct downstream *downstream);

/* An answer: of each partition what is committed (negative: nothing) and its end (negative: not
 * known). */
void downstream_take(struct downstream *downstream, const int64_t *committed, const int64_t *ends,
                     size_t count, int64_t now_ms);

#endif
