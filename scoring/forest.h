/* forest.h: trees made ready for scoring, and the kernel that scores them.
 *
 * Rule of every node (XGBoost, src/predictor/cpu_predictor.cc): missing goes to the default side;
 * else x < threshold, both float32, goes left, else right. A row's margin is the float32 sum of its
 * leaves in tree order, one rounding per tree, starting at the base margin (before 1.3: at 0, and
 * the base margin is added at the end).
 *
 * Two shapes (why both are exact, and fast: scoring/README.md):
 *
 *   padded   a complete tree of `depth` levels, node i has children 2i+1 and 2i+2;
 *            no categories, no threshold of -inf or NaN
 *   linked   nodes with two links, leaves link to themselves; everything else
 *
 * 16 rows walk a tree together, one level at a time, so that their cache misses and branches
 * overlap.
 *
 * Immutable after the last forest_add, owns its arrays, any thread may score with a scratch of its
 * own.
 */
#ifndef SCORING_FOREST_H
#define SCORING_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOREST_ROWS = 16 };

/* What the reader gives: one tree in arrays of node_count, root 0, checked before. */
struct tree_source {
    uint32_t node_count;
    const int64_t *left, *right; /* -1 for leaves */
    const int64_t *feature;
    const float *value; /* threshold, or the leaf's value */
    const int64_t *default_left;
    const int32_t *
        category; /* index of a node's set in sets, -1 for none; NULL: the tree has no categories */
    const struct category_set *sets;
};

/* Categories that go right. */
struct category_set {
    uint64_t *bits;
    uint32_t
        bit_count; /* what lies beyond is not in the set; a multiple of 32, as in the library */
};

/* What a category outside the set's range, negative, or over 2^24 means. */
enum category_rule {
    CATEGORY_TRUNCATED, /* left; but what lies between -1 and 0 is category 0 */
    CATEGORY_BEYOND_IS_DEFAULT,
    CATEGORY_BEYOND_IS_LEFT,
};

/* What depends on the version of the file. */
struct forest_rules {
    float base_margin;
    bool base_comes_last; /* added to the sum of the leaves; else the sum starts with it */
    enum category_rule category;
};

struct forest;

struct forest *forest_new(size_t feature_count, struct forest_rules rules);
void forest_add(struct forest *forest, const struct tree_source *tree);
void forest_free(struct forest *forest);

/* For people: levels of the deepest tree, bytes of all, and how many nodes split on a feature. */
uint32_t forest_depth(const struct forest *forest);
size_t forest_size_bytes(const struct forest *forest);
uint32_t forest_split_count(const struct forest *forest, size_t feature);

size_t forest_scratch_bytes(const struct forest *forest);

/* margins[i] for rows[i * feature_count ...]; scratch aligned to 64. */
void forest_score(const struct forest *forest, const float *rows, size_t count, float *margins,
                  void *scratch);

#endif
