/* onnx_wire.h: protocol buffers on the wire, as far as ONNX files need it.
 *
 * A message is a sequence of fields: a number, a kind, a value. Bounds are checked here and nowhere
 * else; nothing is allocated but what is there; the first failure sticks and ends every loop. What
 * repeated numbers look like, packed into one field or each in its own, is the writer's choice, and
 * may be mixed.
 *
 * Format: protobuf.dev/programming-guides/encoding. Borrows the bytes. Thread: the reader's.
 */
#ifndef SCORING_ONNX_WIRE_H
#define SCORING_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

enum wire_kind { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire {
    const uint8_t *at, *end;
    bool has_failed;
};

struct wire_field {
    uint64_t number;
    enum wire_kind kind;
    uint64_t value;     /* of all kinds but WIRE_BYTES */
    struct slice bytes; /* of WIRE_BYTES */
};

/* Lists that grow; free() their items. */
struct wire_floats {
    float *items;
    size_t count, cap;
};

struct wire_doubles {
    double *items;
    size_t count, cap;
};

struct wire_ints {
    int32_t *items;
    size_t count, cap;
};

void wire_init(struct wire *wire, struct slice message);

/* The next field; false at the end and on failure. */
bool wire_next(struct wire *wire, struct wire_field *field);

/* Appends the numbers of a repeated field, packed or not; false: it holds something else, or a
 * whole number beyond int32. */
bool wire_take_floats(const struct wire_field *field, struct wire_floats *list);
bool wire_take_doubles(const struct wire_field *field, struct wire_doubles *list);
bool wire_take_ints(const struct wire_field *field, struct wire_ints *list);

/* The same from little-endian bytes that follow each other; false when some are left over. */
bool wire_raw_floats(struct slice bytes, struct wire_floats *list);
bool wire_raw_doubles(struct slice bytes, struct wire_doubles *list);
bool wire_raw_ints(struct slice bytes, struct wire_ints *list);

static inline float wire_float(const struct wire_field *field)
{
    uint32_t bits = (uint32_t)field->value;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
