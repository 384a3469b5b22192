/* The schemas that values were written with, by id. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "schemas/schema_folder.h"
#include "schemas/writers.h"
#include "tests/harness.h"

static void expect_unknown(struct writers *w, uint32_t id, const char *words)
{
    const char *why;

    ck_assert_ptr_null(writers_find(w, id, &why));
    ck_assert_msg(strstr(why, words) != NULL, "no \"%s\" in: %s", words, why);
}

static bool is_known(struct writers *w, uint32_t id)
{
    const char *why;

    return writers_find(w, id, &why) != NULL;
}

START_TEST(an_id_is_a_file_of_the_folder_and_says_why_it_is_none)
{
    const char *folder = harness_folder();
    struct writers *w = writers_new(schema_folder_new(folder));

    harness_write(folder, "1.avsc", "\"int\"", 5);
    harness_write(folder, "2.avsc", "\"innt\"", 6);
    harness_write(folder, "4294967295.avsc", "\"long\"", 6);
    ck_assert(is_known(w, 1));
    expect_unknown(w, 2, "schema 2: ");
    expect_unknown(w, 3, "schema 3: there is none");
    ck_assert(is_known(w, UINT32_MAX));
    writers_free(w);
    w = writers_new(NULL);
    expect_unknown(w, 1, "no [schemas]");
    writers_free(w);
    writers_free(NULL);
}
END_TEST

START_TEST(hostile_ids_push_each_other_out_and_known_ones_come_back)
{
    const char *folder = harness_folder();
    struct writers *w = writers_new(schema_folder_new(folder));
    const char *why;

    harness_write(folder, "1.avsc", "\"int\"", 5);
    for (uint32_t id = 0; id < 2000; id++) {
        ck_assert_int_eq(writers_find(w, id, &why) != NULL, id == 1);
        ck_assert(is_known(w, 1));
    }
    writers_free(w);
}
END_TEST

START_TEST(what_was_not_there_is_asked_again)
{
    const char *folder = harness_folder();
    struct writers *w = writers_new(schema_folder_new(folder));
    int64_t until = harness_deadline();

    ck_assert(!is_known(w, 7));
    harness_write(folder, "7.avsc", "\"int\"", 5);
    while (!is_known(w, 7)) {
        ck_assert(clock_ms() < until);
        harness_breathe();
    }
    writers_free(w);
}
END_TEST

SUITE(writers)
{
    CASE("files", an_id_is_a_file_of_the_folder_and_says_why_it_is_none);
    CASE("bounds", hostile_ids_push_each_other_out_and_known_ones_come_back);
    CASE("time", what_was_not_there_is_asked_again);
}
