/* objective.h: XGBoost's objectives: from the stored base scores to margins, and from margins to
 * predictions, as the version that wrote the file does it. Several outputs are linked one by one,
 * but for those kinds that say otherwise.
 *
 * Source: src/objective/ of XGBoost at each tag (regression_loss.h, regression_obj.cu, hinge.cu,
 * aft_obj.cu, lambdarank_obj.cc, quantile_obj.cu, multiclass_obj.cu) and src/common/math.h; float32
 * throughout, as there. expf and logf are glibc's, as in the library's own wheels: bits are equal
 * where the libm is, and within one unit in the last place elsewhere.
 */
#ifndef SCORING_OBJECTIVE_H
#define SCORING_OBJECTIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "scoring/link.h"

enum link_kind {
    LINK_IDENTITY,
    LINK_SIGMOID,       /* the exponent is cut at 88.7 so that it cannot overflow: 1.6 and later */
    LINK_PLAIN_SIGMOID, /* 0 below a margin of about -88.7 */
    LINK_EXP,
    LINK_HINGE,
    LINK_SOFTMAX,    /* over the outputs of a row */
    LINK_CLASS,      /* the number of the first largest: one score */
    LINK_SORTED,     /* quantiles, rising */
    LINK_EXPECTILES, /* the first, then what is added to the one before, by its softplus */
};

/* What the file's base_score is. */
enum base {
    BASE_MARGIN,
    BASE_PROBABILITY,
    BASE_BOUND_PROBABILITY, /* moved into [1e-6, 1 - 1e-6] first: 3.2 and later */
    BASE_MEAN,              /* of what exp gives */
    BASE_EXPECTILES,        /* rising; the margin is that of the distance to the one before */
};

struct objective {
    enum link_kind link;
    enum base base;
};

/* How the XGBoost of that version understands the objective; false: no objective has this name. */
bool objective_find(struct objective *objective, const char *name, const int version[3]);

/* The base scores of all outputs, as stored, to the margins that every row starts with. NaN or
 * infinity where one makes no sense. */
void objective_base_margins(const struct objective *objective, float *base, size_t count);

/* From output_count margins a row to scores. */
struct link objective_link(const struct objective *objective, size_t output_count);

#endif
