/* consumer.h: the group member: records in, assignments into the ledger, finished offsets out.
 *
 * Everything happens inside consumer_poll, on the caller's thread: records, rebalances, errors.
 * What a rebalance must do with work in flight is the pipeline's to decide, so it hands in two
 * hooks. The rule of commit and rebalance: consumer/README.md.
 *
 * Owns the librdkafka consumer, borrows configuration and ledger. Thread: the worker's.
 */
#ifndef CONSUMER_CONSUMER_H
#define CONSUMER_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "consumer/ledger.h"
#include "core/config.h"
#include "core/err.h"
#include "core/record.h"

struct consumer;

struct consumer_hooks {
    void *arg;
    /* The partitions are about to go: finish what is in flight within a bound, return the rest to
     * the ledger. is_lost: they are gone already, nothing may be stored. Runs inside consumer_poll
     * and consumer_close. False: something is still in flight, which may be committed yet. */
    bool (*revoking)(void *arg, bool is_lost);
    /* New partitions are in the ledger. */
    void (*assigned)(void *arg);
};

/* NULL and EXIT_CONFIGURATION. Opens no connection that it waits for. With [kscore] instance it is
 * a static member, group.instance.id = instance-worker. */
struct consumer *consumer_new(const struct config *config, unsigned worker, struct ledger *ledger,
                              const struct consumer_hooks *hooks, struct err *err);

/* Input topics exist and may be read. Waits up to timeout_ms. Missing 78, denied 77, no answer =
 * dependency. */
int consumer_check(struct consumer *consumer, int timeout_ms, struct err *err);

/* Joins the group. */
int consumer_subscribe(struct consumer *consumer, struct err *err);

/* Takes up to cap records; waits up to timeout_ms while there are fewer. Each record's part is its
 * index in the ledger, LEDGER_NO_PART when it is none of ours. The caller releases them. Returns
 * how many; -1 with ERR_FATAL (75 fenced by another instance, 65 on_gap = stop, 77 denied before
 * the first assignment). */
ssize_t consumer_poll(struct consumer *consumer, struct record *records, size_t cap, int timeout_ms,
                      struct err *err);

/* Gives the messages behind the records back; a record is released once. */
void consumer_release(const struct record *records, size_t count);

/* The record's headers, at most cap; they live as long as the record. Costs more than scoring: only
 * when something needs them. Returns how many there are in all, or -1 when librdkafka cannot read
 * them (damaged, or more than its 100,000). */
ssize_t consumer_headers(const struct record *record, struct header *headers, size_t cap);

/* Makes the client's pauses those of the ledger: a partition is paused when it is parked, or all
 * are. What resumes is sought to its position first, so that nothing rests on what the client had
 * prefetched. */
void consumer_steer(struct consumer *consumer, bool pause_all);

/* Hands every partition's done offset to the client, which commits it within commit_ms. */
void consumer_store(struct consumer *consumer);

/* Who we are in the group, for a transaction's offsets: bytes that producer/ hands to librdkafka.
 * The caller frees them; data NULL when we are no member. */
struct slice consumer_member(struct consumer *consumer);

/* Only the group knows what is committed: with the next poll each partition is given up and taken
 * over anew, from where the group says. */
void consumer_ask(struct consumer *consumer);

/* A partition that is owned and not parked has records that were not handed out yet, as far as its
 * last fetch told, or was not fetched at all. Asks nobody. */
bool consumer_has_more(const struct consumer *consumer);

/* Partitions are ours in the group's eyes, but where to begin in them is still asked for. */
bool consumer_is_asking(const struct consumer *consumer);

/* The broker whose quota holds us up, as kafka_throttle_broker. */
const char *consumer_throttler(const struct consumer *consumer);

/* Number of commits that the broker acknowledged so far. */
uint64_t consumer_commit_count(const struct consumer *consumer);

/* Commits, leaves, and frees within timeout_ms and 1 s for the client's own end. consumer may be
 * NULL. 0, or -1 when the last offsets could not be committed in time (EXIT_AGAIN). */
int consumer_close(struct consumer *consumer, int timeout_ms, struct err *err);

/* Frees without committing and without leaving: nothing that the ledger says can be relied on. */
void consumer_abandon(struct consumer *consumer);

#endif
