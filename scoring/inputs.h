/* inputs.h: what the splits of a forest look at, one input for each feature, kind of content,
 * kind of missing value and default side that occur; so a split is one comparison of one cell.
 *
 *   number    order_key(x) (scoring/order.h); ORDER_LEFT or ORDER_RIGHT when missing
 *   category  x cut to a whole number; CATEGORY_LEFT, _RIGHT when missing; CATEGORY_BEYOND where
 *             no set can have it
 *
 * Features that no split uses have none. Immutable after the last inputs_find.
 */
#ifndef SCORING_INPUTS_H
#define SCORING_INPUTS_H

#include "scoring/trees.h"

#define CATEGORY_LEFT (-1)
#define CATEGORY_RIGHT (-2)
#define CATEGORY_BEYOND INT32_MAX

struct input {
    uint32_t feature;
    uint8_t missing; /* enum missing_kind */
    bool is_category, default_left;
};

struct inputs {
    struct input *items;
    size_t count, cap;
    size_t feature_count;
    bool tiny_is_zero, cuts_to_zero; /* of struct trees: tiny_is_zero, CATEGORY_TRUNCATED */
    uint32_t *places;                /* while they are found: 1 + its number, 0 = none */
};

void inputs_init(struct inputs *inputs, const struct trees *trees);
void inputs_release(struct inputs *inputs);

/* The input that the split looks at, added when it is new. */
uint32_t inputs_find(struct inputs *inputs, const struct split *split);

/* No more will be found. */
void inputs_close(struct inputs *inputs);

/* What x is to that input. */
int32_t inputs_cell(const struct inputs *inputs, const struct input *input, float x);

/* The cells of one row: count of them. */
void inputs_fill(const struct inputs *inputs, const float *row, int32_t *cells);

#endif
