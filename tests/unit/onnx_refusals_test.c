/* ONNX: what is refused, in which words; and linear JSON. */
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/models.h"
#include "tests/onnx_text.h"

static const char trees[] =
    "input X 2\noutput Y\n"
    "node TreeEnsembleRegressor X > Y nodes_treeids=I:0,0,0 nodes_nodeids=I:0,1,2 "
    "nodes_featureids=I:0,0,0 nodes_modes=S:BRANCH_LEQ,LEAF,LEAF nodes_values=F:0.5,0,0 "
    "nodes_truenodeids=I:1,0,0 nodes_falsenodeids=I:2,0,0 n_targets=i:1 target_treeids=I:0,0 "
    "target_nodeids=I:1,2 target_ids=I:0,0 target_weights=F:1,2";

#define NODE(op) "node \"n\" (" op "): "
#define TREES NODE("TreeEnsembleRegressor")

static const struct {
    const char *from, *to, *why;
} refusals[] = {
    {"input", "ir 2\ninput", "ONNX IR version 2; 3 to 14 are read"},
    {"input", "ir 15\ninput", "ONNX IR version 15; 3 to 14 are read"},
    {"input", "opset ai.onnx.ml 6\ninput", "opsets 0 and ai.onnx.ml 6; up to 28 and 5 are read"},
    {"input", "opset main 29\ninput", "opsets 29 and ai.onnx.ml 0; up to 28 and 5 are read"},
    {"X 2", "X 2 int64", "input X: of another type than float or double: not read by this version"},
    {"X 2", "X 0", "input X: its shape is not [rows, columns] with the number of columns"},
    {"X 2", "X 1048577", "input X: too many columns"},
    {"input X 2\n", "", "the graph has no inputs"},
    {"output Y", "output Y int64",
     "0 of its 1 outputs may be scores, one must: labels alone, and several scores, are not read "
     "by "
     "this version"},
    {"output Y", "output Y\noutput Z",
     "2 of its 2 outputs may be scores, one must: labels alone, and several scores, are not read "
     "by "
     "this version"},
    {"output Y", "output Z", "no model node makes the value \"Z\""},
    {"X > Y", "Z > Y", "nothing makes the value \"Z\""},
    {"X > Y", "X > Z,Y", TREES "its output 1 is no score"},
    {"output Y", "output Z\nnode Tanh Y > Z", NODE("Tanh") "not read by this version"},
    {"X > Y", "R > Y", "nothing makes the value \"R\""},
    {"output Y", "output Z\nnode Identity Z > Z",
     NODE("Identity") "the graph is too deep, or goes in a circle"},
    {"output Y", "output Z\nnode Cast Y > Z to=i:7",
     NODE("Cast") "scores cast to type 7: not read by this version"},
    {"output Y", "output Z\nnode Mul Y,Y > Z",
     NODE("Mul") "an operand that is no float constant of 1 or 1 columns"},
    {"output Y", "output Z\ntensor C float 2 1,2\nnode Mul Y,C > Z",
     NODE("Mul") "an operand that is no float constant of 1 or 1 columns"},
    {"output Y", "output Z\nnode Normalizer Y > Z norm=s:L2",
     NODE("Normalizer") "a norm other than L1: not read by this version"},
    {"n_targets=i:1", "n_targets=i:0", TREES "it has no outputs, or more than 4096"},
    {"n_targets=i:1", "n_targets=i:4097", TREES "it has no outputs, or more than 4096"},
    {"n_targets=i:1", "n_targets=i:1 post_transform=s:PROBIT",
     TREES "post_transform PROBIT: not read by this version"},
    {"n_targets=i:1", "n_targets=i:1 aggregate_function=s:MIN",
     TREES "aggregate_function MIN: not read by this version; SUM and AVERAGE are"},
    {"n_targets=i:1", "n_targets=i:1 newest=i:1",
     TREES "attribute newest is not known, or comes twice"},
    {"n_targets=i:1", "n_targets=i:1 n_targets=i:1",
     TREES "attribute n_targets is not known, or comes twice"},
    {"n_targets=i:1", "n_targets=i:1 base_values=F:1,2", TREES "2 base_values for 1 targets"},
    {"nodes_values=F:0.5,0,0", "nodes_values_as_tensor=D:0.5,0,0",
     TREES "nodes_values_as_tensor with rows of float: ONNX Runtime does not load it"},
    {"nodes_values=F", "nodes_values=I", TREES "nodes_values is no list of floats"},
    {"nodes_values=F:0.5,0,0", "nodes_values=F:0.5,0",
     TREES "nodes_values has 2 entries for 3 nodes"},
    {"nodes_modes=S:BRANCH_LEQ,LEAF,LEAF", "nodes_modes=S:BRANCH_MEMBER,LEAF,LEAF",
     TREES "nodes_modes[0] is none that is known"},
    {"nodes_modes=S:BRANCH_LEQ,LEAF,LEAF", "nodes_modes=S:", TREES "no trees"},
    {"nodes_treeids=I:0,0,0", "nodes_treeids=I:0,0,5000000000",
     TREES "nodes_treeids is no list of whole numbers below 2^31"},
    {"nodes_treeids=I:0,0,0", "nodes_treeids=I:0,1,0",
     TREES "the nodes of a tree do not lie together"},
    {"nodes_treeids=I:0,0,0", "nodes_treeids=I:0,0",
     TREES "nodes_treeids has 2 entries for 3 nodes"},
    {"nodes_nodeids=I:0,1,2", "nodes_nodeids=I:0,1,1", TREES "tree 0 has two nodes 1"},
    {"nodes_featureids=I:0,0,0", "nodes_featureids=I:2,0,0",
     TREES "tree 0 node 0: feature 2 of a row of 2"},
    {"nodes_featureids=I:0,0,0", "nodes_featureids=I:-1,0,0",
     TREES "tree 0 node 0: feature -1 of a row of 2"},
    {"nodes_truenodeids=I:1,0,0", "nodes_truenodeids=I:3,0,0",
     TREES "tree 0 node 0: child 3 is not there"},
    {"nodes_truenodeids=I:1,0,0", "nodes_truenodeids=I:2,0,0",
     TREES "tree 0 node 1: nothing leads there"},
    {"nodes_truenodeids=I:1,0,0", "nodes_truenodeids=I:0,0,0",
     TREES "tree 0: its nodes lead in a circle, or share more than 262144 branches"},
    {"target_nodeids=I:1,2", "target_nodeids=I:1,3",
     TREES "a weight is for node 3 of tree 0, which is not there"},
    {"target_nodeids=I:1,2", "target_nodeids=I:1,1",
     TREES "tree 0 node 1: two weights for output 0"},
    {"target_nodeids=I:1,2", "target_nodeids=I:1,0",
     TREES "tree 0 node 2: a leaf without a weight"},
    {"target_ids=I:0,0", "target_ids=I:0,1", TREES "target_ids[1] is 1 of 1"},
    {"target_ids=I:0,0", "target_ids=I:0", TREES "target_ids has 1 entries for 2 weights"},
    {"n_targets=i:1", "n_targets=i:2 base_values=F:1,2 target_weights=F:1,2 n=i:1",
     TREES "attribute n is not known, or comes twice"},
};

static void check(const char *text, const char *why)
{
    size_t len;
    char *data = onnx_text_write(text, false, &len);

    ck_assert_str_eq(models_refusal(data, len), why);
    free(data);
}

START_TEST(what_onnxruntime_would_score_otherwise_is_refused)
{
    char *text = models_edit(trees, NULL, refusals[_i].from, refusals[_i].to);

    check(text, refusals[_i].why);
    free(text);
}
END_TEST

#define CLASSIFIER(more)                                                                           \
    "input X 2\noutput L int64\noutput P\nnode TreeEnsembleClassifier X > L,P "                    \
    "nodes_treeids=I:0,0,0 nodes_nodeids=I:0,1,2 nodes_featureids=I:0,0,0 "                        \
    "nodes_modes=S:BRANCH_LEQ,LEAF,LEAF nodes_values=F:0.5,0,0 nodes_truenodeids=I:1,0,0 "         \
    "nodes_falsenodeids=I:2,0,0 class_treeids=I:0,0 class_nodeids=I:1,2 class_weights=F:1,2 " more
#define CLASSES NODE("TreeEnsembleClassifier")
#define BEFORE(node) "input X 2\noutput Y\n" node "\nnode LinearRegressor R > Y coefficients=F:1,2"

static const struct {
    const char *text, *why;
} others[] = {
    {CLASSIFIER("classlabels_int64s=I:0 class_ids=I:0,0"),
     CLASSES "a classifier of one class: not read by this version"},
    {CLASSIFIER("classlabels_int64s=I:0,1 class_ids=I:0,0 base_values=F:1,2"),
     CLASSES "two base_values for one column of weights"},
    {CLASSIFIER("classlabels_int64s=I:0,1 class_ids=I:1,1 base_values=F:1"),
     CLASSES "base_values for two classes with weights of class 1: ONNX Runtime's result makes no "
             "sense"},
    {CLASSIFIER("classlabels_int64s=I:0,1 class_ids=I:0,1"),
     CLASSES "leaves without a weight of class 1: ONNX Runtime's result then depends on the row"},
    {CLASSIFIER("classlabels_int64s=I:0,1,2 class_ids=I:0,1 base_values=F:1"),
     CLASSES "1 base_values for 3 classes"},
    {BEFORE("node OneHotEncoder X > R"),
     NODE("OneHotEncoder") "before the model: not read by this version"},
    {BEFORE("node Scaler X > R offset=F:1 scale=F:1,2"),
     NODE("Scaler") "offset and scale are not one for each of 2 columns"},
    {BEFORE("node Imputer X > R imputed_value_floats=F:1,2,3"),
     NODE("Imputer") "imputed_value_floats are not one for each of 2 columns"},
    {BEFORE("node Cast X > R to=i:6"),
     NODE("Cast") "a row cast to type 6: not read by this version"},
    {BEFORE("node Cast X > R to=i:11"),
     NODE("LinearRegressor") "on doubles: not read by this version; export with float inputs"},
    {BEFORE("tensor I int64 1 2\nnode Gather X,I > R axis=i:1"), NODE("Gather") "column 2 of 2"},
    {BEFORE("tensor I int64 2 0,1\nnode Gather X,I > R axis=i:0"),
     NODE("Gather") "columns that are no constant list"},
    {BEFORE("node Add X,X > R"),
     NODE("Add") "an operand that is no float constant of 1 or 2 columns"},
    {BEFORE("tensor C float - 1,2\nnode Add X,C > R"),
     NODE("Add") "an operand that is no float constant of 1 or 2 columns"},
    {BEFORE("tensor C float 3x2 1,2\nnode Add X,C > R"),
     NODE("Add") "an operand that is no float constant of 1 or 2 columns"},
    {BEFORE("node Concat R,X > R axis=i:1"),
     NODE("Concat") "the graph is too deep, or goes in a circle"},
    {"input X 3\noutput Y\nnode LinearRegressor X > Y coefficients=F:1,2",
     NODE("LinearRegressor") "2 coefficients and 0 intercepts for 3 columns and 1 outputs"},
};

START_TEST(graphs_that_are_not_known_are_refused)
{
    check(others[_i].text, others[_i].why);
}
END_TEST

START_TEST(bytes_that_are_no_message_are_refused)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } cases[] = {
        {"\x08\x08", 2, "not an ONNX file: it has no graph"},
        {"\x08\x08\x3a\x05", 4, "not a whole ONNX file: its outermost message is damaged"},
        {"\x08\x08\x3b", 3, "not a whole ONNX file: its outermost message is damaged"},
        {"\x08\x08\x3a\x02\x0a\x05", 6, "not a whole ONNX file: the graph is damaged"},
        {"\x08\x08\x3a\x03\x0a\x01\x0a", 7, "not a whole ONNX file: a node is damaged"},
        {"\x08\x08\x3a\x02\x5a\x00", 6, "not a whole ONNX file: an input or output is damaged"},
        {"\x08\x08\x3a\x00\x3a\x00", 6, "two graphs"},
        {"\x08\x08\xca\x01\x00", 5, "functions: not read by this version"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(models_refusal(cases[i].bytes, cases[i].len), cases[i].why);
}
END_TEST

#define LOOP(case_, test, table)                                                                   \
    tcase_add_loop_test(harness_case(suite, case_, NULL, 0), test, 0,                              \
                        sizeof(table) / sizeof(table)[0])

SUITE(onnx_refusals)
{
    LOOP("trees", what_onnxruntime_would_score_otherwise_is_refused, refusals);
    LOOP("graphs", graphs_that_are_not_known_are_refused, others);
    CASE("bytes", bytes_that_are_no_message_are_refused);
}
