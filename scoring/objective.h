/* objective.h: XGBoost's objectives with one output: from the stored base score to the margin, and
 * from margins to predictions.
 *
 * Source: src/objective/ of XGBoost (regression_loss.h, regression_obj.cu, hinge.cu, aft_obj.cu,
 * rank_obj, quantile_obj.cu); float32 throughout, as there. expf and logf are glibc's, as in the
 * library's own wheels: bits are equal where the libm is, and within one unit in the last place
 * elsewhere.
 */
#ifndef SCORING_OBJECTIVE_H
#define SCORING_OBJECTIVE_H

#include <stdbool.h>

enum link {
    LINK_IDENTITY,
    LINK_SIGMOID,
    LINK_EXP,
    LINK_HINGE,
};

/* False: no objective of one output has this name. */
bool objective_find(const char *name, enum link *link, bool *stores_probability);

/* base_score, as stored, to the margin that every row starts with. NaN or infinity when it makes no
 * sense. */
float objective_base_margin(enum link link, bool stores_probability, float base_score);

float link_apply(enum link link, float margin);

#endif
