/* transaction.h: the producer's transactions (delivery = exactly_once).
 *
 *   init, then again and again: begin, (producer_send_...), offsets, commit
 *                                                            or abort
 *
 * Each call waits for a slice of time at most, and is called again when it says AGAIN. One that
 * says ABORT: the transaction is lost, abort it. DEAD: librdkafka gave the client up, only
 * producer_renew helps; FENCED: so it did, for somebody else has the transactional.id, or the
 * transaction was older than KAFKA_TRANSACTION_MS (librdkafka says no difference). What librdkafka
 * 2.0.2 says when: docs/delivery.md.
 *
 * Thread: the worker's.
 */
#ifndef PRODUCER_TRANSACTION_H
#define PRODUCER_TRANSACTION_H

#include "core/record.h"
#include "producer/producer.h"

enum transacted { TRANSACTED, TRANSACT_AGAIN, TRANSACT_ABORT, TRANSACT_FENCED, TRANSACT_DEAD };

/* All fill err but for TRANSACTED: ERR_DEPENDENCY, or EXIT_DENIED where permission for the
 * transactional.id is missing. */

/* Ends what an earlier client of this id left open, and fences that. */
enum transacted producer_init_transactions(struct producer *producer, int timeout_ms,
                                           struct err *err);

/* init was done for the client there is. */
bool producer_can_begin(const struct producer *producer);

/* Waits for nothing. */
enum transacted producer_begin(struct producer *producer, struct err *err);

/* The group's offsets are on their way into the transaction; waits for nothing. member:
 * consumer_member's. Until producer_await_offsets has said what became of it no other call may be
 * made here but that of an abort. */
void producer_send_offsets(struct producer *producer, const struct offset *offsets, size_t count,
                           struct slice member);
bool producer_is_sending_offsets(const struct producer *producer);

/* AGAIN: it is under way still, or has ended and is to be sent once more. */
enum transacted producer_await_offsets(struct producer *producer, int timeout_ms, struct err *err);

/* Nothing may be in flight. */
enum transacted producer_commit(struct producer *producer, int timeout_ms, struct err *err);

/* What is in flight is reported as DROPPED. Waits for offsets that are on their way, first. */
enum transacted producer_abort(struct producer *producer, int timeout_ms, struct err *err);

/* What was aborted may be with the brokers although there was no answer: producer_renew, before the
 * next one begins. librdkafka (2.0.2 to 2.16) numbers its records as if these had not been sent
 * (rd_kafka_toppar_purge_queues), and brokers acknowledge a batch that has number and size of one
 * that they know, and do not write it: it would be lost. */
bool producer_is_in_doubt(const struct producer *producer);

#endif
