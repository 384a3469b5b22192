#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "tests/harness.h"

START_TEST(each_setter_gives_its_order_and_exit_code)
{
    struct err record = ERR_INIT, dependency = ERR_INIT, fatal = ERR_INIT;

    ck_assert_int_eq(err_record(&record, "byte %d", 7), -1);
    ck_assert_int_eq(err_dependency(&dependency, "broker %s", "b1"), -1);
    ck_assert_int_eq(err_fatal(&fatal, EXIT_DENIED, "no"), -1);
    ck_assert_int_eq(record.kind, ERR_RECORD);
    ck_assert_int_eq(record.exit_code, 65);
    ck_assert_str_eq(record.text, "byte 7");
    ck_assert_int_eq(dependency.kind, ERR_DEPENDENCY);
    ck_assert_int_eq(dependency.exit_code, 69);
    ck_assert_str_eq(dependency.text, "broker b1");
    ck_assert_int_eq(fatal.kind, ERR_FATAL);
    ck_assert_int_eq(fatal.exit_code, 77);
}
END_TEST

START_TEST(the_first_error_wins)
{
    struct err err = ERR_INIT;

    err_fatal(&err, EXIT_DATA, "cause");
    err_dependency(&err, "clean-up");
    err_record(&err, "clean-up");
    err_fatal(&err, EXIT_IO, "clean-up");
    ck_assert_int_eq(err.kind, ERR_FATAL);
    ck_assert_int_eq(err.exit_code, 65);
    ck_assert_str_eq(err.text, "cause");
}
END_TEST

START_TEST(prefixes_pile_up_in_front)
{
    struct err err = ERR_INIT;

    err_fatal(&err, EXIT_IO, "%s", "no such file");
    ck_assert_int_eq(err_prefix(&err, "%s:%d", "model.ini", 3), -1);
    err_prefix(&err, "[model]");
    ck_assert_str_eq(err.text, "[model]: model.ini:3: no such file");
    ck_assert_int_eq(err.kind, ERR_FATAL);
    ck_assert_int_eq(err.exit_code, 74);
}
END_TEST

START_TEST(a_prefix_on_nothing_changes_nothing)
{
    struct err err = ERR_INIT;

    ck_assert_int_eq(err_prefix(&err, "context"), -1);
    ck_assert(!err_is_set(&err));
    ck_assert_str_eq(err.text, "");
}
END_TEST

START_TEST(a_reset_error_can_be_set_again)
{
    struct err err = ERR_INIT;

    err_record(&err, "first");
    ck_assert(err_is_set(&err));
    err_reset(&err);
    ck_assert(!err_is_set(&err));
    ck_assert_int_eq(err.exit_code, 0);
    err_dependency(&err, "second");
    ck_assert_str_eq(err.text, "second");
}
END_TEST

START_TEST(texts_of_any_length_are_cut_and_end)
{
    struct err err = ERR_INIT;
    char text[2000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_fatal(&err, EXIT_DATA, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    err_prefix(&err, "context");
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    ck_assert_mem_eq(err.text, "context: xxx", 12);
    err_prefix(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
}
END_TEST

SUITE(err)
{
    CASE("kinds", each_setter_gives_its_order_and_exit_code, the_first_error_wins,
         a_reset_error_can_be_set_again);
    CASE("texts", prefixes_pile_up_in_front, a_prefix_on_nothing_changes_nothing,
         texts_of_any_length_are_cut_and_end);
}
