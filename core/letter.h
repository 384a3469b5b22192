/* letter.h: what the headers of a dead letter say, whoever wrote it.
 *
 * Five systems are read: kscore and Kafka Connect (the same names), Kafka Streams (KIP-1034), share
 * groups (KIP-1191), Spring for Apache Kafka, SmallRye. A letter that went around may have headers
 * of several: who wrote last says what is wrong with it, and the first origin stays its origin.
 * docs/redrive.md has the names.
 *
 * Headers are hostile: what cannot be read is as if it were not there. Borrows them. Any thread.
 */
#ifndef CORE_LETTER_H
#define CORE_LETTER_H

#include <stdbool.h>

#include "core/record.h"

/* Where a record came from, and that it failed. */
#define LETTER_TOPIC "__connect.errors.topic"
#define LETTER_PARTITION "__connect.errors.partition"
#define LETTER_OFFSET "__connect.errors.offset"
#define LETTER_TIMESTAMP "kscore.timestamp"
#define LETTER_ATTEMPT "kscore.attempt"

enum letter_dialect {
    LETTER_CONNECT, /* the order is that of the table in letter.c */
    LETTER_STREAMS,
    LETTER_SHARE,
    LETTER_SPRING,
    LETTER_SMALLRYE,
    LETTER_KSCORE,
};

struct letter {
    enum letter_dialect dialect; /* who wrote it last */
    struct slice topic;          /* its origin; len 0: it is not told, nor are the next two */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;                                /* of the origin; -1: not told */
    int64_t failed_ms;                                   /* the first time; -1: not told */
    int64_t attempts;                                    /* how often it failed: at least 1 */
    struct slice stage, reason, blame, schema_id, model; /* data NULL: not told */
    bool is_without_value, is_without_key;               /* it was too large to come along */
};

/* The last header of that name; NULL: there is none. */
const struct header *header_find(const struct header *headers, size_t count, const char *name);

/* False: no header of any dialect, it is no dead letter. */
bool letter_read(struct letter *letter, const struct header *headers, size_t count);

#endif
