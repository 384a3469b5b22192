/* slice.h: bytes that somebody else owns. data NULL means "null" (a Kafka tombstone), which is not
 * the same as empty. */
#ifndef CORE_SLICE_H
#define CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t len;
};

/* A slice over a NUL-terminated text, without the NUL. Borrows. */
static inline struct slice slice_of(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equals(struct slice s, const char *text, size_t len)
{
    return s.len == len && (len == 0 || memcmp(s.data, text, len) == 0);
}

#endif
