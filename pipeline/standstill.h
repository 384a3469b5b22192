/* standstill.h: since when an owned partition has not moved although there was something to take.
 *
 * One that was idle for hours and now has a record does not stand still: its time begins with the
 * record. A value of its owner; times are given, in ms.
 */
#ifndef PIPELINE_STANDSTILL_H
#define PIPELINE_STANDSTILL_H

#include "core/metrics.h"

struct standstill {
    struct standstill_part {
        const char *topic; /* of the configuration */
        int32_t partition;
        int64_t done, since_ms;
    } * parts; /* owned: count, of cap */
    size_t count, cap;
};

void standstill_release(struct standstill *standstill);

/* How a partition is now; lag -1: not known. */
void standstill_take(struct standstill *standstill, const struct part_metrics *part, int64_t lag,
                     int64_t now_ms);

/* For how long it has stood, by what was taken last and done since. */
int64_t standstill_ms(const struct standstill *standstill, const struct part_metrics *part,
                      int64_t now_ms);

#endif
