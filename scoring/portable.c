/* portable.c: the kernel for every tree and every machine. 16 rows walk a tree together, one level
 * at a time, so that their cache misses and branches overlap.
 *
 *   padded  a complete tree of `depth` levels, place i has children 2i+1 and 2i+2: no links, no
 *           leaf test. Below a leaf that ends early every place leads to it
 *   linked  places with two links, leaves link to themselves, so a row that has arrived waits
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/inputs.h"
#include "scoring/leaves.h"
#include "scoring/order.h"

enum {
    LANES = 16,
    PADDED_DEPTH_MAX = 10, /* 2^10 leaves: beyond, padding costs more cache than links cost time */
    PADDED_WASTE_MAX = 8,  /* padded places per real split */
};

struct place {
    int32_t threshold;
    uint32_t column;
};

/* A split that is followed by links. A leaf: both links to itself, its number in `threshold`. */
struct node {
    int32_t threshold; /* or the number of a set */
    uint32_t column;
    uint32_t next[2]; /* left, right */
};

enum tree_kind { TREE_PADDED, TREE_LINKED, TREE_MIXED };

struct walk {
    uint8_t kind; /* enum tree_kind; mixed: linked, and not all splits are SPLIT_LESS */
    uint32_t depth, output, first_leaf;
    size_t first; /* in places, or in nodes */
    size_t ends;  /* of padded: leaf numbers by place, in ends[] */
};

struct member_set {
    struct category_set set;
    bool beyond_is_right;
};

struct program {
    struct inputs inputs;
    struct leaves leaves;
    struct walk *walks;
    size_t count;
    struct place *places;
    size_t place_count, place_cap;
    uint32_t *ends;
    size_t end_count, end_cap;
    struct node *nodes;
    uint8_t *node_kinds; /* enum split_kind, looked at by mixed trees only */
    size_t node_count, node_cap;
    struct member_set *sets;
    size_t set_count, set_cap;
    size_t size_bytes;
};

/* ---- build */

static bool is_plain(const struct trees *t, const struct tree *tree)
{
    for (uint32_t i = 0; i < tree->split_count; i++)
        if (t->splits[tree->first_split + i].kind != SPLIT_LESS)
            return false;
    return true;
}

struct padder {
    struct program *p;
    const struct split *splits;
    const struct walk *walk;
};

/* at: of the tree's places, counted from its root; at the last level they are its ends. */
static void pad(struct padder *b, int32_t split, uint32_t at, uint32_t level)
{
    const struct split *s = split >= 0 ? &b->splits[split] : NULL;
    struct place *place;

    if (level == b->walk->depth) {
        b->p->ends[b->walk->ends + at - ((1u << level) - 1)] =
            b->walk->first_leaf + (uint32_t)~split;
        return;
    }
    place = &b->p->places[b->walk->first + at];
    *place = s ? (struct place){s->threshold, inputs_find(&b->p->inputs, s)} : (struct place){0};
    pad(b, s ? s->left : split, 2 * at + 1, level + 1);
    pad(b, s ? s->right : split, 2 * at + 2, level + 1);
}

static void build_padded(struct program *p, const struct trees *t, const struct tree *tree,
                         struct walk *walk)
{
    size_t ends = (size_t)1 << tree->depth;

    walk->first = p->place_count;
    walk->ends = p->end_count;
    p->place_count += ends - 1;
    p->end_count += ends;
    p->places = mem_resize(p->places, p->place_count + 1, sizeof *p->places);
    p->ends = mem_resize(p->ends, p->end_count, sizeof *p->ends);
    pad(&(struct padder){p, t->splits + tree->first_split, walk}, tree->split_count > 0 ? 0 : ~0, 0,
        0);
}

static uint32_t add_member_set(struct program *p, const struct trees *t, const struct split *s)
{
    const struct category_set *from = &t->sets[s->threshold];
    size_t words = (from->bit_count + (size_t)63) / 64;
    struct member_set to = {.set = {mem_alloc(words + 1, 8), from->bit_count}};

    memcpy(to.set.bits, from->bits, words * 8);
    to.beyond_is_right = t->category == CATEGORY_BEYOND_IS_DEFAULT && !s->default_left;
    p->sets = mem_grow(p->sets, p->set_count, &p->set_cap, sizeof *p->sets);
    p->sets[p->set_count] = to;
    p->size_bytes += words * 8;
    return (uint32_t)p->set_count++;
}

/* Splits first, then the leaves. */
static void build_linked(struct program *p, const struct trees *t, const struct tree *tree,
                         struct walk *walk)
{
    size_t count = (size_t)tree->split_count + tree->leaf_count;

    walk->first = p->node_count;
    p->node_count += count;
    p->nodes = mem_resize(p->nodes, p->node_count, sizeof *p->nodes);
    p->node_kinds = mem_resize(p->node_kinds, p->node_count, sizeof *p->node_kinds);
    for (uint32_t i = 0; i < count; i++) {
        const struct split *s = &t->splits[tree->first_split + i];
        struct node *n = &p->nodes[walk->first + i];
        p->node_kinds[walk->first + i] = SPLIT_LESS;
        if (i >= tree->split_count) {
            *n = (struct node){(int32_t)(walk->first_leaf + i - tree->split_count), 0, {i, i}};
            continue;
        }
        p->node_kinds[walk->first + i] = s->kind;
        n->threshold = s->kind == SPLIT_MEMBER ? (int32_t)add_member_set(p, t, s) : s->threshold;
        n->column = inputs_find(&p->inputs, s);
        n->next[0] = s->left < 0 ? tree->split_count + (uint32_t)~s->left : (uint32_t)s->left;
        n->next[1] = s->right < 0 ? tree->split_count + (uint32_t)~s->right : (uint32_t)s->right;
    }
}

static void *build(const struct trees *t, bool *taken)
{
    struct program *p = mem_alloc(1, sizeof *p);

    memset(taken, true, t->count * sizeof *taken);
    inputs_init(&p->inputs, t);
    leaves_init(&p->leaves, t);
    p->walks = mem_alloc(t->count + 1, sizeof *p->walks);
    p->count = t->count;
    for (size_t i = 0; i < t->count; i++) {
        const struct tree *tree = &t->items[i];
        struct walk *walk = &p->walks[i];
        bool plain = is_plain(t, tree);
        *walk = (struct walk){
            .depth = tree->depth, .output = tree->output, .first_leaf = (uint32_t)tree->first_leaf};
        if (plain && tree->depth <= PADDED_DEPTH_MAX &&
            (size_t)1 << (tree->depth + 1) <=
                PADDED_WASTE_MAX * ((size_t)tree->split_count + tree->leaf_count) + 64) {
            walk->kind = TREE_PADDED;
            build_padded(p, t, tree, walk);
        } else {
            walk->kind = plain ? TREE_LINKED : TREE_MIXED;
            build_linked(p, t, tree, walk);
        }
    }
    inputs_close(&p->inputs);
    p->size_bytes += p->leaves.size_bytes + p->place_count * sizeof *p->places +
                     p->end_count * sizeof *p->ends + p->node_count * sizeof *p->nodes;
    return p;
}

static void release(void *program)
{
    struct program *p = program;

    if (!p)
        return;
    for (size_t i = 0; i < p->set_count; i++)
        free(p->sets[i].set.bits);
    inputs_release(&p->inputs);
    leaves_release(&p->leaves);
    free(p->walks);
    free(p->places);
    free(p->ends);
    free(p->nodes);
    free(p->node_kinds);
    free(p->sets);
    free(p);
}

static size_t size_bytes(const void *program)
{
    const struct program *p = program;

    return p->size_bytes;
}

/* ---- score */

/* Of a block: what prepare leaves for add. The cells lie behind it. */
struct block {
    const float *rows;
    size_t count;
    _Alignas(64) int32_t cells[];
};

static size_t scratch_bytes(const void *program, size_t rows)
{
    const struct program *p = program;
    size_t lanes = (rows + LANES - 1) / LANES * LANES;

    return sizeof(struct block) + lanes * p->inputs.count * sizeof(int32_t) + 64;
}

/* Lanes beyond the rows walk with the last one, and are dropped. */
static void prepare(const void *program, const float *rows, size_t count, void *scratch)
{
    const struct program *p = program;
    struct block *b = scratch;
    size_t width = p->inputs.count, lanes = (count + LANES - 1) / LANES * LANES;

    b->rows = rows;
    b->count = count;
    for (size_t r = 0; r < count; r++)
        inputs_fill(&p->inputs, rows + r * p->inputs.feature_count, b->cells + r * width);
    for (size_t r = count; r < lanes; r++)
        memcpy(b->cells + r * width, b->cells + (count - 1) * width, width * sizeof *b->cells);
}

static void walk_padded(const struct program *p, const struct walk *walk, const int32_t *cells,
                        uint32_t *ids)
{
    const struct place *places = p->places + walk->first;
    const uint32_t *ends = p->ends + walk->ends;
    size_t width = p->inputs.count;
    uint32_t at[LANES] = {0};

    for (uint32_t level = 0; level < walk->depth; level++)
        for (size_t r = 0; r < LANES; r++)
            at[r] = 2 * at[r] + 1 +
                    (cells[r * width + places[at[r]].column] >= places[at[r]].threshold);
    for (size_t r = 0; r < LANES; r++)
        ids[r] = ends[at[r] - ((1u << walk->depth) - 1)];
}

static bool is_right_of(const struct program *p, const struct node *n, enum split_kind kind,
                        int32_t cell)
{
    const struct member_set *m;

    if (kind == SPLIT_LESS)
        return cell >= n->threshold;
    if (kind == SPLIT_EQUAL)
        return cell != n->threshold && cell != ORDER_LEFT;
    if (cell < 0)
        return cell == CATEGORY_RIGHT;
    m = &p->sets[n->threshold];
    return (uint32_t)cell < m->set.bit_count ? category_set_has(&m->set, (uint32_t)cell)
                                             : m->beyond_is_right;
}

static void walk_linked(const struct program *p, const struct walk *walk, const int32_t *cells,
                        uint32_t *ids)
{
    const struct node *nodes = p->nodes + walk->first;
    size_t width = p->inputs.count;
    uint32_t at[LANES] = {0};

    for (uint32_t level = 0; level < walk->depth; level++)
        for (size_t r = 0; r < LANES; r++) {
            const struct node *n = &nodes[at[r]];
            at[r] = n->next[cells[r * width + n->column] >= n->threshold];
        }
    for (size_t r = 0; r < LANES; r++)
        ids[r] = (uint32_t)nodes[at[r]].threshold;
}

static void walk_mixed(const struct program *p, const struct walk *walk, const int32_t *cells,
                       uint32_t *ids)
{
    const struct node *nodes = p->nodes + walk->first;
    const uint8_t *kinds = p->node_kinds + walk->first;
    size_t width = p->inputs.count;
    uint32_t at[LANES] = {0};

    for (uint32_t level = 0; level < walk->depth; level++)
        for (size_t r = 0; r < LANES; r++) {
            const struct node *n = &nodes[at[r]];
            at[r] = n->next[is_right_of(p, n, kinds[at[r]], cells[r * width + n->column])];
        }
    for (size_t r = 0; r < LANES; r++)
        ids[r] = (uint32_t)nodes[at[r]].threshold;
}

static void add(const void *program, size_t first, size_t count, struct sums sums, void *scratch)
{
    static void (*const walks[])(const struct program *, const struct walk *, const int32_t *,
                                 uint32_t *) = {
        [TREE_PADDED] = walk_padded, [TREE_LINKED] = walk_linked, [TREE_MIXED] = walk_mixed};
    const struct program *p = program;
    const struct block *b = scratch;
    uint32_t ids[KERNEL_ROWS];

    for (size_t i = first; i < first + count; i++) {
        const struct walk *walk = &p->walks[i];
        for (size_t r = 0; r < b->count; r += LANES)
            walks[walk->kind](p, walk, b->cells + r * p->inputs.count, ids + r);
        leaves_add(&p->leaves, &(struct arrivals){walk->output, ids, b->rows, b->count}, sums);
    }
}

const struct kernel kernel_portable = {.name = "portable",
                                       .build = build,
                                       .free = release,
                                       .size_bytes = size_bytes,
                                       .scratch_bytes = scratch_bytes,
                                       .prepare = prepare,
                                       .add = add};
