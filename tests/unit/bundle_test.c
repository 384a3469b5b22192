/* Bundles: the ten rules of model.ini, what is refused in which words, decisions, the digest.
 * In one piece, for all of it edits the one bundle below. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scoring/bundle.h"
#include "tests/harness.h"
#include "tests/models.h"
#include "tests/onnx_text.h"

/* The model is models_category: features a and b. */
static const char ini_text[] = "[model]\n"
                               "name = tiny\n"
                               "version = 7\n"
                               "format = xgboost\n"
                               "file = model.json\n"
                               "sha256 = SHA\n"
                               "[output]\n"
                               "kind = value\n"
                               "name = p\n"
                               "thresholds = 0.25 watch, 0.5 very late\n"
                               "below = fine\n"
                               "[features]\n"
                               "a = a | old.a : category a.csv, optional, unknown as missing\n"
                               "b = b : number, required\n";

static const char table_text[] = "value,code\nx,0\ny,1\nyy,1\n";

static void hash(const void *data, size_t len, char hex[SHA256_HEX + 1])
{
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, data, len);
    sha256_hex(&h, hex);
}

/* A bundle in a new folder; the ini's SHA becomes that of the model. */
static const char *write_bundle(const char *ini, const char *model, const char *table)
{
    static char folder[300];
    char hex[SHA256_HEX + 1], *whole;

    snprintf(folder, sizeof folder, "%s", harness_folder());
    hash(model, strlen(model), hex);
    whole = strstr(ini, "SHA") ? models_edit(ini, NULL, "SHA", hex) : strdup(ini);
    harness_write(folder, "model.ini", whole, strlen(whole));
    harness_write(folder, "model.json", model, strlen(model));
    harness_write(folder, "a.csv", table, strlen(table));
    free(whole);
    return folder;
}

static struct bundle *load(const char *folder)
{
    struct err err = ERR_INIT;
    struct bundle *bundle;

    ck_assert_msg(bundle_load(&bundle, folder, NULL, &err) == 0, "%s", err.text);
    return bundle;
}

/* What is said behind the folder's name. Static buffer. */
static const char *refusal(const char *folder, int exit_code)
{
    static struct err err;
    struct bundle *bundle;
    size_t len = strlen(folder);

    err = (struct err)ERR_INIT;
    ck_assert_int_ne(bundle_load(&bundle, folder, NULL, &err), 0);
    ck_assert_ptr_null(bundle);
    ck_assert_int_eq(err.exit_code, exit_code);
    ck_assert_ptr_null(strchr(err.text, '\n'));
    ck_assert_msg(strncmp(err.text, folder, len) == 0, "%s", err.text);
    return err.text + len + 1;
}

START_TEST(a_bundle_is_what_its_ini_says)
{
    struct bundle *b = load(write_bundle(ini_text, models_category, table_text));

    ck_assert_str_eq(b->name, "tiny");
    ck_assert_str_eq(b->version, "7");
    ck_assert_str_eq(b->output_name, "p");
    ck_assert_int_eq(b->output, OUTPUT_VALUE);
    ck_assert_uint_eq(b->features.count, 2);
    ck_assert_uint_eq(b->features.items[0].path_count, 2);
    ck_assert(b->features.items[0].unknown_is_missing);
    ck_assert_int_eq(category_find(b->features.items[0].table, "yy", 2), 1);
    ck_assert_uint_eq(b->golden_count, 0);
    ck_assert_uint_eq(strlen(b->digest), SHA256_HEX);
    bundle_free(b);
    bundle_free(NULL);
}
END_TEST

START_TEST(a_score_gets_the_decision_of_the_last_threshold_that_it_reaches)
{
    static const struct {
        double score;
        const char *decision;
    } cases[] = {{-INFINITY, "fine"}, {0.2499999, "fine"}, {0.25, "watch"},
                 {0.49999, "watch"},  {0.5, "very late"},  {INFINITY, "very late"}};
    struct bundle *b = load(write_bundle(ini_text, models_category, table_text));
    char *bare, *barer;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(bundle_decision(b, cases[i].score), cases[i].decision);
    bundle_free(b);
    bare = models_edit(ini_text, NULL, "thresholds = 0.25 watch, 0.5 very late\n", "");
    barer = models_edit(bare, NULL, "below = fine\n", "");
    b = load(write_bundle(barer, models_category, table_text));
    ck_assert_ptr_null(bundle_decision(b, 0.9));
    bundle_free(b);
    free(bare);
    free(barer);
}
END_TEST

START_TEST(the_output_is_the_linked_score_or_the_margin)
{
    static const struct {
        const char *kind;
        double output;
    } cases[] = {{"probability", 0.75}, {"value", 0.75}, {"margin", -3}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *ini = models_edit(ini_text, "kind", "value", cases[i].kind);
        struct bundle *b = load(write_bundle(ini, models_category, table_text));
        ck_assert(*bundle_outputs(b, &(double){-3}, &(double){0.75}, 0) == cases[i].output);
        bundle_free(b);
        free(ini);
    }
}
END_TEST

/* ---- refusals: an edit of the ini, and what is said */

static const struct {
    const char *from, *to, *why;
} refusals[] = {
    {"a = a | old.a", "c = a | old.a",
     "model.ini:13: feature 1 is a in the model and c here: the model does not have it"},
    {"a = a | old.a", "b = a | old.a", "model.ini:14: b is already set on line 13"},
    {"b = b : number, required\n", "",
     "model.ini: 1 features, the model has 2; the first that is missing is b"},
    {"b = b : number, required\n", "b = b : number, required\nc = c : number, required\n",
     "model.ini:15: 3 features, the model has 2: c is too many"},
    {"[features]\n", "[features]\nb = b : number, required\n[features]\n",
     "model.ini:16: b is already set on line 13"},
    {"b : number, required", "b : number",
     "model.ini:14: feature b: one of required, optional or default N must be written"},
    {"category a.csv", "category", "model.ini:13: "},
    {"category a.csv", "category a.csv, required", "model.ini:13: "},
    {"category a.csv", "category ../a.csv",
     "model.ini:13: feature a: table ../a.csv must lie inside the bundle"},
    {"b : number", "b : integer", "model.ini:14: "},
    {"b : number", "b. : number", "model.ini:14: "},
    {"unknown as missing", "unknown as zero", "model.ini:13: "},
    {"format = xgboost", "format = lightgbm",
     "model.ini:4: format lightgbm, but model.json is a model of format xgboost"},
    {"format = xgboost", "format = pickle",
     "model.ini:4: format pickle is not read by this version; xgboost, lightgbm, onnx and linear "
     "are"},
    {"version = 7", "version = 7\nexactness = nearly",
     "model.ini:4: exactness nearly; it can be exact or close"},
    {"version = 7", "version = 7\nexactness = close",
     "model.ini:4: exactness = close and tolerance go together"},
    {"version = 7", "version = 7\ntolerance = 1e-6",
     "model.ini:4: exactness = close and tolerance go together"},
    {"version = 7", "version = 7\nexactness = close\ntolerance = 0.1",
     "model.ini:5: tolerance 0.1 is no number above 0 and up to 0.01"},
    {"version = 7", "version = 7\nexactness = close\ntolerance = 0",
     "model.ini:5: tolerance 0 is no number above 0 and up to 0.01"},
    {"version = 7", "version = 7\nexactness = close\ntolerance = 1e-6x",
     "model.ini:5: tolerance 1e-6x is no number above 0 and up to 0.01"},
    {"format = xgboost\n", "", "model.ini: format is missing in [model]"},
    {"name = tiny", "name =", "model.ini:2: name is missing in [model]"},
    {"version = 7\n", "", "model.ini: version is missing in [model]"},
    {"sha256 = SHA\n", "", "model.ini: sha256 is missing in [model]"},
    {"file = model.json", "file = ../model.json", "model.ini:5: file must lie inside the bundle"},
    {"kind = value", "kind = score",
     "model.ini:8: kind score; it can be probability, value or margin"},
    {"kind = value", "kind = value\nindex = 1",
     "model.ini:9: index 1: the model has the outputs 0 to 0"},
    {"kind = value", "kinds = value", "model.ini:8: [output] has no key kinds; did you mean kind?"},
    {"[output]", "[outputs]",
     "model.ini:8: no section [outputs]; there are [model], [output] and [features]"},
    {"0.25 watch, 0.5 very late", "0.5 late, 0.25 watch",
     "model.ini:10: thresholds must rise: 0.25 watch"},
    {"0.25 watch, 0.5 very late", "0.5 late, 0.5 watch",
     "model.ini:10: thresholds must rise: 0.5 watch"},
    {"0.25 watch, 0.5 very late", "0.5",
     "model.ini:10: \"0.5\" is no threshold; they look like 0.25 watch, 0.50 late"},
    {"0.25 watch, 0.5 very late", "late 0.5",
     "model.ini:10: \"late 0.5\" is no threshold; they look like 0.25 watch, 0.50 late"},
    {"0.25 watch, 0.5 very late", "1e999 late",
     "model.ini:10: \"1e999 late\" is no threshold; they look like 0.25 watch, 0.50 late"},
    {"0.25 watch, 0.5 very late", "0.25 watch,",
     "model.ini:10: \"\" is no threshold; they look like 0.25 watch, 0.50 late"},
    {"below = fine\n", "",
     "model.ini:10: thresholds and below (the decision below the first) go together"},
    {"thresholds = 0.25 watch, 0.5 very late\n", "",
     "model.ini:10: thresholds and below (the decision below the first) go together"},
};

START_TEST(each_fault_of_the_ini_is_said_with_its_line)
{
    char *ini = models_edit(ini_text, NULL, refusals[_i].from, refusals[_i].to);
    const char *why = refusal(write_bundle(ini, models_category, table_text), EXIT_DATA);
    size_t len = strlen(refusals[_i].why);

    /* what core/feature.h says of a rule is its own suite's affair */
    if (refusals[_i].why[len - 1] == ' ')
        ck_assert_msg(strncmp(why, refusals[_i].why, len) == 0, "%s", why);
    else
        ck_assert_str_eq(why, refusals[_i].why);
    free(ini);
}
END_TEST

START_TEST(features_out_of_order_are_refused_even_if_all_are_there)
{
    char *ini = models_edit(ini_text, NULL, "b = b : number, required\n", "");
    char *swapped =
        models_edit(ini, NULL, "[features]\n", "[features]\nb = b : number, required\n");

    ck_assert_str_eq(
        refusal(write_bundle(swapped, models_category, table_text), EXIT_DATA),
        "model.ini:13: feature 1 is a in the model and b here: the order must be the model's");
    free(ini);
    free(swapped);
}
END_TEST

START_TEST(another_model_file_than_the_bundle_was_made_with_is_refused)
{
    const char *folder = write_bundle(ini_text, models_category, table_text);
    char *other = models_edit(models_category, NULL, "2.0", "2.5"), want[200], hex[65];

    harness_write(folder, "model.json", other, strlen(other));
    hash(other, strlen(other), hex);
    snprintf(want, sizeof want,
             "model.ini:6: model.json has sha256 %s: not the file that the bundle was made with",
             hex);
    ck_assert_str_eq(refusal(folder, EXIT_DATA), want);
    free(other);
}
END_TEST

START_TEST(a_bad_model_is_said_with_its_file)
{
    ck_assert_str_eq(refusal(write_bundle(ini_text, "{\"a\":1}", table_text), EXIT_DATA),
                     "model.json: byte 5: unknown field a at the top: not an XGBoost model");
}
END_TEST

START_TEST(what_is_not_there_is_an_io_error_with_its_path)
{
    static const char *const names[] = {"model.ini", "model.json", "a.csv"};

    for (size_t i = 0; i < 3; i++) {
        const char *folder = write_bundle(ini_text, models_category, table_text), *said;
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
        said = refusal(folder, EXIT_IO);
        ck_assert_msg(strstr(said, names[i]) != NULL, "%s", said);
    }
}
END_TEST

/* ---- category texts that the model stores */

static const struct {
    const char *table, *why; /* NULL: agrees */
} tables[] = {
    {"value,code\nx,0\ny,1\n", NULL},
    {"value,code\nX,0\nx,0\ny,1\nother,1\n", NULL},
    {"value,code\nx,1\ny,0\n",
     "code 0 of a is \"x\" in the model; no value of the table with that code is"},
    {"value,code\nx,0\nz,1\n",
     "code 1 of a is \"y\" in the model; no value of the table with that code is"},
    {"value,code\nx,0\n", "the table of a has 1 codes, the model stores 2 categories"},
    {"value,code\nx,0\ny,1\nz,2\n", "the table of a has 3 codes, the model stores 2 categories"},
};

static char *with_texts(void)
{
    return models_edit(models_category, NULL, "\"tree_info\"",
                       "\"cats\":{\"enc\":[{\"offsets\":[0,1,2],\"values\":[120,121]},"
                       "{\"offsets\":[0],\"values\":[]}]},\"tree_info\"");
}

START_TEST(a_table_must_agree_with_the_texts_of_the_model)
{
    char *model = with_texts(), want[200];
    const char *folder = write_bundle(ini_text, model, tables[_i].table);

    if (tables[_i].why) {
        snprintf(want, sizeof want, "model.ini:13: %s", tables[_i].why);
        ck_assert_str_eq(refusal(folder, EXIT_DATA), want);
    } else {
        bundle_free(load(folder));
    }
    free(model);
}
END_TEST

START_TEST(a_feature_with_texts_must_be_a_category)
{
    char *model = with_texts();
    char *ini = models_edit(ini_text, NULL, "category a.csv, optional, unknown as missing",
                            "number, optional");

    ck_assert_str_eq(refusal(write_bundle(ini, model, table_text), EXIT_DATA),
                     "model.ini:13: the model stores 2 category texts for a: it must be a category "
                     "with a table");
    free(ini);
    free(model);
}
END_TEST

/* ---- digest */

static void digest_of(const char *folder, char digest[SHA256_HEX + 1])
{
    struct bundle *b = load(folder);

    memcpy(digest, b->digest, SHA256_HEX + 1);
    bundle_free(b);
}

START_TEST(the_digest_is_that_of_names_and_hashes_in_order)
{
    const char *folder = write_bundle(ini_text, models_category, table_text);
    char hex[3][SHA256_HEX + 1], text[400], want[SHA256_HEX + 1], got[SHA256_HEX + 1], *ini;

    hash(models_category, strlen(models_category), hex[2]);
    ini = models_edit(ini_text, NULL, "SHA", hex[2]);
    hash(ini, strlen(ini), hex[1]);
    hash(table_text, strlen(table_text), hex[0]);
    snprintf(text, sizeof text, "a.csv %s\nmodel.ini %s\nmodel.json %s\n", hex[0], hex[1], hex[2]);
    hash(text, strlen(text), want);
    digest_of(folder, got);
    ck_assert_str_eq(got, want);
    free(ini);
}
END_TEST

START_TEST(each_part_changes_the_digest_and_goldens_do_not)
{
    static const char golden[] = "{\"margin\":2.75,\"row\":[1,0]}\n";
    char *late = models_edit(ini_text, NULL, "0.5 very", "0.51 very");
    char *leaf = models_edit(models_category, NULL, "2.0", "2.5");
    char digests[5][SHA256_HEX + 1];
    const char *folder = write_bundle(ini_text, models_category, table_text);

    digest_of(folder, digests[0]);
    harness_write(folder, "golden.jsonl", golden, sizeof golden - 1);
    digest_of(folder, digests[1]);
    ck_assert_str_eq(digests[0], digests[1]);
    digest_of(write_bundle(late, models_category, table_text), digests[1]);
    digest_of(write_bundle(ini_text, leaf, table_text), digests[2]);
    digest_of(write_bundle(ini_text, models_category, "value,code\nx,0\nz,1\n"), digests[3]);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(digests[i], digests[k]);
    free(late);
    free(leaf);
}
END_TEST

/* Other rounds are other scores under the same files. */
START_TEST(rounds_change_the_digest_and_must_hold_the_goldens)
{
    static const char golden[] = "{\"margin\":2.75,\"row\":[1,0]}\n";
    const char *folder = write_bundle(ini_text, models_category, table_text);
    static const struct model_options all = {0}, one = {.rounds = 1},
                                      best = {.rounds = ROUNDS_BEST};
    const struct model_options *const options[] = {NULL, &all, &one, &best};
    char digests[4][SHA256_HEX + 1];
    struct err err = ERR_INIT;
    struct bundle *bundle;

    for (size_t i = 0; i < 4; i++) {
        ck_assert_msg(bundle_load(&bundle, folder, options[i], &err) == 0, "%s", err.text);
        ck_assert_uint_eq(model_tree_count(bundle->model), i < 2 ? 2 : 1);
        memcpy(digests[i], bundle->digest, sizeof digests[i]);
        bundle_free(bundle);
    }
    ck_assert_str_eq(digests[0], digests[1]);
    ck_assert_str_ne(digests[0], digests[2]);
    ck_assert_str_ne(digests[2], digests[3]);
    harness_write(folder, "golden.jsonl", golden, sizeof golden - 1);
    ck_assert_int_eq(bundle_load(&bundle, folder, &all, &err), 0);
    bundle_free(bundle);
    ck_assert_int_ne(bundle_load(&bundle, folder, &one, &err), 0);
    ck_assert_msg(strstr(err.text, "golden.jsonl:1") != NULL, "%s", err.text);
}
END_TEST

START_TEST(an_ini_cut_at_every_byte_is_refused)
{
    const char *folder = write_bundle(ini_text, models_category, table_text);
    char hex[SHA256_HEX + 1], *whole;

    hash(models_category, strlen(models_category), hex);
    whole = models_edit(ini_text, NULL, "SHA", hex);
    for (size_t len = 0; len < strlen(whole) - 1; len++) {
        struct err err = ERR_INIT;
        struct bundle *bundle;
        harness_write(folder, "model.ini", whole, len);
        ck_assert_msg(bundle_load(&bundle, folder, NULL, &err) != 0, "%zu bytes", len);
        ck_assert(err.exit_code == EXIT_DATA || strstr(err.text, "No such file"));
    }
    free(whole);
}
END_TEST

/* ---- models that are only close */

/* 2a + b/2 + 1 as ONNX; `more` stands in [model]. */
static const char *write_close(const char *more, const char *golden)
{
    static char folder[300];
    char hex[SHA256_HEX + 1], ini[500];
    size_t len;
    char *data = onnx_text_write("input X 2\noutput Y\nnode LinearRegressor X > Y "
                                 "coefficients=F:2,0.5 intercepts=F:1",
                                 true, &len);

    snprintf(folder, sizeof folder, "%s", harness_folder());
    hash(data, len, hex);
    snprintf(ini, sizeof ini,
             "[model]\nname = l\nversion = 1\nformat = onnx\nfile = l.onnx\nsha256 = %s\n%s"
             "[output]\nkind = value\nname = v\n"
             "[features]\na = a : number, required\nb = b : number, required\n",
             hex, more);
    harness_write(folder, "model.ini", ini, strlen(ini));
    harness_write(folder, "l.onnx", data, len);
    harness_write(folder, "golden.jsonl", golden, strlen(golden));
    free(data);
    return folder;
}

#define CLOSE "exactness = close\ntolerance = 1e-6\n"

START_TEST(a_model_that_is_only_close_needs_a_bundle_that_says_so)
{
    struct bundle *b = load(write_close(CLOSE, ""));

    ck_assert(b->tolerance == 1e-6);
    bundle_free(b);
    ck_assert_str_eq(refusal(write_close("", ""), EXIT_DATA),
                     "model.ini: not exact: LinearRegressor rounds differently in ONNX Runtime, "
                     "from machine to machine; say exactness = close and a tolerance in [model] if "
                     "close will do");
    ck_assert_str_eq(refusal(write_close("exactness = exact\n", ""), EXIT_DATA),
                     "model.ini:7: not exact: LinearRegressor rounds differently in ONNX Runtime, "
                     "from machine to machine; say exactness = close and a tolerance in [model] if "
                     "close will do");
}
END_TEST

START_TEST(golden_rows_of_a_close_model_are_held_to_its_tolerance)
{
    struct bundle *b = load(write_close(CLOSE, "{\"score\":9.000008,\"margin\":8.999992,\"row\":"
                                               "[3,4]}\n{\"score\":1.0000009,\"row\":[0,0]}\n"));

    ck_assert_uint_eq(b->golden_count, 2);
    bundle_free(b);
    ck_assert_str_eq(refusal(write_close(CLOSE, "{\"score\":9.00001,\"row\":[3,4]}\n"), EXIT_DATA),
                     "golden.jsonl:1: the score is 9, must be 9.00001");
    ck_assert_str_eq(
        refusal(write_close(CLOSE, "{\"margin\":1.000002,\"row\":[0,0]}\n"), EXIT_DATA),
        "golden.jsonl:1: the margin is 1, must be 1.000002");
}
END_TEST

SUITE(bundle)
{
    TCase *loop;

    CASE("load", a_bundle_is_what_its_ini_says,
         a_score_gets_the_decision_of_the_last_threshold_that_it_reaches,
         the_output_is_the_linked_score_or_the_margin);
    CASE("refusals", features_out_of_order_are_refused_even_if_all_are_there,
         another_model_file_than_the_bundle_was_made_with_is_refused,
         a_bad_model_is_said_with_its_file, what_is_not_there_is_an_io_error_with_its_path,
         a_feature_with_texts_must_be_a_category, an_ini_cut_at_every_byte_is_refused);
    CASE("close", a_model_that_is_only_close_needs_a_bundle_that_says_so,
         golden_rows_of_a_close_model_are_held_to_its_tolerance);
    CASE("digest", the_digest_is_that_of_names_and_hashes_in_order,
         each_part_changes_the_digest_and_goldens_do_not,
         rounds_change_the_digest_and_must_hold_the_goldens);
    loop = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loop, each_fault_of_the_ini_is_said_with_its_line, 0,
                        sizeof refusals / sizeof refusals[0]);
    tcase_add_loop_test(loop, a_table_must_agree_with_the_texts_of_the_model, 0,
                        sizeof tables / sizeof tables[0]);
}
