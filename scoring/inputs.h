/* inputs.h: what the splits of a forest look at, one input for each feature, kind of content,
 * kind of missing value and default side that occur; so a split is one comparison of one cell.
 *
 *   number    order_key(x) (scoring/order.h) with its sign bit turned, so that keys are ordered as
 *             unsigned numbers; CELL_LEFT or CELL_RIGHT when missing
 *   category  x cut to a whole number; CATEGORY_LEFT, _RIGHT when missing; CATEGORY_BEYOND where
 *             no set can have it
 *
 * Features that no split uses have none. Immutable after the last inputs_find.
 */
#ifndef SCORING_INPUTS_H
#define SCORING_INPUTS_H

#include "scoring/trees.h"

#define CELL_LEFT 0u
#define CELL_RIGHT UINT32_MAX
#define CATEGORY_LEFT UINT32_MAX
#define CATEGORY_RIGHT (UINT32_MAX - 1)
#define CATEGORY_BEYOND ((uint32_t)INT32_MAX)

struct input {
    uint32_t feature;
    uint8_t missing; /* enum missing_kind */
    bool is_category, default_left;
};

enum {
    INPUTS_LANES = 8,
    INPUTS_KINDS = 2 * 3 * 2, /* contents, kinds of missing, default sides */
};

/* Numbers: a key is made once for both default sides, without a branch. Of each feature and kind of
 * missing value: */
struct input_numbers {
    uint32_t *features, *nan_is_missing, *tiny_is_missing; /* the latter all ones or all zeros */
    uint32_t *right, *left; /* the inputs of its sides; one that does not occur: the spare cell */
    size_t count;
};

struct inputs {
    struct input *items;
    size_t count, cap;
    size_t feature_count;
    bool tiny_is_zero, cuts_to_zero; /* of struct trees: tiny_is_zero, CATEGORY_TRUNCATED */
    uint32_t *places;                /* while they are found: 1 + its number, 0 = none */
    struct input_numbers numbers;    /* when all are found */
    size_t cell_count;               /* count, and a spare one */
    size_t category_count;
};

void inputs_init(struct inputs *inputs, const struct trees *trees);
void inputs_release(struct inputs *inputs);

/* Where the number of a split's input is kept while they are found. */
static inline uint32_t *inputs_place(const struct inputs *inputs, const struct split *split,
                                     bool default_left)
{
    bool is_category = split->kind == SPLIT_MEMBER;

    return &inputs->places[(size_t)split->feature * INPUTS_KINDS + (size_t)is_category * 6 +
                           (size_t)split->missing * 2 + default_left];
}

/* One that is not there yet; its number. */
uint32_t inputs_add(struct inputs *inputs, const struct split *split, bool default_left);

/* The input that the split would look at with that default side, added when it is new. */
static inline uint32_t inputs_find(struct inputs *inputs, const struct split *split,
                                   bool default_left)
{
    uint32_t place = *inputs_place(inputs, split, default_left);

    return place ? place - 1 : inputs_add(inputs, split, default_left);
}

/* No more will be found. */
void inputs_close(struct inputs *inputs);

/* What x is to that input. */
uint32_t inputs_cell(const struct inputs *inputs, const struct input *input, float x);

/* The cells of one row: cell_count of them, that of input i at cells[i]. */
void inputs_fill(const struct inputs *inputs, const float *row, uint32_t *cells);

/* The same for up to INPUTS_LANES rows, that of row r at cells[i * INPUTS_LANES + r]; the last of
 * fewer rows stands for those that are not there. */
void inputs_fill_lanes(const struct inputs *inputs, const float *rows, size_t count,
                       uint32_t *cells);

/* The threshold of SPLIT_LESS and SPLIT_EQUAL in the order of the cells. */
static inline uint32_t inputs_threshold(const struct split *split)
{
    return (uint32_t)split->threshold ^ 0x80000000u;
}

#endif
