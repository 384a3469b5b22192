#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/lightgbm_reader.h"
#include "scoring/order.h"

enum key {
    NUM_LEAVES,
    NUM_CAT,
    SPLIT_FEATURE,
    THRESHOLD,
    DECISION_TYPE,
    LEFT_CHILD,
    RIGHT_CHILD,
    LEAF_VALUE,
    LEAF_COUNT,
    INTERNAL_COUNT,
    CAT_BOUNDARIES,
    CAT_THRESHOLD,
    IS_LINEAR,
    LEAF_CONST,
    NUM_FEATURES,
    LEAF_FEATURES,
    LEAF_COEFF,
    USED_KEYS,
    /* and what says nothing of the result: shrinkage has been applied to the leaves */
    SPLIT_GAIN = USED_KEYS,
    LEAF_WEIGHT,
    INTERNAL_VALUE,
    INTERNAL_WEIGHT,
    SHRINKAGE,
    KEYS
};

static const char *const names[KEYS] = {
    [NUM_LEAVES] = "num_leaves",
    [NUM_CAT] = "num_cat",
    [SPLIT_FEATURE] = "split_feature",
    [THRESHOLD] = "threshold",
    [DECISION_TYPE] = "decision_type",
    [LEFT_CHILD] = "left_child",
    [RIGHT_CHILD] = "right_child",
    [LEAF_VALUE] = "leaf_value",
    [LEAF_COUNT] = "leaf_count",
    [INTERNAL_COUNT] = "internal_count",
    [CAT_BOUNDARIES] = "cat_boundaries",
    [CAT_THRESHOLD] = "cat_threshold",
    [IS_LINEAR] = "is_linear",
    [LEAF_CONST] = "leaf_const",
    [NUM_FEATURES] = "num_features",
    [LEAF_FEATURES] = "leaf_features",
    [LEAF_COEFF] = "leaf_coeff",
    [SPLIT_GAIN] = "split_gain",
    [LEAF_WEIGHT] = "leaf_weight",
    [INTERNAL_VALUE] = "internal_value",
    [INTERNAL_WEIGHT] = "internal_weight",
    [SHRINKAGE] = "shrinkage",
};

/* Values of its lines; reading moves them. */
struct block {
    struct text values[KEYS];
    size_t leaf_count, split_count;
    int64_t set_count;
    int32_t first_set;
    bool is_linear;
};

/* decision_type: src/io/tree.cpp and include/LightGBM/tree.h of LightGBM. */
enum { TYPE_CATEGORICAL = 1, TYPE_DEFAULT_LEFT = 2, TYPE_MISSING_SHIFT = 2, TYPE_MAX = 11 };

static bool refuse_list(struct lightgbm *r, enum key key)
{
    return lightgbm_refuse(r,
                           "tree %zu: %s has not as many numbers as it must, or one that cannot "
                           "be",
                           r->parts->trees->count, names[key]);
}

static bool take_int(struct lightgbm *r, struct block *b, enum key key, int64_t range[2])
{
    return lightgbm_int(&b->values[key], range[0], range[1], &range[0]) || refuse_list(r, key);
}

static bool take_double(struct lightgbm *r, struct block *b, enum key key, double *value)
{
    return lightgbm_double(&b->values[key], value) || refuse_list(r, key);
}

static bool has_rest(struct lightgbm *r, const struct block *b, const enum key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!lightgbm_is_over(b->values[keys[i]]))
            return !refuse_list(r, keys[i]);
    return false;
}

/* ---- lines */

static bool take_lines(struct lightgbm *r, struct block *b)
{
    struct text line, value, key;
    int i = 0;

    while (lightgbm_line(r, &line) && line.len > 0) {
        key = lightgbm_key(line, &value);
        for (i = 0; i < KEYS && !text_is(key, names[i]); i++)
            ;
        if (i == KEYS || !value.text)
            return lightgbm_refuse(r, "tree %zu: unknown field %.*s", r->parts->trees->count,
                                   (int)(key.len < 80 ? key.len : 80), key.text);
        if (b->values[i].text)
            return lightgbm_refuse(r, "tree %zu: %s comes twice", r->parts->trees->count, names[i]);
        b->values[i] = value;
    }
    return true;
}

static bool take_number(struct lightgbm *r, struct block *b, enum key key, int64_t range[2])
{
    if (!b->values[key].text)
        return lightgbm_refuse(r, "tree %zu: no %s", r->parts->trees->count, names[key]);
    return take_int(r, b, key, range) && !has_rest(r, b, &key, 1);
}

/* How many leaves, splits and sets: no more than there are numbers. */
static bool take_counts(struct lightgbm *r, struct block *b)
{
    int64_t leaves[2] = {1, TREES_MAX_NODES / 2}, sets[2] = {0, INT32_MAX}, linear[2] = {0, 1};

    if (!take_number(r, b, NUM_LEAVES, leaves) || !take_number(r, b, NUM_CAT, sets))
        return false;
    if (b->values[IS_LINEAR].text && !take_number(r, b, IS_LINEAR, linear))
        return false;
    b->is_linear = b->values[IS_LINEAR].text && linear[0] == 1;
    b->leaf_count = (size_t)leaves[0];
    b->split_count = b->leaf_count - 1;
    b->set_count = sets[0];
    if (b->values[LEAF_VALUE].len < 2 * b->leaf_count - 1)
        return refuse_list(r, LEAF_VALUE);
    return sets[0] == 0 || b->values[CAT_BOUNDARIES].len >= 2 * (size_t)sets[0] + 1 ||
           refuse_list(r, CAT_BOUNDARIES);
}

/* ---- sets of categories */

/* Words of 32 bits, of all sets one after the other; a set begins where the one before ends. */
static bool take_sets(struct lightgbm *r, struct block *b)
{
    static const enum key keys[] = {CAT_BOUNDARIES, CAT_THRESHOLD};
    int64_t start = 0, first[2] = {0, 0};

    if (b->set_count == 0)
        return true;
    b->first_set = (int32_t)r->parts->trees->set_count;
    if (!take_int(r, b, CAT_BOUNDARIES, first))
        return false;
    for (int64_t i = 0; i < b->set_count; i++) {
        int64_t stop[2] = {start, INT32_MAX};
        struct category_set *set;
        if (!take_int(r, b, CAT_BOUNDARIES, stop))
            return false;
        if (stop[0] - start > 1 << 24 || (size_t)(stop[0] - start) > b->values[CAT_THRESHOLD].len)
            return refuse_list(r, CAT_THRESHOLD);
        trees_add_set(r->parts->trees, (uint32_t)(stop[0] - start) * 32);
        set = &r->parts->trees->sets[b->first_set + i];
        for (int64_t w = 0; w < stop[0] - start; w++) {
            int64_t word[2] = {0, UINT32_MAX};
            if (!take_int(r, b, CAT_THRESHOLD, word))
                return false;
            set->bits[w / 2] |= (uint64_t)word[0] << 32 * (w % 2);
        }
        start = stop[0];
    }
    return !has_rest(r, b, keys, 2);
}

/* ---- splits and leaves */

/* Children: splits from 0 on, leaf i as ~i. Nodes: the splits, then the leaves. */
static bool take_child(struct lightgbm *r, struct block *b, enum key key, int64_t *node)
{
    int64_t child[2] = {-(int64_t)b->leaf_count, (int64_t)b->split_count - 1};

    if (!take_int(r, b, key, child))
        return false;
    *node = child[0] >= 0 ? child[0] : (int64_t)b->split_count + ~child[0];
    return true;
}

/* Left is what is in the set, right all else, NaN too. That NaN was category 0 before 3.3 where the
 * missing type is not NaN is what the code says; x86 cuts NaN to a negative number: right. */
static bool set_category(struct lightgbm *r, struct block *b, struct tree_node *n, double threshold)
{
    int64_t set, left = n->left;

    if (!(threshold >= 0 && threshold < (double)b->set_count) || threshold != floor(threshold))
        return lightgbm_refuse(r, "tree %zu: no set of categories %g", r->parts->trees->count,
                               threshold);
    set = (int64_t)threshold;
    if (r->used_sets[set]) /* each has its own: what many share would grow when it is compiled */
        return lightgbm_refuse(r, "tree %zu: two splits with the set of categories %lld",
                               r->parts->trees->count, (long long)set);
    r->used_sets[set] = true;
    n->split.kind = SPLIT_MEMBER; /* members right: the sides change places */
    n->split.threshold = b->first_set + (int32_t)set;
    n->split.missing = MISSING_NAN;
    n->split.default_left = true;
    n->left = n->right;
    n->right = left;
    return true;
}

static bool set_number(struct lightgbm *r, struct tree_node *n, int type, double threshold)
{
    static const uint8_t kinds[] = {MISSING_NEVER, MISSING_NAN_OR_ZERO, MISSING_NAN};

    if (isnan(threshold))
        return refuse_list(r, THRESHOLD);
    n->split.kind = SPLIT_LESS;
    n->split.threshold = order_up_to(threshold);
    n->split.missing = kinds[type >> TYPE_MISSING_SHIFT];
    n->split.default_left = (type & TYPE_DEFAULT_LEFT) != 0;
    return true;
}

/* Without counts the contributions cannot be told: a cover of NaN. A leaf alone had everything by,
 * and up to 4.1 no count. */
static bool take_cover(struct lightgbm *r, struct block *b, enum key key, double *cover)
{
    int64_t count[2] = {0, INT32_MAX};

    *cover = b->split_count == 0 ? 1 : NAN;
    if (!b->values[key].text || (b->split_count == 0 && lightgbm_is_over(b->values[key])))
        return true;
    if (!take_int(r, b, key, count))
        return false;
    *cover = (double)count[0];
    return true;
}

static bool take_splits(struct lightgbm *r, struct block *b)
{
    static const enum key keys[] = {SPLIT_FEATURE, THRESHOLD,   DECISION_TYPE,
                                    LEFT_CHILD,    RIGHT_CHILD, INTERNAL_COUNT};

    for (size_t i = 0; i < b->split_count; i++) {
        struct tree_node *n = &r->nodes[i];
        int64_t feature[2] = {0, r->feature_count - 1}, type[2] = {0, TYPE_MAX};
        double threshold;
        *n = (struct tree_node){0};
        if (!take_int(r, b, SPLIT_FEATURE, feature) || !take_int(r, b, DECISION_TYPE, type) ||
            !take_double(r, b, THRESHOLD, &threshold) || !take_child(r, b, LEFT_CHILD, &n->left) ||
            !take_child(r, b, RIGHT_CHILD, &n->right) ||
            !take_cover(r, b, INTERNAL_COUNT, &n->cover))
            return false;
        n->split.feature = (uint32_t)feature[0];
        if (!(type[0] & TYPE_CATEGORICAL ? set_category(r, b, n, threshold)
                                         : set_number(r, n, (int)type[0], threshold)))
            return false;
    }
    return b->split_count == 0 || !has_rest(r, b, keys, sizeof keys / sizeof keys[0]);
}

/* A linear function of the row: constant, and the features with their coefficients. */
static bool take_linear(struct lightgbm *r, struct block *b, struct linear_leaf *leaf)
{
    struct trees *t = r->parts->trees;
    int64_t count[2] = {0, INT32_MAX};

    if (!take_double(r, b, LEAF_CONST, &leaf->constant) || !take_int(r, b, NUM_FEATURES, count))
        return false;
    leaf->first = t->coefficient_count;
    leaf->count = (size_t)count[0];
    for (size_t i = 0; i < leaf->count; i++) {
        int64_t feature[2] = {0, r->feature_count - 1};
        double coefficient;
        if (!take_int(r, b, LEAF_FEATURES, feature) || !take_double(r, b, LEAF_COEFF, &coefficient))
            return false;
        t->coefficients = mem_grow(t->coefficients, t->coefficient_count, &t->coefficient_cap,
                                   sizeof *t->coefficients);
        t->linear_features = mem_grow(t->linear_features, t->coefficient_count,
                                      &t->linear_feature_cap, sizeof *t->linear_features);
        t->coefficients[t->coefficient_count] = coefficient;
        t->linear_features[t->coefficient_count++] = (uint32_t)feature[0];
    }
    return true;
}

static bool take_leaves(struct lightgbm *r, struct block *b)
{
    static const enum key keys[] = {LEAF_VALUE,   LEAF_COUNT,    LEAF_CONST,
                                    NUM_FEATURES, LEAF_FEATURES, LEAF_COEFF};

    for (size_t i = 0; i < b->leaf_count; i++) {
        struct tree_node *n = &r->nodes[b->split_count + i];
        *n = (struct tree_node){.left = -1, .right = -1};
        if (!take_double(r, b, LEAF_VALUE, &n->value) || !take_cover(r, b, LEAF_COUNT, &n->cover))
            return false;
        n->linear.constant = n->value;
        if (b->is_linear && !take_linear(r, b, &n->linear))
            return false;
    }
    return !has_rest(r, b, keys, b->is_linear ? sizeof keys / sizeof keys[0] : 2);
}

/* ---- together */

static void make_room(struct lightgbm *r, const struct block *b)
{
    size_t nodes = b->split_count + b->leaf_count, sets = (size_t)b->set_count;

    if (nodes > r->node_cap) {
        r->node_cap = 2 * nodes;
        r->nodes = mem_resize(r->nodes, r->node_cap, sizeof *r->nodes);
    }
    if (sets > r->used_set_cap) {
        r->used_set_cap = 2 * sets;
        r->used_sets = mem_resize(r->used_sets, r->used_set_cap, sizeof *r->used_sets);
    }
    if (sets > 0)
        memset(r->used_sets, 0, sets * sizeof *r->used_sets);
}

bool lightgbm_take_tree(struct lightgbm *r)
{
    struct trees *t = r->parts->trees;
    struct block b = {.is_linear = false};
    struct tree_source source;
    int64_t bad;

    if (!take_lines(r, &b) || !take_counts(r, &b))
        return false;
    make_room(r, &b);
    if (!take_sets(r, &b) || !take_splits(r, &b) || !take_leaves(r, &b))
        return false;
    source = (struct tree_source){.nodes = r->nodes,
                                  .node_count = b.split_count + b.leaf_count,
                                  .output = (uint32_t)(t->count % (size_t)r->output_count),
                                  .has_covers = true,
                                  .is_linear = r->is_linear};
    bad = trees_add(t, &source);
    if (bad >= 0)
        return lightgbm_refuse(r, "tree %zu: a child of split %lld has two parents", t->count,
                               (long long)bad);
    return t->items[t->count - 1].split_count == b.split_count ||
           lightgbm_refuse(r, "tree %zu: splits that the root does not lead to", t->count - 1);
}
