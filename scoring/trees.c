#include "scoring/trees.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/order.h"

struct trees *trees_new(void)
{
    struct trees *t = mem_alloc(1, sizeof *t);

    t->leaf_width = 1;
    t->splits = mem_grow(NULL, 0, &t->split_cap, sizeof *t->splits); /* never NULL, however few */
    return t;
}

void trees_set_shape(struct trees *t, size_t feature_count, size_t output_count)
{
    free(t->base);
    t->feature_count = feature_count;
    t->output_count = output_count;
    t->base = mem_alloc(output_count, sizeof *t->base);
}

void trees_free(struct trees *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->set_count; i++)
        free(t->sets[i].bits);
    free(t->sets);
    free(t->items);
    free(t->splits);
    free(t->values);
    free(t->split_covers);
    free(t->leaf_covers);
    free(t->linear);
    free(t->linear_features);
    free(t->coefficients);
    free(t->base);
    free(t);
}

int32_t trees_add_set(struct trees *t, uint32_t bit_count)
{
    t->sets = mem_grow(t->sets, t->set_count, &t->set_cap, sizeof *t->sets);
    t->sets[t->set_count] =
        (struct category_set){mem_alloc((bit_count + (size_t)63) / 64 + 1, 8), bit_count};
    return (int32_t)t->set_count++;
}

/* ---- add */

/* One step of the walk in depth-first order: a node, and where its parent keeps its number. */
struct step {
    uint32_t node, depth;
    int32_t *link;
};

struct adder {
    struct trees *t;
    const struct tree_source *source;
    struct tree tree;
    struct step *stack;
    size_t top;
    bool *met;
};

static void *reserve(void *items, size_t count, size_t *cap, size_t size)
{
    if (count <= *cap)
        return items;
    *cap = count > 2 * *cap ? count : 2 * *cap;
    return mem_resize(items, *cap, size);
}

/* For all of the tree's nodes: of n in a binary tree at most (n + 1) / 2 are leaves; and one more
 * split, whose children turn out not to be there. */
static void make_room(struct trees *t, const struct tree_source *source)
{
    size_t splits = t->split_count + source->node_count / 2 + 1;
    size_t leaves = t->leaf_count + (source->node_count + 1) / 2;

    t->splits = reserve(t->splits, splits, &t->split_cap, sizeof *t->splits);
    t->values = reserve(t->values, leaves * t->leaf_width, &t->value_cap, sizeof *t->values);
    if (source->has_covers) {
        t->split_covers =
            reserve(t->split_covers, splits, &t->split_cover_cap, sizeof *t->split_covers);
        t->leaf_covers =
            reserve(t->leaf_covers, leaves, &t->leaf_cover_cap, sizeof *t->leaf_covers);
    }
    if (source->is_linear)
        t->linear = reserve(t->linear, leaves, &t->linear_cap, sizeof *t->linear);
}

static void add_leaf(struct adder *a, const struct tree_node *n)
{
    struct trees *t = a->t;

    if (t->leaf_width > 1)
        memcpy(t->values + t->value_count, n->vector, t->leaf_width * sizeof *t->values);
    else
        t->values[t->value_count] = n->value;
    if (a->source->has_covers)
        t->leaf_covers[t->leaf_count] = n->cover;
    if (a->source->is_linear)
        t->linear[t->leaf_count] = n->linear;
    t->value_count += t->leaf_width;
    t->leaf_count++;
    a->tree.leaf_count++;
}

static void add_split(struct adder *a, const struct tree_node *n)
{
    struct trees *t = a->t;

    if (a->source->has_covers)
        t->split_covers[t->split_count] = n->cover;
    t->splits[t->split_count++] = n->split;
    a->tree.split_count++;
    a->tree.member_count += n->split.kind == SPLIT_MEMBER;
    a->tree.equal_count += n->split.kind == SPLIT_EQUAL;
}

static bool push(struct adder *a, int64_t node, struct step step)
{
    if (node <= 0 || node >= (int64_t)a->source->node_count || a->met[node])
        return false;
    a->met[node] = true;
    step.node = (uint32_t)node;
    a->stack[a->top++] = step;
    return true;
}

/* A tree may be a list of any length: no recursion. */
static int64_t walk(struct adder *a)
{
    struct trees *t = a->t; /* has room for all: splits do not move */
    int32_t root;

    a->stack[a->top++] = (struct step){.link = &root};
    a->met[0] = true;
    while (a->top > 0) {
        struct step step = a->stack[--a->top];
        const struct tree_node *n = &a->source->nodes[step.node];
        bool is_leaf = n->left == -1 && n->right == -1;
        struct split *split = &t->splits[t->split_count];
        *step.link = is_leaf ? ~(int32_t)a->tree.leaf_count : (int32_t)a->tree.split_count;
        a->tree.depth = step.depth > a->tree.depth ? step.depth : a->tree.depth;
        if (is_leaf) {
            add_leaf(a, n);
            continue;
        }
        add_split(a, n);
        if (!push(a, n->right, (struct step){0, step.depth + 1, &split->right}) ||
            !push(a, n->left, (struct step){0, step.depth + 1, &split->left}))
            return step.node;
    }
    return -1;
}

int64_t trees_add(struct trees *t, const struct tree_source *source)
{
    struct adder a = {.t = t, .source = source};
    int64_t bad;

    a.tree = (struct tree){
        .first_split = t->split_count, .first_leaf = t->leaf_count, .output = source->output};
    make_room(t, source);
    a.stack = mem_resize(NULL, source->node_count + 1, sizeof *a.stack);
    a.met = mem_alloc(source->node_count, sizeof *a.met);
    t->items = mem_grow(t->items, t->count, &t->cap, sizeof *t->items);
    bad = walk(&a);
    t->items[t->count++] = a.tree;
    if (bad >= 0)
        trees_keep(t, t->count - 1);
    free(a.stack);
    free(a.met);
    return bad;
}

void trees_keep(struct trees *t, size_t count)
{
    if (count >= t->count)
        return;
    t->split_count = t->items[count].first_split;
    t->leaf_count = t->items[count].first_leaf;
    t->value_count = t->leaf_count * t->leaf_width;
    t->count = count;
}

/* ---- one row */

static bool has_category(const struct trees *t, const struct split *s, float x)
{
    const struct category_set *set = &t->sets[s->threshold];

    if (t->category == CATEGORY_TRUNCATED && x > -1 && x < 0)
        x = 0;
    if (x < 0 || x >= (float)set->bit_count)
        return t->category == CATEGORY_BEYOND_IS_DEFAULT && !s->default_left;
    return category_set_has(set, (uint32_t)x);
}

bool trees_goes_left(const struct trees *t, const struct split *s, float x)
{
    bool is_tiny = fabsf(x) <= 1e-35f;

    if ((x != x && s->missing != MISSING_NEVER) || (is_tiny && s->missing == MISSING_NAN_OR_ZERO))
        return s->default_left;
    if (x != x || (is_tiny && t->tiny_is_zero))
        x = 0;
    switch ((enum split_kind)s->kind) {
    case SPLIT_LESS: return order_key(x) < s->threshold;
    case SPLIT_EQUAL: return order_key(x) == s->threshold;
    case SPLIT_MEMBER: break;
    }
    return !has_category(t, s, x);
}

uint32_t trees_leaf(const struct trees *t, const struct tree *tree, const float *row)
{
    const struct split *splits = t->splits + tree->first_split;
    int32_t at = tree->split_count > 0 ? 0 : ~0;

    while (at >= 0)
        at = trees_goes_left(t, &splits[at], row[splits[at].feature]) ? splits[at].left
                                                                      : splits[at].right;
    return (uint32_t)~at;
}
