/* lightgbm.h: reads LightGBM's text models, version=v2 to v4 (LightGBM 2.0.12 to 4.x).
 *
 * Format: src/boosting/gbdt_model_text.cpp and src/io/tree.cpp of LightGBM: lines key=value, blocks
 * Tree=N, "end of trees", feature importances, parameters, and from the Python package a last line
 * pandas_categorical. Everything that changes a result and is not understood is refused.
 */
#ifndef SCORING_LIGHTGBM_H
#define SCORING_LIGHTGBM_H

#include <stdbool.h>

#include "core/err.h"
#include "core/slice.h"
#include "scoring/model.h"
#include "scoring/parts.h"

/* Whether the first line is that of a LightGBM model. */
bool lightgbm_is(struct slice data);

/* name is for messages. EXIT_DATA "name: line 12: what". On failure nothing is left behind. */
int lightgbm_parse(struct model_parts *parts, const char *name, struct slice data,
                   const struct model_options *options, struct err *err);

#endif
