/* Models that LightGBM wrote, with the raw scores and predictions that it gave: the same doubles,
 * and predictions within one unit in the last place. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "scoring/kernel.h"
#include "scoring/model.h"
#include "tests/harness.h"
#include "tests/models.h"

static void *read_whole(const char *name, const char *ending, size_t *len)
{
    struct err err = ERR_INIT;
    char rest[300], *path, *data;

    snprintf(rest, sizeof rest, "models/%s%s", name, ending);
    path = file_join(harness_data(), rest);
    ck_assert_msg(file_read(path, 64 << 20, &data, len, &err) == 0, "%s", err.text);
    free(path);
    return data;
}

static int64_t ordered(double value)
{
    int64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits >= 0 ? bits : -(bits & INT64_MAX);
}

static void check_values(const char *name, const char *what, const double *got, const double *want,
                         size_t count, int64_t apart)
{
    for (size_t i = 0; i < count; i++) {
        int64_t steps = ordered(got[i]) - ordered(want[i]);
        ck_assert_msg(steps >= -apart && steps <= apart, "%s: %s %zu is %.17g, must be %.17g", name,
                      what, i, got[i], want[i]);
    }
}

/* Files below models/: of the model, its rows, its raw scores and its predictions. */
static void check_model(const char *name, const char *rows_name, const char *raw_ending,
                        const char *prediction_ending)
{
    struct err err = ERR_INIT;
    struct model *model;
    size_t text_len, rows_len, raw_len, predictions_len, count;
    char *text = read_whole(name, ".txt", &text_len);
    float *rows = read_whole(rows_name, "", &rows_len);
    double *raw = read_whole(name, raw_ending, &raw_len), *margins = mem_alloc(raw_len, 1);
    double *predictions = read_whole(name, prediction_ending, &predictions_len);
    double *scores = mem_alloc(predictions_len, 1);
    void *scratch;

    for (size_t i = 0; kernel_at(i); i++) {
        struct model_options options = {.simd = kernel_at(i)->name};
        struct slice data = {(const uint8_t *)text, text_len};
        ck_assert_msg(model_parse(&model, name, data, &options, &err) == 0, "%s", err.text);
        ck_assert_str_eq(model_format(model), "lightgbm");
        count = rows_len / sizeof *rows / model_feature_count(model);
        ck_assert_uint_ge(count, 512);
        ck_assert_uint_eq(raw_len, count * model_margin_count(model) * sizeof(double));
        ck_assert_uint_eq(predictions_len, count * model_score_count(model) * sizeof(double));
        scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);
        model_score(model, rows, count, margins, scores, scratch);
        check_values(name, "margin", margins, raw, raw_len / sizeof(double), 0);
        check_values(name, "prediction", scores, predictions, predictions_len / sizeof(double), 1);
        model_free(model);
        free(scratch);
    }
    free(text);
    free(rows);
    free(raw);
    free(margins);
    free(predictions);
    free(scores);
}

static bool is_absent(void)
{
    if (!harness_data())
        harness_skip("no reference models");
    return !harness_data();
}

START_TEST(each_model_of_lightgbm_gives_its_doubles)
{
    json_t *index, *info;
    size_t len, i;
    char *text;

    if (is_absent())
        return;
    text = read_whole("lgb-4.6.0/index", ".json", &len);
    index = json_loads(text, 0, NULL);
    ck_assert_uint_ge(json_array_size(index), 17);
    json_array_foreach(index, i, info)
    {
        char name[100], rows[100];
        snprintf(name, sizeof name, "lgb-4.6.0/%s",
                 json_string_value(json_object_get(info, "name")));
        snprintf(rows, sizeof rows, "lgb-4.6.0/%s",
                 json_string_value(json_object_get(info, "rows")));
        check_model(name, rows, ".raw.f64le", ".pred.f64le");
    }
    json_decref(index);
    free(text);
}
END_TEST

START_TEST(the_timing_models_of_lightgbm_give_their_doubles)
{
    static const char *const pairs[][2] = {
        {"timing/lgb_a_100t_63l_f30", "timing/a_100t_d6_f30.rows.f32le"},
        {"timing/lgb_b_500t_255l_f100", "timing/b_500t_d8_f100.rows.f32le"}};

    if (!is_absent())
        check_model(pairs[_i][0], pairs[_i][1], ".expected_raw.f64le", ".expected_prob.f64le");
}
END_TEST

SUITE(lightgbm_reference)
{
    TCase *loop = harness_case(suite, "timing", NULL, 0);

    CASE("objectives", each_model_of_lightgbm_gives_its_doubles);
    tcase_add_loop_test(loop, the_timing_models_of_lightgbm_give_their_doubles, 0, 2);
}
