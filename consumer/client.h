/* client.h: struct consumer, shared by consumer.c (polling, storing), assignment.c (who owns what),
 * offsets.c (from where) and trouble.c (what the client tells). */
#ifndef CONSUMER_CLIENT_H
#define CONSUMER_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "consumer/consumer.h"
#include "core/kafka_throttle.h"
#include "core/kafka_trouble.h"

enum { PART_CACHE = 256, OFFSETS_ASK_MS = 5000 };

struct consumer {
    const struct config *config;
    unsigned worker;
    struct ledger *ledger;
    struct consumer_hooks hooks;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t **messages; /* of one poll */
    size_t message_cap;

    /* message -> ledger index; filled as messages come, emptied by each assignment */
    struct {
        const rd_kafka_topic_t *topic;
        int32_t partition;
        uint32_t part;
    } cache[PART_CACHE];

    rd_kafka_topic_partition_list_t *assignment; /* owned partitions, for storing */
    /* Ours in the group's eyes, but start offsets are still to be found. */
    rd_kafka_topic_partition_list_t *offered;
    bool is_cooperative; /* rebalances name what comes and what goes; else all there is */
    bool was_assigned;   /* at least once: from then on trouble is a dependency */
    bool must_retry;     /* at retry_ms: start offsets could not be found, or must_ask */
    int64_t retry_ms;
    bool must_reassign; /* a position is out of the log's range */
    bool must_ask;      /* only the group knows what is committed: nothing is before it was asked */
    bool has_gone;      /* a topic of ours was not there: nothing is committed until we asked */
    bool was_lost;      /* the session ran out; until the next assignment */
    int64_t returned_ms; /* that assignment, 0: none since the client was made */
    bool must_reopen;    /* fenced after that: this client is dead, the member is not */
    int64_t polled_ms;   /* when it was polled last */
    bool is_closing;
    struct kafka_trouble trouble; /* why there is no connection */
    struct kafka_throttle throttle;
    struct err err;        /* raised in a callback, handed out by the next poll */
    uint64_t commit_count; /* acknowledged */
};

/* Callbacks of librdkafka. */
void consumer_on_commit(rd_kafka_t *client, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t *offsets, void *opaque);
void consumer_on_error(rd_kafka_t *client, int code, const char *reason, void *opaque);
void consumer_on_throttle(rd_kafka_t *client, const char *broker, int32_t id, int throttle_ms,
                          void *opaque);
void assignment_on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code,
                             rd_kafka_topic_partition_list_t *list, void *opaque);

/* From the error callback, and from messages that are none. topic: NULL when it is not about one.
 * What is denied ends a start, and is waited for later. */
void consumer_take_error(struct consumer *consumer, rd_kafka_resp_err_t code, const char *topic,
                         const char *text);

/* Asks again where what was offered begins; is_all: what is owned, too. Not by leaving the group:
 * that disturbs all others, a LeaveGroup that is late fences the member that joined behind it, and
 * amid a rebalance librdkafka forgets an unsubscribe that a subscribe follows. */
void assignment_retry(struct consumer *consumer, bool is_all);

/* Nothing is ours any more, and nothing may be stored. */
void assignment_drop(struct consumer *consumer);

/* A partition's position is outside its log: assign everything anew, that one by on_gap. */
void assignment_renew(struct consumer *consumer);

/* Fills in where each partition of an assignment begins; what was not committed is committed by
 * then. -1: the brokers do not say, or EXIT_DATA: [consumer] on_gap. */
int offsets_find(struct consumer *consumer, rd_kafka_topic_partition_list_t *list, struct err *err);

/* Where a partition goes on that is done up to a position, if the log has that and did not refuse
 * what the client asked for (struct part); else the log's start, which is said. Errors as above. */
int offsets_cross_gap(struct consumer *consumer, rd_kafka_topic_partition_t *entry,
                      int64_t position, struct err *err);

/* Commits the offsets of a list and waits for the answer; each partition's refusal is an error. */
int offsets_commit(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list,
                   int timeout_ms, struct err *err);

/* What the client was told to store of these is not committed any more; or only of those whose
 * position the log refused. */
void offsets_forget(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list,
                    bool only_refused);

/* Forgets that the log refused what the client asked of these, which are the ledger's. */
void offsets_accept(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list);

/* Takes those whose topic does not exist, as far as the brokers say within a second each, out of
 * the list; the caller frees them. Whether there are any. */
rd_kafka_topic_partition_list_t *offsets_take_gone(struct consumer *consumer,
                                                   rd_kafka_topic_partition_list_t *list);
bool offsets_is_gone(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list);

#endif
