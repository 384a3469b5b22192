/* outcome.h: what became of one record, and the closed list of what can be wrong with one.
 *
 * Every consumed record ends scored, dead or skipped (P1). A dead one carries a fault: a row of the
 * table below, which names stage, reason and blame. The same table prints the documentation
 * (docs/dead-letters.md, held by a test). Adding a reason is one row here, the place that raises
 * it, a test.
 *
 * Plain values, no ownership, any thread.
 */
#ifndef CORE_OUTCOME_H
#define CORE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome_kind {
    OUTCOME_SCORED,  /* a row was filled; it will be scored */
    OUTCOME_DEAD,    /* goes to the dead-letter topic with `fault` */
    OUTCOME_SKIPPED, /* null value */
    OUTCOME_WAITING, /* cannot be judged yet: its schema is not known; the partition parks here */
};

/* clang-format off */
/* fault, stage, reason, blame, help */
#define FAULTS(X)                                                                                  \
    X(FETCH_TOO_LARGE, FETCH, "too_large", RECORD, "value longer than [consumer] max_value_kib")   \
    X(FRAME_TOO_SHORT, FRAME, "too_short", RECORD, "value ends inside the frame")                  \
    X(FRAME_BAD_MAGIC, FRAME, "bad_magic", RECORD, "first byte is not the frame's")                \
    X(FRAME_UNSUPPORTED, FRAME, "unsupported_framing", RECORD,                                     \
      "the framing of AWS Glue, or another that [consumer] framing does not name")                 \
    X(SCHEMA_UNKNOWN_ID, SCHEMA, "unknown_schema_id", SCHEMA, "no schema has this id")             \
    X(SCHEMA_UNUSABLE, SCHEMA, "unusable_schema", SCHEMA,                                          \
      "the schema is damaged or cannot serve the model; the log says why")                         \
    X(DECODE_TRUNCATED, DECODE, "truncated", RECORD, "value ends inside a field")                  \
    X(DECODE_TRAILING_BYTES, DECODE, "trailing_bytes", RECORD, "bytes left after the last field")  \
    X(DECODE_BAD_VARINT, DECODE, "bad_varint", RECORD, "variable-length integer over its range")   \
    X(DECODE_BAD_UNION, DECODE, "bad_union", RECORD, "union branch that the schema does not have") \
    X(DECODE_BAD_ENUM, DECODE, "bad_enum", RECORD, "enum position that the schema does not have")  \
    X(DECODE_BAD_BOOLEAN, DECODE, "bad_boolean", RECORD, "boolean byte that is neither 0 nor 1")   \
    X(DECODE_BAD_LENGTH, DECODE, "bad_length", RECORD, "negative or impossible length or count")   \
    X(DECODE_BAD_UTF8, DECODE, "bad_utf8", RECORD, "Avro string of a feature is not UTF-8")        \
    X(DECODE_BAD_JSON, DECODE, "bad_json", RECORD,                                                 \
      "not JSON (RFC 8259), not UTF-8, or a key that feeds a feature comes twice")                 \
    X(DECODE_TOO_DEEP, DECODE, "too_deep", RECORD, "nested deeper than [consumer] max_depth")      \
    X(BIND_WRONG_TYPE, BIND, "wrong_type", RECORD,                                                 \
      "a value of a type that the feature does not take")                                          \
    X(BIND_MISSING_FIELD, BIND, "missing_field", RECORD, "a required feature is absent or null")   \
    X(BIND_UNKNOWN_CATEGORY, BIND, "unknown_category", RECORD,                                     \
      "a string that is not in the table")                                                         \
    X(BIND_NOT_FINITE, BIND, "not_finite", RECORD,                                                 \
      "infinite, or infinite after rounding to float32")                                           \
    X(SCORE_NOT_FINITE, SCORE, "score_not_finite", MODEL, "the model gave NaN or infinity")        \
    X(ENCODE_TOO_LARGE, ENCODE, "too_large", SELF, "the score record passes the size limit")       \
    X(PRODUCE_TOO_LARGE, PRODUCE, "too_large", CONFIG, "the score passes the topic's size limit")  \
    X(PRODUCE_REFUSED, PRODUCE, "refused", DEPENDENCY, "the broker refused this record itself")
/* clang-format on */

enum fault {
    FAULT_NONE,
#define X(name, stage, reason, blame, help) FAULT_##name,
    FAULTS(X)
#undef X
        FAULT_COUNT
};

enum { OUTCOME_NO_FEATURE = 0xffff };

/* 8 bytes, one per record of a batch. */
struct outcome {
    uint8_t kind;     /* enum outcome_kind */
    uint8_t fault;    /* enum fault, FAULT_NONE unless dead */
    uint16_t feature; /* which feature of the model (bind faults), else OUTCOME_NO_FEATURE */
    uint32_t at;      /* byte of the value where decoding stopped, 0 when that says nothing */
};

static inline struct outcome outcome_scored(void)
{
    return (struct outcome){OUTCOME_SCORED, FAULT_NONE, OUTCOME_NO_FEATURE, 0};
}

static inline struct outcome outcome_dead(enum fault fault, size_t at)
{
    return (struct outcome){OUTCOME_DEAD, (uint8_t)fault, OUTCOME_NO_FEATURE, (uint32_t)at};
}

static inline struct outcome outcome_dead_feature(enum fault fault, size_t feature, size_t at)
{
    return (struct outcome){OUTCOME_DEAD, (uint8_t)fault, (uint16_t)feature, (uint32_t)at};
}

/* The event was read to its end, and its features were judged one by one. */
static inline bool outcome_is_judged(struct outcome o)
{
    return o.kind == OUTCOME_SCORED ||
           (o.kind == OUTCOME_DEAD && o.fault >= FAULT_BIND_WRONG_TYPE &&
            o.fault <= FAULT_BIND_NOT_FINITE && o.feature != OUTCOME_NO_FEATURE);
}

/* Texts of a fault, static: "decode", "bad_union", "record", a sentence. FAULT_NONE gives "". */
const char *fault_stage(enum fault fault);
const char *fault_reason(enum fault fault);
const char *fault_blame(enum fault fault);
const char *fault_help(enum fault fault);

#endif
