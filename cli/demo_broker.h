/* demo_broker.h: the demo's Kafka: librdkafka's mock cluster in this process, three topics, a
 * producer of events, and a reader that checks what came out.
 *
 * The one place in cli/ that works with librdkafka. Owns its client, and with it the cluster.
 * Thread: whoever owns it.
 */
#ifndef CLI_DEMO_BROKER_H
#define CLI_DEMO_BROKER_H

#include <stddef.h>
#include <stdint.h>

#include "cli/payments.h"
#include "core/err.h"

enum { DEMO_PARTITIONS = 4, DEMO_DECISIONS = 3, DEMO_FIELD_MAX = 200 };

struct demo_broker;

/* Makes topics payments, scores and payments-dead. NULL: EXIT_INTERNAL, what librdkafka said. */
struct demo_broker *demo_broker_new(struct err *err);
void demo_broker_free(struct demo_broker *broker);

/* "127.0.0.1:PORT", borrowed. */
const char *demo_broker_bootstrap(const struct demo_broker *broker);

/* Sends one payment, keyed by its card; is_new: made by the deploy that breaks. Waits when the
 * queue is full. */
void demo_broker_send(struct demo_broker *broker, const struct payment *payment, bool is_new);

/* Waits until all is acknowledged: 0, or -1 (EXIT_UNAVAILABLE). */
int demo_broker_flush(struct demo_broker *broker, struct err *err);

/* The first offset in partition that came from the new deploy, -1 when there is none. */
int64_t demo_broker_deploy(const struct demo_broker *broker, int32_t partition);

/* What a reader of the output topics found. */
struct demo_outcomes {
    uint64_t scored, dead, dead_before; /* before the deploy */
    uint64_t missing, twice;            /* events without an outcome, with more than one */
    uint64_t decisions[DEMO_DECISIONS];
    bool has_one_digest; /* all scores name the same model */
    char digest[DEMO_FIELD_MAX];
    /* The first dead letter of partition and offset, as it lies in its topic. */
    char value[PAYMENT_MAX], stage[DEMO_FIELD_MAX], reason[DEMO_FIELD_MAX], message[DEMO_FIELD_MAX];
};

/* Reads the whole of both output topics and holds each outcome against the events sent; decisions
 * are counted by their names. The letter about topic-partition-offset is copied out. */
int demo_broker_check(struct demo_broker *broker, const char *const decisions[DEMO_DECISIONS],
                      int32_t partition, int64_t offset, struct demo_outcomes *outcomes,
                      struct err *err);

#endif
