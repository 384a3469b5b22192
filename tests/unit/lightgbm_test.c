/* The LightGBM reader: each rule of the format, on a small model written by hand. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/harness.h"
#include "tests/models.h"

#define COUNT(table) (int)(sizeof table / sizeof table[0])

/* The model with one place changed; to NULL: none. free() it. */
static char *edit(const char *from, const char *to)
{
    return to ? models_edit(models_lightgbm, NULL, from, to) : strdup(models_lightgbm);
}

static double margin_of(const char *text, float a, float b)
{
    double margin, prediction;

    models_score(text, (float[]){a, b}, &margin, &prediction);
    return margin;
}

static const float tiny = 1e-35f, above_tiny = 1.1e-35f;

/* With a on the left the tree gives -1, on the right, with b = 1, 10; the other one adds 0.25. */
static const struct {
    const char *from, *to;
    float a;
    bool is_left;
} numbers[] = {
    {NULL, NULL, 0.5f, true},
    {NULL, NULL, 0.50000006f, false},
    {NULL, NULL, -INFINITY, true},
    {NULL, NULL, INFINITY, false},
    {"=0.5 0", "=0.1 0", 0.1f, false}, /* the float is above the double */
    {"=0.5 0", "=0.1 0", 0.099999994f, true},
    {"=0.5 0", "=0.10000000149011612 0", 0.1f, true},
    {"=0.5 0", "=inf 0", INFINITY, true},
    {"=0.5 0", "=-inf 0", -3e38f, false},
    {"=0.5 0", "=-inf 0", -INFINITY, true},
    {"=0.5 0", "=1e300 0", INFINITY, false},
    {"=0.5 0", "=1e300 0", 3e38f, true},
    /* missing type None: NaN is 0 */
    {NULL, NULL, NAN, true},
    {"=0.5 0", "=-0.5 0", NAN, false},
    {"type=2 1", "type=0 1", NAN, true}, /* whatever the default side */
    /* and so is what is tiny */
    {"=0.5 0", "=-1e-37 0", -tiny, false},
    {"=0.5 0", "=-1e-37 0", -above_tiny, true},
    {"=0.5 0", "=1e-37 0", tiny, true},
    {"=0.5 0", "=1e-37 0", above_tiny, false},
    {"=0.5 0", "=0 0", -0.0f, true},
    {"=0.5 0", "=1e-46 0", 1e-45f, true},
    /* missing type Zero: NaN and zeros to the default side */
    {"type=2 1", "type=4 1", 0, false},
    {"type=2 1", "type=6 1", 0, true},
    {"type=2 1", "type=4 1", NAN, false},
    {"type=2 1", "type=4 1", tiny, false},
    {"type=2 1", "type=4 1", -tiny, false},
    {"type=2 1", "type=4 1", above_tiny, true},
    {"type=2 1", "type=4 1", 0.25f, true},
    {"type=2 1", "type=6 1", 0.75f, false},
    /* missing type NaN */
    {"type=2 1", "type=8 1", NAN, false},
    {"type=2 1", "type=10 1", NAN, true},
    {"type=2 1", "type=8 1", 0, true},
    {"type=2 1", "type=10 1", 0.75f, false},
};

START_TEST(a_number_takes_its_side)
{
    char *text = edit(numbers[_i].from, numbers[_i].to);

    ck_assert_double_eq(margin_of(text, numbers[_i].a, 1), numbers[_i].is_left ? -0.75 : 10.25);
    free(text);
}
END_TEST

static const struct {
    const char *from, *to;
    float b;
    bool is_in;
} categories[] = {
    {NULL, NULL, 1, true},
    {NULL, NULL, 3, true},
    {NULL, NULL, 40, true},
    {NULL, NULL, 40.9f, true},
    {NULL, NULL, 0, false},
    {NULL, NULL, 2, false},
    {NULL, NULL, 41, false},
    {NULL, NULL, 63, false},
    {NULL, NULL, 64, false},
    {NULL, NULL, 1e9f, false},
    {NULL, NULL, 3e38f, false},
    {NULL, NULL, INFINITY, false},
    {NULL, NULL, -1, false},
    {NULL, NULL, -INFINITY, false},
    {NULL, NULL, NAN, false},
    {"=10 256", "=11 256", 0, true},
    {"=10 256", "=11 256", -0.5f, true}, /* cut to 0 */
    {"=10 256", "=11 256", -1, false},
    {"=10 256", "=11 256", NAN, false},
    /* missing types and default sides of categories say nothing */
    {"type=2 1", "type=2 9", NAN, false},
    {"type=2 1", "type=2 3", NAN, false},
    {"=10 256", "=10 4294967295", 63, true},
};

START_TEST(a_category_in_the_set_goes_left)
{
    char *text = edit(categories[_i].from, categories[_i].to);

    ck_assert_double_eq(margin_of(text, 1, categories[_i].b), categories[_i].is_in ? 10.25 : 20.25);
    free(text);
}
END_TEST

START_TEST(a_leaf_may_be_a_linear_function)
{
    char *text = edit("is_linear=0\n", "is_linear=1\nleaf_const=5 100 7\nnum_features=1 2 0\n"
                                       "leaf_features=0  0 1   \nleaf_coeff=2  0.5 -0.25   \n");

    ck_assert_double_eq(margin_of(text, 0.5, 1), 5 + 2 * 0.5 + 0.25);
    ck_assert_double_eq(margin_of(text, 8, 1), 100 + 0.5 * 8 - 0.25 + 0.25);
    ck_assert_double_eq(margin_of(text, 8, 0), 7 + 0.25);
    ck_assert_double_eq(margin_of(text, NAN, 1), -1 + 0.25); /* the plain leaf */
    ck_assert_double_eq(margin_of(text, 1e-36f, 1), 5 + 0.25);
    free(text);
}
END_TEST

/* One row: a margin of -0.75, unless the leaf is another. */
static const struct {
    const char *objective, *leaf;
    double prediction;
} objectives[] = {
    {"regression", "-1", -0.75},
    {"regression sqrt", "-1", -0.5625},
    {"regression_l1 sqrt", "2.75", 9},
    {"fair", "-1", -0.75},
    {"quantile", "-1", -0.75},
    {"huber", "-1", -0.75},
    {"mape", "-1", -0.75},
    {"lambdarank", "-1", -0.75},
    {"rank_xendcg", "-1", -0.75},
    {"binary sigmoid:1", "-1", 0.320821300824607},
    {"binary sigmoid:0.7", "-1", 0.3716838117046338},
    {"binary sigmoid:1", "-800", 0},
    {"binary sigmoid:1", "800", 1},
    {"cross_entropy", "-1", 0.320821300824607},
    {"xentropy", "-1", 0.320821300824607},
    {"poisson", "-1", 0.4723665527410147},
    {"gamma", "-1", 0.4723665527410147},
    {"tweedie", "-1", 0.4723665527410147},
    {"cross_entropy_lambda", "-1", 0.38687100611489994},
    {"cross_entropy_lambda", "-40", 5.454994842887922e-18},
};

static void check_prediction(const char *text, double want)
{
    double margin, got;

    models_score(text, (float[]){0, 0}, &margin, &got);
    ck_assert_msg(fabs(got - want) <= fabs(want) * 0x1p-52, "%.17g, must be %.17g", got, want);
}

START_TEST(each_objective_has_its_link)
{
    char *other = edit("regression", objectives[_i].objective);
    char *text = models_edit(other, "leaf_value=", "-1", objectives[_i].leaf);

    check_prediction(text, objectives[_i].prediction);
    free(text);
    free(other);
}
END_TEST

START_TEST(classes_take_turns_among_the_trees)
{
    static const struct {
        const char *objective;
        double scores[2];
    } cases[] = {{"multiclass num_class:2", {0.22270013882530884, 0.7772998611746911}},
                 {"multiclassova num_class:2 sigmoid:1", {0.2689414213699951, 0.5621765008857981}},
                 {"custom", {-1, 0.25}}};
    char *two = edit("per_iteration=1", "per_iteration=2");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = models_edit(two, NULL, "regression", cases[i].objective);
        double margins[2], scores[2];
        models_score(text, (float[]){0, 0}, margins, scores);
        ck_assert_double_eq(margins[0], -1);
        ck_assert_double_eq(margins[1], 0.25);
        for (int k = 0; k < 2; k++)
            ck_assert(fabs(scores[k] - cases[i].scores[k]) <= 0x1p-53);
        free(text);
    }
    free(two);
}
END_TEST

START_TEST(a_model_without_an_objective_has_no_link)
{
    char *text = edit("objective=regression\n", "");

    check_prediction(text, -0.75);
    free(text);
}
END_TEST

/* The digits that a stream writes are read with roundings of the library's own: 0.123457 as
 * 123457 / 10^6, 1.23457 as 1 + 0.23457. */
START_TEST(sigmoid_is_read_as_the_library_reads_it)
{
    static const struct {
        const char *digits;
        double value;
    } cases[] = {{"0.123457", 123457 / 1e6},
                 {"1.23457", 1 + 23457 / 1e5},
                 {"1.5e-05", 1.5 / (10. * 10 * 10 * 10 * 10)},
                 {"2.5e+09", 2.5 * (1e8 * 10)},
                 {"3", 3}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char objective[60], *text;
        snprintf(objective, sizeof objective, "binary sigmoid:%s", cases[i].digits);
        text = edit("regression", objective);
        check_prediction(text, 1 / (1 + exp(cases[i].value * 0.75)));
        free(text);
    }
}
END_TEST

START_TEST(a_random_forest_is_divided_before_its_link)
{
    char *average = edit("objective=regression\n", "objective=binary sigmoid:1\naverage_output\n");
    char *old = models_edit(average, NULL, "version=v4", "version=v2");
    char *oldest =
        models_edit(old, NULL, "end of trees\n\nfeature_importances", "feature importances");

    ck_assert_double_eq(margin_of(average, 0, 0), -0.75);
    check_prediction(average, 1 / (1 + exp(0.375)));
    ck_assert_ptr_nonnull(strstr(models_refusal(old, strlen(old)), "a random forest"));
    check_prediction(oldest, -0.375); /* before 2.2: no link */
    free(average);
    free(old);
    free(oldest);
}
END_TEST

/* log(1 + exp(x)) before 3.3, log1p(exp(x)) since. */
START_TEST(cross_entropy_lambda_follows_the_version)
{
    static const struct {
        const char *from, *to;
        double prediction;
    } cases[] = {
        {"[precise_float_parser: 0]\n", "", 0},
        {"[precise_float_parser: 0]\n", "[precise_float_parser: 0]\n", 5.454994842887922e-18}};
    char *lambda = edit("regression", "cross_entropy_lambda");
    char *low = models_edit(lambda, "leaf_value=", "-1", "-40");
    char *v3 = models_edit(low, NULL, "version=v4", "version=v3");
    char *v2 = models_edit(low, NULL, "version=v4", "version=v2");
    char *untold = models_edit(v3, NULL, "parameters:", "parameters of the training:");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = models_edit(v3, NULL, cases[i].from, cases[i].to);
        check_prediction(text, cases[i].prediction);
        free(text);
    }
    check_prediction(low, 5.454994842887922e-18);
    ck_assert_ptr_nonnull(strstr(models_refusal(untold, strlen(untold)), "LightGBM 3.2 from 3.3"));
    free(lambda);
    free(low);
    free(v3);
    free(v2);
    free(untold);
}
END_TEST

START_TEST(what_changes_nothing_is_taken)
{
    static const struct {
        const char *from, *to;
    } cases[] = {{"=480 90", "=1 99999999999"}, /* stale */
                 {"tree_sizes=480 90\n", ""},
                 {"feature_infos", "monotone_constraints=0 -1\nfeature_infos"},
                 {"feature_names=a b", "feature_names=a=\"1\" b"},
                 {"pandas_categorical:null\n", ""},
                 {"shrinkage=1\n", ""},
                 {"leaf_count=5 3 2\n", ""},
                 {"leaf_count=10\n", "leaf_count=\nleaf_weight=\n"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = edit(cases[i].from, cases[i].to);
        ck_assert_double_eq(margin_of(text, 1, 1), 10.25);
        free(text);
    }
}
END_TEST

START_TEST(lines_may_end_as_on_windows)
{
    char *text = mem_alloc(2 * strlen(models_lightgbm) + 1, 1), *out = text;

    for (const char *p = models_lightgbm; *p; *out++ = *p++)
        if (*p == '\n')
            *out++ = '\r';
    ck_assert_double_eq(margin_of(text, 1, 1), 10.25);
    ck_assert_double_eq(margin_of(text, 1, 2), 20.25);
    free(text);
}
END_TEST

START_TEST(rounds_are_the_first_trees)
{
    static const struct {
        int64_t rounds;
        const char *why; /* NULL: a margin of -1 + ... */
        double margin;
    } cases[] = {{0, NULL, -0.75},
                 {1, NULL, -1},
                 {2, NULL, -0.75},
                 {3, "3 rounds of a model that has 2", 0},
                 {ROUNDS_BEST, "does not say which iteration was best", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model_options options = {.rounds = cases[i].rounds};
        struct err err = ERR_INIT;
        struct model *model;
        double margin, score;
        int result = model_parse(&model, "model", slice_of(models_lightgbm), &options, &err);
        ck_assert_int_eq(result, cases[i].why ? -1 : 0);
        if (result == 0) {
            void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);
            model_score(model, (float[]){0, 0}, 1, &margin, &score, scratch);
            ck_assert_double_eq(margin, cases[i].margin);
            free(scratch);
        } else {
            ck_assert_msg(strstr(err.text, cases[i].why) != NULL, "%s", err.text);
        }
        model_free(model);
    }
}
END_TEST

/* ---- names and category texts */

static struct model *parsed(const char *text)
{
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_msg(models_parse(&model, text, strlen(text), &err) == 0, "%s", err.text);
    return model;
}

START_TEST(names_of_an_arrays_columns_are_none)
{
    static const struct {
        const char *names, *second;
    } cases[] = {{"a b", "b"},
                 {"Column_0 Column_1", NULL},
                 {"Column_1 Column_0", "Column_0"},
                 {"Column_0 Column_11", "Column_11"},
                 {"x=y+%&;#' gr\xc3\xb6\xc3\x9f"
                  "e_1",
                  "gr\xc3\xb6\xc3\x9f"
                  "e_1"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = edit("a b", cases[i].names);
        struct model *model = parsed(text);
        const char *name = model_feature_name(model, 1);
        ck_assert_ptr_eq(name ? cases[i].second : NULL, cases[i].second);
        if (name)
            ck_assert_str_eq(name, cases[i].second);
        model_free(model);
        free(text);
    }
}
END_TEST

START_TEST(category_texts_go_to_their_feature)
{
    static const struct {
        const char *infos, *parameter, *pandas;
        size_t counts[2];
        const char *last; /* of feature b */
    } cases[] = {
        {"[0:9] 0:1:3", "1]", "null", {0, 0}, NULL},
        {"[0:9] 0:1:3", "1]", "[]", {0, 0}, NULL},
        {"[0:9] 0:1:3", "1]", "[[\"k\",\"l\",\"m\",\"\\u00e9\\\"\"]]", {0, 4}, "\xc3\xa9\""},
        {"[0:9] 0:1:3", "]", "[[\"k\",\"l\",\"m\",\"n\"]]", {0, 4}, "n"}, /* by feature_infos */
        {"[0:9] 0:1:3", "name:b]", "[[\"k\",\"l\",\"m\",\"n\"]]", {0, 4}, "n"},
        {"[0:9] -1:3:0", "]", "[[\"k\",\"l\",\"m\",\"n\"]]", {0, 4}, "n"},
        {"0:1 none", "0,1]", "[[\"x\",\"y\"],[\"z\"]]", {2, 1}, "z"}, /* b was constant */
        {"[0:9] 0:1:3", "1]", "[[10,20,30.5,true]]", {0, 4}, "true"},
        {"[0:9] 0:1:3", "1]", "[[0,1,2,3]]", {0, 0}, NULL},           /* codes already */
        {"[0:9] 0:1:3", "1]", "[[\"k\",\"l\",\"m\"]]", {0, 0}, NULL}, /* nobody's */
        {"[0:9] 0:1:3", "1]", "[[\"k\"],[\"l\"]]", {0, 0}, NULL},
        {"0:1 0:1:3", "]", "[[\"k\",\"l\",\"m\",\"n\"]]", {0, 0}, NULL},
        {"[0:9] none", "]", "[[\"k\"]]", {0, 0}, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *infos = edit("[0:9] 0:1:3:40", cases[i].infos);
        char *parameter = models_edit(infos, "categorical_feature: ", "1]", cases[i].parameter);
        char *text = models_edit(parameter, "pandas_categorical:", "null", cases[i].pandas);
        struct model *model = parsed(text);
        for (size_t f = 0; f < 2; f++)
            ck_assert_msg(model_category_count(model, f) == cases[i].counts[f], "case %zu", i);
        if (cases[i].last)
            ck_assert_str_eq(model_category_text(model, 1, cases[i].counts[1] - 1), cases[i].last);
        model_free(model);
        free(infos);
        free(parameter);
        free(text);
    }
}
END_TEST

SUITE(lightgbm)
{
    TCase *loop = harness_case(suite, "splits", NULL, 0);

    tcase_add_loop_test(loop, a_number_takes_its_side, 0, COUNT(numbers));
    tcase_add_loop_test(loop, a_category_in_the_set_goes_left, 0, COUNT(categories));
    CASE("leaves", a_leaf_may_be_a_linear_function);
    loop = harness_case(suite, "objectives", NULL, 0);
    tcase_add_loop_test(loop, each_objective_has_its_link, 0, COUNT(objectives));
    CASE("links", classes_take_turns_among_the_trees, a_model_without_an_objective_has_no_link,
         sigmoid_is_read_as_the_library_reads_it, a_random_forest_is_divided_before_its_link,
         cross_entropy_lambda_follows_the_version);
    CASE("file", what_changes_nothing_is_taken, lines_may_end_as_on_windows,
         rounds_are_the_first_trees);
    CASE("names", names_of_an_arrays_columns_are_none, category_texts_go_to_their_feature);
}
