/* outcomes.h: topics read back, and the account of what became of each record. */
#ifndef TESTS_BROKER_OUTCOMES_H
#define TESTS_BROKER_OUTCOMES_H

#include <stddef.h>

#include "tests/broker/cluster.h"

/* Every message of a topic, partition by partition in the order of offsets; the messages live until
 * it is released. */
struct dump {
    rd_kafka_t *client;
    rd_kafka_message_t **items;
    size_t count, cap;
};

/* What committed readers see of a topic, from its start to its present end. */
void dump_load(struct dump *dump, struct cluster *cluster, const char *topic);
void dump_release(struct dump *dump);

/* Text of a message's header in a buffer of its own per call (4 of them), NULL without one. */
const char *dump_header(const rd_kafka_message_t *message, const char *name);

/* Where an outcome comes from: fields of a score, headers of a dead letter. */
struct origin {
    int32_t partition;
    int64_t offset;
    char id[300]; /* "" for a dead letter */
};

void origin_of_score(struct origin *origin, const rd_kafka_message_t *message);
void origin_of_dead(struct origin *origin, const rd_kafka_message_t *message);

/* Which records must have outcomes, and which may have several. NULL: all, and none. */
struct account {
    const int64_t *from;  /* by partition: records below have no outcome */
    const int64_t *floor; /* by partition: records at or past it may have several, with equal ids;
                             exactly once: none has */
};

/* Reads everything, and fails unless each record of the input with a value has its outcome in
 * scores or dead letters, and nothing else has one. Returns the number of outcomes beyond one each.
 */
size_t expect_outcomes(struct cluster *cluster, const struct account *account);

#endif
