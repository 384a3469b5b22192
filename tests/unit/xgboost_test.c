/* The XGBoost reader: what it accepts, and with what result. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/harness.h"
#include "tests/models.h"

static const float low[] = {0, 0}, middle[] = {1, 1}, high[] = {1, 2}, none[] = {NAN, NAN};

START_TEST(a_row_walks_each_tree_and_adds_its_leaves)
{
    static const float no_b[] = {1, NAN}, edge[] = {0.5f, 1.9999999f};

    ck_assert_bits(models_margin(models_plain, low), -0.25f);
    ck_assert_bits(models_margin(models_plain, middle), 10.75f);
    ck_assert_bits(models_margin(models_plain, high), 20.75f);
    ck_assert_bits(models_margin(models_plain, none), -0.25f);
    ck_assert_bits(models_margin(models_plain, no_b), 20.75f);
    ck_assert_bits(models_margin(models_plain, edge), 10.75f);
}
END_TEST

START_TEST(names_counts_and_the_summary_are_the_files)
{
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_int_eq(models_parse(&model, models_plain, strlen(models_plain), &err), 0);
    ck_assert_uint_eq(model_feature_count(model), 2);
    ck_assert_uint_eq(model_score_count(model), 1);
    ck_assert_str_eq(model_feature_name(model, 1), "b");
    ck_assert_uint_eq(model_category_count(model, 0), 0);
    ck_assert_str_eq(model_summary(model),
                     "XGBoost 1.7.6, reg:squarederror, 2 trees, 6 nodes, 2 features");
    ck_assert_uint_eq(model_tree_count(model), 2);
    ck_assert_uint_eq(model_depth(model), 2);
    ck_assert_uint_eq(model_split_count(model, 0), 1);
    ck_assert_uint_eq(model_split_count(model, 1), 1);
    model_free(model);
    model_free(NULL);
}
END_TEST

/* ---- layouts: what is changed, and the margin of row `middle`, 10.75 when nothing does */

static const struct edit {
    const char *behind, *from, *to;
    float margin;
} layouts[] = {
    {NULL, "\"size_leaf_vector\":\"0\"},\"tree_info\"", "\"size_leaf_vector\":\"1\"},\"tree_info\"",
     10.75f},
    {"num_trees", ",\"size_leaf_vector\":\"0\"", "", 10.75f},
    {NULL, ",\"num_target\":\"1\"", "", 10.75f},
    {"num_class", "\"0\"", "\"1\"", 10.75f},
    {NULL, "\"num_feature\":\"2\"", "\"num_feature\":2", 10.75f},
    {NULL, "\"tree_info\"", "\"iteration_indptr\":[0,1,2],\"tree_info\"", 10.75f},
    {NULL, "\"tree_info\"",
     "\"cats\":{\"enc\":[],\"feature_segments\":[],\"sorted_idx\":[]},\"tree_info\"", 10.75f},
    {NULL, "\"num_parallel_tree\":\"1\"", "\"num_parallel_tree\":\"2\"", 10.75f},
    {NULL, "\"feature_names\":[\"a\",\"b\"]", "\"feature_names\":[]", 10.75f},
    {NULL, "\"feature_types\":[\"float\",\"float\"],", "", 10.75f},
    {NULL, "\"split_type\":[0,0,0,0,0],", "", 10.75f},
    {NULL, "[1,0,0,0,0]", "[true,false,false,false,false]", 10.75f},
    {NULL, "\"learner_model_param\":{", "\"learner_model_param\":{\"boost_from_average\":\"1\",",
     10.75f},
    {"base_score", "\"5E-1\"", "\"[5E-1]\"", 10.75f},
    {"base_score", "\"5E-1\"", "0.5", 10.75f},
    {"base_score", "\"5E-1\"", "\"0.500000\"", 10.75f},
    {"base_score", "\"5E-1\"", "\"-1E0\"", 9.25f},
    {NULL, "\"version\":[1,7,6]", "\"version\":[1,0,0]", 10.75f},
    {NULL, "\"version\":[1,7,6]", "\"version\":[3,99,0]", 10.75f},
    /* pruned: nobody leads to nodes 3 and 4 any more, and they hold what the library left there */
    {NULL, "[1,-1,3,-1,-1]", "[1,-1,-1,7,-1]", 2.75f},
    {NULL, "5E-1,-1.0", "Infinity,-1.0", -0.25f},
    {NULL, "5E-1,-1.0", "-Infinity,-1.0", 10.75f},
    {NULL, "5E-1,-1.0", "NaN,-1.0", 10.75f},
};

START_TEST(each_layout_is_read)
{
    const struct edit *e = &layouts[_i];
    char *text = models_edit(models_plain, e->behind, e->from, e->to);

    if (strstr(e->to, "7,-1]")) { /* both children go */
        char *half = text;
        text = models_edit(half, NULL, "[2,-1,4,-1,-1]", "[2,-1,-1,8,-1]");
        free(half);
        half = text;
        text = models_edit(half, NULL, "[0,0,1,0,0]", "[0,0,0,2147483647,0]");
        free(half);
    }
    ck_assert_bits(models_margin(text, middle), e->margin);
    free(text);
}
END_TEST

START_TEST(binary_files_give_the_same_bits)
{
    struct err err = ERR_INIT;
    struct model *model;
    double margin, score;
    size_t len;
    char *data = models_binary(models_plain, &len);
    void *scratch;

    ck_assert_msg(models_parse(&model, data, len, &err) == 0, "%s", err.text);
    scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);
    model_score(model, middle, 1, &margin, &score, scratch);
    ck_assert_bits((float)margin, 10.75f);
    ck_assert_str_eq(model_feature_name(model, 0), "a");
    free(scratch);
    model_free(model);
    free(data);
}
END_TEST

START_TEST(the_order_of_keys_is_free)
{
    char *text = models_edit(models_plain, NULL, "\"gradient_booster\":{",
                             "\"gradient_booster\":{\"name\":\"gbtree\","),
         *whole;

    whole = models_edit(text, "size_leaf_vector\":\"0\"}}]}", ",\"name\":\"gbtree\"", "");
    ck_assert_bits(models_margin(whole, middle), 10.75f);
    free(text);
    free(whole);
    text = models_edit(models_plain, NULL, ",\"version\":[1,7,6]", "");
    whole = models_edit(text, NULL, "{", "{\"version\":[1,7,6],");
    ck_assert_bits(models_margin(whole, middle), 10.75f);
    free(text);
    free(whole);
}
END_TEST

/* ---- what depends on the version */

/* The plain model with leaves 0.147 and 0.092 for row `low`, another version, objective and base
 * score. */
static const struct {
    const char *version, *objective, *base_score;
    float margin;
} versions[] = {
    /* the leaves are summed first, then comes the base score */
    {"[1,0,2]", "reg:squarederror", "\"0.500000\"", 0.738999963f},
    {"[1,2,1]", "reg:squarederror", "\"5E-1\"", 0.738999963f},
    {"[1,3,0]", "reg:squarederror", "\"5E-1\"", 0.739000022f},
    {"[3,4,1]", "reg:squarederror", "\"[5E-1]\"", 0.739000022f},
    /* logits of 0.5 are 0 */
    {"[1,3,0]", "binary:logitraw", "\"5E-1\"", 0.239f},
    {"[1,3,1]", "binary:logitraw", "\"5E-1\"", 0.739000022f},
    {"[1,7,6]", "binary:logistic", "\"5E-1\"", 0.239f},
    /* -log(1 / 1e-7 - 1) + 0.239, and the same of 1e-6 */
    {"[3,1,3]", "binary:logistic", "\"1E-7\"", -15.8790951f},
    {"[3,2,0]", "binary:logistic", "\"1E-7\"", -13.5765095f},
    {"[1,7,6]", "count:poisson", "\"1E0\"", 0.239f},
    {"[1,7,6]", "survival:aft", "\"1E0\"", 0.239f},
};

static char *replaced(char *text, const char *behind, const char *from, const char *to)
{
    char *next = models_edit(text, behind, from, to);

    free(text);
    return next;
}

static char *versioned(const char *version, const char *objective, const char *base_score)
{
    char *text = models_edit(models_plain, NULL, "5E-1,-1.0", "5E-1,1.47E-1");

    text = replaced(text, "\"id\":1", "[0.25]", "[9.2E-2]");
    text = replaced(text, NULL, "[1,7,6]", version);
    text = replaced(text, NULL, "reg:squarederror", objective);
    return replaced(text, "base_score", "\"5E-1\"", base_score);
}

START_TEST(the_base_margin_is_that_of_the_version)
{
    char *text = versioned(versions[_i].version, versions[_i].objective, versions[_i].base_score);

    ck_assert_bits(models_margin(text, low), versions[_i].margin);
    free(text);
}
END_TEST

static char *without_trees(char *text)
{
    char *first = strstr(text, "{\"base_weights\""), *last = strstr(text, "}]},\"name\"");

    memmove(first, last + 1, strlen(last + 1) + 1);
    text = replaced(text, NULL, "\"tree_info\":[0,0]", "\"tree_info\":[]");
    return replaced(text, NULL, "\"num_trees\":\"2\"", "\"num_trees\":\"0\"");
}

START_TEST(without_trees_the_margin_is_the_base_margin)
{
    static const struct {
        const char *version, *base_score;
        float margin;
    } cases[] = {
        {"[1,0,2]", "\"0.500000\"", 0.0f},  {"[1,1,1]", "\"0.500000\"", -0.0f},
        {"[3,0,5]", "\"5E-1\"", -0.0f},     {"[3,1,0]", "\"[5E-1]\"", 0.5f},
        {"[3,4,1]", "\"[2.5E-1]\"", 0.25f},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = versioned(cases[i].version, "binary:logistic", cases[i].base_score);
        text = without_trees(text);
        ck_assert_bits(models_margin(text, low), cases[i].margin);
        if (cases[i].margin > 0) { /* the user's own is turned into a margin */
            text =
                replaced(text, NULL, "\"num_class\"", "\"boost_from_average\":\"0\",\"num_class\"");
            ck_assert(models_margin(text, low) <= 0);
        }
        free(text);
    }
}
END_TEST

START_TEST(the_oldest_base_scores_are_read_as_the_library_read_them)
{
    static const struct {
        const char *version, *text;
        float margin;
    } cases[] = {
        {"[1,1,1]", "\"1.698304\"", 1.69830394f},
        {"[1,2,0]", "\"1.698304\"", 1.69830406f},
        {"[1,0,2]", "\"-1.698304\"", -1.69830394f},
        /* what 64 bits hold of its digits is 0 */
        {"[1,0,2]", "\"1000000015047466219876688855040.000000\"", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = versioned(cases[i].version, "reg:squarederror", cases[i].text);
        text = without_trees(text);
        ck_assert_bits(models_margin(text, low), cases[i].margin);
        free(text);
    }
}
END_TEST

START_TEST(a_category_in_the_set_goes_right)
{
    static const struct {
        const char *version;
        float value, margin;
    } cases[] = {
        {"[1,7,6]", 1, 2.75f},
        {"[1,7,6]", 3.9f, 2.75f},
        {"[1,7,6]", 2, 1.75f},
        {"[1,7,6]", NAN, 1.75f},
        {"[1,7,6]", 31, 1.75f},
        {"[1,7,6]", 32, 1.75f},
        {"[1,7,6]", -1, 1.75f},
        {"[1,7,6]", INFINITY, 1.75f},
        {"[1,7,6]", 3e38f, 1.75f},
        /* beyond the set: the default side, here right, in 1.6.0 to 1.7.2 only */
        {"right [1,5,2]", 32, 1.75f},
        {"right [1,6,0]", 32, 2.75f},
        {"right [1,7,2]", -1, 2.75f},
        {"right [1,7,3]", 32, 1.75f},
        {"right [1,7,2]", 31, 1.75f},
        {"right [1,7,6]", NAN, 2.75f},
        /* -0.5 is category 0, which goes right here, before 1.6 */
        {"zero [1,5,2]", -0.5f, 2.75f},
        {"zero [1,5,2]", -1, 1.75f},
        {"zero [1,6,0]", -0.5f, 1.75f},
        {"zero [3,4,1]", -0.0f, 2.75f},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float row[] = {cases[i].value, 0};
        char *text = models_edit(models_category, NULL, "[1,7,6]", strchr(cases[i].version, '['));
        if (cases[i].version[0] == 'r')
            text = replaced(text, NULL, "\"default_left\":[1", "\"default_left\":[0");
        if (cases[i].version[0] == 'z')
            text = replaced(text, NULL, "\"categories\":[1", "\"categories\":[0");
        ck_assert_msg(models_margin(text, row) == cases[i].margin, "case %zu, %s", i,
                      cases[i].version);
        free(text);
    }
}
END_TEST

/* The library's Python package counted code points, so that texts behind the first of several bytes
 * are shifted, and the last ones cut. */
START_TEST(texts_beyond_ascii_are_forgotten_where_the_library_garbled_them)
{
    static const struct {
        const char *version;
        size_t count;
    } cases[] = {{"[3,1,0]", 0}, {"[3,3,0]", 0}, {"[3,4,0]", 2}};

    for (size_t i = 0; i < 3; i++) {
        char *text = models_edit(models_category, NULL, "\"tree_info\"",
                                 "\"cats\":{\"enc\":[{\"offsets\":[0,1,3],\"values\":[-61,-87,57]},"
                                 "{\"offsets\":[0,1],\"values\":[57]}]},\"tree_info\"");
        struct err err = ERR_INIT;
        struct model *model;
        text = replaced(text, NULL, "[1,7,6]", cases[i].version);
        ck_assert_msg(models_parse(&model, text, strlen(text), &err) == 0, "%s", err.text);
        ck_assert_uint_eq(model_category_count(model, 0), cases[i].count);
        ck_assert_uint_eq(model_category_count(model, 1), 1);
        model_free(model);
        free(text);
    }
}
END_TEST

/* Types: 9 int8, 12 uint16, 14 uint32, 15 int64, 16 uint64; 8 double. UBJSON holds the bits of an
 * unsigned number as a signed one; what no text can be made of has none. */
static const struct {
    const char *encoding, *texts[2];
} encodings[] = {
    {"{\"offsets\":[0,2,4],\"values\":[195,169,57,69]}", {"\xc3\xa9", "9E"}},
    {"{\"offsets\":[0,2,4],\"values\":[-61,-87,57,69]}", {"\xc3\xa9", "9E"}},
    {"{\"values\":[5,-7],\"type\":9}", {"5", "-7"}},
    {"{\"type\":15,\"values\":[5,-7]}", {"5", "-7"}},
    {"{\"type\":12,\"values\":[5,-1]}", {"5", "65535"}},
    {"{\"type\":14,\"values\":[5,-2]}", {"5", "4294967294"}},
    {"{\"type\":15,\"values\":[5,9007199254740993]}", {NULL}},
    {"{\"type\":8,\"values\":[0.5,1.5]}", {NULL}},
    {"{\"type\":8,\"values\":[1.0,2.0]}", {NULL}},
};

static void check_texts(const char *data, size_t len, const char *const texts[2])
{
    struct err err = ERR_INIT;
    struct model *model;

    ck_assert_msg(models_parse(&model, data, len, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(model_category_count(model, 0), texts[0] ? 2 : 0);
    ck_assert_uint_eq(model_category_count(model, 1), 0);
    for (size_t i = 0; i < 2 && texts[0]; i++)
        ck_assert_str_eq(model_category_text(model, 0, i), texts[i]);
    model_free(model);
}

START_TEST(category_texts_are_kept)
{
    char cats[200], *text, *binary;
    size_t len;

    snprintf(cats, sizeof cats,
             "\"cats\":{\"enc\":[%s,{\"offsets\":[],\"values\":[]}],\"feature_segments\":"
             "[0,2,2],\"sorted_idx\":[1,0]},\"tree_info\"",
             encodings[_i].encoding);
    text = models_edit(models_category, NULL, "\"tree_info\"", cats);
    text = replaced(text, NULL, "[1,7,6]", "[3,4,1]");
    check_texts(text, strlen(text), encodings[_i].texts);
    text = replaced(text, NULL, "NaN", "0.0"); /* jansson reads it for the binary one */
    binary = models_binary(text, &len);
    if (!strstr(encodings[_i].encoding, "9007")) /* 64 bits are no `l` */
        check_texts(binary, len, encodings[_i].texts);
    free(binary);
    free(text);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

SUITE(xgboost)
{
    TCase *loop;

    CASE("read", a_row_walks_each_tree_and_adds_its_leaves,
         names_counts_and_the_summary_are_the_files, binary_files_give_the_same_bits,
         the_order_of_keys_is_free);
    CASE("versions", without_trees_the_margin_is_the_base_margin,
         the_oldest_base_scores_are_read_as_the_library_read_them);
    CASE("categories", a_category_in_the_set_goes_right,
         texts_beyond_ascii_are_forgotten_where_the_library_garbled_them);
    loop = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loop, category_texts_are_kept, 0, COUNT(encodings));
    tcase_add_loop_test(loop, each_layout_is_read, 0, COUNT(layouts));
    tcase_add_loop_test(loop, the_base_margin_is_that_of_the_version, 0, COUNT(versions));
}
