#include <stdlib.h>

#include "core/mem.h"
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
}

static bool take_tree_param(struct reader *r, struct raw_tree *t)
{
    struct json_text key;
    int64_t ignored;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "num_nodes"))
            reader_param(r, "num_nodes", 1, MAX_NODES, &t->node_count);
        else if (json_text_equals(&key, "size_leaf_vector"))
            reader_param(r, "size_leaf_vector", 0, 1 << 20, &t->leaf_size);
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
    static const char *const names[] = {"base_weights", "loss_changes", "parents", "sum_hessian",
                                        "leaf_child_counts"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_text_equals(key, names[i]))
            return true;
    return false;
}

/* The library puts a tree into the place that its id names. */
static bool take_id(struct reader *r)
{
    int64_t id;

    if (!document_int(&r->d, &id))
        return false;
    return id == (int64_t)r->tree_count ||
           reader_refuse(r, "tree %zu has the id %lld: trees are out of order", r->tree_count,
                         (long long)id);
}

static bool refuse_vector_leaves(struct reader *r, size_t index)
{
    return reader_refuse(r,
                         "tree %zu has vector leaves (multi_strategy = multi_output_tree): not "
                         "read by this version",
                         index);
}

static bool take_tree(struct reader *r, struct raw_tree *t)
{
    const struct {
        const char *name;
        struct ints *list;
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
        struct ints *list = NULL;
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
            if (json_text_equals(&key, lists[i].name))
                list = lists[i].list;
        if (list && list->count > 0)
            reader_refuse(r, "tree %zu: %.*s comes twice", r->tree_count, (int)key.len, key.data);
        else if (list)
            document_ints(&r->d, list);
        else if (json_text_equals(&key, "split_conditions") && t->conditions.count == 0)
            document_floats(&r->d, &t->conditions);
        else if (json_text_equals(&key, "tree_param"))
            take_tree_param(r, t);
        else if (json_text_equals(&key, "id"))
            take_id(r);
        else if (json_text_equals(&key, "leaf_weights"))
            refuse_vector_leaves(r, r->tree_count);
        else if (is_statistic(&key))
            document_skip(&r->d);
        else
            reader_refuse(r, "tree %zu: unknown field %.*s", r->tree_count, (int)key.len, key.data);
    }
    return reader_is_well(r);
}

bool reader_take_trees(struct reader *r)
{
    for (document_array(&r->d); document_item(&r->d);) {
        r->trees = mem_grow(r->trees, r->tree_count, &r->tree_cap, sizeof *r->trees);
        r->trees[r->tree_count] = (struct raw_tree){0};
        take_tree(r, &r->trees[r->tree_count]);
        r->tree_count++;
    }
    return reader_is_well(r);
}

static bool check_lengths(struct reader *r, size_t index, const struct raw_tree *t)
{
    size_t n = (size_t)t->node_count;

    if (t->node_count == 0)
        return reader_refuse(r, "tree %zu: no num_nodes", index);
    if (t->leaf_size > 1)
        return refuse_vector_leaves(r, index);
    if (t->left.count != n || t->right.count != n || t->feature.count != n ||
        t->conditions.count != n || t->default_left.count != n ||
        (t->split_type.count != n && t->split_type.count != 0))
        return reader_refuse(r, "tree %zu: its arrays do not have num_nodes = %zu entries", index,
                             n);
    if (t->category_nodes.count > 0 && t->split_type.count == 0)
        return reader_refuse(r, "tree %zu: categories without split_type", index);
    if (t->category_nodes.count != t->category_segments.count ||
        t->category_nodes.count != t->category_sizes.count)
        return reader_refuse(r, "tree %zu: categories_nodes, _segments and _sizes differ in length",
                             index);
    return true;
}

/* Every node below the root is met once, by one parent; children and features are in range. What is
 * not met (pruned nodes stay in the arrays) may hold anything. */
static bool check_nodes(struct reader *r, size_t index, const struct raw_tree *t)
{
    size_t n = (size_t)t->node_count, top = 0;
    uint32_t *stack = mem_alloc(n + 1, sizeof *stack);
    bool *met = mem_alloc(n, sizeof *met);
    bool is_good = true;

    met[0] = true;
    for (stack[top++] = 0; top > 0 && is_good;) {
        uint32_t i = stack[--top];
        int64_t children[2] = {t->left.items[i], t->right.items[i]};
        if (children[0] == -1 && children[1] == -1)
            continue;
        if (t->feature.items[i] < 0 || t->feature.items[i] >= r->feature_count)
            is_good = reader_refuse(r, "tree %zu node %u: split on feature %lld of %lld", index, i,
                                    (long long)t->feature.items[i], (long long)r->feature_count);
        for (int side = 0; side < 2 && is_good; side++) {
            int64_t child = children[side];
            if (child <= 0 || child >= t->node_count || met[child]) {
                is_good = reader_refuse(
                    r, "tree %zu node %u: child %lld is out of range or has two parents", index, i,
                    (long long)child);
            } else {
                met[child] = true;
                stack[top++] = (uint32_t)child;
            }
        }
    }
    free(stack);
    free(met);
    return is_good;
}

/* The sets of a tree's categorical nodes; *category maps nodes to them. */
static bool build_sets(struct reader *r, size_t index, const struct raw_tree *t,
                       struct category_set *sets, int32_t *category)
{
    for (size_t i = 0; i < (size_t)t->node_count; i++)
        category[i] = -1;
    for (size_t k = 0; k < t->category_nodes.count; k++) {
        int64_t node = t->category_nodes.items[k], first = t->category_segments.items[k];
        int64_t size = t->category_sizes.items[k], highest = 0;
        if (node < 0 || node >= t->node_count || category[node] >= 0 || first < 0 || size < 0 ||
            first > (int64_t)t->categories.count || size > (int64_t)t->categories.count - first)
            return reader_refuse(r, "tree %zu: categories of node %lld are out of range", index,
                                 (long long)node);
        for (int64_t c = first; c < first + size; c++) {
            if (t->categories.items[c] < 0 || t->categories.items[c] >= 1 << 24)
                return reader_refuse(r, "tree %zu: category %lld", index,
                                     (long long)t->categories.items[c]);
            highest = t->categories.items[c] > highest ? t->categories.items[c] : highest;
        }
        /* words of 32 bits, as the library allots them: what lies in the last word is in range */
        sets[k].bit_count = (uint32_t)(highest / 32 + 1) * 32;
        sets[k].bits = mem_alloc((sets[k].bit_count + 63) / 64, 8);
        for (int64_t c = first; c < first + size; c++)
            sets[k].bits[t->categories.items[c] / 64] |= (uint64_t)1 << t->categories.items[c] % 64;
        category[node] = (int32_t)k;
    }
    for (size_t i = 0; i < t->split_type.count; i++)
        if (t->left.items[i] != -1 && (t->split_type.items[i] == 1) != (category[i] >= 0))
            return reader_refuse(r,
                                 "tree %zu node %zu: split_type %lld and its categories disagree",
                                 index, i, (long long)t->split_type.items[i]);
    return true;
}

bool reader_add_tree(struct reader *r, size_t index, const struct raw_tree *t)
{
    struct category_set *sets;
    int32_t *category;
    bool is_good;

    if (!check_lengths(r, index, t) || !check_nodes(r, index, t))
        return false;
    sets = mem_alloc(t->category_nodes.count + 1, sizeof *sets);
    category = mem_alloc((size_t)t->node_count, sizeof *category);
    is_good = build_sets(r, index, t, sets, category);
    if (is_good)
        forest_add(r->x->forest, &(struct tree_source){.node_count = (uint32_t)t->node_count,
                                                       .left = t->left.items,
                                                       .right = t->right.items,
                                                       .feature = t->feature.items,
                                                       .value = t->conditions.items,
                                                       .default_left = t->default_left.items,
                                                       .category = category,
                                                       .sets = sets});
    for (size_t k = 0; k < t->category_nodes.count; k++)
        free(sets[k].bits);
    free(sets);
    free(category);
    r->x->node_count += (size_t)t->node_count;
    return is_good;
}
