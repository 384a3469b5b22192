/* xgboost.h: reads XGBoost's JSON and UBJSON models.
 *
 * Format: doc/tutorials/saving_model.rst and src/learner.cc, src/gbm/gbtree_model.cc,
 * src/tree/tree_model.cc of XGBoost. Numbers in *_param objects are strings. Everything that
 * changes a result and is not understood is refused.
 */
#ifndef SCORING_XGBOOST_H
#define SCORING_XGBOOST_H

#include "core/err.h"
#include "core/slice.h"
#include "scoring/model.h"
#include "scoring/parts.h"

/* name is for messages. EXIT_DATA "name: byte 1234: what". On failure nothing is left behind. */
int xgboost_parse(struct model_parts *parts, const char *name, struct slice data,
                  const struct model_options *options, struct err *err);

#endif
