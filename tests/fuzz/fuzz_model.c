/* A model's bytes, JSON or UBJSON: refused in one line, or rows score, each as it does alone. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/model.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS = 19, WIDTH_MAX = 4096 };

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void score_rows(const struct model *model, size_t width)
{
    static const float cells[] = {0, -1, 1, NAN, 3, INFINITY, -INFINITY, 0.5f, 1e9f};
    float *rows = mem_alloc(ROWS * width, sizeof *rows);
    size_t sums = model_margin_count(model), outputs = model_score_count(model);
    double *margins = mem_alloc(ROWS * sums, sizeof *margins);
    double *scores = mem_alloc(ROWS * outputs, sizeof *scores);
    double *margin = mem_alloc(sums, sizeof *margin), *score = mem_alloc(outputs, sizeof *score);
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);

    for (size_t i = 0; i < ROWS * width; i++)
        rows[i] = cells[i * 7 % (sizeof cells / sizeof cells[0])];
    model_score(model, rows, ROWS, margins, scores, scratch);
    for (size_t i = 0; i < ROWS; i++) {
        model_score(model, rows + i * width, 1, margin, score, scratch);
        for (size_t k = 0; k < sums; k++)
            fuzz_expect(same(margin[k], margins[i * sums + k]),
                        "a row's margin does not depend on its neighbours");
        for (size_t k = 0; k < outputs; k++)
            fuzz_expect(same(score[k], scores[i * outputs + k]),
                        "a row's prediction does not depend on its neighbours");
    }
    free(scratch);
    free(rows);
    free(margins);
    free(scores);
    free(margin);
    free(score);
}

static void explain_row(const struct model *model, size_t width)
{
    struct err err = ERR_INIT;
    double *out = mem_alloc(model_margin_count(model) * (width + 1), sizeof *out);
    float *row = mem_alloc(width, sizeof *row);

    if (model_contributions_check(model, &err) == 0)
        model_contributions(model, row, out);
    free(row);
    free(out);
}

/* Some of the rounds of a model that is good: refused, or rows score. */
static void try_rounds(struct slice data, size_t width)
{
    static const struct model_options options[] = {{.rounds = 1}, {.rounds = ROUNDS_BEST}};

    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct model *model;
        if (model_parse(&model, "fuzz", data, &options[i], &err) != 0)
            continue;
        fuzz_expect(model_feature_count(model) == width, "rounds do not change the features");
        if (width <= WIDTH_MAX)
            score_rows(model, width);
        model_free(model);
    }
}

FUZZ(model)
{
    struct err err = ERR_INIT;
    struct model *model;
    size_t width;

    if (model_parse(&model, "fuzz", (struct slice){data, len}, NULL, &err) != 0) {
        fuzz_expect(!model && err.exit_code == EXIT_DATA && err.text[0] != '\0' &&
                        !strchr(err.text, '\n'),
                    "a refusal is one line");
        return;
    }
    width = model_feature_count(model);
    fuzz_expect(width > 0 && !err_is_set(&err), "a model has features");
    for (size_t i = 0; i < width; i++)
        for (size_t k = 0; k < model_category_count(model, i); k++)
            fuzz_expect(model_category_text(model, i, k) != NULL, "a category has a text");
    if (width <= WIDTH_MAX) {
        score_rows(model, width);
        explain_row(model, width);
    }
    model_free(model);
    try_rounds((struct slice){data, len}, width);
}
