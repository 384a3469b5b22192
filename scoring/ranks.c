#include "scoring/ranks.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* A split that waits for its rank; the key in the order of unsigned numbers. */
struct entry {
    uint32_t key, split;
};

struct sorter {
    struct entry *entries, *spare;
    uint32_t *source_of; /* of each split of the forest */
    size_t count;
};

/* ---- which input, which sides */

static void meet(struct ranks *r, struct sorter *s, const struct split *split, uint32_t index)
{
    struct split common = *split;
    size_t known = r->inputs.count;
    uint32_t source;
    bool left = split->default_left && split->missing != MISSING_NEVER;

    common.default_left = false;
    source = inputs_find(&r->inputs, &common);
    if (r->inputs.count > known) {
        r->sources = mem_resize(r->sources, r->inputs.cap, sizeof *r->sources);
        r->sources[source] = (struct rank_source){.columns = {RANKS_NONE, RANKS_NONE}};
    }
    s->source_of[index] = source;
    if (split->kind == SPLIT_MEMBER) {
        r->sources[source].columns[0] = 0;
        return;
    }
    r->sources[source].columns[left] = 0; /* that it is there: numbered later */
    s->entries[s->count++] = (struct entry){inputs_threshold(split), index};
}

static void meet_all(struct ranks *r, struct sorter *s, const struct trees *t, const bool *chosen)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t first = t->items[i].first_split;
        for (size_t k = first; chosen[i] && k < first + t->items[i].split_count; k++)
            meet(r, s, &t->splits[k], (uint32_t)k);
    }
}

/* ---- sort by source, then by key: from the lowest digit up, each pass keeps the order */

static uint32_t digit_of(const struct sorter *s, const struct entry *e, int shift)
{
    return shift < 32 ? e->key >> shift & 2047 : s->source_of[e->split];
}

static void sort_by(struct sorter *s, int shift, size_t digits)
{
    size_t *starts = mem_alloc(digits + 1, sizeof *starts);
    struct entry *sorted = s->spare;

    for (size_t i = 0; i < s->count; i++)
        starts[digit_of(s, &s->entries[i], shift) + 1]++;
    for (size_t d = 0; d < digits; d++)
        starts[d + 1] += starts[d];
    for (size_t i = 0; i < s->count; i++)
        sorted[starts[digit_of(s, &s->entries[i], shift)]++] = s->entries[i];
    s->spare = s->entries;
    s->entries = sorted;
    free(starts);
}

/* ---- numbers */

static size_t distinct(const struct sorter *s, size_t first, size_t end)
{
    size_t count = 0;

    for (size_t i = first; i < end; i++)
        count += i == first || s->entries[i].key != s->entries[i - 1].key;
    return count;
}

static void add_group(struct ranks *r, size_t *cap)
{
    struct rank_group *group;

    if (r->group_count == *cap) {
        struct rank_group *more = mem_alloc_aligned(*cap = 2 * *cap + 8, sizeof *more);
        if (r->group_count > 0)
            memcpy(more, r->groups, r->group_count * sizeof *more);
        free(r->groups);
        r->groups = more;
    }
    group = &r->groups[r->group_count++];
    for (size_t i = 0; i <= RANKS_GROUP; i++)
        group->below[i] = group->pivots[i / 16] = INT32_MAX;
}

/* The entries from range[0] to before range[1] are one source's. */
static void place_source(struct ranks *r, const struct sorter *s, struct rank_plan *plan,
                         const size_t range[2])
{
    size_t first_group = r->sources[s->source_of[s->entries[range[0]].split]].first_group;
    size_t rank = 0;

    for (size_t i = range[0]; i < range[1]; i++) {
        const struct entry *e = &s->entries[i];
        bool is_new = i == range[0] || e->key != s->entries[i - 1].key;
        rank += i > range[0] && is_new;
        size_t group = rank / RANKS_GROUP, k = rank % RANKS_GROUP;
        if (is_new) {
            int32_t below = (int32_t)(e->key ^ 0x80000000u) - 1;
            r->groups[first_group + group].below[k] = below;
            if (k % 16 == 15)
                r->groups[first_group + group].pivots[k / 16] = below;
        }
        /* the column within its side, for now */
        plan->places[e->split] = (struct rank_place){(uint16_t)group, (uint8_t)k};
        plan->order[i] = e->split;
    }
}

static void place_numbers(struct ranks *r, const struct sorter *s, struct rank_plan *plan)
{
    size_t cap = 0;

    for (size_t first = 0, end; first < s->count; first = end) {
        uint32_t source = s->source_of[s->entries[first].split];
        size_t groups;
        for (end = first; end < s->count && s->source_of[s->entries[end].split] == source;)
            end++;
        groups = (distinct(s, first, end) + RANKS_GROUP - 1) / RANKS_GROUP;
        r->sources[source].first_group = r->group_count;
        r->sources[source].group_count = groups;
        for (size_t g = 0; g < groups; g++)
            add_group(r, &cap);
        place_source(r, s, plan, (size_t[2]){first, end});
    }
}

/* ---- columns */

static void number_columns(struct ranks *r)
{
    for (size_t i = 0; i < r->inputs.count; i++)
        for (int side = 0; side < 2; side++) {
            if (r->sources[i].columns[side] == RANKS_NONE)
                continue;
            r->sources[i].columns[side] = (int32_t)r->column_count;
            r->column_count += r->inputs.items[i].is_category ? 1 : r->sources[i].group_count;
        }
}

static void finish_places(const struct ranks *r, const struct sorter *s, const struct trees *t,
                          struct rank_plan *plan)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t first = t->items[i].first_split;
        for (size_t k = first; plan->chosen[i] && k < first + t->items[i].split_count; k++) {
            const struct split *split = &t->splits[k];
            bool left = split->kind != SPLIT_MEMBER && split->default_left &&
                        split->missing != MISSING_NEVER;
            uint16_t group = split->kind == SPLIT_MEMBER ? 0 : plan->places[k].column;
            plan->places[k].column = (uint16_t)(r->sources[s->source_of[k]].columns[left] + group);
        }
    }
}

int ranks_init(struct ranks *r, const struct trees *t, struct rank_plan *plan)
{
    struct sorter s = {0};
    bool fits;

    *r = (struct ranks){0};
    inputs_init(&r->inputs, t);
    s.entries = mem_alloc(t->split_count, sizeof *s.entries);
    s.spare = mem_alloc(t->split_count, sizeof *s.spare);
    s.source_of = mem_alloc(t->split_count, sizeof *s.source_of);
    meet_all(r, &s, t, plan->chosen);
    inputs_close(&r->inputs);
    for (int shift = 0; shift < 32; shift += 11)
        sort_by(&s, shift, 2048);
    sort_by(&s, 32, r->inputs.count);
    place_numbers(r, &s, plan);
    plan->order_count = s.count;
    number_columns(r);
    fits = r->column_count <= RANKS_MAX_COLUMNS;
    if (fits)
        finish_places(r, &s, t, plan);
    else
        ranks_release(r);
    free(s.entries);
    free(s.spare);
    free(s.source_of);
    return fits ? 0 : -1;
}

void ranks_release(struct ranks *r)
{
    inputs_release(&r->inputs);
    free(r->sources);
    free(r->groups);
}

uint8_t ranks_code(const struct ranks *r, size_t source, float x)
{
    uint32_t cell = inputs_cell(&r->inputs, &r->inputs.items[source], x);

    if (cell == CATEGORY_LEFT || cell == CATEGORY_RIGHT)
        return CODE_MISSING;
    return cell < CODE_BEYOND ? (uint8_t)cell : CODE_BEYOND;
}
