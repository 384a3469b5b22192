/* journal_topic.h: [journal] topic: records that alerting consumers read, by a producer of its own.
 *
 * Sending copies and never waits; what the brokers did not take is reported, and is the sender's to
 * send again: at least once. Its queue is small, so that what is newest is still the sender's while
 * the brokers are away.
 *
 * Owns the librdkafka producer, borrows the configuration. Thread: one at a time.
 */
#ifndef PRODUCER_JOURNAL_TOPIC_H
#define PRODUCER_JOURNAL_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"

struct journal_topic;

/* Once per record that was taken, in journal_topic_poll or already in journal_topic_send. why: NULL
 * when the brokers have it, else what is wrong. */
typedef void journal_topic_report(void *arg, uint64_t tag, const char *why);

/* NULL and EXIT_CONFIGURATION. Waits for nothing. */
struct journal_topic *journal_topic_new(const struct config *config, journal_topic_report *report,
                                        void *arg, struct err *err);

/* Reports what is left within timeout_ms; what is not is lost. topic may be NULL. */
void journal_topic_free(struct journal_topic *topic, int timeout_ms);

struct journal_record {
    const char *key, *value; /* NUL-terminated; a key's newest record is its last in a partition */
    int64_t at_ms;           /* since 1970 UTC */
    uint64_t tag;            /* the report's */
};

/* False: not now, the queue is full. */
bool journal_topic_send(struct journal_topic *topic, const struct journal_record *record);

void journal_topic_poll(struct journal_topic *topic, int timeout_ms);

#endif
