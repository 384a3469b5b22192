/* dead_letter.h: the headers of a dead letter, and what is dropped when it is too large.
 *
 * Names are Kafka Connect's where it has one, so that existing viewers and tools read them; all
 * values are text. docs/dead-letters.md lists them.
 */
#ifndef PRODUCER_DEAD_LETTER_H
#define PRODUCER_DEAD_LETTER_H

#include <librdkafka/rdkafka.h>

#include "core/config.h"
#include "core/record.h"
#include "producer/producer.h"

/* What the batch header (61 bytes) and the record's varints may add to key, value and headers. */
enum { RECORD_OVERHEAD = 100 };

/* What goes into rd_kafka_producev: slices borrow the record, headers are owned. */
struct dead_parts {
    struct slice key, value;
    rd_kafka_headers_t *headers;
    int64_t timestamp_ms;
};

/* Builds the parts; with limit_bytes > 0 the value, then the original headers, then the key are
 * dropped until it fits. What does not go along is named in kscore.dropped. A record that was a
 * dead letter before keeps its first origin. The caller destroys parts->headers, or hands them on.
 */
void dead_letter_build(struct dead_parts *parts, const struct config *config,
                       const struct provenance *provenance, const struct record *record,
                       const struct dead_letter *letter, int64_t limit_bytes);

#endif
