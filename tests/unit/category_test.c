#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "tests/harness.h"

static const char *table_file(const char *text, size_t len)
{
    return harness_write(harness_folder(), "t.csv", text, len);
}

static struct category *load(const char *text)
{
    struct err err = ERR_INIT;
    struct category *table;

    ck_assert_msg(category_load(&table, table_file(text, strlen(text)), &err) == 0, "%s", err.text);
    return table;
}

static int32_t find(const struct category *table, const char *text)
{
    return category_find(table, text, strlen(text));
}

START_TEST(texts_find_their_codes)
{
    struct category *table = load("value,code\n9E,0\nAA,1\n_9E,0\n\xc3\xa9,2\n");

    ck_assert_int_eq(find(table, "9E"), 0);
    ck_assert_int_eq(find(table, "_9E"), 0);
    ck_assert_int_eq(find(table, "AA"), 1);
    ck_assert_int_eq(find(table, "\xc3\xa9"), 2);
    ck_assert_int_eq(find(table, "aa"), -1);
    ck_assert_int_eq(find(table, "A"), -1);
    ck_assert_int_eq(find(table, "AAA"), -1);
    ck_assert_int_eq(find(table, ""), -1);
    ck_assert_uint_eq(category_code_count(table), 3);
    category_free(table);
}
END_TEST

START_TEST(fields_are_quoted_as_rfc_4180_says)
{
    struct category *table =
        load("value,code\n\"a,b\",0\n\"say \"\"hi\"\"\",1\n\"\",2\n\"plain\",3\n x ,4\na\"b,5\n");

    ck_assert_int_eq(find(table, "a,b"), 0);
    ck_assert_int_eq(find(table, "say \"hi\""), 1);
    ck_assert_int_eq(find(table, ""), 2);
    ck_assert_int_eq(find(table, "plain"), 3);
    ck_assert_int_eq(find(table, " x "), 4);
    ck_assert_int_eq(find(table, "a\"b"), 5);
    category_free(table);
}
END_TEST

START_TEST(a_file_from_windows_is_read_and_its_last_line_need_not_end)
{
    struct category *table = load("\xef\xbb\xbf"
                                  "value,code\r\na,0\r\nb,1");

    ck_assert_int_eq(find(table, "a"), 0);
    ck_assert_int_eq(find(table, "b"), 1);
    category_free(table);
}
END_TEST

static const struct {
    const char *text, *want;
} faults[] = {
    {"", "no values below the heading value,code"},
    {"value,code\n", "no values below the heading value,code"},
    {"code,value\na,0\n", ":1: the heading must be value,code"},
    {"a,0\n", ":1: the heading must be value,code"},
    {"value,code\na\n", ":2: expected value,code"},
    {"value,code\na,0\n\nb,1\n", ":3: expected value,code"},
    {"value,code\n\"a,0\n", ":2: expected value,code"},
    {"value,code\n\"a\"b,0\n", ":2: expected value,code"},
    {"value,code\n\"", ":2: expected value,code"},
    {"value,code\na,\n", ":2: a code is an integer from 0 to 16777215"},
    {"value,code\na,x\n", ":2: a code is an integer from 0 to 16777215"},
    {"value,code\na,-1\n", ":2: a code is an integer from 0 to 16777215"},
    {"value,code\na,1.0\n", ":2: a code is an integer from 0 to 16777215"},
    {"value,code\na,0,\n", ":2: a code is an integer from 0 to 16777215"},
    {"value,code\na,16777216\n", ":2: a code is an integer from 0 to 16777215"},
    {"value,code\na,0\nb,1\na,0\n", ":4: this value came before"},
    {"value,code\na,0\n\"a\",1\n", ":3: this value came before"},
    {"value,code\na,0\nb,2\nc,2\n", ": no value has code 1: codes are 0 to n-1"},
    {"value,code\na,1\nb,1\n", ": no value has code 0: codes are 0 to n-1"},
    {"value,code\na,16777215\n", ": code 16777215 with only 1 values: codes are 0 to n-1"},
    {"value,code\n\xff,0\n", ": not a text file in UTF-8"},
};

START_TEST(each_fault_is_said_with_its_line)
{
    struct err err = ERR_INIT;
    struct category *table;
    const char *path = table_file(faults[_i].text, strlen(faults[_i].text));

    ck_assert_int_eq(category_load(&table, path, &err), -1);
    ck_assert_ptr_null(table);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    ck_assert_mem_eq(err.text, path, strlen(path));
    ck_assert_msg(strstr(err.text, faults[_i].want) != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_nul_byte_is_refused_and_a_missing_file_is_io)
{
    struct err err = ERR_INIT;
    struct category *table;

    ck_assert_int_eq(category_load(&table, table_file("value,code\na\0b,0\n", 17), &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    err_reset(&err);
    ck_assert_int_eq(category_load(&table, "no/such/table.csv", &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    ck_assert_ptr_null(table);
}
END_TEST

START_TEST(a_table_cut_at_every_byte_loads_or_says_why)
{
    static const char whole[] = "value,code\n\"a,\"\"b\",0\r\n\xc3\xa9,1\nc,10\nd,2\n";

    for (size_t len = 0; len < sizeof whole - 1; len++) {
        struct err err = ERR_INIT;
        struct category *table;
        if (category_load(&table, table_file(whole, len), &err) == 0)
            category_free(table);
        else
            ck_assert_int_eq(err.exit_code, EXIT_DATA);
    }
}
END_TEST

START_TEST(a_hundred_thousand_values_keep_their_codes)
{
    enum { COUNT = 100000 };
    struct category *table = category_new();
    char text[20];

    for (int i = 0; i < COUNT; i++) {
        int len = snprintf(text, sizeof text, "airport-%d", i);
        ck_assert(category_add(table, text, (size_t)len, i / 2));
        ck_assert(!category_add(table, text, (size_t)len, i));
    }
    for (int i = 0; i < COUNT; i++) {
        int len = snprintf(text, sizeof text, "airport-%d", i);
        ck_assert_int_eq(category_find(table, text, (size_t)len), i / 2);
    }
    ck_assert_int_eq(find(table, "airport-100000"), -1);
    ck_assert_uint_eq(category_code_count(table), COUNT / 2);
    category_free(table);
}
END_TEST

static void collect(void *arg, const char *value, size_t len, int32_t code)
{
    char *all = arg;

    sprintf(all + strlen(all), "%.*s=%d ", (int)len, value, code);
}

START_TEST(values_are_visited_in_the_files_order)
{
    struct category *table = load("value,code\nz,1\na,0\nm,1\n");
    char all[100] = "";

    category_each(table, collect, all);
    ck_assert_str_eq(all, "z=1 a=0 m=1 ");
    category_free(table);
    category_free(NULL);
}
END_TEST

SUITE(category)
{
    TCase *loop;

    CASE("lookup", texts_find_their_codes, a_hundred_thousand_values_keep_their_codes,
         values_are_visited_in_the_files_order);
    CASE("csv", fields_are_quoted_as_rfc_4180_says,
         a_file_from_windows_is_read_and_its_last_line_need_not_end,
         a_nul_byte_is_refused_and_a_missing_file_is_io,
         a_table_cut_at_every_byte_loads_or_says_why);
    loop = harness_case(suite, "faults", NULL, 0);
    tcase_add_loop_test(loop, each_fault_is_said_with_its_line, 0,
                        sizeof faults / sizeof faults[0]);
}
