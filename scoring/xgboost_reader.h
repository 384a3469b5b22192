/* xgboost_reader.h: what the files of the XGBoost reader share: the state of one reading, and how
 * it is refused.
 *
 *   xgboost.c          the file from the outside in: learner, parameters; put together
 *   xgboost_booster.c  gbtree, dart and gblinear; of all trees: outputs, rounds, weights
 *   xgboost_tree.c     trees: arrays as the file has them, checked, into struct trees
 *   xgboost_base.c     base_score, and the margins that every row starts with
 *   xgboost_cats.c     category texts (3.1 and later)
 *
 * Functions return false once the reading has failed; err is set by the first that knew why.
 * Thread: the reader's own.
 */
#ifndef SCORING_XGBOOST_READER_H
#define SCORING_XGBOOST_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "scoring/document.h"
#include "scoring/objective.h"
#include "scoring/xgboost.h"

enum { MAX_FEATURES = 1 << 20, MAX_OUTPUTS = 1 << 16 };

/* One tree as the file has it. */
struct raw_tree {
    struct int32s left, right, feature, default_left, split_type;
    struct int32s categories, category_nodes, category_segments, category_sizes;
    struct floats conditions, hessians, leaf_weights;
    struct document base_weights; /* where they begin: only vector leaves need them, up to 3.1 */
    bool has_base_weights;
    int64_t node_count, leaf_size;
};

struct reader {
    struct model_parts *parts;
    const struct model_options *options;
    int version[3];
    struct document d;
    const char *name;
    struct err *err;

    /* what stands in places of its own and is put together at the end */
    struct json_text base_text; /* borrowed; data NULL: the file has a number, in `base` */
    struct floats base;         /* base scores, then margins, of all outputs */
    int64_t class_count, target_count, feature_count, boost_from_average;
    int64_t best_iteration, best_tree_limit; /* -1: the file does not say */
    int64_t objective_outputs; /* classes or alphas in the objective's parameters; 0: not said */
    bool has_objective, has_version, has_params;
    struct json_text *name_texts; /* borrowed */
    size_t name_count, name_cap;
    struct category_texts *categories;
    size_t category_count, category_cap;

    /* the booster */
    char booster[32];
    bool has_model, is_dart; /* is_dart: trees lie one level deeper */
    int64_t claimed_trees, parallel_trees;
    struct raw_tree tree; /* the one that is being read */
    struct tree_node *nodes;
    size_t node_cap;
    double *vectors; /* of the leaves of one tree */
    size_t vector_cap;
    bool has_leaf_weights, has_base_vectors; /* where vector leaves were found */
    struct int32s tree_info, round_ends;
    struct floats tree_weights, linear_weights;
    bool is_linear, has_tree_weights;
    int64_t linear_rounds;
};

static inline size_t reader_output_count(const struct reader *r)
{
    int64_t most = r->class_count > r->target_count ? r->class_count : r->target_count;

    return most > 1 ? (size_t)most : 1;
}

/* "NAME: byte 1234: what". Always false. */
bool reader_refuse(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool reader_is_well(const struct reader *r);

/* A short text, plain, into out; false when it does not fit. */
bool reader_copy_text(const struct json_text *text, char *out, size_t cap);
bool reader_short_text(struct reader *r, char *out, size_t cap);

/* A parameter: "12" in quotes, or 12. */
bool reader_param(struct reader *r, const char *what, int64_t low, int64_t high, int64_t *value);

/* base_score, kept until version and objective are known; then r->base are the margins that it
 * makes. */
bool reader_take_base_score(struct reader *r);
bool reader_base_margins(struct reader *r, const struct objective *objective);

/* The object `gradient_booster`. */
bool reader_take_booster(struct reader *r);

/* Whether it was trained at all. */
bool reader_is_fitted(const struct reader *r);

/* When all else has been read and r->base are margins: checks the booster against the rest and
 * makes r->parts->trees or r->parts->linear of it. */
bool reader_finish_booster(struct reader *r);
void reader_release_booster(struct reader *r);

/* The array `trees`, into r->parts->trees: each is checked and added as it is read, but for its
 * features, whose count may come later. */
bool reader_take_trees(struct reader *r);
bool reader_check_features(struct reader *r);
void raw_tree_release(struct raw_tree *t);

/* The object `cats`, into r->categories. */
bool reader_take_cats(struct reader *r);

/* Before 3.4 XGBoost's Python package counted code points where the file has bytes
 * (dmlc/xgboost#12371): a feature with a text beyond ASCII has lost all of its texts. */
void reader_forget_garbled_texts(struct reader *r);

#endif
