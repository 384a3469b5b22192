#include "scoring/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "scoring/xgboost.h"

enum { MAX_FILE_BYTES = 1 << 30 };

struct model {
    struct xgboost xgboost;
    char summary[200];
};

/* Formats that are known by their first bytes and not read. */
static const char *foreign_format(const char *data, size_t len)
{
    if (len >= 5 && memcmp(data, "tree\n", 5) == 0)
        return "a LightGBM model";
    if (len >= 4 && memcmp(data, "binf", 4) == 0)
        return "XGBoost's old binary format, gone since 3.1; load it with an older XGBoost and "
               "save it as .ubj";
    if (len >= 2 && data[0] == 0x08 && data[1] > 0 && data[1] < 32)
        return "an ONNX model";
    if (len >= 2 && (uint8_t)data[0] == 0x80 && data[1] >= 2 && data[1] <= 5)
        return "a Python pickle; save the model with Booster.save_model";
    if (len >= 4 && memcmp(data, "CBM1", 4) == 0)
        return "a CatBoost model";
    return NULL;
}

int model_parse(struct model **model, const char *name, const char *data, size_t len,
                struct err *err)
{
    const char *foreign = foreign_format(data, len);
    struct model *m;

    *model = NULL;
    if (foreign)
        return err_fatal(err, EXIT_DATA,
                         "%s: %s: not read by this version; XGBoost JSON and UBJSON are", name,
                         foreign);
    m = mem_alloc(1, sizeof *m);
    if (xgboost_parse(&m->xgboost, name, data, len, err) != 0) {
        free(m);
        return -1;
    }
    snprintf(m->summary, sizeof m->summary,
             "XGBoost %d.%d.%d, %s, %zu trees, %zu nodes, %zu features", m->xgboost.version[0],
             m->xgboost.version[1], m->xgboost.version[2], m->xgboost.objective,
             m->xgboost.tree_count, m->xgboost.node_count, m->xgboost.feature_count);
    *model = m;
    return 0;
}

int model_load(struct model **model, const char *path, struct err *err)
{
    char *data;
    size_t len;
    int result;

    *model = NULL;
    if (file_read(path, MAX_FILE_BYTES, &data, &len, err) != 0)
        return -1;
    result = model_parse(model, path, data, len, err);
    free(data);
    return result;
}

void model_free(struct model *model)
{
    if (!model)
        return;
    xgboost_release(&model->xgboost);
    free(model);
}

size_t model_feature_count(const struct model *model)
{
    return model->xgboost.feature_count;
}

size_t model_output_count(const struct model *model)
{
    (void)model;
    return 1;
}

const char *model_feature_name(const struct model *model, size_t feature)
{
    return model->xgboost.names ? model->xgboost.names[feature] : NULL;
}

size_t model_category_count(const struct model *model, size_t feature)
{
    return model->xgboost.categories ? model->xgboost.categories[feature].count : 0;
}

const char *model_category_text(const struct model *model, size_t feature, size_t code)
{
    return model->xgboost.categories[feature].items[code];
}

const char *model_summary(const struct model *model)
{
    return model->summary;
}

const char *model_kernel(const struct model *model)
{
    (void)model;
    return "portable";
}

size_t model_tree_count(const struct model *model)
{
    return model->xgboost.tree_count;
}

size_t model_depth(const struct model *model)
{
    return forest_depth(model->xgboost.forest);
}

size_t model_size_bytes(const struct model *model)
{
    return forest_size_bytes(model->xgboost.forest);
}

size_t model_split_count(const struct model *model, size_t feature)
{
    return forest_split_count(model->xgboost.forest, feature);
}

enum { CHUNK_ROWS = 256 };

size_t model_scratch_bytes(const struct model *model)
{
    return forest_scratch_bytes(model->xgboost.forest) + CHUNK_ROWS * sizeof(float);
}

void model_score(const struct model *model, const float *rows, size_t count, double *margins,
                 double *scores, void *scratch)
{
    float *narrow = scratch;
    size_t width = model->xgboost.feature_count;

    for (size_t first = 0; first < count; first += CHUNK_ROWS) {
        size_t n = count - first < CHUNK_ROWS ? count - first : CHUNK_ROWS;
        forest_score(model->xgboost.forest, rows + first * width, n, narrow, narrow + CHUNK_ROWS);
        for (size_t i = 0; i < n; i++) {
            margins[first + i] = (double)narrow[i];
            scores[first + i] = (double)link_apply(model->xgboost.link, narrow[i]);
        }
    }
}
