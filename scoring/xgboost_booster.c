#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scoring/version.h"
#include "scoring/xgboost_reader.h"

/* ---- the file's */

static bool take_gbtree_param(struct reader *r)
{
    struct json_text key;
    int64_t ignored;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "num_trees"))
            reader_param(r, "num_trees", 0, TREES_MAX_NODES, &r->claimed_trees);
        else if (json_text_equals(&key, "size_leaf_vector")) /* trees say it themselves */
            reader_param(r, "size_leaf_vector", 0, 1, &ignored);
        else if (json_text_equals(&key, "num_parallel_tree"))
            reader_param(r, "num_parallel_tree", 1, TREES_MAX_NODES, &r->parallel_trees);
        else
            reader_refuse(r, "unknown field %.*s in gbtree_model_param", (int)key.len, key.data);
    }
    return reader_is_well(r);
}

static bool take_tree_weights(struct reader *r)
{
    if (r->has_tree_weights)
        return reader_refuse(r, "weight_drop comes twice");
    r->has_tree_weights = true;
    return document_floats(&r->d, &r->tree_weights);
}

static bool take_linear_weights(struct reader *r)
{
    r->is_linear = true;
    return document_floats(&r->d, &r->linear_weights);
}

static bool take_model(struct reader *r)
{
    struct json_text key;

    r->has_model = true;
    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "gbtree_model_param"))
            take_gbtree_param(r);
        else if (json_text_equals(&key, "trees") && r->parts->trees->count == 0)
            reader_take_trees(r);
        else if (json_text_equals(&key, "tree_info") && r->tree_info.count == 0)
            document_int32s(&r->d, &r->tree_info);
        else if (json_text_equals(&key, "iteration_indptr") && r->round_ends.count == 0)
            document_int32s(&r->d, &r->round_ends);
        else if (json_text_equals(&key, "cats"))
            reader_take_cats(r);
        else if (json_text_equals(&key, "weight_drop"))
            take_tree_weights(r); /* 3.4 */
        else if (json_text_equals(&key, "weights") && !r->is_linear)
            take_linear_weights(r);
        else if (json_text_equals(&key, "boosted_rounds"))
            document_int(&r->d, &r->linear_rounds);
        else
            reader_refuse(r, "unknown field %.*s in gradient_booster.model", (int)key.len,
                          key.data);
    }
    return reader_is_well(r);
}

/* What lies in `gbtree` of a booster named dart: name and model. */
static bool take_inner(struct reader *r)
{
    struct json_text key;
    char name[32];

    r->is_dart = true;
    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "name"))
            reader_short_text(r, name, sizeof name);
        else if (json_text_equals(&key, "model") && !r->has_model)
            take_model(r);
        else
            reader_refuse(r, "unknown field %.*s in gradient_booster.gbtree", (int)key.len,
                          key.data);
    }
    return reader_is_well(r);
}

bool reader_take_booster(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "name"))
            reader_short_text(r, r->booster, sizeof r->booster);
        else if (json_text_equals(&key, "model") && !r->has_model)
            take_model(r);
        else if (json_text_equals(&key, "gbtree") && !r->has_model)
            take_inner(r);
        else if (json_text_equals(&key, "weight_drop"))
            take_tree_weights(r); /* up to 3.3 */
        else
            reader_refuse(r, "unknown field %.*s in gradient_booster", (int)key.len, key.data);
    }
    return reader_is_well(r);
}

bool reader_is_fitted(const struct reader *r)
{
    return r->is_linear ? r->linear_rounds != 0 : r->parts->trees->count > 0;
}

/* ---- trees */

static bool check_trees(struct reader *r)
{
    const struct trees *t = r->parts->trees;
    size_t outputs = reader_output_count(r);

    if (r->claimed_trees != (int64_t)t->count || r->tree_info.count != t->count)
        return reader_refuse(r, "num_trees %lld, tree_info %zu, trees %zu",
                             (long long)r->claimed_trees, r->tree_info.count, t->count);
    if (t->leaf_width > 1 && t->leaf_width != outputs)
        return reader_refuse(r, "leaves of %zu values, outputs %zu", t->leaf_width, outputs);
    if ((r->has_leaf_weights && version_is_before(r->version, 3, 2, 0)) ||
        (r->has_base_vectors && !version_is_before(r->version, 3, 2, 0)))
        return reader_refuse(r,
                             "vector leaves are laid out in a way that XGBoost %d.%d.%d does "
                             "not read",
                             r->version[0], r->version[1], r->version[2]);
    for (size_t i = 0; i < t->count; i++) {
        int64_t output = r->tree_info.items[i];
        if (output < 0 || output >= (int64_t)outputs)
            return reader_refuse(r, "tree %zu belongs to output %lld of a model with %zu", i,
                                 (long long)output, outputs);
        t->items[i].output = (uint32_t)output;
    }
    return reader_check_features(r);
}

/* The weights that DART gives to its trees: each leaf is float32 of leaf * weight, as the library
 * adds it (Dart in src/gbm/gbtree.cc up to 3.2, src/predictor/cpu_predictor.cc from 3.3). From 1.4
 * to 3.2 it is first added to 0, so that -0 is none. */
static bool apply_weights(struct reader *r)
{
    struct trees *t = r->parts->trees;
    bool is_added =
        !version_is_before(r->version, 1, 4, 0) && version_is_before(r->version, 3, 3, 0);

    if (r->tree_weights.count == 0 && !(r->is_dart && t->count > 0))
        return true;
    if (r->tree_weights.count != t->count)
        return reader_refuse(r, "weight_drop has %zu entries for %zu trees", r->tree_weights.count,
                             t->count);
    if (!r->is_dart && version_is_before(r->version, 3, 3, 0))
        return reader_refuse(r, "weight_drop of a booster that is not named dart");
    for (size_t i = 0; i < t->count; i++) {
        size_t first = t->items[i].first_leaf * t->leaf_width;
        for (size_t k = first; k < first + t->items[i].leaf_count * t->leaf_width; k++) {
            float leaf = is_added ? 0.0f + (float)t->values[k] : (float)t->values[k];
            t->values[k] = (double)(leaf * r->tree_weights.items[i]);
        }
    }
    return true;
}

/* Where rounds end, in trees: as the file says from 2.0 on; before, each has num_parallel_tree
 * trees for each output. Up to 1.5 the file has not even that, but early stopping left a trace. */
static bool find_round(struct reader *r, int64_t round, int64_t *rounds, int64_t *end)
{
    const struct trees *t = r->parts->trees;
    int64_t trees = (int64_t)t->count, per_round = r->parallel_trees;

    if (r->round_ends.count > 0) {
        bool is_good = r->round_ends.items[0] == 0;
        for (size_t i = 1; i < r->round_ends.count; i++)
            is_good = is_good && r->round_ends.items[i] >= r->round_ends.items[i - 1];
        if (!is_good || r->round_ends.items[r->round_ends.count - 1] != trees)
            return reader_refuse(r, "iteration_indptr does not lead to tree %lld",
                                 (long long)trees);
        *rounds = (int64_t)r->round_ends.count - 1;
        *end = round <= *rounds ? r->round_ends.items[round] : trees;
        return true;
    }
    if (per_round == 0)
        per_round = r->best_iteration >= 0 && r->best_tree_limit > r->best_iteration
                        ? r->best_tree_limit / (r->best_iteration + 1)
                        : 1;
    per_round *= t->leaf_width > 1 ? 1 : (int64_t)reader_output_count(r);
    *rounds = trees / per_round;
    *end = round <= *rounds ? round * per_round : trees;
    return true;
}

static bool keep_rounds(struct reader *r)
{
    int64_t wanted = r->options->rounds, rounds = 0, end = 0;

    if (wanted == ROUNDS_BEST && r->best_iteration < 0)
        return reader_refuse(r, "rounds = best, but no best_iteration is stored");
    if (wanted == ROUNDS_BEST)
        wanted = r->best_iteration + 1;
    if (!find_round(r, wanted, &rounds, &end))
        return false;
    if (wanted > rounds)
        return reader_refuse(r, "%lld rounds are wanted, the model has %lld", (long long)wanted,
                             (long long)rounds);
    if (wanted > 0)
        trees_keep(r->parts->trees, (size_t)end);
    return true;
}

/* Before 1.3 the library summed the leaves first (PredValue in src/predictor/cpu_predictor.cc; DART
 * before 1.4, in src/gbm/gbtree.cc); without trees gbtree of 1.1 and 1.2 gave the base margin as it
 * is, 1.0 and DART added the empty sum: -0 became 0. */
static bool base_comes_last(const struct reader *r)
{
    if (r->is_dart)
        return version_is_before(r->version, 1, 4, 0);
    return version_is_before(r->version, 1, 1, 0) ||
           (version_is_before(r->version, 1, 3, 0) && r->parts->trees->count > 0);
}

static bool finish_trees(struct reader *r)
{
    struct trees *t = r->parts->trees;
    size_t outputs = reader_output_count(r);

    if (!check_trees(r) || !apply_weights(r))
        return false;
    t->sum = base_comes_last(r) ? SUM_FLOAT_BASE_LAST : SUM_FLOAT;
    if (!keep_rounds(r))
        return false;
    trees_set_shape(t, (size_t)r->feature_count, outputs);
    for (size_t i = 0; i < outputs; i++)
        t->base[i] = (double)r->base.items[i];
    return true;
}

/* ---- linear */

/* weights[feature][output], the bias last; all outputs start with the first base score
 * (src/gbm/gblinear.cc). No weights: all 0. */
static bool finish_linear(struct reader *r)
{
    size_t features = (size_t)r->feature_count, outputs = reader_output_count(r);
    const float *weights = r->linear_weights.items;
    struct linear *l;

    if (r->options->rounds != 0)
        return reader_refuse(r, "a linear model has no rounds to choose from");
    if (r->linear_weights.count != 0 && r->linear_weights.count != (features + 1) * outputs)
        return reader_refuse(r, "%zu weights for %zu features and %zu outputs",
                             r->linear_weights.count, features, outputs);
    if (r->linear_weights.count == 0 && features * outputs > MAX_FEATURES)
        return reader_refuse(r, "no weights");
    for (size_t i = 0; i < r->linear_weights.count; i++)
        if (!isfinite(weights[i]))
            return reader_refuse(r, "weight %zu is not finite", i);
    l = r->parts->linear = linear_new(features, outputs);
    for (size_t o = 0; o < outputs; o++) {
        float bias = weights ? weights[features * outputs + o] : 0.0f;
        l->intercepts[o] = (double)(bias + r->base.items[0]);
        for (size_t f = 0; weights && f < features; f++)
            l->weights[o * features + f] = (double)weights[f * outputs + o];
    }
    trees_free(r->parts->trees);
    r->parts->trees = NULL;
    return true;
}

bool reader_finish_booster(struct reader *r)
{
    bool is_tree = strcmp(r->booster, "gbtree") == 0, is_dart = strcmp(r->booster, "dart") == 0,
         is_linear = strcmp(r->booster, "gblinear") == 0;

    if (!is_tree && !is_dart && !is_linear)
        return reader_refuse(r, "booster %s is not known to this version", r->booster);
    if (!r->has_model || is_dart != r->is_dart || is_linear != r->is_linear ||
        (is_linear && (r->parts->trees->count > 0 || r->has_tree_weights)))
        return reader_refuse(r, "booster %s does not hold what its name says", r->booster);
    return is_linear ? finish_linear(r) : finish_trees(r);
}

void reader_release_booster(struct reader *r)
{
    raw_tree_release(&r->tree);
    free(r->nodes);
    free(r->vectors);
    free(r->tree_info.items);
    free(r->round_ends.items);
    free(r->tree_weights.items);
    free(r->linear_weights.items);
}
