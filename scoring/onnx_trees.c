/* onnx_trees.c: a tree ensemble's nodes into struct trees, and its weights, base values and
 * post_transform as ONNX Runtime understands them. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "scoring/onnx_ensemble.h"
#include "scoring/order.h"

enum {
    MAX_TREE_NODES = 1 << 18, /* of one tree, when shared branches are written out */
    SHARED_MAX = 8,           /* nodes in all, per node of the file; and MAX_TREE_NODES on top */
    VALUES_MAX = 16,          /* leaf values in all, per weight of the file; on top: */
    VALUES_FREE = 1 << 20,
    NEVER_EQUAL = ORDER_NONE - 1, /* no number has this key */
};

struct builder {
    struct onnx_reader *r;
    const struct onnx_node *node;
    struct ensemble *e;
    struct trees *trees;
    int32_t only;   /* the output that is kept; -1: all */
    bool *met;      /* per node of the file */
    size_t written; /* nodes */

    /* the tree that is being written */
    struct tree_node *nodes;
    size_t node_count, node_cap;
    struct copy {
        uint32_t from, to; /* node of the file, node of the tree */
    } * stack;
    size_t top, stack_cap;
    double *vectors; /* leaf_width per leaf */
    size_t vector_count, vector_cap;
};

/* ---- splits */

/* The threshold of x < t for float32 x and a double t. */
static int32_t below(double t)
{
    float up = (float)t;

    if (t != t)
        return ORDER_NONE;
    if ((double)up < t)
        up = nextafterf(up, INFINITY);
    return order_key(up);
}

static int32_t equal_to(double t)
{
    return (double)(float)t == t ? order_key((float)t) : NEVER_EQUAL;
}

/* Which child is left: x < t, x <= t and x == t are, so of their opposites the false one. NaN takes
 * the false branch, of != the true one; and the true one where missing values track true. */
static struct split split_of(const struct ensemble *e, size_t i, bool *true_is_left)
{
    double t = onnx_real(&e->thresholds, i);
    bool missing_true = e->missing_true && e->missing_true[i];
    enum branch mode = (enum branch)e->modes[i];
    struct split s = {.feature = (uint32_t)e->features.items[i], .missing = MISSING_NAN};

    *true_is_left = mode == BRANCH_LEQ || mode == BRANCH_LT || mode == BRANCH_EQ;
    if (mode == BRANCH_EQ || mode == BRANCH_NEQ) {
        s.kind = SPLIT_EQUAL;
        s.threshold = equal_to(t);
    } else if (t != t) { /* never true */
        s.threshold = *true_is_left ? ORDER_NONE : ORDER_ALL;
    } else {
        s.threshold = mode == BRANCH_LT || mode == BRANCH_GTE ? below(t) : order_up_to(t);
    }
    s.default_left = missing_true == *true_is_left && mode != BRANCH_NEQ;
    return s;
}

/* ---- leaves */

static bool is_kept(const struct builder *b, uint32_t weight)
{
    return b->only < 0 || b->e->weight_outputs.items[weight] == b->only;
}

/* The value, or the values, of a leaf; an output without a weight gets nothing. */
static int take_leaf(struct builder *b, uint32_t from, struct tree_node *to)
{
    const struct ensemble *e = b->e;
    size_t width = b->trees->leaf_width, first = b->vector_count;

    to->left = to->right = -1;
    to->cover = (double)first; /* the pointer comes when the vectors lie still */
    for (size_t k = 0; k < width; k++) {
        b->vectors = mem_grow(b->vectors, b->vector_count, &b->vector_cap, sizeof *b->vectors);
        b->vectors[b->vector_count++] = 0;
    }
    for (uint32_t j = e->leaf_firsts[from]; j < e->leaf_firsts[from + 1]; j++) {
        uint32_t weight = e->leaf_weights[j];
        size_t k = width > 1 ? (size_t)e->weight_outputs.items[weight] : 0;
        if (is_kept(b, weight))
            b->vectors[first + k] = onnx_real(&e->weights, weight);
    }
    to->value = b->vectors[first];
    if (b->trees->value_count + b->vector_count > VALUES_MAX * e->weight_count + VALUES_FREE)
        return onnx_refuse(b->r, b->node, "%zu outputs and few weights: too large", width);
    return 0;
}

/* One weight for each leaf and output: a second one counts in some places of ONNX Runtime, and not
 * in others. A regressor of one target takes a leaf's threshold where there is no weight. */
static int check_leaves(struct onnx_reader *r, const struct onnx_node *n, const struct ensemble *e)
{
    size_t *met = mem_alloc(e->output_count, sizeof *met); /* 1 + the leaf that had it last */
    int result = 0;

    for (size_t i = 0; i < e->count && result == 0; i++) {
        if (e->modes[i] != BRANCH_LEAF)
            continue;
        if (e->leaf_firsts[i] == e->leaf_firsts[i + 1] && e->output_count == 1)
            result = onnx_refuse(r, n, "tree %d node %d: a leaf without a weight",
                                 e->tree_ids.items[i], e->ids.items[i]);
        for (uint32_t j = e->leaf_firsts[i]; j < e->leaf_firsts[i + 1]; j++) {
            int32_t output = e->weight_outputs.items[e->leaf_weights[j]];
            if (met[output] == i + 1)
                result = onnx_refuse(r, n, "tree %d node %d: two weights for output %d",
                                     e->tree_ids.items[i], e->ids.items[i], output);
            met[output] = i + 1;
        }
    }
    free(met);
    return result;
}

/* ---- trees */

static uint32_t add_node(struct builder *b, uint32_t from)
{
    b->nodes = mem_grow(b->nodes, b->node_count, &b->node_cap, sizeof *b->nodes);
    b->nodes[b->node_count] = (struct tree_node){0};
    b->stack = mem_grow(b->stack, b->top, &b->stack_cap, sizeof *b->stack);
    b->stack[b->top++] = (struct copy){from, (uint32_t)b->node_count};
    return (uint32_t)b->node_count++;
}

static int take_node(struct builder *b, struct copy copy)
{
    const struct ensemble *e = b->e;
    bool true_is_left;
    uint32_t yes, no;
    struct split split;

    b->met[copy.from] = true;
    if (e->modes[copy.from] == BRANCH_LEAF)
        return take_leaf(b, copy.from, &b->nodes[copy.to]);
    if (e->features.items[copy.from] < 0 ||
        (size_t)e->features.items[copy.from] >= b->trees->feature_count)
        return onnx_refuse(b->r, b->node, "tree %d node %d: feature %d of a row of %zu",
                           e->tree_ids.items[copy.from], e->ids.items[copy.from],
                           e->features.items[copy.from], b->trees->feature_count);
    split = split_of(e, copy.from, &true_is_left);
    yes = add_node(b, (uint32_t)e->if_true.items[copy.from]);
    no = add_node(b, (uint32_t)e->if_false.items[copy.from]);
    b->nodes[copy.to].split = split;
    b->nodes[copy.to].left = true_is_left ? yes : no;
    b->nodes[copy.to].right = true_is_left ? no : yes;
    return 0;
}

/* The output that all leaves of a tree add to. */
static uint32_t output_of(const struct builder *b, size_t first)
{
    const struct ensemble *e = b->e;

    for (size_t i = first; b->only < 0 && i < e->count; i++)
        if (e->leaf_firsts[i] < e->leaf_firsts[i + 1])
            return (uint32_t)e->weight_outputs.items[e->leaf_weights[e->leaf_firsts[i]]];
    return 0;
}

/* Branches may be shared (LightGBM's categories become a chain of == with one true branch): each
 * way to a branch gets its own. That ends circles too, at the limit. */
static int add_tree(struct builder *b, size_t first)
{
    size_t limit = SHARED_MAX * b->e->count + MAX_TREE_NODES;
    struct tree_source source = {.output = output_of(b, first)};
    int64_t bad;

    b->node_count = b->vector_count = b->top = 0;
    add_node(b, (uint32_t)first);
    while (b->top > 0) {
        if (b->node_count > MAX_TREE_NODES && b->node_count > b->e->count)
            return onnx_refuse(
                b->r, b->node,
                "tree %d: its nodes lead in a circle, or share more than %d branches",
                b->e->tree_ids.items[first], MAX_TREE_NODES);
        if (take_node(b, b->stack[--b->top]) != 0)
            return -1;
    }
    for (size_t i = 0; i < b->node_count; i++)
        if (b->nodes[i].left == -1)
            b->nodes[i].vector = b->vectors + (size_t)b->nodes[i].cover;
    b->written += b->node_count;
    if (b->written > limit)
        return onnx_refuse(b->r, b->node, "trees share more than %zu branches", limit);
    source.nodes = b->nodes;
    source.node_count = b->node_count;
    bad = trees_add(b->trees, &source);
    assert(bad < 0); /* each node was made with its one parent */
    return 0;
}

static int add_trees(struct builder *b)
{
    const struct ensemble *e = b->e;

    if (check_leaves(b->r, b->node, e) != 0)
        return -1;
    for (size_t i = 0; i < e->count; i++)
        if ((i == 0 || e->tree_ids.items[i] != e->tree_ids.items[i - 1]) && add_tree(b, i) != 0)
            return -1;
    for (size_t i = 0; i < e->count; i++)
        if (!b->met[i])
            return onnx_refuse(b->r, b->node, "tree %d node %d: nothing leads there",
                               e->tree_ids.items[i], e->ids.items[i]);
    return 0;
}

/* Whether each tree adds to one output only, so that leaves need no vectors. */
static bool has_one_output_per_tree(const struct ensemble *e)
{
    int32_t output = -1;

    for (size_t i = 0; i < e->count; i++) {
        if (i == 0 || e->tree_ids.items[i] != e->tree_ids.items[i - 1])
            output = -1;
        for (uint32_t j = e->leaf_firsts[i]; j < e->leaf_firsts[i + 1]; j++) {
            int32_t own = e->weight_outputs.items[e->leaf_weights[j]];
            if (output >= 0 && own != output)
                return false;
            output = own;
        }
    }
    return true;
}

static int build(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e, int32_t only)
{
    struct trees *t = r->parts->trees;
    struct builder b = {.r = r, .node = n, .e = e, .trees = t, .only = only};
    size_t bases = onnx_real_count(&e->bases);
    int result;

    trees_set_shape(t, t->feature_count, only < 0 ? e->output_count : 1);
    t->sum = r->is_double ? SUM_DOUBLE_BASE_LAST : SUM_FLOAT_BASE_LAST;
    t->divisor = e->is_average ? (double)e->tree_count : 0;
    t->leaf_width = only < 0 && !has_one_output_per_tree(e) ? e->output_count : 1;
    for (size_t k = 0; k < t->output_count && bases > 0; k++)
        t->base[k] = onnx_real(&e->bases, only < 0 || bases == 1 ? k : (size_t)only);
    b.met = mem_alloc(e->count, 1);
    result = add_trees(&b);
    free(b.met);
    free(b.nodes);
    free(b.stack);
    free(b.vectors);
    return result;
}

/* ---- what ONNX Runtime does with the sums: tree_ensemble_aggregator.h */

/* All outputs, and the transform over all of them; or only the one that is looked at, where the
 * transform takes them one by one. */
static int build_many(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    bool is_alone = e->post_transform == SCORE_NONE || e->post_transform == SCORE_LOGISTIC;
    int32_t only = is_alone ? (int32_t)r->column : -1;

    if (r->column >= 0 && only < 0)
        onnx_scores_add(&r->scores, (struct score_op){SCORE_PICK, (int32_t)r->column, 0});
    if (e->post_transform != SCORE_NONE)
        onnx_scores_add(&r->scores, (struct score_op){e->post_transform, -1, 0});
    return build(r, n, e, only);
}

/* Which leaves have a weight for an output: ONNX Runtime asks row by row whether there was one. */
enum presence { HAS_NEVER, HAS_SOMETIMES, HAS_ALWAYS };

static bool has_weight(const struct ensemble *e, size_t leaf, size_t output)
{
    for (uint32_t j = e->leaf_firsts[leaf]; j < e->leaf_firsts[leaf + 1]; j++)
        if ((size_t)e->weight_outputs.items[e->leaf_weights[j]] == output)
            return true;
    return false;
}

/* Always: there is a tree all of whose leaves have one. */
static enum presence presence_of(const struct ensemble *e, size_t output)
{
    bool has_all = true, has_one = false;

    for (size_t i = 0; i < e->count; i++) {
        bool has = e->modes[i] == BRANCH_LEAF && has_weight(e, i, output);
        if (i > 0 && e->tree_ids.items[i] != e->tree_ids.items[i - 1]) {
            if (has_all)
                return HAS_ALWAYS;
            has_all = true;
        }
        has_all = has_all && (has || e->modes[i] != BRANCH_LEAF);
        has_one = has_one || has;
    }
    return has_all ? HAS_ALWAYS : has_one ? HAS_SOMETIMES : HAS_NEVER;
}

/* Targets that got no weight are 0 in the end, without their base value. */
static int check_bases(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    for (size_t k = 0; k < onnx_real_count(&e->bases); k++) {
        enum presence presence = HAS_ALWAYS;
        if (onnx_real(&e->bases, k) != 0)
            presence = presence_of(e, k);
        if (presence == HAS_SOMETIMES)
            return onnx_refuse(r, n,
                               "leaves without a weight for target %zu: whether ONNX Runtime "
                               "adds its base value depends on the row",
                               k);
        if (presence == HAS_NEVER && e->bases.doubles.count > 0)
            e->bases.doubles.items[k] = 0;
        else if (presence == HAS_NEVER)
            e->bases.floats.items[k] = 0;
    }
    return 0;
}

/* A regressor of one target does not get its post_transform, whatever the specification says. */
static int build_regressor(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    size_t bases = onnx_real_count(&e->bases);

    if (bases != 0 && bases != e->output_count)
        return onnx_refuse(r, n, "%zu base_values for %zu targets", bases, e->output_count);
    if (e->output_count == 1)
        e->post_transform = SCORE_NONE;
    return check_bases(r, n, e) == 0 ? build_many(r, n, e) : -1;
}

/* Two classes, and one column of weights, that of class 0: s is the score of class 1. Where no
 * weight is negative it is a probability already, and no transform is applied. */
static int build_binary(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    bool is_positive = true, is_logistic = e->post_transform == SCORE_LOGISTIC;

    for (size_t j = 0; j < e->weight_count; j++)
        is_positive = is_positive && !(onnx_real(&e->weights, j) < 0);
    if (onnx_real_count(&e->bases) > 1)
        return onnx_refuse(r, n, "two base_values for one column of weights");
    if (r->column == 0)
        onnx_scores_add(&r->scores, (struct score_op){SCORE_PICK, 0, 0});
    if (!is_positive && is_logistic)
        onnx_scores_add(&r->scores, (struct score_op){SCORE_LOGISTIC, -1, 0});
    if (r->column <= 0 && is_positive && r->is_double)
        onnx_is_close(r, n); /* 1 - s is a double there */
    if (r->column <= 0)
        onnx_scores_add(&r->scores,
                        (struct score_op){is_positive ? SCORE_COMPLEMENT : SCORE_OPPOSITE, 0, 0});
    return build(r, n, e, 0);
}

static int build_classifier(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    size_t bases = onnx_real_count(&e->bases);
    bool has_class_1 = false;

    for (size_t j = 0; j < e->weight_count; j++)
        has_class_1 = has_class_1 || e->weight_outputs.items[j] == 1;
    if (e->output_count == 2 && !has_class_1)
        return build_binary(r, n, e);
    if (e->output_count == 2 && bases > 0)
        return onnx_refuse(r, n,
                           "base_values for two classes with weights of class 1: ONNX "
                           "Runtime's result makes no sense");
    if (e->output_count == 2 && presence_of(e, 1) != HAS_ALWAYS)
        return onnx_refuse(r, n,
                           "leaves without a weight of class 1: ONNX Runtime's result then "
                           "depends on the row");
    if (bases != 0 && bases != e->output_count)
        return onnx_refuse(r, n, "%zu base_values for %zu classes", bases, e->output_count);
    return build_many(r, n, e);
}

int onnx_trees_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    bool is_classifier = slice_equals(n->op, "TreeEnsembleClassifier", 22);
    size_t texts = 0, ints = 0;
    int64_t targets = 0;

    if (!onnx_attribute_count(n, "classlabels_strings", &texts) ||
        !onnx_attribute_count(n, "classlabels_int64s", &ints) ||
        !onnx_attribute_int(n, "n_targets", &targets))
        return onnx_refuse(r, n, "classlabels or n_targets are damaged");
    *width = !is_classifier ? (size_t)targets : texts > 0 ? texts : ints;
    if (targets < 0 || *width < 1 || *width > ONNX_MAX_OUTPUTS)
        return onnx_refuse(r, n, "it has no outputs, or more than %d", ONNX_MAX_OUTPUTS);
    r->is_classifier = r->is_classifier || is_classifier;
    return 0;
}

int onnx_trees(struct onnx_reader *r, const struct onnx_node *n)
{
    struct ensemble e = {0};
    enum onnx_type type;
    size_t width;
    int result;

    if (onnx_rows(r, onnx_input(&r->file, n, 0), &width, &type) != 0)
        return -1;
    r->is_double = type == ONNX_DOUBLE;
    r->parts->trees = trees_new();
    r->parts->trees->feature_count = width;
    result = ensemble_read(r, n, &e);
    if (result == 0 && r->column >= (int64_t)e.output_count)
        result = onnx_refuse(r, n, "it has no output %lld", (long long)r->column);
    if (result == 0)
        result = e.is_classifier ? build_classifier(r, n, &e) : build_regressor(r, n, &e);
    ensemble_release(&e);
    return result;
}
