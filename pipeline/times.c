#include "pipeline/times.h"

#include <math.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (1440 * MINUTE_MS)

/* Each is a multiple of the one before. The last one parts what is before 1970 from what is not. */
static const int64_t widths[] = {
    MINUTE_MS,     10 * MINUTE_MS, 60 * MINUTE_MS,       360 * MINUTE_MS,
    DAY_MS,        7 * DAY_MS,     28 * DAY_MS,          364 * DAY_MS,
    3640 * DAY_MS, 36400 * DAY_MS, 36400 * 100 * DAY_MS, INT64_MAX};

void tally_add(struct tally *t, enum relation relation, bool is_flip, double difference)
{
    t->counts[relation]++;
    t->flips += is_flip;
    t->sum += difference;
    t->largest = fmax(t->largest, fabs(difference));
}

uint64_t tally_total(const struct tally *t)
{
    uint64_t sum = 0;

    for (int i = 0; i < RELATION_COUNT; i++)
        sum += t->counts[i];
    return sum;
}

uint64_t tally_differing(const struct tally *t)
{
    return tally_total(t) - t->counts[RELATION_EQUAL] - t->counts[RELATION_CLOSE];
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void merge(struct tally *to, const struct tally *from)
{
    for (int i = 0; i < RELATION_COUNT; i++)
        to->counts[i] += from->counts[i];
    to->flips += from->flips;
    to->sum += from->sum;
    to->largest = fmax(to->largest, from->largest);
}

static void widen(struct times *t)
{
    int64_t factor = widths[t->step + 1] / widths[t->step];
    bool is_last = widths[t->step + 1] == INT64_MAX;
    size_t kept = 0;

    for (size_t i = 0; i < t->count; i++) {
        struct times_bucket bucket = t->buckets[i];
        bucket.index = is_last ? (bucket.index < 0 ? -1 : 0) : floor_divide(bucket.index, factor);
        if (kept > 0 && t->buckets[kept - 1].index == bucket.index)
            merge(&t->buckets[kept - 1].tally, &bucket.tally);
        else
            t->buckets[kept++] = bucket;
    }
    t->count = kept;
    t->step++;
}

static size_t insert(struct times *t, int64_t index)
{
    size_t at = t->count;

    while (at > 0 && t->buckets[at - 1].index > index)
        at--;
    if (at > 0 && t->buckets[at - 1].index == index)
        return at - 1;
    memmove(&t->buckets[at + 1], &t->buckets[at], (t->count - at) * sizeof *t->buckets);
    t->buckets[at] = (struct times_bucket){.index = index};
    t->count++;
    return at;
}

struct tally *times_find(struct times *t, int64_t time_ms)
{
    size_t at = insert(t, floor_divide(time_ms, widths[t->step]));

    while (t->count > TIMES_MAX) {
        widen(t);
        at = insert(t, floor_divide(time_ms, widths[t->step]));
    }
    return &t->buckets[at].tally;
}

int64_t times_width_ms(const struct times *t)
{
    return widths[t->step];
}

int64_t times_start_ms(const struct times *t, size_t i)
{
    return t->buckets[i].index * widths[t->step];
}
