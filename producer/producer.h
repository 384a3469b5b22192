/* producer.h: scores, alerts and dead letters out, delivery reports back.
 *
 * Sending copies and never waits: "full" is an answer, the pipeline's loop waits. Every record that
 * was taken is reported exactly once, inside producer_poll or producer_flush, with the tag it was
 * sent with.
 *
 * Owns the librdkafka producer, borrows the configuration. Thread: the worker's.
 */
#ifndef PRODUCER_PRODUCER_H
#define PRODUCER_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/kafka_topic.h"
#include "core/outcome.h"
#include "core/record.h"
#include "producer/score.h"

/* The topics that are written. Those of a configuration come first: alerts may be missing. */
enum output { OUTPUT_SCORES, OUTPUT_DEAD, OUTPUT_ALERTS, OUTPUT_COUNT };

/* Their names, borrowed; returns how many there are. */
static inline size_t producer_topics(const struct config *config, const char *topics[OUTPUT_COUNT])
{
    topics[OUTPUT_SCORES] = config->score_topic;
    topics[OUTPUT_DEAD] = config->dead_topic;
    topics[OUTPUT_ALERTS] = config->alert_topic;
    return *config->alert_topic ? OUTPUT_COUNT : OUTPUT_ALERTS;
}

/* What the output topics are like; read before the producer is made, for its batches must stay
 * below the limits: a broker refuses a batch as a whole. */
struct producer_limits {
    int32_t dead_partitions;
    int64_t bytes[OUTPUT_COUNT]; /* max.message.bytes, 0 = unknown */
};

enum delivery {
    DELIVERY_OK,
    DELIVERY_TOO_LARGE, /* the broker refuses a record for its size */
    DELIVERY_REFUSED,   /* the broker refuses a record itself */
    DELIVERY_FAILED,    /* something is not there: try again */
    DELIVERY_DROPPED,   /* by producer_drop, or with its transaction */
};

/* Called once per record. tag: as sent. text: topic and librdkafka's words, for a failure. */
typedef void producer_report(void *arg, void *tag, enum delivery delivery, const char *text);

enum sent {
    SENT_OK,
    SENT_FULL,      /* librdkafka's queue is full: poll and send again */
    SENT_TOO_LARGE, /* passes the topic's limit: it was not taken */
    SENT_FAILED,    /* err says why; the dependency is not there */
    SENT_LOST,      /* its transaction has failed: it must be aborted */
    SENT_HELD,      /* by a sink (pipeline/sink.h): no report comes */
};

/* A topic that is written to, and what was found of it. */
struct producer_topic {
    const char *section, *name; /* "[producer]", "scores" */
    struct kafka_topic topic;   /* all zero where err is set */
    int64_t max_bytes;          /* max.message.bytes, 0 = unknown */
    bool is_proven; /* that it may be written; false without err: it could not be tried */
    struct err err; /* missing 78, denied 77 */
};

/* [journal] topic is written by others (journal_topic.h), and proven with these. */
enum { PROVEN_COUNT = OUTPUT_COUNT + 1 };

/* Those of producer_topics and [journal]'s, and whether each is there and may be written. That is
 * proven by a record that the broker must refuse for its size after its permission check. Returns
 * how many; 0 with err: no answer, or EXIT_CONFIGURATION. Waits up to a few times timeout_ms. */
size_t producer_prove(const struct config *config, struct producer_topic topics[PROVEN_COUNT],
                      int timeout_ms, struct err *err);

/* Those of producer_topics are there and may be written; *is_proven: the latter could be tried.
 * Missing 78, denied 77, no answer = dependency. */
int producer_check(const struct config *config, int timeout_ms, struct producer_limits *limits,
                   bool *is_proven, struct err *err);

/* Room for `group-instance-worker`. */
enum { TRANSACTIONAL_ID_MAX = 600 };

/* delivery = exactly_once: our transactional ids may be used. Tried with `group-instance-check`,
 * which the brokers refuse after their permission check: nobody is fenced, nothing is kept. Denied
 * 77, no answer = dependency. Waits up to 2 timeout_ms. */
int producer_prove_transactions(const struct config *config, int timeout_ms, struct err *err);

struct producer;

/* Borrowed for as long as the producer lives; the provenance's texts, too. */
struct producer_options {
    const struct config *config;
    struct producer_limits limits;
    struct provenance provenance;
    int32_t score_schema_id; /* Avro */
    producer_report *report;
    void *arg;
};

/* NULL and EXIT_CONFIGURATION. With delivery = exactly_once see producer/transaction.h, too. */
struct producer *producer_new(const struct producer_options *options, struct err *err);

/* From now on scores carry this provenance and (Avro) this schema id. */
void producer_set_provenance(struct producer *producer, const struct provenance *provenance,
                             int32_t schema_id);

/* TOO_LARGE for an alert, too, where only the topic of the alerts has no room for it: nothing was
 * sent then. */
enum sent producer_send_score(struct producer *producer, const struct record *record,
                              const struct score *score, void *tag, struct err *err);

/* The score that was sent last, again as it is, to the topic of the alerts: it is encoded once. May
 * be tried again while it is FULL; never TOO_LARGE. */
enum sent producer_send_alert(struct producer *producer, const struct record *record,
                              const struct score *score, void *tag, struct err *err);

/* A dead letter: what is wrong, and how much of the original may go along. */
struct dead_letter {
    enum fault fault;
    const char *message;          /* for people, one line, no values */
    int64_t schema_id;            /* SCHEMA_ID_NONE when there is none */
    const struct header *headers; /* the original's, untouched */
    size_t header_count;
    bool has_lost_headers; /* they could not be read */
    bool is_refused;       /* the broker refused it before: timestamp now */
    bool is_minimal;       /* and that one too: coordinates and error headers only */
    int64_t attempts;      /* before this one; 0: the headers say it */
};

enum sent producer_send_dead(struct producer *producer, const struct record *record,
                             const struct dead_letter *letter, void *tag, struct err *err);

/* A record that goes back to its topic: in which partition (-1: the key chooses), with which
 * headers. */
struct returned {
    int32_t partition;
    const struct header *headers;
    size_t header_count;
};

/* The record's topic, key, value and time. TOO_LARGE: for the client, whatever the topic's limit.
 */
enum sent producer_send_back(struct producer *producer, const struct record *record,
                             const struct returned *returned, void *tag, struct err *err);

/* Serves reports; waits up to timeout_ms for the first. Returns how many. Here and in the two that
 * follow producer may be NULL: nothing is ever in flight. */
int producer_poll(struct producer *producer, int timeout_ms);

/* Sends at once what lingers; waits up to timeout_ms (at least 1). True when nothing is in flight.
 */
bool producer_flush(struct producer *producer, int timeout_ms);

/* Records taken and not yet reported. */
size_t producer_in_flight(const struct producer *producer);

/* The broker whose quota holds us up, as kafka_throttle_broker. */
const char *producer_throttler(const struct producer *producer);

/* While something is wrong: looks at the output topics again, at most once in 5 s, up to 2 s; why
 * is then set (dependency) to what keeps us from writing, as far as it shows. Replaces a client
 * that librdkafka has given up, once nothing is in flight. */
void producer_refresh(struct producer *producer, struct err *why);

/* After a refusal for size: reads the topics' limits again, up to 2 s. True when one was lowered:
 * there is a new client whose batches stay below it. Nothing may be in flight. */
bool producer_shrink(struct producer *producer);

/* Whatever is in flight is reported as DROPPED, soon. */
void producer_drop(struct producer *producer);

/* Replaces the client; nothing may be in flight. why: for the log. */
void producer_renew(struct producer *producer, const char *why);

/* Drops what is in flight (its reports never come) and frees. producer may be NULL. */
void producer_close(struct producer *producer);

#endif
