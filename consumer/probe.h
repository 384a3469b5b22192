/* probe.h: asks the brokers for what a member of the group will need, and never becomes one.
 *
 * Nothing that it does can be seen by others: no join, no commit that is kept, no topic is made.
 * Permission to read is proven by a commit for a partition that no topic has: the brokers refuse it
 * as unknown, but only after they have checked READ on the group and on the topic
 * (KafkaApis.handleOffsetCommitRequest).
 *
 * Every question ends in its time. A failed one takes the client's own words into account:
 * librdkafka shows a wrong password or an untrusted certificate as silence.
 *
 * Owns the librdkafka consumer, borrows the configuration. Thread: the owner's.
 */
#ifndef CONSUMER_PROBE_H
#define CONSUMER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/kafka_topic.h"

struct probe;

/* NULL and EXIT_CONFIGURATION. */
struct probe *probe_new(const struct config *config, struct err *err);
void probe_free(struct probe *probe);

/* The brokers answer and let us in. Errors: EXIT_DENIED wrong login, EXIT_CONFIGURATION TLS that
 * does not fit, ERR_DEPENDENCY no answer; each with the cause and, where one is known, the remedy.
 */
int probe_login(struct probe *probe, int timeout_ms, int *broker_count, struct err *err);

/* As kafka_topic_ask and kafka_topic_settings. */
int probe_topic(struct probe *probe, const char *name, int timeout_ms, struct kafka_topic *topic,
                struct err *err);
void probe_settings(struct probe *probe, const char *const *topics, size_t count, int timeout_ms,
                    struct kafka_topic_settings *settings);

/* The group may be used and the topic may be read. EXIT_DENIED: *is_group tells which of them may
 * not; where it is the group, nothing is known of the topic. */
int probe_read(struct probe *probe, const char *topic, int timeout_ms, bool *is_group,
               struct err *err);

struct probe_group {
    size_t member_count;
    char assignor[64];  /* of the members; "" without members */
    char strangers[64]; /* client.id of a member that reads another topic, or "" */
    char topic[250];    /* which */
};

/* Who is in the group now. */
int probe_group(struct probe *probe, int timeout_ms, struct probe_group *group, struct err *err);

/* Of one partition: what the log holds, and where the group stands. */
struct probe_offsets {
    int64_t low, high;
    int64_t committed; /* -1: nothing */
};

/* offsets[i] for partition i of partition_count. */
int probe_offsets(struct probe *probe, const char *topic, int32_t partition_count, int timeout_ms,
                  struct probe_offsets *offsets, struct err *err);

#endif
