/* kscore-linear: margins and links in double, and what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/harness.h"
#include "tests/models.h"

static const char logistic[] =
    "{\"format\": \"kscore-linear\", \"version\": 1, \"link\": \"logistic\", "
    "\"features\": [\"a\", \"b\"], \"outputs\": [\"late\"], \"intercept\": [0.5], "
    "\"coefficients\": [[0.1, -0.2]]}";

static const char softmax[] =
    "{\"coefficients\": [[1, 0], [0, 1]], \"features\": [\"a\", \"b\"], "
    "\"format\": \"kscore-linear\", \"intercept\": [0, 0], \"link\": \"softmax\", \"version\": 1}";

static struct model *parse(const char *text)
{
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_msg(models_parse(&model, text, strlen(text), &err) == 0, "%s", err.text);
    return model;
}

static void score(const char *text, const float *row, double *margins, double *scores)
{
    struct model *model = parse(text);
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);

    model_score(model, row, 1, margins, scores, scratch);
    free(scratch);
    model_free(model);
}

static const struct {
    const char *from, *to;
    float row[2];
    double margin, score;
} samples[] = {
    {"", "", {1, 2}, 0.5 + 0.1 + -0.4, 0.54983399731247795},
    {"logistic", "identity", {3, 1}, 0.5 + 0.1 * 3 + -0.2, 0.5 + 0.1 * 3 + -0.2},
    {"logistic", "exp", {0, 0}, 0.5, 1.6487212707001282},
    {"", "", {NAN, 2}, NAN, NAN},
    {"]]}", "]], \"missing\": [null, 4]}", {1, NAN}, 0.5 + 0.1 + -0.2 * 4, 0.45016600268752216},
    {"]]}", "]], \"missing\": [null, 4]}", {NAN, 4}, NAN, NAN},
};

START_TEST(a_sum_of_doubles_goes_through_its_link)
{
    char *text = models_edit(logistic, NULL, samples[_i].from, samples[_i].to);
    double margin, linked;

    score(text, samples[_i].row, &margin, &linked);
    ck_assert(isnan(samples[_i].margin) ? isnan(margin) : margin == samples[_i].margin);
    ck_assert(isnan(samples[_i].score) ? isnan(linked) : fabs(linked - samples[_i].score) < 1e-15);
    free(text);
}
END_TEST

START_TEST(softmax_has_a_score_for_each_output_and_does_not_overflow)
{
    double margins[2], scores[2];

    score(softmax, (float[]){1000, 1000}, margins, scores);
    ck_assert(margins[0] == 1000 && scores[0] == 0.5 && scores[1] == 0.5);
}
END_TEST

START_TEST(its_features_have_names)
{
    struct model *model = parse(logistic);

    ck_assert_uint_eq(model_feature_count(model), 2);
    ck_assert_str_eq(model_feature_name(model, 1), "b");
    ck_assert_ptr_null(model_close_reason(model));
    model_free(model);
}
END_TEST

static const struct {
    const char *from, *to, *why;
} refusals[] = {
    {"kscore-linear", "linear", "format is not kscore-linear"},
    {"\"version\": 1", "\"version\": 2", "version 2; 1 is read"},
    {"\"logistic\"", "\"probit\"", "link probit; it can be identity, logistic, exp or softmax"},
    {"\"logistic\"", "\"softmax\"", "softmax of one output is always 1: use logistic"},
    {"\"link\": \"logistic\", ", "", "key link is missing"},
    {"\"link\"", "\"scale\": 1, \"link\"", "key scale is not known"},
    {"\"link\"", "\"version\": 1, \"link\"", "key version comes twice"},
    {"[\"a\", \"b\"]", "[\"a\"]", "1 rows of coefficients, 2 in all, for 1 features and 1 outputs"},
    {"[\"a\", \"b\"]", "[\"a\", \"\"]", "feature 2 is no name, or one too many"},
    {"[0.5]", "[0.5, 1]", "1 rows of coefficients, 2 in all, for 2 features and 2 outputs"},
    {"[0.5]", "[]", "no features or no intercepts"},
    {"[0.5]", "[1e999]", "a number that is too large"},
    {"[0.5]", "[NaN]", "not JSON, or not of the type that is wanted here"},
    {"[[0.1, -0.2]]", "[[0.1, -0.2], [1]]", "coefficients: row 2 has 1 numbers, the first 2"},
    {"[\"late\"]", "[\"late\", \"on time\"]", "2 names for 1 outputs"},
    {"]]}", "]], \"missing\": [1]}", "missing has 1 numbers for 2 features"},
    {"]]}", "]]", "not JSON, or not of the type that is wanted here"},
};

START_TEST(what_is_not_understood_is_refused)
{
    char *text = models_edit(logistic, NULL, refusals[_i].from, refusals[_i].to);

    ck_assert_str_eq(models_refusal(text, strlen(text)), refusals[_i].why);
    free(text);
}
END_TEST

START_TEST(a_file_that_ends_early_is_refused_wherever_it_ends)
{
    for (size_t i = 1; i < sizeof logistic - 1; i++)
        models_refusal(logistic, i);
}
END_TEST

#define LOOP(case_, test, table)                                                                   \
    tcase_add_loop_test(harness_case(suite, case_, NULL, 0), test, 0,                              \
                        sizeof(table) / sizeof(table)[0])

SUITE(linear_json)
{
    LOOP("samples", a_sum_of_doubles_goes_through_its_link, samples);
    CASE("files", softmax_has_a_score_for_each_output_and_does_not_overflow,
         its_features_have_names, a_file_that_ends_early_is_refused_wherever_it_ends);
    LOOP("refusals", what_is_not_understood_is_refused, refusals);
}
