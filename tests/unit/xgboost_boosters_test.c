/* Several outputs, DART, gblinear, vector leaves and rounds: each layout in which a version has
 * written them, made from the plain model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/harness.h"
#include "tests/models.h"

enum { MOST_EDITS = 8, MOST_OUTPUTS = 3 };

static const float low[] = {0, 0}, middle[] = {1, 1};

struct edit {
    const char *behind, *from, *to;
};

static char *edited(const char *text, const struct edit *edits)
{
    char *copy = strdup(text);

    for (size_t i = 0; i < MOST_EDITS && edits[i].from; i++) {
        char *next = models_edit(copy, edits[i].behind, edits[i].from, edits[i].to);
        free(copy);
        copy = next;
    }
    return copy;
}

static struct model *parsed(const char *text, int64_t rounds)
{
    struct model_options options = {.rounds = rounds};
    struct slice data = {(const uint8_t *)text, strlen(text)};
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_msg(model_parse(&model, "model", data, &options, &err) == 0, "%s", err.text);
    return model;
}

static void score(const struct model *model, const float *row, double *margins, double *scores)
{
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);

    model_score(model, row, 1, margins, scores, scratch);
    free(scratch);
}

#define VERSION(text)                                                                              \
    {                                                                                              \
        NULL, "[1,7,6]", text                                                                      \
    }
#define CLASSES(n)                                                                                 \
    {                                                                                              \
        NULL, "\"num_class\":\"0\"", "\"num_class\":\"" n "\""                                     \
    }
#define TARGETS(n)                                                                                 \
    {                                                                                              \
        NULL, "\"num_target\":\"1\"", "\"num_target\":\"" n "\""                                   \
    }
#define OBJECTIVE(name)                                                                            \
    {                                                                                              \
        NULL, "reg:squarederror", name                                                             \
    }
#define BASE(text)                                                                                 \
    {                                                                                              \
        "base_score", "\"5E-1\"", "\"" text "\""                                                   \
    }
#define TREE_INFO(text)                                                                            \
    {                                                                                              \
        NULL, "\"tree_info\":[0,0]", "\"tree_info\":" text                                         \
    }
#define WEIGHTS_INSIDE(text)                                                                       \
    {                                                                                              \
        NULL, "\"tree_info\"", "\"weight_drop\":" text ",\"tree_info\""                            \
    }
#define WEIGHTS_BESIDE(text)                                                                       \
    {                                                                                              \
        NULL, "\"name\":\"gbtree\"", "\"name\":\"gbtree\",\"weight_drop\":" text                   \
    }
/* What stands in `gradient_booster` goes one level deeper. */
#define DART(weights)                                                                              \
    {NULL, "\"gradient_booster\":{", "\"gradient_booster\":{\"gbtree\":{"},                        \
    {                                                                                              \
        NULL, "\"name\":\"gbtree\"}",                                                              \
            "\"name\":\"gbtree\"},\"name\":\"dart\",\"weight_drop\":" weights "}"                  \
    }
#define HERE "[5E-1,-1.0,2.0,10.0,20.0]"

/* The plain model: row `middle` comes to 10 in the first tree and 0.25 in the second. */
static const struct layout {
    struct edit edits[MOST_EDITS];
    size_t margin_count, score_count;
    float margins[MOST_OUTPUTS], scores[MOST_OUTPUTS];
} layouts[] = {
    /* classes: the scalar of old files is for all */
    {{CLASSES("2"), OBJECTIVE("multi:softprob"), TREE_INFO("[1,0]")},
     2,
     2,
     {0.75f, 10.5f},
     {5.82912653e-05f, 0.999941707f}},
    {{CLASSES("3"), OBJECTIVE("multi:softmax"), TREE_INFO("[2,0]")},
     3,
     1,
     {0.75f, 0.5f, 10.5f},
     {2}},
    {{CLASSES("1"), OBJECTIVE("multi:softmax")}, 1, 1, {10.75f}, {0}},
    {{CLASSES("3"), OBJECTIVE("multi:softmax"), TREE_INFO("[2,0]"), VERSION("[3,1,0]"),
      BASE("[1E0,2E1,3E0]")},
     3,
     1,
     {1.25f, 20, 13},
     {1}},
    /* a custom objective leaves the default's name behind */
    {{CLASSES("2"), TREE_INFO("[1,1]")}, 2, 2, {0.5f, 10.75f}, {0.5f, 10.75f}},
    {{TARGETS("2"), OBJECTIVE("binary:logistic"), TREE_INFO("[1,0]")},
     2,
     2,
     {0.25f, 10},
     {0.562176526f, 0.9999546f}},
    {{TARGETS("2"), OBJECTIVE("binary:hinge"), TREE_INFO("[1,0]"), BASE("-1E0")},
     2,
     2,
     {-0.75f, 9},
     {0, 1}},
    {{TARGETS("2"), OBJECTIVE("reg:quantileerror"), TREE_INFO("[0,1]"), VERSION("[3,3,0]")},
     2,
     2,
     {10.5f, 0.75f},
     {10.5f, 0.75f}},
    {{TARGETS("2"), OBJECTIVE("reg:quantileerror"), TREE_INFO("[0,1]"), VERSION("[3,4,0]")},
     2,
     2,
     {10.5f, 0.75f},
     {0.75f, 10.5f}},
    /* DART: 10 * 0.5 + 0.25 * 2 */
    {{DART("[5E-1,2.0]")}, 1, 1, {6}, {6}},
    {{DART("[5E-1,2.0]"), VERSION("[1,0,0]")}, 1, 1, {6}, {6}},
    {{WEIGHTS_BESIDE("[5E-1,2.0]"), VERSION("[3,3,0]")}, 1, 1, {6}, {6}},
    {{WEIGHTS_INSIDE("[5E-1,2.0]"), VERSION("[3,4,1]")}, 1, 1, {6}, {6}},
    {{WEIGHTS_INSIDE("[]"), VERSION("[3,4,1]")}, 1, 1, {10.75f}, {10.75f}},
    {{DART("[5E-1,2.0]"), CLASSES("2"), OBJECTIVE("multi:softmax"), TREE_INFO("[1,0]")},
     2,
     1,
     {1, 5.5f},
     {1}},
};

static void check(const struct model *model, const float *row, const struct layout *l)
{
    double margins[MOST_OUTPUTS], scores[MOST_OUTPUTS];

    ck_assert_uint_eq(model_margin_count(model), l->margin_count);
    ck_assert_uint_eq(model_score_count(model), l->score_count);
    score(model, row, margins, scores);
    for (size_t i = 0; i < l->margin_count; i++)
        ck_assert_bits((float)margins[i], l->margins[i]);
    for (size_t i = 0; i < l->score_count; i++)
        ck_assert_bits((float)scores[i], l->scores[i]);
}

START_TEST(each_layout_of_outputs_and_weights_is_read)
{
    const struct layout *l = &layouts[_i];
    char *text = edited(models_plain, l->edits);
    struct model *model = parsed(text, 0);

    check(model, middle, l);
    model_free(model);
    free(text);
}
END_TEST

/* Up to 1.3 DART summed its trees first, from 1.4 to 3.2 each began at 0: -0 is none then. */
START_TEST(what_dart_starts_from_is_that_of_the_version)
{
    static const struct {
        const char *version, *leaf;
        float margin;
    } cases[] = {
        {"[1,3,3]", "9.2E-2", 0.738999963f}, /* 0.147 + 0.092, and then 0.5 */
        {"[1,4,0]", "9.2E-2", 0.739000022f}, {"[3,2,0]", "9.2E-2", 0.739000022f},
        {"[1,3,3]", "-0.0", 0.0f},           {"[1,4,0]", "-0.0", 0.0f},
        {"[3,2,0]", "-0.0", 0.0f},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_zero = cases[i].leaf[0] == '-';
        const struct edit edits[MOST_EDITS] = {
            DART("[1.0,1.0]"),
            VERSION(cases[i].version),
            {NULL, "5E-1,-1.0", is_zero ? "5E-1,-0.0" : "5E-1,1.47E-1"},
            {"\"id\":1", "[0.25]", is_zero ? "[-0.0]" : "[9.2E-2]"},
            {"base_score", "\"5E-1\"", is_zero ? "\"-0E0\"" : "\"5E-1\""},
        };
        char *text = edited(models_plain, edits);
        ck_assert_bits(models_margin(text, low), cases[i].margin);
        free(text);
    }
}
END_TEST

/* ---- linear */

#define LINEAR(weights)                                                                            \
    "{\"learner\":{\"attributes\":{},\"gradient_booster\":{\"model\":{\"boosted_rounds\":4,"       \
    "\"weights\":" weights "},\"name\":\"gblinear\"},\"learner_model_param\":{\"base_score\":"     \
    "\"5E-1\",\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"1\"},\"objective\":{"     \
    "\"name\":\"reg:squarederror\"}},\"version\":[1,7,6]}"

START_TEST(a_linear_model_adds_what_is_not_missing_to_its_bias)
{
    static const float rows[][2] = {{1, 2}, {NAN, 2}, {1, NAN}, {NAN, NAN}};
    static const float one[] = {43.25f, 41.25f, 3.25f, 1.25f};
    struct model *model = parsed(LINEAR("[2.0,2E1,0.75]"), 0);
    double margin, prediction;

    ck_assert_str_eq(model_summary(model), "XGBoost 1.7.6, reg:squarederror, linear, 2 features");
    ck_assert_str_eq(model_kernel(model), "linear");
    ck_assert_uint_eq(model_tree_count(model), 0);
    ck_assert_uint_eq(model_depth(model), 0);
    ck_assert_uint_eq(model_split_count(model, 1), 1);
    ck_assert_uint_gt(model_size_bytes(model), 0);
    for (size_t i = 0; i < 4; i++) {
        score(model, rows[i], &margin, &prediction);
        ck_assert_bits((float)margin, one[i]);
        ck_assert_bits((float)prediction, one[i]);
    }
    model_free(model);
}
END_TEST

/* weights[feature][output], the bias last; the first base score is for all. */
START_TEST(a_linear_model_of_several_outputs_has_them_side_by_side)
{
    static const struct layout both = {{{0}}, 2, 1, {1.625f, -8}, {0}};
    static const struct edit edits[MOST_EDITS] = {CLASSES("2"), OBJECTIVE("multi:softmax"),
                                                  BASE("[5E-1,9E9]"), VERSION("[3,4,1]")};
    char *text = edited(LINEAR("[1.0,-1E1,0.0,1.0,0.125,0.5]"), edits);
    struct model *model = parsed(text, 0);

    check(model, middle, &both);
    model_free(model);
    free(text);
}
END_TEST

START_TEST(a_linear_model_that_was_never_trained_weighs_nothing)
{
    ck_assert_bits(models_margin(LINEAR("[]"), middle), 0.5f);
}
END_TEST

/* ---- vector leaves: x < 0.5 ? [-1, 1] : [2, 3] */

#define VECTOR_HEAD                                                                                \
    "{\"learner\":{\"attributes\":{},\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{"    \
    "\"num_parallel_tree\":\"1\",\"num_trees\":\"1\"},\"iteration_indptr\":[0,1],"                 \
    "\"tree_info\":[0],\"trees\":[{"
#define VECTOR_TAIL                                                                                \
    "\"categories\":[],\"categories_nodes\":[],\"categories_segments\":[],\"categories_sizes\":"   \
    "[],\"default_left\":[1,0,0],\"id\":0,\"parents\":[-1,0,0],\"split_conditions\":[5E-1,0.0,"    \
    "0.0],\"split_indices\":[0,0,0],\"split_type\":[0,0,0],\"left_children\":[1,-1,-1],"           \
    "\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"2\",\"num_nodes\":\"3\","             \
    "\"size_leaf_vector\":\"2\"}}]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":" \
    "\"5E-1\",\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"2\"},\"objective\":{"     \
    "\"name\":\"reg:squarederror\"}},\"version\":"
/* up to 3.1 */
#define VECTOR_OF_NODES                                                                            \
    VECTOR_HEAD                                                                                    \
    "\"base_weights\":[0.0,0.0,-1.0,1.0,2.0,3.0],\"right_children\":[2,-1,-1]," VECTOR_TAIL        \
    "[2,0,3]}"
/* from 3.2 on: leaves are numbered, here the right one first */
#define VECTOR_OF_LEAVES                                                                           \
    VECTOR_HEAD "\"base_weights\":[9.0,9.0,9.0],\"leaf_weights\":[2.0,3.0,-1.0,1.0],"              \
                "\"right_children\":[2,1,0]," VECTOR_TAIL "[3,4,1]}"

START_TEST(both_layouts_of_vector_leaves_are_read)
{
    static const struct layout left = {{{0}}, 2, 2, {-0.5f, 1.5f}, {-0.5f, 1.5f}},
                               right = {{{0}}, 2, 2, {2.5f, 3.5f}, {2.5f, 3.5f}};
    static const char *const texts[] = {VECTOR_OF_NODES, VECTOR_OF_LEAVES};
    struct model *model = parsed(texts[_i], 0);

    check(model, low, &left);
    check(model, middle, &right);
    model_free(model);
}
END_TEST

static const struct refusal {
    const char *text;
    struct edit edits[MOST_EDITS];
    const char *why;
} refusals[] = {
    {VECTOR_OF_NODES,
     {{NULL, "[2,0,3]", "[3,2,0]"}},
     "vector leaves are laid out in a way that XGBoost 3.2.0 does not read"},
    {VECTOR_OF_LEAVES,
     {{NULL, "[3,4,1]", "[3,1,9]"}},
     "vector leaves are laid out in a way that XGBoost 3.1.9 does not read"},
    {VECTOR_OF_LEAVES, {{NULL, "[2,1,0]", "[2,2,0]"}}, "tree 0 node 1: leaf 2 of 2"},
    {VECTOR_OF_LEAVES, {{NULL, "[2,1,0]", "[2,-1,0]"}}, "tree 0 node 1: leaf -1 of 2"},
    {VECTOR_OF_LEAVES, {{NULL, "-1.0,1.0]", "-1.0]"}}, "tree 0: its leaves are not of 2 values"},
    {VECTOR_OF_NODES, {{NULL, "2.0,3.0]", "2.0]"}}, "tree 0: its leaves are not of 2 values"},
    {VECTOR_OF_NODES,
     {{NULL, "\"base_weights\":[0.0,0.0,-1.0,1.0,2.0,3.0],", ""}},
     "tree 0: its leaves are not of 2 values"},
    {VECTOR_OF_NODES,
     {{NULL, "\"num_target\":\"2\"", "\"num_target\":\"3\""}},
     "leaves of 2 values, outputs 3"},
    {models_plain,
     {{"\"id\":1", "\"size_leaf_vector\":\"0\"", "\"size_leaf_vector\":\"2\""}},
     "tree 1 has leaves of 2 values, those before it of 1"},
    {models_plain, {DART("[1.0]")}, "weight_drop has 1 entries for 2 trees"},
    {models_plain, {DART("[]")}, "weight_drop has 0 entries for 2 trees"},
    {models_plain,
     {WEIGHTS_INSIDE("[1.0,1.0]"), WEIGHTS_BESIDE("[1.0,1.0]")},
     "weight_drop comes twice"},
    {models_plain,
     {CLASSES("3"), TREE_INFO("[0,3]")},
     "tree 1 belongs to output 3 of a model with 3"},
    {models_plain, {CLASSES("3"), BASE("[1E0,2E0]")}, "2 base scores for 3 outputs"},
    {LINEAR("[2.0,2E1]"), {{0}}, "2 weights for 2 features and 1 outputs"},
    {LINEAR("[2.0,2E1,Infinity]"), {{0}}, "weight 2 is not finite"},
    {LINEAR("[2.0,2E1,1.0]"),
     {{NULL, "\"gblinear\"", "\"gbtree\""}},
     "booster gbtree does not hold what its name says"},
    {LINEAR("[2.0,2E1,1.0]"),
     {{NULL, "\"gblinear\"", "\"gbnew\""}},
     "booster gbnew is not known to this version"},
};

START_TEST(what_would_be_scored_wrongly_is_refused)
{
    char *text = edited(refusals[_i].text, refusals[_i].edits);

    ck_assert_str_eq(models_refusal(text, strlen(text)), refusals[_i].why);
    free(text);
}
END_TEST

/* ---- rounds */

#define BEST(n)                                                                                    \
    {                                                                                              \
        NULL, "\"best_iteration\":\"0\"", "\"best_iteration\":\"" n "\""                           \
    }

static const struct {
    struct edit edits[MOST_EDITS];
    int64_t rounds;
    float margin; /* of row `middle`; 0: refused */
    const char *why;
} rounds[] = {
    {{{0}}, 0, 10.75f, NULL},
    {{{0}}, 1, 10.5f, NULL},
    {{{0}}, 2, 10.75f, NULL},
    {{{0}}, 3, 0, "3 rounds are wanted, the model has 2"},
    {{{0}}, ROUNDS_BEST, 10.5f, NULL},
    {{BEST("1")}, ROUNDS_BEST, 10.75f, NULL},
    {{BEST("2")}, ROUNDS_BEST, 0, "3 rounds are wanted, the model has 2"},
    {{BEST("soon")}, ROUNDS_BEST, 0, "rounds = best, but no best_iteration is stored"},
    {{{NULL, "\"best_iteration\":\"0\"", ""}},
     ROUNDS_BEST,
     0,
     "rounds = best, but no best_iteration is stored"},
    /* a round of two trees */
    {{{NULL, "\"tree_info\"", "\"iteration_indptr\":[0,2],\"tree_info\""}}, 1, 10.75f, NULL},
    {{{NULL, "\"tree_info\"", "\"iteration_indptr\":[0,2],\"tree_info\""}},
     2,
     0,
     "2 rounds are wanted, the model has 1"},
    {{{NULL, "\"num_parallel_tree\":\"1\"", "\"num_parallel_tree\":\"2\""}}, 1, 10.75f, NULL},
    {{{NULL, "\"num_parallel_tree\":\"1\"", "\"num_parallel_tree\":\"2\""}},
     2,
     0,
     "2 rounds are wanted, the model has 1"},
    {{CLASSES("2"), TREE_INFO("[0,1]")}, 2, 0, "2 rounds are wanted, the model has 1"},
    /* up to 1.5 the file does not say how many trees a round has; early stopping does */
    {{{NULL, "\"num_parallel_tree\":\"1\",", ""}}, 1, 10.5f, NULL},
    {{{NULL, "\"num_parallel_tree\":\"1\",", ""},
      {NULL, "\"best_iteration\":\"0\"", "\"best_iteration\":\"0\",\"best_ntree_limit\":\"2\""}},
     ROUNDS_BEST,
     10.75f,
     NULL},
    {{DART("[5E-1,2.0]")}, 1, 5.5f, NULL},
};

START_TEST(rounds_are_counted_from_the_first)
{
    struct model_options options = {.rounds = rounds[_i].rounds};
    char *text = edited(models_plain, rounds[_i].edits);
    double margin, prediction;
    struct err err = ERR_INIT;
    struct model *model;

    if (!rounds[_i].why) {
        model = parsed(text, options.rounds);
        score(model, middle, &margin, &prediction);
        ck_assert_bits((float)margin, rounds[_i].margin);
        model_free(model);
    } else {
        struct slice data = {(const uint8_t *)text, strlen(text)};
        ck_assert_int_ne(model_parse(&model, "model", data, &options, &err), 0);
        ck_assert_int_eq(err.exit_code, EXIT_DATA);
        ck_assert_msg(strstr(err.text, rounds[_i].why) != NULL, "%s", err.text);
    }
    free(text);
}
END_TEST

START_TEST(a_linear_model_has_no_rounds)
{
    static const char text[] = LINEAR("[2.0,2E1,0.75]");
    struct model_options options = {.rounds = 1};
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_int_ne(model_parse(&model, "model",
                                 (struct slice){(const uint8_t *)text, sizeof text - 1}, &options,
                                 &err),
                     0);
    ck_assert_msg(strstr(err.text, "a linear model has no rounds to choose from") != NULL, "%s",
                  err.text);
}
END_TEST

/* ---- damage */

START_TEST(each_kind_cut_at_every_byte_is_refused)
{
    static const char *const texts[] = {VECTOR_OF_NODES, VECTOR_OF_LEAVES,
                                        LINEAR("[2.0,2E1,0.75]")};
    size_t len, text_len = strlen(texts[_i]);
    char *data = models_binary(texts[_i], &len);

    for (size_t i = 0; i < text_len; i++)
        models_refusal(texts[_i], i);
    for (size_t i = 0; i < len; i++)
        models_refusal(data, i);
    free(data);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

SUITE(xgboost_boosters)
{
    TCase *loop;

    CASE("dart", what_dart_starts_from_is_that_of_the_version);
    CASE("linear", a_linear_model_adds_what_is_not_missing_to_its_bias,
         a_linear_model_of_several_outputs_has_them_side_by_side,
         a_linear_model_that_was_never_trained_weighs_nothing, a_linear_model_has_no_rounds);
    loop = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loop, each_layout_of_outputs_and_weights_is_read, 0, COUNT(layouts));
    tcase_add_loop_test(loop, both_layouts_of_vector_leaves_are_read, 0, 2);
    tcase_add_loop_test(loop, what_would_be_scored_wrongly_is_refused, 0, COUNT(refusals));
    tcase_add_loop_test(loop, rounds_are_counted_from_the_first, 0, COUNT(rounds));
    tcase_add_loop_test(loop, each_kind_cut_at_every_byte_is_refused, 0, 3);
}
