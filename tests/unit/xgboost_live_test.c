/* Random models, trained on the spot by the libxgboost that is installed: what it saves must give
 * its own margins by bits, its predictions within one unit in the last place, and its
 * contributions, which it sums in float32, within 1e-5 of their size. Each seed draws a booster, an
 * objective, outputs, depth, missing values and categories. Skipped without the library;
 * KSCORE_SEED draws others.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/model.h"
#include "tests/harness.h"

enum { MODELS = 30, ROWS = 400, WIDTH = 7, CATEGORY_FEATURE = 2, ROUNDS = 9, MOST_OUTPUTS = 4 };
enum { EXPLAINED = 50 }; /* rows: the sanitizer is slow at it */

/* include/xgboost/c_api.h of 1.7: what is called of it, so that no header is needed. */
struct library {
    const char *(*last_error)(void);
    int (*matrix_new)(const float *data, uint64_t rows, uint64_t columns, float missing, void **);
    int (*matrix_set)(void *matrix, const char *field, const char *array);
    int (*matrix_set_texts)(void *matrix, const char *field, const char **texts, uint64_t count);
    int (*matrix_free)(void *matrix);
    int (*booster_new)(void *const *matrices, uint64_t count, void **booster);
    int (*booster_set)(void *booster, const char *name, const char *value);
    int (*booster_update)(void *booster, int round, void *matrix);
    int (*booster_save)(void *booster, const char *config, uint64_t *len, const char **data);
    int (*booster_load)(void *booster, const void *data, uint64_t len);
    int (*booster_predict)(void *booster, void *matrix, const char *config, const uint64_t **shape,
                           uint64_t *dimensions, const float **result);
    int (*booster_free)(void *booster);
};

static bool open_library(struct library *l)
{
    const struct {
        const char *name;
        void *place;
    } names[] = {{"XGBGetLastError", &l->last_error},
                 {"XGDMatrixCreateFromMat", &l->matrix_new},
                 {"XGDMatrixSetInfoFromInterface", &l->matrix_set},
                 {"XGDMatrixSetStrFeatureInfo", &l->matrix_set_texts},
                 {"XGDMatrixFree", &l->matrix_free},
                 {"XGBoosterCreate", &l->booster_new},
                 {"XGBoosterSetParam", &l->booster_set},
                 {"XGBoosterUpdateOneIter", &l->booster_update},
                 {"XGBoosterSaveModelToBuffer", &l->booster_save},
                 {"XGBoosterLoadModelFromBuffer", &l->booster_load},
                 {"XGBoosterPredictFromDMatrix", &l->booster_predict},
                 {"XGBoosterFree", &l->booster_free}};
    void *library;

    setenv("OMP_NUM_THREADS", "1", 1); /* threads that wait for each other on a busy machine */
    library = dlopen("libxgboost.so.0", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < sizeof names / sizeof names[0]; i++) {
        void *found = dlsym(library, names[i].name);
        if (!found) /* older than 1.6 */
            return false;
        memcpy(names[i].place, &found, sizeof found);
    }
    return library != NULL;
}

/* ---- what is drawn */

struct draw {
    struct library library;
    uint32_t state;
    float rows[ROWS * WIDTH], labels[ROWS * MOST_OUTPUTS];
    size_t label_width;
    const char *objective;
    uint32_t classes;
    bool has_categories, is_linear, is_multi;
    char what[300]; /* for messages */
    void *matrix, *booster;
};

static uint32_t below(struct draw *d, uint32_t limit)
{
    d->state = d->state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(d->state >> 8) * limit >> 24);
}

static float number(struct draw *d)
{
    return (float)((int)below(d, 4001) - 2000) / 512;
}

static void must(const struct draw *d, int result)
{
    ck_assert_msg(result == 0, "%s: %s", d->what, d->library.last_error());
}

static void set(struct draw *d, const char *name, const char *value)
{
    size_t len = strlen(d->what);

    snprintf(d->what + len, sizeof d->what - len, " %s=%s", name, value);
    must(d, d->library.booster_set(d->booster, name, value));
}

static void set_number(struct draw *d, const char *name, double value)
{
    char text[40];

    snprintf(text, sizeof text, "%.9g", value);
    set(d, name, text);
}

static void draw_rows(struct draw *d)
{
    uint32_t missing = below(d, 3) * 10; /* per cent */

    for (size_t i = 0; i < (size_t)ROWS * WIDTH; i++) {
        bool is_category = d->has_categories && i % WIDTH == CATEGORY_FEATURE;
        d->rows[i] = is_category              ? (float)below(d, 40)
                     : i % WIDTH == WIDTH - 1 ? (float)below(d, 4)
                                              : number(d);
        if (below(d, 100) < missing)
            d->rows[i] = NAN;
    }
}

/* Of values that every objective takes: 0 and 1, classes, positive ones. */
static void draw_labels(struct draw *d, uint32_t classes, bool is_real)
{
    for (size_t i = 0; i < ROWS * d->label_width; i++) {
        const float *row = d->rows + i / d->label_width * WIDTH;
        float signal = (isnan(row[0]) ? 0.5f : row[0]) + (row[2] > 1 ? 1.0f : 0.0f) + number(d) / 4;
        if (is_real)
            d->labels[i] = 0.1f + fabsf(signal) + (float)(i % d->label_width);
        else
            d->labels[i] = classes > 2 ? (float)below(d, classes) : (float)(signal > 0.5f);
    }
}

static void make_matrix(struct draw *d, void **matrix)
{
    const char *types[WIDTH];

    must(d, d->library.matrix_new(d->rows, ROWS, WIDTH, NAN, matrix));
    for (size_t i = 0; i < WIDTH; i++)
        types[i] = d->has_categories && i == CATEGORY_FEATURE ? "c" : "q";
    must(d, d->library.matrix_set_texts(*matrix, "feature_type", types, WIDTH));
}

static void give_labels(struct draw *d)
{
    char array[200];

    snprintf(array, sizeof array,
             "{\"data\":[%zu,true],\"shape\":[%d,%zu],\"typestr\":\"<f4\",\"version\":3}",
             (size_t)d->labels, ROWS, d->label_width);
    must(d, d->library.matrix_set(d->matrix, "label", array));
}

static const struct {
    const char *name;
    bool is_real;
} objectives[] = {{"reg:squarederror", true}, {"binary:logistic", false}, {"multi:softprob", false},
                  {"multi:softmax", false},   {"count:poisson", true},    {"reg:gamma", true},
                  {"reg:tweedie", true},      {"binary:logitraw", false}, {"binary:hinge", false},
                  {"reg:logistic", false}};

/* The booster knows the matrix from the start: it asks it for the number of features. */
static void draw_data(struct draw *d)
{
    size_t i = below(d, sizeof objectives / sizeof objectives[0]);

    d->objective = objectives[i].name;
    d->classes = 2 + below(d, MOST_OUTPUTS - 1);
    d->is_multi = strncmp(d->objective, "multi:", 6) == 0;
    d->label_width = i < 2 && below(d, 3) == 0 ? 3 : 1;
    d->is_linear = below(d, 6) == 0;
    d->has_categories = !d->is_linear && below(d, 3) == 0;
    draw_rows(d);
    draw_labels(d, d->is_multi ? d->classes : 2, objectives[i].is_real);
    make_matrix(d, &d->matrix);
    give_labels(d);
    must(d, d->library.booster_new(&d->matrix, 1, &d->booster));
}

static void draw_trees(struct draw *d)
{
    static const char *const methods[] = {"hist", "approx", "exact"};

    if (below(d, 3) == 0) {
        set(d, "booster", "dart");
        set(d, "rate_drop", "0.4");
    }
    set(d, "tree_method", methods[below(d, d->has_categories ? 2 : 3)]);
    set_number(d, "max_depth", 1 + below(d, 8));
    set_number(d, "eta", 0.05 + below(d, 20) / 20.0);
    set_number(d, "max_cat_to_onehot", below(d, 2) ? 1 : 100);
    if (below(d, 4) == 0) {
        set(d, "num_parallel_tree", "2");
        set(d, "subsample", "0.7");
    }
}

static void train(struct draw *d)
{
    set(d, "nthread", "1");
    set(d, "verbosity", "0");
    set(d, "objective", d->objective);
    if (d->is_multi)
        set_number(d, "num_class", d->classes);
    if (below(d, 2) == 0)
        set_number(d, "base_score", 0.1 + below(d, 80) / 100.0);
    if (d->is_linear) {
        set(d, "booster", "gblinear");
        set(d, "updater", "coord_descent");
    } else {
        draw_trees(d);
    }
    for (int round = 0; round < ROUNDS; round++)
        must(d, d->library.booster_update(d->booster, round, d->matrix));
}

/* ---- what is compared */

static int64_t steps_of(float value)
{
    int32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits >= 0 ? bits : -(int64_t)(bits & 0x7fffffff);
}

enum type { TYPE_SCORE, TYPE_MARGIN, TYPE_CONTRIBUTION }; /* as the library counts them */

static const float *ask(struct draw *d, enum type type, size_t count, int64_t rounds)
{
    const uint64_t *shape;
    uint64_t dimensions, theirs = 1;
    const float *result;
    char config[200];

    snprintf(config, sizeof config,
             "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":%lld,"
             "\"strict_shape\":false}",
             (int)type, (long long)rounds);
    must(d,
         d->library.booster_predict(d->booster, d->matrix, config, &shape, &dimensions, &result));
    for (uint64_t i = 0; i < dimensions; i++)
        theirs *= shape[i];
    ck_assert_msg(theirs == count, "%s: %zu values, the library has %zu", d->what, count,
                  (size_t)theirs);
    return result;
}

static void compare(struct draw *d, bool is_margin, const double *ours, size_t count,
                    int64_t rounds)
{
    const float *result = ask(d, is_margin ? TYPE_MARGIN : TYPE_SCORE, count, rounds);

    for (size_t i = 0; i < count; i++) {
        int64_t apart = steps_of((float)ours[i]) - steps_of(result[i]);
        ck_assert_msg(is_margin ? apart == 0 : apart >= -1 && apart <= 1,
                      "%s: value %zu is %.9g, the library has %.9g", d->what, i, ours[i],
                      (double)result[i]);
    }
}

static void check_contributions(struct draw *d, const struct model *model, const double *margins,
                                int64_t rounds)
{
    struct err err = ERR_INIT;
    size_t sums = model_margin_count(model), width = WIDTH + 1;
    const float *theirs = ask(d, TYPE_CONTRIBUTION, ROWS * sums * width, rounds);
    double *ours = mem_alloc(sums * width, sizeof *ours);

    ck_assert_msg(model_contributions_check(model, &err) == 0, "%s: %s", d->what, err.text);
    for (size_t r = 0; r < EXPLAINED; r++) {
        model_contributions(model, d->rows + r * WIDTH, ours);
        for (size_t o = 0; o < sums; o++) {
            const double *mine = ours + o * width;
            double sum = 0, size = 1;
            for (size_t f = 0; f < width; f++) {
                sum += mine[f];
                size += fabs(mine[f]);
            }
            ck_assert_msg(fabs(sum - margins[r * sums + o]) < 1e-5 * size,
                          "%s: row %zu output %zu: %.9g in all, the margin is %.9g", d->what, r, o,
                          sum, margins[r * sums + o]);
            for (size_t f = 0; f < width; f++)
                ck_assert_msg(
                    fabs(mine[f] - (double)theirs[(r * sums + o) * width + f]) < 1e-5 * size,
                    "%s: row %zu output %zu: %.9g for feature %zu, the library has %.9g", d->what,
                    r, o, mine[f], f, (double)theirs[(r * sums + o) * width + f]);
        }
    }
    free(ours);
}

static void check_file(struct draw *d, struct slice data, int64_t rounds)
{
    struct model_options options = {.rounds = rounds};
    struct err err = ERR_INIT;
    struct model *model;
    double *margins, *scores;
    void *scratch;

    ck_assert_msg(model_parse(&model, "live", data, &options, &err) == 0, "%s: %s", d->what,
                  err.text);
    margins = mem_alloc(ROWS * model_margin_count(model), sizeof *margins);
    scores = mem_alloc(ROWS * model_score_count(model), sizeof *scores);
    scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);
    model_score(model, d->rows, ROWS, margins, scores, scratch);
    compare(d, true, margins, ROWS * model_margin_count(model), rounds);
    compare(d, false, scores, ROWS * model_score_count(model), rounds);
    check_contributions(d, model, margins, rounds);
    free(margins);
    free(scores);
    free(scratch);
    model_free(model);
}

/* The library goes on with the file too, as kscore has to. */
static void check_saved(struct draw *d, const char *config)
{
    const char *data;
    uint64_t len;
    char *copy;

    must(d, d->library.booster_save(d->booster, config, &len, &data));
    copy = mem_copy_text(data, len);
    must(d, d->library.booster_free(d->booster));
    must(d, d->library.booster_new(NULL, 0, &d->booster));
    must(d, d->library.booster_load(d->booster, copy, len));
    check_file(d, (struct slice){(const uint8_t *)copy, len}, 0);
    if (!d->is_linear)
        check_file(d, (struct slice){(const uint8_t *)copy, len}, 1 + below(d, ROUNDS));
    free(copy);
}

/* Other rows than those of the training: values beside its thresholds, and odd ones. */
static void draw_others(struct draw *d)
{
    static const float odd[] = {0, -0.0f, 1e-45f, 16777216, -1, 2.5f, 39, 40, 63, 64, NAN};

    for (size_t i = 0; i < (size_t)ROWS * WIDTH; i++)
        switch (below(d, 5)) {
        case 0: d->rows[i] = nextafterf(d->rows[i], -INFINITY); break;
        case 1: d->rows[i] = nextafterf(d->rows[i], INFINITY); break;
        case 2: d->rows[i] = odd[below(d, sizeof odd / sizeof odd[0])]; break;
        default: break;
        }
    must(d, d->library.matrix_free(d->matrix));
    make_matrix(d, &d->matrix);
}

START_TEST(a_random_model_scores_as_the_library_that_trained_it_does)
{
    const char *seed = getenv("KSCORE_SEED");
    struct draw *d = mem_alloc(1, sizeof *d);

    d->state = (uint32_t)_i + 1 + (seed ? (uint32_t)strtoul(seed, NULL, 10) * MODELS : 0);
    if (open_library(&d->library)) {
        draw_data(d);
        train(d);
        draw_others(d);
        check_saved(d, "{\"format\":\"json\"}");
        check_saved(d, "{\"format\":\"ubj\"}");
        must(d, d->library.matrix_free(d->matrix));
        must(d, d->library.booster_free(d->booster));
    } else if (_i == 0) {
        harness_skip("no libxgboost.so.0 to compare with");
    }
    free(d);
}
END_TEST

SUITE(xgboost_live)
{
    TCase *loop = harness_case(suite, "models", NULL, 0);

    tcase_add_loop_test(loop, a_random_model_scores_as_the_library_that_trained_it_does, 0, MODELS);
}
