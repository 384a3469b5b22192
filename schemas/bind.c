#include "schemas/bind.h"

#include <stdlib.h>

#include "core/mem.h"

void bind_init(struct bind *bind, const struct features *features)
{
    *bind = (struct bind){.features = features};
    bind->fill = mem_alloc(features->count, sizeof *bind->fill);
    bind->at = mem_alloc(features->count, sizeof *bind->at);
    bind->required = mem_alloc(features->count, sizeof *bind->required);
    bind->has_extras = features->root.step_count != 0 || features->carry_count != 0;
    bind->is_faulty = bind->has_extras;
    bind->carried = mem_alloc(features->carry_count, sizeof *bind->carried);
    for (size_t i = 0; i < features->count; i++) {
        const struct feature *f = &features->items[i];
        bind->fill[i] = f->required ? bind_fault_float(FAULT_BIND_MISSING_FIELD) : f->missing;
        if (f->required)
            bind->required[bind->required_count++] = i;
    }
}

void bind_release(struct bind *bind)
{
    free(bind->fill);
    free(bind->at);
    free(bind->required);
    free(bind->carried);
    *bind = (struct bind){0};
}

void bind_start_extras(struct bind *b)
{
    b->root = b->features->root.step_count ? ROOT_ABSENT : ROOT_PRESENT;
    for (size_t i = 0; i < b->features->carry_count; i++)
        b->carried[i].kind = CARRIED_NOTHING;
}

void bind_odd_number(struct bind *b, float *row, size_t slot, float value, size_t at)
{
    if (isnan(value))
        bind_missing(b, row, slot, at);
    else
        bind_fault(b, row, slot, FAULT_BIND_NOT_FINITE, at);
}

float bind_text_value(const struct feature *feature, const char *text, size_t len)
{
    int32_t code = category_find(feature->table, text, len);

    if (code >= 0)
        return (float)code;
    return feature->unknown_is_missing ? feature->missing
                                       : bind_fault_float(FAULT_BIND_UNKNOWN_CATEGORY);
}

void bind_unknown(struct bind *b, float *row, size_t slot, size_t at)
{
    if (b->features->items[slot].unknown_is_missing)
        row[slot] = b->features->items[slot].missing;
    else
        bind_fault(b, row, slot, FAULT_BIND_UNKNOWN_CATEGORY, at);
}

bool bind_text(struct bind *b, float *row, size_t slot, const char *text, size_t len, size_t at)
{
    int32_t code = category_find(b->features->items[slot].table, text, len);

    if (code < 0) {
        bind_unknown(b, row, slot, at);
        return false;
    }
    row[slot] = (float)code;
    return true;
}

static struct outcome judge_root(const struct bind *b)
{
    if (b->root == ROOT_NULL)
        return (struct outcome){OUTCOME_SKIPPED, FAULT_NONE, OUTCOME_NO_FEATURE, 0};
    return b->root == ROOT_WRONG ? outcome_dead(FAULT_BIND_WRONG_TYPE, b->root_at)
                                 : outcome_dead(FAULT_BIND_MISSING_FIELD, 0);
}

struct outcome bind_judge_faults(const struct bind *b, const float *row)
{
    if (b->root != ROOT_PRESENT)
        return judge_root(b);
    for (size_t i = 0; i < b->features->count; i++)
        if (bind_is_fault(row[i]))
            return outcome_dead_feature(bind_fault_of(row[i]), i, b->at[i]);
    return outcome_scored();
}
