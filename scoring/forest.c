#include "scoring/forest.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
    PADDED_DEPTH_MAX = 10, /* 2^10 leaves: beyond, padding costs more cache than links cost time */
    PADDED_WASTE_MAX = 8,  /* padded nodes per real one */

};

/* A node that is followed by links. */
struct node {
    float value;      /* threshold, or the leaf's */
    uint32_t column;  /* 2 * feature, + 1 when missing goes right; leaves 0 */
    uint32_t next[2]; /* left, right; a leaf links to itself */
    int32_t category; /* index into sets, -1 = compare with the threshold */
};

struct tree {
    uint32_t depth;
    bool has_categories;
    /* padded: 2^depth - 1 inner nodes, 2^depth leaves */
    float *thresholds;
    uint32_t *columns;
    float *leaves;
    /* linked; NULL when padded */
    struct node *nodes;
};

struct forest {
    size_t feature_count;
    struct forest_rules rules;
    struct tree *trees;
    size_t count, cap;
    struct category_set *sets;
    size_t set_count, set_cap;
    uint32_t *splits; /* per feature, of nodes that can be reached */
    uint32_t depth;
    size_t size_bytes;
};

struct forest *forest_new(size_t feature_count, struct forest_rules rules)
{
    struct forest *f = mem_alloc(1, sizeof *f);

    *f = (struct forest){.feature_count = feature_count, .rules = rules};
    f->splits = mem_alloc(feature_count + 1, sizeof *f->splits);
    return f;
}

void forest_free(struct forest *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        free(f->trees[i].thresholds);
        free(f->trees[i].columns);
        free(f->trees[i].leaves);
        free(f->trees[i].nodes);
    }
    for (size_t i = 0; i < f->set_count; i++)
        free(f->sets[i].bits);
    free(f->sets);
    free(f->splits);
    free(f->trees);
    free(f);
}

/* ---- build */

/* Levels below the root, and whether a padded tree can say the same. Walks without recursion: a
 * tree may be a list. */
static uint32_t measure(struct forest *f, const struct tree_source *t, bool *can_pad,
                        size_t *reached)
{
    uint32_t *stack = mem_alloc(t->node_count, sizeof *stack);
    uint32_t *depths = mem_alloc(t->node_count, sizeof *depths), depth = 0;
    size_t top = 0;

    *can_pad = true;
    *reached = 0;
    stack[top++] = 0;
    while (top > 0) {
        uint32_t i = stack[--top];
        ++*reached;
        depth = depths[i] > depth ? depths[i] : depth;
        if (t->left[i] < 0)
            continue;
        f->splits[t->feature[i]]++;
        /* Missing is -inf or +inf in a padded tree: only right for thresholds above -inf. */
        if (!(t->value[i] > -INFINITY) || (t->category && t->category[i] >= 0))
            *can_pad = false;
        depths[t->left[i]] = depths[t->right[i]] = depths[i] + 1;
        stack[top++] = (uint32_t)t->right[i];
        stack[top++] = (uint32_t)t->left[i];
    }
    free(stack);
    free(depths);
    return depth;
}

static uint32_t column_of(const struct tree_source *t, uint32_t i)
{
    return (uint32_t)t->feature[i] * 2 + (t->default_left[i] ? 0 : 1);
}

/* Places node i at `at`; below a leaf every node leads to the leaf's value. */
static void pad(struct tree *tree, const struct tree_source *t, uint32_t i, uint32_t at,
                uint32_t level)
{
    bool is_leaf = t->left[i] < 0;

    if (level == tree->depth) {
        tree->leaves[at - ((1u << tree->depth) - 1)] = t->value[i];
        return;
    }
    tree->thresholds[at] = is_leaf ? 0 : t->value[i];
    tree->columns[at] = is_leaf ? 0 : column_of(t, i);
    pad(tree, t, is_leaf ? i : (uint32_t)t->left[i], 2 * at + 1, level + 1);
    pad(tree, t, is_leaf ? i : (uint32_t)t->right[i], 2 * at + 2, level + 1);
}

static void link_nodes(struct forest *f, struct tree *tree, const struct tree_source *t)
{
    tree->nodes = mem_alloc(t->node_count, sizeof *tree->nodes);
    f->size_bytes += t->node_count * sizeof *tree->nodes;
    for (uint32_t i = 0; i < t->node_count; i++) {
        struct node *n = &tree->nodes[i];
        *n = (struct node){.value = t->value[i], .next = {i, i}, .category = -1};
        if (t->left[i] < 0)
            continue;
        n->column = column_of(t, i);
        n->next[0] = (uint32_t)t->left[i];
        n->next[1] = (uint32_t)t->right[i];
        if (t->category && t->category[i] >= 0) {
            f->sets = mem_grow(f->sets, f->set_count, &f->set_cap, sizeof *f->sets);
            const struct category_set *from = &t->sets[t->category[i]];
            size_t words = (from->bit_count + 63) / 64;
            f->sets[f->set_count] = (struct category_set){mem_alloc(words, 8), from->bit_count};
            memcpy(f->sets[f->set_count].bits, from->bits, words * 8);
            f->size_bytes += words * 8;
            n->category = (int32_t)f->set_count++;
            tree->has_categories = true;
        }
    }
}

void forest_add(struct forest *f, const struct tree_source *t)
{
    struct tree tree = {0};
    bool can_pad;
    size_t reached;

    tree.depth = measure(f, t, &can_pad, &reached);
    f->depth = tree.depth > f->depth ? tree.depth : f->depth;
    if (can_pad && tree.depth <= PADDED_DEPTH_MAX &&
        (size_t)1 << (tree.depth + 1) <= PADDED_WASTE_MAX * reached + 64) {
        size_t leaves = (size_t)1 << tree.depth;
        tree.thresholds = mem_alloc(leaves, sizeof(float));
        tree.columns = mem_alloc(leaves, sizeof(uint32_t));
        tree.leaves = mem_alloc(leaves, sizeof(float));
        pad(&tree, t, 0, 0, 0);
        f->size_bytes += leaves * (2 * sizeof(float) + sizeof(uint32_t));
    } else {
        link_nodes(f, &tree, t);
    }
    f->trees = mem_grow(f->trees, f->count, &f->cap, sizeof *f->trees);
    f->trees[f->count++] = tree;
}

uint32_t forest_depth(const struct forest *f)
{
    return f->depth;
}

size_t forest_size_bytes(const struct forest *f)
{
    return f->size_bytes;
}

uint32_t forest_split_count(const struct forest *f, size_t feature)
{
    return f->splits[feature];
}

/* ---- score */

/* Two cells per feature and row: missing is -inf in the first (goes left) and +inf in the second
 * (goes right). Behind them a copy of the rows of an incomplete block. */
size_t forest_scratch_bytes(const struct forest *f)
{
    return FOREST_ROWS * f->feature_count * 3 * sizeof(float) + 64;
}

static void fill_cells(const struct forest *f, const float *rows, size_t count, float *cells)
{
    for (size_t r = 0; r < count; r++) {
        const float *row = rows + r * f->feature_count;
        float *out = cells + r * f->feature_count * 2;
        for (size_t i = 0; i < f->feature_count; i++) {
            bool is_missing = row[i] != row[i];
            out[2 * i] = is_missing ? -INFINITY : row[i];
            out[2 * i + 1] = is_missing ? INFINITY : row[i];
        }
    }
}

static void walk_padded(const struct tree *tree, const float *cells, size_t stride, float *sums)
{
    const float *thresholds = tree->thresholds, *leaves = tree->leaves - ((1u << tree->depth) - 1);
    const uint32_t *columns = tree->columns;
    uint32_t at[FOREST_ROWS] = {0};

    for (uint32_t level = 0; level < tree->depth; level++)
        for (size_t r = 0; r < FOREST_ROWS; r++)
            at[r] = 2 * at[r] + 1 + !(cells[r * stride + columns[at[r]]] < thresholds[at[r]]);
    for (size_t r = 0; r < FOREST_ROWS; r++)
        sums[r] += leaves[at[r]];
}

/* Left 0, right 1 for a category. XGBoost, src/common/categorical.h: truncated to an integer; in
 * the set goes right. */
static unsigned side_of_category(const struct forest *f, const struct node *n, float value)
{
    const struct category_set *set = &f->sets[n->category];
    bool goes_right_by_default = n->column & 1;

    if (value != value)
        return goes_right_by_default;
    if (f->rules.category == CATEGORY_TRUNCATED && value > -1 && value < 0)
        value = 0;
    if (value < 0 || value >= 0x1p24f || (uint32_t)value >= set->bit_count)
        return f->rules.category == CATEGORY_BEYOND_IS_DEFAULT ? goes_right_by_default : 0;
    return set->bits[(uint32_t)value / 64] >> ((uint32_t)value % 64) & 1;
}

/* value: as the row has it. A threshold's rule holds for every float, -inf and NaN thresholds too.
 */
static inline unsigned side_of_number(const struct node *n, float value)
{
    return value != value ? n->column & 1 : !(value < n->value);
}

static void walk_linked(const struct forest *f, const struct tree *tree, const float *rows,
                        size_t stride, float *sums)
{
    uint32_t at[FOREST_ROWS] = {0};

    for (uint32_t level = 0; level < tree->depth; level++) {
        for (size_t r = 0; r < FOREST_ROWS; r++) {
            const struct node *n = &tree->nodes[at[r]];
            float value = rows[r * stride + (n->column >> 1)];
            at[r] = n->next[n->category >= 0 ? side_of_category(f, n, value)
                                             : side_of_number(n, value)];
        }
    }
    for (size_t r = 0; r < FOREST_ROWS; r++)
        sums[r] += tree->nodes[at[r]].value;
}

/* At most FOREST_ROWS rows; the lanes beyond count walk copies of the last row and are dropped. */
static void score_block(const struct forest *f, const float *rows, size_t count, float *margins,
                        float *cells, float *copy)
{
    float sums[FOREST_ROWS];

    if (count < FOREST_ROWS) {
        for (size_t r = 0; r < FOREST_ROWS; r++)
            memcpy(copy + r * f->feature_count,
                   rows + (r < count ? r : count - 1) * f->feature_count,
                   f->feature_count * sizeof(float));
        rows = copy;
    }
    fill_cells(f, rows, FOREST_ROWS, cells);
    for (size_t r = 0; r < FOREST_ROWS; r++)
        sums[r] = f->rules.base_comes_last ? 0 : f->rules.base_margin;
    for (size_t i = 0; i < f->count; i++) {
        if (f->trees[i].nodes)
            walk_linked(f, &f->trees[i], rows, f->feature_count, sums);
        else
            walk_padded(&f->trees[i], cells, f->feature_count * 2, sums);
    }
    for (size_t r = 0; f->rules.base_comes_last && r < FOREST_ROWS; r++)
        sums[r] += f->rules.base_margin;
    memcpy(margins, sums, count * sizeof *margins);
}

void forest_score(const struct forest *f, const float *rows, size_t count, float *margins,
                  void *scratch)
{
    float *cells = scratch, *copy = cells + FOREST_ROWS * f->feature_count * 2;

    for (size_t r = 0; r < count; r += FOREST_ROWS)
        score_block(f, rows + r * f->feature_count,
                    count - r < FOREST_ROWS ? count - r : FOREST_ROWS, margins + r, cells, copy);
}
