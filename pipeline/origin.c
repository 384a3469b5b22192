#include "pipeline/origin.h"

#include <stdlib.h>
#include <string.h>

#include "consumer/reader.h"
#include "core/clock.h"
#include "core/mem.h"

enum { POLL_MS = 100, MAX_HEADERS = 1000 };

/* ---- copies */

struct slice origin_copy(struct slice s)
{
    if (s.data)
        s.data = (const uint8_t *)mem_copy_text((const char *)s.data, s.len);
    return s;
}

static void copy_record(struct explain_record *out, const struct record *r)
{
    struct header *headers = mem_alloc(MAX_HEADERS, sizeof *headers);
    size_t count = reader_headers(r, headers, MAX_HEADERS);

    *out = (struct explain_record){.topic = mem_copy_text(r->topic, strlen(r->topic)),
                                   .partition = r->partition,
                                   .offset = r->offset,
                                   .timestamp_ms = r->timestamp_ms,
                                   .key = origin_copy(r->key),
                                   .value = origin_copy(r->value)};
    if (count == SIZE_MAX) /* librdkafka cannot read them */
        count = 0;
    out->header_count = count < MAX_HEADERS ? count : MAX_HEADERS;
    out->headers = headers;
    for (size_t i = 0; i < out->header_count; i++) {
        headers[i].name = mem_copy_text(headers[i].name, strlen(headers[i].name));
        headers[i].value = origin_copy(headers[i].value);
    }
}

void explain_record_release(struct explain_record *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        free((char *)r->headers[i].name);
        free((uint8_t *)r->headers[i].value.data);
    }
    free(r->headers);
    free(r->topic);
    free((uint8_t *)r->key.data);
    free((uint8_t *)r->value.data);
    *r = (struct explain_record){0};
}

bool origin_is_equal(struct slice a, struct slice b)
{
    if (!a.data || !b.data)
        return !a.data == !b.data;
    return slice_equals(a, (const char *)b.data, b.len);
}

/* ---- from a topic */

/* The first record that the reader has. 1: it is the one at that offset, and in *out; 0: there is
 * none; -1: err. */
static int take_first(struct reader *reader, int64_t offset, struct explain_record *out,
                      int timeout_ms, struct err *err)
{
    int64_t until_ms = clock_ms() + timeout_ms;
    struct record record;

    while (!reader_is_done(reader) && clock_ms() < until_ms) {
        ssize_t got = reader_poll(reader, &record, 1, POLL_MS, err);
        bool is_it = got == 1 && record.offset == offset;
        if (is_it)
            copy_record(out, &record);
        if (got > 0)
            reader_release(&record, 1);
        if (got != 0)
            return got < 0 ? -1 : is_it;
    }
    return reader_is_done(reader) ? 0 : err_dependency(err, "no answer within %d ms", timeout_ms);
}

/* From the offset to the end of the log, which may come before it, and what comes first may come
 * behind it. */
int origin_read(const struct config *c, struct origin place, struct explain_record *out,
                int timeout_ms, struct err *err)
{
    const struct reader_range range = {
        place.partition, {PLACE_OFFSET, place.offset}, {PLACE_END, 0}, 1};
    struct reader *reader = reader_new(c, err);
    int result = -1;

    if (reader && reader_open(reader, &place.topic, 1, &range, timeout_ms, err) == 0)
        result = take_first(reader, place.offset, out, timeout_ms, err);
    reader_free(reader);
    return result < 0 ? err_prefix(err, "%s[%d]@%lld", place.topic, place.partition,
                                   (long long)place.offset)
                      : result;
}
