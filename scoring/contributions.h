/* contributions.h: how much each feature moved a row's margin: exact TreeSHAP, path dependent
 * (Lundberg, Erion, Lee: Consistent Individualized Feature Attribution for Tree Ensembles,
 * arXiv:1802.03888, algorithm 2), as XGBoost's and LightGBM's pred_contribs.
 *
 * A row's contributions and the bias add up to its margin. What a missing feature would have given
 * is weighed with the covers of the training data, which the file must have.
 *
 * For people who ask about one row: it allocates, and costs leaves * depth^2 per tree. Any thread.
 */
#ifndef SCORING_CONTRIBUTIONS_H
#define SCORING_CONTRIBUTIONS_H

#include "core/err.h"
#include "scoring/linear.h"
#include "scoring/trees.h"

/* Deeper trees are refused: the stack, and depth^2 / 2 places of a path. */
enum { CONTRIBUTIONS_DEPTH_MAX = 512 };

/* 0, or EXIT_DATA with why these trees have no contributions: no covers, linear leaves, depth. */
int contributions_check(const struct trees *trees, struct err *err);

/* out: output_count x (feature_count + 1), the bias last. Only after contributions_check. */
void contributions_of_trees(const struct trees *trees, const float *row, double *out);
void contributions_of_linear(const struct linear *linear, const float *row, double *out);

#endif
