/* places.h: where in a partition's log a place lies: asked of the brokers, for the reader.
 *
 * Only committed data counts: a log ends at its last stable offset. Nothing is kept between calls.
 * Thread: the client's owner.
 */
#ifndef CONSUMER_PLACES_H
#define CONSUMER_PLACES_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "consumer/reader.h"

/* Of which partition; each question waits up to timeout_ms. */
struct places {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    int32_t partition;
    int timeout_ms;
};

/* The log's offsets, low to high - 1. */
struct log_ends {
    int64_t low, high;
};

/* 0, or -1 with err: no answer = dependency. */
int places_ends(const struct places *places, struct log_ends *log, struct err *err);

/* The offset of a place; INT64_MAX for NEVER. Errors as above. */
int places_find(const struct places *places, const struct reader_place *place, struct log_ends log,
                int64_t *offset, struct err *err);

/* The last `wanted` records: reads on from *offset, but *skip records before them. Errors as above.
 */
int places_find_last(const struct places *places, int64_t wanted, struct log_ends log,
                     int64_t *offset, int64_t *skip, struct err *err);

#endif
