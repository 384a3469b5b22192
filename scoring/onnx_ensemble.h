/* onnx_ensemble.h: the attributes of a TreeEnsembleClassifier or TreeEnsembleRegressor (ai.onnx.ml
 * 1 and 3) as arrays, checked: each tree lies in one piece, each id is there once, each child is
 * found, each weight belongs to a leaf.
 *
 * What ONNX Runtime makes of them: onnxruntime/core/providers/cpu/ml/tree_ensemble_common.h.
 *
 * Owns its arrays. Thread: the reader's.
 */
#ifndef SCORING_ONNX_ENSEMBLE_H
#define SCORING_ONNX_ENSEMBLE_H

#include "scoring/onnx_reader.h"

enum branch { BRANCH_LEQ, BRANCH_LT, BRANCH_GTE, BRANCH_GT, BRANCH_EQ, BRANCH_NEQ, BRANCH_LEAF };

/* Numbers that a file has as float32, or as a tensor of doubles. */
struct onnx_reals {
    struct wire_floats floats;
    struct wire_doubles doubles;
};

struct ensemble {
    bool is_classifier;
    size_t output_count; /* classes, or targets */
    size_t tree_count;
    size_t count;                                                /* nodes; of node i: */
    struct wire_ints tree_ids, ids, features, if_true, if_false; /* the last two: node numbers */
    struct onnx_reals thresholds;
    uint8_t *modes; /* enum branch */
    size_t mode_cap;
    uint8_t *missing_true; /* NULL: of none */
    uint32_t *order;       /* nodes by tree id and id; NULL: as they are */

    size_t weight_count; /* of weight j: */
    struct wire_ints weight_trees, weight_ids, weight_outputs;
    struct onnx_reals weights;
    uint32_t *leaf_weights; /* weights by node, in the file's order within one */
    uint32_t *leaf_firsts;  /* count + 1: those of node i are leaf_weights[leaf_firsts[i] ...] */

    struct onnx_reals bases;
    bool is_average;
    enum score_kind post_transform;
};

/* On failure ensemble_release is still to be called. */
int ensemble_read(struct onnx_reader *r, const struct onnx_node *node, struct ensemble *ensemble);
void ensemble_release(struct ensemble *ensemble);

static inline double onnx_real(const struct onnx_reals *reals, size_t i)
{
    return reals->doubles.count > 0 ? reals->doubles.items[i] : (double)reals->floats.items[i];
}

static inline size_t onnx_real_count(const struct onnx_reals *reals)
{
    return reals->floats.count + reals->doubles.count;
}

#endif
