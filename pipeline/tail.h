/* tail.h: what lies in the topics of a configuration, for people: record by record, with the value
 * as JSON where it is or can become JSON.
 *
 * Reads outside of the group and commits nothing. Events are read by their format: JSON as it is,
 * Avro by its writer's schema; scores and alerts by theirs; of a dead letter the headers matter,
 * its value is whatever could not be scored. All of it is hostile: nothing here trusts a value, and
 * whoever prints must use visible_print.
 */
#ifndef PIPELINE_TAIL_H
#define PIPELINE_TAIL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "consumer/reader.h"
#include "core/config.h"
#include "core/err.h"
#include "core/record.h"

enum tail_topic { TAIL_SCORES, TAIL_DEAD, TAIL_ALERTS, TAIL_EVENTS };

enum { TAIL_MAX_HEADERS = 128, TAIL_MAX_TEXT = 4 << 20 };

/* Borrowed, until the call returns. */
struct tail_item {
    const struct record *record;
    const struct header *headers; /* of a dead letter */
    size_t header_count;
    struct slice json;   /* the value, one JSON text in UTF-8; data NULL: it is none, or null */
    struct slice rest;   /* Avro that is damaged or too long: as far as it could be read */
    const char *trouble; /* why there is no JSON, else NULL */
    bool is_skipped;     /* an event of which no score is made: it, or its root, is null */
};

struct tail_options {
    const struct config *config;
    enum tail_topic topic;
    struct reader_range range;
    const volatile sig_atomic_t *stop; /* not 0: end */
    void *arg;
    bool (*take)(void *arg, const struct tail_item *item); /* false: end */
    bool (*pause)(void *arg); /* nothing more is at hand now: flush. false: end */
};

/* Until the range's end, *stop, or an error. Waits for brokers that are not there, and says so.
 * Errors: missing topic or [alerts] 78, denied 77. */
int tail_run(const struct tail_options *options, struct err *err);

#endif
