/* plan_keep.c: values that are carried into the score. Out of plan_run, which has no register for
 * it. */
#include <string.h>

#include "schemas/avro_input.h"
#include "schemas/avro_schema.h"
#include "schemas/plan_op.h"

static int64_t divide_down(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static bool keep_bytes(struct avro_input *r, size_t len, struct carried *c)
{
    if (len > (size_t)(r->end - r->p))
        return avro_fail(r, FAULT_DECODE_TRUNCATED);
    *c = (struct carried){.kind = CARRIED_TEXT, .len = (uint32_t)len, .text = (const char *)r->p};
    r->p += len;
    return true;
}

static bool keep_real(struct avro_input *r, bool is_float, struct carried *c)
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

bool plan_keep(const struct plan *plan, const struct op *op, struct avro_input *r,
               struct carried *c)
{
    uint32_t choice;
    uint8_t byte;
    uint64_t raw;

    switch ((enum schema_kind)op->branch) {
    case SCHEMA_BOOLEAN:
        if (!avro_boolean(r, &byte))
            return false;
        keep_word(byte ? "true" : "false", c);
        return true;
    case SCHEMA_INT:
    case SCHEMA_LONG:
        if (!(op->branch == SCHEMA_INT ? avro_int : avro_long)(r, &c->integer))
            return false;
        if (op->branch == SCHEMA_LONG)
            c->integer = divide_down(c->integer, op->count);
        c->kind = CARRIED_INTEGER;
        return true;
    case SCHEMA_FLOAT:
    case SCHEMA_DOUBLE: return keep_real(r, op->branch == SCHEMA_FLOAT, c);
    case SCHEMA_ENUM:
        if (!avro_choice(r, op->count, FAULT_DECODE_BAD_ENUM, &choice))
            return false;
        keep_word(plan->symbols[op->target + choice], c);
        return true;
    case SCHEMA_FIXED: return keep_bytes(r, op->count, c);
    default: break;
    }
    if (!avro_varint(r, &raw))
        return false;
    return raw & 1 ? avro_fail(r, FAULT_DECODE_BAD_LENGTH) : keep_bytes(r, raw >> 1, c);
}
