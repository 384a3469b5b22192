#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "scoring/order.h"
#include "scoring/xgboost_reader.h"

void raw_tree_release(struct raw_tree *t)
{
    free(t->left.items);
    free(t->right.items);
    free(t->feature.items);
    free(t->default_left.items);
    free(t->split_type.items);
    free(t->categories.items);
    free(t->category_nodes.items);
    free(t->category_segments.items);
    free(t->category_sizes.items);
    free(t->conditions.items);
    free(t->hessians.items);
    free(t->leaf_weights.items);
}

static bool take_tree_param(struct reader *r, struct raw_tree *t)
{
    struct json_text key;
    int64_t ignored;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "num_nodes"))
            reader_param(r, "num_nodes", 1, TREES_MAX_NODES, &t->node_count);
        else if (json_text_equals(&key, "size_leaf_vector"))
            reader_param(r, "size_leaf_vector", 0, MAX_OUTPUTS, &t->leaf_size);
        else if (json_text_equals(&key, "num_feature") || json_text_equals(&key, "num_deleted") ||
                 json_text_equals(&key, "num_roots") || json_text_equals(&key, "max_depth"))
            reader_param(r, "a tree_param", 0, INT64_MAX, &ignored);
        else
            reader_refuse(r, "unknown tree_param %.*s", (int)key.len, key.data);
    }
    return reader_is_well(r);
}

/* Fields of a tree that say nothing about its result. */
static bool is_statistic(const struct json_text *key)
{
    static const char *const names[] = {"loss_changes", "parents", "leaf_child_counts"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_text_equals(key, names[i]))
            return true;
    return false;
}

/* Of the tree that is being read. */
static size_t tree_number(const struct reader *r)
{
    return r->parts->trees->count;
}

/* The library puts a tree into the place that its id names. */
static bool take_id(struct reader *r)
{
    int64_t id;

    if (!document_int(&r->d, &id))
        return false;
    return id == (int64_t)tree_number(r) ||
           reader_refuse(r, "tree %zu has the id %lld: trees are out of order", tree_number(r),
                         (long long)id);
}

/* The values of vector leaves up to 3.1, else a statistic: read when that is known. */
static bool pass_base_weights(struct reader *r, struct raw_tree *t)
{
    t->base_weights = r->d;
    t->has_base_weights = true;
    return document_skip(&r->d);
}

static bool take_tree(struct reader *r, struct raw_tree *t)
{
    const struct {
        const char *name;
        struct int32s *list;
    } lists[] = {{"left_children", &t->left},
                 {"right_children", &t->right},
                 {"split_indices", &t->feature},
                 {"default_left", &t->default_left},
                 {"split_type", &t->split_type},
                 {"categories", &t->categories},
                 {"categories_nodes", &t->category_nodes},
                 {"categories_segments", &t->category_segments},
                 {"categories_sizes", &t->category_sizes}};
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        struct int32s *list = NULL;
        for (size_t i = 0; !list && i < sizeof lists / sizeof lists[0]; i++)
            if (json_text_equals(&key, lists[i].name))
                list = lists[i].list;
        if (list && list->count > 0)
            reader_refuse(r, "tree %zu: %.*s comes twice", tree_number(r), (int)key.len, key.data);
        else if (list && !document_int32s(&r->d, list))
            reader_refuse(r, "tree %zu: %.*s is damaged or cut off, or has a number beyond 2^31",
                          tree_number(r), (int)key.len, key.data);
        else if (list)
            continue;
        else if (json_text_equals(&key, "split_conditions") && t->conditions.count == 0)
            document_floats(&r->d, &t->conditions);
        else if (json_text_equals(&key, "sum_hessian") && t->hessians.count == 0)
            document_floats(&r->d, &t->hessians);
        else if (json_text_equals(&key, "tree_param"))
            take_tree_param(r, t);
        else if (json_text_equals(&key, "id"))
            take_id(r);
        else if (json_text_equals(&key, "leaf_weights") && t->leaf_weights.count == 0)
            document_floats(&r->d, &t->leaf_weights);
        else if (json_text_equals(&key, "base_weights") && !t->has_base_weights)
            pass_base_weights(r, t);
        else if (is_statistic(&key))
            document_skip(&r->d);
        else
            reader_refuse(r, "tree %zu: unknown field %.*s", tree_number(r), (int)key.len,
                          key.data);
    }
    return reader_is_well(r);
}

static bool check_lengths(struct reader *r, const struct raw_tree *t)
{
    size_t n = (size_t)t->node_count;

    if (t->node_count == 0)
        return reader_refuse(r, "tree %zu: no num_nodes", tree_number(r));
    if (t->left.count != n || t->right.count != n || t->feature.count != n ||
        t->conditions.count != n || t->default_left.count != n ||
        (t->split_type.count != n && t->split_type.count != 0) ||
        (t->hessians.count != n && t->hessians.count != 0))
        return reader_refuse(r, "tree %zu: its arrays do not have num_nodes = %zu entries",
                             tree_number(r), n);
    if (t->category_nodes.count > 0 && t->split_type.count == 0)
        return reader_refuse(r, "tree %zu: categories without split_type", tree_number(r));
    if (t->category_nodes.count != t->category_segments.count ||
        t->category_nodes.count != t->category_sizes.count)
        return reader_refuse(r, "tree %zu: categories_nodes, _segments and _sizes differ in length",
                             tree_number(r));
    return true;
}

/* Without statistics the contributions cannot be told: a cover of NaN. What no one reads of these
 * nodes stays as it is. */
static void take_nodes(struct reader *r, const struct raw_tree *t)
{
    for (size_t i = 0; i < (size_t)t->node_count; i++) {
        int64_t feature = t->feature.items[i];
        struct tree_node *n = &r->nodes[i];
        n->left = t->left.items[i];
        n->right = t->right.items[i];
        n->cover = t->hessians.count > 0 ? (double)t->hessians.items[i] : NAN;
        n->value = (double)t->conditions.items[i];
        n->split.feature = feature >= 0 && feature < UINT32_MAX ? (uint32_t)feature : UINT32_MAX;
        n->split.kind = SPLIT_LESS;
        n->split.threshold = order_below(t->conditions.items[i]);
        n->split.missing = MISSING_NAN;
        n->split.default_left = t->default_left.items[i] != 0;
    }
}

/* The set of one categorical node: number k of those that the tree has. */
static bool take_set(struct reader *r, const struct raw_tree *t, size_t k)
{
    int64_t node = t->category_nodes.items[k], first = t->category_segments.items[k];
    int64_t size = t->category_sizes.items[k], highest = 0;
    struct category_set *set;
    struct split *split;

    if (node < 0 || node >= t->node_count || r->nodes[node].split.kind == SPLIT_MEMBER ||
        first < 0 || size < 0 || first > (int64_t)t->categories.count ||
        size > (int64_t)t->categories.count - first)
        return reader_refuse(r, "tree %zu: categories of node %lld are out of range",
                             tree_number(r), (long long)node);
    for (int64_t c = first; c < first + size; c++) {
        if (t->categories.items[c] < 0 || t->categories.items[c] >= 1 << 24)
            return reader_refuse(r, "tree %zu: category %lld", tree_number(r),
                                 (long long)t->categories.items[c]);
        highest = t->categories.items[c] > highest ? t->categories.items[c] : highest;
    }
    split = &r->nodes[node].split;
    split->kind = SPLIT_MEMBER;
    /* words of 32 bits, as the library allots them: what lies in the last word is in range */
    split->threshold = trees_add_set(r->parts->trees, (uint32_t)(highest / 32 + 1) * 32);
    set = &r->parts->trees->sets[split->threshold];
    for (int64_t c = first; c < first + size; c++)
        set->bits[t->categories.items[c] / 64] |= (uint64_t)1 << t->categories.items[c] % 64;
    return true;
}

static bool take_sets(struct reader *r, const struct raw_tree *t)
{
    int32_t any = 0;

    for (size_t k = 0; k < t->category_nodes.count; k++)
        if (!take_set(r, t, k))
            return false;
    for (size_t i = 0; i < t->split_type.count; i++)
        any |= t->split_type.items[i];
    if (any == 0 && t->category_nodes.count == 0)
        return true;
    for (size_t i = 0; i < t->split_type.count; i++)
        if (t->left.items[i] != -1 &&
            (t->split_type.items[i] == 1) != (r->nodes[i].split.kind == SPLIT_MEMBER))
            return reader_refuse(r,
                                 "tree %zu node %zu: split_type %lld and its categories disagree",
                                 tree_number(r), i, (long long)t->split_type.items[i]);
    return true;
}

/* ---- vector leaves: up to 3.1 every node has its vector in base_weights; later the leaves have
 * theirs in leaf_weights, and a leaf's right child is its number there
 * (src/tree/multi_target_tree_model.cc) */

static bool take_vectors(struct reader *r, struct raw_tree *t, size_t *count)
{
    struct floats weights = {0}, *from = &t->leaf_weights;
    bool is_good = true;

    if (t->leaf_weights.count == 0) {
        r->has_base_vectors = true;
        is_good = t->has_base_weights && document_floats(&t->base_weights, &weights);
        from = &weights;
    } else {
        r->has_leaf_weights = true;
    }
    if (from->count > r->vector_cap) {
        r->vector_cap = 2 * from->count;
        r->vectors = mem_resize(r->vectors, r->vector_cap, sizeof *r->vectors);
    }
    for (size_t i = 0; i < from->count; i++)
        r->vectors[i] = (double)from->items[i];
    *count = from->count / (size_t)t->leaf_size;
    is_good = is_good && *count * (size_t)t->leaf_size == from->count &&
              (from != &weights || *count == (size_t)t->node_count);
    free(weights.items);
    return is_good || reader_refuse(r, "tree %zu: its leaves are not of %lld values",
                                    tree_number(r), (long long)t->leaf_size);
}

static bool give_vectors(struct reader *r, struct raw_tree *t)
{
    size_t count = 0;

    if (!take_vectors(r, t, &count))
        return false;
    for (size_t i = 0; i < (size_t)t->node_count; i++) {
        struct tree_node *n = &r->nodes[i];
        int64_t place = t->leaf_weights.count > 0 ? n->right : (int64_t)i;
        if (n->left != -1)
            continue;
        if (place < 0 || place >= (int64_t)count)
            return reader_refuse(r, "tree %zu node %zu: leaf %lld of %zu", tree_number(r), i,
                                 (long long)place, count);
        n->vector = r->vectors + (size_t)place * (size_t)t->leaf_size;
        n->right = t->leaf_weights.count > 0 ? -1 : n->right;
    }
    return true;
}

static bool take_leaves(struct reader *r, struct raw_tree *t)
{
    struct trees *trees = r->parts->trees;
    size_t width = t->leaf_size > 1 ? (size_t)t->leaf_size : 1;

    if (trees->count == 0)
        trees->leaf_width = width;
    if (width != trees->leaf_width)
        return reader_refuse(r, "tree %zu has leaves of %zu values, those before it of %zu",
                             tree_number(r), width, trees->leaf_width);
    if (width == 1 && t->leaf_weights.count > 0)
        return reader_refuse(r, "tree %zu: leaf_weights for leaves of one value", tree_number(r));
    return width == 1 || give_vectors(r, t);
}

static bool add_tree(struct reader *r, struct raw_tree *t)
{
    int64_t bad;

    if (!check_lengths(r, t))
        return false;
    if ((size_t)t->node_count > r->node_cap) {
        r->node_cap = 2 * (size_t)t->node_count;
        r->nodes = mem_resize(r->nodes, r->node_cap, sizeof *r->nodes);
    }
    take_nodes(r, t);
    if (!take_leaves(r, t) || !take_sets(r, t))
        return false;
    bad = trees_add(r->parts->trees, &(struct tree_source){.nodes = r->nodes,
                                                           .node_count = (size_t)t->node_count,
                                                           .has_covers = true});
    return bad < 0 ||
           reader_refuse(r,
                         "tree %zu node %lld: child %lld or %lld is out of range or has two "
                         "parents",
                         tree_number(r), (long long)bad, (long long)t->left.items[bad],
                         (long long)t->right.items[bad]);
}

/* Empty, but with the room that it has. */
static void raw_tree_clear(struct raw_tree *t)
{
    t->left.count = t->right.count = t->feature.count = t->default_left.count = 0;
    t->split_type.count = t->categories.count = t->category_nodes.count = 0;
    t->category_segments.count = t->category_sizes.count = 0;
    t->conditions.count = t->hessians.count = t->leaf_weights.count = 0;
    t->has_base_weights = false;
    t->node_count = t->leaf_size = 0;
}

bool reader_take_trees(struct reader *r)
{
    for (document_array(&r->d); document_item(&r->d);) {
        raw_tree_clear(&r->tree);
        if (!take_tree(r, &r->tree) || !add_tree(r, &r->tree))
            return false;
    }
    return reader_is_well(r);
}

bool reader_check_features(struct reader *r)
{
    const struct trees *t = r->parts->trees;

    for (size_t i = 0; i < t->count; i++)
        for (uint32_t k = 0; k < t->items[i].split_count; k++) {
            uint32_t feature = t->splits[t->items[i].first_split + k].feature;
            if (feature >= r->feature_count)
                return reader_refuse(r, "tree %zu: split on feature %lld of %lld", i,
                                     feature == UINT32_MAX ? -1LL : (long long)feature,
                                     (long long)r->feature_count);
        }
    return true;
}
