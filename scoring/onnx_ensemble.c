#include "scoring/onnx_ensemble.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

enum { ABSENT = -1 };

static void release_reals(struct onnx_reals *reals)
{
    free(reals->floats.items);
    free(reals->doubles.items);
}

void ensemble_release(struct ensemble *e)
{
    free(e->tree_ids.items);
    free(e->ids.items);
    free(e->features.items);
    free(e->if_true.items);
    free(e->if_false.items);
    release_reals(&e->thresholds);
    free(e->modes);
    free(e->missing_true);
    free(e->order);
    free(e->weight_trees.items);
    free(e->weight_ids.items);
    free(e->weight_outputs.items);
    release_reals(&e->weights);
    free(e->leaf_weights);
    free(e->leaf_firsts);
    release_reals(&e->bases);
}

/* ---- attributes */

static int take_ints(struct onnx_reader *r, const struct onnx_node *n, const char *name,
                     struct wire_ints *list)
{
    return onnx_attribute_ints(n, name, list)
               ? 0
               : onnx_refuse(r, n, "%s is no list of whole numbers below 2^31", name);
}

/* name, or name_as_tensor: what is double is only right where the row is. */
static int take_reals(struct onnx_reader *r, const struct onnx_node *n, const char *name,
                      struct onnx_reals *reals)
{
    struct onnx_tensor tensor;
    char as_tensor[64];

    snprintf(as_tensor, sizeof as_tensor, "%s_as_tensor", name);
    if (!onnx_attribute_floats(n, name, &reals->floats))
        return onnx_refuse(r, n, "%s is no list of floats", name);
    if (!onnx_attribute_tensor(n, as_tensor, &tensor))
        return 0;
    if (!r->is_double)
        return onnx_refuse(r, n, "%s with rows of float: ONNX Runtime does not load it", as_tensor);
    if (!onnx_tensor_doubles(&tensor, &reals->doubles))
        return onnx_refuse(r, n, "%s is no tensor of doubles", as_tensor);
    if (reals->floats.count > 0 && reals->doubles.count > 0)
        return onnx_refuse(r, n, "%s and %s", name, as_tensor);
    return 0;
}

static void take_mode(void *arg, struct slice text)
{
    static const char *const names[] = {"BRANCH_LEQ", "BRANCH_LT",  "BRANCH_GTE", "BRANCH_GT",
                                        "BRANCH_EQ",  "BRANCH_NEQ", "LEAF"};
    struct ensemble *e = arg;
    size_t mode = 0;

    while (mode <= BRANCH_LEAF && !slice_equals(text, names[mode], strlen(names[mode])))
        mode++;
    e->modes = mem_grow(e->modes, e->count, &e->mode_cap, 1);
    e->modes[e->count++] = (uint8_t)mode;
}

static int take_modes(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    if (!onnx_attribute_texts(n, "nodes_modes", take_mode, e))
        return onnx_refuse(r, n, "nodes_modes is no list of texts");
    if (e->count > TREES_MAX_NODES)
        return onnx_refuse(r, n, "more than %d nodes", TREES_MAX_NODES);
    for (size_t i = 0; i < e->count; i++)
        if (e->modes[i] > BRANCH_LEAF)
            return onnx_refuse(r, n, "nodes_modes[%zu] is none that is known", i);
    return e->count > 0 ? 0 : onnx_refuse(r, n, "no trees");
}

static int take_missing(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    struct wire_ints tracks = {0};
    int result = take_ints(r, n, "nodes_missing_value_tracks_true", &tracks);

    if (result == 0 && tracks.count > e->count)
        result = onnx_refuse(r, n, "nodes_missing_value_tracks_true has %zu entries for %zu nodes",
                             tracks.count, e->count);
    if (result == 0 && tracks.count > 0)
        e->missing_true = mem_alloc(e->count, 1);
    for (size_t i = 0; result == 0 && i < tracks.count; i++)
        e->missing_true[i] = tracks.items[i] == 1;
    free(tracks.items);
    return result;
}

static int take_nodes(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    const struct {
        const char *name;
        struct wire_ints *list;
    } lists[] = {{"nodes_treeids", &e->tree_ids},
                 {"nodes_nodeids", &e->ids},
                 {"nodes_featureids", &e->features},
                 {"nodes_truenodeids", &e->if_true},
                 {"nodes_falsenodeids", &e->if_false}};

    if (take_modes(r, n, e) != 0)
        return -1;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (take_ints(r, n, lists[i].name, lists[i].list) != 0)
            return -1;
        if (lists[i].list->count != e->count)
            return onnx_refuse(r, n, "%s has %zu entries for %zu nodes", lists[i].name,
                               lists[i].list->count, e->count);
    }
    if (take_reals(r, n, "nodes_values", &e->thresholds) != 0)
        return -1;
    if (onnx_real_count(&e->thresholds) != e->count)
        return onnx_refuse(r, n, "nodes_values has %zu entries for %zu nodes",
                           onnx_real_count(&e->thresholds), e->count);
    return take_missing(r, n, e);
}

static int take_weights(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    const char *prefix = e->is_classifier ? "class" : "target";
    const struct {
        const char *name;
        struct wire_ints *list;
    } lists[] = {
        {"treeids", &e->weight_trees}, {"nodeids", &e->weight_ids}, {"ids", &e->weight_outputs}};
    char name[64];

    snprintf(name, sizeof name, "%s_weights", prefix);
    if (take_reals(r, n, name, &e->weights) != 0)
        return -1;
    e->weight_count = onnx_real_count(&e->weights);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s_%s", prefix, lists[i].name);
        if (take_ints(r, n, name, lists[i].list) != 0)
            return -1;
        if (lists[i].list->count != e->weight_count)
            return onnx_refuse(r, n, "%s has %zu entries for %zu weights", name,
                               lists[i].list->count, e->weight_count);
    }
    for (size_t i = 0; i < e->weight_count; i++)
        if (e->weight_outputs.items[i] < 0 || (size_t)e->weight_outputs.items[i] >= e->output_count)
            return onnx_refuse(r, n, "%s[%zu] is %d of %zu", name, i, e->weight_outputs.items[i],
                               e->output_count);
    return 0;
}

static int take_aggregate(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    struct slice aggregate = slice_of("SUM");
    char text[ONNX_TEXT_MAX];

    if (!onnx_attribute_text(n, "aggregate_function", &aggregate))
        return onnx_refuse(r, n, "aggregate_function is no text");
    e->is_average = slice_equals(aggregate, "AVERAGE", 7);
    if (!e->is_average && !slice_equals(aggregate, "SUM", 3))
        return onnx_refuse(r, n,
                           "aggregate_function %s: not read by this version; SUM and AVERAGE "
                           "are",
                           onnx_text(aggregate, text));
    return 0;
}

/* ---- ids */

static int compare(const struct ensemble *e, uint32_t i, int32_t tree, int32_t id)
{
    if (e->tree_ids.items[i] != tree)
        return e->tree_ids.items[i] < tree ? -1 : 1;
    return e->ids.items[i] == id ? 0 : e->ids.items[i] < id ? -1 : 1;
}

static int by_ids(const void *a, const void *b, void *arg)
{
    const struct ensemble *e = arg;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    return compare(e, i, e->tree_ids.items[j], e->ids.items[j]);
}

static uint32_t nth(const struct ensemble *e, size_t i)
{
    return e->order ? e->order[i] : (uint32_t)i;
}

/* The number of a node; ABSENT. near: where it may well be. */
static int32_t find(const struct ensemble *e, int32_t tree, int32_t id, size_t near)
{
    size_t low = 0, high = e->count;

    if (near < e->count && compare(e, nth(e, near), tree, id) == 0)
        return (int32_t)nth(e, near);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int side = compare(e, nth(e, middle), tree, id);
        if (side == 0)
            return (int32_t)nth(e, middle);
        if (side < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return ABSENT;
}

/* Trees are those pieces that have one tree id; roots are the first of their nodes. */
static int sort_nodes(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    size_t pieces = 1, trees = 1;
    bool is_sorted = true;

    for (uint32_t i = 1; i < e->count; i++) {
        pieces += e->tree_ids.items[i] != e->tree_ids.items[i - 1];
        is_sorted = is_sorted && compare(e, i - 1, e->tree_ids.items[i], e->ids.items[i]) < 0;
    }
    if (!is_sorted) {
        e->order = mem_alloc(e->count, sizeof *e->order);
        for (uint32_t i = 0; i < e->count; i++)
            e->order[i] = i;
        qsort_r(e->order, e->count, sizeof *e->order, by_ids, e);
    }
    for (size_t i = 1; i < e->count; i++) {
        uint32_t before = nth(e, i - 1), at = nth(e, i);
        trees += e->tree_ids.items[at] != e->tree_ids.items[before];
        if (by_ids(&before, &at, e) == 0)
            return onnx_refuse(r, n, "tree %d has two nodes %d", e->tree_ids.items[at],
                               e->ids.items[at]);
    }
    e->tree_count = pieces;
    return pieces == trees ? 0 : onnx_refuse(r, n, "the nodes of a tree do not lie together");
}

/* Children become numbers of nodes. */
static int link_nodes(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    size_t start = 0; /* of the tree, as if it were sorted */

    for (size_t i = 0; i < e->count; i++) {
        int32_t tree = e->tree_ids.items[i], yes, no;
        if (i > 0 && tree != e->tree_ids.items[i - 1])
            start = i;
        if (e->modes[i] == BRANCH_LEAF)
            continue;
        yes = find(e, tree, e->if_true.items[i], start + (size_t)(uint32_t)e->if_true.items[i]);
        no = find(e, tree, e->if_false.items[i], start + (size_t)(uint32_t)e->if_false.items[i]);
        if (yes == ABSENT || no == ABSENT)
            return onnx_refuse(r, n, "tree %d node %d: child %d is not there", tree,
                               e->ids.items[i],
                               yes == ABSENT ? e->if_true.items[i] : e->if_false.items[i]);
        e->if_true.items[i] = yes;
        e->if_false.items[i] = no;
    }
    return 0;
}

/* Weights by node. Those of inner nodes are dropped: old converters wrote some, ONNX Runtime
 * ignores them. */
static int link_weights(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    size_t near = 0;

    e->leaf_firsts = mem_alloc(e->count + 2, sizeof *e->leaf_firsts);
    e->leaf_weights = mem_alloc(e->weight_count + 1, sizeof *e->leaf_weights);
    for (size_t j = 0; j < e->weight_count; j++) {
        int32_t node = find(e, e->weight_trees.items[j], e->weight_ids.items[j], near);
        if (node == ABSENT)
            return onnx_refuse(r, n, "a weight is for node %d of tree %d, which is not there",
                               e->weight_ids.items[j], e->weight_trees.items[j]);
        near = (size_t)node + 1;
        e->weight_ids.items[j] = node;
        if (e->modes[node] == BRANCH_LEAF)
            e->leaf_firsts[node + 2]++;
    }
    for (size_t i = 2; i < e->count + 2; i++)
        e->leaf_firsts[i] += e->leaf_firsts[i - 1];
    for (size_t j = 0; j < e->weight_count; j++) {
        int32_t node = e->weight_ids.items[j];
        if (e->modes[node] == BRANCH_LEAF)
            e->leaf_weights[e->leaf_firsts[node + 1]++] = (uint32_t)j;
    }
    return 0;
}

/* ---- all of it */

static int take_outputs(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    if (onnx_trees_width(r, n, &e->output_count) != 0)
        return -1;
    if (e->is_classifier && e->output_count == 1)
        return onnx_refuse(r, n, "a classifier of one class: not read by this version");
    return 0;
}

int ensemble_read(struct onnx_reader *r, const struct onnx_node *n, struct ensemble *e)
{
    /* hitrates: how many rows came by in training, and not used */
    static const char *const known[] = {"aggregate_function",
                                        "base_values",
                                        "base_values_as_tensor",
                                        "class_ids",
                                        "class_nodeids",
                                        "class_treeids",
                                        "class_weights",
                                        "class_weights_as_tensor",
                                        "classlabels_int64s",
                                        "classlabels_strings",
                                        "n_targets",
                                        "nodes_falsenodeids",
                                        "nodes_featureids",
                                        "nodes_hitrates",
                                        "nodes_hitrates_as_tensor",
                                        "nodes_missing_value_tracks_true",
                                        "nodes_modes",
                                        "nodes_nodeids",
                                        "nodes_treeids",
                                        "nodes_truenodeids",
                                        "nodes_values",
                                        "nodes_values_as_tensor",
                                        "post_transform",
                                        "target_ids",
                                        "target_nodeids",
                                        "target_treeids",
                                        "target_weights",
                                        "target_weights_as_tensor",
                                        NULL};

    *e = (struct ensemble){.is_classifier = slice_equals(n->op, "TreeEnsembleClassifier", 22)};
    if (onnx_know(r, n, known) != 0 || take_outputs(r, n, e) != 0 || take_nodes(r, n, e) != 0 ||
        take_weights(r, n, e) != 0 || take_reals(r, n, "base_values", &e->bases) != 0 ||
        take_aggregate(r, n, e) != 0 || onnx_post_transform(r, n, &e->post_transform) != 0)
        return -1;
    return sort_nodes(r, n, e) == 0 && link_nodes(r, n, e) == 0 ? link_weights(r, n, e) : -1;
}
