/* xgboost.h: reads XGBoost's JSON and UBJSON models into a forest.
 *
 * Format: doc/tutorials/saving_model.rst and src/learner.cc, src/gbm/gbtree_model.cc,
 * src/tree/tree_model.cc of XGBoost. Numbers in *_param objects are strings. Everything that
 * changes a result and is not understood is refused.
 */
#ifndef SCORING_XGBOOST_H
#define SCORING_XGBOOST_H

#include <stddef.h>

#include "core/err.h"
#include "scoring/forest.h"
#include "scoring/objective.h"

/* Texts of one feature's categories, in code order; count 0: the file stores none. */
struct category_texts {
    char **items;
    size_t count;
};

struct xgboost {
    int version[3];
    char objective[64];
    enum link link;
    size_t feature_count, tree_count, node_count;
    char **names;                      /* feature_count, or NULL */
    struct category_texts *categories; /* feature_count, or NULL */
    struct forest *forest;
};

/* name is for messages. EXIT_DATA "name: byte 1234: what". On failure nothing is left behind. */
int xgboost_parse(struct xgboost *x, const char *name, const char *data, size_t len,
                  struct err *err);
void xgboost_release(struct xgboost *x);

#endif
