/* A model's bytes, JSON or UBJSON: refused in one line, or rows score, each as it does alone. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/model.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS = 19, WIDTH_MAX = 4096 };

static void score_rows(const struct model *model, size_t width)
{
    static const float cells[] = {0, -1, 1, NAN, 3, INFINITY, -INFINITY, 0.5f, 1e9f};
    float *rows = mem_alloc(ROWS * width, sizeof *rows);
    double margins[ROWS], scores[ROWS], margin, score;
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);

    for (size_t i = 0; i < ROWS * width; i++)
        rows[i] = cells[i * 7 % (sizeof cells / sizeof cells[0])];
    model_score(model, rows, ROWS, margins, scores, scratch);
    for (size_t i = 0; i < ROWS; i++) {
        model_score(model, rows + i * width, 1, &margin, &score, scratch);
        fuzz_expect(memcmp(&margin, &margins[i], sizeof margin) == 0 || isnan(margin),
                    "a row's margin does not depend on its neighbours");
        fuzz_expect(memcmp(&score, &scores[i], sizeof score) == 0 || isnan(score),
                    "a row's prediction does not depend on its neighbours");
    }
    free(scratch);
    free(rows);
}

FUZZ(model)
{
    struct err err = ERR_INIT;
    struct model *model;
    size_t width;

    if (model_parse(&model, "fuzz", (const char *)data, len, &err) != 0) {
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
    if (width <= WIDTH_MAX)
        score_rows(model, width);
    model_free(model);
}
