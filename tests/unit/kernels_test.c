/* Every kernel against one row at a time (trees_leaf), on random forests of all that struct trees
 * can say: same bits, whatever the batch. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/bits.h"
#include "scoring/forest.h"
#include "scoring/kernel.h"
#include "scoring/order.h"
#include "tests/harness.h"

enum { FEATURES = 7, ROWS = 600, MAX_KERNELS = 3, MAX_NODES = 4096 };

struct shape {
    const char *title;
    size_t trees;
    unsigned depth, splits;  /* at most */
    unsigned fullness;       /* a node is split in so many of 8 cases */
    unsigned thresholds;     /* different ones, about */
    unsigned members, equal; /* splits of the kind, in 8 */
    unsigned codes;          /* bits of the largest set */
    unsigned missing;        /* kinds of missing values that occur, a bit each */
    enum category_rule category;
    enum sum_rule sum;
    bool tiny_is_zero, is_linear;
    size_t outputs, width;
    double divisor;
};

enum { NAN_ONLY = 1 << MISSING_NAN, ALL_KINDS = 7 };

static const struct shape shapes[] = {
    {"complete", 9, 6, 255, 8, 200, .missing = NAN_ONLY, .outputs = 1},
    {"complete, 8 levels", 5, 8, 255, 8, 200, .missing = NAN_ONLY, .outputs = 1},
    {"complete, more than are walked at once", 39, 6, 255, 8, 200, .missing = NAN_ONLY,
     .outputs = 1},
    {"complete, beyond a near cache", 60, 9, 511, 8, 200, .missing = NAN_ONLY, .outputs = 1},
    {"complete, beyond a near cache, of doubles", 60, 8, 255, 8, 200, .missing = NAN_ONLY,
     .outputs = 2, .sum = SUM_DOUBLE},
    {"vectors, beyond a near cache", 90, 8, 255, 8, 50, .missing = NAN_ONLY, .outputs = 3,
     .width = 3},
    {"ragged", 20, 8, 255, 6, 100, .missing = NAN_ONLY, .outputs = 1, .sum = SUM_FLOAT_BASE_LAST},
    {"single leaves between", 20, 3, 7, 4, 9, .missing = NAN_ONLY, .outputs = 1},
    {"no trees", 0, .outputs = 2},
    {"by leaf", 12, 40, 62, 7, 100, .missing = ALL_KINDS, .outputs = 1, .sum = SUM_DOUBLE,
     .tiny_is_zero = true},
    {"by leaf, 256 leaves", 9, 30, 255, 7, 255, .missing = ALL_KINDS, .outputs = 1,
     .sum = SUM_DOUBLE, .tiny_is_zero = true},
    {"lists", 5, 300, 255, 9, 100, .missing = NAN_ONLY, .outputs = 1},
    {"lists that are too long", 3, 400, 400, 9, 100, .missing = NAN_ONLY, .outputs = 1},
    {"some of more than 256 leaves", 9, 9, 511, 7, 90, .missing = NAN_ONLY, .outputs = 3},
    {"thousands of thresholds", 30, 8, 255, 8, 5000, .missing = ALL_KINDS, .outputs = 1},
    {"equal", 9, 6, 63, 7, 9, .equal = 2, .missing = ALL_KINDS, .outputs = 1},
    {"categories, left", 9, 6, 63, 7, 50, .members = 4, .codes = 90, .missing = NAN_ONLY,
     .category = CATEGORY_BEYOND_IS_LEFT, .outputs = 1},
    {"categories, default", 9, 6, 63, 7, 50, .members = 4, .codes = 254, .missing = NAN_ONLY,
     .category = CATEGORY_BEYOND_IS_DEFAULT, .outputs = 1},
    {"categories, cut", 9, 8, 255, 7, 50, .members = 8, .codes = 64, .missing = ALL_KINDS,
     .category = CATEGORY_TRUNCATED, .outputs = 1, .sum = SUM_DOUBLE, .tiny_is_zero = true},
    {"many categories", 9, 6, 63, 7, 50, .members = 2, .codes = 300, .missing = NAN_ONLY,
     .category = CATEGORY_BEYOND_IS_DEFAULT, .outputs = 1},
    {"vectors", 9, 7, 127, 7, 50, .missing = NAN_ONLY, .outputs = 3, .width = 3},
    {"vectors of doubles", 9, 7, 127, 7, 50, .missing = NAN_ONLY, .outputs = 2, .width = 2,
     .sum = SUM_DOUBLE, .divisor = 9},
    {"linear", 9, 12, 62, 7, 50, .missing = ALL_KINDS, .outputs = 2, .sum = SUM_DOUBLE,
     .is_linear = true, .tiny_is_zero = true},
    {"classes in double", 12, 5, 31, 7, 50, .missing = ALL_KINDS, .outputs = 4, .sum = SUM_DOUBLE,
     .divisor = 3},
    {"complete, of doubles", 9, 6, 255, 8, 200, .missing = NAN_ONLY, .outputs = 1,
     .sum = SUM_DOUBLE_BASE_LAST},
    {"alone, a row of 128 bytes", 150, 6, 63, 8, 5000, .missing = ALL_KINDS, .outputs = 2,
     .tiny_is_zero = true},
    {"alone, a row of 256 bytes, 7 levels", 200, 7, 127, 8, 50000, .missing = NAN_ONLY,
     .outputs = 1},
    {"alone, a row of 256 bytes, 8 levels, not all of them", 90, 8, 255, 8, 50000,
     .missing = NAN_ONLY, .outputs = 3},
    {"alone, 8 levels, single leaves between", 30, 8, 255, 7, 100, .missing = NAN_ONLY,
     .outputs = 1},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* ---- random */

static uint32_t state;

static uint32_t draw(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(state >> 8) * below >> 24);
}

static const float odd[] = {0,       -0.0f,  INFINITY, -INFINITY, 1e-45f,   -1e-45f, 1e-35f,
                            -1e-35f, 1e-38f, 1e-34f,   3.4e38f,   -3.4e38f, 0x1p31f, 254,
                            255,     -1,     -0.5f,    0.5f,      253.9f,   1e9f};

static float draw_odd(void)
{
    return odd[draw(sizeof odd / sizeof odd[0])];
}

static float draw_number(const struct shape *shape)
{
    return draw(6) == 0 ? draw_odd() : (float)draw(shape->thresholds + 1) / 8 - 3;
}

static float draw_x(const struct shape *shape)
{
    return draw(8) == 0 ? NAN : draw(3) == 0 ? (float)draw(310) - 3 : draw_number(shape);
}

static double draw_value(const struct shape *shape)
{
    double value = ((double)draw(1 << 20) - (1 << 19)) / 999.0;

    return sum_is_double(shape->sum) ? value : (double)(float)value;
}

/* ---- a forest */

static uint8_t draw_missing(const struct shape *shape)
{
    uint8_t kind;

    do
        kind = (uint8_t)draw(3);
    while (!(shape->missing >> kind & 1));
    return kind;
}

static void draw_split(struct trees *t, const struct shape *shape, struct split *s)
{
    *s = (struct split){
        .feature = draw(FEATURES), .missing = draw_missing(shape), .default_left = draw(2) != 0};
    if (draw(8) < shape->members) {
        uint32_t bits = 1 + draw(shape->codes);
        s->kind = SPLIT_MEMBER;
        s->threshold = trees_add_set(t, bits);
        for (uint32_t c = 0; c < bits; c++)
            t->sets[s->threshold].bits[c / 64] |= (uint64_t)draw(2) << c % 64;
    } else if (draw(8) < shape->equal) {
        s->kind = SPLIT_EQUAL;
        s->threshold = order_key(draw_number(shape));
    } else {
        s->threshold = draw(9) == 0 ? order_up_to(draw(2) ? (double)NAN : (double)draw_odd())
                                    : order_below(draw_number(shape));
    }
}

struct grower {
    struct trees *t;
    const struct shape *shape;
    struct tree_node nodes[MAX_NODES];
    double vectors[MAX_NODES * 3];
    size_t count, split_count;
};

static struct linear_leaf draw_linear(struct trees *t)
{
    struct linear_leaf leaf = {(double)draw(99) / 7, t->coefficient_count, draw(4)};

    for (size_t i = 0; i < leaf.count; i++) {
        t->coefficients = mem_grow(t->coefficients, t->coefficient_count, &t->coefficient_cap,
                                   sizeof *t->coefficients);
        t->linear_features = mem_grow(t->linear_features, t->coefficient_count,
                                      &t->linear_feature_cap, sizeof *t->linear_features);
        t->linear_features[t->coefficient_count] = draw(FEATURES);
        t->coefficients[t->coefficient_count++] = (double)draw(99) / 7 - 5;
    }
    return leaf;
}

/* Depth first; of a list (fullness 9) one side is a leaf. */
static int64_t grow(struct grower *g, unsigned level)
{
    const struct shape *shape = g->shape;
    size_t self = g->count++;
    struct tree_node *n = &g->nodes[self];
    unsigned below = level + 1;

    assert(self < MAX_NODES);
    if (level >= shape->depth || g->split_count >= shape->splits || draw(8) >= shape->fullness) {
        *n = (struct tree_node){-1, -1, .value = draw_value(shape)};
        n->vector = &g->vectors[self * 3];
        for (size_t k = 0; k < 3; k++)
            g->vectors[self * 3 + k] = draw_value(shape);
        if (shape->is_linear)
            n->linear = draw_linear(g->t);
        return (int64_t)self;
    }
    g->split_count++;
    draw_split(g->t, shape, &n->split);
    bool is_list = shape->fullness == 9, swaps = is_list && draw(2);
    n->left = grow(g, is_list && !swaps ? shape->depth : below);
    n->right = grow(g, swaps ? shape->depth : below);
    return (int64_t)self;
}

static struct trees *make_trees(const struct shape *shape)
{
    struct trees *t = trees_new();
    struct grower *g = mem_alloc(1, sizeof *g);

    g->t = t;
    g->shape = shape;
    trees_set_shape(t, FEATURES, shape->outputs);
    t->sum = shape->sum;
    t->category = shape->category;
    t->tiny_is_zero = shape->tiny_is_zero;
    t->leaf_width = shape->width ? shape->width : 1;
    t->divisor = shape->divisor;
    for (size_t o = 0; o < shape->outputs; o++)
        t->base[o] = draw_value(shape);
    for (size_t i = 0; i < shape->trees; i++) {
        g->count = g->split_count = 0;
        grow(g, 0);
        ck_assert_int_eq(
            trees_add(t, &(struct tree_source){.nodes = g->nodes,
                                               .node_count = g->count,
                                               .output = draw((uint32_t)shape->outputs),
                                               .is_linear = shape->is_linear}),
            -1);
    }
    free(g);
    return t;
}

/* ---- one row */

static double leaf_value(const struct trees *t, size_t leaf, size_t k, const float *row)
{
    const struct linear_leaf *l = t->linear ? &t->linear[leaf] : NULL;
    double sum = l ? l->constant : 0;

    for (size_t i = 0; l && i < l->count; i++) {
        float x = row[t->linear_features[l->first + i]];
        if (isnan(x))
            return t->values[leaf];
        sum +=
            t->coefficients[l->first + i] * (t->tiny_is_zero && fabsf(x) <= 1e-35f ? 0 : (double)x);
    }
    return l ? sum : t->values[leaf * t->leaf_width + k];
}

static double sum_one(const struct trees *t, size_t output, const float *row)
{
    double d = t->sum == SUM_DOUBLE ? t->base[output] : 0;
    float f = t->sum == SUM_FLOAT ? (float)t->base[output] : 0;

    for (size_t i = 0; i < t->count; i++) {
        size_t leaf = t->items[i].first_leaf + trees_leaf(t, &t->items[i], row);
        if (t->leaf_width == 1 && t->items[i].output != output)
            continue;
        double value = leaf_value(t, leaf, t->leaf_width == 1 ? 0 : output, row);
        d += value;
        f += (float)value;
    }
    if (t->sum == SUM_DOUBLE)
        return t->divisor != 0 ? d / t->divisor : d;
    if (t->sum == SUM_DOUBLE_BASE_LAST)
        return d + t->base[output];
    return (double)(t->sum == SUM_FLOAT ? f : f + (float)t->base[output]);
}

/* ---- each kernel */

/* An assertion for each value would be most of the time: each writes where it is. */
static void check_same(const struct forest *forest, const char *title, size_t rows, size_t value,
                       double got, double want)
{
    if (memcmp(&got, &want, sizeof got) != 0)
        ck_abort_msg("%s, %s, %zu rows, value %zu: %.17g, must be %.17g", title,
                     forest_kernel(forest), rows, value, got, want);
}

static void check(const struct forest *forest, const struct shape *shape, const float *rows,
                  const double *want)
{
    static const size_t counts[] = {0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   15,  16,
                                    17,  31,  32,  33,  63,  64,  65,  95,  96,  97,  127, 128,
                                    129, 200, 255, 256, 257, 300, 352, 511, 512, 513, 600};
    void *scratch = mem_alloc_aligned(forest_scratch_bytes(forest), 1);
    size_t outputs = shape->outputs;
    double *got = mem_alloc(ROWS * outputs + 1, sizeof *got);

    for (size_t r = 0; r < ROWS; r++) {
        forest_score(forest, rows + r * FEATURES, 1, got, scratch);
        for (size_t k = 0; k < outputs; k++)
            check_same(forest, shape->title, 1, r * outputs + k, got[k], want[r * outputs + k]);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t first = ROWS - counts[i];
        got[counts[i] * outputs] = 12345;
        forest_score(forest, rows + first * FEATURES, counts[i], got, scratch);
        for (size_t k = 0; k < counts[i] * outputs; k++)
            check_same(forest, shape->title, counts[i], k, got[k], want[first * outputs + k]);
        ck_assert_double_eq(got[counts[i] * outputs], 12345);
    }
    free(got);
    free(scratch);
}

/* In blocks that it is faster with, and in all. */
static void check_kernel(const struct kernel *kernel, const struct trees *trees,
                         const struct shape *shape, const float *rows, const double *want)
{
    struct kernel eager = *kernel;
    struct forest *forest = forest_new(trees, kernel);

    check(forest, shape, rows, want);
    forest_free(forest);
    if (kernel == &kernel_portable)
        return;
    eager.split_cost = 0;
    forest = forest_new(trees, &eager);
    check(forest, shape, rows, want);
    forest_free(forest);
}

START_TEST(each_kernel_gives_each_row_the_bits_of_one_row_at_a_time)
{
    const struct shape *shape = &shapes[_i % SHAPES];
    const struct kernel *kernel = kernel_at((size_t)_i / SHAPES);
    float *rows = mem_alloc(ROWS * FEATURES, sizeof *rows);
    double *want = mem_alloc(ROWS * shape->outputs, sizeof *want);

    if (!kernel && _i % SHAPES == 0)
        harness_skip("a kernel that this processor does not have: BUILD=emulated");
    for (uint32_t seed = 1; kernel && seed <= 3; seed++) {
        state = seed * 1000 + (uint32_t)_i;
        struct trees *trees = make_trees(shape);
        for (size_t i = 0; i < ROWS * FEATURES; i++)
            rows[i] = draw_x(shape);
        for (size_t i = 0; i < ROWS * shape->outputs; i++)
            want[i] = sum_one(trees, i % shape->outputs, rows + i / shape->outputs * FEATURES);
        check_kernel(kernel, trees, shape, rows, want);
        trees_free(trees);
    }
    free(rows);
    free(want);
}
END_TEST

/* Else a kernel could pass by taking nothing. */
START_TEST(a_kernel_takes_what_it_is_for_and_names_the_rest)
{
    static const struct {
        size_t shape;
        bool none, some;
    } expected[] = {{0, false, false},  {1, false, false},  {6, false, false},
                    {10, false, false}, {12, true, true},   {13, false, true},
                    {15, false, true},  {18, false, false}, {22, false, false}};
    const struct kernel *kernel = kernel_at(0);

    if (kernel == &kernel_portable) {
        harness_skip("this processor has the portable kernel only");
        return;
    }
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        state = 1;
        struct trees *trees = make_trees(&shapes[expected[i].shape]);
        struct forest *forest = forest_new(trees, kernel);
        const char *name = forest_kernel(forest);
        ck_assert_msg(expected[i].none == (strcmp(name, "portable") == 0), "%s: %s",
                      shapes[expected[i].shape].title, name);
        ck_assert_msg(expected[i].some == (strstr(name, "portable") != NULL), "%s: %s",
                      shapes[expected[i].shape].title, name);
        forest_free(forest);
        trees_free(trees);
    }
}
END_TEST

START_TEST(rows_go_alone_through_full_trees_of_floats)
{
    static const struct {
        size_t shape, registers; /* of 64 bytes for a row; 0: not alone */
    } expected[] = {{0, 1},  {1, 1},  {2, 1},  {4, 0},  {5, 0},
                    {14, 2}, {16, 0}, {25, 2}, {26, 4}, {27, 4}};
    const struct kernel *kernel = kernel_at(0);

    if (strcmp(kernel->name, "avx512") != 0) {
        harness_skip("this processor has no AVX-512: BUILD=emulated");
        return;
    }
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        state = 1;
        struct trees *trees = make_trees(&shapes[expected[i].shape]);
        bool *taken = mem_alloc(trees->count, sizeof *taken);
        struct bits_program *program = kernel->build(trees, taken);
        size_t bytes = 2 * program->ranks.column_count;
        size_t registers = bytes <= 64 ? 1 : bytes <= 128 ? 2 : 4;
        ck_assert_msg((kernel->alone_rows(program) ? registers : 0) == expected[i].registers,
                      "%s: %zu bytes, alone: %zu", shapes[expected[i].shape].title, bytes,
                      kernel->alone_rows(program));
        kernel->free(program);
        free(taken);
        trees_free(trees);
    }
}
END_TEST

START_TEST(a_kernel_is_found_by_its_name_or_said_to_be_missing)
{
    struct err err = ERR_INIT;

    ck_assert_ptr_eq(kernel_find(NULL, &err), kernel_at(0));
    ck_assert_ptr_eq(kernel_find("portable", &err), &kernel_portable);
    for (size_t i = 0; kernel_at(i); i++)
        ck_assert_ptr_eq(kernel_find(kernel_at(i)->name, &err), kernel_at(i));
    ck_assert(!err_is_set(&err));
    ck_assert_ptr_null(kernel_find("sse9", &err));
    ck_assert_int_eq(err.exit_code, EXIT_CONFIGURATION);
    ck_assert_str_eq(err.text, "KSCORE_SIMD=sse9: must be avx512, avx2 or portable");
}
END_TEST

SUITE(kernels)
{
    TCase *loop;

    CASE("choice", a_kernel_takes_what_it_is_for_and_names_the_rest,
         rows_go_alone_through_full_trees_of_floats,
         a_kernel_is_found_by_its_name_or_said_to_be_missing);
    loop = harness_case(suite, "random", NULL, 0);
    tcase_add_loop_test(loop, each_kernel_gives_each_row_the_bits_of_one_row_at_a_time, 0,
                        SHAPES * MAX_KERNELS);
}
