/* Any number of records, sorted in a buffer of any size. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/sorter.h"
#include "tests/harness.h"

struct row {
    uint32_t key, number;
};

static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

static const struct {
    size_t count, buffer; /* records */
    const char *what;
} sorts[] = {
    {0, 8, "nothing"},         {1, 8, "one"},
    {8, 8, "a full buffer"},   {9, 8, "one more than a buffer"},
    {1000, 8, "many runs"},    {1000, 1, "runs of one"},
    {50000, 500, "long runs"}, {4096, 4096, "a large buffer"},
};

START_TEST(every_record_comes_once_and_in_order)
{
    size_t count = sorts[_i].count, seen = 0;
    struct sorter *s =
        sorter_new(sizeof(struct row), sorts[_i].buffer * sizeof(struct row), compare);
    char *has = calloc(count + 1, 1);
    uint32_t last = 0, state = 1;
    struct err err = ERR_INIT;
    const void *record;

    for (uint32_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        ck_assert_int_eq(sorter_add(s, &(struct row){state >> 20, i}, &err), 0);
    }
    ck_assert_uint_eq(sorter_count(s), count);
    ck_assert_int_eq(sorter_sort(s, &err), 0);
    for (; sorter_next(s, &record, &err) == 1; seen++) {
        struct row row;
        memcpy(&row, record, sizeof row);
        ck_assert_uint_ge(row.key, last);
        ck_assert_int_eq(has[row.number]++, 0);
        last = row.key;
    }
    ck_assert_msg(seen == count, "%s: %zu", sorts[_i].what, seen);
    ck_assert_int_eq(sorter_next(s, &record, &err), 0);
    ck_assert_int_eq(sorter_bytes(s) > 0, count > sorts[_i].buffer);
    sorter_free(s);
    free(has);
}
END_TEST

static void fill(struct sorter *s, size_t count, int want, struct err *err)
{
    int result = 0;

    for (uint32_t i = 0; i < count && result == 0; i++)
        result = sorter_add(s, &(struct row){i, i}, err);
    ck_assert_int_eq(result, want);
}

START_TEST(the_file_lies_in_tmpdir_and_has_no_name)
{
    const char *folder = harness_folder();
    struct sorter *s = sorter_new(sizeof(struct row), 64, compare);
    struct err err = ERR_INIT;
    const struct dirent *entry;
    DIR *dir;

    setenv("TMPDIR", folder, 1);
    fill(s, 100, 0, &err);
    ck_assert_int_gt(sorter_bytes(s), 0);
    dir = opendir(folder);
    while ((entry = readdir(dir)) != NULL)
        ck_assert_int_eq(entry->d_name[0], '.');
    closedir(dir);
    sorter_free(s);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error_with_its_name)
{
    struct sorter *s = sorter_new(sizeof(struct row), 64, compare);
    struct err err = ERR_INIT;

    setenv("TMPDIR", "/nowhere/at/all", 1);
    fill(s, 100, -1, &err);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all/kscore-"));
    sorter_free(s);
}
END_TEST

SUITE(sorter)
{
    TCase *loops = CASE("file", the_file_lies_in_tmpdir_and_has_no_name,
                        a_folder_that_is_not_there_is_an_error_with_its_name);

    tcase_add_loop_test(loops, every_record_comes_once_and_in_order, 0,
                        sizeof sorts / sizeof sorts[0]);
}
