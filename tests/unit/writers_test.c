/* The schemas that values were written with, by id. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "schemas/registry.h"
#include "schemas/schema_folder.h"
#include "schemas/writers.h"
#include "tests/harness.h"
#include "tests/stub.h"

static struct writers *open_writers(struct schema_source *source)
{
    struct writers *w;
    struct err err = ERR_INIT;

    ck_assert_msg(writers_new(&w, source, &err) == 0, "%s", err.text);
    return w;
}

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
    struct writers *w = open_writers(schema_folder_new(folder));

    harness_write(folder, "1.avsc", "\"int\"", 5);
    harness_write(folder, "2.avsc", "\"innt\"", 6);
    harness_write(folder, "4294967295.avsc", "\"long\"", 6);
    ck_assert(is_known(w, 1));
    expect_unknown(w, 2, "schema 2: ");
    expect_unknown(w, 3, "schema 3: there is none");
    ck_assert(is_known(w, UINT32_MAX));
    writers_free(w);
    w = open_writers(NULL);
    expect_unknown(w, 1, "no [schemas]");
    writers_free(w);
    writers_free(NULL);
}
END_TEST

START_TEST(an_id_is_asked_of_a_registry)
{
    struct stub *stub = calloc(1, sizeof *stub);
    struct registry_options options = {.asks_per_s = 100};
    struct schema_source *source;
    struct writers *w;
    struct err err = ERR_INIT;

    stub_start(stub, 0);
    stub_set_schema(stub, 7, "'long'", NULL);
    options.access.urls = stub->url;
    ck_assert_int_eq(registry_new(&source, &options, &err), 0);
    w = open_writers(source);
    ck_assert(is_known(w, 7));
    expect_unknown(w, 8, "schema 8: there is none");
    writers_free(w);
    stub_stop(stub);
    free(stub);
}
END_TEST

START_TEST(a_folder_that_is_missing_is_an_error)
{
    struct writers *w;
    struct err err = ERR_INIT;

    ck_assert_int_eq(writers_new(&w, schema_folder_new("/no/such/folder"), &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
}
END_TEST

START_TEST(hostile_ids_push_each_other_out_and_known_ones_come_back)
{
    const char *folder = harness_folder();
    struct writers *w = open_writers(schema_folder_new(folder));
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
    struct writers *w = open_writers(schema_folder_new(folder));
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
    CASE("sources", an_id_is_a_file_of_the_folder_and_says_why_it_is_none,
         a_folder_that_is_missing_is_an_error, an_id_is_asked_of_a_registry);
    CASE("bounds", hostile_ids_push_each_other_out_and_known_ones_come_back);
    CASE("time", what_was_not_there_is_asked_again);
}
