#include "scoring/portable.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
    PADDED_DEPTH_MAX = 10, /* 2^10 leaves: beyond, padding costs more cache than links cost time */
    PADDED_WASTE_MAX = 8,  /* padded places per real split */
    LARGE_BYTES = 1 << 18, /* half of a second-level cache, about */
    CHUNK_BYTES = 1 << 17, /* of trees, half of the rest */
    STRIP_BYTES = 1 << 14, /* half of a first-level cache */
    STRIP_ROWS_MIN = 64,   /* fewer would read the trees too often */
};

struct padder {
    struct portable_program *p;
    const struct trees *t;
    const struct split *splits;
    const struct walk *walk;
};

static uint32_t offset_of(struct portable_program *p, const struct split *s)
{
    return inputs_find(&p->inputs, s, s->default_left) * (uint32_t)sizeof(uint32_t);
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

/* Level by level: below a leaf all is that leaf. */
static void pad(struct padder *b, int32_t root)
{
    int32_t at[1 << PADDED_DEPTH_MAX] = {root};
    struct place *places = b->p->places + b->walk->first;
    size_t width = 1;

    for (; width < (size_t)1 << b->walk->depth; width *= 2)
        for (size_t i = width; i-- > 0;) { /* from the right: children lie where it has been */
            const struct split *s = at[i] < 0 ? NULL : &b->splits[at[i]];
            if (s)
                places[width + i] = (struct place){inputs_threshold(s), offset_of(b->p, s)};
            at[2 * i + 1] = s ? s->left : at[i];
            at[2 * i] = s ? s->right : at[i];
        }
    for (size_t i = 0; i < width; i++)
        store_end(b, b->walk->first + i, b->walk->first_leaf + (uint32_t)~at[i]);
}

static bool is_padded(const struct tree *tree)
{
    return tree->depth <= PADDED_DEPTH_MAX &&
           (size_t)1 << (tree->depth + 1) <=
               PADDED_WASTE_MAX * ((size_t)tree->split_count + tree->leaf_count) + 64 &&
           tree_is_plain(tree);
}

/* Room for all padded trees at once. */
static void reserve_padded(struct portable_program *p, const struct trees *t)
{
    size_t ends = 0;

    for (size_t i = 0; i < t->count; i++)
        if (is_padded(&t->items[i]))
            ends += (size_t)1 << t->items[i].depth;
    p->places = mem_alloc_aligned(ends, sizeof *p->places);
    if (t->leaf_width > 1 || t->linear)
        p->ends = mem_alloc(ends, sizeof *p->ends);
    else if (sum_is_double(t->sum))
        p->doubles = mem_alloc(ends, sizeof *p->doubles);
    else
        p->floats = mem_alloc(ends, sizeof *p->floats);
}

static void build_padded(struct portable_program *p, const struct trees *t, const struct tree *tree,
                         struct walk *walk)
{
    walk->first = p->end_count;
    p->end_count += (size_t)1 << tree->depth;
    pad(&(struct padder){p, t, t->splits + tree->first_split, walk},
        tree->split_count > 0 ? 0 : ~0);
}

static uint32_t add_member_set(struct portable_program *p, const struct trees *t,
                               const struct split *s)
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
static void build_linked(struct portable_program *p, const struct trees *t, const struct tree *tree,
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

static bool run_on(const struct walk *a, const struct walk *b)
{
    bool is_padded = a->kind == WALK_PADDED;

    return is_padded == (b->kind == WALK_PADDED) && (!is_padded || a->depth == b->depth);
}

static void find_runs(struct portable_program *p, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        struct walk *walk = &p->walks[i - 1];
        walk->run = i < count && run_on(walk, walk + 1) ? walk[1].run + 1 : 1;
    }
}

static size_t strip_rows(const struct portable_program *p)
{
    size_t rows =
        STRIP_BYTES / (p->inputs.cell_count * sizeof(uint32_t)) / PORTABLE_LANES * PORTABLE_LANES;

    return rows < STRIP_ROWS_MIN ? STRIP_ROWS_MIN : rows > KERNEL_ROWS ? KERNEL_ROWS : rows;
}

void *portable_build(const struct trees *t, bool *taken)
{
    struct portable_program *p = mem_alloc(1, sizeof *p);

    memset(taken, true, t->count * sizeof *taken);
    p->has_one_output = t->output_count == 1;
    inputs_init(&p->inputs, t);
    leaves_init(&p->leaves, t);
    reserve_padded(p, t);
    p->walks = mem_alloc(t->count + PORTABLE_TOGETHER, sizeof *p->walks);
    for (size_t i = 0; i < t->count; i++) {
        const struct tree *tree = &t->items[i];
        struct walk *walk = &p->walks[i];
        *walk = (struct walk){.depth = tree->depth,
                              .output = tree->output,
                              .first_leaf = (uint32_t)tree->first_leaf,
                              .split_count = tree->split_count};
        if (is_padded(tree)) {
            walk->kind = WALK_PADDED;
            build_padded(p, t, tree, walk);
        } else {
            walk->kind = tree_is_plain(tree) ? WALK_LINKED : WALK_MIXED;
            build_linked(p, t, tree, walk);
        }
    }
    find_runs(p, t->count);
    for (size_t i = 0; i < t->count; i++)
        p->level_count += (size_t)p->walks[i].depth * (p->walks[i].kind == WALK_PADDED ? 1 : 2);
    inputs_close(&p->inputs);
    p->size_bytes += p->leaves.size_bytes + p->end_count * sizeof *p->places +
                     p->end_count * (p->doubles ? sizeof *p->doubles : sizeof *p->floats) +
                     p->node_count * sizeof *p->nodes;
    p->is_large = p->size_bytes > LARGE_BYTES;
    p->strip_rows = strip_rows(p);
    p->chunk_trees = t->count * CHUNK_BYTES / (p->size_bytes + 1) + 1;
    return p;
}

void portable_free(void *program)
{
    struct portable_program *p = program;

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

size_t portable_level_count(const void *program)
{
    const struct portable_program *p = program;

    return p->level_count;
}

size_t portable_size_bytes(const void *program)
{
    const struct portable_program *p = program;

    return p->size_bytes;
}
