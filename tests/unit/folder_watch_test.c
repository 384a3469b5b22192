/* When a bundle's folder is loaded: it has changed, and is still. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "pipeline/folder_watch.h"
#include "tests/harness.h"

/* Stamps that it sees, one a look, from what was loaded as A; at which looks it loads. */
static const struct {
    const char *seen, *loads;
} looks[] = {
    {"AAAA", "...."}, {"ABBB", "..l."}, {"BCDD", "...l"},   {"BBCC", ".l.l"}, {"BAAA", "...."},
    {"-BB-", "..l."}, {"----", "...."}, {"BB-BB", ".l..."}, {"BBAA", ".l.l"}, {"B-B-B", "....."},
};

START_TEST(what_has_changed_is_loaded_once_when_it_is_still)
{
    struct folder_watch watch = {.tried = 'A', .seen = 'A'};

    for (size_t i = 0; looks[_i].seen[i]; i++) {
        uint64_t stamp = looks[_i].seen[i] == '-' ? 0 : (uint64_t)looks[_i].seen[i];
        bool loads = folder_watch_look(&watch, stamp);
        ck_assert_msg(loads == (looks[_i].loads[i] == 'l'), "%s, look %zu", looks[_i].seen, i);
        if (loads)
            watch.tried = stamp;
    }
}
END_TEST

static char folder[300];

static void start(void)
{
    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "model.ini", "abc", 3);
    harness_write(folder, "model.ubj", "abc", 3);
}

static char *in_folder(const char *name)
{
    return file_join(folder, name);
}

static void write_longer(void)
{
    harness_write(folder, "model.ini", "abcd", 4);
}

static void add_file(void)
{
    harness_write(folder, "golden.jsonl", "", 0);
}

static void remove_file(void)
{
    char *path = in_folder("model.ubj");

    ck_assert_int_eq(unlink(path), 0);
    free(path);
}

static void allow_reading(void)
{
    char *path = in_folder("model.ini");

    ck_assert_int_eq(chmod(path, 0600), 0);
    free(path);
}

/* The same bytes, as an atomic writer leaves them. */
static void rename_over(void)
{
    char *from = in_folder("new"), *to = in_folder("model.ini");

    harness_write(folder, "new", "abc", 3);
    ck_assert_int_eq(rename(from, to), 0);
    free(from);
    free(to);
}

static void (*const changes[])(void) = {write_longer, add_file, remove_file, allow_reading,
                                        rename_over};

START_TEST(whatever_changes_in_the_folder_changes_its_stamp)
{
    uint64_t before;

    start();
    before = folder_stamp(folder);
    ck_assert_uint_ne(before, 0);
    ck_assert_uint_eq(folder_stamp(folder), before);
    changes[_i]();
    ck_assert_uint_ne(folder_stamp(folder), before);
}
END_TEST

START_TEST(a_link_has_the_stamp_of_what_it_names_now)
{
    char link[320], first[300];
    uint64_t before;

    start();
    snprintf(first, sizeof first, "%s", folder);
    snprintf(link, sizeof link, "%s/current", harness_folder());
    ck_assert_uint_eq(folder_stamp(link), 0);
    ck_assert_int_eq(symlink(first, link), 0);
    before = folder_stamp(link);
    ck_assert_uint_eq(before, folder_stamp(first));
    start();
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink(folder, link), 0);
    ck_assert_uint_ne(folder_stamp(link), before);
    ck_assert_uint_eq(folder_stamp(link), folder_stamp(folder));
}
END_TEST

SUITE(folder_watch)
{
    TCase *tcase = CASE("stamp", a_link_has_the_stamp_of_what_it_names_now);

    tcase_add_loop_test(tcase, whatever_changes_in_the_folder_changes_its_stamp, 0,
                        sizeof changes / sizeof changes[0]);
    tcase_add_loop_test(harness_case(suite, "looks", NULL, 0),
                        what_has_changed_is_loaded_once_when_it_is_still, 0,
                        sizeof looks / sizeof looks[0]);
}
