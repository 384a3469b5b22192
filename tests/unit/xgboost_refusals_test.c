/* The XGBoost reader: what it refuses, in which words. */
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/models.h"

static const struct {
    const char *behind, *from, *to, *why;
} refusals[] = {
    {NULL, "[1,7,6]", "[4,0,0]", "written by XGBoost 4.0.0; 1.0 to 3.x are read"},
    {NULL, "[1,7,6]", "[0,90,0]", "written by XGBoost 0.90.0; 1.0 to 3.x are read"},
    {NULL, "[1,7,6]", "[1,7]", "version is not [major, minor, patch]"},
    {NULL, "[1,7,6]", "[1,7,6.5]", "version is not [major, minor, patch]"},
    {NULL, ",\"version\":[1,7,6]", "", "not a whole XGBoost model: version is missing"},
    {NULL, "\"name\":\"gbtree\"", "\"name\":\"gblinear\"",
     "booster gblinear does not hold what its name says"},
    {NULL, "\"name\":\"gbtree\"", "\"name\":\"dart\"",
     "booster dart does not hold what its name says"},
    {NULL, "\"gradient_booster\":{", "\"gradient_booster\":{\"gbtree\":{},",
     "booster gbtree does not hold what its name says"},
    {NULL, "\"name\":\"gbtree\"", "\"name\":\"gbtree\",\"weight_drop\":[1.0,0.5]",
     "weight_drop of a booster that is not named dart"},
    {NULL, "\"tree_info\"", "\"weight_drop\":[1.0,0.5],\"tree_info\"",
     "weight_drop of a booster that is not named dart"},
    {NULL, "\"tree_info\"", "\"weights\":[1.0],\"tree_info\"",
     "booster gbtree does not hold what its name says"},
    {"num_class", "\"0\"", "\"65537\"", "num_class is no number from 0 to 65536"},
    {NULL, "\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"1\"",
     "\"num_class\":\"3\",\"num_feature\":\"2\",\"num_target\":\"2\"", "3 classes of 2 targets"},
    {"num_trees", "\"size_leaf_vector\":\"0\"", "\"size_leaf_vector\":\"2\"",
     "size_leaf_vector is no number from 0 to 1"},
    {"num_nodes", "\"size_leaf_vector\":\"0\"", "\"size_leaf_vector\":\"3\"",
     "tree 0: its leaves are not of 3 values"},
    {NULL, "\"base_weights\"", "\"leaf_weights\"", "tree 0: leaf_weights for leaves of one value"},
    {NULL, "\"base_weights\"", "\"leaf_scale\"", "tree 0: unknown field leaf_scale"},
    {NULL, "reg:squarederror", "multi:softprob", "objective multi:softprob without num_class"},
    {NULL, "reg:squarederror", "reg:newest", "objective reg:newest is not known to this version"},
    {"base_score", "\"5E-1\"", "\"[5E-1,1E0]\"", "2 base scores for 1 outputs"},
    {"base_score", "\"5E-1\"", "\"[5E-1,]\"", "base_score is no number: [5E-1,]"},
    {"base_score", "\"5E-1\"", "\"[5E-1\"", "base_score is no number: [5E-1"},
    {NULL, "\"base_score\":", "\"base_score\":0.5,\"base_score\":", "base_score comes twice"},
    {"base_score", "\"5E-1\"", "\"half\"", "base_score is no number: half"},
    {"base_score", "\"5E-1\"", "\"\"", "base_score is no number: "},
    {"base_score", "\"5E-1\"", "\"[]\"", "base_score is no number: []"},
    {"base_score", "\"5E-1\"", "\"NaN\"", "base_score is no number: NaN"},
    {"base_score", "\"5E-1\"", "\"1E99\"", "base_score is no number: 1E99"},
    {NULL, "{\"learner\"", "{\"extra\":1,\"learner\"",
     "unknown field extra at the top: not an XGBoost model"},
    {NULL, "{\"learner\"", "{\"Model\":{},\"learner\"",
     "a pickled snapshot with its configuration; save the model with Booster.save_model"},
    {NULL, "\"attributes\"", "\"offset\":3,\"attributes\"", "unknown field offset in learner"},
    {NULL, "\"num_class\"", "\"scale\":\"2\",\"num_class\"",
     "unknown field scale in learner_model_param"},
    {NULL, "\"num_trees\"", "\"scale\":\"2\",\"num_trees\"",
     "unknown field scale in gbtree_model_param"},
    {NULL, "\"tree_info\"", "\"scale\":2,\"tree_info\"",
     "unknown field scale in gradient_booster.model"},
    {NULL, "\"name\":\"gbtree\"", "\"name\":\"gbtree\",\"scale\":2",
     "unknown field scale in gradient_booster"},
    {"num_deleted", "\"num_feature\"", "\"scale\":\"2\",\"num_feature\"",
     "unknown tree_param scale"},
    {"learner_model", "\"num_feature\":\"2\"", "\"num_feature\":\"0\"",
     "num_feature is no number from 1 to 1048576"},
    {"learner_model", "\"num_feature\":\"2\"", "\"num_feature\":\"3\"",
     "2 feature names for 3 features"},
    {NULL, "\"num_trees\":\"2\"", "\"num_trees\":\"3\"", "num_trees 3, tree_info 2, trees 2"},
    {NULL, "\"tree_info\":[0,0]", "\"tree_info\":[0]", "num_trees 2, tree_info 1, trees 2"},
    {NULL, "\"tree_info\":[0,0]", "\"tree_info\":[0,1]",
     "tree 1 belongs to output 1 of a model with 1"},
    {NULL, "\"tree_info\":[0,0]", "\"tree_info\":[0,-1]",
     "tree 1 belongs to output -1 of a model with 1"},
    {NULL, "\"tree_info\"", "\"iteration_indptr\":[0,1],\"tree_info\"",
     "iteration_indptr does not lead to tree 2"},
    {NULL, "\"tree_info\"", "\"iteration_indptr\":[1,2],\"tree_info\"",
     "iteration_indptr does not lead to tree 2"},
    {NULL, "\"tree_info\"", "\"iteration_indptr\":[0,2,1,2],\"tree_info\"",
     "iteration_indptr does not lead to tree 2"},
    {NULL, "\"reg_loss_param\":{", "\"softmax_multiclass_param\":{\"num_class\":\"3\"},\"x\":{",
     "objective reg:squarederror is of 3 outputs, the model has 1"},
    {NULL, "\"reg_loss_param\":{",
     "\"quantile_loss_param\":{\"quantile_alpha\":\"[1E-1,9E-1]\"},\"x\":{",
     "objective reg:squarederror is of 2 outputs, the model has 1"},
    {NULL, "\"id\":1", "\"id\":0", "tree 1 has the id 0: trees are out of order"},
    {NULL, "\"num_nodes\":\"5\"", "\"num_nodes\":\"4\"",
     "tree 0: its arrays do not have num_nodes = 4 entries"},
    {NULL, "\"num_nodes\":\"5\"", "\"num_nodes\":\"0\"",
     "num_nodes is no number from 1 to 268435456"},
    {NULL, "\"split_type\":[0,0,0,0,0]", "\"split_type\":[0,0,0,0]",
     "tree 0: its arrays do not have num_nodes = 5 entries"},
    {NULL, "\"split_conditions\":[5E-1,", "\"split_conditions\":[",
     "tree 0: its arrays do not have num_nodes = 5 entries"},
    {NULL, "\"default_left\":[1,0,0,0,0],", "",
     "tree 0: its arrays do not have num_nodes = 5 entries"},
    {NULL, "\"loss_changes\"", "\"left_children\":[1,-1,3,-1,-1],\"loss_changes\"",
     "tree 0: left_children comes twice"},
    {NULL, "[1,-1,3,-1,-1]", "[1,-1,0,-1,-1]",
     "tree 0 node 2: child 0 or 4 is out of range or has two parents"},
    {NULL, "[1,-1,3,-1,-1]", "[1,-1,2,-1,-1]",
     "tree 0 node 2: child 2 or 4 is out of range or has two parents"},
    {NULL, "[1,-1,3,-1,-1]", "[1,-1,1,-1,-1]",
     "tree 0 node 2: child 1 or 4 is out of range or has two parents"},
    {NULL, "[1,-1,3,-1,-1]", "[1,-1,5,-1,-1]",
     "tree 0 node 2: child 5 or 4 is out of range or has two parents"},
    {NULL, "[1,-1,3,-1,-1]", "[1,-1,-1,-1,-1]",
     "tree 0 node 2: child -1 or 4 is out of range or has two parents"},
    {NULL, "[1,-1,3,-1,-1]", "[1,-1,9007199254740991,-1,-1]",
     "tree 0: left_children is damaged or cut off, or has a number beyond 2^31"},
    {NULL, "\"split_indices\":[0,0,1,0,0]", "\"split_indices\":[0,0,2,0,0]",
     "tree 0: split on feature 2 of 2"},
    {NULL, "\"split_indices\":[0,0,1,0,0]", "\"split_indices\":[-1,0,1,0,0]",
     "tree 0: split on feature -1 of 2"},
    {NULL, "\"split_type\":[0,0,0,0,0]", "\"split_type\":[1,0,0,0,0]",
     "tree 0 node 0: split_type 1 and its categories disagree"},
    {NULL, "\"categories_nodes\":[]", "\"categories_nodes\":[0]",
     "tree 0: categories_nodes, _segments and _sizes differ in length"},
    {NULL, "\"tree_info\"", "\"cats\":{\"enc\":[{\"offsets\":[0],\"values\":[]}]},\"tree_info\"",
     "cats has 1 entries for 2 features"},
    {NULL, "\"tree_info\"",
     "\"cats\":{\"enc\":[{\"offsets\":[0,3],\"values\":[65]}]},\"tree_info\"",
     "cats: offsets 0 and 3"},
    {NULL, "\"tree_info\"",
     "\"cats\":{\"enc\":[{\"offsets\":[0,1,0],\"values\":[65]}]},\"tree_info\"",
     "cats: offsets 1 and 0"},
    {NULL, "\"tree_info\"", "\"cats\":{\"enc\":[{\"type\":4,\"values\":[65]}]},\"tree_info\"",
     "cats: type 4"},
    {NULL, "\"tree_info\"",
     "\"cats\":{\"enc\":[{\"offsets\":[0,1],\"values\":[0.5]}]},\"tree_info\"",
     "cats: values are no bytes"},
    {NULL, "[1,7,6]}", "[1,7,6]}x", "bytes behind the end of the model"},
    {NULL, "[1,7,6]", "[1,7,1e400]", "version is not [major, minor, patch]"},
    {NULL, "[1,7,6]", "[1,7,nan]", "version is not [major, minor, patch]"},
};

START_TEST(what_would_be_scored_wrongly_is_refused)
{
    char *text = models_edit(models_plain, refusals[_i].behind, refusals[_i].from, refusals[_i].to);

    ck_assert_str_eq(models_refusal(text, strlen(text)), refusals[_i].why);
    free(text);
}
END_TEST

static const struct {
    const char *from, *to, *why;
} bad_categories[] = {
    {"\"categories\":[1,3]", "\"categories\":[1]", "tree 0: categories of node 0 are out of range"},
    {"\"categories\":[1,3]", "\"categories\":[1,-3]", "tree 0: category -3"},
    {"\"categories\":[1,3]", "\"categories\":[1,16777216]", "tree 0: category 16777216"},
    {"\"categories_nodes\":[0]", "\"categories_nodes\":[3]",
     "tree 0: categories of node 3 are out of range"},
    {"\"categories_segments\":[0]", "\"categories_segments\":[-1]",
     "tree 0: categories of node 0 are out of range"},
    {"\"categories_sizes\":[2]", "\"categories_sizes\":[9007199254740991]",
     "tree 0: categories_sizes is damaged or cut off, or has a number beyond 2^31"},
    {"\"split_type\":[1", "\"split_type\":[0",
     "tree 0 node 0: split_type 0 and its categories disagree"},
    {"\"split_type\":[1", "\"split_type\":[2",
     "tree 0 node 0: split_type 2 and its categories disagree"},
    {"\"split_type\":[1,0,0],", "", "tree 0: categories without split_type"},
};

START_TEST(bad_categories_are_refused)
{
    char *text = models_edit(models_category, NULL, bad_categories[_i].from, bad_categories[_i].to);

    ck_assert_str_eq(models_refusal(text, strlen(text)), bad_categories[_i].why);
    free(text);
}
END_TEST

START_TEST(other_formats_are_refused_by_name)
{
    static const struct {
        const char *data, *why;
    } cases[] = {
        {"binf....", "XGBoost's old binary format"},
        {"\x08\x07\x12\x08skl2onnx", "not an ONNX file: it has no graph"},
        {"\x80\x04\x95.", "a Python pickle"},
        {"CBM1....", "a CatBoost model"},
        {"", "the file is damaged or cut off"},
        {"[]", "the file is damaged or cut off"},
        {"{}", "not a whole XGBoost model: version is missing"},
        {"null", "the file is damaged or cut off"},
        {"\xef\xbb\xbf{}", "the file is damaged or cut off"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why = models_refusal(cases[i].data, strlen(cases[i].data));
        ck_assert_msg(strncmp(why, cases[i].why, strlen(cases[i].why)) == 0, "%s", why);
    }
}
END_TEST

START_TEST(a_hostile_name_stays_on_the_line)
{
    static const char data[] = "{i\x0d\nname\r\tof\x1b[2J}";

    ck_assert_str_eq(models_refusal(data, sizeof data - 1),
                     "unknown field ?name??of?[2J at the top: not an XGBoost model");
}
END_TEST

START_TEST(a_model_cut_at_every_byte_is_refused)
{
    size_t len;
    char *data = models_binary(models_plain, &len);

    for (size_t cut = 0; cut < strlen(models_plain); cut++)
        models_refusal(models_plain, cut);
    for (size_t cut = 0; cut < len; cut++)
        models_refusal(data, cut);
    free(data);
}
END_TEST

/* Whatever a changed byte makes of it: refused, or a model that scores a row. */
START_TEST(a_model_with_any_byte_changed_scores_or_is_refused)
{
    static const char values[] = {0, '{', '[', '#', 'L', 'd', '-', '9', (char)0xff};
    size_t len, refused = 0;
    char *data = models_binary(models_plain, &len);

    for (size_t at = 0; at < len; at++) {
        for (size_t i = 0; i < sizeof values; i++) {
            struct err err = ERR_INIT;
            struct model *model;
            char before = data[at];
            data[at] = values[i];
            refused += models_parse(&model, data, len, &err) != 0;
            model_free(model);
            data[at] = before;
        }
    }
    ck_assert_uint_gt(refused, 0);
    free(data);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

SUITE(xgboost_refusals)
{
    TCase *loop;

    CASE("damage", other_formats_are_refused_by_name, a_hostile_name_stays_on_the_line,
         a_model_cut_at_every_byte_is_refused, a_model_with_any_byte_changed_scores_or_is_refused);
    loop = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loop, what_would_be_scored_wrongly_is_refused, 0, COUNT(refusals));
    tcase_add_loop_test(loop, bad_categories_are_refused, 0, COUNT(bad_categories));
}
