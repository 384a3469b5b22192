/* avro_input.h: Avro's binary encoding, read from front to back, each read checked against the end.
 *
 * What plan_run.c and avro_text.c share: inline, because the plan's speed lives here. A read is
 * false when the bytes are not what they should be; then `fault` says what, and `p` stands where.
 * Sizes and counts are checked against the bytes that are left before anybody uses them.
 * Source: Apache Avro 1.11 specification, "Binary Encoding". Borrows the bytes.
 */
#ifndef SCHEMAS_AVRO_INPUT_H
#define SCHEMAS_AVRO_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/outcome.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Avro's floats are read as they lie");

/* One read of the input: where it goes on, or NULL and the fault. */
struct avro_input {
    const uint8_t *p, *end;
    enum fault fault;
};

static inline bool avro_fail(struct avro_input *r, enum fault fault)
{
    r->fault = fault;
    return false;
}

/* Variable-length integer of more than one byte: 7 bits each, lowest first, at most 10 bytes and 64
 * bits. */
static __attribute__((noinline)) bool avro_long_varint(struct avro_input *r, uint64_t *value)
{
    const uint8_t *p = r->p;
    uint64_t sum = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte;
        if (p == r->end)
            return avro_fail(r, FAULT_DECODE_TRUNCATED);
        byte = *p++;
        if (shift == 63 && byte > 1)
            return avro_fail(r, FAULT_DECODE_BAD_VARINT);
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            r->p = p;
            *value = sum;
            return true;
        }
    }
    return avro_fail(r, FAULT_DECODE_BAD_VARINT);
}

static inline bool avro_varint(struct avro_input *r, uint64_t *value)
{
    const uint8_t *p = r->p;

    if (__builtin_expect(r->end - p >= 2, 1)) {
        if (p[0] < 0x80) { /* NOLINT(clang-analyzer-core.NullDereference): 2 bytes are here */
            *value = p[0];
            r->p = p + 1;
            return true;
        }
        if (p[1] < 0x80) {
            *value = (uint64_t)(p[0] & 0x7f) | (uint64_t)p[1] << 7;
            r->p = p + 2;
            return true;
        }
    }
    return avro_long_varint(r, value);
}

static inline int64_t avro_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline bool avro_int(struct avro_input *r, int64_t *value)
{
    uint64_t raw;

    if (!avro_varint(r, &raw))
        return false;
    if (raw > UINT32_MAX)
        return avro_fail(r, FAULT_DECODE_BAD_VARINT);
    *value = avro_unzigzag(raw);
    return true;
}

static inline bool avro_long(struct avro_input *r, int64_t *value)
{
    uint64_t raw;

    if (!avro_varint(r, &raw))
        return false;
    *value = avro_unzigzag(raw);
    return true;
}

/* A number below count: a branch, a symbol. */
static inline bool avro_choice(struct avro_input *r, uint32_t count, enum fault fault,
                               uint32_t *choice)
{
    uint64_t raw;

    if (!avro_varint(r, &raw))
        return false;
    if ((raw & 1) || raw >> 1 >= count)
        return avro_fail(r, fault);
    *choice = (uint32_t)(raw >> 1);
    return true;
}

static inline bool avro_boolean(struct avro_input *r, uint8_t *value)
{
    if (r->p == r->end)
        return avro_fail(r, FAULT_DECODE_TRUNCATED);
    *value = *r->p;
    if (*value > 1)
        return avro_fail(r, FAULT_DECODE_BAD_BOOLEAN);
    r->p++;
    return true;
}

/* A length, and that many bytes: *data is the first of them. */
static inline bool avro_bytes(struct avro_input *r, const char **data, size_t *len)
{
    uint64_t raw;

    if (!avro_varint(r, &raw))
        return false;
    if (raw & 1)
        return avro_fail(r, FAULT_DECODE_BAD_LENGTH);
    *len = raw >> 1;
    if (*len > (size_t)(r->end - r->p))
        return avro_fail(r, FAULT_DECODE_TRUNCATED);
    *data = (const char *)r->p;
    r->p += *len;
    return true;
}

/* The head of a block: *count items, 0 at the end of all. *end is where it must end, or NULL when
 * it does not say. */
static __attribute__((noinline, unused)) bool avro_block(struct avro_input *r, uint64_t least,
                                                         uint64_t *count, const uint8_t **end)
{
    int64_t number, size;

    *end = NULL;
    if (!avro_long(r, &number))
        return false;
    if (number < 0) {
        if (number == INT64_MIN)
            return avro_fail(r, FAULT_DECODE_BAD_LENGTH);
        number = -number;
        if (!avro_long(r, &size))
            return false;
        if (size < 0)
            return avro_fail(r, FAULT_DECODE_BAD_LENGTH);
        if (size > r->end - r->p)
            return avro_fail(r, FAULT_DECODE_TRUNCATED);
        *end = r->p + size;
    }
    *count = (uint64_t)number;
    if (least != 0 && *count > (uint64_t)(r->end - r->p) / least)
        return avro_fail(r, FAULT_DECODE_TRUNCATED);
    return true;
}

#endif
