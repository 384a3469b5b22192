/* models.h: small models as text, changed here and there, for suites of scoring/. */
#ifndef TESTS_MODELS_H
#define TESTS_MODELS_H

#include <stddef.h>

#include "scoring/model.h"

/* Version 1.7.6, reg:squarederror, base_score 0.5, features a and b, two trees:
 * a < 0.5 ? -1 : (b < 2 ? 10 : 20), missing left, right; and a leaf of 0.25. */
extern const char models_plain[];

/* As models_plain, with one split on a category of a: 1 or 3 gives 2, else 1; missing left. */
extern const char models_category[];

/* LightGBM v4, regression, features a, b, two trees: a <= 0.5 ? -1 : (b is 1, 3 or 40 ? 10 : 20),
 * missing type None; and a leaf of 0.25. */
extern const char models_lightgbm[];

/* A copy of text with the first `from` after `behind` (NULL: the first of all) replaced. free() it.
 * Fails the test when there is none. */
char *models_edit(const char *text, const char *behind, const char *from, const char *to);

/* The same document as UBJSON, as XGBoost 1.6 and later write it: lists of whole numbers and of
 * reals are typed arrays. free() it. */
char *models_binary(const char *text, size_t *len);

/* Parses from a copy of exactly len bytes, so that the sanitizer sees a read beyond. */
int models_parse(struct model **model, const char *data, size_t len, struct err *err);

/* All margins and predictions of one row of a model that must be good. */
void models_score(const char *text, const float *row, double *margins, double *predictions);

/* The margin, and the prediction, of one row of a model that must be good. */
float models_margin(const char *text, const float *row);
float models_prediction(const char *text, const float *row);

/* Why it is refused: static buffer. Fails the test when it is not, or not as EXIT_DATA in one line
 * that begins with "model: byte N: ", "model: line N: " or "model: ". */
const char *models_refusal(const char *data, size_t len);

#endif
