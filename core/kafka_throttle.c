#include "core/kafka_throttle.h"

#include <stdio.h>

enum { SHARE = 20, ENOUGH_MS = 1000, MOST_MS = 2000, RECENT_MS = 10000 };

void kafka_throttle_take(struct kafka_throttle *t, const char *broker, int throttle_ms,
                         int64_t now_ms)
{
    if (throttle_ms <= 0)
        return;
    t->held_ms -= (now_ms - t->told_ms) / SHARE;
    if (t->held_ms < 0)
        t->held_ms = 0;
    t->held_ms += throttle_ms;
    if (t->held_ms > MOST_MS)
        t->held_ms = MOST_MS; /* it is over soon, however long it lasted */
    t->told_ms = now_ms;
    snprintf(t->broker, sizeof t->broker, "%s", broker);
}

const char *kafka_throttle_broker(const struct kafka_throttle *t, int64_t now_ms)
{
    return t->held_ms >= ENOUGH_MS && now_ms - t->told_ms < RECENT_MS ? t->broker : NULL;
}
