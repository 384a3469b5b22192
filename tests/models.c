#include "tests/models.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/harness.h"

#define HEAD                                                                                       \
    "{\"learner\":{\"attributes\":{\"best_iteration\":\"0\"},\"feature_names\":[\"a\",\"b\"],"     \
    "\"feature_types\":[\"float\",\"float\"],\"gradient_booster\":{\"model\":{"                    \
    "\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"2\","                     \
    "\"size_leaf_vector\":\"0\"},\"tree_info\":[0,0],\"trees\":["
#define LEAF                                                                                       \
    ",{\"base_weights\":[0.0],\"categories\":[],\"categories_nodes\":[],"                          \
    "\"categories_segments\":[],\"categories_sizes\":[],\"default_left\":[0],\"id\":1,"            \
    "\"left_children\":[-1],\"loss_changes\":[0.0],\"parents\":[2147483647],"                      \
    "\"right_children\":[-1],\"split_conditions\":[0.25],\"split_indices\":[0],"                   \
    "\"split_type\":[0],\"sum_hessian\":[1.0],\"tree_param\":{\"num_deleted\":\"0\","              \
    "\"num_feature\":\"2\",\"num_nodes\":\"1\",\"size_leaf_vector\":\"0\"}}]"
#define TAIL                                                                                       \
    "},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"5E-1\",\"num_class\":\"0\"," \
    "\"num_feature\":\"2\",\"num_target\":\"1\"},\"objective\":{\"name\":\"reg:squarederror\","    \
    "\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}},\"version\":[1,7,6]}"

const char models_plain[] =
    HEAD "{\"base_weights\":[0.0,0.0,0.0,0.0,0.0],\"categories\":[],\"categories_nodes\":[],"
         "\"categories_segments\":[],\"categories_sizes\":[],\"default_left\":[1,0,0,0,0],\"id\":0,"
         "\"left_children\":[1,-1,3,-1,-1],\"loss_changes\":[1.0,0.0,1.0,0.0,0.0],"
         "\"parents\":[2147483647,0,0,2,2],\"right_children\":[2,-1,4,-1,-1],"
         "\"split_conditions\":[5E-1,-1.0,2.0,10.0,20.0],\"split_indices\":[0,0,1,0,0],"
         "\"split_type\":[0,0,0,0,0],\"sum_hessian\":[5.0,1.0,4.0,1.0,1.0],\"tree_param\":{"
         "\"num_deleted\":\"0\",\"num_feature\":\"2\",\"num_nodes\":\"5\",\"size_leaf_vector\":"
         "\"0\"}}" LEAF TAIL;

const char models_category[] =
    HEAD "{\"base_weights\":[0.0,0.0,0.0],\"categories\":[1,3],\"categories_nodes\":[0],"
         "\"categories_segments\":[0],\"categories_sizes\":[2],\"default_left\":[1,0,0],\"id\":0,"
         "\"left_children\":[1,-1,-1],\"loss_changes\":[1.0,0.0,0.0],"
         "\"parents\":[2147483647,0,0],\"right_children\":[2,-1,-1],"
         "\"split_conditions\":[NaN,1.0,2.0],\"split_indices\":[0,0,0],\"split_type\":[1,0,0],"
         "\"sum_hessian\":[5.0,1.0,4.0],\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":"
         "\"2\",\"num_nodes\":\"3\",\"size_leaf_vector\":\"0\"}}" LEAF TAIL;

const char models_lightgbm[] =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n"
    "objective=regression\nfeature_names=a b\nfeature_infos=[0:9] 0:1:3:40\ntree_sizes=480 90\n\n"
    "Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nsplit_gain=2 1\nthreshold=0.5 0\n"
    "decision_type=2 1\nleft_child=-1 -2\nright_child=1 -3\nleaf_value=-1 10 20\n"
    "leaf_weight=5 3 2\nleaf_count=5 3 2\ninternal_value=0 0\ninternal_weight=0 5\n"
    "internal_count=10 5\ncat_boundaries=0 2\ncat_threshold=10 256\nis_linear=0\nshrinkage=1\n\n\n"
    "Tree=1\nnum_leaves=1\nnum_cat=0\nsplit_feature=\nleaf_value=0.25\nleaf_count=10\n"
    "is_linear=0\nshrinkage=1\n\n\nend of trees\n\nfeature_importances:\na=1\nb=1\n\nparameters:\n"
    "[boosting: gbdt]\n[categorical_feature: 1]\n[precise_float_parser: 0]\n\nend of parameters\n\n"
    "pandas_categorical:null\n";

char *models_edit(const char *text, const char *behind, const char *from, const char *to)
{
    const char *start = behind ? strstr(text, behind) : text,
               *at = start ? strstr(start, from) : NULL;
    size_t before;
    char *copy;

    ck_assert_msg(at != NULL, "no %s behind %s", from, behind ? behind : "the start");
    before = (size_t)(at - text);
    copy = mem_alloc(strlen(text) + strlen(to) + 1, 1);
    memcpy(copy, text, before);
    sprintf(copy + before, "%s%s", to, at + strlen(from));
    return copy;
}

/* ---- UBJSON */

struct bytes {
    char *data;
    size_t len, cap;
};

static void put(struct bytes *b, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        b->data = mem_grow(b->data, b->len, &b->cap, 1);
        b->data[b->len++] = ((const char *)data)[i];
    }
}

static void put_big_endian(struct bytes *b, uint64_t value, unsigned width)
{
    while (width-- > 0)
        put(b, &(char){(char)(value >> 8 * width)}, 1);
}

static void put_text(struct bytes *b, const char *text)
{
    put(b, "L", 1);
    put_big_endian(b, strlen(text), 8);
    put(b, text, strlen(text));
}

static void put_number(struct bytes *b, const json_t *json, char type)
{
    float real = (float)json_number_value(json);
    uint32_t bits;

    memcpy(&bits, &real, sizeof bits);
    put_big_endian(b, type == 'd' ? bits : (uint64_t)json_integer_value(json), type == 'L' ? 8 : 4);
}

static void put_value(struct bytes *b, const json_t *json)
{
    size_t count = json_array_size(json), i;
    const json_t *first = json_array_get(json, 0);
    const char *key;
    json_t *value;
    char type = json_is_real(first) ? 'd' : 'l';

    switch (json_typeof(json)) {
    case JSON_OBJECT:
        put(b, "{", 1);
        json_object_foreach((json_t *)json, key, value)
        {
            put_text(b, key);
            put_value(b, value);
        }
        put(b, "}", 1);
        return;
    case JSON_ARRAY:
        put(b, "[", 1);
        if (json_is_number(first))
            put(b, (char[]){'$', type}, 2);
        put(b, "#L", 2);
        put_big_endian(b, count, 8);
        for (i = 0; i < count; i++) {
            if (json_is_number(first))
                put_number(b, json_array_get(json, i), type);
            else
                put_value(b, json_array_get(json, i));
        }
        return;
    case JSON_STRING:
        put(b, "S", 1);
        put_text(b, json_string_value(json));
        return;
    default:
        put(b, "L", 1);
        put_number(b, json, 'L');
        return;
    }
}

char *models_binary(const char *text, size_t *len)
{
    json_t *json = json_loads(text, 0, NULL);
    struct bytes b = {0};

    ck_assert_ptr_nonnull(json);
    put_value(&b, json);
    json_decref(json);
    *len = b.len;
    return b.data;
}

/* ---- what becomes of them */

int models_parse(struct model **model, const char *data, size_t len, struct err *err)
{
    char *exact = malloc(len ? len : 1);
    int result;

    memcpy(exact, data, len);
    result = model_parse(model, "model", (struct slice){(const uint8_t *)exact, len}, NULL, err);
    free(exact);
    return result;
}

void models_score(const char *text, const float *row, double *margins, double *predictions)
{
    struct err err = ERR_INIT;
    struct model *model;
    void *scratch;

    ck_assert_msg(models_parse(&model, text, strlen(text), &err) == 0, "%s", err.text);
    scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);
    model_score(model, row, 1, margins, predictions, scratch);
    free(scratch);
    model_free(model);
}

float models_margin(const char *text, const float *row)
{
    double margin, prediction;

    models_score(text, row, &margin, &prediction);
    return (float)margin;
}

float models_prediction(const char *text, const float *row)
{
    double margin, prediction;

    models_score(text, row, &margin, &prediction);
    return (float)prediction;
}

const char *models_refusal(const char *data, size_t len)
{
    static struct err err;
    struct model *model;
    const char *text;

    err = (struct err)ERR_INIT;
    ck_assert_msg(models_parse(&model, data, len, &err) != 0, "not refused");
    ck_assert_ptr_null(model);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    ck_assert_ptr_null(strchr(err.text, '\n'));
    ck_assert_msg(strncmp(err.text, "model: ", 7) == 0, "%s", err.text);
    text = err.text + 7;
    if (strncmp(text, "byte ", 5) == 0 || strncmp(text, "line ", 5) == 0)
        text = strstr(text, ": ") + 2;
    return text;
}
