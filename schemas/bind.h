/* bind.h: values into a row of floats, by the rules of model.ini; shared by plan and scanner.
 *
 * A fault of binding must not win over a fault of syntax further on, and of several the first in
 * the model's order counts, whatever order the event has. So the row itself carries them: it starts
 * as `fill` (what each feature is when the event says nothing), and a slot whose feature cannot be
 * bound holds a NaN with the fault in its payload. Values overwrite, so the last word counts.
 * bind_judge looks at the end, once. No event can write such a NaN: NaN in an event is missing.
 *
 *   row:   | 937.0 | 7.0 | fault NaN: wrong_type | NaN (optional, missing) | ...
 *
 * Where the features lie below a root (an envelope's content), `root` says what stood there: an
 * event whose root is null is skipped, one without a root, or with a scalar there, is no event;
 * that is looked at before any feature.
 *
 * What is carried into the score has slots of its own beside the row; it never is a fault.
 *
 * Borrows the features. `at` is scratch of one decode. Thread: the decoder's.
 */
#ifndef SCHEMAS_BIND_H
#define SCHEMAS_BIND_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/carried.h"
#include "core/feature.h"
#include "core/outcome.h"

/* Payload of a quiet NaN: 0x5c5c00 | fault. Every NaN that kscore makes itself has payload 0. */
enum { BIND_FAULT_MARK = 0x7fdc5c00, BIND_FAULT_MASK = 0xff };

enum bind_root {
    ROOT_PRESENT, /* or there is none to look for */
    ROOT_NULL,    /* it, or something on the way to it */
    ROOT_ABSENT,
    ROOT_WRONG, /* something that has no fields, there or on the way */
};

struct bind {
    const struct features *features;
    float *fill;      /* features->count: `missing`, or the fault missing_field */
    uint32_t *at;     /* features->count: byte of the value, set with a fault */
    size_t *required; /* features that are required, in the model's order */
    size_t required_count;
    bool is_faulty;  /* some slot holds a fault other than that of fill; or has_extras */
    bool has_extras; /* a root, or something to carry */
    uint8_t root;    /* enum bind_root; ABSENT until something of it is seen */
    uint32_t root_at;
    struct carried *carried; /* features->carry_count, of this event */
};

void bind_init(struct bind *bind, const struct features *features);
void bind_release(struct bind *bind);

/* The part of bind_start for what few configurations have. */
void bind_start_extras(struct bind *bind);

/* Starts a row. */
static inline void bind_start(struct bind *b, float *row)
{
    memcpy(row, b->fill, b->features->count * sizeof *row);
    if (__builtin_expect(b->is_faulty, 0)) {
        memset(b->at, 0, b->features->count * sizeof *b->at);
        if (b->has_extras)
            bind_start_extras(b);
    }
    b->is_faulty = b->has_extras;
}

static inline void bind_set_root(struct bind *b, enum bind_root root, size_t at)
{
    b->root = (uint8_t)root;
    b->root_at = (uint32_t)at;
}

static inline float bind_fault_float(enum fault fault)
{
    uint32_t bits = BIND_FAULT_MARK | (uint32_t)fault;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline bool bind_is_fault(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return (bits & ~(uint32_t)BIND_FAULT_MASK) == BIND_FAULT_MARK;
}

/* FAULT_NONE for a value that is none. */
static inline enum fault bind_fault_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bind_is_fault(value) ? (enum fault)(bits & BIND_FAULT_MASK) : FAULT_NONE;
}

static inline void bind_fault(struct bind *b, float *row, size_t slot, enum fault fault, size_t at)
{
    row[slot] = bind_fault_float(fault);
    b->at[slot] = (uint32_t)at;
    b->is_faulty = true;
}

/* The feature is null, or NaN. */
static inline void bind_missing(struct bind *b, float *row, size_t slot, size_t at)
{
    row[slot] = b->fill[slot];
    b->at[slot] = (uint32_t)at;
    b->is_faulty |= b->features->items[slot].required;
}

/* Infinity, NaN, and what became so in rounding. */
void bind_odd_number(struct bind *b, float *row, size_t slot, float value, size_t at);

/* value: rounded to float32 already. */
static inline void bind_number(struct bind *b, float *row, size_t slot, float value, size_t at)
{
    row[slot] = value;
    if (__builtin_expect(!(fabsf(value) <= __FLT_MAX__), 0))
        bind_odd_number(b, row, slot, value, at);
}

/* A text through the feature's table. False when it is in no table (and is noted as that): the
 * caller may then look whether it is UTF-8 at all. */
bool bind_text(struct bind *b, float *row, size_t slot, const char *text, size_t len, size_t at);

/* A text that is in no table. */
void bind_unknown(struct bind *b, float *row, size_t slot, size_t at);

/* What the text is in the row: a code, what missing is, or a fault. For enums, at compile. */
float bind_text_value(const struct feature *feature, const char *text, size_t len);

/* What becomes of an event whose root is not present; else the first fault in the model's order,
 * else scored. */
struct outcome bind_judge_faults(const struct bind *b, const float *row);

#endif
