#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tests/harness.h"

static bool parses(const char *text, int64_t low, int64_t high, int64_t *value)
{
    return integer_parse(text, strlen(text), low, high, value);
}

START_TEST(integers_are_read_to_both_ends)
{
    int64_t value;

    ck_assert(parses("0", 0, 0, &value) && value == 0);
    ck_assert(parses("9223372036854775807", INT64_MIN, INT64_MAX, &value) && value == INT64_MAX);
    ck_assert(parses("-9223372036854775808", INT64_MIN, INT64_MAX, &value) && value == INT64_MIN);
    ck_assert(parses("-1", -1, 1, &value) && value == -1);
    ck_assert(!parses("9223372036854775808", INT64_MIN, INT64_MAX, &value));
    ck_assert(!parses("-9223372036854775809", INT64_MIN, INT64_MAX, &value));
    ck_assert(!parses("99999999999999999999999", INT64_MIN, INT64_MAX, &value));
    ck_assert(!parses("11", 0, 10, &value));
    ck_assert(!parses("-1", 0, 10, &value));
}
END_TEST

START_TEST(what_is_no_integer_is_refused)
{
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "--1", "1-"};
    int64_t value;

    ck_assert_msg(!parses(bad[_i], INT64_MIN, INT64_MAX, &value), "\"%s\"", bad[_i]);
}
END_TEST

START_TEST(integers_print_as_printf_does)
{
    static const int64_t values[] = {0,   1,         -1,        9,         10,       99,
                                     100, INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN};
    char got[NUMBER_TEXT_MAX], want[32];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        got[integer_print(got, values[i])] = '\0';
        snprintf(want, sizeof want, "%" PRId64, values[i]);
        ck_assert_str_eq(got, want);
    }
}
END_TEST

/* Each code point alone, against the definition: RFC 3629, section 3. */
static size_t encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

START_TEST(every_code_point_is_judged_alone_and_cut)
{
    for (uint32_t c = 0; c < 0x120000; c++) {
        uint8_t text[4];
        size_t len = encode(c, text);
        bool is_legal = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
        if (utf8_is_valid(text, len) != is_legal)
            ck_abort_msg("U+%04X", c);
        for (size_t cut = 1; cut < len; cut++)
            if (utf8_is_valid(text, cut))
                ck_abort_msg("U+%04X cut to %zu bytes", c, cut);
    }
}
END_TEST

START_TEST(malformed_utf8_is_found_at_every_place)
{
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf5\x80\x80\x80", "\xff",
        "\xe2\x28\xa1"};

    for (size_t before = 0; before < 20; before++) {
        uint8_t text[40];
        size_t len = strlen(bad[_i]);
        memset(text, 'a', sizeof text);
        memcpy(text + before, bad[_i], len);
        ck_assert(!utf8_is_valid(text, before + len));
        ck_assert(!utf8_is_valid(text, before + len + 8));
    }
}
END_TEST

static const char *print(const char *text, size_t len)
{
    static char out[4000];

    ck_assert_uint_lt(JSON_STRING_MAX(len), sizeof out);
    out[json_string_print(out, text, len)] = '\0';
    return out;
}

START_TEST(every_byte_prints_as_a_json_string_that_reads_back)
{
    for (int c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'b'};
        const char *quoted = print(text, 3);
        json_t *back = json_loads(quoted, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ck_assert_msg(back != NULL, "byte %d printed as %s", c, quoted);
        if (c < 0x80) {
            ck_assert_uint_eq(json_string_length(back), 3);
            ck_assert_mem_eq(json_string_value(back), text, 3);
        } else {
            ck_assert_str_eq(json_string_value(back), "a\xef\xbf\xbd"
                                                      "b");
        }
        json_decref(back);
    }
}
END_TEST

START_TEST(strings_escape_what_must_be_and_keep_the_rest)
{
    ck_assert_str_eq(print("", 0), "\"\"");
    ck_assert_str_eq(print("a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
    ck_assert_str_eq(print("\b\f\n\r\t", 5), "\"\\b\\f\\n\\r\\t\"");
    ck_assert_str_eq(print("\x01\x1f\0", 3), "\"\\u0001\\u001f\\u0000\"");
    ck_assert_str_eq(print("\x7f\xc3\xa9\xf0\x9f\x98\x80", 7), "\"\x7f\xc3\xa9\xf0\x9f\x98\x80\"");
    ck_assert_str_eq(print("\xf0\x9f\x98", 3),
                     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* cut in the middle */
}
END_TEST

START_TEST(distance_counts_edits)
{
    ck_assert_uint_eq(text_distance("", ""), 0);
    ck_assert_uint_eq(text_distance("abc", ""), 3);
    ck_assert_uint_eq(text_distance("", "abc"), 3);
    ck_assert_uint_eq(text_distance("topic", "topics"), 1);
    ck_assert_uint_eq(text_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(long_names_have_a_distance_too)
{
    char a[500], b[500];

    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    a[499] = b[499] = '\0';
    ck_assert_uint_eq(text_distance(a, a), 0);
    ck_assert_uint_gt(text_distance(a, b), 0);
}
END_TEST

START_TEST(the_nearest_name_is_found_only_when_near)
{
    static const char *const names[] = {"topic", "format", "framing", "start"};

    ck_assert_str_eq(text_nearest("topics", names, 4), "topic");
    ck_assert_str_eq(text_nearest("frming", names, 4), "framing");
    ck_assert_ptr_null(text_nearest("bootstrap.servers", names, 4));
    ck_assert_ptr_null(text_nearest("x", names, 0));
    ck_assert_ptr_null(text_nearest("f1", (const char *const[]){"a", "xy", "k"}, 3));
    ck_assert_str_eq(text_nearest("f1", (const char *const[]){"a", "f2", "k"}, 3), "f2");
}
END_TEST

START_TEST(trimming_moves_both_ends)
{
    static const struct {
        const char *text, *want;
    } rows[] = {{"", ""}, {"  \t\r", ""}, {" a b ", "a b"}, {"a", "a"}, {"\ta\r", "a"}};
    const char *text = rows[_i].text;
    size_t len = strlen(text);

    text_trim(&text, &len);
    ck_assert_uint_eq(len, strlen(rows[_i].want));
    ck_assert_mem_eq(text, rows[_i].want, len);
}
END_TEST

static const struct {
    const char *text, *want;
} visibles[] = {
    {"", ""},
    {"caf\xc3\xa9 \xf0\x9f\x9a\x80 \\", "caf\xc3\xa9 \xf0\x9f\x9a\x80 \\"},
    {"\x1b[2J\a\r\n\t\x7f", "\\u001b[2J\\u0007\\r\\n\\t\\u007f"},
    {"\xc2\x9b"
     "31m",
     "\\u009b"
     "31m"}, /* C1: CSI in one character */
    {"a\xe2\x80\xae"
     "b\xe2\x81\xa6\xe2\x80\xa8",
     "a\\u202eb\\u2066\\u2028"},
    {"\x9b\xff\xc3", "\\x9b\\xff\\xc3"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
};

START_TEST(no_terminal_obeys_what_is_visible)
{
    const char *text = visibles[_i].text;
    char out[100];

    out[visible_print(out, text, strlen(text))] = '\0';
    ck_assert_str_eq(out, visibles[_i].want);
}
END_TEST

START_TEST(every_byte_and_pair_is_visible)
{
    for (unsigned pair = 0; pair < 1 << 16; pair++) {
        uint8_t two[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        char out[VISIBLE_MAX(2)];
        size_t len = visible_print(out, two, 2);
        ck_assert(utf8_is_valid((uint8_t *)out, len));
        for (size_t i = 0; i < len; i++)
            ck_assert_msg((uint8_t)out[i] >= 0x20 && out[i] != 0x7f, "%04x", pair);
        ck_assert_msg(!(len == 2 && (uint8_t)out[0] == 0xc2 && (uint8_t)out[1] < 0xa0), "%04x",
                      pair);
    }
}
END_TEST

START_TEST(columns_are_code_points)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80z";
    static const size_t bytes[] = {0, 1, 3, 6, 10, 11, 11};

    for (size_t want = 0; want < 7; want++) {
        size_t columns = want;
        ck_assert_uint_eq(text_columns(text, sizeof text - 1, &columns), bytes[want]);
        ck_assert_uint_eq(columns, want < 6 ? want : 5);
    }
}
END_TEST

/* The examples of RFC 4648, section 10, and bytes of every kind. */
START_TEST(base64_is_that_of_the_rfc)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xfe\xfb", "//77"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i][0]);
        char out[16] = "";
        ck_assert_uint_eq(base64_print(out, cases[i][0], len), BASE64_MAX(len));
        ck_assert_str_eq(out, cases[i][1]);
    }
}
END_TEST

START_TEST(what_is_added_stands_behind_and_is_cut_at_the_end)
{
    char out[8];
    size_t len = 0;

    text_add(out, sizeof out, &len, "%d", 12);
    text_add(out, sizeof out, &len, "%s", "");
    text_add(out, sizeof out, &len, "-%s", "abc");
    ck_assert_str_eq(out, "12-abc");
    ck_assert_uint_eq(len, 6);
    text_add(out, sizeof out, &len, "%s", "defg");
    ck_assert_str_eq(out, "12-abcd");
    ck_assert_uint_eq(len, 7);
    text_add(out, sizeof out, &len, "h");
    ck_assert_str_eq(out, "12-abcd");
    ck_assert_uint_eq(len, 7);
}
END_TEST

SUITE(text)
{
    TCase *loops;

    CASE("integers", integers_are_read_to_both_ends, integers_print_as_printf_does);
    CASE("utf8", every_code_point_is_judged_alone_and_cut);
    CASE("strings", every_byte_prints_as_a_json_string_that_reads_back,
         strings_escape_what_must_be_and_keep_the_rest, base64_is_that_of_the_rfc,
         what_is_added_stands_behind_and_is_cut_at_the_end);
    CASE("names", distance_counts_edits, long_names_have_a_distance_too,
         the_nearest_name_is_found_only_when_near);
    CASE("visible", every_byte_and_pair_is_visible, columns_are_code_points);
    loops = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loops, no_terminal_obeys_what_is_visible, 0,
                        sizeof visibles / sizeof visibles[0]);
    tcase_add_loop_test(loops, what_is_no_integer_is_refused, 0, 10);
    tcase_add_loop_test(loops, malformed_utf8_is_found_at_every_place, 0, 9);
    tcase_add_loop_test(loops, trimming_moves_both_ends, 0, 5);
}
