/* times.h: counts of compared records, and the same by stretches of event time.
 *
 * The stretches become longer as the times turn out to lie farther apart: at most TIMES_MAX that
 * have records. Plain values. Thread: one at a time.
 */
#ifndef PIPELINE_TIMES_H
#define PIPELINE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one record is to the two sides. */
enum relation {
    RELATION_EQUAL,
    RELATION_CLOSE,      /* not equal, but within the tolerance */
    RELATION_CHANGED,    /* both scored it */
    RELATION_REASON,     /* dead on both sides, for another reason */
    RELATION_NOW_DEAD,   /* there a score, here a dead letter */
    RELATION_NOW_SCORED, /* the other way round */
    RELATION_ONLY_HERE,
    RELATION_ONLY_THERE,
    RELATION_COUNT
};

struct tally {
    uint64_t counts[RELATION_COUNT];
    uint64_t flips;
    double sum, largest; /* of differences: signed, and the largest without its sign */
};

/* One record; difference: 0 unless both scored it. */
void tally_add(struct tally *tally, enum relation relation, bool is_flip, double difference);
uint64_t tally_total(const struct tally *tally);

/* Not equal within the tolerance. */
uint64_t tally_differing(const struct tally *tally);

enum { TIMES_MAX = 24 };

struct times {
    size_t step; /* which width they have */
    struct times_bucket {
        int64_t index; /* its start / width */
        struct tally tally;
    } buckets[TIMES_MAX + 1]; /* count, rising */
    size_t count;
};

/* The bucket of a time, in which the record is to be counted; valid until the next call. */
struct tally *times_find(struct times *times, int64_t time_ms);

/* How long they are, and where bucket i starts. */
int64_t times_width_ms(const struct times *times);
int64_t times_start_ms(const struct times *times, size_t i);

#endif
