/* carried.h: what an event says at a path that is carried into its score: plain data, from the
 * decoder to the encoder of scores.
 *
 * Nothing is copied or printed while an event is decoded: a text stays where it lies in the event's
 * value (a symbol of an enum in its schema's plan) and is borrowed from there.
 */
#ifndef CORE_CARRIED_H
#define CORE_CARRIED_H

#include <stddef.h>
#include <stdint.h>

enum carried_kind {
    CARRIED_NOTHING, /* absent, null, or no scalar: left out of the score */
    CARRIED_TEXT,    /* bytes, UTF-8 or not */
    CARRIED_ESCAPED, /* a JSON string with escapes */
    CARRIED_INTEGER,
    CARRIED_FLOAT,
    CARRIED_DOUBLE,
};

struct carried {
    uint32_t kind, len; /* len: of text */
    union {
        const char *text;
        int64_t integer;
        double number; /* FLOAT too */
    };
};

/* Room that carried_print needs. */
size_t carried_max(const struct carried *carried);

/* As well-formed UTF-8: numbers as the shortest text that reads back (NaN, Infinity, -Infinity),
 * U+FFFD for what is no UTF-8. Returns the length; no NUL. kind is not NOTHING. */
size_t carried_print(const struct carried *carried, char *out);

#endif
