/* events.h: features and events for tests of decoding. */
#ifndef TESTS_EVENTS_H
#define TESTS_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/feature.h"
#include "core/outcome.h"
#include "core/slice.h"

/* Features from lines "name = path : type, policy", tables below folder (NULL: none). Fails the
 * test when one is wrong. */
struct features events_features(const char *folder, const char *const *lines, size_t count);
#define EVENTS_FEATURES(folder, ...)                                                               \
    events_features(folder, (const char *const[]){__VA_ARGS__},                                    \
                    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* The [features] of a bundle's model.ini. */
struct features events_bundle_features(const char *folder);

/* Avro's binary encoding, appended to a buffer that grows. */
struct event {
    uint8_t *data;
    size_t len, cap;
};

void event_bytes(struct event *e, const void *data, size_t len);
void event_long(struct event *e, int64_t value);
void event_double(struct event *e, double value);
void event_float(struct event *e, float value);
void event_text(struct event *e, const char *text);

/* 0x00 and the id. */
void event_frame(struct event *e, uint32_t schema_id);
void event_release(struct event *e);

static inline struct slice event_slice(const struct event *e)
{
    return (struct slice){e->data, e->len};
}

/* A copy of exactly len bytes, so that the sanitizer sees a read beyond. free() it. */
uint8_t *events_exact(const void *data, size_t len);

/* "scored", "decode/truncated", "bind/wrong_type 3" (with the feature): static buffer. */
const char *events_outcome(struct outcome outcome);

#endif
