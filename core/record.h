/* record.h: one consumed Kafka record, as plain data that every room understands.
 *
 * Everything borrows from the librdkafka message behind it, which lives until the batch that holds
 * the record is released. Thread: the worker's.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <stdint.h>

#include "core/slice.h"

struct record {
    struct slice key;     /* data NULL: no key */
    struct slice value;   /* data NULL: null value (tombstone) */
    int64_t offset;       /* in its partition */
    int64_t timestamp_ms; /* since 1970 UTC, of the record; -1 when it has none */
    uint32_t part;        /* which partition: index into the ledger's table */
    int32_t partition;    /* its number in Kafka */
    const char *topic;    /* NUL-terminated, lives as long as the ledger */
    void *message;        /* consumer/'s own: the librdkafka message, for headers on demand */
};

/* Where reading goes on in a partition. */
struct offset {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/* An event that says no time of its own. */
#define EVENT_TIME_NONE INT64_MIN

struct header {
    const char *name;
    struct slice value; /* data NULL: null header value */
};

#endif
