/* objective.h: XGBoost's objectives with one output: from the stored base score to the margin, and
 * from margins to predictions, as the version that wrote the file does it.
 *
 * Source: src/objective/ of XGBoost at each tag (regression_loss.h, regression_obj.cu, hinge.cu,
 * aft_obj.cu, lambdarank_obj.cc, quantile_obj.cc) and src/common/math.h; float32 throughout, as
 * there. expf and logf are glibc's, as in the library's own wheels: bits are equal where the libm
 * is, and within one unit in the last place elsewhere.
 */
#ifndef SCORING_OBJECTIVE_H
#define SCORING_OBJECTIVE_H

#include <stdbool.h>

#include "scoring/link.h"

enum link_kind {
    LINK_IDENTITY,
    LINK_SIGMOID,       /* the exponent is cut at 88.7 so that it cannot overflow: 1.6 and later */
    LINK_PLAIN_SIGMOID, /* 0 below a margin of about -88.7 */
    LINK_EXP,
    LINK_HINGE,
};

/* What the file's base_score is. */
enum base {
    BASE_MARGIN,
    BASE_PROBABILITY,
    BASE_BOUND_PROBABILITY, /* moved into [1e-6, 1 - 1e-6] first: 3.2 and later */
    BASE_MEAN,              /* of what exp gives */
};

struct objective {
    enum link_kind link;
    enum base base;
};

/* How the XGBoost of that version understands the objective; false: no objective of one output has
 * this name. */
bool objective_find(struct objective *objective, const char *name, const int version[3]);

/* base_score, as stored, to the margin that every row starts with. NaN or infinity when it makes no
 * sense. */
float objective_base_margin(const struct objective *objective, float base_score);

/* The prediction of one margin. */
float objective_apply(enum link_kind link, float margin);

/* The same for a model. */
struct link objective_link(const struct objective *objective);

#endif
