#include "scoring/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "scoring/contributions.h"
#include "scoring/forest.h"
#include "scoring/kernel.h"
#include "scoring/lightgbm.h"
#include "scoring/linear_json.h"
#include "scoring/onnx.h"
#include "scoring/xgboost.h"

enum { MAX_FILE_BYTES = 1 << 30 };

/* The first that knows the bytes reads them; the last takes all, and says what is wrong. */
static const struct reader {
    const char *format; /* as model.ini names it */
    bool (*is)(struct slice data);
    int (*parse)(struct model_parts *parts, const char *name, struct slice data,
                 const struct model_options *options, struct err *err);
} readers[] = {
    {"lightgbm", lightgbm_is, lightgbm_parse},
    {"onnx", onnx_is_one, onnx_parse},
    {"linear", linear_json_is_one, linear_json_parse},
    {"xgboost", NULL, xgboost_parse},
};

struct model {
    const char *format;
    struct model_parts parts;
    struct forest *forest; /* NULL: a linear model */
    char summary[400];
};

/* Formats that are known by their first bytes and not read. */
static const char *foreign_format(const char *data, size_t len)
{
    if (len >= 4 && memcmp(data, "binf", 4) == 0)
        return "XGBoost's old binary format, gone since 3.1; load it with an older XGBoost and "
               "save it as .ubj";
    if (len >= 2 && (uint8_t)data[0] == 0x80 && data[1] >= 2 && data[1] <= 5)
        return "a Python pickle; save the model with Booster.save_model";
    if (len >= 4 && memcmp(data, "CBM1", 4) == 0)
        return "a CatBoost model";
    return NULL;
}

static void summarise(struct model *m)
{
    const struct model_parts *p = &m->parts;
    char kind[80] = "linear", outputs[40] = "";

    if (p->trees)
        snprintf(kind, sizeof kind, "%zu trees, %zu nodes", p->trees->count,
                 p->trees->split_count + p->trees->leaf_count);
    if (p->link.margin_count > 1)
        snprintf(outputs, sizeof outputs, ", %zu outputs", p->link.margin_count);
    snprintf(m->summary, sizeof m->summary, "%s, %s, %s, %zu features%s%s", p->writer, p->objective,
             kind, p->feature_count, outputs, p->close[0] ? ", only close" : "");
}

static int read_parts(struct model *m, const char *name, struct slice data,
                      const struct model_options *options, struct err *err)
{
    const char *foreign = foreign_format((const char *)data.data, data.len);
    const struct reader *reader = readers;

    if (foreign)
        return err_fatal(err, EXIT_DATA,
                         "%s: %s: not read by this version; XGBoost JSON and UBJSON, LightGBM "
                         "text, ONNX and linear JSON are",
                         name, foreign);
    while (reader->is && !reader->is(data))
        reader++;
    m->format = reader->format;
    return reader->parse(&m->parts, name, data, options, err);
}

/* m is freed on failure. */
static int finish(struct model **model, struct model *m, int result,
                  const struct model_options *options, struct err *err)
{
    const char *simd = options->simd ? options->simd : getenv("KSCORE_SIMD");
    const struct kernel *kernel = result == 0 ? kernel_find(simd, err) : NULL;

    *model = kernel ? m : NULL;
    if (!kernel) {
        if (result == 0)
            model_parts_release(&m->parts);
        free(m);
        return -1;
    }
    if (m->parts.trees)
        m->forest = forest_new(m->parts.trees, kernel);
    summarise(m);
    return 0;
}

static const struct model_options plain;

int model_parse(struct model **model, const char *name, struct slice data,
                const struct model_options *options, struct err *err)
{
    struct model *m = mem_alloc(1, sizeof *m);

    options = options ? options : &plain;
    return finish(model, m, read_parts(m, name, data, options, err), options, err);
}

/* What is compiled of the bytes would not fit beside them in twice their size. */
int model_take(struct model **model, const char *name, struct slice data,
               const struct model_options *options, struct err *err)
{
    struct model *m = mem_alloc(1, sizeof *m);
    int result;

    options = options ? options : &plain;
    result = read_parts(m, name, data, options, err);
    free((void *)data.data);
    return finish(model, m, result, options, err);
}

int model_load(struct model **model, const char *path, const struct model_options *options,
               struct err *err)
{
    char *data;
    size_t len;

    *model = NULL;
    if (file_read(path, MAX_FILE_BYTES, &data, &len, err) != 0)
        return -1;
    return model_take(model, path, (struct slice){(const uint8_t *)data, len}, options, err);
}

void model_free(struct model *model)
{
    if (!model)
        return;
    forest_free(model->forest);
    model_parts_release(&model->parts);
    free(model);
}

const char *model_format(const struct model *model)
{
    return model->format;
}

bool model_is_format(const char *name)
{
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (strcmp(readers[i].format, name) == 0)
            return true;
    return false;
}

size_t model_feature_count(const struct model *model)
{
    return model->parts.feature_count;
}

size_t model_margin_count(const struct model *model)
{
    return model->parts.link.margin_count;
}

size_t model_score_count(const struct model *model)
{
    return model->parts.link.score_count;
}

bool model_is_float32(const struct model *model)
{
    if (model->parts.is_float32)
        return true;
    return model->parts.linear ? !model->parts.linear->is_double
                               : !sum_is_double(model->parts.trees->sum);
}

const char *model_feature_name(const struct model *model, size_t feature)
{
    return model->parts.names ? model->parts.names[feature] : NULL;
}

size_t model_category_count(const struct model *model, size_t feature)
{
    return model->parts.categories ? model->parts.categories[feature].count : 0;
}

const char *model_category_text(const struct model *model, size_t feature, size_t code)
{
    return model->parts.categories[feature].items[code];
}

const char *model_summary(const struct model *model)
{
    return model->summary;
}

const char *model_kernel(const struct model *model)
{
    return model->forest ? forest_kernel(model->forest) : "linear";
}

size_t model_tree_count(const struct model *model)
{
    return model->parts.trees ? model->parts.trees->count : 0;
}

size_t model_depth(const struct model *model)
{
    const struct trees *t = model->parts.trees;
    size_t depth = 0;

    for (size_t i = 0; t && i < t->count; i++)
        depth = t->items[i].depth > depth ? t->items[i].depth : depth;
    return depth;
}

size_t model_size_bytes(const struct model *model)
{
    return model->forest ? forest_size_bytes(model->forest)
                         : linear_size_bytes(model->parts.linear);
}

/* Of a column of the body's rows: splits on it, or outputs that weigh it. */
static size_t count_uses(const struct model_parts *p, size_t column)
{
    const struct trees *t = p->trees;
    const struct linear *l = p->linear;
    size_t count = 0;

    for (size_t i = 0; t && i < t->split_count; i++)
        count += t->splits[i].feature == column;
    for (size_t i = 0; l && i < l->output_count; i++)
        count += l->weights[i * l->feature_count + column] != 0;
    return count;
}

size_t model_split_count(const struct model *model, size_t feature)
{
    const struct transform *t = model->parts.transform;
    size_t count = 0;

    if (!t)
        return count_uses(&model->parts, feature);
    for (size_t i = 0; i < t->to_count; i++)
        if (t->sources[i] == feature)
            count += count_uses(&model->parts, i);
    return count;
}

const char *model_close_reason(const struct model *model)
{
    return model->parts.close[0] ? model->parts.close : NULL;
}

/* A block of the body's rows, then what the forest needs. */
static size_t block_bytes(const struct model *model)
{
    const struct transform *t = model->parts.transform;

    return t ? (KERNEL_ROWS * t->to_count * sizeof(float) + 63) / 64 * 64 : 0;
}

size_t model_scratch_bytes(const struct model *model)
{
    return block_bytes(model) + (model->forest ? forest_scratch_bytes(model->forest) : 64);
}

static void score_body(const struct model *model, const float *rows, size_t count, double *margins,
                       void *scratch)
{
    if (model->forest)
        forest_score(model->forest, rows, count, margins, scratch);
    else
        linear_score(model->parts.linear, rows, count, margins);
}

void model_score(const struct model *model, const float *rows, size_t count, double *margins,
                 double *scores, void *scratch)
{
    const struct model_parts *p = &model->parts;

    if (!p->transform)
        score_body(model, rows, count, margins, scratch);
    for (size_t r = 0; p->transform && r < count; r += KERNEL_ROWS) {
        size_t block = count - r < KERNEL_ROWS ? count - r : KERNEL_ROWS;
        transform_apply(p->transform, rows + r * p->feature_count, block, scratch);
        score_body(model, scratch, block, margins + r * p->link.margin_count,
                   (char *)scratch + block_bytes(model));
    }
    p->link.apply(&p->link, margins, count, scores);
}

int model_contributions_check(const struct model *model, struct err *err)
{
    if (model->parts.transform)
        return err_fatal(err, EXIT_DATA, "contributions: not of models that change rows first");
    return model->parts.linear ? 0 : contributions_check(model->parts.trees, err);
}

void model_contributions(const struct model *model, const float *row, double *out)
{
    if (model->parts.linear)
        contributions_of_linear(model->parts.linear, row, out);
    else
        contributions_of_trees(model->parts.trees, row, out);
}
