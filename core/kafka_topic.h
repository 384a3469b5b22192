/* kafka_topic.h: what must be known of a topic before records go to or come from it. Both Kafka
 * rooms ask. Blocks up to timeout_ms: start-up and recovery only. */
#ifndef CORE_KAFKA_TOPIC_H
#define CORE_KAFKA_TOPIC_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct kafka_topic {
    int32_t partition_count;
    int32_t in_sync;    /* replicas: fewest of any partition */
    int32_t replicas;   /* likewise, those that should be */
    int32_t leaderless; /* a partition without a leader, -1: none */
};

/* What the brokers say of the topic. Errors as kafka_err: missing 78, denied 77, no answer =
 * dependency; each names the topic. */
int kafka_topic_ask(rd_kafka_t *client, const char *name, int timeout_ms, struct kafka_topic *topic,
                    struct err *err);

/* How many partitions it has. */
int kafka_topic_partitions(rd_kafka_t *client, const char *name, int timeout_ms,
                           int32_t *partition_count, struct err *err);

/* 0 where the cluster does not say (no permission, an old broker). */
struct kafka_topic_settings {
    int64_t max_bytes;   /* max.message.bytes */
    int64_t min_in_sync; /* min.insync.replicas */
    bool is_compacted;   /* cleanup.policy */
};

/* One question for all topics, of which one may be named twice; settings[i] are those of topics[i].
 */
void kafka_topic_settings(rd_kafka_t *client, const char *const *topics, size_t count,
                          int timeout_ms, struct kafka_topic_settings *settings);

/* The same, only limits[i] = max.message.bytes. */
void kafka_topic_max_bytes(rd_kafka_t *client, const char *const *topics, size_t count,
                           int timeout_ms, int64_t *limits);

#endif
