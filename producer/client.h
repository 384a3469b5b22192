/* client.h: struct producer, shared by producer.c (sending, reports) and transaction.c. */
#ifndef PRODUCER_CLIENT_H
#define PRODUCER_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "producer/producer.h"

struct producer {
    const struct config *config;
    const char *topics[OUTPUT_COUNT]; /* topic_count, as all arrays of them */
    size_t topic_count;
    struct producer_limits known;    /* as read */
    int64_t max_bytes[OUTPUT_COUNT]; /* the topic's limit, no more than the client's own */
    producer_report *report;
    void *arg;
    char transactional_id[TRANSACTIONAL_ID_MAX]; /* exactly_once */
    rd_kafka_t *client;
    rd_kafka_topic_t *handles[OUTPUT_COUNT];
    struct score_encoder encoder;
    struct provenance provenance; /* texts borrowed from the bundle in use */
    char *buffer;                 /* the score that was encoded last */
    size_t buffer_cap, encoded_len;
    size_t in_flight;
    int64_t refreshed_ms;
    bool can_begin;   /* transactions */
    bool is_given_up; /* librdkafka takes nothing more from this client */
};

#endif
