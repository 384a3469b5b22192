#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ini.h"
#include "tests/harness.h"

static int parse(struct ini *ini, const char *text, struct err *err)
{
    return ini_parse(ini, "f.ini", text, strlen(text), EXIT_CONFIGURATION, err);
}

static void assert_entry(const struct ini *ini, size_t i, const char *section, const char *name,
                         const char *value)
{
    ck_assert_uint_lt(i, ini->count);
    ck_assert_str_eq(ini->entries[i].section, section);
    ck_assert_str_eq(ini->entries[i].name, name);
    ck_assert_str_eq(ini->entries[i].value, value);
}

START_TEST(entries_keep_order_section_and_line)
{
    struct err err = ERR_INIT;
    struct ini ini;

    ck_assert_int_eq(
        parse(&ini, "; top\n[a]\nx = 1\n\n# more\n  y=2\n[ b ]\nx = 3\n[a]\nz = 4", &err), 0);
    ck_assert_uint_eq(ini.count, 4);
    assert_entry(&ini, 0, "a", "x", "1");
    assert_entry(&ini, 1, "a", "y", "2");
    assert_entry(&ini, 2, "b", "x", "3");
    assert_entry(&ini, 3, "a", "z", "4");
    ck_assert_int_eq(ini.entries[0].line, 3);
    ck_assert_int_eq(ini.entries[1].line, 6);
    ck_assert_int_eq(ini.entries[3].line, 10);
    ck_assert_ptr_eq(ini_find(&ini, "b", "x"), &ini.entries[2]);
    ck_assert_ptr_null(ini_find(&ini, "b", "y"));
    ini_release(&ini);
}
END_TEST

START_TEST(a_value_may_hold_every_sign)
{
    static const char text[] = "[a]\n"
                               "password = p;w#d=\"x\\y\" [z] #1 \" # \"\n"
                               "  path  =\t a | b : number \t\n"
                               "empty =\n"
                               "\xc3\xa9 = \xe2\x82\xac\n";
    struct err err = ERR_INIT;
    struct ini ini;

    ck_assert_int_eq(parse(&ini, text, &err), 0);
    assert_entry(&ini, 0, "a", "password", "p;w#d=\"x\\y\" [z] #1 \" # \"");
    assert_entry(&ini, 1, "a", "path", "a | b : number");
    assert_entry(&ini, 2, "a", "empty", "");
    assert_entry(&ini, 3, "a", "\xc3\xa9", "\xe2\x82\xac");
    ini_release(&ini);
}
END_TEST

START_TEST(lines_may_end_as_windows_ends_them)
{
    struct err err = ERR_INIT;
    struct ini ini;

    ck_assert_int_eq(parse(&ini, "[a]\r\n; c\r\n\r\nx = 1 \r\ny = 2\r\n", &err), 0);
    ck_assert_uint_eq(ini.count, 2);
    assert_entry(&ini, 0, "a", "x", "1");
    assert_entry(&ini, 1, "a", "y", "2");
    ck_assert_int_eq(ini.entries[1].line, 5);
    ini_release(&ini);
}
END_TEST

/* As Windows' editors save it. */
START_TEST(a_byte_order_mark_in_front_is_no_text)
{
    struct err err = ERR_INIT;
    struct ini ini;

    ck_assert_int_eq(parse(&ini, "\xef\xbb\xbf[a]\nx = 1\n", &err), 0);
    ck_assert_uint_eq(ini.count, 1);
    assert_entry(&ini, 0, "a", "x", "1");
    ini_release(&ini);
}
END_TEST

START_TEST(nothing_is_a_file_too)
{
    static const char *const texts[] = {"", "\n", "; only\n# comments", "[a]", "   \n\t\n"};
    struct err err = ERR_INIT;
    struct ini ini;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_int_eq(parse(&ini, texts[i], &err), 0);
        ck_assert_uint_eq(ini.count, 0);
        ini_release(&ini);
    }
}
END_TEST

static const struct {
    const char *text, *want;
} faults[] = {
    {"[a]\nx\n", "f.ini:2: expected [section], name = value, or a comment that starts with ; or #"},
    {"x = 1\n", "f.ini:1: an entry before the first [section]"},
    {"[a]\n\n= 1\n", "f.ini:3: a name is missing before ="},
    {"[a\nx = 1\n", "f.ini:1: a section is written [name]"},
    {"[a] x\n", "f.ini:1: a section is written [name]"},
    {"[", "f.ini:1: a section is written [name]"},
    {"[]\n", "f.ini:1: a section is written [name]"},
    {"[ ]\n", "f.ini:1: a section is written [name]"},
    {"[a]\nx = 1\ny = 2\nx = 3\n", "f.ini:4: x is already set on line 2"},
    {"[a]\nx = 1\n[b]\nx = 1\n[a]\nx = 1\n", "f.ini:6: x is already set on line 2"},
    {"[a]\nx = \xff\n", "f.ini:2: not text in UTF-8"},
    {"[a]\n; \xed\xa0\x80\n", "f.ini:2: not text in UTF-8"},
};

START_TEST(each_fault_names_file_and_line)
{
    struct err err = ERR_INIT;
    struct ini ini;

    ck_assert_int_eq(parse(&ini, faults[_i].text, &err), -1);
    ck_assert_str_eq(err.text, faults[_i].want);
    ck_assert_int_eq(err.kind, ERR_FATAL);
    ck_assert_int_eq(err.exit_code, EXIT_CONFIGURATION);
}
END_TEST

static const struct {
    const char *value;
    bool is_refused;
} comments[] = {
    {"1 # one", true}, {"two\t;", true}, {"; later", true},       {"p;w#d", false},
    {"p ;w", false},   {"p; w", false},  {"a[\"k # v\"]", false}, {"", false},
};

START_TEST(a_value_that_reads_like_a_comment_is_refused_on_demand)
{
    char text[100];
    struct err err = ERR_INIT;
    struct ini ini;

    snprintf(text, sizeof text, "[a]\nx = %s\n", comments[_i].value);
    ck_assert_int_eq(parse(&ini, text, &err), 0);
    assert_entry(&ini, 0, "a", "x", comments[_i].value);
    ck_assert_int_eq(ini_refuse_comment(&ini, &ini.entries[0], &err),
                     comments[_i].is_refused ? -1 : 0);
    if (comments[_i].is_refused)
        ck_assert_str_eq(err.text, "f.ini:2: a comment behind the value; comments are whole lines "
                                   "that start with ; or #");
    ini_release(&ini);
}
END_TEST

START_TEST(a_nul_byte_is_refused_with_its_line)
{
    static const char text[] = "[a]\nx = 1\ny = 2\0\n";
    struct err err = ERR_INIT;
    struct ini ini;

    ck_assert_int_eq(ini_parse(&ini, "m.ini", text, sizeof text - 1, EXIT_DATA, &err), -1);
    ck_assert_str_eq(err.text, "m.ini:3: not text in UTF-8");
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
}
END_TEST

START_TEST(a_set_entry_replaces_or_comes_last)
{
    struct err err = ERR_INIT;
    struct ini ini;

    ck_assert_int_eq(parse(&ini, "[a]\nx = 1\n", &err), 0);
    ini_set(&ini, "a", "x", "2");
    ini_set(&ini, "b", "y", "3");
    assert_entry(&ini, 0, "a", "x", "2");
    assert_entry(&ini, 1, "b", "y", "3");
    ck_assert_int_eq(ini.entries[0].line, 0);
    ck_assert_int_eq(ini.entries[1].line, 0);
    ini_release(&ini);
}
END_TEST

START_TEST(a_file_is_read_and_a_missing_one_is_io)
{
    struct err err = ERR_INIT;
    struct ini ini;
    char folder[256], path[512];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    snprintf(path, sizeof path, "%s", harness_write(folder, "a.ini", "[a]\nx = 1", 9));
    ck_assert_int_eq(ini_load(&ini, path, EXIT_CONFIGURATION, &err), 0);
    assert_entry(&ini, 0, "a", "x", "1");
    ck_assert_str_eq(ini.file, path);
    ini_release(&ini);
    ck_assert_int_eq(ini_load(&ini, folder, EXIT_CONFIGURATION, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
}
END_TEST

/* Truncated at every byte: parsed or refused with a line, never more. */
START_TEST(a_file_cut_at_every_byte_is_read_or_refused)
{
    static const char text[] = "; c\n[sec]\nname = value\n\xc3\xa9 = \xe2\x82\xac\r\n[b]\nx = 1\n";

    for (size_t len = 0; len < sizeof text; len++) {
        struct err err = ERR_INIT;
        struct ini ini;
        if (ini_parse(&ini, "f.ini", text, len, EXIT_CONFIGURATION, &err) == 0)
            ini_release(&ini);
        else
            ck_assert_mem_eq(err.text, "f.ini:", 6);
    }
}
END_TEST

/* The size bound alone would allow 200,000 entries; looking for duplicates must not be square. */
START_TEST(a_file_full_of_entries_is_read_in_time)
{
    enum { ENTRIES = 60000 };
    char *text = malloc(ENTRIES * 16 + 10);
    struct err err = ERR_INIT;
    struct ini ini;
    size_t len;

    ck_assert_ptr_nonnull(text);
    len = (size_t)sprintf(text, "[a]\n");
    for (int i = 0; i < ENTRIES; i++)
        len += (size_t)sprintf(text + len, "k%d = 1\n", i);
    ck_assert_int_eq(ini_parse(&ini, "f.ini", text, len, EXIT_CONFIGURATION, &err), 0);
    ck_assert_uint_eq(ini.count, ENTRIES);
    ini_release(&ini);
    free(text);
}
END_TEST

SUITE(ini)
{
    TCase *loop;

    CASE("reading", entries_keep_order_section_and_line, a_value_may_hold_every_sign,
         lines_may_end_as_windows_ends_them, a_byte_order_mark_in_front_is_no_text,
         nothing_is_a_file_too, a_file_is_read_and_a_missing_one_is_io,
         a_set_entry_replaces_or_comes_last);
    CASE("hostile", a_nul_byte_is_refused_with_its_line,
         a_file_cut_at_every_byte_is_read_or_refused);
    tcase_set_timeout(harness_case(suite, "bounds",
                                   (const TTest *const[]){a_file_full_of_entries_is_read_in_time},
                                   1),
                      5 * harness_slowness());
    loop = harness_case(suite, "faults", NULL, 0);
    tcase_add_loop_test(loop, each_fault_names_file_and_line, 0, sizeof faults / sizeof faults[0]);
    tcase_add_loop_test(loop, a_value_that_reads_like_a_comment_is_refused_on_demand, 0,
                        sizeof comments / sizeof comments[0]);
}
