/* What is JSON for the scanner, after JSONTestSuite (N. Seriot, "Parsing JSON is a Minefield"):
 * each text stands where a feature takes it, where nothing does, and as the whole event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/json.h"
#include "core/text.h"
#include "tests/harness.h"
#include "tests/reading.h"

/* Values. */
static const struct {
    const char *data;
    size_t len;
} good[] = {
    {BYTES("null")},
    {BYTES("true")},
    {BYTES("false")},
    {BYTES("0")},
    {BYTES("-0")},
    {BYTES("-0.0")},
    {BYTES("123e65")},
    {BYTES("0e+1")},
    {BYTES("0e1")},
    {BYTES("20e1")},
    {BYTES("-123")},
    {BYTES("1E22")},
    {BYTES("1E-2")},
    {BYTES("1E+2")},
    {BYTES("123.456e78")},
    {BYTES("1e9999999999999999999")},
    {BYTES("-1e-9999999999999999999")},
    {BYTES("123456789012345678901234567890123456789012345678901234567890.5")},
    {BYTES("\"\"")},
    {BYTES("\" \"")},
    {BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")},
    {BYTES("\"\\u0000\\uFFFF\\u0012\"")},
    {BYTES("\"\\ud801\\udc37\"")},
    {BYTES("\"\\ud800\"")},
    {BYTES("\"\\udc00\\ud800\"")},
    {BYTES("\"\x7f\"")},
    {BYTES("\"\xc2\x80\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf\"")},
    {BYTES("\"abcdefg\\\"hijklmnop\\\\qrstuvw/*xyz*/\"")},
    {BYTES("[]")},
    {BYTES("[[]]")},
    {BYTES("[ ]")},
    {BYTES("[null, 1, \"1\", {}]")},
    {BYTES("[1\n]")},
    {BYTES("[\"\"]")},
    {BYTES("{}")},
    {BYTES("{\"a\":\"b\"}")},
    {BYTES("{\"a\":\"b\",\"a\":\"c\"}")},
    {BYTES("{\"\":0}")},
    {BYTES("{\"foo\\u0000bar\": 42}")},
    {BYTES("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }")},
    {BYTES(" \t\r\n1 \t\r\n")},
};

static const struct {
    const char *data;
    size_t len;
} bad[] = {
    {BYTES("")},
    {BYTES(" ")},
    {BYTES("nul")},
    {BYTES("nulL")},
    {BYTES("tru")},
    {BYTES("True")},
    {BYTES("fals")},
    {BYTES("falsy")},
    {BYTES("truefalse")},
    {BYTES("NaN")},
    {BYTES("-NaN")},
    {BYTES("nan")},
    {BYTES("Infinity")},
    {BYTES("-Infinity")},
    {BYTES("+1")},
    {BYTES("-")},
    {BYTES("--1")},
    {BYTES("- 1")},
    {BYTES("-01")},
    {BYTES("01")},
    {BYTES("00")},
    {BYTES("012345678901234567890")},
    {BYTES(".5")},
    {BYTES("-.5")},
    {BYTES("1.")},
    {BYTES("1.e1")},
    {BYTES("0.e1")},
    {BYTES("1e")},
    {BYTES("1e+")},
    {BYTES("1e-")},
    {BYTES("0E")},
    {BYTES("0.3e")},
    {BYTES("1.0e+")},
    {BYTES("1.0e+x")},
    {BYTES("9.e+")},
    {BYTES("1eE2")},
    {BYTES("1 000")},
    {BYTES("0x1")},
    {BYTES("1f")},
    {BYTES("1\0")},
    {BYTES("12345678x")},
    {BYTES("1.12345678x")},
    {BYTES("\xef\xbc\x91")},
    {BYTES("\"")},
    {BYTES("\"a")},
    {BYTES("\"\\\"")},
    {BYTES("\"\\")},
    {BYTES("\"\\x00\"")},
    {BYTES("\"\\a\"")},
    {BYTES("\"\\u\"")},
    {BYTES("\"\\u00A\"")},
    {BYTES("\"\\uqqqq\"")},
    {BYTES("\"\\ud800\\u\"")},
    {BYTES("\"\\u000")},
    {BYTES("\"\\\xf0\x9f\x8c\x80\"")},
    {BYTES("\"\\\0\"")},
    {BYTES("\"a\nb\"")},
    {BYTES("\"\t\"")},
    {BYTES("\"a\0a\"")},
    {BYTES("\"01234567\x1f\"")},
    {BYTES("'a'")},
    {BYTES("a")},
    {BYTES("\"\xff\"")},
    {BYTES("\"\xc0\xaf\"")},
    {BYTES("\"\xc3\"")},
    {BYTES("\"\xe0\x80\xaf\"")},
    {BYTES("\"\xed\xa0\x80\"")},
    {BYTES("\"\xf4\x90\x80\x80\"")},
    {BYTES("\"\x80\"")},
    {BYTES("\"0123456789012345\xfe\"")},
    {BYTES("{\"\xff\":1}")},
    {BYTES("[")},
    {BYTES("[1")},
    {BYTES("[1,")},
    {BYTES("[1,]")},
    {BYTES("[,1]")},
    {BYTES("[,]")},
    {BYTES("[1,,2]")},
    {BYTES("[1 2]")},
    {BYTES("[1:2]")},
    {BYTES("[1}")},
    {BYTES("[-]")},
    {BYTES("[\"a\" \"b\"]")},
    {BYTES("[3[4]]")},
    {BYTES("[1,\n1\n,1")},
    {BYTES("{")},
    {BYTES("{\"a\"}")},
    {BYTES("{\"a\":}")},
    {BYTES("{\"a\":1,}")},
    {BYTES("{\"a\":1,,\"b\":2}")},
    {BYTES("{,\"a\":1}")},
    {BYTES("{\"a\" 1}")},
    {BYTES("{\"a\",1}")},
    {BYTES("{\"a\"::1}")},
    {BYTES("{a:1}")},
    {BYTES("{1:1}")},
    {BYTES("{null:1}")},
    {BYTES("{'a':1}")},
    {BYTES("{[:1}")},
    {BYTES("{\"a\":1 \"b\":2}")},
    {BYTES("{\"a\":1]")},
    {BYTES("{\"a\":1")},
    {BYTES("{\"a\":")},
    {BYTES("{\"a\"")},
    {BYTES("{\"a")},
    {BYTES("]")},
    {BYTES("}")},
    {BYTES(",")},
    {BYTES(":")},
    {BYTES("\xef\xbb\xbf{}")},
    {BYTES("/**/1")},
    {BYTES("1//")},
    {BYTES("\f1")},
    {BYTES("\xc2\xa0"
           "1")},
    {BYTES("\x0b[]")},
    {BYTES("\0")},
};

/* Where the text is put: a feature takes it, or nothing does, or it is all there is; in a long
 * event too, where numbers are read eight digits at a time. */
static const char *const places[][2] = {
    {"{\"x\":", "}"},
    {"{\"y\":", "}"},
    {"{\"x\":", ",\"pad\":\"0123456789012345678901234567890123456789012345678901234567890123\"}"},
    {"{\"l\":[0,", "]}"},
    {"{\"o\":{\"y\":[0,", "]}}"},
    {"", ""},
};
enum { PLACES = sizeof places / sizeof places[0], WHOLE = PLACES - 1 };

/* The outcome of the text in a place. */
static const char *put(struct reading *r, int place, const char *data, size_t len)
{
    struct event e = {0};
    const char *got;

    event_bytes(&e, places[place][0], strlen(places[place][0]));
    event_bytes(&e, data, len);
    event_bytes(&e, places[place][1], strlen(places[place][1]));
    got = reading_take(r, e.data, e.len);
    event_release(&e);
    return got;
}

static void place_reading(struct reading *r)
{
    reading_json(r, EVENTS_FEATURES(NULL, "x = x : number, optional", "l = l[1] : number, optional",
                                    "o = o.z : number, optional"));
}

START_TEST(what_is_json_is_bound_or_skipped)
{
    struct reading r;

    place_reading(&r);
    for (int place = 0; place < PLACES; place++) {
        const char *got = put(&r, place, good[_i].data, good[_i].len);
        ck_assert_msg(strcmp(got, "scored") == 0 || strncmp(got, "bind/", 5) == 0, "%s%s%s: %s",
                      places[place][0], good[_i].data, places[place][1], got);
    }
    reading_release(&r);
}
END_TEST

START_TEST(what_is_not_json_is_refused_and_leaves_no_trace)
{
    struct reading r;

    place_reading(&r);
    for (int place = 0; place < PLACES; place++) {
        const char *got = put(&r, place, bad[_i].data, bad[_i].len);
        /* As the whole event, something may stand behind a value. */
        ck_assert_msg(strcmp(got, "decode/bad_json") == 0 ||
                          (place == WHOLE && strcmp(got, "decode/trailing_bytes") == 0),
                      "%s%s%s: %s", places[place][0], bad[_i].data, places[place][1], got);
        ck_assert_str_eq(put(&r, 0, "7", 1), "scored");
        ck_assert_bits(r.row[0], 7);
    }
    reading_release(&r);
}
END_TEST

/* What opens, on and on, where the text stands. */
static const char *const openers[] = {"[", "{\"a\":", "[{\"a\":", "{\"x\":", "[[],{},"};

START_TEST(containers_may_be_nested_in_64_levels)
{
    enum { LEVELS = 20000 };
    const char *opener = openers[_i];
    size_t len = strlen(opener);
    char *text = mem_alloc(LEVELS, len);
    struct reading r;

    for (size_t i = 0; i < LEVELS; i++)
        memcpy(text + i * len, opener, len);
    place_reading(&r);
    for (int place = 0; place < PLACES; place++) {
        ck_assert_str_eq(put(&r, place, text, LEVELS * len), "decode/too_deep");
        ck_assert_str_eq(put(&r, place, text, 65 * len), "decode/too_deep");
        ck_assert_str_eq(put(&r, place, text, 20 * len), "decode/bad_json");
        ck_assert_str_eq(put(&r, 0, "7", 1), "scored");
    }
    reading_release(&r);
    free(text);
}
END_TEST

START_TEST(the_root_is_level_one)
{
    char text[200];
    struct reading r;

    place_reading(&r);
    for (size_t levels = 1; levels <= 70; levels++) {
        memset(text, '[', levels);
        memset(text + levels, ']', levels);
        ck_assert_str_eq(put(&r, WHOLE, text, 2 * levels),
                         levels <= 64 ? "bind/wrong_type 0" : "decode/too_deep");
        ck_assert_str_eq(put(&r, 1, text, 2 * levels), levels <= 63 ? "scored" : "decode/too_deep");
    }
    reading_release(&r);
}
END_TEST

/* Bad UTF-8 before the place where the syntax breaks comes first, and so does nothing behind it. */
START_TEST(the_first_damage_is_told)
{
    static const struct {
        const char *data;
        size_t len;
        const char *outcome;
    } rows[] = {{BYTES("{\"x\":1} {"), "decode/trailing_bytes"},
                {BYTES("{\"x\":1}\0"), "decode/trailing_bytes"},
                {BYTES("{\"x\":1}\xff"), "decode/trailing_bytes"},
                {BYTES("{\"y\":\"\xff\"} {"), "decode/bad_json"},
                {BYTES("{\"y\":\"\xff\"} \n "), "decode/bad_json"},
                {BYTES("{\"x\":1} \t\r\n"), "scored"}};
    char deep[200] = "[\"\xff\",";
    struct reading r;

    place_reading(&r);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_str_eq(put(&r, WHOLE, rows[i].data, rows[i].len), rows[i].outcome);
    memset(deep + 5, '[', 100);
    ck_assert_str_eq(put(&r, WHOLE, deep, 105), "decode/bad_json");
    deep[2] = 'f';
    ck_assert_str_eq(put(&r, WHOLE, deep, 105), "decode/too_deep");
    reading_release(&r);
}
END_TEST

/* Every byte in every place of a text: the scanner takes what core/json.h takes. */
START_TEST(the_scanner_and_the_tokenizer_agree_on_every_changed_byte)
{
    /* No key can become another one's double. */
    static const char whole[] =
        "{\"l\":[-1.5e3,{},0.25],\"ab\":[true,null,\"\\u00e9\\n\xc3\xa9 0123456\"]}";
    char text[sizeof whole];
    struct reading r;

    place_reading(&r);
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        memcpy(text, whole, sizeof whole);
        for (int byte = 0; byte < 256; byte++) {
            struct json j;
            const char *got;
            bool is_json;
            text[at] = (char)byte;
            json_init(&j, text, sizeof whole - 1, 64);
            json_skip(&j);
            is_json = json_end(&j) && utf8_is_valid((uint8_t *)text, sizeof whole - 1);
            got = put(&r, WHOLE, text, sizeof whole - 1);
            if (is_json != (strncmp(got, "decode/", 7) != 0))
                ck_abort_msg("byte %zu is %02x: %s, %s", at, byte, got, text);
        }
    }
    reading_release(&r);
}
END_TEST

SUITE(scan_grammar)
{
    TCase *loops = harness_case(suite, "tables", NULL, 0);

    tcase_add_loop_test(loops, what_is_json_is_bound_or_skipped, 0, sizeof good / sizeof good[0]);
    tcase_add_loop_test(loops, what_is_not_json_is_refused_and_leaves_no_trace, 0,
                        sizeof bad / sizeof bad[0]);
    loops = harness_case(suite, "depth", NULL, 0);
    tcase_add_loop_test(loops, containers_may_be_nested_in_64_levels, 0,
                        sizeof openers / sizeof openers[0]);
    tcase_add_test(loops, the_root_is_level_one);
    CASE("damage", the_first_damage_is_told,
         the_scanner_and_the_tokenizer_agree_on_every_changed_byte);
}
