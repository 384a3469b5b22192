/* In one piece: what a split, a mux and a code become depends on each other. */
#include "scoring/bits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/bits_alone.h"

enum { ANY = 0xffff }; /* a bit that a leaf does not care about: no slot */

struct builder {
    struct bits_program *p;
    const struct trees *t;
    const struct tree *source;
    const struct split *splits; /* of the tree */
    struct bits_tree *tree;
    uint16_t leaf_counts[BITS_MAX_LEAVES];                /* below each split */
    uint16_t heights[BITS_MAX_LEAVES];                    /* of each split above its deepest leaf */
    struct bits_mux muxes[BITS_MAX_LEAVES * BITS_PLANES]; /* slots by their numbers */
    size_t mux_count;
    uint16_t slot_count;
    uint8_t ends[BITS_MAX_LEAVES]; /* the leaf of each code */
};

/* ---- which trees */

/* A set without codes above 253, and without a difference among them. */
static bool is_set_taken(const struct trees *t, const struct split *s)
{
    const struct category_set *set = &t->sets[s->threshold];

    for (uint32_t c = CODE_BEYOND; c < set->bit_count; c++)
        if (category_set_has(set, c))
            return false;
    return t->category != CATEGORY_BEYOND_IS_DEFAULT || s->default_left ||
           set->bit_count <= CODE_BEYOND;
}

static bool is_taken(const struct trees *t, const struct tree *tree)
{
    if (tree->leaf_count > BITS_MAX_LEAVES || tree->equal_count > 0)
        return false;
    for (size_t i = 0; tree->member_count > 0 && i < tree->split_count; i++) {
        const struct split *s = &t->splits[tree->first_split + i];
        if (s->kind == SPLIT_MEMBER && !is_set_taken(t, s))
            return false;
    }
    return true;
}

/* ---- codes and muxes */

static uint16_t leaves_below(const struct builder *b, int32_t node)
{
    return node < 0 ? 1 : b->leaf_counts[node];
}

static bool is_slot(uint16_t plane)
{
    return plane != ANY && plane != SLOT_CLEAR && plane != SLOT_SET;
}

/* One bit of a split's code, from those of its sides; in place of one of them. */
static uint16_t combine(struct builder *b, struct bits_mux mux, bool *is_by_used)
{
    if (mux.clear == ANY || mux.clear == mux.set)
        return mux.set;
    if (mux.set == ANY)
        return mux.clear;
    if (mux.clear == SLOT_CLEAR && mux.set == SLOT_SET && !*is_by_used) {
        *is_by_used = true;
        return mux.by;
    }
    mux.to = is_slot(mux.clear) ? mux.clear : is_slot(mux.set) ? mux.set : b->slot_count++;
    b->muxes[b->mux_count++] = mux;
    return mux.to;
}

/* Places from low to before high. The code of a place is its Gray code: of places beside each other
 * it differs in one bit, where plain numbers differ in several, each a mux. */
struct range {
    uint32_t low, high;
};

static uint32_t code_of(uint32_t place)
{
    return place ^ place >> 1;
}

static uint32_t round_up(uint32_t number, uint32_t step)
{
    return (number + step - 1) / step * step;
}

/* Of a number that is not 0. */
static uint32_t highest_bit(uint32_t number)
{
    return 31u - (uint32_t)__builtin_clz(number);
}

/* All of the range is the leaf's: it cares only about where the largest block in it begins. */
static void emit_leaf(struct builder *b, uint32_t leaf, struct range range, uint16_t *planes,
                      uint32_t count)
{
    uint32_t free_bits = highest_bit(range.high - range.low), start;

    for (uint32_t place = range.low; place < range.high; place++)
        b->ends[code_of(place)] = (uint8_t)leaf;
    if (round_up(range.low, 1u << free_bits) + (1u << free_bits) > range.high)
        free_bits--;
    start = round_up(range.low, 1u << free_bits);
    for (uint32_t bit = 0; bit < count; bit++)
        planes[bit] = bit < free_bits ? ANY : code_of(start) >> bit & 1 ? SLOT_SET : SLOT_CLEAR;
}

/* The roundest place from least to most: what lies before it differs there first. */
static uint32_t round_between(uint32_t least, uint32_t most)
{
    uint32_t bit = highest_bit((least - 1) ^ most);

    return most >> bit << bit;
}

static void emit_node(struct builder *b, int32_t node, struct range range, uint16_t *planes,
                      uint32_t count);

/* Two leaves with a place each: half of all splits, in short. */
static void emit_pair(struct builder *b, int32_t node, struct range range, uint16_t *planes,
                      uint32_t count)
{
    uint32_t code = code_of(range.low);

    b->ends[code & ~1u] = (uint8_t)~b->splits[node].right;
    b->ends[code | 1] = (uint8_t)~b->splits[node].left;
    planes[0] = (uint16_t)node;
    for (uint32_t bit = 1; bit < count; bit++)
        planes[bit] = code >> bit & 1 ? SLOT_SET : SLOT_CLEAR;
}

/* The left side is where the first bit that differs is set: then it is the split's own plane. */
static void emit_split(struct builder *b, int32_t node, struct range range, uint16_t *planes,
                       uint32_t count)
{
    const struct split *s = &b->splits[node];
    uint32_t differ = highest_bit(range.low ^ (range.high - 1)) + 1;
    bool is_left_low = range.low >> differ & 1;
    int32_t low = is_left_low ? s->left : s->right, high = is_left_low ? s->right : s->left;
    uint32_t middle =
        round_between(range.low + leaves_below(b, low), range.high - leaves_below(b, high));
    uint16_t others[BITS_PLANES];
    bool is_by_used = false;

    emit_node(b, low, (struct range){range.low, middle}, planes, count);
    emit_node(b, high, (struct range){middle, range.high}, others, differ);
    for (uint32_t bit = 0; bit < differ; bit++)
        planes[bit] = combine(b,
                              (struct bits_mux){.by = (uint16_t)node,
                                                .clear = is_left_low ? others[bit] : planes[bit],
                                                .set = is_left_low ? planes[bit] : others[bit]},
                              &is_by_used);
}

/* The lowest `count` bits of the code: as many as differ within the range, or more, all of which
 * are known then. Depth is below BITS_MAX_LEAVES. */
static void emit_node(struct builder *b, int32_t node, struct range range, uint16_t *planes,
                      uint32_t count)
{
    if (node < 0)
        emit_leaf(b, (uint32_t)~node, range, planes, count);
    else if ((range.low ^ (range.high - 1)) == 1)
        emit_pair(b, node, range, planes, count);
    else
        emit_split(b, node, range, planes, count);
}

static uint16_t height_of(const struct builder *b, int32_t node)
{
    return node < 0 ? 0 : b->heights[node];
}

/* Children have higher numbers than their parent. */
static void look_below(struct builder *b)
{
    for (int32_t i = (int32_t)b->source->split_count - 1; i >= 0; i--) {
        int32_t left = b->splits[i].left, right = b->splits[i].right;
        uint16_t higher =
            height_of(b, left) > height_of(b, right) ? height_of(b, left) : height_of(b, right);
        b->leaf_counts[i] = (uint16_t)(leaves_below(b, left) + leaves_below(b, right));
        b->heights[i] = (uint16_t)(higher + 1);
    }
}

static uint16_t place_of(uint16_t slot)
{
    return (uint16_t)(slot * BITS_PLANE_BYTES);
}

/* By height: those of one height do not wait for each other. In the order of the tree each would
 * read what the one before it has just written. */
static void store_muxes(struct builder *b)
{
    struct bits_program *p = b->p;
    uint32_t next[BITS_MAX_LEAVES + 1] = {0};

    for (size_t i = 0; i < b->mux_count; i++)
        next[b->heights[b->muxes[i].by]]++; /* from 1 on */
    for (size_t i = 1; i <= BITS_MAX_LEAVES; i++)
        next[i] += next[i - 1];
    while (p->mux_cap < p->mux_count + b->mux_count)
        p->muxes = mem_grow(p->muxes, p->mux_cap, &p->mux_cap, sizeof *p->muxes);
    for (size_t i = 0; i < b->mux_count; i++) {
        const struct bits_mux *mux = &b->muxes[i];
        p->muxes[p->mux_count + next[b->heights[mux->by] - 1]++] = (struct bits_mux){
            place_of(mux->to), place_of(mux->by), place_of(mux->clear), place_of(mux->set)};
    }
    p->mux_count += b->mux_count;
}

static void store_ends(struct builder *b, uint32_t count)
{
    struct bits_program *p = b->p;
    size_t leaf = b->source->first_leaf;

    b->tree->first_code = p->code_count;
    for (uint32_t code = 0; code < count; code++, p->code_count++) {
        if (p->floats)
            p->floats[p->code_count] = (float)b->t->values[leaf + b->ends[code]];
        else if (p->doubles)
            p->doubles[p->code_count] = b->t->values[leaf + b->ends[code]];
        else
            p->ends[p->code_count] = b->ends[code];
    }
}

/* ---- padded trees */

/* Its muxes are a third as dear, but there are as many as places. */
static bool is_padded(const struct tree *tree)
{
    return tree->depth <= BITS_PLANES && 3 * tree->split_count + 1 >= 1u << tree->depth;
}

static void place_below(int32_t node, int slot, uint8_t *slots)
{
    if (node >= 0)
        slots[node] = (uint8_t)slot;
}

/* The slot of each split of a tree, BITS_MAX_LEAVES at most. */
static void find_slots(const struct trees *t, const struct tree *tree, uint8_t *slots)
{
    const struct split *splits = t->splits + tree->first_split;
    bool padded = is_padded(tree);

    memset(slots, 0, BITS_MAX_LEAVES);
    for (uint32_t i = 0; !padded && i < tree->split_count; i++)
        slots[i] = (uint8_t)i;
    for (uint32_t i = 0; padded && i < tree->split_count; i++) {
        place_below(splits[i].right, 2 * slots[i] + 1, slots);
        place_below(splits[i].left, 2 * slots[i] + 2, slots);
    }
}

/* The leaf of each code whose lowest bits are those of the way to this node. */
static void find_ends(struct builder *b, int32_t node, uint32_t way, uint32_t level)
{
    if (node >= 0) {
        find_ends(b, b->splits[node].right, way, level + 1);
        find_ends(b, b->splits[node].left, way | 1u << level, level + 1);
        return;
    }
    for (uint32_t code = way; code < 1u << b->tree->plane_count; code += 1u << level)
        b->ends[code] = (uint8_t)~node;
}

/* ---- a tree */

/* As many bits as the tree is deep make the fewest muxes. */
static uint16_t planes_of(const struct tree *tree)
{
    return (uint16_t)(tree->depth < BITS_PLANES ? tree->depth : BITS_PLANES);
}

static void emit_tree(struct builder *b)
{
    struct bits_program *p = b->p;
    uint16_t planes[BITS_PLANES];

    b->mux_count = 0;
    b->slot_count = SLOT_FREE;
    look_below(b);
    emit_node(b, b->source->split_count > 0 ? 0 : ~0, (struct range){0, 1u << b->tree->plane_count},
              planes, b->tree->plane_count);
    for (int bit = 0; bit < BITS_PLANES; bit++)
        b->tree->planes[bit] =
            place_of(bit < b->tree->plane_count && planes[bit] != ANY ? planes[bit] : SLOT_CLEAR);
    store_muxes(b);
    assert(b->slot_count <= BITS_MAX_SLOTS);
    p->slot_count = b->slot_count > p->slot_count ? b->slot_count : p->slot_count;
}

static void build_tree(struct builder *b)
{
    struct bits_program *p = b->p;

    *b->tree = (struct bits_tree){.output = b->source->output,
                                  .first_leaf = (uint32_t)b->source->first_leaf,
                                  .first_mux = (uint32_t)p->mux_count,
                                  .plane_count = planes_of(b->source),
                                  .is_padded = is_padded(b->source)};
    if (b->tree->is_padded)
        find_ends(b, b->source->split_count > 0 ? 0 : ~0, 0, 0);
    else
        emit_tree(b);
    b->tree->mux_count = (uint32_t)p->mux_count - b->tree->first_mux;
    store_ends(b, 1u << b->tree->plane_count);
}

/* ---- splits */

static bool is_left(const struct trees *t, const struct split *s, uint32_t code)
{
    const struct category_set *set = &t->sets[s->threshold];

    if (code == CODE_MISSING)
        return s->default_left;
    if (code >= set->bit_count || code == CODE_BEYOND)
        return t->category != CATEGORY_BEYOND_IS_DEFAULT || s->default_left;
    return !category_set_has(set, code);
}

static void add_members(struct bits_program *p, const struct trees *t, size_t tree,
                        const struct rank_plan *plan)
{
    uint8_t slots[BITS_MAX_LEAVES];
    size_t first = t->items[tree].first_split;

    find_slots(t, &t->items[tree], slots);
    p->trees[tree].first_member = (uint32_t)p->member_count;
    for (size_t i = first; i < first + t->items[tree].split_count; i++) {
        struct bits_member *m = &p->members[p->member_count];
        if (t->splits[i].kind != SPLIT_MEMBER)
            continue;
        *m = (struct bits_member){.column = plan->places[i].column,
                                  .to = place_of(slots[i - first])};
        for (uint32_t code = 0; code < 256; code++)
            m->is_left[code / 8] |= (uint8_t)(is_left(t, &t->splits[i], code) << code % 8);
        p->member_count++;
    }
    p->trees[tree].member_count = (uint32_t)p->member_count - p->trees[tree].first_member;
}

/* Those whose missing goes left, then the others; in the order of their columns, about: those lie
 * in memory in that order. Every other tree goes back, so that of more columns than a near cache
 * holds it begins with those that are there. */
static void add_compares(struct bits_program *p, const struct trees *t, size_t tree,
                         const struct rank_plan *plan)
{
    enum { PARTS = 256 };
    const struct rank_place *places = plan->places + t->items[tree].first_split;
    const struct split *splits = t->splits + t->items[tree].first_split;
    uint32_t width = (uint32_t)(p->ranks.column_count / PARTS) + 1, back = tree % 2 ? PARTS - 1 : 0;
    uint32_t next[2 * PARTS + 1] = {0}, count = t->items[tree].split_count;
    uint8_t slots[BITS_MAX_LEAVES];

    find_slots(t, &t->items[tree], slots);
    for (uint32_t i = 0; i < count; i++)
        if (splits[i].kind == SPLIT_LESS)
            next[places[i].is_missing_right * PARTS + (places[i].column / width ^ back) + 1]++;
    next[0] = (uint32_t)p->compare_count;
    for (int part = 0; part < 2 * PARTS; part++)
        next[part + 1] += next[part];
    p->trees[tree].first_compare = next[0];
    p->trees[tree].compare_count = next[2 * PARTS] - next[0];
    p->trees[tree].right_count = next[2 * PARTS] - next[PARTS];
    p->compare_count = next[2 * PARTS];
    for (uint32_t i = 0; i < count; i++)
        if (splits[i].kind == SPLIT_LESS)
            p->compares[next[places[i].is_missing_right * PARTS +
                             (places[i].column / width ^ back)]++] =
                (struct bits_compare){places[i].column, (int8_t)(places[i].rank - 127), slots[i]};
}

static void build_splits(struct bits_program *p, const struct trees *t,
                         const struct rank_plan *plan)
{
    size_t members = 0, compares = 0;

    for (size_t i = 0; i < t->count; i++) {
        members += plan->chosen[i] ? t->items[i].member_count : 0;
        compares += plan->chosen[i] ? t->items[i].split_count : 0;
    }
    compares -= members;
    p->members = mem_alloc(members, sizeof *p->members);
    p->compares = mem_resize(NULL, compares, sizeof *p->compares);
    for (size_t i = 0; i < t->count; i++) {
        if (!plan->chosen[i])
            continue;
        if (t->items[i].member_count > 0)
            add_members(p, t, i, plan);
        add_compares(p, t, i, plan);
    }
}

/* ---- the whole */

static void build_tables(struct bits_program *p)
{
    p->tables = mem_alloc_aligned(p->ranks.group_count, sizeof *p->tables);
    for (size_t i = 0; i < p->ranks.group_count; i++)
        for (int k = 0; k <= RANKS_GROUP; k++)
            p->tables[i].below[k % 16][k / 16] = p->ranks.groups[i].below[k];
}

static void build_trees(struct bits_program *p, const struct trees *t, const bool *taken)
{
    struct builder *b = mem_alloc(1, sizeof *b);
    size_t codes = 0;

    for (size_t i = 0; i < t->count; i++)
        if (taken[i]) {
            codes += (size_t)1 << planes_of(&t->items[i]);
            p->mux_cap += is_padded(&t->items[i]) ? 0 : t->items[i].split_count; /* about */
        }
    p->muxes = mem_resize(NULL, p->mux_cap, sizeof *p->muxes);
    codes += BITS_VALUES_BEYOND;
    if (t->leaf_width > 1 || t->linear)
        p->ends = mem_alloc_aligned(codes, sizeof *p->ends);
    else if (sum_is_double(t->sum))
        p->doubles = mem_alloc_aligned(codes, sizeof *p->doubles);
    else
        p->floats = mem_alloc_aligned(codes, sizeof *p->floats);
    for (size_t i = 0; i < t->count; i++) {
        if (!taken[i])
            continue;
        b->p = p;
        b->t = t;
        b->source = &t->items[i];
        b->splits = t->splits + t->items[i].first_split;
        b->tree = &p->trees[i];
        build_tree(b);
    }
    free(b);
}

static void measure(struct bits_program *p, size_t tree_count)
{
    size_t code = p->floats ? sizeof *p->floats : p->doubles ? sizeof *p->doubles : 1;

    p->size_bytes = tree_count * sizeof *p->trees + p->compare_count * sizeof *p->compares +
                    p->member_count * sizeof *p->members + p->mux_count * sizeof *p->muxes +
                    p->code_count * code + p->ranks.group_count * sizeof *p->ranks.groups +
                    (p->ends ? p->leaves.size_bytes : 0);
}

void *bits_build(const struct trees *t, bool *taken, const struct bits_vectors *vectors)
{
    struct bits_program *p = mem_alloc(1, sizeof *p);
    struct rank_plan plan = {.chosen = taken};
    bool fits, any = false;

    for (size_t i = 0; i < t->count; i++)
        any |= taken[i] = is_taken(t, &t->items[i]);
    plan.places = mem_resize(NULL, t->split_count, sizeof *plan.places);
    fits = any && ranks_init(&p->ranks, t, &plan) == 0;
    if (fits) {
        p->vectors = vectors;
        if (vectors->wants_tables)
            build_tables(p);
        p->trees = mem_alloc(t->count, sizeof *p->trees);
        p->slot_count = SLOT_FREE;
        build_trees(p, t, taken);
        build_splits(p, t, &plan);
        if (p->ends)
            leaves_init(&p->leaves, t);
        bits_alone_build(p, t, taken);
        measure(p, t->count);
    } else {
        memset(taken, 0, t->count * sizeof *taken);
        free(p);
    }
    free(plan.places);
    return fits ? p : NULL;
}

void bits_free(void *program)
{
    struct bits_program *p = program;

    if (!p)
        return;
    ranks_release(&p->ranks);
    leaves_release(&p->leaves);
    free(p->tables);
    bits_alone_release(&p->alone);
    free(p->trees);
    free(p->compares);
    free(p->members);
    free(p->muxes);
    free(p->floats);
    free(p->doubles);
    free(p->ends);
    free(p);
}

size_t bits_size_bytes(const void *program)
{
    const struct bits_program *p = program;

    return p->size_bytes;
}
