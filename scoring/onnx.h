/* onnx.h: reads ONNX files: tree ensembles and linear models, and what the exporters of
 * scikit-learn, XGBoost and LightGBM put around them (docs/models.md has the list).
 *
 * The score is what ONNX Runtime gives on one thread, to the bit where parts->close is empty. The
 * margin is the sum of the body before its post_transform and what follows. A classifier of two
 * classes has one score, the probability of the second.
 */
#ifndef SCORING_ONNX_H
#define SCORING_ONNX_H

#include "core/err.h"
#include "core/slice.h"
#include "scoring/model.h"
#include "scoring/parts.h"

/* Whether these are the first bytes of an ONNX file. */
bool onnx_is_one(struct slice data);

/* name is for messages. EXIT_DATA "name: what". On failure nothing is left behind. */
int onnx_parse(struct model_parts *parts, const char *name, struct slice data,
               const struct model_options *options, struct err *err);

#endif
