#include "scoring/ranks.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* A split of the forest that waits for its rank. */
struct entry {
    uint32_t key; /* in the order of unsigned numbers; then its rank: 256 * group + */
    uint32_t split : 31, right : 1; /* right: it sends missing right */
};

enum { TABLE = 4096 };

struct sorter {
    struct entry *entries;      /* of one source after the other */
    size_t *ends;               /* of each source's entries */
    struct entry *kept, *spare; /* those of one source, most of them once; split: its number */
    uint32_t table[TABLE];      /* numbers in kept, from 1 on */
};

/* ---- which input, which sides */

static bool is_missing_right(const struct split *split)
{
    return !split->default_left && split->missing != MISSING_NEVER;
}

/* Of a source its splits are counted first, its groups later. */
static void meet(struct ranks *r, const struct split *split)
{
    size_t known = r->inputs.count;
    uint32_t source = inputs_find(&r->inputs, split, false);

    if (r->inputs.count > known) {
        r->sources = mem_resize(r->sources, r->inputs.cap, sizeof *r->sources);
        r->sources[source] = (struct rank_source){0};
    }
    r->sources[source].has_right |= is_missing_right(split);
    r->sources[source].group_count += split->kind != SPLIT_MEMBER;
}

static void meet_all(struct ranks *r, const struct trees *t, const bool *chosen)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t first = t->items[i].first_split;
        for (size_t k = first; chosen[i] && k < first + t->items[i].split_count; k++)
            meet(r, &t->splits[k]);
    }
}

/* ---- sort by source */

static void sort_tree(struct ranks *r, struct sorter *s, const struct trees *t,
                      const struct tree *tree)
{
    for (size_t k = tree->first_split; k < tree->first_split + tree->split_count; k++) {
        const struct split *split = &t->splits[k];
        if (split->kind != SPLIT_MEMBER)
            s->entries[s->ends[inputs_find(&r->inputs, split, false)]++] = (struct entry){
                inputs_threshold(split), (uint32_t)k & INT32_MAX, is_missing_right(split)};
    }
}

static void sort_by_source(struct ranks *r, struct sorter *s, const struct trees *t,
                           const bool *chosen)
{
    size_t count = 0, most = 0;

    s->ends = mem_alloc(r->inputs.count, sizeof *s->ends);
    for (size_t i = 0; i < r->inputs.count; i++) {
        size_t splits = r->sources[i].group_count;
        s->ends[i] = count; /* where they start, so far */
        count += splits;
        most = splits > most ? splits : most;
    }
    s->entries = mem_resize(NULL, count, sizeof *s->entries);
    s->kept = mem_resize(NULL, most, sizeof *s->kept);
    s->spare = mem_resize(NULL, most, sizeof *s->spare);
    for (size_t i = 0; i < t->count; i++)
        if (chosen[i])
            sort_tree(r, s, t, &t->items[i]);
}

/* ---- the thresholds of a source, by key: as models are trained on histograms, many splits share
 * one, and a small table finds most of them */

/* Each entry's key becomes the number of its threshold in kept. */
static size_t keep_distinct(struct sorter *s, struct entry *entries, size_t count)
{
    uint32_t bits = 4;
    size_t kept = 0;

    while (1u << bits < TABLE && 1u << bits < 2 * count)
        bits++;
    memset(s->table, 0, sizeof s->table[0] << bits);
    for (size_t i = 0; i < count; i++) {
        uint32_t key = entries[i].key, *known = &s->table[key * 0x9e3779b1u >> (32 - bits)];
        if (*known == 0 || s->kept[*known - 1].key != key) {
            s->kept[kept] = (struct entry){key, (uint32_t)kept & INT32_MAX, 0};
            *known = (uint32_t)++kept;
        }
        entries[i].key = *known - 1;
    }
    return kept;
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

/* What is kept of a source: into its groups; the ranks are left in spare. */
static void rank_kept(struct ranks *r, const struct rank_source *source, struct sorter *s,
                      size_t count)
{
    int32_t group = 0, k = -1;

    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &s->kept[i];
        if (i == 0 || e->key != s->kept[i - 1].key) {
            int32_t below = (int32_t)(e->key ^ 0x80000000u) - 1;
            group += ++k == RANKS_GROUP;
            k %= RANKS_GROUP;
            r->groups[source->first_group + (size_t)group].below[k] = below;
            if (k % 16 == 15)
                r->groups[source->first_group + (size_t)group].pivots[k / 16] = below;
        }
        s->spare[e->split].key = 256 * (uint32_t)group + (uint32_t)k;
    }
}

static void rank_all(struct ranks *r, struct sorter *s)
{
    size_t cap = 0;

    for (size_t i = 0, first = 0; i < r->inputs.count; first = s->ends[i++]) {
        struct rank_source *source = &r->sources[i];
        size_t count = keep_distinct(s, s->entries + first, s->ends[i] - first);
        sort_by_key(s->kept, s->spare, count);
        source->first_group = r->group_count;
        source->group_count = (distinct(s->kept, count) + RANKS_GROUP - 1) / RANKS_GROUP;
        for (size_t g = 0; g < source->group_count; g++)
            add_group(r, &cap);
        rank_kept(r, source, s, count);
        for (size_t k = first; k < s->ends[i]; k++)
            s->entries[k].key = s->spare[s->entries[k].key].key;
    }
}

static void number_columns(struct ranks *r)
{
    for (size_t i = 0; i < r->inputs.count; i++) {
        r->sources[i].first_column = r->column_count;
        r->column_count += r->inputs.items[i].is_category ? 1 : r->sources[i].group_count;
    }
}

/* Features that no source has cost a step each. */
static void order_by_feature(struct ranks *r)
{
    uint32_t *next = mem_alloc(r->inputs.feature_count + 1, sizeof *next);

    r->order = mem_alloc(r->inputs.count, sizeof *r->order);
    for (size_t i = 0; i < r->inputs.count; i++)
        next[r->inputs.items[i].feature + 1]++;
    for (size_t f = 0; f < r->inputs.feature_count; f++)
        next[f + 1] += next[f];
    for (size_t i = 0; i < r->inputs.count; i++)
        r->order[next[r->inputs.items[i].feature]++] = (uint32_t)i;
    free(next);
}

/* ---- places */

static void place_numbers(const struct ranks *r, const struct sorter *s, struct rank_place *places)
{
    for (size_t i = 0, first = 0; i < r->inputs.count; first = s->ends[i++])
        for (size_t k = first; k < s->ends[i]; k++) {
            const struct entry *e = &s->entries[k];
            size_t column = r->sources[i].first_column + (e->key >> 8);
            places[e->split] = (struct rank_place){(uint16_t)column, (uint8_t)e->key, e->right};
        }
}

static void place_members(struct ranks *r, const struct trees *t, const struct rank_plan *plan)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t first = t->items[i].first_split, end = first + t->items[i].split_count;
        for (size_t k = first; plan->chosen[i] && t->items[i].member_count > 0 && k < end; k++)
            if (t->splits[k].kind == SPLIT_MEMBER)
                plan->places[k].column =
                    (uint16_t)r->sources[inputs_find(&r->inputs, &t->splits[k], false)]
                        .first_column;
    }
}

int ranks_init(struct ranks *r, const struct trees *t, struct rank_plan *plan)
{
    struct sorter *s = mem_alloc(1, sizeof *s);
    bool fits;

    *r = (struct ranks){0};
    inputs_init(&r->inputs, t);
    meet_all(r, t, plan->chosen);
    sort_by_source(r, s, t, plan->chosen);
    rank_all(r, s);
    number_columns(r);
    order_by_feature(r);
    fits = r->column_count <= RANKS_MAX_COLUMNS;
    if (fits) {
        place_numbers(r, s, plan->places);
        place_members(r, t, plan);
        inputs_close(&r->inputs);
    } else {
        ranks_release(r);
    }
    free(s->entries);
    free(s->ends);
    free(s->kept);
    free(s->spare);
    free(s);
    return fits ? 0 : -1;
}

void ranks_release(struct ranks *r)
{
    inputs_release(&r->inputs);
    free(r->sources);
    free(r->order);
    free(r->groups);
}

uint8_t ranks_code(const struct ranks *r, size_t source, float x)
{
    uint32_t cell = inputs_cell(&r->inputs, &r->inputs.items[source], x);

    if (cell == CATEGORY_LEFT || cell == CATEGORY_RIGHT)
        return CODE_MISSING;
    return cell < CODE_BEYOND ? (uint8_t)cell : CODE_BEYOND;
}
