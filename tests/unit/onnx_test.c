/* ONNX: what ONNX Runtime makes of trees and of what stands around them. The figures are those that
 * it gave for the same files (tests/onnx_versions.py compares live). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/harness.h"
#include "tests/models.h"
#include "tests/onnx_text.h"

/* x0 <= 0.5 ? 1 : (x1 <= 2 ? 10 : 20) */
#define STUMP                                                                                      \
    "nodes_treeids=I:0,0,0,0,0 nodes_nodeids=I:0,1,2,3,4 nodes_featureids=I:0,0,1,0,0 "            \
    "nodes_modes=S:BRANCH_LEQ,LEAF,BRANCH_LEQ,LEAF,LEAF nodes_values=F:0.5,0,2,0,0 "               \
    "nodes_truenodeids=I:1,0,3,0,0 nodes_falsenodeids=I:2,0,4,0,0"
#define TARGETS                                                                                    \
    " n_targets=i:1 target_treeids=I:0,0,0 target_nodeids=I:1,3,4 target_ids=I:0,0,0 "             \
    "target_weights=F:1,10,20"
#define CLASSES(labels, ids)                                                                       \
    " classlabels_int64s=I:" labels " class_treeids=I:0,0,0 class_nodeids=I:1,3,4 "                \
    "class_ids=I:" ids " class_weights=F:-1,1,2"

static const char regressor[] =
    "input X 2\noutput Y\nnode TreeEnsembleRegressor X > Y " STUMP TARGETS;
static const char binary[] = "input X 2\noutput L int64\noutput P\n"
                             "node TreeEnsembleClassifier X > L,P " STUMP CLASSES("0,1", "0,0,0");
static const char classes[] =
    "input X 2\noutput L int64\noutput P\n"
    "node TreeEnsembleClassifier X > L,P " STUMP CLASSES("0,1,2", "0,1,2");

static struct model *parse(const char *text, bool is_packed)
{
    struct err err = ERR_INIT;
    struct model *model;
    size_t len;
    char *data = onnx_text_write(text, is_packed, &len);

    ck_assert_msg(models_parse(&model, data, len, &err) == 0, "%s", err.text);
    free(data);
    return model;
}

struct outcome {
    double margins[4], scores[4];
};

static struct outcome score(const struct model *model, const float *row)
{
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);
    struct outcome o = {0};

    ck_assert_uint_le(model_margin_count(model), 4);
    model_score(model, row, 1, o.margins, o.scores, scratch);
    free(scratch);
    return o;
}

/* The file, as `from` becomes `to`, gives that margin and score for the row. */
struct sample {
    const char *text, *from, *to;
    float row[3];
    double margin, score;
};

static void check(const struct sample *s)
{
    char *text = models_edit(s->text, NULL, s->from, s->to);

    for (int is_packed = 0; is_packed < 2; is_packed++) {
        struct model *model = parse(text, is_packed);
        struct outcome got = score(model, s->row);
        ck_assert_bits((float)got.margins[0], (float)s->margin);
        ck_assert_bits((float)got.scores[0], (float)s->score);
        model_free(model);
    }
    free(text);
}

#define ROOT "nodes_modes=S:BRANCH_LEQ,"
#define TRACKS "nodes_values", "nodes_missing_value_tracks_true=I:1,0,0,0,0 nodes_values"

static const struct sample branches[] = {
    {regressor, "X", "X", {0.5f, 2}, 1, 1},
    {regressor, "X", "X", {0.6f, 2}, 10, 10},
    {regressor, "X", "X", {0.6f, 3}, 20, 20},
    {regressor, ROOT, "nodes_modes=S:BRANCH_LT,", {0.5f, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_LT,", {0.4f, 2}, 1, 1},
    {regressor, ROOT, "nodes_modes=S:BRANCH_GTE,", {0.5f, 2}, 1, 1},
    {regressor, ROOT, "nodes_modes=S:BRANCH_GTE,", {0.4f, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_GT,", {0.5f, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_GT,", {0.6f, 2}, 1, 1},
    {regressor, ROOT, "nodes_modes=S:BRANCH_EQ,", {0.5f, 2}, 1, 1},
    {regressor, ROOT, "nodes_modes=S:BRANCH_EQ,", {0.4f, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_NEQ,", {0.5f, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_NEQ,", {0.4f, 2}, 1, 1},
    /* missing: the false branch, of != the true one; or the true one where it says so */
    {regressor, "X", "X", {NAN, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_GTE,", {NAN, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_EQ,", {NAN, 2}, 10, 10},
    {regressor, ROOT, "nodes_modes=S:BRANCH_NEQ,", {NAN, 2}, 1, 1},
    {regressor, TRACKS, {NAN, 2}, 1, 1},
    {regressor,
     "nodes_modes=S:BRANCH_LEQ,",
     "nodes_missing_value_tracks_true=I:1,0,0,0,0 nodes_modes=S:BRANCH_GT,",
     {NAN, 2},
     1,
     1},
    /* thresholds that nothing reaches */
    {regressor, "F:0.5,", "F:nan,", {0, 2}, 10, 10},
    {regressor, "F:0.5,", "F:inf,", {INFINITY, 2}, 1, 1},
    {regressor, "F:0.5,", "F:-0.0,", {0, 2}, 1, 1},
};

static const struct sample sums[] = {
    {regressor, " n_targets", " base_values=F:0.25 n_targets", {0, 0}, 1.25, 1.25},
    {regressor, " n_targets", " aggregate_function=s:AVERAGE n_targets", {0, 0}, 1, 1},
    /* a regressor of one target keeps its sum, whatever the transform */
    {regressor, " n_targets", " post_transform=s:LOGISTIC n_targets", {0, 0}, 1, 1},
    /* ids in any order: the first node of a tree is its root */
    {regressor, "nodes_nodeids=I:0,1,2,3,4", "nodes_nodeids=I:0,3,2,1,4", {0, 0}, 1, 1},
    /* doubles: x is compared as a double, the sum is one */
    {regressor, "X 2\noutput Y", "X 2 double\noutput Y", {0.5f, 2}, 1, 1},
    /* two classes, one column: class 1's score; negative weights, and none */
    {binary, "X", "X", {0, 0}, -1, -1},
    {binary, " class_ids", " post_transform=s:LOGISTIC class_ids", {0, 0}, -1, 0.268941402},
    {binary, " class_ids", " post_transform=s:LOGISTIC class_ids", {1, 0}, 1, 0.7310586},
    {binary, " class_ids", " base_values=F:0.5 class_ids", {0, 0}, -0.5, -0.5},
    {binary, "F:-1,1,2", "F:0.1,0.2,0.3 post_transform=s:LOGISTIC", {1, 0}, 0.2f, 0.2f},
    /* two classes, two columns: the other one has no weight */
    {binary,
     "class_ids=I:0,0,0",
     "class_ids=I:1,1,1 post_transform=s:LOGISTIC",
     {1, 3},
     2,
     0.880797},
    {binary,
     "class_ids=I:0,0,0",
     "class_ids=I:1,1,1 post_transform=s:SOFTMAX",
     {1, 3},
     0,
     0.880797},
    /* three classes */
    {classes, "X", "X", {0, 0}, -1, -1},
    {classes, " class_ids", " base_values=F:3,4,5 class_ids", {1, 0}, 3, 3},
    {classes, " class_ids", " post_transform=s:SOFTMAX class_ids", {0, 0}, -1, 0.155362412},
    {classes, " class_ids", " post_transform=s:SOFTMAX_ZERO class_ids", {0, 0}, -1, 1},
};

START_TEST(a_branch_sends_a_row_where_onnxruntime_does)
{
    check(&branches[_i]);
}
END_TEST

START_TEST(sums_become_scores_as_onnxruntime_has_it)
{
    check(&sums[_i]);
}
END_TEST

/* The model of regressor or binary behind and before other nodes. */
#define BEFORE(nodes)                                                                              \
    "input X 2\noutput Y\n" nodes "\nnode TreeEnsembleRegressor R > Y " STUMP TARGETS
#define AFTER(nodes)                                                                               \
    "input X 2\noutput Y\n" nodes "\nnode TreeEnsembleRegressor X > S " STUMP TARGETS
#define BINARY(nodes)                                                                              \
    "input X 2\noutput L int64\noutput Y\n" nodes                                                  \
    "\nnode TreeEnsembleClassifier X > L,P " STUMP CLASSES("0,1",                                  \
                                                           "0,0,0") " post_transform=s:LOGISTIC"

static const struct sample graphs[] = {
    {BEFORE("node Identity X > R"), "X", "X", {0, 0}, 1, 1},
    {BEFORE("node Cast X > R to=i:1"), "X", "X", {0, 0}, 1, 1},
    {BEFORE("node Cast X > R to=i:11"), "X", "X", {0, 0}, 1, 1},
    {BEFORE("node Scaler X > R offset=F:10,1 scale=F:2,1"), "X", "X", {10.5f, 2}, 10, 10},
    {BEFORE("node Scaler X > R offset=F:10 scale=F:2"), "X", "X", {10.25f, 2}, 1, 1},
    {BEFORE("node Imputer X > R imputed_value_floats=F:1,3 replaced_value_float=f:nan"),
     "X",
     "X",
     {NAN, NAN},
     20,
     20},
    {BEFORE("node Imputer X > R imputed_value_floats=F:1,3 replaced_value_float=f:-9"),
     "X",
     "X",
     {-9, -9},
     20,
     20},
    {BEFORE("tensor I int64 2 1,0\nnode ArrayFeatureExtractor X,I > R"), "X", "X", {2, 1}, 10, 10},
    {BEFORE("tensor I int64 1 1\ntensor J int64 1 0\nnode Gather X,I > A axis=i:1\n"
            "node ArrayFeatureExtractor X,J > B\nnode Concat A,B > R axis=i:1"),
     "X",
     "X",
     {2, 1},
     10,
     10},
    {BEFORE("tensor M float 2 2,1\ntensor A float 1x2 0,-3\nnode Mul X,M > T\nnode Add A,T > R"),
     "X",
     "X",
     {0.25f, 0},
     1,
     1},
    {BEFORE("tensor M float 2 2,1\ntensor A float 1 3\nnode Div X,M > T\nnode Sub T,A > R"),
     "X",
     "X",
     {8, 5},
     10,
     10},
    {BEFORE("tensor S int64 2 -1,2\nnode Reshape X,S > T\nnode Flatten T > R axis=i:1"),
     "X",
     "X",
     {0, 0},
     1,
     1},
    {BEFORE("node Concat X,Z > R axis=i:1\ninput Z 1"), "X", "X", {0, 0, 0}, 1, 1},
    {AFTER("tensor S int64 1 -1\nnode Reshape S,S > Q\nnode Reshape S,S > Z\nnode Reshape S,S > "
           "W"),
     "node Reshape S,S > Q\nnode Reshape S,S > Z\nnode Reshape S,S > W",
     "node Identity S > Y",
     {0, 0},
     1,
     1},
    {AFTER("tensor C float 1 4\nnode Mul S,C > T\nnode Add C,T > U\nnode Sub C,U > Y"),
     "X",
     "X",
     {0, 0},
     1,
     -4},
    {AFTER("tensor C float 1 4\nnode Div S,C > T\nnode Sub T,C > Y"), "X", "X", {0, 0}, 1, -3.75},
    {AFTER("tensor C float 1 4\nnode Div C,S > Y"), "X", "X", {1, 0}, 10, 0.4f},
    {AFTER("node Exp S > Y"), "X", "X", {0, 0}, 1, 2.7182817f},
    {BINARY("node ZipMap P > Y classlabels_int64s=I:0,1"),
     "output Y",
     "output Y map",
     {0, 0},
     -1,
     0.268941402},
    {BINARY("node Cast L > M to=i:7\nnode Identity P > Y"),
     "L int64",
     "M int64",
     {0, 0},
     -1,
     0.268941402},
    {BINARY("node Normalizer P > Y norm=s:L1"), "X", "X", {0, 0}, -1, 0.268941402},
    /* LightGBM's random forests: class 1 divided, class 0 what is left */
    {BINARY("tensor I int64 1 1\ntensor D float 1 2\ntensor O float 1 1\n"
            "node ArrayFeatureExtractor P,I > A\nnode Div A,D > B\nnode Sub O,B > C\n"
            "node Concat C,B > Y axis=i:1"),
     "X",
     "X",
     {0, 0},
     -1,
     0.134470701},
};

START_TEST(what_stands_around_a_model_is_done_as_onnxruntime_does_it)
{
    check(&graphs[_i]);
}
END_TEST

START_TEST(a_model_of_several_outputs_has_a_score_for_each)
{
    struct model *model = parse(classes, false);
    struct outcome got = score(model, (float[]){1, 3});

    ck_assert_uint_eq(model_margin_count(model), 3);
    ck_assert_uint_eq(model_score_count(model), 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert(got.scores[i] == (i == 2 ? 2 : 0) && got.margins[i] == got.scores[i]);
    model_free(model);
}
END_TEST

START_TEST(leaves_of_several_weights_add_to_several_outputs)
{
    char *text = models_edit(classes, NULL, "class_treeids=I:0,0,0 class_nodeids=I:1,3,4",
                             "class_treeids=I:0,0,0 class_nodeids=I:1,3,3");
    struct model *model = parse(text, true);
    struct outcome got = score(model, (float[]){1, 0});

    ck_assert(got.scores[0] == 0 && got.scores[1] == 1 && got.scores[2] == 2);
    got = score(model, (float[]){1, 3}); /* no weight at all */
    ck_assert(got.scores[0] == 0 && got.scores[1] == 0 && got.scores[2] == 0);
    model_free(model);
    free(text);
}
END_TEST

START_TEST(branches_that_are_shared_are_walked_from_both_sides)
{
    char *text = models_edit(regressor, NULL, "nodes_truenodeids=I:1,0,3,0,0",
                             "nodes_truenodeids=I:1,0,1,0,0");
    char *shared = models_edit(text, NULL, "BRANCH_LEQ,LEAF,LEAF", "BRANCH_LEQ,LEAF,LEAF");
    struct err err = ERR_INIT;
    struct model *model;
    size_t len;
    char *data = onnx_text_write(shared, false, &len);

    ck_assert_int_ne(models_parse(&model, data, len, &err), 0); /* node 3 has no way to it now */
    ck_assert_msg(strstr(err.text, "tree 0 node 3: nothing leads there") != NULL, "%s", err.text);
    free(data);
    free(shared);
    shared =
        models_edit(text, NULL, "nodes_falsenodeids=I:2,0,4,0,0", "nodes_falsenodeids=I:2,0,3,4,0");
    free(text);
    text = models_edit(shared, NULL, "S:BRANCH_LEQ,LEAF,BRANCH_LEQ,LEAF,LEAF",
                       "S:BRANCH_EQ,LEAF,BRANCH_EQ,BRANCH_EQ,LEAF");
    free(shared);
    shared =
        models_edit(text, NULL, "nodes_truenodeids=I:1,0,1,0,0", "nodes_truenodeids=I:1,0,1,1,0");
    free(text);
    text = models_edit(shared, NULL, "target_nodeids=I:1,3,4", "target_nodeids=I:1,2,4");
    model = parse(text, false);
    ck_assert(score(model, (float[]){0.5f, 7}).scores[0] == 1); /* three ways to node 1 */
    ck_assert(score(model, (float[]){0, 2}).scores[0] == 1);
    ck_assert(score(model, (float[]){3, 3}).scores[0] == 20);
    model_free(model);
    free(text);
    free(shared);
}
END_TEST

START_TEST(inputs_of_one_column_are_features_with_their_names)
{
    struct model *model = parse("input speed 1\ninput height 1\noutput Y\n"
                                "node Concat speed,height > R axis=i:1\n"
                                "node TreeEnsembleRegressor R > Y " STUMP TARGETS,
                                false);

    ck_assert_uint_eq(model_feature_count(model), 2);
    ck_assert_str_eq(model_feature_name(model, 0), "speed");
    ck_assert_str_eq(model_feature_name(model, 1), "height");
    ck_assert_uint_eq(model_split_count(model, 1), 1);
    ck_assert(score(model, (float[]){1, 0}).scores[0] == 10);
    model_free(model);
    model = parse(regressor, false);
    ck_assert_ptr_null(model_feature_name(model, 0));
    ck_assert_str_eq(model_summary(model),
                     "ONNX of kscore-test 1, regressor of 1 target, 1 trees, 5 nodes, 2 features");
    model_free(model);
}
END_TEST

START_TEST(a_file_that_ends_early_is_refused_wherever_it_ends)
{
    struct err err = ERR_INIT;
    struct model *model;
    size_t len;
    char *data = onnx_text_write(regressor, true, &len);

    for (size_t i = 0; i < len; i++) {
        /* without its last opset it is a whole file that uses none of it */
        if (models_parse(&model, data, i, &err) == 0) {
            ck_assert_uint_eq(i, len - 6);
            model_free(model);
        }
        err = (struct err)ERR_INIT;
    }
    free(data);
}
END_TEST

#define LINEAR "input X 2\noutput Y\nnode LinearRegressor X > Y coefficients=F:2,0.5 intercepts=F:1"
#define LOGISTIC                                                                                   \
    "input X 2\noutput L int64\noutput P\nnode LinearClassifier X > L,P classlabels_ints=I:0,1 "   \
    "coefficients=F:-2,0,2,0 intercepts=F:-1,1 multi_class=i:0 post_transform=s:LOGISTIC"
#define MATRIX                                                                                     \
    "input X 2\noutput L int64\noutput P\ntensor W float 2x1 2,0\ntensor B float 1 1\n"            \
    "tensor U float 1 1\nnode MatMul X,W > A\nnode Add A,B > C\nnode Sigmoid C > D\n"              \
    "node Sub U,D > E\nnode Concat E,D > P axis=i:1"

static const struct sample linear[] = {
    {LINEAR, "X", "X", {3, 4}, 9, 9},
    {LINEAR, "X", "X", {NAN, 4}, NAN, NAN},
    {LOGISTIC, "X", "X", {0, 4}, 1, 0.7310586},
    {LOGISTIC, "LOGISTIC", "SOFTMAX", {0, 4}, -1, 0.880797},
    {MATRIX, "X", "X", {-1, 4}, -1, 0.268941402},
    {MATRIX,
     "node MatMul X,W > A\nnode Add A,B > C",
     "node Gemm X,W,B > C",
     {-1, 4},
     -1,
     0.268941402},
};

START_TEST(linear_models_are_scored_and_said_to_be_only_close)
{
    const struct sample *s = &linear[_i];
    char *text = models_edit(s->text, NULL, s->from, s->to);
    struct model *model = parse(text, true);
    struct outcome got = score(model, s->row);

    ck_assert_ptr_nonnull(strstr(model_close_reason(model), "rounds differently"));
    ck_assert_uint_eq(model_score_count(model), 1);
    ck_assert(isnan(s->margin) ? isnan(got.margins[0]) : got.margins[0] == s->margin);
    ck_assert(isnan(s->score) ? isnan(got.scores[0]) : fabs(got.scores[0] - s->score) < 1e-6);
    model_free(model);
    free(text);
}
END_TEST

START_TEST(trees_are_exact)
{
    struct model *model = parse(binary, true);

    ck_assert_ptr_null(model_close_reason(model));
    model_free(model);
}
END_TEST

#define LOOP(case_, test, table)                                                                   \
    tcase_add_loop_test(harness_case(suite, case_, NULL, 0), test, 0,                              \
                        sizeof(table) / sizeof(table)[0])

SUITE(onnx)
{
    CASE("files", a_model_of_several_outputs_has_a_score_for_each,
         leaves_of_several_weights_add_to_several_outputs,
         branches_that_are_shared_are_walked_from_both_sides,
         inputs_of_one_column_are_features_with_their_names,
         a_file_that_ends_early_is_refused_wherever_it_ends, trees_are_exact);
    LOOP("branches", a_branch_sends_a_row_where_onnxruntime_does, branches);
    LOOP("sums", sums_become_scores_as_onnxruntime_has_it, sums);
    LOOP("graphs", what_stands_around_a_model_is_done_as_onnxruntime_does_it, graphs);
    LOOP("linear", linear_models_are_scored_and_said_to_be_only_close, linear);
}
