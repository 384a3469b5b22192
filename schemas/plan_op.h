/* plan_op.h: the operations of a plan; private to plan.c (which writes them) and plan_run.c. */
#ifndef SCHEMAS_PLAN_OP_H
#define SCHEMAS_PLAN_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/carried.h"

/* name: what it does; operands as in struct op. */
#define PLAN_OPS(X)                                                                                \
    X(END)             /* the value is over */                                                     \
    X(DOUBLE)          /* slot */                                                                  \
    X(DOUBLES)         /* count of them, slots side by side from slot */                           \
    X(FLOAT)           /* slot */                                                                  \
    X(INT)             /* slot */                                                                  \
    X(LONG)            /* slot */                                                                  \
    X(BOOLEAN)         /* slot */                                                                  \
    X(ENUM)            /* slot; count symbols, their floats from codes[target] on */               \
    X(STRING)          /* slot: a category */                                                      \
    X(OPTIONAL_DOUBLE) /* slot; branch of the value, the other one is null; count: required */     \
    X(OPTIONAL_FLOAT)                                                                              \
    X(OPTIONAL_INT)                                                                                \
    X(OPTIONAL_LONG)                                                                               \
    X(OPTIONAL) /* branch: go on behind; the other one: to target */                               \
    X(UNION)    /* count branches, to jumps[target + branch] */                                    \
    X(JUMP)     /* to target */                                                                    \
    X(CALL)     /* to target, back behind at RETURN */                                             \
    X(RETURN)                                                                                      \
    X(BLOCKS)     /* an array or a map; target: its BLOCKS_END */                                  \
    X(BLOCKS_END) /* of an item; target: the first op of an item, count: its least size */         \
    X(PICK_INDEX) /* count picks from picks[target] on; none fits: go on behind */                 \
    X(PICK_KEY)   /* as PICK_INDEX, takes the item's key */                                        \
    X(MARK)       /* remember this place */                                                        \
    X(REWIND)     /* back to it: the same value for another feature */                             \
    X(RESET)      /* slot: as if it had not been there */                                          \
    X(WRONG)      /* slot: wrong_type */                                                           \
    X(MISSING)    /* slot of a required feature: null, by the branch just read */                  \
    X(KEEP)       /* slot: of what is carried; branch: enum schema_kind; count: bytes of FIXED, */ \
                  /* symbols of ENUM, from target on, or units per ms of LONG */                   \
    X(DROP)       /* slot: of what is carried, as if it had not been there */                      \
    X(ROOT)       /* branch: what stands at the root, enum bind_root */                            \
    X(SKIP_BYTES) /* count */                                                                      \
    X(SKIP_BOOLEAN)                                                                                \
    X(SKIP_INT)                                                                                    \
    X(SKIP_LONG)                                                                                   \
    X(SKIP_LENGTH) /* string, bytes */                                                             \
    X(SKIP_ENUM)   /* count symbols */                                                             \
    X(SKIP_ITEMS)  /* array of items of count bytes each, count may be 0 */

enum op_code {
#define X(name) OP_##name,
    PLAN_OPS(X)
#undef X
        OP_COUNT
};

struct op {
    uint8_t code;
    uint8_t branch;
    uint16_t slot; /* feature */
    uint32_t count;
    uint32_t target;
};

struct pick {
    char *key; /* PICK_KEY; owned */
    size_t len;
    size_t index; /* PICK_INDEX */
    uint32_t target;
};

struct plan {
    struct op *ops;
    size_t op_count, op_cap;
    float *codes;
    size_t code_count, code_cap;
    uint32_t *jumps;
    size_t jump_count, jump_cap;
    struct pick *picks;
    size_t pick_count, pick_cap;
    char **symbols; /* of enums that are carried; owned */
    size_t symbol_count, symbol_cap;
    uint16_t *unsure; /* required features that a value may leave unwritten */
    size_t unsure_count;
};

/* An array, a map or a call that is open. */
struct plan_frame {
    uint64_t left;         /* items of this block, this one included */
    uint64_t index;        /* number of this item in the array */
    const uint8_t *end;    /* where the block must end, when it says so */
    const struct op *back; /* CALL: where to go on */
};

struct avro_input;

/* OP_KEEP, of plan_keep.c: notes where the value lies, or what it is. False when it is damaged. */
bool plan_keep(const struct plan *plan, const struct op *op, struct avro_input *in,
               struct carried *carried);

#endif
