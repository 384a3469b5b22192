/* client.h: struct producer, shared by producer.c (sending, reports), transaction.c, trouble.c. */
#ifndef PRODUCER_CLIENT_H
#define PRODUCER_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "core/kafka_throttle.h"
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
    struct kafka_throttle throttle;
    char login[200];           /* sasl.username, "" without */
    struct offsets_call *call; /* sends offsets; NULL: none is under way */
    bool can_begin;            /* transactions */
    bool is_in_doubt;          /* producer_is_in_doubt */
    bool is_given_up;          /* librdkafka takes nothing more from this client */
};

/* transaction.c: lets go of the call that sends offsets. False: it is under way, and the client
 * must outlive it. */
bool producer_leave_offsets(struct producer *producer);

/* trouble.c */
void producer_on_throttle(rd_kafka_t *client, const char *broker, int32_t id, int throttle_ms,
                          void *opaque);

/* Adds what is to be allowed, and to whom, where that is what is missing. */
void producer_deny(const struct producer *producer, rd_kafka_resp_err_t code, char *text,
                   size_t cap);

#endif
