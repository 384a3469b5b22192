/* Contributions against their definition: the mean, over all orders in which features become known,
 * of how much the expected margin moves when this one does; 2^FEATURES subsets, counted out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/contributions.h"
#include "scoring/order.h"
#include "tests/harness.h"
#include "tests/models.h"

enum { FEATURES = 5, WIDTH = FEATURES + 1, OUTPUTS = 2, NODES = 127, ROWS = 20 };

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 8) * below >> 24);
}

struct shape {
    unsigned grow; /* a node is split in so many of 8 cases */
    bool is_list, has_sets, is_vector, has_empty_sides;
};

/* Node i has children from *count on; its cover is shared between them. */
static void grow(struct tree_node *nodes, size_t *count, size_t i, const struct shape *shape)
{
    static double vectors[NODES][OUTPUTS];
    struct tree_node *n = &nodes[i];
    double share = shape->has_empty_sides && draw(4) == 0 ? 0 : (1 + draw(7)) / 8.0;

    n->left = n->right = -1;
    n->value = (double)draw(1000) / 64 - 7;
    for (size_t k = 0; k < OUTPUTS; k++)
        vectors[i][k] = (double)draw(1000) / 64 - 7;
    n->vector = vectors[i];
    if (*count + 2 > NODES || n->cover == 0 || (i > 0 && draw(8) >= shape->grow))
        return;
    n->split = (struct split){.feature = draw(FEATURES),
                              .threshold = order_below((float)draw(8)),
                              .default_left = draw(2) == 0};
    n->left = (int64_t)(*count)++;
    n->right = (int64_t)(*count)++;
    nodes[n->left].cover = n->cover * share;
    nodes[n->right].cover = n->cover - nodes[n->left].cover;
    if (shape->is_list)
        nodes[n->left].left = nodes[n->left].right = -1;
    else
        grow(nodes, count, (size_t)n->left, shape);
    grow(nodes, count, (size_t)n->right, shape);
}

static struct trees *make_trees(const struct shape *shape, size_t count)
{
    struct trees *t = trees_new();

    trees_set_shape(t, FEATURES, OUTPUTS);
    t->leaf_width = shape->is_vector ? OUTPUTS : 1;
    t->base[0] = 0.5;
    t->base[1] = -2;
    for (size_t i = 0; i < count; i++) {
        struct tree_node nodes[NODES] = {{.cover = 100}};
        size_t filled = 1;
        grow(nodes, &filled, 0, shape);
        for (size_t k = 0; shape->has_sets && k < filled; k++)
            if (nodes[k].left >= 0 && draw(2) == 0) {
                nodes[k].split.kind = SPLIT_MEMBER;
                nodes[k].split.threshold = trees_add_set(t, 32);
                t->sets[nodes[k].split.threshold].bits[0] = draw(256);
            }
        ck_assert_int_eq(trees_add(t, &(struct tree_source){.nodes = nodes,
                                                            .node_count = filled,
                                                            .output = draw(OUTPUTS),
                                                            .has_covers = true}),
                         -1);
    }
    return t;
}

/* ---- the definition */

/* The value of output `o` when only the features of `known` are. */
static double expected(const struct trees *t, const struct tree *tree, int32_t at, size_t o,
                       const float *row, unsigned known)
{
    const struct split *s = &t->splits[tree->first_split + (size_t)(at < 0 ? 0 : at)];
    double sides[2], covers[2], cover;

    if (at < 0) {
        size_t leaf = tree->first_leaf + (size_t)~at;
        if (t->leaf_width > 1)
            return t->values[leaf * t->leaf_width + o];
        return tree->output == o ? t->values[leaf] : 0;
    }
    if (known >> s->feature & 1)
        return expected(t, tree, trees_goes_left(t, s, row[s->feature]) ? s->left : s->right, o,
                        row, known);
    cover = t->split_covers[tree->first_split + (size_t)at];
    for (int k = 0; k < 2; k++) {
        int32_t child = k ? s->right : s->left;
        sides[k] = expected(t, tree, child, o, row, known);
        covers[k] = child < 0 ? t->leaf_covers[tree->first_leaf + (size_t)~child]
                              : t->split_covers[tree->first_split + (size_t)child];
    }
    return (sides[0] * covers[0] + sides[1] * covers[1]) / cover;
}

static double margin_if(const struct trees *t, size_t o, const float *row, unsigned known)
{
    double sum = t->base[o];

    for (size_t i = 0; i < t->count; i++)
        sum += expected(t, &t->items[i], t->items[i].split_count > 0 ? 0 : ~0, o, row, known);
    return sum;
}

static double shapley(const double margins[1 << FEATURES], unsigned feature)
{
    static const double factorial[] = {1, 1, 2, 6, 24, 120};
    double sum = 0;

    for (unsigned known = 0; known < 1 << FEATURES; known++) {
        int size = __builtin_popcount(known);
        if (!(known >> feature & 1))
            sum += factorial[size] * factorial[FEATURES - 1 - size] / factorial[FEATURES] *
                   (margins[known | 1u << feature] - margins[known]);
    }
    return sum;
}

static void check_row(const struct trees *t, const float *row)
{
    double got[OUTPUTS * WIDTH], margins[1 << FEATURES];

    contributions_of_trees(t, row, got);
    for (size_t o = 0; o < OUTPUTS; o++) {
        double sum = 0;
        for (unsigned known = 0; known < 1 << FEATURES; known++)
            margins[known] = margin_if(t, o, row, known);
        for (unsigned f = 0; f < FEATURES; f++)
            ck_assert_double_eq_tol(got[o * WIDTH + f], shapley(margins, f), 1e-9);
        ck_assert_double_eq_tol(got[o * WIDTH + FEATURES], margins[0], 1e-9);
        for (size_t f = 0; f < WIDTH; f++)
            sum += got[o * WIDTH + f];
        ck_assert_double_eq_tol(sum, margins[(1 << FEATURES) - 1], 1e-9);
    }
}

static const struct shape shapes[] = {
    {8, false, false, false, false}, {5, false, true, false, false},
    {7, false, false, true, false},  {8, true, true, false, false},
    {0, false, false, false, false}, {7, false, true, false, true}};

START_TEST(contributions_are_those_of_the_definition)
{
    struct trees *t;
    struct err err = ERR_INIT;

    random_state = (uint32_t)_i + 1;
    t = make_trees(&shapes[_i], 6);
    ck_assert_msg(contributions_check(t, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < ROWS; i++) {
        float row[FEATURES];
        for (size_t f = 0; f < FEATURES; f++)
            row[f] = draw(6) == 0 ? NAN : (float)draw(9) - 0.5f;
        check_row(t, row);
    }
    trees_free(t);
}
END_TEST

START_TEST(what_has_no_contributions_says_why)
{
    static const struct {
        double cover, leaf;
        bool has_covers, is_linear;
        const char *why;
    } cases[] = {
        {8, 4, false, false, "the model file does not say how much"},
        {NAN, 4, true, false, "the model file does not say how much"},
        {0, 0, true, false, "the model file does not say how much"},
        {8, NAN, true, false, "the model file does not say how much"},
        {8, 4, true, true, "leaves that are linear functions have no contributions"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tree_node nodes[] = {{.left = 1, .right = 2, .cover = cases[i].cover},
                                    {.left = -1, .right = -1, .cover = cases[i].leaf},
                                    {.left = -1, .right = -1, .cover = cases[i].leaf}};
        struct err err = ERR_INIT;
        struct trees *t = trees_new();
        trees_set_shape(t, FEATURES, 1);
        ck_assert_int_eq(trees_add(t, &(struct tree_source){.nodes = nodes,
                                                            .node_count = 3,
                                                            .has_covers = cases[i].has_covers,
                                                            .is_linear = cases[i].is_linear}),
                         -1);
        ck_assert_int_ne(contributions_check(t, &err), 0);
        ck_assert_int_eq(err.exit_code, EXIT_DATA);
        ck_assert_msg(strstr(err.text, cases[i].why) != NULL, "%s", err.text);
        trees_free(t);
    }
}
END_TEST

START_TEST(a_list_of_many_levels_is_told_and_a_longer_one_refused)
{
    enum { COUNT = 2 * (CONTRIBUTIONS_DEPTH_MAX + 1) + 1 };
    struct tree_node *nodes = mem_alloc(COUNT, sizeof *nodes);
    float row[FEATURES] = {1, 2, 3, 4, 5};
    double out[WIDTH];

    for (int levels = CONTRIBUTIONS_DEPTH_MAX; levels <= CONTRIBUTIONS_DEPTH_MAX + 1; levels++) {
        struct trees *t = trees_new();
        struct err err = ERR_INIT;
        trees_set_shape(t, FEATURES, 1);
        for (int i = 0; i < 2 * levels; i += 2) {
            nodes[i] = (struct tree_node){.left = i + 1, .right = i + 2, .cover = COUNT - i};
            nodes[i].split.feature = (uint32_t)i % FEATURES;
            nodes[i + 1] = (struct tree_node){.left = -1, .right = -1, .value = i, .cover = 2};
        }
        nodes[2 * levels] = (struct tree_node){.left = -1, .right = -1, .value = 7, .cover = 1};
        trees_add(t, &(struct tree_source){
                         .nodes = nodes, .node_count = 2 * (size_t)levels + 1, .has_covers = true});
        if (levels == CONTRIBUTIONS_DEPTH_MAX) {
            ck_assert_int_eq(contributions_check(t, &err), 0);
            contributions_of_trees(t, row, out);
            ck_assert(isfinite(out[0]));
        } else {
            ck_assert_int_ne(contributions_check(t, &err), 0);
            ck_assert_ptr_nonnull(strstr(err.text, "levels; contributions are told up to"));
        }
        trees_free(t);
    }
    free(nodes);
}
END_TEST

SUITE(contributions)
{
    TCase *loop;

    CASE("refused", what_has_no_contributions_says_why,
         a_list_of_many_levels_is_told_and_a_longer_one_refused);
    loop = harness_case(suite, "definition", NULL, 0);
    tcase_add_loop_test(loop, contributions_are_those_of_the_definition, 0,
                        sizeof shapes / sizeof shapes[0]);
}
