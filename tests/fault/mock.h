/* mock.h: a pipeline on librdkafka's mock cluster, for faults that a test injects.
 *
 * One cluster, topics in (2 partitions), scores, dead; the pipeline runs in a thread of its own.
 * Everything is made in the forked test, never before the fork. The mock's first group join takes 3
 * s.
 */
#ifndef TESTS_FAULT_MOCK_H
#define TESTS_FAULT_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>

#include "core/config.h"
#include "pipeline/pipeline.h"

enum { MOCK_PARTITIONS = 2 };

struct mock {
    char folder[300];
    rd_kafka_t *client; /* owns the cluster; produces the test's events */
    rd_kafka_mock_cluster_t *cluster;
    struct config config;
    volatile sig_atomic_t stop;
    struct pipeline_progress progress;
    struct pipeline_summary summary;
    struct err err;
    pthread_t thread;
    int result;
    bool is_running;
};

/* A record read back. */
struct seen {
    int32_t partition;
    char key[64], value[2000], reason[64],
        source[300]; /* source: "topic-partition-offset" it is about */
    size_t value_len;
    bool is_null;
};

/* Lines for [consumer] and [kscore], or NULL. */
void mock_start(struct mock *mock, const char *consumer_lines, const char *kscore_lines);

/* One event; value NULL is a null value. */
void mock_produce(struct mock *mock, int32_t partition, const char *key, const void *value,
                  size_t len);
void mock_produce_json(struct mock *mock, int32_t partition, int from, int to);

/* Starts the pipeline in its thread; waits until it is ready unless told otherwise. */
void mock_run(struct mock *mock);
void mock_wait_ready(struct mock *mock);

/* Waits until scored + dead + skipped reaches count. */
void mock_wait_outcomes(struct mock *mock, uint64_t count);

/* Stops and joins: result, err and summary are filled. Checks P1's sum. */
void mock_stop(struct mock *mock);
void mock_end(struct mock *mock);

/* Everything in a topic; returns how many. The caller frees *all. */
size_t mock_read(struct mock *mock, const char *topic, struct seen **all);

/* Fails the test unless each of partition's offsets from..to-1 of topic in has at least one outcome
 * in the topics; and returns how many outcomes there are beyond one each. */
size_t mock_expect_outcomes(struct mock *mock, size_t count);

/* Committed offset of in[partition]. */
int64_t mock_committed(struct mock *mock, int32_t partition);

#endif
