/* claim.h: of a job that only one process at a time may do: who does it, by a group in Kafka.
 *
 *   look    the group has a member: another process is at work, or died less than a session ago
 *   join    now others see us when they look
 *   look    nobody else came in between: it is ours
 *
 * Whoever is not alone after joining leaves again, so that of several that start at the same moment
 * at most one goes on. Brokers take commits from the members of a group only: who has lost its
 * membership (it slept, or was cut off for a session, 10 s) cannot commit any more, and has to look
 * whether another one was at work meanwhile.
 *
 * Nothing is read: the partitions that the group gives are paused. A part of whoever owns the
 * client, and of its thread.
 */
#ifndef CONSUMER_CLAIM_H
#define CONSUMER_CLAIM_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"

struct claim {
    rd_kafka_t *client;
    const char *group;   /* borrowed */
    int64_t patience_ms; /* another one is waited for until then: it may be dead. 0: not yet met */
    bool has_joined, is_member, is_held;
    bool is_denied; /* the group */
};

/* What the client needs beside its group.id, and a rebalance callback that calls claim_rebalance.
 * Its client.id, by which others are told who is at work, gets this host and process. */
void claim_configure(rd_kafka_conf_t *conf, const struct config *config);

/* From the client's rebalance callback. */
void claim_rebalance(struct claim *claim, rd_kafka_resp_err_t code,
                     rd_kafka_topic_partition_list_t *partitions);

/* Runs the client's callbacks, hears whether the group is denied. */
void claim_serve(struct claim *claim, int timeout_ms);

/* 0: held, as before; 1: held anew; call it at least every few minutes. -1 EXIT_AGAIN: another one
 * is at work, and err names it; denied 77; dependency: not yet, or not any more: call again. topic:
 * one that is there, which one says nothing. Waits a few times timeout_ms where it is not held. */
int claim_hold(struct claim *claim, const char *topic, int timeout_ms, struct err *err);

/* Leaves the group, so that nobody waits for a session that is over. False: no answer in time, and
 * a thread is at it yet. */
bool claim_leave(struct claim *claim, int timeout_ms);

#endif
