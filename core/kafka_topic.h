/* kafka_topic.h: what must be known of a topic before records go to or come from it. Both Kafka
 * rooms ask. Blocks up to timeout_ms: start-up and recovery only. */
#ifndef CORE_KAFKA_TOPIC_H
#define CORE_KAFKA_TOPIC_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "core/err.h"

/* How many partitions the topic has. Errors as kafka_err: missing 78, denied 77, no answer =
 * dependency; each names the topic. */
int kafka_topic_partitions(rd_kafka_t *client, const char *topic, int timeout_ms,
                           int32_t *partition_count, struct err *err);

/* limits[i] = max.message.bytes of topics[i], or 0 when the cluster does not say (no permission, an
 * old broker). One question for all of them. */
void kafka_topic_max_bytes(rd_kafka_t *client, const char *const *topics, size_t count,
                           int timeout_ms, int64_t *limits);

#endif
