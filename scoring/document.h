/* document.h: one way to walk a model file, whether its text is JSON or UBJSON.
 *
 * A pull reader as core/json.h: the first failure sticks, afterwards every call says "no more".
 * Lists of numbers are read whole into arrays that grow with what is really there: a count that the
 * file only claims allocates nothing.
 *
 * Borrows the bytes. Thread: the loader's.
 */
#ifndef SCORING_DOCUMENT_H
#define SCORING_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"

enum { DOCUMENT_DEPTH = 32 };

struct document {
    bool is_binary;
    struct json json; /* JSON; also says where for both */
    bool has_failed;
    /* UBJSON: open containers. left: items of a counted one, -1 = until the end marker; type: of
     * typed arrays, 0 = each item has its own marker. */
    struct {
        int64_t left;
        char type;
    } levels[DOCUMENT_DEPTH];
    unsigned depth;
};

enum document_type {
    DOCUMENT_NONE,
    DOCUMENT_NULL,
    DOCUMENT_NUMBER,
    DOCUMENT_STRING,
    DOCUMENT_ARRAY,
    DOCUMENT_OBJECT
};

struct floats {
    float *items;
    size_t count, cap;
};

struct int32s {
    int32_t *items;
    size_t count, cap;
};

struct ints {
    int64_t *items;
    size_t count, cap;
};

void document_init(struct document *d, const char *data, size_t len);

/* Type of the next value; true and false count as numbers 1 and 0. */
enum document_type document_peek(struct document *d);

bool document_object(struct document *d);
bool document_key(struct document *d, struct json_text *key);
bool document_array(struct document *d);
bool document_item(struct document *d);

bool document_string(struct document *d, struct json_text *text);
bool document_int(struct document *d, int64_t *value); /* a whole number between +-2^53 */
bool document_float(struct document *d, float *value);

/* Takes any value. Of a JSON list of numbers only that each byte could be of a number is looked at:
 * half of a model are lists that nobody asks for. */
bool document_skip(struct document *d);

/* A whole array; the lists are appended to, free() their items. */
bool document_floats(struct document *d, struct floats *list);
bool document_int32s(struct document *d, struct int32s *list); /* all between +-2^31 */
bool document_ints(struct document *d, struct ints *list);

bool document_fail(struct document *d);
bool document_end(struct document *d);

/* Byte where reading stands, and how many there are behind. */
size_t document_at(const struct document *d);
size_t document_left(const struct document *d);

#endif
