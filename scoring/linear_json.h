/* linear_json.h: reads linear and logistic models as a small JSON of our own: docs/models.md.
 *
 *   {"format": "kscore-linear", "version": 1, "link": "logistic", "features": ["a", "b"],
 *    "outputs": ["late"], "intercept": [0.5], "coefficients": [[0.1, -0.2]], "missing": [1, null]}
 *
 * All in double: the margin of an output is its intercept, then + coefficient * x for feature after
 * feature, each rounded once. A missing x (NaN) makes it NaN, unless "missing" has a value that
 * stands in, which is a float32 as x is.
 */
#ifndef SCORING_LINEAR_JSON_H
#define SCORING_LINEAR_JSON_H

#include <stdbool.h>

#include "core/err.h"
#include "core/slice.h"
#include "scoring/model.h"
#include "scoring/parts.h"

/* Whether it is JSON whose first key is one of ours and none of XGBoost's. */
bool linear_json_is_one(struct slice data);

/* name is for messages. EXIT_DATA "name: byte 123: what". On failure nothing is left behind. */
int linear_json_parse(struct model_parts *parts, const char *name, struct slice data,
                      const struct model_options *options, struct err *err);

#endif
