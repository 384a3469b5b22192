/* bookmark.h: how far a job outside of any group is, kept in Kafka under a group's name: an offset
 * of a partition, with a text of the job's own.
 *
 * Of two that do the job at once, both would: bookmarks_hold makes it one's alone. Brokers forget
 * bookmarks that lie longer than offsets.retention.minutes (a week) after the last one. Every call
 * waits up to timeout_ms, or a few times that.
 *
 * Owns a librdkafka client. Thread: the owner's.
 */
#ifndef CONSUMER_BOOKMARK_H
#define CONSUMER_BOOKMARK_H

#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"

struct bookmark {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t offset; /* -1: none is there */
    char *text;     /* owned by whoever filled it; NULL: none */
};

struct bookmarks;

/* NULL and EXIT_CONFIGURATION. Opens no connection that it waits for. */
struct bookmarks *bookmarks_new(const struct config *config, const char *group, struct err *err);

/* Before they are read to be written, and again at least every few minutes: as claim_hold. */
int bookmarks_hold(struct bookmarks *bookmarks, const char *topic, int timeout_ms, struct err *err);

/* Fills offset and text of each. Denied 77, no answer = dependency. */
int bookmarks_read(struct bookmarks *bookmarks, struct bookmark *items, size_t count,
                   int timeout_ms, struct err *err);

/* 0: the brokers have them all. Errors as above. */
int bookmarks_write(struct bookmarks *bookmarks, const struct bookmark *items, size_t count,
                    int timeout_ms, struct err *err);

/* bookmarks may be NULL. */
void bookmarks_free(struct bookmarks *bookmarks);

#endif
