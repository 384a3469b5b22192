#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/harness.h"

START_TEST(a_file_comes_whole_with_a_nul_behind)
{
    struct err err = ERR_INIT;
    const char *path = harness_write(harness_folder(), "f", "a\0b\n", 4);
    char *data;
    size_t len;

    ck_assert_int_eq(file_read(path, 4, &data, &len, &err), 0);
    ck_assert_uint_eq(len, 4);
    ck_assert_mem_eq(data, "a\0b\n\0", 5);
    free(data);
}
END_TEST

START_TEST(an_empty_file_is_no_error)
{
    struct err err = ERR_INIT;
    const char *path = harness_write(harness_folder(), "f", "", 0);
    char *data;
    size_t len;

    ck_assert_int_eq(file_read(path, 0, &data, &len, &err), 0);
    ck_assert_uint_eq(len, 0);
    ck_assert_str_eq(data, "");
    free(data);
}
END_TEST

static void assert_refused(const char *path, const char *words, int number)
{
    struct err err = ERR_INIT;
    char *data;
    size_t len;
    int seen;

    ck_assert_int_eq(file_read(path, 100, &data, &len, &err), -1);
    seen = errno;
    ck_assert_ptr_null(data);
    ck_assert_int_eq(err.kind, ERR_FATAL);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
    ck_assert_int_eq(seen, number);
}

START_TEST(what_cannot_be_read_is_named_with_the_reason)
{
    char folder[256], path[512], big[101] = "";

    snprintf(folder, sizeof folder, "%s", harness_folder());
    snprintf(path, sizeof path, "%s/absent", folder);
    assert_refused(path, "No such file", ENOENT);
    assert_refused(folder, "Is a directory", EISDIR);
    assert_refused(harness_write(folder, "big", big, sizeof big), "at most 100", EFBIG);
}
END_TEST

/* Opening a pipe nobody writes to would wait for ever. */
START_TEST(a_pipe_is_refused_at_once)
{
    char path[512];

    snprintf(path, sizeof path, "%s/pipe", harness_folder());
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_refused(path, "not a regular file", EINVAL);
}
END_TEST

START_TEST(a_name_is_joined_to_its_folder)
{
    char *path = file_join("a/b", "c.csv");

    ck_assert_str_eq(path, "a/b/c.csv");
    free(path);
}
END_TEST

SUITE(file)
{
    CASE("reading", a_file_comes_whole_with_a_nul_behind, an_empty_file_is_no_error,
         a_name_is_joined_to_its_folder);
    CASE("refused", what_cannot_be_read_is_named_with_the_reason);
    tcase_set_timeout(
        harness_case(suite, "pipes", (const TTest *const[]){a_pipe_is_refused_at_once}, 1),
        5 * harness_slowness());
}
