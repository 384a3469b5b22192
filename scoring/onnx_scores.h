/* onnx_scores.h: what an ONNX graph does to the sums of its body, row by row, as ONNX Runtime does
 * it: float32, and glibc's expf where it calls std::exp.
 *
 * Source: onnxruntime/core/providers/cpu/ml/ml_common.h (write_scores, ComputeLogistic,
 * ComputeSoftmax, ComputeSoftmaxZero), normalizer.cc.
 */
#ifndef SCORING_ONNX_SCORES_H
#define SCORING_ONNX_SCORES_H

#include <stddef.h>
#include <stdint.h>

#include "scoring/link.h"

enum { ONNX_MAX_OUTPUTS = 4096 };

enum score_kind {
    SCORE_NONE,
    SCORE_LOGISTIC, /* 1 - v below 0, where v is the logistic of -x: the post_transform of a body */
    SCORE_SOFTMAX,
    SCORE_SOFTMAX_ZERO, /* leaves what is near 0 near 0 */
    SCORE_COMPLEMENT,   /* of one: 1 - s and s */
    SCORE_OPPOSITE,     /* of one: -s and s */
    SCORE_PICK,         /* only `column` is left */
    SCORE_NORMALIZE,    /* divided by the sum of the sizes */
    SCORE_SIGMOID,
    SCORE_EXP,
    SCORE_ADD,
    SCORE_SUBTRACT,
    SCORE_SUBTRACT_FROM, /* value - x */
    SCORE_MULTIPLY,
    SCORE_DIVIDE,
    SCORE_DIVIDE_INTO, /* value / x */
};

struct score_op {
    enum score_kind kind;
    int32_t column; /* of arithmetic: -1 = all */
    float value;
};

struct onnx_scores {
    struct score_op *items;
    size_t count, cap;
};

void onnx_scores_add(struct onnx_scores *scores, struct score_op op);
void onnx_scores_release(struct onnx_scores *scores);

/* A link that applies them from the last to the first; copies them into link->program. */
struct link onnx_scores_link(const struct onnx_scores *scores, size_t margin_count,
                             size_t score_count);

#endif
