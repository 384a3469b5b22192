#include "schemas/binding_search.h"

#include <stdlib.h>

#include "core/mem.h"
#include "schemas/binding.h"

static void types_init(struct types *set, size_t cap)
{
    *set = (struct types){mem_alloc(cap, sizeof(int32_t)), 0, mem_alloc(cap, sizeof(uint32_t)), 0};
}

static void types_release(struct types *set)
{
    free(set->items);
    free(set->marks);
}

static void types_clear(struct types *set)
{
    set->count = 0;
    set->round++;
}

static void types_add(struct types *set, const struct avro_schema *schema, int32_t type)
{
    const struct schema_type *t = &schema->types[type];

    if (set->marks[type] == set->round)
        return;
    set->marks[type] = set->round;
    if (t->kind != SCHEMA_UNION)
        set->items[set->count++] = type;
    else
        for (uint64_t i = 0; i < t->count; i++)
            types_add(set, schema, t->branches[i]);
}

void search_init(struct search *s, const struct avro_schema *schema)
{
    *s = (struct search){.schema = schema};
    types_init(&s->now, schema->count);
    types_init(&s->next, schema->count);
    types_init(&s->refused, schema->count);
}

void search_release(struct search *s)
{
    types_release(&s->now);
    types_release(&s->next);
    types_release(&s->refused);
}

static void refuse(struct search *s, int32_t type, const struct step *step)
{
    s->stopped_type = type;
    s->stopped_step = step;
    types_add(&s->refused, s->schema, type);
}

/* One step from every type of `now` into `next`. */
static enum reach take_step(struct search *s, const struct step *step)
{
    enum reach reach = REACH_NULL;

    types_clear(&s->next);
    for (size_t i = 0; i < s->now.count; i++) {
        int32_t type = s->now.items[i], field = SCHEMA_NONE;
        const struct schema_type *t = &s->schema->types[type];
        if (t->kind == SCHEMA_RECORD && step->kind != STEP_INDEX) {
            field = schema_field_find(t, step->name);
            if (field == SCHEMA_NONE) {
                s->stopped = t;
                s->stopped_name = step->name;
                s->may_miss = true;
                reach = REACH_ABSENT;
            } else {
                types_add(&s->next, s->schema, t->fields[field].type);
            }
        } else if (t->kind == (step->kind == STEP_INDEX ? SCHEMA_ARRAY : SCHEMA_MAP)) {
            types_add(&s->next, s->schema, t->items);
            s->may_miss = true;
        } else if (t->kind == SCHEMA_NULL) {
            s->may_miss = true;
        } else {
            refuse(s, type, step);
            reach = reach == REACH_ABSENT ? REACH_ABSENT : REACH_WRONG;
        }
    }
    return s->next.count != 0 ? REACH_VALUE : reach;
}

/* All that may be at the path's end into `now`. */
static enum reach walk(struct search *s, const struct path *path)
{
    s->stopped = NULL;
    s->may_miss = false;
    types_clear(&s->refused);
    types_clear(&s->now);
    types_add(&s->now, s->schema, s->schema->root);
    for (size_t i = 0; i < path->step_count; i++) {
        enum reach reach = take_step(s, &path->steps[i]);
        struct types swap = s->now;
        if (reach != REACH_VALUE)
            return reach;
        s->now = s->next;
        s->next = swap;
    }
    return REACH_VALUE;
}

enum reach search_feature(struct search *s, const struct path *path, enum feature_type type)
{
    enum reach reach = walk(s, path), end = REACH_NULL;

    for (size_t i = 0; reach == REACH_VALUE && i < s->now.count; i++) {
        enum schema_kind kind = s->schema->types[s->now.items[i]].kind;
        if (binding_converts(kind, type)) {
            end = REACH_VALUE;
        } else if (kind == SCHEMA_NULL) {
            s->may_miss = true;
        } else {
            refuse(s, s->now.items[i], NULL);
            end = end == REACH_VALUE ? REACH_VALUE : REACH_WRONG;
        }
    }
    return reach == REACH_VALUE ? end : reach;
}

enum reach search_root(struct search *s, const struct path *path)
{
    enum reach reach = walk(s, path), end = REACH_NULL;

    for (size_t i = 0; reach == REACH_VALUE && i < s->now.count; i++) {
        enum schema_kind kind = s->schema->types[s->now.items[i]].kind;
        if (kind == SCHEMA_RECORD || kind == SCHEMA_MAP)
            return REACH_VALUE;
        if (kind != SCHEMA_NULL) {
            refuse(s, s->now.items[i], NULL);
            end = REACH_WRONG;
        }
    }
    return reach == REACH_VALUE ? end : reach;
}

bool search_carry(struct search *s, const struct path *path, bool is_time)
{
    bool can = false;

    if (walk(s, path) != REACH_VALUE)
        return false;
    for (size_t i = 0; i < s->now.count; i++)
        can |= binding_carries(s->schema->types[s->now.items[i]].kind, is_time);
    return can;
}
