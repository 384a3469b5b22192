/* mock.h: a pipeline on librdkafka's mock cluster, for faults that a test injects.
 *
 * Three brokers, so that a fault hits one side: INPUT leads topic in (2 partitions) and coordinates
 * the group, OUTPUT leads scores and dead, ALERTS leads alerts. The pipeline runs in a thread of
 * its own and logs into a file. Everything is made in the forked test, never before the fork. The
 * mock's first group join takes 3 s.
 */
#ifndef TESTS_FAULT_MOCK_H
#define TESTS_FAULT_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>

#include "core/config.h"
#include "pipeline/pipeline.h"

enum { MOCK_PARTITIONS = 2 };
enum { MOCK_INPUT = 1, MOCK_OUTPUT = 2, MOCK_ALERTS = 3 }; /* brokers */
enum {
    MOCK_PRODUCE = 0,
    MOCK_FETCH = 1,
    MOCK_LIST_OFFSETS = 2,
    MOCK_OFFSET_COMMIT = 8,
    MOCK_OFFSET_FETCH = 9,
    MOCK_JOIN_GROUP = 11,
    MOCK_HEARTBEAT = 12,
    MOCK_INIT_PRODUCER_ID = 22,
    MOCK_END_TXN = 26
};

struct mock {
    char folder[300], log[400]; /* log: the file that standard error goes to */
    rd_kafka_t *client;         /* owns the cluster; produces the test's events */
    rd_kafka_mock_cluster_t *cluster;
    struct config config;
    volatile sig_atomic_t stop;
    struct pipeline_progress progress;
    struct board *board; /* or NULL */
    struct pipeline_orders orders;
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

/* Lines for [consumer] and [kscore], or NULL; behind the latter other sections may follow. */
void mock_start(struct mock *mock, const char *consumer_lines, const char *kscore_lines);

/* The same for Avro events, with lines for [schemas]. */
void mock_start_avro(struct mock *mock, const char *schemas_lines);

/* One event; value NULL is a null value. */
void mock_produce(struct mock *mock, int32_t partition, const char *key, const void *value,
                  size_t len);
void mock_produce_json(struct mock *mock, int32_t partition, int from, int to);
/* Events {x: the number of the event, note} below that id. */
void mock_produce_avro(struct mock *mock, int32_t partition, uint32_t schema_id, int count);
void mock_produce_keys(struct mock *mock, int32_t partition, int count, int keys);

/* All brokers. */
void mock_set_down(struct mock *mock);
void mock_set_up(struct mock *mock);

/* Starts the pipeline in its thread; waits until it is ready unless told otherwise. */
void mock_run(struct mock *mock);
void mock_wait_ready(struct mock *mock);

/* The next requests of this kind to a broker are answered with these codes; 0 lets one pass. */
void mock_push(struct mock *mock, int broker, int api, const rd_kafka_resp_err_t *codes,
               size_t count);
#define mock_refuse(mock, broker, api, ...)                                                        \
    mock_push(mock, broker, api, (const rd_kafka_resp_err_t[]){__VA_ARGS__},                       \
              sizeof((const rd_kafka_resp_err_t[]){__VA_ARGS__}) / sizeof(rd_kafka_resp_err_t))

/* How often text is in the log; waits until it is there `times` times. */
int mock_log_count(struct mock *mock, const char *text);
void mock_wait_log(struct mock *mock, const char *text, int times);

/* Waits until so many records are consumed. */
void mock_wait_consumed(struct mock *mock, uint64_t count);

/* Waits until scored + dead + skipped reaches count. */
void mock_wait_outcomes(struct mock *mock, uint64_t count);

/* Waits until it has ended by itself, and joins: result, err and summary are filled. */
void mock_wait_end(struct mock *mock);

/* Stops and joins: result, err and summary are filled. Checks P1's sum. */
void mock_stop(struct mock *mock);
void mock_end(struct mock *mock);

/* Everything in a topic; returns how many. The caller frees *all. */
size_t mock_read(struct mock *mock, const char *topic, struct seen **all);

/* How many records of topic in have an outcome in the topics; *repeated: those beyond one each. */
size_t mock_outcomes(struct mock *mock, size_t *repeated);

/* Fails the test unless each of partition's offsets from..to-1 of topic in has at least one outcome
 * in the topics; and returns how many outcomes there are beyond one each. */
size_t mock_expect_outcomes(struct mock *mock, size_t count);

/* Fails the test unless the scores of each key are, but for repeats, in the order of the events. */
void mock_expect_order(struct mock *mock);

/* Commits for the group, which has no member yet. */
void mock_commit(struct mock *mock, int32_t partition, int64_t offset);

/* Committed offset of in[partition]. */
int64_t mock_committed(struct mock *mock, int32_t partition);

#endif
