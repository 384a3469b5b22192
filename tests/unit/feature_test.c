#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "tests/harness.h"

/* A path as text again: .a for a field, [3], ["k"]. */
static const char *describe(const struct path *path)
{
    static char out[1000];
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < path->step_count; i++) {
        const struct step *s = &path->steps[i];
        if (s->kind == STEP_INDEX)
            len += (size_t)snprintf(out + len, sizeof out - len, "[%zu]", s->index);
        else
            len += (size_t)snprintf(out + len, sizeof out - len,
                                    s->kind == STEP_KEY ? "[\"%s\"]" : ".%s", s->name);
        ck_assert(s->kind == STEP_INDEX || strlen(s->name) == s->name_len);
    }
    return out;
}

static const struct {
    const char *text, *want;
} paths[] = {
    {"a", ".a"},
    {"weather.temp", ".weather.temp"},
    {"a.b.c.d", ".a.b.c.d"},
    {"a[0]", ".a[0]"},
    {"a[10].b[2][3]", ".a[10].b[2][3]"},
    {"extras[\"k\"]", ".extras[\"k\"]"},
    {"extras[\"a.b[0] | c:d\"].x", ".extras[\"a.b[0] | c:d\"].x"},
    {"extras[\"\"]", ".extras[\"\"]"},
    {"\xc3\xa9.x y", ".\xc3\xa9.x y"},
    {"a[1000000]", ".a[1000000]"},
};

START_TEST(paths_are_split_into_steps)
{
    struct err err = ERR_INIT;
    struct path path;

    ck_assert_msg(path_parse(&path, paths[_i].text, strlen(paths[_i].text), &err) == 0, "%s",
                  err.text);
    ck_assert_str_eq(describe(&path), paths[_i].want);
    ck_assert_str_eq(path.text, paths[_i].text);
    path_release(&path);
}
END_TEST

static const char *const no_paths[] = {
    "",      ".",      ".a",     "a.",    "a..b",       "[0]",    "[\"k\"]", "a[",    "a[]",
    "a[x]",  "a[-1]",  "a[1",    "a[\"k", "a[\"k\"",    "a[\"k]", "a[0]b",   "a[k]",  "a['k']",
    "a[+1]", "a[1.5]", "a[ 1 ]", "a.[0]", "a[1000001]", "a[0].",  "a[0]..b", "a[-0]",
};

START_TEST(what_is_no_path_is_refused_in_words)
{
    struct err err = ERR_INIT;
    struct path path;
    char want[200];

    snprintf(want, sizeof want, "\"%s\" is not a path; paths look like a.b, a[0] or a[\"key\"]",
             no_paths[_i]);
    ck_assert_msg(path_parse(&path, no_paths[_i], strlen(no_paths[_i]), &err) == -1, "%s",
                  no_paths[_i]);
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
}
END_TEST

START_TEST(a_path_has_at_most_32_steps)
{
    char text[100] = "a";
    struct err err = ERR_INIT;
    struct path path;

    for (int i = 1; i < 32; i++)
        strcat(text, ".a");
    ck_assert_int_eq(path_parse(&path, text, strlen(text), &err), 0);
    ck_assert_uint_eq(path.step_count, 32);
    path_release(&path);
    strcat(text, ".a");
    ck_assert_int_eq(path_parse(&path, text, strlen(text), &err), -1);
}
END_TEST

START_TEST(a_path_cut_at_every_byte_is_read_or_refused)
{
    static const char whole[] = "a.b[12][\"k.x\"].\xc3\xa9[0]";

    for (size_t len = 0; len < sizeof whole; len++) {
        char *copy = malloc(len ? len : 1);
        struct err err = ERR_INIT;
        struct path path;
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole, len);
        if (path_parse(&path, copy, len, &err) == 0)
            path_release(&path);
        free(copy);
    }
}
END_TEST

/* A folder with carrier.csv: AA 0, UA 1, _UA 1. */
static const char *tables(void)
{
    static const char csv[] = "value,code\nAA,0\nUA,1\n_UA,1\n";
    static char folder[256];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "carrier.csv", csv, sizeof csv - 1);
    harness_write(folder, "c d.csv", csv, sizeof csv - 1);
    return folder;
}

static struct feature parse(const char *text)
{
    struct err err = ERR_INIT;
    struct feature f;

    ck_assert_msg(feature_parse(&f, "name", text, tables(), &err) == 0, "%s: %s", text, err.text);
    return f;
}

static void release(struct feature f)
{
    struct features all = {.items = malloc(sizeof f), .count = 1};

    ck_assert_ptr_nonnull(all.items);
    all.items[0] = f;
    features_release(&all);
}

START_TEST(alternatives_are_kept_in_their_order)
{
    struct feature f = parse("distance | trip.distance_miles|d[0] : number, required");

    ck_assert_str_eq(f.name, "name");
    ck_assert_uint_eq(f.path_count, 3);
    ck_assert_str_eq(f.paths[0].text, "distance");
    ck_assert_str_eq(f.paths[1].text, "trip.distance_miles");
    ck_assert_str_eq(f.paths[2].text, "d[0]");
    ck_assert_int_eq(f.type, FEATURE_NUMBER);
    ck_assert(f.required && f.table == NULL);
    release(f);
}
END_TEST

START_TEST(a_key_in_quotes_may_hold_every_sign)
{
    struct feature f = parse("m[\"a|b\"] | m[\"c:d\"] | m[\"e,f\"] : boolean, optional");

    ck_assert_uint_eq(f.path_count, 3);
    ck_assert_str_eq(f.paths[0].steps[1].name, "a|b");
    ck_assert_str_eq(f.paths[1].steps[1].name, "c:d");
    ck_assert_str_eq(f.paths[2].steps[1].name, "e,f");
    ck_assert_int_eq(f.type, FEATURE_BOOLEAN);
    release(f);
}
END_TEST

START_TEST(missing_is_nan_or_the_default_rounded_once)
{
    struct feature f = parse("x : number, optional");

    ck_assert(!f.required && isnan(f.missing));
    release(f);
    f = parse("x : number, default -1.5e3");
    ck_assert(!f.required);
    ck_assert_bits(f.missing, -1500.0f);
    release(f);
    f = parse("x : number, default 0.1");
    ck_assert_bits(f.missing, 0.1f);
    release(f);
    f = parse("x : boolean, default 1");
    ck_assert_bits(f.missing, 1.0f);
    release(f);
    f = parse("x : category carrier.csv, default 1");
    ck_assert_bits(f.missing, 1.0f);
    release(f);
}
END_TEST

START_TEST(categories_bring_their_table_and_their_policy)
{
    struct feature f = parse("x : category carrier.csv, required, unknown as missing");

    ck_assert_int_eq(f.type, FEATURE_CATEGORY);
    ck_assert(f.required && f.unknown_is_missing);
    ck_assert_int_eq(category_find(f.table, "_UA", 3), 1);
    release(f);
    f = parse("x : category  c d.csv , unknown as error, optional");
    ck_assert(!f.required && !f.unknown_is_missing);
    release(f);
    f = parse("x : category carrier.csv, optional");
    ck_assert(!f.unknown_is_missing);
    release(f);
}
END_TEST

static const struct {
    const char *text, *want;
} faults[] = {
    {"", "expected PATH [| PATH ...] : TYPE, POLICY, such as weather.temp : number, optional"},
    {"a", "expected PATH [| PATH ...] : TYPE, POLICY, such as weather.temp : number, optional"},
    {": number, required", "\"\" is not a path; paths look like a.b, a[0] or a[\"key\"]"},
    {"a | : number, required", "\"\" is not a path; paths look like a.b, a[0] or a[\"key\"]"},
    {"a..b : number, required", "\"a..b\" is not a path; paths look like a.b, a[0] or a[\"key\"]"},
    {"a :", "\"\" is no type; it is number, boolean or category TABLE.csv"},
    {"a : numbers, required",
     "\"numbers\" is no type; it is number, boolean or category TABLE.csv"},
    {"a : category, required",
     "\"category\" is no type; it is number, boolean or category TABLE.csv"},
    {"a : number", "one of required, optional or default N must be written"},
    {"a : number,", "\"\" is no policy; required, optional or default N"},
    {"a : number, must", "\"must\" is no policy; required, optional or default N"},
    {"a : number, default", "\"default\" is no policy; required, optional or default N"},
    {"a : number, default x", "\"default x\" is no policy; required, optional or default N"},
    {"a : number, default 1x", "\"default 1x\" is no policy; required, optional or default N"},
    {"a : number, default NaN", "\"default NaN\" is no policy; required, optional or default N"},
    {"a : number, default 1e39", "\"default 1e39\" is no policy; required, optional or default N"},
    {"a : number, required, optional", "\"optional\" says again what was said before it"},
    {"a : number, default 1, required", "\"required\" says again what was said before it"},
    {"a : number, required, unknown as error",
     "\"unknown as error\" is no policy; required, optional or default N"},
    {"a : category carrier.csv, required, unknown as zero",
     "\"unknown as zero\" is no policy; required, optional or default N, and unknown as error or "
     "unknown as missing"},
    {"a : category carrier.csv, required, unknown as error, unknown as missing",
     "\"unknown as missing\" says again what was said before it"},
    {"a : category carrier.csv, default 2",
     "default of a category must be one of its codes, 0 to 1"},
    {"a : category carrier.csv, default -1",
     "default of a category must be one of its codes, 0 to 1"},
    {"a : category carrier.csv, default 0.5",
     "default of a category must be one of its codes, 0 to 1"},
    {"a : category carrier.csv, unknown as error",
     "one of required, optional or default N must be written"},
};

START_TEST(each_fault_says_what_is_expected)
{
    struct err err = ERR_INIT;
    struct feature f;
    char want[300];

    snprintf(want, sizeof want, "feature temp: %s", faults[_i].want);
    ck_assert_int_eq(feature_parse(&f, "temp", faults[_i].text, tables(), &err), -1);
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    ck_assert_ptr_null(f.name);
    ck_assert_ptr_null(f.paths);
    ck_assert_ptr_null(f.table);
}
END_TEST

START_TEST(a_table_that_is_not_there_is_named)
{
    struct err err = ERR_INIT;
    struct feature f;

    ck_assert_int_eq(
        feature_parse(&f, "carrier", "x : category absent.csv, required", tables(), &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "feature carrier: "));
    ck_assert_ptr_nonnull(strstr(err.text, "/absent.csv: No such file"));
}
END_TEST

START_TEST(a_line_cut_at_every_byte_is_read_or_refused)
{
    static const char whole[] =
        "a[\"k\"] | b.c : category carrier.csv, default 1, unknown as error";
    const char *folder = tables();

    for (size_t len = 0; len < sizeof whole; len++) {
        char text[sizeof whole];
        struct err err = ERR_INIT;
        struct feature f;
        memcpy(text, whole, len);
        text[len] = '\0';
        if (feature_parse(&f, "x", text, folder, &err) == 0)
            release(f);
        else
            ck_assert_mem_eq(err.text, "feature x: ", 11);
    }
}
END_TEST

SUITE(feature)
{
    TCase *loops;

    CASE("paths", a_path_has_at_most_32_steps, a_path_cut_at_every_byte_is_read_or_refused,
         alternatives_are_kept_in_their_order, a_key_in_quotes_may_hold_every_sign);
    CASE("policies", missing_is_nan_or_the_default_rounded_once,
         categories_bring_their_table_and_their_policy, a_table_that_is_not_there_is_named,
         a_line_cut_at_every_byte_is_read_or_refused);
    loops = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loops, paths_are_split_into_steps, 0, sizeof paths / sizeof paths[0]);
    tcase_add_loop_test(loops, what_is_no_path_is_refused_in_words, 0,
                        sizeof no_paths / sizeof no_paths[0]);
    tcase_add_loop_test(loops, each_fault_says_what_is_expected, 0,
                        sizeof faults / sizeof faults[0]);
}
