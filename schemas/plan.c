/* plan.c: the compiler, one piece: it calls itself for every type inside a type. The features'
 * paths become a tree of names; schema and tree are walked together, and where the tree ends the
 * rest is skipped. */
#include "schemas/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "schemas/binding.h"
#include "schemas/plan_op.h"
#include "schemas/wish.h"

enum { MAX_VISITS = 1 << 20, MAX_CODES = 1 << 20, CHAIN_END = -1 };

struct compiler {
    struct plan *plan;
    const struct avro_schema *schema;
    const struct features *features;
    uint32_t *routines; /* per type: op of its skipping routine, 0 before it is written */
    bool *is_due;       /* per type: its routine is called somewhere */
    int32_t *due;       /* types whose routine is called and not written yet */
    size_t due_count, due_cap;
    bool *sure;        /* per feature: written in every value */
    size_t barrier;    /* an op number that something jumps to: what lies behind stays apart */
    unsigned branches; /* how many branches, arrays and maps we are inside of */
    size_t visits;
    bool is_too_big;
};

static const struct wish no_wish;

static void compile(struct compiler *c, int32_t type, const struct wish *w);
static void compile_part(struct compiler *c, int32_t type, const struct wish *w);

static const struct wish *field_wish(const struct wish *w, const char *name)
{
    const struct wish *found = wish_child(w, name, strlen(name));

    return found ? found : &no_wish;
}

/* ---- emitting */

static size_t emit(struct compiler *c, struct op op)
{
    struct plan *p = c->plan;

    if (p->op_count >= PLAN_MAX_OPS) {
        c->is_too_big = true;
        return 0;
    }
    p->ops = mem_grow(p->ops, p->op_count, &p->op_cap, sizeof *p->ops);
    p->ops[p->op_count] = op;
    return p->op_count++;
}

/* The number of the next op, as a target of jumps. */
static uint32_t here(struct compiler *c)
{
    c->barrier = c->plan->op_count;
    return (uint32_t)c->plan->op_count;
}

static void land(struct compiler *c, size_t op)
{
    if (!c->is_too_big)
        c->plan->ops[op].target = here(c);
}

/* Jumps to one place that is not known yet are chained through their targets. */
static int64_t emit_jump(struct compiler *c, int64_t chain)
{
    return (int64_t)emit(c, (struct op){.code = OP_JUMP, .target = (uint32_t)chain});
}

static void land_chain(struct compiler *c, int64_t chain)
{
    while (!c->is_too_big && chain != CHAIN_END) {
        int64_t next = (int32_t)c->plan->ops[chain].target;
        land(c, (size_t)chain);
        chain = next;
    }
}

/* Room for count jumps; gives the first one's number. */
static uint32_t reserve_jumps(struct plan *p, size_t count)
{
    size_t first = p->jump_count;

    for (size_t i = 0; i < count; i++) {
        p->jumps = mem_grow(p->jumps, p->jump_count, &p->jump_cap, sizeof *p->jumps);
        p->jumps[p->jump_count++] = 0;
    }
    return (uint32_t)first;
}

static void add_pick(struct plan *p, const struct wish *w)
{
    p->picks = mem_grow(p->picks, p->pick_count, &p->pick_cap, sizeof *p->picks);
    p->picks[p->pick_count++] =
        (struct pick){.key = w->kind == STEP_INDEX ? NULL : mem_copy_text(w->name, w->name_len),
                      .len = w->name_len,
                      .index = w->index};
}

static void emit_root(struct compiler *c, enum bind_root root)
{
    emit(c, (struct op){.code = OP_ROOT, .branch = (uint8_t)root});
}

/* This wish and all below it are null, by the branch of a union: those that must not be say so. */
static void emit_missing(struct compiler *c, const struct wish *w)
{
    for (size_t i = 0; i < w->want_count; i++)
        if (w->wants[i].slot < c->features->count && c->features->items[w->wants[i].slot].required)
            emit(c, (struct op){.code = OP_MISSING, .slot = (uint16_t)w->wants[i].slot});
    for (size_t i = 0; i < w->child_count; i++)
        emit_missing(c, &w->children[i]);
}

/* Something that is not what the path needs stands where this wish and all below it should be. */
static void emit_below(struct compiler *c, const struct wish *w, enum op_code code)
{
    if (w->is_root)
        emit_root(c, code == OP_RESET ? ROOT_NULL : ROOT_WRONG);
    for (size_t i = 0; i < w->want_count; i++) {
        size_t slot = w->wants[i].slot, count = c->features->count;
        if (slot < count)
            emit(c, (struct op){.code = (uint8_t)code, .slot = (uint16_t)slot});
        else if (code == OP_RESET)
            emit(c, (struct op){.code = OP_DROP, .slot = (uint16_t)(slot - count)});
    }
    for (size_t i = 0; i < w->child_count; i++)
        emit_below(c, &w->children[i], code);
}

/* As emit_below for the wishes that step into a record or map (or, is_index, an array). */
static void emit_children_wrong(struct compiler *c, const struct wish *w, bool is_index)
{
    for (size_t i = 0; i < w->child_count; i++)
        if ((w->children[i].kind == STEP_INDEX) == is_index)
            emit_below(c, &w->children[i], OP_WRONG);
}

/* ---- skipping */

static void skip(struct compiler *c, int32_t type);

static void skip_bytes(struct compiler *c, uint64_t count)
{
    struct plan *p = c->plan;
    struct op *last = p->op_count != c->barrier ? &p->ops[p->op_count - 1] : NULL;

    if (count == 0)
        return;
    if (last && last->code == OP_SKIP_BYTES && last->count + count <= UINT32_MAX)
        last->count += (uint32_t)count;
    else
        emit(c, (struct op){.code = OP_SKIP_BYTES, .count = (uint32_t)count});
}

/* Bytes of each value of the type when all have the same number, else -1. */
static int64_t fixed_size(const struct schema_type *t)
{
    switch (t->kind) {
    case SCHEMA_FLOAT: return 4;
    case SCHEMA_DOUBLE: return 8;
    case SCHEMA_FIXED: return (int64_t)t->count;
    default: return t->min_size == 0 ? 0 : -1;
    }
}

static void call_routine(struct compiler *c, int32_t type)
{
    if (!c->is_due[type]) {
        c->is_due[type] = true;
        c->due = mem_grow(c->due, c->due_count, &c->due_cap, sizeof *c->due);
        c->due[c->due_count++] = type;
    }
    emit(c, (struct op){.code = OP_CALL, .target = (uint32_t)type});
}

static void skip_fields(struct compiler *c, const struct schema_type *t)
{
    for (uint64_t i = 0; i < t->count && !c->is_too_big; i++)
        skip(c, t->fields[i].type);
}

static void skip(struct compiler *c, int32_t type)
{
    const struct schema_type *t = &c->schema->types[type];

    if (++c->visits > MAX_VISITS)
        c->is_too_big = true;
    if (c->is_too_big)
        return;
    if (fixed_size(t) >= 0) {
        skip_bytes(c, (uint64_t)fixed_size(t));
        return;
    }
    switch (t->kind) {
    case SCHEMA_BOOLEAN: emit(c, (struct op){.code = OP_SKIP_BOOLEAN}); break;
    case SCHEMA_INT: emit(c, (struct op){.code = OP_SKIP_INT}); break;
    case SCHEMA_LONG: emit(c, (struct op){.code = OP_SKIP_LONG}); break;
    case SCHEMA_BYTES:
    case SCHEMA_STRING: emit(c, (struct op){.code = OP_SKIP_LENGTH}); break;
    case SCHEMA_ENUM:
        emit(c, (struct op){.code = OP_SKIP_ENUM, .count = (uint32_t)t->count});
        break;
    case SCHEMA_RECORD:
        if (t->is_reused)
            call_routine(c, type);
        else
            skip_fields(c, t);
        break;
    default: compile_part(c, type, &no_wish);
    }
}

/* ---- scalars */

static void read_enum(struct compiler *c, const struct schema_type *t, size_t slot)
{
    struct plan *p = c->plan;
    size_t first = p->code_count;

    if (first + t->count > MAX_CODES)
        c->is_too_big = true;
    for (uint64_t i = 0; i < t->count && !c->is_too_big; i++) {
        p->codes = mem_grow(p->codes, p->code_count, &p->code_cap, sizeof *p->codes);
        p->codes[p->code_count++] =
            bind_text_value(&c->features->items[slot], t->symbols[i], strlen(t->symbols[i]));
    }
    emit(c, (struct op){.code = OP_ENUM,
                        .slot = (uint16_t)slot,
                        .count = (uint32_t)t->count,
                        .target = (uint32_t)first});
}

static enum op_code reading_op(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_BOOLEAN: return OP_BOOLEAN;
    case SCHEMA_INT: return OP_INT;
    case SCHEMA_LONG: return OP_LONG;
    case SCHEMA_FLOAT: return OP_FLOAT;
    case SCHEMA_DOUBLE: return OP_DOUBLE;
    default: return OP_STRING;
    }
}

/* Doubles that are neighbours in the value and in the row become one op. */
static bool extend_run(struct compiler *c, size_t slot)
{
    struct plan *p = c->plan;
    struct op *last = p->op_count != c->barrier ? &p->ops[p->op_count - 1] : NULL;

    if (!last || (last->code != OP_DOUBLE && last->code != OP_DOUBLES) ||
        last->slot + last->count != slot)
        return false;
    last->code = OP_DOUBLES;
    last->count++;
    return true;
}

/* Where the symbols of an enum stand in the plan. */
static uint32_t keep_symbols(struct compiler *c, const struct schema_type *t)
{
    struct plan *p = c->plan;
    size_t first = p->symbol_count;

    if (first + t->count > MAX_CODES)
        c->is_too_big = true;
    for (uint64_t i = 0; i < t->count && !c->is_too_big; i++) {
        p->symbols = mem_grow(p->symbols, p->symbol_count, &p->symbol_cap, sizeof *p->symbols);
        p->symbols[p->symbol_count++] = mem_copy_text(t->symbols[i], strlen(t->symbols[i]));
    }
    return (uint32_t)first;
}

static bool is_time(const struct compiler *c, size_t carry)
{
    return c->features->has_time && carry == c->features->carry_count - 1;
}

/* A time is a long; as text every scalar can be carried. What is none of it is left out. */
static void keep(struct compiler *c, int32_t type, size_t carry)
{
    const struct schema_type *t = &c->schema->types[type];
    struct op op = {.code = OP_KEEP, .branch = (uint8_t)t->kind, .slot = (uint16_t)carry};

    if (!binding_carries(t->kind, is_time(c, carry))) {
        skip(c, type);
        return;
    }
    if (t->kind == SCHEMA_LONG)
        op.count = is_time(c, carry) && t->units_per_ms ? t->units_per_ms : 1;
    else
        op.count = (uint32_t)t->count;
    if (t->kind == SCHEMA_ENUM)
        op.target = keep_symbols(c, t);
    emit(c, op);
}

static void read_scalar(struct compiler *c, int32_t type, size_t slot)
{
    const struct schema_type *t = &c->schema->types[type];

    if (slot >= c->features->count) {
        keep(c, type, slot - c->features->count);
        return;
    }
    if (!binding_converts(t->kind, c->features->items[slot].type)) {
        emit(c, (struct op){.code = OP_WRONG, .slot = (uint16_t)slot});
        skip(c, type);
        return;
    }
    if (c->branches == 0)
        c->sure[slot] = true;
    if (t->kind == SCHEMA_ENUM)
        read_enum(c, t, slot);
    else if (t->kind != SCHEMA_DOUBLE || !extend_run(c, slot))
        emit(c,
             (struct op){.code = (uint8_t)reading_op(t->kind), .slot = (uint16_t)slot, .count = 1});
}

/* ---- unions and items */

static bool is_null(const struct compiler *c, int32_t type)
{
    return c->schema->types[type].kind == SCHEMA_NULL;
}

/* [null, number] for one feature in one op. */
static bool read_optional_number(struct compiler *c, int32_t type, const struct wish *w, int branch)
{
    enum schema_kind kind = c->schema->types[type].kind;
    enum op_code code = kind == SCHEMA_DOUBLE  ? OP_OPTIONAL_DOUBLE
                        : kind == SCHEMA_FLOAT ? OP_OPTIONAL_FLOAT
                        : kind == SCHEMA_INT   ? OP_OPTIONAL_INT
                                               : OP_OPTIONAL_LONG;

    if (w->want_count != 1 || kind < SCHEMA_INT || kind > SCHEMA_DOUBLE ||
        w->wants[0].slot >= c->features->count ||
        c->features->items[w->wants[0].slot].type != FEATURE_NUMBER)
        return false;
    emit(c, (struct op){.code = (uint8_t)code,
                        .branch = (uint8_t)branch,
                        .slot = (uint16_t)w->wants[0].slot,
                        .count = c->features->items[w->wants[0].slot].required});
    return true;
}

static bool has_required(const struct compiler *c, const struct wish *w)
{
    for (size_t i = 0; i < w->want_count; i++)
        if (w->wants[i].slot < c->features->count && c->features->items[w->wants[i].slot].required)
            return true;
    for (size_t i = 0; i < w->child_count; i++)
        if (has_required(c, &w->children[i]))
            return true;
    return false;
}

static void compile_union(struct compiler *c, const struct schema_type *t, const struct wish *w)
{
    int64_t chain = CHAIN_END;
    uint32_t first;

    if (t->count == 2 && is_null(c, t->branches[0]) != is_null(c, t->branches[1])) {
        int branch = is_null(c, t->branches[0]);
        size_t op;
        if (read_optional_number(c, t->branches[branch], w, branch))
            return;
        op = emit(c, (struct op){.code = OP_OPTIONAL, .branch = (uint8_t)branch});
        compile(c, t->branches[branch], w);
        if (has_required(c, w))
            chain = emit_jump(c, chain);
        land(c, op);
        emit_missing(c, w);
        land_chain(c, chain);
        return;
    }
    first = reserve_jumps(c->plan, t->count);
    emit(c, (struct op){.code = OP_UNION, .count = (uint32_t)t->count, .target = first});
    for (uint64_t i = 0; i < t->count && !c->is_too_big; i++) {
        c->plan->jumps[first + i] = here(c);
        if (is_null(c, t->branches[i]))
            emit_missing(c, w);
        compile(c, t->branches[i], w);
        chain = emit_jump(c, chain);
    }
    land_chain(c, chain);
}

/* The items that features want, behind the op that picks; the others are skipped. */
static void compile_picks(struct compiler *c, int32_t items, const struct wish *w, bool is_index)
{
    size_t first = c->plan->pick_count, pick = first;
    int64_t chain;

    emit(c, (struct op){.code = is_index ? OP_PICK_INDEX : OP_PICK_KEY,
                        .count = (uint32_t)wish_count(w, is_index),
                        .target = (uint32_t)first});
    for (size_t i = 0; i < w->child_count; i++)
        if ((w->children[i].kind == STEP_INDEX) == is_index)
            add_pick(c->plan, &w->children[i]);
    skip(c, items);
    chain = emit_jump(c, CHAIN_END);
    for (size_t i = 0; i < w->child_count; i++) {
        if ((w->children[i].kind == STEP_INDEX) != is_index)
            continue;
        c->plan->picks[pick++].target = here(c);
        emit_below(c, &w->children[i], OP_RESET); /* a key that comes again: the last one counts */
        compile(c, items, &w->children[i]);
        chain = emit_jump(c, chain);
    }
    land_chain(c, chain);
}

static void compile_blocks(struct compiler *c, const struct schema_type *t, const struct wish *w)
{
    const struct schema_type *items = &c->schema->types[t->items];
    bool is_array = t->kind == SCHEMA_ARRAY, has_picks = wish_count(w, is_array) != 0;
    uint64_t least = items->min_size + !is_array;
    size_t start;

    /* Items of no bytes feed nothing, wherever they stand; a loop over them would have no bound. */
    if (is_array && (fixed_size(items) == 0 || (!has_picks && fixed_size(items) > 0))) {
        emit(c, (struct op){.code = OP_SKIP_ITEMS, .count = (uint32_t)fixed_size(items)});
        return;
    }
    start = emit(c, (struct op){.code = OP_BLOCKS});
    here(c);
    if (has_picks) {
        compile_picks(c, t->items, w, is_array);
    } else {
        if (!is_array)
            emit(c, (struct op){.code = OP_SKIP_LENGTH});
        skip(c, t->items);
    }
    land(c, start);
    emit(c, (struct op){.code = OP_BLOCKS_END,
                        .count = least < UINT32_MAX ? (uint32_t)least : UINT32_MAX,
                        .target = (uint32_t)start + 1});
}

/* ---- the whole tree */

static void compile_record(struct compiler *c, const struct schema_type *t, const struct wish *w)
{
    const struct wish *to_root = wish_to_root(w, false);

    if (to_root && schema_field_find(t, to_root->name) == SCHEMA_NONE)
        emit_root(c, ROOT_ABSENT);
    for (uint64_t i = 0; i < t->count && !c->is_too_big; i++)
        compile(c, t->fields[i].type, field_wish(w, t->fields[i].name));
}

/* w: one want and no children, or children and no want, or nothing (which only skips). */
static void compile_part(struct compiler *c, int32_t type, const struct wish *w)
{
    const struct schema_type *t = &c->schema->types[type];
    bool is_blocks = t->kind == SCHEMA_ARRAY || t->kind == SCHEMA_MAP;

    if (t->kind == SCHEMA_NULL)
        return;
    if (t->kind == SCHEMA_UNION) {
        c->branches++;
        compile_union(c, t, w);
        c->branches--;
        return;
    }
    if (w->want_count) {
        read_scalar(c, type, w->wants[0].slot);
        return;
    }
    if (w->is_root)
        emit_root(c, t->kind == SCHEMA_RECORD || t->kind == SCHEMA_MAP ? ROOT_PRESENT : ROOT_WRONG);
    if (t->kind != SCHEMA_RECORD && t->kind != SCHEMA_MAP)
        emit_children_wrong(c, w, false);
    if (t->kind != SCHEMA_ARRAY)
        emit_children_wrong(c, w, true);
    if (is_blocks) {
        if (wish_to_root(w, t->kind == SCHEMA_ARRAY))
            emit_root(c, ROOT_ABSENT);
        c->branches++;
        compile_blocks(c, t, w);
        c->branches--;
    } else if (t->kind == SCHEMA_RECORD) {
        compile_record(c, t, w);
    } else {
        skip(c, type);
    }
}

/* A value that several features want is read once for each, from the same place. */
static void compile(struct compiler *c, int32_t type, const struct wish *w)
{
    size_t passes = w->want_count + (w->child_count != 0 || w->is_root);

    if (passes == 0) {
        skip(c, type);
        return;
    }
    if (++c->visits > MAX_VISITS)
        c->is_too_big = true;
    for (size_t i = 0; i < passes && !c->is_too_big; i++) {
        struct wish part = *w;
        bool is_scalar = i < w->want_count, is_last = i == passes - 1;
        if (is_scalar)
            part.wants += i;
        part.want_count = is_scalar;
        part.child_count = is_scalar ? 0 : w->child_count;
        part.is_root = !is_scalar && w->is_root;
        if (!is_last)
            emit(c, (struct op){.code = OP_MARK});
        compile_part(c, type, &part);
        if (!is_last)
            emit(c, (struct op){.code = OP_REWIND});
    }
}

static void write_routines(struct compiler *c)
{
    for (size_t i = 0; i < c->due_count && !c->is_too_big; i++) {
        c->routines[c->due[i]] = here(c);
        skip_fields(c, &c->schema->types[c->due[i]]);
        emit(c, (struct op){.code = OP_RETURN});
    }
    for (size_t i = 0; i < c->plan->op_count && !c->is_too_big; i++)
        if (c->plan->ops[i].code == OP_CALL)
            c->plan->ops[i].target = c->routines[c->plan->ops[i].target];
}

static void list_unsure(struct compiler *c)
{
    struct plan *p = c->plan;

    p->unsure = mem_alloc(c->features->count, sizeof *p->unsure);
    for (size_t i = 0; i < c->features->count; i++)
        if (c->features->items[i].required && !c->sure[i])
            p->unsure[p->unsure_count++] = (uint16_t)i;
}

static void compile_all(struct compiler *c, const struct binding *binding)
{
    struct wish root = {.kind = STEP_FIELD};

    for (size_t i = 0; i < c->features->count; i++) {
        int32_t path = binding->items[i].path;
        if (path != BINDING_MISSING)
            wish_add(&root, &c->features->items[i].paths[path], (struct want){i, 0});
    }
    for (size_t i = 0; i < c->features->carry_count; i++)
        wish_add(&root, &c->features->carries[i], (struct want){c->features->count + i, 0});
    wish_mark_root(&root, &c->features->root);
    if (root.leads_to_root)
        emit_root(c, ROOT_NULL);
    compile(c, c->schema->root, &root);
    emit(c, (struct op){.code = OP_END});
    write_routines(c);
    list_unsure(c);
    wish_release(&root);
}

static int refuse(const struct binding *binding, const struct features *features, struct err *err)
{
    char *words;
    size_t len;
    FILE *out = open_memstream(&words, &len);

    binding_print(binding, features, out);
    fclose(out);
    err_fatal(err, EXIT_DATA, "%s", words);
    free(words);
    return -1;
}

static int compile_bound(struct compiler *c, const struct binding *binding, FILE *say,
                         struct err *err)
{
    c->plan = mem_alloc(1, sizeof *c->plan);
    c->routines = mem_alloc(c->schema->count, sizeof *c->routines);
    c->is_due = mem_alloc(c->schema->count, sizeof *c->is_due);
    c->sure = mem_alloc(c->features->count, sizeof *c->sure);
    compile_all(c, binding);
    free(c->routines);
    free(c->is_due);
    free(c->due);
    free(c->sure);
    if (!c->is_too_big)
        return 0;
    fprintf(say, "; but reading it takes more than %d operations", PLAN_MAX_OPS);
    plan_free(c->plan);
    return err_fatal(err, EXIT_DATA, "reading it takes more than %d operations", PLAN_MAX_OPS);
}

int plan_compile(struct plan **plan, const struct avro_schema *schema,
                 const struct features *features, FILE *say, struct err *err)
{
    struct compiler c = {.schema = schema, .features = features};
    struct binding *binding = binding_new(schema, features);
    int result;

    *plan = NULL;
    binding_print(binding, features, say);
    result = binding_is_usable(binding) ? compile_bound(&c, binding, say, err)
                                        : refuse(binding, features, err);
    if (result == 0)
        *plan = c.plan;
    binding_free(binding);
    return result;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->pick_count; i++)
        free(plan->picks[i].key);
    for (size_t i = 0; i < plan->symbol_count; i++)
        free(plan->symbols[i]);
    free(plan->symbols);
    free(plan->ops);
    free(plan->codes);
    free(plan->jumps);
    free(plan->picks);
    free(plan->unsure);
    free(plan);
}

size_t plan_op_count(const struct plan *plan)
{
    return plan->op_count;
}
