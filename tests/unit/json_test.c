#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "tests/harness.h"

static bool accepts(const char *text, size_t len, unsigned max_depth, enum json_fault *fault)
{
    /* A copy of exactly len bytes: reading behind it is caught by the sanitizer. */
    char *copy = malloc(len ? len : 1);
    struct json j;
    bool ok;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, len);
    json_init(&j, copy, len, max_depth);
    json_skip(&j);
    ok = json_end(&j);
    *fault = j.fault;
    free(copy);
    return ok;
}

static const char *const good[] = {"null",
                                   "true",
                                   "false",
                                   "0",
                                   "-1.5e3",
                                   "\"\"",
                                   "[]",
                                   "{}",
                                   " \t\r\n[ 1 , 2 ] ",
                                   "{\"a\":1,\"b\":[{}],\"\":null}",
                                   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
                                   "[[[[]]]]",
                                   "[1e999]",
                                   "\"\x7f\"",
                                   "{\"a\":1,\"a\":2}"};

static const char *const bad[] = {"",
                                  " ",
                                  "nul",
                                  "nulll",
                                  "True",
                                  "tru",
                                  "[",
                                  "]",
                                  "{",
                                  "}",
                                  "[1",
                                  "[1,",
                                  "[1,]",
                                  "[,1]",
                                  "[,]",
                                  "[1 2]",
                                  "{\"a\"}",
                                  "{\"a\":}",
                                  "{\"a\":1,}",
                                  "{,}",
                                  "{a:1}",
                                  "{'a':1}",
                                  "{1:2}",
                                  "{\"a\" 1}",
                                  "{\"a\"::1}",
                                  "{\"a\":1 \"b\":2}",
                                  "01",
                                  "1.",
                                  ".5",
                                  "+1",
                                  "- 1",
                                  "1e",
                                  "0x10",
                                  "NaN",
                                  "Infinity",
                                  "-Infinity",
                                  "[NaN]",
                                  "\"",
                                  "\"a",
                                  "\"\\\"",
                                  "\"\\x\"",
                                  "\"\\u12\"",
                                  "\"\\u12g4\"",
                                  "\"\\\"",
                                  "\"a\nb\"",
                                  "\"a\tb\"",
                                  "1 2",
                                  "[] []",
                                  "{}x",
                                  "nullx",
                                  "[1]]",
                                  "\xef\xbb\xbf[]",
                                  "/* */1",
                                  "[1]//",
                                  "\"\\'\"",
                                  "'a'",
                                  "[1;2]",
                                  "[truefalse]",
                                  "-",
                                  "[-]",
                                  "\x0b[]",
                                  "undefined"};

START_TEST(what_is_json_is_taken)
{
    enum json_fault fault;

    ck_assert_msg(accepts(good[_i], strlen(good[_i]), 64, &fault), "%s", good[_i]);
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
    enum json_fault fault;

    ck_assert_msg(!accepts(bad[_i], strlen(bad[_i]), 64, &fault), "%s", bad[_i]);
}
END_TEST

START_TEST(control_bytes_inside_strings_are_refused)
{
    enum json_fault fault;

    for (int c = 0; c < 0x20; c++) {
        char text[3] = {'"', (char)c, '"'};
        ck_assert_msg(!accepts(text, 3, 64, &fault), "byte %d", c);
    }
    ck_assert(!accepts("[1\0]", 4, 64, &fault));
    ck_assert(!accepts("\"\\\0\"", 4, 64, &fault));
}
END_TEST

START_TEST(a_document_cut_at_every_byte_is_refused)
{
    static const char whole[] =
        "{\"a\":[1,-2.5e-3,true,false,null,\"x\\u00e9\\\\y\"],\"b\":{\"c\":[[],{}]},\"d\":\"\"}";
    enum json_fault fault;

    for (size_t len = 0; len < sizeof whole - 1; len++) {
        ck_assert_msg(!accepts(whole, len, 64, &fault), "%zu bytes", len);
        ck_assert_msg(fault != JSON_TOO_DEEP, "%zu bytes", len);
    }
    ck_assert(accepts(whole, sizeof whole - 1, 64, &fault));
}
END_TEST

START_TEST(depth_is_counted_from_the_root_container)
{
    enum json_fault fault;

    ck_assert(accepts("1", 1, 0, &fault));
    ck_assert(!accepts("[]", 2, 0, &fault));
    ck_assert_int_eq(fault, JSON_TOO_DEEP);
    ck_assert(accepts("[[[]]]", 6, 3, &fault));
    ck_assert(!accepts("[[[[]]]]", 8, 3, &fault));
    ck_assert_int_eq(fault, JSON_TOO_DEEP);
    /* Siblings are no depth. */
    ck_assert(accepts("[[],[],{},[[]]]", 15, 3, &fault));
}
END_TEST

START_TEST(twenty_thousand_levels_end_quickly_and_softly)
{
    enum { LEVELS = 20000 };
    char *text = malloc(2 * LEVELS);
    enum json_fault fault;

    ck_assert_ptr_nonnull(text);
    memset(text, '[', LEVELS);
    memset(text + LEVELS, ']', LEVELS);
    ck_assert(!accepts(text, 2 * LEVELS, 64, &fault));
    ck_assert_int_eq(fault, JSON_TOO_DEEP);
    for (size_t i = 0; i + 4 < 2 * LEVELS; i += 5)
        memcpy(text + i, "{\"\":", 4), text[i + 4] = ' ';
    ck_assert(!accepts(text, 2 * LEVELS, 64, &fault));
    ck_assert_int_eq(fault, JSON_TOO_DEEP);
    free(text);
}
END_TEST

START_TEST(values_come_out_in_order)
{
    static const char text[] =
        "{\"n\":1.5,\"t\":true,\"s\":\"x\",\"z\":null,\"l\":[1,2,3],\"o\":{}}";
    struct json j;
    struct json_text key, value;
    double number, sum = 0;
    bool truth;

    json_init(&j, text, sizeof text - 1, 64);
    ck_assert_int_eq(json_peek(&j), JSON_OBJECT);
    ck_assert(json_enter_object(&j));
    ck_assert(json_key(&j, &key) && json_text_equals(&key, "n"));
    ck_assert(json_number(&j, &number) && number == 1.5);
    ck_assert(json_key(&j, &key) && json_text_equals(&key, "t"));
    ck_assert(json_boolean(&j, &truth) && truth);
    ck_assert(json_key(&j, &key) && json_text_equals(&key, "s"));
    ck_assert(json_take_string(&j, &value) && value.len == 1 && value.data[0] == 'x');
    ck_assert(json_key(&j, &key) && json_peek(&j) == JSON_NULL && json_take_null(&j));
    ck_assert(json_key(&j, &key) && json_enter_array(&j));
    while (json_item(&j) && json_number(&j, &number))
        sum += number;
    ck_assert(sum == 6);
    ck_assert(json_key(&j, &key) && json_enter_object(&j) && !json_key(&j, &key));
    ck_assert(!json_key(&j, &key));
    ck_assert(json_end(&j));
    ck_assert_uint_eq(j.depth, 0);
}
END_TEST

START_TEST(the_first_fault_sticks_and_ends_all_loops)
{
    static const char text[] = "{\"a\":\"x\",\"b\":1}";
    struct json j;
    struct json_text key;
    double number;
    const char *at;

    json_init(&j, text, sizeof text - 1, 64);
    json_enter_object(&j);
    json_key(&j, &key);
    ck_assert(!json_number(&j, &number)); /* it is a string */
    ck_assert_int_eq(j.fault, JSON_BAD);
    at = j.at;
    ck_assert(!json_key(&j, &key));
    ck_assert(!json_item(&j));
    ck_assert(!json_skip(&j));
    ck_assert_int_eq(json_peek(&j), JSON_NONE);
    ck_assert(!json_end(&j));
    ck_assert(!json_fail(&j, JSON_TOO_DEEP));
    ck_assert_int_eq(j.fault, JSON_BAD);
    ck_assert_ptr_eq(j.at, at);
}
END_TEST

START_TEST(escapes_are_resolved)
{
    static const struct {
        const char *raw, *plain;
    } rows[] = {{"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
                {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
                {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
                {"\\ud83d", "\xef\xbf\xbd"},
                {"\\ude00", "\xef\xbf\xbd"},
                {"\\ud83dx", "\xef\xbf\xbdx"},
                {"\\ud83d\\u0041", "\xef\xbf\xbd"
                                   "A"},
                {"\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd"},
                {"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
                {"plain", "plain"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char quoted[100], out[100];
        struct json_text text;
        struct json j;
        snprintf(quoted, sizeof quoted, "\"%s\"", rows[i].raw);
        json_init(&j, quoted, strlen(quoted), 1);
        ck_assert(json_take_string(&j, &text));
        ck_assert_uint_le(json_unescape(&text, out), text.len);
        out[json_unescape(&text, out)] = '\0';
        ck_assert_str_eq(out, rows[i].plain);
        ck_assert_msg(json_text_equals(&text, rows[i].plain), "%s", rows[i].raw);
        ck_assert(!json_text_equals(&text, "other"));
    }
}
END_TEST

START_TEST(an_escaped_nul_is_part_of_the_text)
{
    static const char quoted[] = "\"a\\u0000b\"";
    struct json_text text;
    struct json j;
    char out[20];

    json_init(&j, quoted, sizeof quoted - 1, 1);
    ck_assert(json_take_string(&j, &text));
    ck_assert_uint_eq(json_unescape(&text, out), 3);
    ck_assert_mem_eq(out, "a\0b", 3);
    ck_assert(!json_text_equals(&text, "a"));
}
END_TEST

START_TEST(high_bytes_are_told)
{
    struct json_text text;
    struct json j;

    json_init(&j, "[\"abc\",\"\xc3\xa9\"]", 11, 4);
    json_enter_array(&j);
    ck_assert(json_item(&j) && json_take_string(&j, &text) && !j.has_high);
    ck_assert(json_item(&j) && json_take_string(&j, &text) && j.has_high);
}
END_TEST

START_TEST(nan_tokens_are_numbers_only_when_allowed)
{
    static const char text[] = "[NaN,-Infinity,Infinity,1]";
    struct json j;
    double value;
    float narrow;

    json_init(&j, text, sizeof text - 1, 4);
    j.allow_nan = true;
    ck_assert(json_enter_array(&j));
    ck_assert(json_item(&j) && json_number(&j, &value) && isnan(value));
    ck_assert(json_item(&j) && json_number(&j, &value) && isinf(value) && value < 0);
    ck_assert(json_item(&j) && json_float(&j, &narrow) && isinf(narrow) && narrow > 0);
    ck_assert(json_item(&j) && json_float(&j, &narrow) && narrow == 1);
    ck_assert(!json_item(&j) && json_end(&j));
    json_init(&j, "[-Inf]", 6, 4);
    j.allow_nan = true;
    ck_assert(!json_skip(&j));
}
END_TEST

SUITE(json)
{
    TCase *loops;

    CASE("grammar", control_bytes_inside_strings_are_refused,
         a_document_cut_at_every_byte_is_refused);
    CASE("depth", depth_is_counted_from_the_root_container,
         twenty_thousand_levels_end_quickly_and_softly);
    CASE("pull", values_come_out_in_order, the_first_fault_sticks_and_ends_all_loops,
         high_bytes_are_told, nan_tokens_are_numbers_only_when_allowed);
    CASE("escapes", escapes_are_resolved, an_escaped_nul_is_part_of_the_text);
    loops = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loops, what_is_json_is_taken, 0, sizeof good / sizeof good[0]);
    tcase_add_loop_test(loops, what_is_not_json_is_refused, 0, sizeof bad / sizeof bad[0]);
}
