/* reader.h: reads topics from a place to a place, or for ever, outside of any group.
 *
 * Nothing is committed and nobody is told: partitions are read by their numbers, from offsets that
 * are found when it opens. What has an end ends there, whatever is written meanwhile; the last
 * stable offset counts, as for the consumer. Partitions that are added later are not seen.
 *
 *   reader_new   the client; waits for nothing
 *   reader_open  which partitions there are, where each begins and ends; may be tried again
 *   reader_add   instead, or beside: a partition whose window is known
 *   reader_poll  records, until reader_is_done
 *
 * A place outside of the log, at the start or later (retention is faster than we are), is a gap:
 * said in the log with its size, and reading goes on at the log's edge. What has an end is waited
 * for as long as it is there: a topic that is deleted meanwhile ends the reading.
 *
 * Owns the librdkafka consumer, borrows the configuration. Thread: the owner's.
 */
#ifndef CONSUMER_READER_H
#define CONSUMER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/config.h"
#include "core/err.h"
#include "core/record.h"

enum reader_place_kind {
    PLACE_START, /* of the log */
    PLACE_END,   /* of the log when it is opened, less the last `at` records (as an end: offsets) */
    PLACE_OFFSET, /* at */
    PLACE_SHARE,  /* END less `at` offsets of a topic, as many of each of its partitions */
    PLACE_TIME,   /* the first record of that time or later; at: ms since 1970 */
    PLACE_NEVER,  /* as an end: goes on for ever */
};

struct reader_place {
    enum reader_place_kind kind;
    int64_t at;
};

struct reader_range {
    int32_t partition;            /* only this one, of each topic; -1: all */
    struct reader_place from, to; /* the record at `to` is not read; no later than the log's end */
    int64_t count;                /* at most that many of each partition; 0: all */
};

struct reader;

/* NULL and EXIT_CONFIGURATION. Opens no connection that it waits for. */
struct reader *reader_new(const struct config *config, struct err *err);

/* Finds the partitions of the topics, whose names must outlive the reader, and starts. Each
 * question waits up to timeout_ms. Missing topic or partition 78, denied 77, no answer =
 * dependency: call it again. */
int reader_open(struct reader *reader, const char *const *topics, size_t topic_count,
                const struct reader_range *range, int timeout_ms, struct err *err);

/* The same without starting: reader_window says what was found. */
int reader_find(struct reader *reader, const char *const *topics, size_t topic_count,
                const struct reader_range *range, int timeout_ms, struct err *err);

/* How many partitions a topic has. Errors as reader_open. */
int reader_partitions(struct reader *reader, const char *topic, int timeout_ms, int32_t *count,
                      struct err *err);

/* What is read of one partition, from <= offset < to. */
struct window {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t from, to;
};

/* How many partitions are read, and what is left to read of each. `to` is that of the opening, less
 * where the log was cut short meanwhile. */
size_t reader_window_count(const struct reader *reader);
struct window reader_window(const struct reader *reader, size_t part);

/* One partition more, from offsets that are known: nobody is asked. The topic's name must outlive
 * the reader. Its records' part is the number of partitions before. */
int reader_add(struct reader *reader, const struct window *window, struct err *err);

/* Fetches nothing more of a partition; or goes on there, from an offset within its window. What was
 * fetched before is forgotten. */
void reader_stop(struct reader *reader, size_t part);
void reader_seek(struct reader *reader, size_t part, int64_t offset);

/* How many offsets were gone when they were to be read: the gaps, those at the start included. */
int64_t reader_lost(const struct reader *reader);

/* The partition was read up to its end since it was sought last. */
bool reader_is_past(const struct reader *reader, size_t part);

/* As consumer_poll and consumer_release; record.part numbers the partitions that are read. -1:
 * EXIT_DENIED before the first record, EXIT_CONFIGURATION when a topic with an end was deleted;
 * other troubles are said in the log and waited for. */
ssize_t reader_poll(struct reader *reader, struct record *records, size_t cap, int timeout_ms,
                    struct err *err);
void reader_release(const struct record *records, size_t count);

/* As consumer_headers. */
size_t reader_headers(const struct record *record, struct header *headers, size_t cap);

/* Every partition is read to its end. */
bool reader_is_done(const struct reader *reader);

/* Frees, within a few seconds even when the brokers hang. reader may be NULL. */
void reader_free(struct reader *reader);

#endif
