#include "tests/fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/sha256.h"
#include "tests/harness.h"

#define TREE(id, low, high)                                                                        \
    "{\"base_weights\":[0,0,0],\"categories\":[],\"categories_nodes\":[],\"categories_segments\":" \
    "[],"                                                                                          \
    "\"categories_sizes\":[],\"default_left\":[1,0,0],\"id\":" #id                                 \
    ",\"left_children\":[1,-1,-1],\"loss_changes\":[1,0,0],\"parents\":[2147483647,0,0],"          \
    "\"right_children\":[2,-1,-1],\"split_conditions\":[1," #low "," #high                         \
    "],\"split_indices\":[0,0,0],\"split_type\":[0,0,0],\"sum_hessian\":[2,1,1],"                  \
    "\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"1\",\"num_nodes\":\"3\","             \
    "\"size_leaf_vector\":\"0\"}}"

#define MODEL(count, info, trees, classes, objective)                                              \
    "{\"learner\":{\"attributes\":{},\"feature_names\":[\"x\"],\"feature_types\":[\"float\"],"     \
    "\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\","        \
    "\"num_trees\":\"" #count "\",\"size_leaf_vector\":\"0\"},\"tree_info\":" info                 \
    ",\"trees\":[" trees                                                                           \
    "]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"5E-1\",\"num_class\":"      \
    "\"" #classes "\",\"num_feature\":\"1\",\"num_target\":\"1\"},\"objective\":" objective        \
    "},\"version\":[1,7,4]}"

static const char one[] =
    MODEL(1, "[0]", TREE(0, -0.5, 0.5), 0,
          "{\"name\":\"binary:logistic\",\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}");

static const char three[] =
    MODEL(3, "[0,1,2]", TREE(0, -0.5, 0.5) "," TREE(1, 0, 1) "," TREE(2, 2, -1), 3,
          "{\"name\":\"multi:softprob\",\"softmax_multiclass_param\":{\"num_class\":\"3\"}}");

#define FIRST "version = 1\nformat = xgboost"

static const char linear[] =
    "{\"format\":\"kscore-linear\",\"version\":1,\"link\":\"identity\",\"features\":[\"x\",\"n\"],"
    "\"intercept\":[1000],\"coefficients\":[[1,2]]}";

/* head: version and format; output: lines of that section; features: those behind x. */
static void write_bundle(const char *folder, const char *model, const char *head,
                         const char *output, const char *features)
{
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[{\"name\":\"x\",\"type\":\"double\"},"
        "{\"name\":\"note\",\"type\":\"string\"}]}";
    char ini[1000], hex[SHA256_HEX + 1], schemas[300];
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, model, strlen(model));
    sha256_hex(&hash, hex);
    snprintf(ini, sizeof ini,
             "[model]\nname = tiny\n%s\nfile = model.json\nsha256 = %s\n"
             "[output]\n%s\nname = p\nthresholds = 0.5 high\nbelow = low\n"
             "[features]\nx = x : number, required\n%s",
             head, hex, output, features);
    harness_write(folder, "model.json", model, strlen(model));
    harness_write(folder, "model.ini", ini, strlen(ini));
    snprintf(schemas, sizeof schemas, "%s/schemas", folder);
    mkdir(schemas, 0755);
    harness_write(schemas, "1.avsc", schema, sizeof schema - 1);
}

void fixture_bundle(const char *folder)
{
    write_bundle(folder, one, FIRST, "kind = probability", "");
}

void fixture_bundle_of_three(const char *folder)
{
    write_bundle(folder, three, FIRST, "kind = margin\nindex = 2", "");
}

void fixture_bundle_linear(const char *folder)
{
    write_bundle(folder, linear, "version = 2\nformat = linear", "kind = value",
                 "n = n : number, required\n");
}

int fixture_config_parse(struct config *config, const char *text, const char *override,
                         struct err *err)
{
    struct config_overrides overrides = {&override, override ? 1 : 0};

    return config_parse(config, "k.ini", text, strlen(text), &overrides, err);
}

void fixture_config(struct config *config, const char *text)
{
    struct err err = ERR_INIT;

    ck_assert_msg(fixture_config_parse(config, text, NULL, &err) == 0, "%s", err.text);
}

void fixture_config_fails(const char *text, const char *override, enum exit_code code,
                          const char *want)
{
    struct err err = ERR_INIT;
    struct config config;

    ck_assert_msg(fixture_config_parse(&config, text, override, &err) == -1, "accepted: %s", text);
    ck_assert_msg(strstr(err.text, want) != NULL, "got \"%s\", want \"%s\"", err.text, want);
    ck_assert_int_eq(err.exit_code, code);
    ck_assert_int_eq(err.kind, ERR_FATAL);
}
