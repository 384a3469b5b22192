/* parts.h: what a reader of a format makes of a file; model.c puts it together and owns it. */
#ifndef SCORING_PARTS_H
#define SCORING_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "scoring/linear.h"
#include "scoring/link.h"
#include "scoring/transform.h"
#include "scoring/trees.h"

/* Texts of one feature's categories, in code order; count 0: the file stores none. */
struct category_texts {
    char **items;
    size_t count;
};

struct model_parts {
    char writer[64];    /* "XGBoost 1.7.4" */
    char objective[64]; /* "binary:logistic" */
    size_t feature_count;
    char **names;                      /* feature_count, or NULL */
    struct category_texts *categories; /* feature_count, or NULL */
    struct trees *trees;               /* one of the two, the other is NULL */
    struct linear *linear;
    struct transform *transform; /* makes their rows of the model's; NULL: those are theirs */
    struct link link;
    bool is_float32; /* its scores are, whatever it sums in */
    char close[200]; /* why it is not the library's to the bit; "": it is */
};

void category_texts_free(struct category_texts *categories, size_t count);
void model_parts_release(struct model_parts *parts);

#endif
