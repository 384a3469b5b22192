/* plan_run.c: the interpreter, one piece: operations and their reads of the input are merged by the
 * compiler. One dispatch per op through a table of labels (gcc -O2: 71 ns for a record of 30
 * fields, a switch 82; clang 14: 88 and 137), every read checked against the end. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "schemas/plan.h"
#include "schemas/plan_op.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Avro's floats are read as they lie");

/* Items of no bytes at all that one value may claim: nothing else bounds them. The limit of Avro's
 * other implementations (AVRO_MAX_COLLECTION_ITEMS). */
enum { MAX_EMPTY_ITEMS = 10000000 };

void plan_scratch_init(struct plan_scratch *scratch, const struct features *features,
                       unsigned max_depth)
{
    bind_init(&scratch->bind, features);
    scratch->cap = max_depth;
    scratch->frames = mem_alloc(max_depth, sizeof *scratch->frames);
}

void plan_scratch_release(struct plan_scratch *scratch)
{
    bind_release(&scratch->bind);
    free(scratch->frames);
    *scratch = (struct plan_scratch){0};
}

/* One read of the input: where it goes on, or NULL and the fault. */
struct reader {
    const uint8_t *p, *end;
    enum fault fault;
};

static bool fail(struct reader *r, enum fault fault)
{
    r->fault = fault;
    return false;
}

/* Variable-length integer of more than one byte: 7 bits each, lowest first, at most 10 bytes and 64
 * bits. */
static __attribute__((noinline)) bool long_varint(struct reader *r, uint64_t *value)
{
    const uint8_t *p = r->p;
    uint64_t sum = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte;
        if (p == r->end)
            return fail(r, FAULT_DECODE_TRUNCATED);
        byte = *p++;
        if (shift == 63 && byte > 1)
            return fail(r, FAULT_DECODE_BAD_VARINT);
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            r->p = p;
            *value = sum;
            return true;
        }
    }
    return fail(r, FAULT_DECODE_BAD_VARINT);
}

static inline bool take_varint(struct reader *r, uint64_t *value)
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
    return long_varint(r, value);
}

static inline int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline bool take_int(struct reader *r, int64_t *value)
{
    uint64_t raw;

    if (!take_varint(r, &raw))
        return false;
    if (raw > UINT32_MAX)
        return fail(r, FAULT_DECODE_BAD_VARINT);
    *value = unzigzag(raw);
    return true;
}

static inline bool take_long(struct reader *r, int64_t *value)
{
    uint64_t raw;

    if (!take_varint(r, &raw))
        return false;
    *value = unzigzag(raw);
    return true;
}

/* A number below count: a branch, a symbol. */
static inline bool take_choice(struct reader *r, uint32_t count, enum fault fault, uint32_t *choice)
{
    uint64_t raw;

    if (!take_varint(r, &raw))
        return false;
    if ((raw & 1) || raw >> 1 >= count)
        return fail(r, fault);
    *choice = (uint32_t)(raw >> 1);
    return true;
}

static inline bool take_boolean(struct reader *r, uint8_t *value)
{
    if (r->p == r->end)
        return fail(r, FAULT_DECODE_TRUNCATED);
    *value = *r->p;
    if (*value > 1)
        return fail(r, FAULT_DECODE_BAD_BOOLEAN);
    r->p++;
    return true;
}

/* A length, and that many bytes: *data is the first of them. */
static inline bool take_bytes(struct reader *r, const char **data, size_t *len)
{
    uint64_t raw;

    if (!take_varint(r, &raw))
        return false;
    if (raw & 1)
        return fail(r, FAULT_DECODE_BAD_LENGTH);
    *len = raw >> 1;
    if (*len > (size_t)(r->end - r->p))
        return fail(r, FAULT_DECODE_TRUNCATED);
    *data = (const char *)r->p;
    r->p += *len;
    return true;
}

/* The head of a block: *count items, 0 at the end of all. *end is where it must end, or NULL when
 * it does not say. */
static bool take_block(struct reader *r, uint64_t least, uint64_t *count, const uint8_t **end)
{
    int64_t number, size;

    *end = NULL;
    if (!take_long(r, &number))
        return false;
    if (number < 0) {
        if (number == INT64_MIN)
            return fail(r, FAULT_DECODE_BAD_LENGTH);
        number = -number;
        if (!take_long(r, &size))
            return false;
        if (size < 0)
            return fail(r, FAULT_DECODE_BAD_LENGTH);
        if (size > r->end - r->p)
            return fail(r, FAULT_DECODE_TRUNCATED);
        *end = r->p + size;
    }
    *count = (uint64_t)number;
    if (least != 0 && *count > (uint64_t)(r->end - r->p) / least)
        return fail(r, FAULT_DECODE_TRUNCATED);
    return true;
}

/* A whole array of items of `size` bytes each. */
static bool skip_items(struct reader *r, uint32_t size)
{
    uint64_t count, empty = 0;
    const uint8_t *end;

    for (;;) {
        if (!take_block(r, size, &count, &end))
            return false;
        if (count == 0)
            return true;
        if (size == 0 && (empty += count) > MAX_EMPTY_ITEMS)
            return fail(r, FAULT_DECODE_BAD_LENGTH);
        r->p += count * size;
        if (end && r->p != end)
            return fail(r, FAULT_DECODE_BAD_LENGTH);
    }
}

/* Writes count doubles into neighbouring slots, four at a time in the compiler's vectors. */
static void put_doubles(struct bind *b, float *row, size_t slot, const uint8_t *p, size_t count,
                        size_t at)
{
    typedef double doubles __attribute__((vector_size(32)));
    typedef float floats __attribute__((vector_size(16)));
    typedef int32_t ints __attribute__((vector_size(16)));
    size_t i = 0;

    for (; i + 4 <= count; i += 4) {
        doubles wide;
        floats narrow;
        ints odd;
        uint64_t halves[2];
        memcpy(&wide, p + 8 * i, sizeof wide);
        narrow = __builtin_convertvector(wide, floats);
        memcpy(row + slot + i, &narrow, sizeof narrow);
        memcpy(&odd, &narrow, sizeof odd);
        odd = (odd & 0x7f800000) == 0x7f800000;
        memcpy(halves, &odd, sizeof halves);
        if (__builtin_expect((halves[0] | halves[1]) != 0, 0))
            for (size_t k = i; k < i + 4; k++)
                bind_number(b, row, slot + k, row[slot + k], at + 8 * k);
    }
    for (; i < count; i++) {
        double value;
        memcpy(&value, p + 8 * i, sizeof value);
        bind_number(b, row, slot + i, (float)value, at + 8 * i);
    }
}

static void put_code(struct bind *b, float *row, size_t slot, float code, size_t at)
{
    row[slot] = code;
    if (code != code && bind_is_fault(code))
        bind_fault(b, row, slot, FAULT_BIND_UNKNOWN_CATEGORY, at);
}

static const struct pick *pick_index(const struct plan *plan, const struct op *op, uint64_t index)
{
    for (uint32_t i = 0; i < op->count; i++)
        if (plan->picks[op->target + i].index == index)
            return &plan->picks[op->target + i];
    return NULL;
}

static const struct pick *pick_key(const struct plan *plan, const struct op *op, const char *key,
                                   size_t len)
{
    for (uint32_t i = 0; i < op->count; i++) {
        const struct pick *pick = &plan->picks[op->target + i];
        if (pick->len == len && memcmp(pick->key, key, len) == 0)
            return pick;
    }
    return NULL;
}

static int64_t divide_down(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static bool keep_bytes(struct reader *r, size_t len, struct carried *c)
{
    if (len > (size_t)(r->end - r->p))
        return fail(r, FAULT_DECODE_TRUNCATED);
    *c = (struct carried){.kind = CARRIED_TEXT, .len = (uint32_t)len, .text = (const char *)r->p};
    r->p += len;
    return true;
}

static bool keep_real(struct reader *r, bool is_float, struct carried *c)
{
    size_t size = is_float ? sizeof(float) : sizeof(double);
    struct carried bytes;
    float narrow;

    if (!keep_bytes(r, size, &bytes))
        return false;
    c->kind = is_float ? CARRIED_FLOAT : CARRIED_DOUBLE;
    if (!is_float) {
        memcpy(&c->number, bytes.text, size);
        return true;
    }
    memcpy(&narrow, bytes.text, size);
    c->number = (double)narrow;
    return true;
}

static void keep_word(const char *word, struct carried *c)
{
    *c = (struct carried){.kind = CARRIED_TEXT, .len = (uint32_t)strlen(word), .text = word};
}

/* A value that is carried into the score. Out of line: plan_run has no register for it. */
static __attribute__((noinline)) bool keep(const struct plan *plan, const struct op *op,
                                           struct reader *r, struct carried *c)
{
    uint32_t choice;
    uint8_t byte;
    uint64_t raw;

    switch ((enum schema_kind)op->branch) {
    case SCHEMA_BOOLEAN:
        if (!take_boolean(r, &byte))
            return false;
        keep_word(byte ? "true" : "false", c);
        return true;
    case SCHEMA_INT:
    case SCHEMA_LONG:
        if (!(op->branch == SCHEMA_INT ? take_int : take_long)(r, &c->integer))
            return false;
        if (op->branch == SCHEMA_LONG)
            c->integer = divide_down(c->integer, op->count);
        c->kind = CARRIED_INTEGER;
        return true;
    case SCHEMA_FLOAT:
    case SCHEMA_DOUBLE: return keep_real(r, op->branch == SCHEMA_FLOAT, c);
    case SCHEMA_ENUM:
        if (!take_choice(r, op->count, FAULT_DECODE_BAD_ENUM, &choice))
            return false;
        keep_word(plan->symbols[op->target + choice], c);
        return true;
    case SCHEMA_FIXED: return keep_bytes(r, op->count, c);
    default: break;
    }
    if (!take_varint(r, &raw))
        return false;
    return raw & 1 ? fail(r, FAULT_DECODE_BAD_LENGTH) : keep_bytes(r, raw >> 1, c);
}

/* Features that the value may have left unwritten count as missing too. */
static struct outcome judge(const struct plan *plan, struct bind *b, const float *row)
{
    bool is_faulty = b->is_faulty;
    for (size_t i = 0; i < plan->unsure_count; i++)
        is_faulty |= bind_is_fault(row[plan->unsure[i]]);
    return is_faulty ? bind_judge_faults(b, row) : outcome_scored();
}

static struct outcome decode_fault(enum fault fault, const struct op *op, size_t at)
{
    bool has_slot = op->code >= OP_DOUBLE && op->code <= OP_OPTIONAL_LONG;

    return has_slot ? outcome_dead_feature(fault, op->slot, at) : outcome_dead(fault, at);
}

/* One piece: a dispatch loop whose operations share their registers. */
struct outcome plan_run(const struct plan *plan, struct plan_scratch *scratch, struct slice value,
                        size_t from, float *row)
{
    static const void *const labels[] = {
#define X(name) &&op_##name,
        PLAN_OPS(X)
#undef X
    };
    struct reader r = {value.data + from, value.data + value.len, FAULT_NONE};
    struct bind *b = &scratch->bind;
    const struct op *op = plan->ops, *ops = plan->ops;
    const uint8_t *mark = r.p;
    struct plan_frame *frame = scratch->frames, *last = scratch->frames + scratch->cap - 1;
    const struct pick *pick;
    const char *text;
    size_t len;
    int64_t number;
    uint32_t choice;
    uint8_t byte;
    double wide;
    float narrow;

#define AT ((size_t)(r.p - value.data))
#define DISPATCH goto *labels[op->code]
#define NEXT                                                                                       \
    do {                                                                                           \
        op++;                                                                                      \
        DISPATCH;                                                                                  \
    } while (0)
#define FAIL(why)                                                                                  \
    do {                                                                                           \
        r.fault = FAULT_DECODE_##why;                                                              \
        goto failed;                                                                               \
    } while (0)
#define NEED(count)                                                                                \
    if (__builtin_expect((size_t)(r.end - r.p) < (size_t)(count), 0))                              \
    FAIL(TRUNCATED)
#define TAKE(call)                                                                                 \
    if (__builtin_expect(!(call), 0))                                                              \
    goto failed
    /* The branch byte of [null, x]: goes on when it is x; null leaves the row's fill. */
#define OPTIONAL_OR_NEXT                                                                           \
    TAKE(take_choice(&r, 2, FAULT_DECODE_BAD_UNION, &choice));                                     \
    if (choice != op->branch)                                                                      \
    NEXT

    bind_start(b, row);
    DISPATCH;

op_DOUBLE:
    NEED(8);
    memcpy(&wide, r.p, 8);
    bind_number(b, row, op->slot, (float)wide, AT);
    r.p += 8;
    NEXT;
op_DOUBLES:
    NEED((size_t)op->count * 8);
    put_doubles(b, row, op->slot, r.p, op->count, AT);
    r.p += (size_t)op->count * 8;
    NEXT;
op_FLOAT:
    NEED(4);
    memcpy(&narrow, r.p, 4);
    bind_number(b, row, op->slot, narrow, AT);
    r.p += 4;
    NEXT;
op_INT:
    TAKE(take_int(&r, &number));
    row[op->slot] = (float)(int32_t)number;
    NEXT;
op_LONG:
    TAKE(take_long(&r, &number));
    row[op->slot] = (float)(double)number;
    NEXT;
op_BOOLEAN:
    TAKE(take_boolean(&r, &byte));
    row[op->slot] = (float)byte;
    NEXT;
op_ENUM:
    TAKE(take_choice(&r, op->count, FAULT_DECODE_BAD_ENUM, &choice));
    put_code(b, row, op->slot, plan->codes[op->target + choice], AT);
    NEXT;
op_STRING:
    TAKE(take_bytes(&r, &text, &len));
    if (!bind_text(b, row, op->slot, text, len, (size_t)((const uint8_t *)text - value.data)) &&
        !utf8_is_valid((const uint8_t *)text, len)) {
        r.p -= len;
        FAIL(BAD_UTF8);
    }
    NEXT;
op_OPTIONAL_DOUBLE:
    OPTIONAL_OR_NEXT;
    goto op_DOUBLE;
op_OPTIONAL_FLOAT:
    OPTIONAL_OR_NEXT;
    goto op_FLOAT;
op_OPTIONAL_INT:
    OPTIONAL_OR_NEXT;
    goto op_INT;
op_OPTIONAL_LONG:
    OPTIONAL_OR_NEXT;
    goto op_LONG;
op_OPTIONAL:
    TAKE(take_choice(&r, 2, FAULT_DECODE_BAD_UNION, &choice));
    op = choice == op->branch ? op + 1 : ops + op->target;
    DISPATCH;
op_UNION:
    TAKE(take_choice(&r, op->count, FAULT_DECODE_BAD_UNION, &choice));
    op = ops + plan->jumps[op->target + choice];
    DISPATCH;
op_JUMP:
    op = ops + op->target;
    DISPATCH;
op_CALL:
    if (frame == last)
        FAIL(TOO_DEEP);
    (++frame)->back = op + 1;
    op = ops + op->target;
    DISPATCH;
op_RETURN:
    op = (frame--)->back;
    DISPATCH;
op_BLOCKS:
    if (frame == last)
        FAIL(TOO_DEEP);
    frame++;
    frame->index = 0;
    op = ops + op->target;
    goto next_block;
op_BLOCKS_END:
    frame->index++;
    if (--frame->left != 0) {
        op = ops + op->target;
        DISPATCH;
    }
    if (frame->end && frame->end != r.p)
        FAIL(BAD_LENGTH);
next_block:
    TAKE(take_block(&r, op->count, &frame->left, &frame->end));
    if (frame->left == 0) {
        frame--;
        NEXT;
    }
    op = ops + op->target;
    DISPATCH;
op_PICK_INDEX:
    pick = pick_index(plan, op, frame->index);
    op = pick ? ops + pick->target : op + 1;
    DISPATCH;
op_PICK_KEY:
    TAKE(take_bytes(&r, &text, &len));
    pick = pick_key(plan, op, text, len);
    op = pick ? ops + pick->target : op + 1;
    DISPATCH;
op_MARK:
    mark = r.p;
    NEXT;
op_REWIND:
    r.p = mark;
    NEXT;
op_RESET:
    row[op->slot] = b->fill[op->slot];
    NEXT;
op_WRONG:
    bind_fault(b, row, op->slot, FAULT_BIND_WRONG_TYPE, AT);
    NEXT;
op_KEEP:
    TAKE(keep(plan, op, &r, &b->carried[op->slot]));
    NEXT;
op_DROP:
    b->carried[op->slot].kind = CARRIED_NOTHING;
    NEXT;
op_ROOT:
    bind_set_root(b, (enum bind_root)op->branch, AT);
    NEXT;
op_SKIP_BYTES:
    NEED(op->count);
    r.p += op->count;
    NEXT;
op_SKIP_BOOLEAN:
    TAKE(take_boolean(&r, &byte));
    NEXT;
op_SKIP_INT:
    TAKE(take_int(&r, &number));
    NEXT;
op_SKIP_LONG:
    TAKE(take_long(&r, &number));
    NEXT;
op_SKIP_LENGTH:
    TAKE(take_bytes(&r, &text, &len));
    NEXT;
op_SKIP_ENUM:
    TAKE(take_choice(&r, op->count, FAULT_DECODE_BAD_ENUM, &choice));
    NEXT;
op_SKIP_ITEMS:
    TAKE(skip_items(&r, op->count));
    NEXT;
op_END:
    if (r.p != r.end)
        FAIL(TRAILING_BYTES);
    return judge(plan, b, row);
failed:
    return decode_fault(r.fault, op, AT);
}
