/* model.h: a trained model, ready to score rows of floats.
 *
 * Loads XGBoost JSON and UBJSON (1.0 to 3.x), LightGBM text (v2 to v4), ONNX and linear JSON. What
 * cannot be scored exactly as the library does is refused with the reason, or says that it is only
 * close. Formats: docs/models.md, scoring/README.md.
 *
 * A struct model is immutable after load and owns everything below it: any number of threads may
 * score with it, each with a scratch of its own. No I/O and no allocation after load.
 */
#ifndef SCORING_MODEL_H
#define SCORING_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/slice.h"

struct model;

/* How a file is to be understood where it leaves a choice; zeros are what the library does. */
struct model_options {
    int64_t rounds;   /* so many boosting rounds from the first; 0: all; ROUNDS_BEST: up to the one
                       that early stopping found best */
    const char *simd; /* "portable", "avx2" or "avx512"; NULL: $KSCORE_SIMD, else the best that the
                         processor has */
};

enum { ROUNDS_BEST = -1 };

/* Reads a model file; the format is seen from the bytes. *model is new: model_free. Errors: EXIT_IO
 * unreadable, EXIT_DATA "what is wrong and where" for damaged or unsupported files,
 * EXIT_CONFIGURATION a kernel that is not there. */
int model_load(struct model **model, const char *path, const struct model_options *options,
               struct err *err);

/* The same from memory; name is for messages. data is only borrowed during the call. */
int model_parse(struct model **model, const char *name, struct slice data,
                const struct model_options *options, struct err *err);

/* The same, and data, which was malloc'd, is freed when it is read, also on failure. */
int model_take(struct model **model, const char *name, struct slice data,
               const struct model_options *options, struct err *err);
void model_free(struct model *model);

/* What model.ini calls its format: "xgboost", "lightgbm"; and whether there is one of that name. */
const char *model_format(const struct model *model);
bool model_is_format(const char *name);

size_t model_feature_count(const struct model *model); /* width of a row */

/* Values per row: sums before the link, and what predict returns. 1 for models of one output;
 * multi:softmax has one margin per class and one score. */
size_t model_margin_count(const struct model *model);
size_t model_score_count(const struct model *model);

/* Whether margins are sums of float32, as XGBoost's; else of double, as LightGBM's. */
bool model_is_float32(const struct model *model);

/* The name the file stores for a feature, or NULL when it stores none (trained from an array). */
const char *model_feature_name(const struct model *model, size_t feature);

/* The category texts the file stores for a feature (XGBoost 3.1+ `cats`): how many (0: none
 * stored), and the text of one code. */
size_t model_category_count(const struct model *model, size_t feature);
const char *model_category_text(const struct model *model, size_t feature, size_t code);

/* One line for people: "XGBoost 1.7.4, binary:logistic, 100 trees, 12282 nodes, 30 features". */
const char *model_summary(const struct model *model);

/* Why its scores are not the library's to the bit but only close, or NULL: they are. */
const char *model_close_reason(const struct model *model);

/* For people: which kernel scores it, its trees, the levels of the deepest, the bytes that scoring
 * reads, and how many nodes split on a feature (a linear model: how many outputs weigh it). */
const char *model_kernel(const struct model *model);
size_t model_tree_count(const struct model *model);
size_t model_depth(const struct model *model);
size_t model_size_bytes(const struct model *model);
size_t model_split_count(const struct model *model, size_t feature);

/* How many bytes of scratch model_score needs, for any number of rows; aligned to 64 by the caller.
 */
size_t model_scratch_bytes(const struct model *model);

/* Scores `count` rows. rows: count x feature_count float32, row-major, NaN = missing. margins:
 * count x margin_count, scores: count x score_count, row-major; margin = the sum before the link,
 * score = what the library's own predict returns; float32 is widened. Each row's bits do not depend
 * on count or on its neighbours. */
void model_score(const struct model *model, const float *rows, size_t count, double *margins,
                 double *scores, void *scratch);

/* How much each feature moved the margins of one row (scoring/contributions.h): out has
 * margin_count x (feature_count + 1) places, the bias last; each line adds up to its margin. For
 * people, not for the hot path. The check, once a model: 0, or EXIT_DATA and why there are none. */
int model_contributions_check(const struct model *model, struct err *err);
void model_contributions(const struct model *model, const float *row, double *out);

#endif
