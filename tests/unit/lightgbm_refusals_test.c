/* The LightGBM reader: what it refuses, in which words. */
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/models.h"

#define COUNT(table) (int)(sizeof table / sizeof table[0])

#define LIST "has not as many numbers as it must, or one that cannot be"

static const struct {
    const char *from, *to, *why;
} refusals[] = {
    /* the header */
    {"=v4", "=v5", "version=v5; v2 to v4 are read"},
    {"=v4", "=v1", "version=v1; v2 to v4 are read"},
    {"=v4", "=4", "version=4; v2 to v4 are read"},
    {"=v4", "=v4.1", "version=v4.1; v2 to v4 are read"},
    {"version=v4\n", "",
     "no version in the header: written before LightGBM 2.0.12; v2 to v4 are read"},
    {"num_class=1\n", "", "no num_class in the header"},
    {"num_tree_per_iteration=1\n", "", "no num_tree_per_iteration in the header"},
    {"per_iteration=1", "per_iteration=0", "num_tree_per_iteration=0"},
    {"per_iteration=1", "per_iteration=99999999",
     "num_tree_per_iteration is no number from 0 to 65536"},
    {"max_feature_idx=1\n", "", "no max_feature_idx in the header"},
    {"feature_idx=1", "feature_idx=-1", "max_feature_idx is no number from 0 to 16777215"},
    {"feature_idx=1", "feature_idx=16777215",
     "feature_names has 2 words, feature_infos 2, max_feature_idx + 1 is 16777216"},
    {"feature_names=a b\n", "", "no feature_names in the header"},
    {"=a b\n", "=a b c\n", "feature_names has 3 words, feature_infos 2, max_feature_idx + 1 is 2"},
    {"feature_infos", "feature_scale=1 1\nfeature_infos", "unknown field feature_scale"},
    {"feature_infos", "scaled_output\nfeature_infos", "unknown field scaled_output"},
    {"label_index=0", "version=v3", "version comes twice"},
    {"objective=regression", "objective", "expected objective=..."},
    {"label_index=0", "average_output=1", "expected average_output"},
    {"=regression", "=newest", "objective newest is not known to this version"},
    {"=regression", "=", "objective  is not known to this version"},
    {"=regression", "=regression cube", "objective regression: parameter cube is not known"},
    {"=regression", "=poisson sqrt", "objective poisson: parameter sqrt is not known"},
    {"=regression", "=binary", "objective binary without a sigmoid above 0"},
    {"=regression", "=binary sigmoid:-1", "objective binary without a sigmoid above 0"},
    {"=regression", "=binary sigmoid:one", "objective binary without a sigmoid above 0"},
    {"=regression", "=binary sigmoid:1x", "objective binary without a sigmoid above 0"},
    {"=regression", "=multiclass num_class:3",
     "objective multiclass has num_class:3, num_tree_per_iteration is 1"},
    {"=regression", "=multiclass",
     "objective multiclass has num_class:0, num_tree_per_iteration is 1"},
    {"=regression\n", "=poisson\nnum_tree_per_iteration=2\n", "num_tree_per_iteration comes twice"},
    /* the trees */
    {"=480 90", "=480", "2 trees, tree_sizes has 1"},
    {"per_iteration=1", "per_iteration=3", "2 trees are no multiple of num_tree_per_iteration=3"},
    {"Tree=0", "Tree=1", "expected Tree=0: trees are out of order"},
    {"Tree=1", "Tree=x", "expected Tree=1: trees are out of order"},
    {"Tree=1", "Bush=1", "expected a tree or the end of the trees"},
    {"end of trees\n", "", "expected a tree or the end of the trees"},
    {"end of parameters\n", "", "the file is cut off: no end of parameters"},
    {"num_leaves=3\n", "", "tree 0: no num_leaves"},
    {"num_leaves=3", "num_leaves=0", "tree 0: num_leaves " LIST},
    {"num_leaves=3", "num_leaves=2", "tree 0: right_child " LIST},
    {"num_leaves=3", "num_leaves=4", "tree 0: split_feature " LIST},
    {"num_leaves=3", "num_leaves=134217728", "tree 0: leaf_value " LIST},
    {"num_leaves=3", "num_leaves=99999999999999", "tree 0: num_leaves " LIST},
    {"num_cat=1\n", "", "tree 0: no num_cat"},
    {"num_cat=1", "num_cat=0", "tree 0: no set of categories 0"},
    {"num_cat=1", "num_cat=2", "tree 0: cat_boundaries " LIST},
    {"num_cat=1", "num_cat=2000000000", "tree 0: cat_boundaries " LIST},
    {"split_gain", "split_gein", "tree 0: unknown field split_gein"},
    {"split_gain=2 1", "split_gain", "tree 0: unknown field split_gain"},
    {"split_gain=2 1", "threshold=2 1", "tree 0: threshold comes twice"},
    {"threshold=0.5 0\n", "", "tree 0: threshold " LIST},
    {"threshold=0.5 0", "threshold=0.5", "tree 0: threshold " LIST},
    {"threshold=0.5 0", "threshold=0.5 0 1", "tree 0: threshold " LIST},
    {"threshold=0.5 0", "threshold=nan 0", "tree 0: threshold " LIST},
    {"threshold=0.5 0", "threshold=0.5f 0", "tree 0: threshold " LIST},
    {"threshold=0.5 0", "threshold=0,5 0", "tree 0: threshold " LIST},
    {"threshold=0.5 0", "threshold=0.5 1", "tree 0: no set of categories 1"},
    {"threshold=0.5 0", "threshold=0.5 -1", "tree 0: no set of categories -1"},
    {"threshold=0.5 0", "threshold=0.5 nan", "tree 0: no set of categories nan"},
    {"threshold=0.5 0", "threshold=0.5 0.5", "tree 0: no set of categories 0.5"},
    {"decision_type=2 1\n", "", "tree 0: decision_type " LIST},
    {"decision_type=2 1", "decision_type=12 1", "tree 0: decision_type " LIST},
    {"decision_type=2 1", "decision_type=1 1", "tree 0: no set of categories 0.5"},
    {"split_feature=0 1", "split_feature=0 2", "tree 0: split_feature " LIST},
    {"split_feature=0 1", "split_feature=-1 1", "tree 0: split_feature " LIST},
    {"split_feature=0 1", "split_feature=0 1 1", "tree 0: split_feature " LIST},
    {"left_child=-1 -2", "left_child=-4 -2", "tree 0: left_child " LIST},
    {"right_child=1 -3", "right_child=2 -3", "tree 0: right_child " LIST},
    {"right_child=1 -3", "right_child=1 -2", "tree 0: a child of split 1 has two parents"},
    {"right_child=1 -3", "right_child=1 0", "tree 0: a child of split 1 has two parents"},
    {"right_child=1 -3", "right_child=0 -3", "tree 0: a child of split 0 has two parents"},
    {"right_child=1 -3", "right_child=-3 1", "tree 0: splits that the root does not lead to"},
    {"leaf_value=-1 10 20", "leaf_value=-1 10", "tree 0: leaf_value " LIST},
    {"leaf_value=-1 10 20", "leaf_value=-1 10 20 30", "tree 0: leaf_value " LIST},
    {"leaf_value=-1 10 20", "leaf_value=-1 ten 20", "tree 0: leaf_value " LIST},
    {"leaf_value=0.25\n", "", "tree 1: leaf_value " LIST},
    {"leaf_count=5 3 2", "leaf_count=5 3", "tree 0: leaf_count " LIST},
    {"leaf_count=5 3 2", "leaf_count=5 3 -2", "tree 0: leaf_count " LIST},
    {"internal_count=10 5", "internal_count=10", "tree 0: internal_count " LIST},
    {"cat_boundaries=0 2\n", "", "tree 0: cat_boundaries " LIST},
    {"cat_boundaries=0 2", "cat_boundaries=1 2", "tree 0: cat_boundaries " LIST},
    {"cat_boundaries=0 2", "cat_boundaries=0 1", "tree 0: cat_threshold " LIST},
    {"cat_boundaries=0 2", "cat_boundaries=0 3", "tree 0: cat_threshold " LIST},
    {"cat_boundaries=0 2", "cat_boundaries=0 2000000000", "tree 0: cat_threshold " LIST},
    {"cat_threshold=10 256", "cat_threshold=10 4294967296", "tree 0: cat_threshold " LIST},
    {"cat_threshold=10 256", "cat_threshold=10 -1", "tree 0: cat_threshold " LIST},
    {"decision_type=2 1\nleft", "decision_type=1 1\nleft", "tree 0: no set of categories 0.5"},
    {"threshold=0.5 0\ndecision_type=2 1", "threshold=0 0\ndecision_type=1 1",
     "tree 0: two splits with the set of categories 0"},
    {"is_linear=0", "is_linear=2", "tree 0: is_linear " LIST},
    {"is_linear=0", "is_linear=1", "tree 0: leaf_const " LIST},
    {"is_linear=0\n", "is_linear=1\nleaf_const=1 2 3\n", "tree 0: num_features " LIST},
    {"is_linear=0\n", "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 2000000000\n",
     "tree 0: leaf_features " LIST},
    {"is_linear=0\n",
     "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 1\nleaf_features=2\nleaf_coeff=1\n",
     "tree 0: leaf_features " LIST},
    {"is_linear=0\n",
     "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 1\nleaf_features=1\nleaf_coeff=1 1\n",
     "tree 0: leaf_coeff " LIST},
    /* behind them */
    {"categorical:null", "categorical:nul", "pandas_categorical is damaged: byte 0 of its JSON"},
    {"categorical:null", "categorical:[[1,[2]]]",
     "pandas_categorical is damaged: byte 4 of its JSON"},
    {"categorical:null", "categorical:[[\"a\"",
     "pandas_categorical is damaged: byte 5 of its JSON"},
};

START_TEST(what_would_be_scored_wrongly_is_refused)
{
    char *text = models_edit(models_lightgbm, NULL, refusals[_i].from, refusals[_i].to);

    ck_assert_str_eq(models_refusal(text, strlen(text)), refusals[_i].why);
    free(text);
}
END_TEST

START_TEST(a_refusal_names_its_line)
{
    char *text = models_edit(models_lightgbm, NULL, "split_gain", "split_g\x1b[in");
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_int_eq(models_parse(&model, text, strlen(text), &err), -1);
    ck_assert_str_eq(err.text, "model: line 16: tree 0: unknown field split_g?[in");
    free(text);
}
END_TEST

START_TEST(a_model_cut_at_every_byte_scores_the_same_or_is_refused)
{
    size_t whole = (size_t)(strstr(models_lightgbm, "end of trees") - models_lightgbm) + 12;

    for (size_t cut = 0; cut < whole; cut++)
        models_refusal(models_lightgbm, cut);
    for (size_t cut = whole; cut < strlen(models_lightgbm); cut++) {
        char *text = strndup(models_lightgbm, cut);
        struct err err = ERR_INIT;
        struct model *model;
        if (models_parse(&model, text, cut, &err) == 0)
            ck_assert_double_eq((double)models_margin(text, (float[]){1, 1}), 10.25);
        model_free(model);
        free(text);
    }
}
END_TEST

/* Whatever a changed byte makes of it: refused, or a model that scores a row. */
START_TEST(a_model_with_any_byte_changed_scores_or_is_refused)
{
    static const char values[] = {0, '-', '9', ' ', '\n', '=', 'e', '.', (char)0xff};
    char *text = strdup(models_lightgbm);
    size_t refused = 0, len = strlen(text);

    for (size_t at = 0; at < len; at++)
        for (size_t i = 0; i < sizeof values; i++) {
            struct err err = ERR_INIT;
            struct model *model;
            char before = text[at];
            text[at] = values[i];
            refused += models_parse(&model, text, len, &err) != 0;
            model_free(model);
            text[at] = before;
        }
    ck_assert_uint_gt(refused, len);
    free(text);
}
END_TEST

SUITE(lightgbm_refusals)
{
    TCase *loop = harness_case(suite, "table", NULL, 0);

    tcase_add_loop_test(loop, what_would_be_scored_wrongly_is_refused, 0, COUNT(refusals));
    CASE("damage", a_refusal_names_its_line,
         a_model_cut_at_every_byte_scores_the_same_or_is_refused,
         a_model_with_any_byte_changed_scores_or_is_refused);
}
