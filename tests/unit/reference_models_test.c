/* Models that real libraries wrote, with the margins and predictions that they gave: same bits, and
 * predictions within one unit in the last place; what is not read must be refused. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "scoring/bundle.h"
#include "scoring/kernel.h"
#include "tests/harness.h"
#include "tests/models.h"

/* Folder of data below models/, for messages. */
static char *data_file(const char *format, const char *a, const char *b)
{
    char rest[300];

    snprintf(rest, sizeof rest, format, a, b);
    return file_join(harness_data(), rest);
}

static void *read_whole(char *path, size_t *len)
{
    struct err err = ERR_INIT;
    char *data;

    ck_assert_msg(file_read(path, 64 << 20, &data, len, &err) == 0, "%s", err.text);
    free(path);
    return data;
}

static int64_t ordered(float value)
{
    int32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits >= 0 ? bits : -(int64_t)(bits & 0x7fffffff);
}

struct expected {
    float *rows, *margins, *predictions; /* margins NULL: predictions alone */
    size_t row_bytes, margin_count, prediction_count;
};

static void check_scores(const struct model *model, const char *name, const struct expected *e)
{
    size_t count = e->row_bytes / (model_feature_count(model) * sizeof(float));
    double *margins = mem_alloc(count * model_margin_count(model), sizeof *margins);
    double *scores = mem_alloc(count * model_score_count(model), sizeof *scores);
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);

    ck_assert_msg(e->prediction_count == count * model_score_count(model) &&
                      (!e->margins || e->margin_count == count * model_margin_count(model)),
                  "%s: %zu margins and %zu scores a row", name, model_margin_count(model),
                  model_score_count(model));
    model_score(model, e->rows, count, margins, scores, scratch);
    for (size_t i = 0; e->margins && i < e->margin_count; i++) {
        float margin = (float)margins[i];
        ck_assert_msg(memcmp(&margin, &e->margins[i], sizeof margin) == 0,
                      "%s margin %zu: %.9g, must be %.9g", name, i, margins[i],
                      (double)e->margins[i]);
    }
    for (size_t i = 0; i < e->prediction_count; i++) {
        int64_t apart = ordered((float)scores[i]) - ordered(e->predictions[i]);
        ck_assert_msg(apart >= -1 && apart <= 1, "%s prediction %zu: %.9g, must be %.9g", name, i,
                      scores[i], (double)e->predictions[i]);
    }
    free(margins);
    free(scores);
    free(scratch);
}

static void check_good(char *path, const struct model_options *options,
                       const struct expected *expected)
{
    struct err err = ERR_INIT;
    struct model *model;

    for (size_t i = 0; kernel_at(i); i++) {
        struct model_options forced = options ? *options : (struct model_options){0};
        forced.simd = kernel_at(i)->name;
        ck_assert_msg(model_load(&model, path, &forced, &err) == 0, "%s", err.text);
        check_scores(model, path, expected);
        model_free(model);
    }
    free(path);
}

static void release(struct expected *e)
{
    free(e->rows);
    free(e->margins);
    free(e->predictions);
}

/* kinds: what margins (NULL: none) and predictions are called. */
static struct expected load(const char *folder, const char *rows, const char *name,
                            const char *const kinds[2])
{
    struct expected e = {0};
    char file[100];
    size_t len;

    e.rows = read_whole(data_file("models/%s/%s", folder, rows), &e.row_bytes);
    if (kinds[0]) {
        snprintf(file, sizeof file, "%s.%s.f32le", name, kinds[0]);
        e.margins = read_whole(data_file("models/%s/%s", folder, file), &len);
        e.margin_count = len / sizeof(float);
    }
    snprintf(file, sizeof file, "%s.%s.f32le", name, kinds[1]);
    e.predictions = read_whole(data_file("models/%s/%s", folder, file), &len);
    e.prediction_count = len / sizeof(float);
    return e;
}

static void check_case(const char *folder, const json_t *info, const char *const kinds[2],
                       const struct model_options *options)
{
    const char *name = json_string_value(json_object_get(info, "name"));
    struct expected e = load(folder, json_string_value(json_object_get(info, "rows")), name, kinds);
    char stem[200];

    snprintf(stem, sizeof stem, "%s/%s", folder, name);
    check_good(data_file("models/%s%s", stem, ".json"), options, &e);
    check_good(data_file("models/%s%s", stem, ".ubj"), options, &e);
    release(&e);
}

static bool is_absent(void)
{
    if (!harness_data())
        harness_skip("no reference models");
    return !harness_data();
}

static const char *const folders[] = {"xgb-1.7.4", "xgb-3.0.0", "xgb-3.4.1"};

static json_t *load_index(const char *folder)
{
    size_t len;
    char *text = read_whole(data_file("models/%s/%s", folder, "index.json"), &len);
    json_t *index = json_loads(text, 0, NULL);

    free(text);
    return index;
}

START_TEST(each_model_of_xgboost_gives_its_bits)
{
    static const char *const kinds[] = {"margin", "pred"};
    json_t *index;

    if (is_absent())
        return;
    index = load_index(folders[_i]);
    ck_assert_uint_ge(json_array_size(index), 15);
    for (size_t i = 0; i < json_array_size(index); i++)
        check_case(folders[_i], json_array_get(index, i), kinds, NULL);
    json_decref(index);
}
END_TEST

START_TEST(rounds_up_to_the_best_are_those_of_the_library)
{
    static const struct model_options best = {.rounds = ROUNDS_BEST};
    static const char *const kinds[] = {NULL, "pred_best"};
    json_t *index;

    if (is_absent())
        return;
    index = load_index(folders[_i]);
    for (size_t i = 0; i < json_array_size(index); i++) {
        const json_t *info = json_array_get(index, i);
        if (strcmp(json_string_value(json_object_get(info, "name")), "early_stop") == 0)
            check_case(folders[_i], info, kinds, &best);
    }
    json_decref(index);
}
END_TEST

START_TEST(the_timing_models_give_their_bits)
{
    static const char *const names[] = {"a_100t_d6_f30", "b_500t_d8_f100"};
    static const char *const kinds[] = {"expected_margin", "expected_prob"};
    char file[100];

    if (is_absent())
        return;
    snprintf(file, sizeof file, "%s.rows.f32le", names[_i]);
    struct expected e = load("timing", file, names[_i], kinds);
    check_good(data_file("models/timing/%s%s", names[_i], ".ubj"), NULL, &e);
    check_good(data_file("models/timing/%s%s", names[_i], ".json"), NULL, &e);
    release(&e);
}
END_TEST

/* The same trees as the other two files: base values of 0, so they come last without a difference;
 * and ONNX Runtime does not apply LOGISTIC to a regressor of one target. */
START_TEST(the_timing_models_of_onnx_give_the_margins_of_xgboost)
{
    static const char *const names[] = {"a_100t_d6_f30", "b_500t_d8_f100"};
    static const char *const kinds[] = {"expected_margin", "expected_margin"};
    char file[100];

    if (is_absent())
        return;
    snprintf(file, sizeof file, "%s.rows.f32le", names[_i]);
    struct expected e = load("timing", file, names[_i], kinds);
    check_good(data_file("models/timing/%s%s", names[_i], ".onnx"), NULL, &e);
    release(&e);
}
END_TEST

START_TEST(the_flights_bundles_pass_their_golden_rows)
{
    static const char *const names[] = {"delay-1", "delay-2", "delay-arr", "delay-lgbm"};

    if (is_absent())
        return;
    for (size_t i = 0; i < 4; i++) {
        char *path = data_file("flights/models/%s%s", names[i], "");
        struct err err = ERR_INIT;
        struct bundle *bundle;
        ck_assert_msg(bundle_load(&bundle, path, NULL, &err) == 0, "%s", err.text);
        ck_assert_uint_eq(bundle->golden_count, 64);
        bundle_free(bundle);
        free(path);
    }
}
END_TEST

SUITE(reference_models)
{
    TCase *loop;

    CASE("flights", the_flights_bundles_pass_their_golden_rows);
    loop = harness_case(suite, "xgboost", NULL, 0);
    tcase_add_loop_test(loop, each_model_of_xgboost_gives_its_bits, 0, 3);
    tcase_add_loop_test(loop, rounds_up_to_the_best_are_those_of_the_library, 0, 3);
    tcase_add_loop_test(loop, the_timing_models_give_their_bits, 0, 2);
    tcase_add_loop_test(loop, the_timing_models_of_onnx_give_the_margins_of_xgboost, 0, 2);
}
