/* Models that real libraries wrote, with the margins and predictions that they gave: same bits, and
 * predictions within one unit in the last place; what is not read must be refused. */
#include <glob.h>
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
    float *rows, *margins, *predictions;
    size_t count;
};

static void check_scores(const struct model *model, const char *name, const struct expected *e)
{
    double *margins = mem_alloc(e->count, sizeof *margins);
    double *scores = mem_alloc(e->count, sizeof *scores);
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);

    model_score(model, e->rows, e->count, margins, scores, scratch);
    for (size_t i = 0; i < e->count; i++) {
        float margin = (float)margins[i];
        int64_t apart = ordered((float)scores[i]) - ordered(e->predictions[i]);
        ck_assert_msg(memcmp(&margin, &e->margins[i], sizeof margin) == 0,
                      "%s row %zu: margin %.9g, must be %.9g", name, i, margins[i],
                      (double)e->margins[i]);
        ck_assert_msg(apart >= -1 && apart <= 1, "%s row %zu: prediction %.9g, must be %.9g", name,
                      i, scores[i], (double)e->predictions[i]);
    }
    free(margins);
    free(scores);
    free(scratch);
}

static void check_good(char *path, const struct expected *expected)
{
    struct err err = ERR_INIT;
    struct model *model;

    for (size_t i = 0; kernel_at(i); i++) {
        struct model_options options = {.simd = kernel_at(i)->name};
        ck_assert_msg(model_load(&model, path, &options, &err) == 0, "%s", err.text);
        check_scores(model, path, expected);
        model_free(model);
    }
    free(path);
}

static void check_refused(char *path)
{
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_msg(model_load(&model, path, NULL, &err) != 0, "%s is not refused", path);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    ck_assert_msg(strstr(err.text, "not read by this version") != NULL, "%s", err.text);
    free(path);
}

static void release(struct expected *e)
{
    free(e->rows);
    free(e->margins);
    free(e->predictions);
}

static struct expected load(const char *folder, const char *rows, const char *name,
                            const char *const kinds[2])
{
    struct expected e;
    char file[100];
    size_t len;

    e.rows = read_whole(data_file("models/%s/%s", folder, rows), &len);
    snprintf(file, sizeof file, "%s.%s.f32le", name, kinds[0]);
    e.margins = read_whole(data_file("models/%s/%s", folder, file), &len);
    snprintf(file, sizeof file, "%s.%s.f32le", name, kinds[1]);
    e.predictions = read_whole(data_file("models/%s/%s", folder, file), &len);
    e.count = len / sizeof(float);
    return e;
}

static void check_case(const char *folder, const json_t *info)
{
    static const char *const kinds[] = {"margin", "pred"};
    const char *name = json_string_value(json_object_get(info, "name"));
    bool is_read = json_array_size(json_object_get(info, "margin_shape")) == 1 &&
                   strncmp(name, "dart", 4) != 0 && strncmp(name, "gblinear", 8) != 0;
    char stem[200];

    snprintf(stem, sizeof stem, "%s/%s", folder, name);
    if (!is_read) {
        check_refused(data_file("models/%s%s", stem, ".json"));
        check_refused(data_file("models/%s%s", stem, ".ubj"));
        return;
    }
    struct expected e = load(folder, json_string_value(json_object_get(info, "rows")), name, kinds);
    check_good(data_file("models/%s%s", stem, ".json"), &e);
    check_good(data_file("models/%s%s", stem, ".ubj"), &e);
    release(&e);
}

static bool is_absent(void)
{
    if (!harness_data())
        harness_skip("no reference models");
    return !harness_data();
}

static const char *const folders[] = {"xgb-1.7.4", "xgb-3.0.0", "xgb-3.4.1"};

START_TEST(each_model_of_xgboost_gives_its_bits_or_is_refused)
{
    json_t *index;
    size_t len, i;
    char *text;

    if (is_absent())
        return;
    text = read_whole(data_file("models/%s/%s", folders[_i], "index.json"), &len);
    index = json_loads(text, 0, NULL);
    ck_assert_uint_ge(json_array_size(index), 15);
    for (i = 0; i < json_array_size(index); i++)
        check_case(folders[_i], json_array_get(index, i));
    json_decref(index);
    free(text);
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
    check_good(data_file("models/timing/%s%s", names[_i], ".ubj"), &e);
    check_good(data_file("models/timing/%s%s", names[_i], ".json"), &e);
    release(&e);
}
END_TEST

START_TEST(models_of_other_libraries_are_refused)
{
    static const char *const patterns[] = {"models/lgb-*/*.txt", "models/timing/lgb_*.txt",
                                           "models/timing/*.onnx",
                                           "flights/models/delay-lgbm/model.txt"};
    size_t count = 0;

    if (is_absent())
        return;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char *pattern = file_join(harness_data(), patterns[i]);
        glob_t found;
        ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
        for (size_t k = 0; k < found.gl_pathc; k++, count++)
            check_refused(strdup(found.gl_pathv[k]));
        globfree(&found);
        free(pattern);
    }
    ck_assert_uint_ge(count, 15);
}
END_TEST

START_TEST(the_flights_bundles_pass_their_golden_rows)
{
    static const char *const names[] = {"delay-1", "delay-2", "delay-arr"};

    if (is_absent())
        return;
    for (size_t i = 0; i < 3; i++) {
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

    CASE("others", models_of_other_libraries_are_refused,
         the_flights_bundles_pass_their_golden_rows);
    loop = harness_case(suite, "xgboost", NULL, 0);
    tcase_add_loop_test(loop, each_model_of_xgboost_gives_its_bits_or_is_refused, 0, 3);
    tcase_add_loop_test(loop, the_timing_models_give_their_bits, 0, 2);
}
