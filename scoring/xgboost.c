/* xgboost.c: the reader is one piece: each object of the file has its function, in the file's order
 * from the inside out. */
#include "scoring/xgboost.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "scoring/document.h"

enum { MAX_FEATURES = 1 << 20, MAX_NODES = 1 << 28, NEWEST_MAJOR = 3 };

/* One tree as the file has it. */
struct raw_tree {
    struct ints left, right, feature, default_left, split_type;
    struct ints categories, category_nodes, category_segments, category_sizes;
    struct floats conditions;
    int64_t node_count, leaf_size;
};

struct reader {
    struct xgboost *x;
    struct document d;
    const char *name;
    struct err *err;

    /* what stands in places of its own and is put together at the end */
    float base_score;
    int64_t class_count, target_count, feature_count, claimed_trees;
    bool has_objective, has_version, has_params;
    char booster[32];
    struct raw_tree *trees;
    size_t tree_count, tree_cap;
    struct ints tree_info;
    struct json_text *name_texts; /* borrowed */
    size_t name_count, name_cap;
    struct category_texts *categories;
    size_t category_count, category_cap;
};

static bool refuse(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct reader *r, const char *format, ...)
{
    char what[400];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    err_fatal(r->err, EXIT_DATA, "%s: byte %zu: %s", r->name, document_at(&r->d), what);
    return document_fail(&r->d);
}

static bool is_well(const struct reader *r)
{
    return !r->d.has_failed && r->d.json.fault == JSON_OK;
}

/* A short text, plain, into out; false when it does not fit. */
static bool copy_text(const struct json_text *text, char *out, size_t cap)
{
    size_t len;

    if (text->len >= cap)
        return false;
    if (text->is_escaped) {
        len = json_unescape(text, out);
    } else {
        memcpy(out, text->data, text->len);
        len = text->len;
    }
    out[len] = '\0';
    return memchr(out, 0, len) == NULL;
}

static bool take_short_text(struct reader *r, char *out, size_t cap)
{
    struct json_text text;

    if (!document_string(&r->d, &text))
        return false;
    return copy_text(&text, out, cap) || refuse(r, "a name of %zu bytes", text.len);
}

/* "12", or 12 without quotes. */
static bool take_param(struct reader *r, const char *what, int64_t low, int64_t high,
                       int64_t *value)
{
    char text[32];

    if (document_peek(&r->d) == DOCUMENT_NUMBER) {
        if (!document_int(&r->d, value) || *value < low || *value > high)
            return refuse(r, "%s is out of range", what);
        return true;
    }
    if (!take_short_text(r, text, sizeof text) ||
        !integer_parse(text, strlen(text), low, high, value))
        return refuse(r, "%s is no number from %lld to %lld", what, (long long)low,
                      (long long)high);
    return true;
}

/* ------------------------------------------------------------------------------------------ trees
 */

static void release_raw(struct raw_tree *t)
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
            take_param(r, "num_nodes", 1, MAX_NODES, &t->node_count);
        else if (json_text_equals(&key, "size_leaf_vector"))
            take_param(r, "size_leaf_vector", 0, 1 << 20, &t->leaf_size);
        else if (json_text_equals(&key, "num_feature") || json_text_equals(&key, "num_deleted") ||
                 json_text_equals(&key, "num_roots") || json_text_equals(&key, "max_depth"))
            take_param(r, "a tree_param", 0, INT64_MAX, &ignored);
        else
            refuse(r, "unknown tree_param %.*s", (int)key.len, key.data);
    }
    return is_well(r);
}

/* Fields of a tree that say nothing about its result. */
static bool is_statistic(const struct json_text *key)
{
    static const char *const names[] = {"base_weights", "id",          "loss_changes",
                                        "parents",      "sum_hessian", "leaf_child_counts"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_text_equals(key, names[i]))
            return true;
    return false;
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
            refuse(r, "tree %zu: %.*s comes twice", r->tree_count, (int)key.len, key.data);
        else if (list)
            document_ints(&r->d, list);
        else if (json_text_equals(&key, "split_conditions") && t->conditions.count == 0)
            document_floats(&r->d, &t->conditions);
        else if (json_text_equals(&key, "tree_param"))
            take_tree_param(r, t);
        else if (is_statistic(&key))
            document_skip(&r->d);
        else
            refuse(r, "tree %zu: unknown field %.*s", r->tree_count, (int)key.len, key.data);
    }
    return is_well(r);
}

static bool take_trees(struct reader *r)
{
    for (document_array(&r->d); document_item(&r->d);) {
        r->trees = mem_grow(r->trees, r->tree_count, &r->tree_cap, sizeof *r->trees);
        r->trees[r->tree_count] = (struct raw_tree){0};
        take_tree(r, &r->trees[r->tree_count]);
        r->tree_count++;
    }
    return is_well(r);
}

static bool check_lengths(struct reader *r, size_t index, const struct raw_tree *t)
{
    size_t n = (size_t)t->node_count;

    if (t->node_count == 0)
        return refuse(r, "tree %zu: no num_nodes", index);
    if (t->leaf_size > 1)
        return refuse(r,
                      "tree %zu has vector leaves (multi_strategy = multi_output_tree): not read "
                      "by this version",
                      index);
    if (t->left.count != n || t->right.count != n || t->feature.count != n ||
        t->conditions.count != n || t->default_left.count != n ||
        (t->split_type.count != n && t->split_type.count != 0))
        return refuse(r, "tree %zu: its arrays do not have num_nodes = %zu entries", index, n);
    if (t->category_nodes.count != t->category_segments.count ||
        t->category_nodes.count != t->category_sizes.count)
        return refuse(r, "tree %zu: categories_nodes, _segments and _sizes differ in length",
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
            is_good = refuse(r, "tree %zu node %u: split on feature %lld of %lld", index, i,
                             (long long)t->feature.items[i], (long long)r->feature_count);
        for (int side = 0; side < 2 && is_good; side++) {
            int64_t child = children[side];
            if (child <= 0 || child >= t->node_count || met[child]) {
                is_good =
                    refuse(r, "tree %zu node %u: child %lld is out of range or has two parents",
                           index, i, (long long)child);
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
            return refuse(r, "tree %zu: categories of node %lld are out of range", index,
                          (long long)node);
        for (int64_t c = first; c < first + size; c++) {
            if (t->categories.items[c] < 0 || t->categories.items[c] >= 1 << 24)
                return refuse(r, "tree %zu: category %lld", index,
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
            return refuse(r, "tree %zu node %zu: split_type %lld and its categories disagree",
                          index, i, (long long)t->split_type.items[i]);
    return true;
}

static bool add_tree(struct reader *r, size_t index, const struct raw_tree *t)
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

/* ------------------------------------------------------------------------- categories of 3.1 and
 * later */

static void add_category_text(struct category_texts *texts, const char *text, size_t len)
{
    texts->items = mem_resize(texts->items, texts->count + 1, sizeof *texts->items);
    texts->items[texts->count++] = mem_copy_text(text, len);
}

/* Texts lie end to end in `values`, text i from offsets[i] to offsets[i + 1], as in Arrow; without
 * offsets the values are the categories themselves, whole numbers. */
static bool take_encoding(struct reader *r, struct category_texts *texts)
{
    struct ints offsets = {0}, values = {0};
    struct json_text key;
    int64_t ignored;
    bool is_good = true;
    char *bytes, number[24];

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "offsets"))
            document_ints(&r->d, &offsets);
        else if (json_text_equals(&key, "values"))
            document_ints(&r->d, &values);
        else if (json_text_equals(&key, "type"))
            document_int(&r->d, &ignored);
        else
            refuse(r, "unknown field %.*s in cats", (int)key.len, key.data);
    }
    bytes = mem_alloc(values.count + 1, 1);
    for (size_t i = 0; i < values.count; i++)
        bytes[i] = (char)values.items[i];
    for (size_t i = 0; i + 1 < offsets.count && is_good && is_well(r); i++) {
        int64_t from = offsets.items[i], to = offsets.items[i + 1];
        if (from < 0 || to < from || to > (int64_t)values.count)
            is_good = refuse(r, "cats: offsets %lld and %lld", (long long)from, (long long)to);
        else
            add_category_text(texts, bytes + from, (size_t)(to - from));
    }
    for (size_t i = 0; offsets.count == 0 && i < values.count && is_well(r); i++)
        add_category_text(texts, number, integer_print(number, values.items[i]));
    free(bytes);
    free(offsets.items);
    free(values.items);
    return is_well(r);
}

static bool take_cats(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (!json_text_equals(&key, "enc")) {
            document_skip(
                &r->d); /* feature_segments and sorted_idx only speed up the library's own search */
            continue;
        }
        for (document_array(&r->d); document_item(&r->d);) {
            r->categories =
                mem_grow(r->categories, r->category_count, &r->category_cap, sizeof *r->categories);
            r->categories[r->category_count] = (struct category_texts){0};
            take_encoding(r, &r->categories[r->category_count++]);
        }
    }
    return is_well(r);
}

/* ---------------------------------------------------------------------------------------- booster
 */

static bool take_gbtree_param(struct reader *r)
{
    struct json_text key;
    int64_t value = 0;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "num_trees"))
            take_param(r, "num_trees", 0, MAX_NODES, &r->claimed_trees);
        else if (json_text_equals(&key, "size_leaf_vector")) {
            if (take_param(r, "size_leaf_vector", 0, 1 << 20, &value) && value > 1)
                refuse(
                    r,
                    "vector leaves (multi_strategy = multi_output_tree): not read by this version");
        } else {
            document_skip(&r->d); /* num_parallel_tree and the like: trees are summed whatever their
                                     grouping */
        }
    }
    return is_well(r);
}

/* Weights that are all 1 change nothing. */
static bool take_weight_drop(struct reader *r)
{
    struct floats weights = {0};
    bool is_plain = document_floats(&r->d, &weights);

    for (size_t i = 0; i < weights.count; i++)
        is_plain = is_plain && weights.items[i] == 1.0f;
    free(weights.items);
    return is_plain || refuse(r, "a DART model (weight_drop): not read by this version");
}

static bool take_model(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "gbtree_model_param"))
            take_gbtree_param(r);
        else if (json_text_equals(&key, "trees") && r->tree_count == 0)
            take_trees(r);
        else if (json_text_equals(&key, "tree_info") && r->tree_info.count == 0)
            document_ints(&r->d, &r->tree_info);
        else if (json_text_equals(&key, "iteration_indptr"))
            document_skip(
                &r->d); /* which trees are one round: all are used, as Booster.predict does */
        else if (json_text_equals(&key, "cats"))
            take_cats(r);
        else if (json_text_equals(&key, "weight_drop"))
            take_weight_drop(r);
        else if (json_text_equals(&key, "weights") || json_text_equals(&key, "boosted_rounds"))
            refuse(r, "a linear model (booster = gblinear): not read by this version");
        else
            refuse(r, "unknown field %.*s in gradient_booster.model", (int)key.len, key.data);
    }
    return is_well(r);
}

static bool take_booster(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "name"))
            take_short_text(r, r->booster, sizeof r->booster);
        else if (json_text_equals(&key, "model") && r->booster[0] == '\0' &&
                 document_peek(&r->d) == DOCUMENT_OBJECT)
            take_model(r);
        else if (json_text_equals(&key, "gbtree"))
            return refuse(r, "a DART model (booster = dart): not read by this version");
        else
            document_skip(&r->d);
    }
    return is_well(r);
}

/* ---------------------------------------------------------------------------------------- learner
 */

/* "5E-1", "[5E-1]" (3.1 and later), or a number. */
static bool take_base_score(struct reader *r)
{
    struct json_text text;
    const char *p;
    size_t len, taken;

    if (document_peek(&r->d) == DOCUMENT_NUMBER)
        return document_float(&r->d, &r->base_score);
    if (!document_string(&r->d, &text))
        return false;
    p = text.data;
    len = text.len;
    if (len >= 2 && p[0] == '[' && p[len - 1] == ']') {
        p++;
        len -= 2;
    }
    taken = number_parse_float(p, len, &r->base_score);
    if (taken != len && memchr(p, ',', len))
        return refuse(r, "a base_score for each of several outputs: not read by this version");
    return (taken == len && taken > 0 && isfinite(r->base_score)) ||
           refuse(r, "base_score is no number: %.*s", (int)(text.len < 40 ? text.len : 40),
                  text.data);
}

static bool take_learner_param(struct reader *r)
{
    struct json_text key;

    r->has_params = true;
    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "base_score"))
            take_base_score(r);
        else if (json_text_equals(&key, "num_class"))
            take_param(r, "num_class", 0, 1 << 20, &r->class_count);
        else if (json_text_equals(&key, "num_target"))
            take_param(r, "num_target", 0, 1 << 20, &r->target_count);
        else if (json_text_equals(&key, "num_feature"))
            take_param(r, "num_feature", 1, MAX_FEATURES, &r->feature_count);
        else if (json_text_equals(&key, "boost_from_average"))
            document_skip(&r->d); /* only how training started */
        else
            refuse(r, "unknown field %.*s in learner_model_param", (int)key.len, key.data);
    }
    return is_well(r);
}

static bool take_objective(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "name"))
            r->has_objective = take_short_text(r, r->x->objective, sizeof r->x->objective);
        else
            document_skip(&r->d); /* parameters of training */
    }
    return is_well(r);
}

static bool take_names(struct reader *r)
{
    struct json_text text;

    for (document_array(&r->d); document_item(&r->d) && document_string(&r->d, &text);) {
        r->name_texts = mem_grow(r->name_texts, r->name_count, &r->name_cap, sizeof *r->name_texts);
        r->name_texts[r->name_count++] = text;
    }
    return is_well(r);
}

static bool take_learner(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "gradient_booster"))
            take_booster(r);
        else if (json_text_equals(&key, "learner_model_param"))
            take_learner_param(r);
        else if (json_text_equals(&key, "objective"))
            take_objective(r);
        else if (json_text_equals(&key, "feature_names") && r->name_count == 0)
            take_names(r);
        else if (json_text_equals(&key, "attributes") || json_text_equals(&key, "feature_types"))
            document_skip(&r->d);
        else
            refuse(r, "unknown field %.*s in learner", (int)key.len, key.data);
    }
    return is_well(r);
}

static bool take_version(struct reader *r)
{
    struct ints parts = {0};
    bool is_good = document_ints(&r->d, &parts) && parts.count == 3;

    for (size_t i = 0; i < parts.count && i < 3; i++) {
        is_good = is_good && parts.items[i] >= 0 && parts.items[i] < 1000;
        r->x->version[i] = (int)parts.items[i];
    }
    free(parts.items);
    r->has_version = true;
    if (!is_good)
        return refuse(r, "version is not [major, minor, patch]");
    if (r->x->version[0] < 1 || r->x->version[0] > NEWEST_MAJOR)
        return refuse(r, "written by XGBoost %d.%d.%d; 1.0 to %d.x are read", r->x->version[0],
                      r->x->version[1], r->x->version[2], NEWEST_MAJOR);
    return true;
}

static bool take_file(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "learner") && !r->has_params)
            take_learner(r);
        else if (json_text_equals(&key, "version") && !r->has_version)
            take_version(r);
        else if (json_text_equals(&key, "Model") || json_text_equals(&key, "Config"))
            refuse(r, "a pickled snapshot with its configuration; save the model with "
                      "Booster.save_model");
        else
            refuse(r, "unknown field %.*s at the top: not an XGBoost model", (int)key.len,
                   key.data);
    }
    if (is_well(r) && !document_end(&r->d))
        refuse(r, "bytes behind the end of the model");
    return is_well(r) || refuse(r, "the file is damaged or cut off");
}

/* --------------------------------------------------------------------------------------- together
 */

static bool check_whole(struct reader *r)
{
    struct xgboost *x = r->x;
    bool stores_probability;

    if (!r->has_version || !r->has_params || !r->has_objective || !r->booster[0])
        return refuse(r, "not a whole XGBoost model: %s is missing",
                      !r->has_version     ? "version"
                      : !r->has_params    ? "learner_model_param"
                      : !r->has_objective ? "objective"
                                          : "gradient_booster.name");
    if (strcmp(r->booster, "gbtree") != 0)
        return refuse(r, "booster %s: not read by this version; gbtree is", r->booster);
    if (r->class_count > 1 || r->target_count > 1)
        return refuse(
            r,
            "%lld classes, %lld targets: models with several outputs are not read by this version",
            (long long)r->class_count, (long long)r->target_count);
    if (r->feature_count == 0)
        return refuse(r, "num_feature is missing");
    if (!objective_find(x->objective, &x->link, &stores_probability))
        return refuse(r, "objective %s is not known to this version", x->objective);
    if (r->claimed_trees != (int64_t)r->tree_count || r->tree_info.count != r->tree_count)
        return refuse(r, "num_trees %lld, tree_info %zu, trees %zu", (long long)r->claimed_trees,
                      r->tree_info.count, r->tree_count);
    for (size_t i = 0; i < r->tree_info.count; i++)
        if (r->tree_info.items[i] != 0)
            return refuse(r, "tree %zu belongs to output %lld of a model with one", i,
                          (long long)r->tree_info.items[i]);
    if (r->name_count != 0 && r->name_count != (size_t)r->feature_count)
        return refuse(r, "%zu feature names for %lld features", r->name_count,
                      (long long)r->feature_count);
    r->base_score = objective_base_margin(x->link, stores_probability, r->base_score);
    return isfinite(r->base_score) || refuse(r, "base_score makes no margin for %s", x->objective);
}

/* The rule for categories beyond a set's range changed with 1.6.0 and again with 1.7.3
 * (src/common/categorical.h at each tag). */
static enum category_rule rule_of(const int version[3])
{
    bool is_1_6 = version[0] == 1 && version[1] == 6;
    bool is_early_1_7 = version[0] == 1 && version[1] == 7 && version[2] < 3;

    return is_1_6 || is_early_1_7 ? CATEGORY_BEYOND_IS_DEFAULT : CATEGORY_BEYOND_IS_LEFT;
}

static void keep_names(struct reader *r)
{
    struct xgboost *x = r->x;

    x->feature_count = (size_t)r->feature_count;
    if (r->name_count == 0)
        return;
    x->names = mem_alloc(x->feature_count, sizeof *x->names);
    for (size_t i = 0; i < r->name_count; i++) {
        x->names[i] = mem_alloc(r->name_texts[i].len + 1, 1);
        if (r->name_texts[i].is_escaped)
            json_unescape(&r->name_texts[i], x->names[i]);
        else
            memcpy(x->names[i], r->name_texts[i].data, r->name_texts[i].len);
    }
}

static bool assemble(struct reader *r)
{
    struct xgboost *x = r->x;

    if (!check_whole(r))
        return false;
    keep_names(r);
    if (r->category_count == x->feature_count) {
        x->categories = r->categories;
        r->categories = NULL;
        r->category_count = 0;
    } else if (r->category_count != 0) {
        return refuse(r, "cats has %zu entries for %zu features", r->category_count,
                      x->feature_count);
    }
    x->tree_count = r->tree_count;
    x->forest = forest_new(x->feature_count, r->base_score, rule_of(x->version));
    for (size_t i = 0; i < r->tree_count; i++)
        if (!add_tree(r, i, &r->trees[i]))
            return false;
    return true;
}

static void free_texts(struct category_texts *categories, size_t count)
{
    for (size_t i = 0; categories && i < count; i++) {
        for (size_t k = 0; k < categories[i].count; k++)
            free(categories[i].items[k]);
        free(categories[i].items);
    }
    free(categories);
}

int xgboost_parse(struct xgboost *x, const char *name, const char *data, size_t len,
                  struct err *err)
{
    struct reader r = {.x = x, .name = name, .err = err, .base_score = 0.5f};
    bool is_good;

    *x = (struct xgboost){0};
    document_init(&r.d, data, len);
    is_good = take_file(&r) && assemble(&r);
    for (size_t i = 0; i < r.tree_count; i++)
        release_raw(&r.trees[i]);
    free(r.trees);
    free(r.tree_info.items);
    free(r.name_texts);
    free_texts(r.categories, r.category_count);
    if (!is_good)
        xgboost_release(x);
    return is_good ? 0 : -1;
}

void xgboost_release(struct xgboost *x)
{
    for (size_t i = 0; x->names && i < x->feature_count; i++)
        free(x->names[i]);
    free(x->names);
    free_texts(x->categories, x->feature_count);
    forest_free(x->forest);
    *x = (struct xgboost){0};
}
