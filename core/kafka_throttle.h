/* kafka_throttle.h: whether a quota of the brokers holds a client up, and which broker's.
 *
 * A broker that is asked for more than the quota allows answers, says for how long it will hear
 * nothing more, and librdkafka hands that to a callback: some milliseconds a time at first, again
 * and again, or a minute at once. What counts is the share of time: from a twentieth on it adds up,
 * and is said when a second has.
 *
 * A plain value, zero at first, of whoever owns the client; its thread.
 */
#ifndef CORE_KAFKA_THROTTLE_H
#define CORE_KAFKA_THROTTLE_H

#include <stdint.h>

/* Of a broker and, twice, of "producer" or "consumer": what is said. */
#define KAFKA_THROTTLE_TEXT "%.150s throttles the %s: a quota (%s_byte_rate)"

struct kafka_throttle {
    int64_t told_ms; /* when it was last told of, 0: never */
    int64_t held_ms; /* what has added up until then */
    char broker[200];
};

/* From the callback. */
void kafka_throttle_take(struct kafka_throttle *throttle, const char *broker, int throttle_ms,
                         int64_t now_ms);

/* The broker whose quota holds us up, or did in the last 10 s; NULL: none. */
const char *kafka_throttle_broker(const struct kafka_throttle *throttle, int64_t now_ms);

#endif
