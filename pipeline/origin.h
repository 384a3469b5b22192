/* origin.h: one record by its place, read from its topic and copied: for explain, and for a redrive
 * of a letter that came without its value.
 *
 * A client for each call: for what a person asks, or what is rare. Thread: the caller's.
 */
#ifndef PIPELINE_ORIGIN_H
#define PIPELINE_ORIGIN_H

#include "pipeline/explain.h"

struct origin {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/* 1: the record is in *out, to be released; 0: there is none at that offset; -1: no answer =
 * dependency; missing topic or partition 78, denied 77. */
int origin_read(const struct config *config, struct origin place, struct explain_record *out,
                int timeout_ms, struct err *err);
void explain_record_release(struct explain_record *record);

/* New bytes; data NULL stays so. */
struct slice origin_copy(struct slice slice);
/* The same bytes, or neither has any: data NULL. */
bool origin_is_equal(struct slice a, struct slice b);

#endif
