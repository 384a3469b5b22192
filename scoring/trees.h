/* trees.h: a forest as its library means it, whatever format it came in: data, no code. Readers
 * build it, forest.c makes it fast, contributions walk it.
 *
 * A row goes through every tree to a leaf, and the leaf's value is added to the tree's output. How
 * x (float32) takes its side of a split:
 *
 *   SPLIT_LESS    left when order_key(x) < threshold (scoring/order.h)
 *   SPLIT_EQUAL   left when order_key(x) == threshold
 *   SPLIT_MEMBER  right when x, cut to a whole number, is in the set; else left
 *   missing       to the default side; `missing` says what counts as missing
 *
 * Doubles hold what the library has as float32 without loss.
 *
 * Owns its arrays. Built by one thread, then only read.
 */
#ifndef SCORING_TREES_H
#define SCORING_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREES_MAX_NODES = 1 << 28 };

enum split_kind { SPLIT_LESS, SPLIT_EQUAL, SPLIT_MEMBER };

enum missing_kind {
    MISSING_NAN,         /* NaN is missing */
    MISSING_NAN_OR_ZERO, /* NaN, and what is not above 1e-35 in size (LightGBM's "Zero") */
    MISSING_NEVER,       /* NaN is the number 0 (LightGBM's "None") */
};

struct split {
    uint32_t feature;
    int32_t threshold;   /* a key; or, of SPLIT_MEMBER, the index of its set */
    int32_t left, right; /* below 0: leaf ~i; else split i; both counted within the tree */
    uint8_t kind;        /* enum split_kind */
    uint8_t missing;     /* enum missing_kind */
    bool default_left;
};

/* Bits of whole numbers. What lies at bit_count and beyond is out of range. */
struct category_set {
    uint64_t *bits;
    uint32_t bit_count;
};

/* What a number means that no set can hold: negative, from 2^24 on, or out of the set's range. */
enum category_rule {
    CATEGORY_TRUNCATED,         /* not in the set; but what lies between -1 and 0 is category 0 */
    CATEGORY_BEYOND_IS_DEFAULT, /* as if missing */
    CATEGORY_BEYOND_IS_LEFT,    /* not in the set */
};

/* How the leaves of an output become its margin. */
enum sum_rule {
    SUM_FLOAT,            /* float32, starting at the base, one rounding per tree */
    SUM_FLOAT_BASE_LAST,  /* float32, starting at 0, the base added at the end */
    SUM_DOUBLE,           /* double, starting at the base */
    SUM_DOUBLE_BASE_LAST, /* double, starting at 0, the base added at the end */
};

static inline bool sum_is_double(enum sum_rule sum)
{
    return sum == SUM_DOUBLE || sum == SUM_DOUBLE_BASE_LAST;
}

/* A leaf that is a linear function of the row (LightGBM's linear trees): value + the sum of
 * coefficient * x in double, in order; the plain value where one of its x is NaN. */
struct linear_leaf {
    double constant;
    size_t first, count; /* in features[] and coefficients[] of struct trees */
};

/* Splits, leaves and covers of a tree follow each other from these on. No splits: leaf 0 alone.
 * Splits are in depth-first order, leaves from left to right. */
struct tree {
    size_t first_split, first_leaf;
    uint32_t split_count, leaf_count;
    uint32_t member_count, equal_count; /* of the splits: so many SPLIT_MEMBER, SPLIT_EQUAL */
    uint32_t depth;                     /* splits on the longest way to a leaf */
    uint32_t output;                    /* whose sum it adds to; unused when leaves are vectors */
};

struct trees {
    size_t feature_count, output_count;
    enum sum_rule sum;
    enum category_rule category;
    bool tiny_is_zero; /* x of a size up to 1e-35 counts as 0 (LightGBM) */
    size_t leaf_width; /* values in a leaf: 1, or one for each output */
    double *base;      /* output_count: margin of a row without trees */
    double divisor;    /* of the sum at the end, before a base that comes last; 0: none */

    struct tree *items;
    size_t count, cap;
    struct split *splits;
    size_t split_count, split_cap;
    double *values; /* leaf_width per leaf */
    size_t value_count, value_cap;
    size_t leaf_count;
    /* how much of the training data came by, per split and per leaf; NULL: the file does not say */
    double *split_covers, *leaf_covers;
    size_t split_cover_cap, leaf_cover_cap;
    struct category_set *sets;
    size_t set_count, set_cap;
    /* linear trees only: per leaf, and what they point to */
    struct linear_leaf *linear;
    size_t linear_cap;
    uint32_t *linear_features;
    double *coefficients;
    size_t coefficient_count, coefficient_cap, linear_feature_cap;
};

/* One node as a reader has it. */
struct tree_node {
    int64_t left, right;       /* indices of nodes; both -1: a leaf */
    struct split split;        /* of an inner node, but for its children */
    double value;              /* of a leaf */
    double cover;              /* see has_covers */
    const double *vector;      /* of a leaf of several values, borrowed */
    struct linear_leaf linear; /* of a leaf of a linear tree */
};

/* What is said of a whole tree. */
struct tree_source {
    const struct tree_node *nodes; /* the root first */
    size_t node_count;             /* at least 1 */
    uint32_t output;
    bool has_covers, is_linear; /* the same for all trees of a forest */
};

/* No trees; no features and outputs yet, a leaf_width of 1. */
struct trees *trees_new(void);

/* When they are known: base becomes 0 for all. */
void trees_set_shape(struct trees *trees, size_t feature_count, size_t output_count);
void trees_free(struct trees *trees);

/* Adds what can be reached from the root. Returns -1, or the index of a node whose child is out of
 * range or has two parents: then nothing is added. */
int64_t trees_add(struct trees *trees, const struct tree_source *source);

/* A set of that many bits, all clear; its index. */
int32_t trees_add_set(struct trees *trees, uint32_t bit_count);

/* Drops the trees from number `count` on, as if they had not been added. */
void trees_keep(struct trees *trees, size_t count);

/* All splits are SPLIT_LESS. */
static inline bool tree_is_plain(const struct tree *tree)
{
    return tree->member_count == 0 && tree->equal_count == 0;
}

static inline bool category_set_has(const struct category_set *set, uint32_t category)
{
    return category < set->bit_count && (set->bits[category / 64] >> category % 64 & 1);
}

/* The side that x takes, exactly as the rules above say: true is left. What the kernels are held
 * against. */
bool trees_goes_left(const struct trees *trees, const struct split *split, float x);

/* The leaf of a row, counted within the tree: one row, one step after the other. */
uint32_t trees_leaf(const struct trees *trees, const struct tree *tree, const float *row);

#endif
