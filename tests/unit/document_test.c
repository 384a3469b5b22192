/* One walk over JSON and UBJSON: values, containers, and what is no document. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scoring/document.h"
#include "tests/events.h"
#include "tests/harness.h"

/* A text with its length, NUL bytes inside. */
#define TEXT(literal) (literal), sizeof(literal) - 1

/* Opens {"k": value} and stands before the value. */
static struct document before_value(const char *data, size_t len)
{
    struct document d;
    struct json_text key;

    document_init(&d, data, len);
    ck_assert(document_object(&d) && document_key(&d, &key));
    ck_assert(json_text_equals(&key, "k"));
    return d;
}

static bool is_end(struct document *d)
{
    struct json_text key;

    return !document_key(d, &key) && document_end(d);
}

static const struct {
    const char *data;
    size_t len;
    double value;
} numbers[] = {
    {TEXT("{\"k\":12}"), 12},
    {TEXT("{\"k\":-0.25}"), -0.25},
    {TEXT("{\"k\":NaN}"), NAN},
    {TEXT("{\"k\":Infinity}"), INFINITY},
    {TEXT("{\"k\":-Infinity}"), -INFINITY},
    {TEXT("{\"k\":true}"), 1},
    {TEXT("{\"k\":false}"), 0},
    {TEXT("{\"k\":1.17549435E-38}"), 0x1p-126},
    {TEXT("{i\1ki\xfb}"), -5},
    {TEXT("{U\1kU\xfb}"), 251},
    {TEXT("{I\0\1kI\xff\xfe}"), -2},
    {TEXT("{l\0\0\0\1kl\x7f\xff\xff\xff}"), 2147483647},
    {TEXT("{L\0\0\0\0\0\0\0\1kL\xff\xff\xff\xff\xff\xff\xff\xff}"), -1},
    {TEXT("{L\0\0\0\0\0\0\0\1kL\0\x1f\xff\xff\xff\xff\xff\xff}"), 0x1.fffffffffffffp52},
    {TEXT("{i\1kd\x3f\xc0\0\0}"), 1.5},
    {TEXT("{i\1kd\x7f\xc0\0\0}"), NAN},
    {TEXT("{i\1kD\xbf\xf8\0\0\0\0\0\0}"), -1.5},
    {TEXT("{i\1kT}"), 1},
    {TEXT("{i\1kF}"), 0},
};

START_TEST(numbers_of_every_kind_are_read)
{
    struct document d = before_value(numbers[_i].data, numbers[_i].len);
    double want = numbers[_i].value;
    bool is_whole = want == floor(want) && !isinf(want);
    int64_t whole;
    float value;

    ck_assert_int_eq(document_peek(&d), DOCUMENT_NUMBER);
    ck_assert(document_float(&d, &value));
    ck_assert(value == (float)want || (isnan(value) && isnan(want)));
    ck_assert(is_end(&d));
    d = before_value(numbers[_i].data, numbers[_i].len);
    ck_assert(document_int(&d, &whole) == is_whole);
    if (is_whole)
        ck_assert_int_eq(whole, (int64_t)want);
    d = before_value(numbers[_i].data, numbers[_i].len);
    ck_assert(document_skip(&d) && is_end(&d));
}
END_TEST

static const struct {
    const char *data;
    size_t len;
} lists[] = {
    {TEXT("{\"k\":[ 1 ,2,255]}")},
    {TEXT("{i\1k[i\1i\2U\xff]}")},
    {TEXT("{i\1k[#i\3i\1i\2U\xff}")},
    {TEXT("{i\1k[$U#i\3\1\2\xff}")},
    {TEXT("{i\1k[$I#L\0\0\0\0\0\0\0\3\0\1\0\2\0\xff}")},
    {TEXT("{i\1k[$d#i\3\x3f\x80\0\0\x40\0\0\0\x43\x7f\0\0}")},
    {TEXT("{#i\1i\1k[$l#i\3\0\0\0\1\0\0\0\2\0\0\0\xff")},
    {TEXT("{i\1k[$L#i\3\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\xff}")},
    {TEXT("{i\1k[$D#i\3\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\x40\x6f\xe0\0\0\0\0\0}")},
    {TEXT(
        "{\"k\":[1,2,255],\"z\":\"as far as the list can look ahead, and then some more bytes\"}")},
    {TEXT("{\"k\":[1,2E0,255.0],\"z\":\"as far as the list can look ahead, and then some more "
          "bytes\"}")},
};

/* The end of {"k": list}, or the other field of a longer one. */
static bool is_end_of_list(struct document *d)
{
    struct json_text key;

    while (document_key(d, &key))
        document_skip(d);
    return document_end(d);
}

START_TEST(lists_of_every_layout_are_read)
{
    static const int64_t want[] = {1, 2, 255};
    struct document d = before_value(lists[_i].data, lists[_i].len);
    struct ints ints = {0};
    struct int32s int32s = {0};
    struct floats floats = {0};

    ck_assert_int_eq(document_peek(&d), DOCUMENT_ARRAY);
    ck_assert(document_ints(&d, &ints) && is_end_of_list(&d));
    ck_assert_uint_eq(ints.count, 3);
    for (size_t round = 1; round <= 2; round++) { /* the second is appended */
        d = before_value(lists[_i].data, lists[_i].len);
        ck_assert(document_floats(&d, &floats) && is_end_of_list(&d));
        d = before_value(lists[_i].data, lists[_i].len);
        ck_assert(document_int32s(&d, &int32s) && is_end_of_list(&d));
        ck_assert(floats.count == 3 * round && int32s.count == 3 * round);
    }
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(ints.items[i % 3], want[i % 3]);
        ck_assert_int_eq(int32s.items[i], want[i % 3]);
        ck_assert_bits(floats.items[i], (float)want[i % 3]);
    }
    d = before_value(lists[_i].data, lists[_i].len);
    ck_assert(document_skip(&d) && is_end_of_list(&d));
    free(ints.items);
    free(int32s.items);
    free(floats.items);
}
END_TEST

/* Booleans, blanks, NaN and numbers of all lengths among plain ones. */
START_TEST(long_lists_are_read_as_their_items_are_one_by_one)
{
    static const char *const odd[] = {"-Infinity", "NaN", "true", " 7 ", "1234567890", "-0.0E0"};
    struct document lists_of, items_of;
    struct floats floats = {0};
    char text[20000] = "{\"k\":[0";
    float value;
    size_t count = 1;

    for (int i = 1; strlen(text) < sizeof text - 100; i++)
        snprintf(text + strlen(text), 90, ",%.*E,%d,%s", i % 12, sin(i) * pow(10, i % 9), i * i,
                 i % 5 ? "-1" : odd[i / 5 % 6]);
    strcat(text, "]}");
    lists_of = items_of = before_value(text, strlen(text));
    ck_assert(document_floats(&lists_of, &floats) && is_end(&lists_of));
    for (document_array(&items_of); document_item(&items_of); count++) {
        ck_assert(document_float(&items_of, &value));
        ck_assert_uint_le(count, floats.count);
        ck_assert(memcmp(&value, &floats.items[count - 1], sizeof value) == 0);
    }
    ck_assert_uint_eq(count - 1, floats.count);
    ck_assert(is_end(&items_of));
    lists_of = before_value(text, strlen(text));
    ck_assert(document_skip(&lists_of) && is_end(&lists_of));
    free(floats.items);
}
END_TEST

static const struct {
    const char *data;
    size_t len;
    size_t at; /* where reading stops */
} beyond_int32[] = {
    {TEXT("{\"k\":[1,2,2147483648]}"), 20},
    {TEXT("{\"k\":[1,-2147483649,2]}"), 19},
    {TEXT("{\"k\":[1,1.5,2]}"), 11},
    {TEXT("{i\1k[i\1L\0\0\0\0\x80\0\0\0]}"), 16},
    {TEXT("{i\1k[$L#i\2\0\0\0\0\0\0\0\1\0\0\0\0\x80\0\0\0}"), 26},
    {TEXT("{i\1k[$L#i\2\xff\xff\xff\xff\x7f\xff\xff\xff\0\0\0\0\x80\0\0\0}"), 18},
    {TEXT("{i\1k[$d#i\1\x3f\xc0\0\0}"), 14},
};

START_TEST(what_is_no_int32_is_refused_where_it_stands)
{
    struct document d = before_value(beyond_int32[_i].data, beyond_int32[_i].len);
    struct int32s list = {0};

    ck_assert(!document_int32s(&d, &list));
    ck_assert_uint_eq(document_at(&d), beyond_int32[_i].at);
    free(list.items);
}
END_TEST

START_TEST(strings_nulls_and_nested_values_are_read_or_skipped)
{
    static const struct {
        const char *data;
        size_t len;
    } cases[] = {
        {TEXT("{\"k\":[\"a\",null,{\"b\":[]},[[1]]]}")},
        {TEXT("{i\1k[Si\1aZ{i\1b[]}[[i\1]]]}")},
        {TEXT("{i\1k[#i\4Si\1aZ{#i\1i\1b[#i\0[#i\1[$i#i\1\1}")},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct document d = before_value(cases[i].data, cases[i].len);
        struct json_text text;
        ck_assert(document_array(&d) && document_item(&d) && document_string(&d, &text));
        ck_assert(json_text_equals(&text, "a"));
        ck_assert(document_item(&d));
        ck_assert_int_eq(document_peek(&d), DOCUMENT_NULL);
        ck_assert(document_skip(&d) && document_item(&d));
        ck_assert_int_eq(document_peek(&d), DOCUMENT_OBJECT);
        ck_assert(document_skip(&d) && document_item(&d) && document_skip(&d));
        ck_assert(!document_item(&d) && is_end(&d));
        d = before_value(cases[i].data, cases[i].len);
        ck_assert(document_skip(&d) && is_end(&d));
    }
}
END_TEST

/* Behind "{ key k". */
static const struct {
    const char *data;
    size_t len;
} damaged[] = {
    {TEXT("{i\1k")},
    {TEXT("{i\1kX}")},
    {TEXT("{i\1kd\0\0")},
    {TEXT("{i\1kL\0\x20\0\0\0\0\0\0}")}, /* 2^53 */
    {TEXT("{i\1kSi\xff}")},              /* a length of -1 */
    {TEXT("{i\1kSU\xff"
          "a}")},                /* beyond the end */
    {TEXT("{i\1kSd\0\0\0\1a}")}, /* a length that is a real */
    {TEXT("{i\1kSL\x7f\xff\xff\xff\xff\xff\xff\xff"
          "a}")},
    {TEXT("{i\1k[#L\0\x10\0\0\0\0\0\0i\1}")}, /* claims 2^52 items */
    {TEXT("{i\1k[$d#i\2\0\0\0\0\0}")},
    {TEXT("{i\1k[$d\0\0\0\0]}")}, /* a type without a count */
    {TEXT("{i\1k[$T#i\1}")},      /* items without bytes: any count would do */
    {TEXT("{i\1k[$Z#U\xff}")},
    {TEXT("{i\1k[$[#i\1i\1]}")},
    {TEXT("{i\1k{$i#i\1i\1k\1}")},
    {TEXT("{i\1k[i\1}")},
    {TEXT("{i\1ki\1")},
    {TEXT("{i\1ki\1}}")},
    {TEXT("{\"k\":1}}")},
    {TEXT("{\"k\":nan}")},
    {TEXT("{\"k\":-}")},
    {TEXT("{\"k\":[1,]}")},
    {TEXT("{\"k\":[,1]}")},
    {TEXT("{\"k\":[1,2")},
    {TEXT("{\"k\":[1 2]}")},
    {TEXT("{\"k\":[1,2e]}")},
    {TEXT("{\"k\":[1/2]}")},
    {TEXT("{\"k\":[1,[2]}")},
    {TEXT("{\"k\":[1,\"]\"}")},
    {TEXT("{\"k\":\"\\x\"}")},
};

START_TEST(damage_is_found_and_sticks)
{
    uint8_t *exact = events_exact(damaged[_i].data, damaged[_i].len);
    struct document d = before_value((const char *)exact, damaged[_i].len);
    struct ints ints = {0};
    float value;

    ck_assert(!(document_skip(&d) && is_end(&d)));
    document_fail(&d);
    ck_assert(!document_end(&d) && !document_item(&d) && !document_float(&d, &value));
    ck_assert(!document_ints(&d, &ints) && !document_skip(&d) && !document_object(&d));
    ck_assert_int_eq(document_peek(&d), DOCUMENT_NONE);
    ck_assert_uint_le(document_at(&d), damaged[_i].len);
    free(ints.items);
    free(exact);
}
END_TEST

START_TEST(a_list_that_only_claims_its_items_allocates_nothing)
{
    struct document d = before_value(TEXT("{i\1k[$U#L\0\0\0\1\0\0\0\0\1}"));
    struct ints ints = {0};
    struct int32s int32s = {0};

    ck_assert(!document_ints(&d, &ints));
    ck_assert_uint_eq(ints.cap, 0);
    d = before_value(TEXT("{i\1k[$l#L\0\0\0\1\0\0\0\0\1}"));
    ck_assert(!document_int32s(&d, &int32s));
    ck_assert_uint_eq(int32s.cap, 0);
}
END_TEST

START_TEST(containers_nest_to_the_bound_and_no_deeper)
{
    for (int binary = 0; binary < 2; binary++) {
        for (int depth = DOCUMENT_DEPTH - 1; depth <= DOCUMENT_DEPTH; depth++) {
            char text[200] = "";
            struct document d;
            strcpy(text, binary ? "{i\1k" : "{\"k\":");
            for (int i = 0; i < depth; i++)
                strcat(text, "[");
            for (int i = 0; i < depth; i++)
                strcat(text, "]");
            strcat(text, "}");
            d = before_value(text, strlen(text));
            ck_assert((document_skip(&d) && is_end(&d)) == (depth < DOCUMENT_DEPTH));
        }
    }
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

SUITE(document)
{
    TCase *loop;

    CASE("walk", long_lists_are_read_as_their_items_are_one_by_one,
         strings_nulls_and_nested_values_are_read_or_skipped,
         a_list_that_only_claims_its_items_allocates_nothing,
         containers_nest_to_the_bound_and_no_deeper);
    loop = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loop, numbers_of_every_kind_are_read, 0, COUNT(numbers));
    tcase_add_loop_test(loop, lists_of_every_layout_are_read, 0, COUNT(lists));
    tcase_add_loop_test(loop, what_is_no_int32_is_refused_where_it_stands, 0, COUNT(beyond_int32));
    tcase_add_loop_test(loop, damage_is_found_and_sticks, 0, COUNT(damaged));
}
