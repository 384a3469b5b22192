/* portable.c: the kernel for every tree and every machine. Eight rows walk a tree together, one
 * level at a time, so that their cache misses overlap; a row alone walks the trees one by one, and
 * the processor overlaps those. In one piece: what is built above is what the walks below read.
 *
 *   padded  a complete tree of `depth` levels from place 1, place i has its right side at 2i and
 *           its left at 2i + 1: no links, no leaf test. Below a leaf that ends early every place
 *           leads to it
 *   linked  places with two links, leaves link to themselves, so a row that has arrived waits
 */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/inputs.h"
#include "scoring/leaves.h"
#include "scoring/order.h"

enum {
    LANES = INPUTS_LANES,
    FEW = 3,               /* rows that are faster alone than as lanes */
    TOGETHER = 8,          /* linked trees that such a row walks at once */
    AHEAD = 8,             /* trees */
    PADDED_DEPTH_MAX = 10, /* 2^10 leaves: beyond, padding costs more cache than links cost time */
    PADDED_WASTE_MAX = 8,  /* padded places per real split */
};

/* Left when the cell that lies `offset` bytes behind the lane's first is below the threshold. */
struct place {
    uint32_t threshold, offset;
};

/* A split that is followed by links. A leaf: both links to itself, its number in `threshold`. */
struct node {
    uint32_t threshold; /* or the number of a set */
    uint32_t offset;
    uint32_t next[2]; /* right, left */
};

enum tree_kind { TREE_PADDED, TREE_LINKED, TREE_MIXED };

struct walk {
    uint8_t kind; /* enum tree_kind; mixed: linked, and not all splits are SPLIT_LESS */
    uint32_t depth, output, first_leaf;
    uint32_t split_count;
    size_t first; /* in places, or in nodes; of padded: its place 0, which is not used */
    size_t ends;  /* of padded: what is below the last level */
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
    bool is_all_padded;
    struct place *places;
    float *floats;   /* behind the ends of padded trees: a number, */
    double *doubles; /* the same in double, */
    uint32_t *ends;  /* or a leaf (vectors, linear functions) */
    size_t end_count;
    struct node *nodes;
    uint8_t *node_kinds; /* enum split_kind, looked at by mixed trees only */
    size_t node_count;
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
    const struct trees *t;
    const struct split *splits;
    const struct walk *walk;
};

static uint32_t offset_of(struct program *p, const struct split *s)
{
    return inputs_find(&p->inputs, s) * LANES * (uint32_t)sizeof(uint32_t);
}

static void store_end(struct padder *b, size_t end, uint32_t leaf)
{
    if (b->p->floats)
        b->p->floats[end] = (float)b->t->values[leaf];
    else if (b->p->doubles)
        b->p->doubles[end] = b->t->values[leaf];
    else
        b->p->ends[end] = leaf;
}

static void pad(struct padder *b, int32_t split, uint32_t at, uint32_t level)
{
    const struct split *s = split >= 0 ? &b->splits[split] : NULL;

    if (level == b->walk->depth) {
        store_end(b, b->walk->ends + at - (1u << level), b->walk->first_leaf + (uint32_t)~split);
        return;
    }
    if (s)
        b->p->places[b->walk->first + at] = (struct place){inputs_threshold(s), offset_of(b->p, s)};
    pad(b, s ? s->right : split, 2 * at, level + 1);
    pad(b, s ? s->left : split, 2 * at + 1, level + 1);
}

static bool is_padded(const struct trees *t, const struct tree *tree)
{
    return tree->depth <= PADDED_DEPTH_MAX &&
           (size_t)1 << (tree->depth + 1) <=
               PADDED_WASTE_MAX * ((size_t)tree->split_count + tree->leaf_count) + 64 &&
           is_plain(t, tree);
}

/* Room for all padded trees at once. */
static void reserve_padded(struct program *p, const struct trees *t)
{
    size_t ends = 0;

    for (size_t i = 0; i < t->count; i++)
        if (is_padded(t, &t->items[i]))
            ends += (size_t)1 << t->items[i].depth;
    p->places = mem_alloc_aligned(ends, sizeof *p->places);
    if (t->leaf_width > 1 || t->linear)
        p->ends = mem_alloc(ends, sizeof *p->ends);
    else if (sum_is_double(t->sum))
        p->doubles = mem_alloc(ends, sizeof *p->doubles);
    else
        p->floats = mem_alloc(ends, sizeof *p->floats);
}

static void build_padded(struct program *p, const struct trees *t, const struct tree *tree,
                         struct walk *walk)
{
    walk->first = walk->ends = p->end_count;
    p->end_count += (size_t)1 << tree->depth;
    pad(&(struct padder){p, t, t->splits + tree->first_split, walk}, tree->split_count > 0 ? 0 : ~0,
        1, 0);
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
            *n = (struct node){walk->first_leaf + i - tree->split_count, 0, {i, i}};
            continue;
        }
        p->node_kinds[walk->first + i] = s->kind;
        n->threshold = s->kind == SPLIT_MEMBER ? add_member_set(p, t, s) : inputs_threshold(s);
        n->offset = offset_of(p, s);
        n->next[1] = s->left < 0 ? tree->split_count + (uint32_t)~s->left : (uint32_t)s->left;
        n->next[0] = s->right < 0 ? tree->split_count + (uint32_t)~s->right : (uint32_t)s->right;
    }
}

static void *build(const struct trees *t, bool *taken)
{
    struct program *p = mem_alloc(1, sizeof *p);

    memset(taken, true, t->count * sizeof *taken);
    inputs_init(&p->inputs, t);
    leaves_init(&p->leaves, t);
    reserve_padded(p, t);
    p->walks = mem_alloc(t->count + 1, sizeof *p->walks);
    p->count = t->count;
    p->is_all_padded = true;
    for (size_t i = 0; i < t->count; i++) {
        const struct tree *tree = &t->items[i];
        struct walk *walk = &p->walks[i];
        *walk = (struct walk){.depth = tree->depth,
                              .output = tree->output,
                              .first_leaf = (uint32_t)tree->first_leaf,
                              .split_count = tree->split_count};
        if (is_padded(t, tree)) {
            walk->kind = TREE_PADDED;
            build_padded(p, t, tree, walk);
        } else {
            p->is_all_padded = false;
            walk->kind = is_plain(t, tree) ? TREE_LINKED : TREE_MIXED;
            build_linked(p, t, tree, walk);
        }
    }
    inputs_close(&p->inputs);
    p->size_bytes += p->leaves.size_bytes + p->end_count * sizeof *p->places +
                     p->end_count * (p->doubles ? sizeof *p->doubles : sizeof *p->floats) +
                     p->node_count * sizeof *p->nodes;
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
    free(p->floats);
    free(p->doubles);
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

/* Of a block: what prepare leaves for add. The cells lie behind it: for each group of LANES rows,
 * of input i and lane l at [i * LANES + l]. */
struct block {
    const float *rows;
    size_t count;
    _Alignas(64) uint32_t cells[];
};

static size_t scratch_bytes(const void *program, size_t rows)
{
    const struct program *p = program;
    size_t lanes = (rows + LANES - 1) / LANES * LANES;

    return sizeof(struct block) + lanes * p->inputs.cell_count * sizeof(uint32_t) + 64;
}

/* Lanes beyond the rows walk with the last one, and are dropped. */
static void prepare(const void *program, const float *rows, size_t count, void *scratch)
{
    const struct program *p = program;
    struct block *b = scratch;

    b->rows = rows;
    b->count = count;
    if (count <= FEW) {
        for (size_t r = 0; r < count; r++)
            inputs_fill(&p->inputs, rows + r * p->inputs.feature_count, b->cells + r);
        return;
    }
    for (size_t r = 0; r < count; r += INPUTS_LANES)
        inputs_fill_lanes(&p->inputs, rows + r * p->inputs.feature_count, count - r,
                          b->cells + r * p->inputs.cell_count);
}

static inline uint32_t cell_at(const uint32_t *cells, uint32_t offset)
{
    return *(const uint32_t *)((const char *)cells + offset);
}

/* 2 at + (cell < threshold): the carry of the comparison, of which gcc makes three instructions. */
static inline size_t step(const struct place *places, size_t at, const uint32_t *cells)
{
    const char *cell = (const char *)cells + places[at].offset;
#ifdef __x86_64__
    __asm__("cmp %2, %1\n\tadc %0, %0"
            : "+r"(at)
            : "m"(*(const uint32_t *)cell), "r"(places[at].threshold)
            : "cc");
    return at;
#else
    return at + at + (*(const uint32_t *)cell < places[at].threshold);
#endif
}

/* Where the lanes come out, counted from the first end. */
static void walk_padded(const struct place *places, uint32_t depth, const uint32_t *cells,
                        uint32_t *ends)
{
    size_t at[LANES];

    for (size_t r = 0; r < LANES; r++)
        at[r] = 1;
    for (uint32_t level = 0; level < depth; level++)
        for (size_t r = 0; r < LANES; r++)
            at[r] = step(places, at[r], cells + r);
    for (size_t r = 0; r < LANES; r++)
        ends[r] = (uint32_t)(at[r] - ((size_t)1 << depth));
}

/* The levels are unrolled: then more trees are under way at once. */
static inline size_t walk_alone(const struct place *places, uint32_t depth, const uint32_t *cells)
{
    size_t at = 1;

    for (uint32_t level = depth; level > 8; level--)
        at = step(places, at, cells);
    switch (depth < 8 ? depth : 8) {
    case 8: at = step(places, at, cells); /* fall through */
    case 7: at = step(places, at, cells); /* fall through */
    case 6: at = step(places, at, cells); /* fall through */
    case 5: at = step(places, at, cells); /* fall through */
    case 4: at = step(places, at, cells); /* fall through */
    case 3: at = step(places, at, cells); /* fall through */
    case 2: at = step(places, at, cells); /* fall through */
    case 1: at = step(places, at, cells);
    }
    return at - ((size_t)1 << depth);
}

static bool is_left_of(const struct program *p, const struct node *n, enum split_kind kind,
                       uint32_t cell)
{
    const struct member_set *m;

    if (kind == SPLIT_LESS)
        return cell < n->threshold;
    if (kind == SPLIT_EQUAL)
        return cell == n->threshold || cell == CELL_LEFT;
    if (cell == CATEGORY_LEFT || cell == CATEGORY_RIGHT)
        return cell == CATEGORY_LEFT;
    m = &p->sets[n->threshold];
    return cell < m->set.bit_count ? !category_set_has(&m->set, cell) : !m->beyond_is_right;
}

/* One level for all lanes; whether some are not at a leaf yet. */
static inline bool follow(const struct program *p, const struct walk *walk, const uint32_t *cells,
                          uint32_t *at)
{
    const struct node *nodes = p->nodes + walk->first;
    const uint8_t *kinds = p->node_kinds + walk->first;
    bool goes_on = false;

    for (size_t r = 0; r < LANES; r++) {
        const struct node *n = &nodes[at[r]];
        uint32_t cell = cell_at(cells + r, n->offset);
        at[r] = n->next[walk->kind == TREE_MIXED ? is_left_of(p, n, kinds[at[r]], cell)
                                                 : cell < n->threshold];
        goes_on |= at[r] < walk->split_count;
    }
    return goes_on;
}

/* The leaves of the lanes. */
static void walk_linked(const struct program *p, const struct walk *walk, const uint32_t *cells,
                        uint32_t *ids)
{
    uint32_t at[LANES] = {0};

    for (uint32_t level = 0; level < walk->depth && follow(p, walk, cells, at); level++)
        ;
    for (size_t r = 0; r < LANES; r++)
        ids[r] = p->nodes[walk->first + at[r]].threshold;
}

static void add_ids(const struct program *p, const struct walk *walk, const struct block *b,
                    struct sums sums)
{
    uint32_t ids[KERNEL_ROWS];

    for (size_t r = 0; r < b->count; r += LANES) {
        const uint32_t *cells = b->cells + r * p->inputs.cell_count;
        if (walk->kind != TREE_PADDED) {
            walk_linked(p, walk, cells, ids + r);
            continue;
        }
        walk_padded(p->places + walk->first, walk->depth, cells, ids + r);
        for (size_t i = r; i < r + LANES; i++)
            ids[i] = p->ends[walk->ends + ids[i]];
    }
    leaves_add(&p->leaves, &(struct arrivals){walk->output, ids, b->rows, b->count}, sums);
}

static void add_padded(const struct program *p, const struct walk *walk, const struct block *b,
                       struct sums sums)
{
    const struct place *places = p->places + walk->first;
    size_t width = p->inputs.cell_count, sum = (size_t)walk->output * KERNEL_ROWS;

    for (size_t r = 0; r < b->count; r += LANES) {
        uint32_t ends[LANES];
        walk_padded(places, walk->depth, b->cells + r * width, ends);
        for (size_t i = 0; p->floats && i < LANES; i++)
            sums.floats[sum + r + i] += p->floats[walk->ends + ends[i]];
        for (size_t i = 0; p->doubles && i < LANES; i++)
            sums.doubles[sum + r + i] += p->doubles[walk->ends + ends[i]];
    }
}

/* Row r, all of these trees. */
static void add_alone(const struct program *p, const struct walk *walks, size_t count,
                      const uint32_t *cells, float *sums)
{
    for (size_t i = 0; i < count; i++) {
        const struct place *places = p->places + walks[i].first;
        __builtin_prefetch(p->places + walks[i + AHEAD < count ? i + AHEAD : i].first);
        sums[(size_t)walks[i].output * KERNEL_ROWS] +=
            p->floats[walks[i].ends + walk_alone(places, walks[i].depth, cells)];
    }
}

/* The leaves of one row in `count` linked trees, whose cache misses overlap. */
static void find_leaves(const struct program *p, const struct walk *walks, size_t count,
                        const uint32_t *cells, uint32_t *ids)
{
    uint32_t at[TOGETHER] = {0};
    bool goes_on;

    do {
        goes_on = false;
        for (size_t i = 0; i < count; i++) {
            const struct node *n = &p->nodes[walks[i].first + at[i]];
            uint32_t cell = cell_at(cells, n->offset);
            if (walks[i].kind == TREE_MIXED) {
                enum split_kind kind = p->node_kinds[walks[i].first + at[i]];
                at[i] = n->next[is_left_of(p, n, kind, cell)];
            } else {
                at[i] = n->next[cell < n->threshold];
            }
            goes_on |= at[i] < walks[i].split_count;
        }
    } while (goes_on);
    for (size_t i = 0; i < count; i++)
        ids[i] = p->nodes[walks[i].first + at[i]].threshold;
}

/* One row of few. */
struct row {
    const uint32_t *cells;
    const float *numbers;
    struct sums sums; /* its own come first */
};

static void add_leaf(const struct program *p, const struct walk *walk, const struct row *row,
                     const uint32_t *id)
{
    leaves_add(&p->leaves, &(struct arrivals){walk->output, id, row->numbers, 1}, row->sums);
}

static void add_padded_alone(const struct program *p, const struct walk *walk,
                             const struct row *row)
{
    const struct place *places = p->places + walk->first;
    size_t end = walk->ends + walk_alone(places, walk->depth, row->cells);
    size_t sum = (size_t)walk->output * KERNEL_ROWS;

    if (p->floats)
        row->sums.floats[sum] += p->floats[end];
    else if (p->doubles)
        row->sums.doubles[sum] += p->doubles[end];
    else
        add_leaf(p, walk, row, &p->ends[end]);
}

/* All of these trees: padded ones one by one, linked ones that follow each other together. */
static void add_row(const struct program *p, const struct walk *walks, size_t count,
                    const struct row *row)
{
    uint32_t ids[TOGETHER];
    size_t run;

    for (size_t i = 0; i < count; i += run ? run : 1) {
        for (run = 0; run < TOGETHER && i + run < count && walks[i + run].kind != TREE_PADDED;)
            run++;
        if (run == 0)
            add_padded_alone(p, &walks[i], row);
        else
            find_leaves(p, walks + i, run, row->cells, ids);
        for (size_t k = 0; k < run; k++)
            add_leaf(p, &walks[i + k], row, &ids[k]);
    }
}

static struct row row_of(const struct program *p, const struct block *b, size_t r, struct sums sums)
{
    struct row row = {
        .cells = b->cells + r, .numbers = b->rows + r * p->inputs.feature_count, .sums = sums};

    if (sums.floats)
        row.sums.floats += r;
    else
        row.sums.doubles += r;
    return row;
}

static void add(const void *program, size_t first, size_t count, struct sums sums, void *scratch)
{
    const struct program *p = program;
    const struct block *b = scratch;

    if (b->count <= FEW && p->floats && p->is_all_padded) {
        for (size_t r = 0; r < b->count; r++)
            add_alone(p, p->walks + first, count, b->cells + r, sums.floats + r);
        return;
    }
    if (b->count <= FEW) {
        for (size_t r = 0; r < b->count; r++) {
            struct row row = row_of(p, b, r, sums);
            add_row(p, p->walks + first, count, &row);
        }
        return;
    }
    for (size_t i = first; i < first + count; i++) {
        const struct walk *walk = &p->walks[i];
        if (walk->kind != TREE_PADDED || p->ends)
            add_ids(p, walk, b, sums);
        else
            add_padded(p, walk, b, sums);
    }
}

const struct kernel kernel_portable = {.name = "portable",
                                       .build = build,
                                       .free = release,
                                       .size_bytes = size_bytes,
                                       .scratch_bytes = scratch_bytes,
                                       .prepare = prepare,
                                       .add = add};
