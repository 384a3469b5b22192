/* cluster.h: one test's topics, group and folder on the real Apache Kafka that tests/run-broker
 * starts.
 *
 * The broker is shared by all tests, so every test has names of its own: topics <unique>.in,
 * .scores, .dead and a group of that name. The folder holds the fixture bundle, kscore.ini and the
 * logs of the processes that the test starts (child.h). Everything is made in the forked test.
 */
#ifndef TESTS_BROKER_CLUSTER_H
#define TESTS_BROKER_CLUSTER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLUSTER_MAX_PARTITIONS = 8 };

struct cluster {
    char bootstrap[100];
    char folder[300], config[320]; /* kscore.ini */
    int config_count;
    char group[64], in[80], scores[80], dead[80], alerts[80]; /* alerts: by cluster_add_alerts */
    int32_t partitions;
    rd_kafka_t *producer;    /* sends to explicit partitions; copies what it is given */
    rd_kafka_topic_t *topic; /* in, to send to */
    rd_kafka_t *watcher; /* a consumer of the group that never joins it: offsets and watermarks */
    int64_t event_count; /* of cluster_send_events so far */
    rd_kafka_t *counter; /* exactly once: reads scores and dead letters; NULL before */
    int64_t counted;
};

/* Makes the three topics with that many partitions, the bundle and the configuration: commits every
 * 100 ms, a session of 6 s, no breaker. */
void cluster_open(struct cluster *cluster, int32_t partitions);
void cluster_close(struct cluster *cluster);

/* The clusters that this process opens from now on have kscores that assign cooperatively. */
void cluster_be_cooperative(void);

/* Makes the topic of alerts, and [alerts] in the configuration for decision high, that of x >= 1,
 * with one more line or "". */
void cluster_add_alerts(struct cluster *cluster, const char *line);

/* One more topic; config is NULL or "name=value". */
void cluster_create_topic(struct cluster *cluster, const char *topic, int32_t partitions,
                          const char *config);
void cluster_add_partitions(struct cluster *cluster, const char *topic, int32_t total);

/* Deletes the records of in[partition] below `before`. */
void cluster_delete_records(struct cluster *cluster, int32_t partition, int64_t before);

/* As Kafka numbers it; librdkafka 2.0.2 has no such resource. */
enum { CLUSTER_TRANSACTIONAL_ID = 5 };

/* Allows User:kscore one operation on a topic, on a group, or on transactional ids that begin so.
 */
void cluster_allow(struct cluster *cluster, rd_kafka_ResourceType_t type, const char *name,
                   rd_kafka_AclOperation_t operation);

void cluster_forbid(struct cluster *cluster, rd_kafka_ResourceType_t type, const char *name,
                    rd_kafka_AclOperation_t operation);

/* The broker's doors (tests/kafka): number of the port behind the plain one's. */
enum cluster_door {
    DOOR_PLAIN = 0,
    DOOR_PASSWORD = 1,
    DOOR_TLS = 3,
    DOOR_TLS_PASSWORD = 4,
    DOOR_MUTUAL = 5,
    DOOR_EXPIRED = 6
};

/* Writes a configuration beside the one before, for another door, and makes it the cluster's.
 * lines are those of [kafka]; an @ in them is the folder of the certificates (tests/certificates),
 * and a first line "host = NAME" replaces localhost. Behind the doors with a password or a client's
 * certificate User:kscore may only do what is allowed. */
void cluster_use_door(struct cluster *cluster, enum cluster_door door, const char *lines);

/* DOOR_PASSWORD, as kscore. */
void cluster_use_password(struct cluster *cluster, const char *password);

/* All permissions that kscore needs (those for alerts where they are on), but the one of that
 * number (-1: all). */
void cluster_allow_all_but(struct cluster *cluster, int missing);

/* One setting of a topic while it is in use; value NULL: as it was made. */
void cluster_configure(struct cluster *cluster, const char *topic, const char *name,
                       const char *value);
/* Several: count pairs of name and value. */
void cluster_configure_all(struct cluster *cluster, const char *topic,
                           const char *const (*settings)[2], size_t count);
/* Waits until it is gone. */
void cluster_delete_topic(struct cluster *cluster, const char *topic);

/* "pause", "cont", "kill" or "start": only for suites that have a broker of their own (tests/run).
 */
void cluster_broker(const char *command);

/* A producer of the test's own, with settings "name=value", NULL-terminated. NULL when librdkafka
 * was built without one of them. */
rd_kafka_t *cluster_producer(struct cluster *cluster, const char *const *settings);

/* One record into in[partition]; value NULL is a null value, key NULL a null key. */
void cluster_send(struct cluster *cluster, int32_t partition, const char *key, const void *value,
                  size_t len);

/* Events {"x":i%3,"n":i} of key k<i%40> into in[i % partitions], the next `count` of i; waits until
 * the broker has them. */
void cluster_send_events(struct cluster *cluster, int count);

/* Waits until everything sent is acknowledged. */
void cluster_flush(rd_kafka_t *producer);

/* Low and high end of topic[partition] (the last stable offset, when transactions are open). */
int64_t cluster_low(struct cluster *cluster, const char *topic, int32_t partition);
int64_t cluster_end(struct cluster *cluster, const char *topic, int32_t partition);

/* The end, with what open transactions have written. */
int64_t cluster_high(struct cluster *cluster, const char *topic, int32_t partition);

/* Whether what tests start runs with delivery = exactly_once: $KSCORE_DELIVERY. */
bool cluster_is_exactly_once(void);

/* Scores and dead letters: the sum of the topics' ends; exactly once: what committed readers see.
 */
int64_t cluster_outcome_count(struct cluster *cluster);
void cluster_wait_outcomes(struct cluster *cluster, int64_t count);

/* The group's committed offset of in[partition], -1 without one. */
int64_t cluster_committed(struct cluster *cluster, int32_t partition);

/* What each partition has committed. Returns how many outcomes there are beyond it: after a crash
 * these are repeated. */
int64_t cluster_floor(struct cluster *cluster, int64_t *floor);

/* Commits for the group, which has no member meanwhile. */
void cluster_commit(struct cluster *cluster, int32_t partition, int64_t offset,
                    const char *metadata);

/* The same for any group and topic. */
void cluster_commit_as(struct cluster *cluster, const char *group, const char *topic,
                       int32_t partition, int64_t offset);

/* Sum over the partitions: records behind the committed offset; and waits until there is none. */
int64_t cluster_lag(struct cluster *cluster);
void cluster_wait_no_lag(struct cluster *cluster);

/* Fails unless every partition's committed offset is its end. */
void cluster_expect_no_lag(struct cluster *cluster);

#endif
