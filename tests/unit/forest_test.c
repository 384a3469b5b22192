/* The kernels against a walk of one row at a time, on random forests of XGBoost's: same bits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/forest.h"
#include "scoring/kernel.h"
#include "scoring/order.h"
#include "tests/harness.h"

enum { FEATURES = 5, ROWS = 130, MAX_TREES = 40 };

/* One tree as the reader gives it; nodes are added in depth-first order. */
struct plan {
    int64_t *left, *right, *feature, *default_left;
    float *value;
    int32_t *category;
    struct category_set *sets;
    size_t count, cap, set_count, set_cap;
};

struct shape {
    unsigned depth;      /* at most */
    unsigned grow;       /* a node is split in grow of 8 cases */
    bool is_list;        /* one side is a leaf */
    unsigned categories; /* a split is on a category in so many of 8 cases */
    bool is_odd;         /* thresholds of infinity, zero, NaN and denormals too */
};

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 8) * below >> 24);
}

static float draw_float(bool is_odd)
{
    static const float odd[] = {0,
                                -0.0f,
                                INFINITY,
                                -INFINITY,
                                1e-45f,
                                -1e-45f,
                                1e-38f,
                                3.4028235e38f,
                                -3.4028235e38f,
                                16777216,
                                -16777216,
                                0.49999f,
                                1,
                                -1,
                                -0.5f};

    if (is_odd && draw(3) == 0)
        return odd[draw(sizeof odd / sizeof odd[0])];
    return ((float)draw(2000) - 1000) / 64;
}

static size_t add_node(struct plan *p)
{
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->left = mem_resize(p->left, p->cap, sizeof *p->left);
        p->right = mem_resize(p->right, p->cap, sizeof *p->right);
        p->feature = mem_resize(p->feature, p->cap, sizeof *p->feature);
        p->default_left = mem_resize(p->default_left, p->cap, sizeof *p->default_left);
        p->value = mem_resize(p->value, p->cap, sizeof *p->value);
        p->category = mem_resize(p->category, p->cap, sizeof *p->category);
    }
    p->left[p->count] = p->right[p->count] = -1;
    p->feature[p->count] = draw(FEATURES);
    p->default_left[p->count] = draw(2);
    p->category[p->count] = -1;
    return p->count++;
}

static void add_set(struct plan *p, size_t node)
{
    struct category_set set = {.bit_count = 32 * (1 + draw(3))};

    set.bits = mem_alloc((set.bit_count + 63) / 64, 8);
    for (uint32_t c = 0; c < set.bit_count; c++)
        if (draw(3) == 0)
            set.bits[c / 64] |= (uint64_t)1 << c % 64;
    p->sets = mem_grow(p->sets, p->set_count, &p->set_cap, sizeof *p->sets);
    p->category[node] = (int32_t)p->set_count;
    p->sets[p->set_count++] = set;
}

static size_t grow(struct plan *p, const struct shape *shape, unsigned level)
{
    size_t node = add_node(p);
    int64_t left, right;

    p->value[node] = draw_float(false);
    if (level == shape->depth || (level > 0 && draw(8) >= shape->grow))
        return node;
    p->value[node] = shape->is_odd && draw(16) == 0 ? NAN : draw_float(shape->is_odd);
    if (draw(8) < shape->categories)
        add_set(p, node);
    left = (int64_t)grow(p, shape, shape->is_list ? shape->depth : level + 1);
    right = (int64_t)grow(p, shape, level + 1);
    p->left[node] = left;
    p->right[node] = right;
    return node;
}

static void release(struct plan *p)
{
    for (size_t i = 0; i < p->set_count; i++)
        free(p->sets[i].bits);
    free(p->sets);
    free(p->left);
    free(p->right);
    free(p->feature);
    free(p->default_left);
    free(p->value);
    free(p->category);
}

/* ---- the naive walk */

static bool goes_left(const struct plan *p, size_t node, float x, enum category_rule rule)
{
    const struct category_set *set;

    if (isnan(x))
        return p->default_left[node] != 0;
    if (p->category[node] < 0)
        return x < p->value[node];
    set = &p->sets[p->category[node]];
    if (rule == CATEGORY_TRUNCATED)
        x = truncf(x);
    if (x < 0 || x >= (float)set->bit_count)
        return rule == CATEGORY_BEYOND_IS_DEFAULT ? p->default_left[node] != 0 : true;
    return !(set->bits[(int)x / 64] >> (int)x % 64 & 1);
}

static float walk(const struct plan *p, const float *row, enum category_rule rule)
{
    size_t node = 0;

    while (p->left[node] >= 0)
        node = (size_t)(goes_left(p, node, row[p->feature[node]], rule) ? p->left[node]
                                                                        : p->right[node]);
    return p->value[node];
}

/* What a file says of a whole forest. */
struct rules {
    float base;
    enum sum_rule sum;
    enum category_rule category;
};

struct forest_case {
    struct shape shape;
    size_t trees;
    struct rules rules;
};

static float naive(const struct plan *plans, const struct forest_case *c, const float *row)
{
    bool base_comes_last = c->rules.sum == SUM_FLOAT_BASE_LAST;
    float sum = base_comes_last ? 0 : c->rules.base;

    for (size_t i = 0; i < c->trees; i++)
        sum += walk(&plans[i], row, c->rules.category);
    return base_comes_last ? sum + c->rules.base : sum;
}

/* The plan as struct trees. */
static void add_tree(struct trees *trees, const struct plan *p)
{
    struct tree_node *nodes = mem_alloc(p->count, sizeof *nodes);

    for (size_t i = 0; i < p->count; i++) {
        struct tree_node *n = &nodes[i];
        *n = (struct tree_node){p->left[i], p->right[i], .value = (double)p->value[i]};
        n->split = (struct split){.feature = (uint32_t)p->feature[i],
                                  .threshold = order_below(p->value[i]),
                                  .default_left = p->default_left[i] != 0};
        if (p->category[i] >= 0) {
            const struct category_set *set = &p->sets[p->category[i]];
            n->split.kind = SPLIT_MEMBER;
            n->split.threshold = trees_add_set(trees, set->bit_count);
            memcpy(trees->sets[n->split.threshold].bits, set->bits,
                   (set->bit_count + (size_t)63) / 64 * 8);
        }
    }
    ck_assert_int_eq(
        trees_add(trees, &(struct tree_source){.nodes = nodes, .node_count = p->count}), -1);
    free(nodes);
}

/* ---- cases */

static const struct forest_case cases[] = {
    {{6, 8, false, 0, false}, 20, {0.25f, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}}, /* complete */
    {{6, 7, false, 0, true}, 20, {-1.5f, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}},
    {{6, 7, false, 0, true}, 20, {-1.5f, SUM_FLOAT_BASE_LAST, CATEGORY_BEYOND_IS_LEFT}},
    {{10, 7, false, 0, true}, 8, {0.5f, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}},
    {{14, 7, false, 0, true}, 4, {0.5f, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}}, /* too deep to pad */
    {{300, 8, true, 0, true}, 4, {0, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}},    /* lists */
    {{0, 0, false, 0, false}, 3, {0.5f, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}}, /* leaves only */
    {{1, 8, false, 0, true}, MAX_TREES, {0, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}},
    {{1, 0, false, 0, false}, 0, {-0.0f, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}}, /* no trees */
    {{5, 7, false, 4, true}, 20, {0.5f, SUM_FLOAT, CATEGORY_BEYOND_IS_LEFT}},
    {{5, 7, false, 8, false}, 20, {0.5f, SUM_FLOAT, CATEGORY_BEYOND_IS_DEFAULT}},
    {{5, 7, false, 8, true}, 20, {0.5f, SUM_FLOAT_BASE_LAST, CATEGORY_TRUNCATED}},
};

static void fill_rows(float *rows)
{
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        rows[i] = draw(8) == 0 ? NAN : draw_float(true);
    for (size_t i = 0; i < FEATURES; i++) {
        rows[i] = NAN;
        rows[FEATURES + i] = INFINITY;
        rows[2 * FEATURES + i] = -INFINITY;
        rows[3 * FEATURES + i] = -0.0f;
    }
}

static struct trees *make_trees(const struct rules *rules)
{
    struct trees *trees = trees_new();

    trees_set_shape(trees, FEATURES, 1);
    trees->base[0] = (double)rules->base;
    trees->sum = rules->sum;
    trees->category = rules->category;
    return trees;
}

/* Each row in each lane, in batches of each size. */
static void check_batches(const struct forest *forest, const float *rows, const float *want)
{
    void *scratch = mem_alloc_aligned(forest_scratch_bytes(forest), 1);
    double got[ROWS + 1];

    for (size_t count = 0; count <= ROWS; count++) {
        got[count] = 12345;
        forest_score(forest, rows + (ROWS - count) * FEATURES, count, got, scratch);
        for (size_t i = 0; i < count; i++)
            ck_assert_bits((float)got[i], want[ROWS - count + i]);
        ck_assert_bits((float)got[count], 12345);
    }
    free(scratch);
}

START_TEST(every_batch_gives_each_row_the_bits_of_the_naive_walk)
{
    const struct forest_case *c = &cases[_i];
    struct trees *trees = make_trees(&c->rules);
    struct plan plans[MAX_TREES] = {0};
    float *rows = mem_alloc(ROWS * FEATURES, sizeof *rows), want[ROWS];
    struct forest *forest;

    random_state = (uint32_t)_i + 1;
    for (size_t i = 0; i < c->trees; i++) {
        grow(&plans[i], &c->shape, 0);
        add_tree(trees, &plans[i]);
    }
    fill_rows(rows);
    for (size_t i = 0; i < ROWS; i++)
        want[i] = naive(plans, c, rows + i * FEATURES);
    for (size_t i = 0; kernel_at(i); i++) {
        forest = forest_new(trees, kernel_at(i));
        check_batches(forest, rows, want);
        forest_free(forest);
    }
    trees_free(trees);
    free(rows);
    for (size_t i = 0; i < c->trees; i++)
        release(&plans[i]);
}
END_TEST

/* What no one leads to may hold anything. */
START_TEST(nodes_out_of_reach_do_no_harm)
{
    struct tree_node nodes[] = {{.left = 1, .right = 2, .split = {.default_left = true}},
                                {.left = -1, .right = -1, .value = 1},
                                {.left = -1, .right = -1, .value = 2},
                                {.left = 99, .right = -7, .split = {.feature = UINT32_MAX}},
                                {.left = -1, .right = -1, .value = 4}};
    float row[FEATURES] = {-1, 0};
    double got;
    char scratch[1 << 16] __attribute__((aligned(64)));

    for (int i = 0; i < 2; i++) {
        struct trees *trees = make_trees(&(struct rules){0});
        struct forest *forest;
        nodes[0].split.threshold = order_below(i ? -INFINITY : 0);
        ck_assert_int_eq(trees_add(trees, &(struct tree_source){.nodes = nodes, .node_count = 5}),
                         -1);
        forest = forest_new(trees, kernel_at(0));
        ck_assert_uint_le(forest_scratch_bytes(forest), sizeof scratch);
        forest_score(forest, row, 1, &got, scratch);
        ck_assert_bits((float)got, i ? 2 : 1);
        forest_free(forest);
        trees_free(trees);
    }
    forest_free(NULL);
}
END_TEST

SUITE(forest)
{
    TCase *loop;

    CASE("odd", nodes_out_of_reach_do_no_harm);
    loop = harness_case(suite, "random", NULL, 0);
    tcase_add_loop_test(loop, every_batch_gives_each_row_the_bits_of_the_naive_walk, 0,
                        sizeof cases / sizeof cases[0]);
}
