#include "scoring/ranks.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* A split that waits for its rank; the key in the order of unsigned numbers. */
struct entry {
    uint32_t key;
    uint32_t split : 31, left : 1; /* left: it looks at the column where missing is left */
};

struct sorter {
    struct entry *entries, *spare;
    uint32_t *source_of; /* of each split of the forest */
    size_t count;
    size_t *ends; /* of each source's entries, when they are sorted */
};

/* ---- which input, which sides */

static void meet(struct ranks *r, struct sorter *s, const struct split *split, uint32_t index)
{
    size_t known = r->inputs.count;
    uint32_t source = inputs_find(&r->inputs, split, false);
    bool left = split->default_left && split->missing != MISSING_NEVER;

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
    s->entries[s->count++] = (struct entry){inputs_threshold(split), index, left};
}

static void meet_all(struct ranks *r, struct sorter *s, const struct trees *t, const bool *chosen)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t first = t->items[i].first_split;
        for (size_t k = first; chosen[i] && k < first + t->items[i].split_count; k++)
            meet(r, s, &t->splits[k], (uint32_t)k);
    }
}

/* ---- sort by source, then the few of each, which are near, by key */

static void sort_by_source(struct sorter *s, size_t source_count)
{
    struct entry *sorted = s->spare;
    size_t *next = mem_alloc(source_count + 1, sizeof *next);

    for (size_t i = 0; i < s->count; i++)
        next[s->source_of[s->entries[i].split] + 1]++;
    for (size_t k = 0; k < source_count; k++)
        next[k + 1] += next[k];
    for (size_t i = 0; i < s->count; i++)
        sorted[next[s->source_of[s->entries[i].split]]++] = s->entries[i];
    s->spare = s->entries;
    s->entries = sorted;
    s->ends = next; /* each source's start has become its end */
}

static void insert_each(struct entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct entry e = entries[i];
        size_t at = i;
        for (; at > 0 && entries[at - 1].key > e.key; at--)
            entries[at] = entries[at - 1];
        entries[at] = e;
    }
}

/* From the lowest byte up, each pass keeps the order: an even number of them, back to where they
 * were. */
static void sort_by_key(struct entry *entries, struct entry *spare, size_t count)
{
    enum { BYTES = 4, FEW = 48 };
    uint32_t next[BYTES][256] = {0};

    if (count < FEW) {
        insert_each(entries, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (int byte = 0; byte < BYTES; byte++)
            next[byte][entries[i].key >> 8 * byte & 255]++;
    for (int byte = 0; byte < BYTES; byte++) {
        struct entry *from = byte % 2 ? spare : entries, *to = byte % 2 ? entries : spare;
        uint32_t start = 0;
        for (int digit = 0; digit < 256; digit++) {
            uint32_t end = start + next[byte][digit];
            next[byte][digit] = start;
            start = end;
        }
        for (size_t i = 0; i < count; i++)
            to[next[byte][from[i].key >> 8 * byte & 255]++] = from[i];
    }
}

/* ---- groups and columns */

static size_t distinct(const struct entry *entries, size_t count)
{
    size_t different = 0;

    for (size_t i = 0; i < count; i++)
        different += i == 0 || entries[i].key != entries[i - 1].key;
    return different;
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

static void add_groups(struct ranks *r, const struct sorter *s)
{
    size_t cap = 0;

    for (size_t i = 0, first = 0; i < r->inputs.count; first = s->ends[i++]) {
        struct rank_source *source = &r->sources[i];
        size_t count = s->ends[i] - first;
        sort_by_key(s->entries + first, s->spare, count);
        source->first_group = r->group_count;
        source->group_count = (distinct(s->entries + first, count) + RANKS_GROUP - 1) / RANKS_GROUP;
        for (size_t g = 0; g < source->group_count; g++)
            add_group(r, &cap);
    }
}

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

/* ---- places */

/* The entries of a source. */
static void place_numbers(struct ranks *r, const struct rank_source *source,
                          const struct entry *entries, size_t count, struct rank_place *places)
{
    int32_t group = 0, k = -1;

    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];
        if (i == 0 || e->key != entries[i - 1].key) {
            int32_t below = (int32_t)(e->key ^ 0x80000000u) - 1;
            group += ++k == RANKS_GROUP;
            k %= RANKS_GROUP;
            r->groups[source->first_group + (size_t)group].below[k] = below;
            if (k % 16 == 15)
                r->groups[source->first_group + (size_t)group].pivots[k / 16] = below;
        }
        places[e->split] =
            (struct rank_place){(uint16_t)(source->columns[e->left] + group), (uint8_t)k};
    }
}

static void place_members(const struct ranks *r, const struct sorter *s, const struct trees *t,
                          const struct rank_plan *plan)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t first = t->items[i].first_split, end = first + t->items[i].split_count;
        for (size_t k = first; plan->chosen[i] && t->items[i].member_count > 0 && k < end; k++)
            if (t->splits[k].kind == SPLIT_MEMBER)
                plan->places[k].column = (uint16_t)r->sources[s->source_of[k]].columns[0];
    }
}

static void place_all(struct ranks *r, const struct sorter *s, const struct trees *t,
                      const struct rank_plan *plan)
{
    for (size_t i = 0, first = 0; i < r->inputs.count; first = s->ends[i++])
        place_numbers(r, &r->sources[i], s->entries + first, s->ends[i] - first, plan->places);
    place_members(r, s, t, plan);
}

int ranks_init(struct ranks *r, const struct trees *t, struct rank_plan *plan)
{
    struct sorter s = {0};
    bool fits;

    *r = (struct ranks){0};
    inputs_init(&r->inputs, t);
    s.entries = mem_resize(NULL, t->split_count, sizeof *s.entries);
    s.spare = mem_resize(NULL, t->split_count, sizeof *s.spare);
    s.source_of = mem_resize(NULL, t->split_count, sizeof *s.source_of);
    meet_all(r, &s, t, plan->chosen);
    inputs_close(&r->inputs);
    sort_by_source(&s, r->inputs.count);
    add_groups(r, &s);
    number_columns(r);
    fits = r->column_count <= RANKS_MAX_COLUMNS;
    if (fits)
        place_all(r, &s, t, plan);
    else
        ranks_release(r);
    free(s.entries);
    free(s.spare);
    free(s.source_of);
    free(s.ends);
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
