#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/journal_record.h"
#include "tests/fixture.h"
#include "tests/harness.h"

static const struct journal_source source = {"fraud", "eu1", "0123456789ab"};

static struct config config;
static char changes[4000];

static void setup(void)
{
    fixture_config(&config, FIXTURE_CONFIG "[producer]\nlinger.ms = 7\n[kafka]\n"
                                           "sasl.password = s3cret\n[schemas]\n"
                                           "registry.url = http://me:s3cret@host\n");
    *changes = '\0';
}

static void teardown(void)
{
    config_release(&config);
}

/* Parses and frees. */
static json_t *parsed(char *text)
{
    json_t *record = json_loads(text, 0, NULL);

    ck_assert_msg(record != NULL, "%s", text);
    free(text);
    return record;
}

static const char *word(const json_t *record, const char *name)
{
    return json_string_value(json_object_get(record, name));
}

START_TEST(an_entry_has_its_coordinates)
{
    struct journal_entry e = {.number = 7,
                              .at_ms = 1767323045678,
                              .kind = JOURNAL_ERROR,
                              .worker = 1,
                              .event = "first_dead_letter",
                              .text = "stage=decode topic=in partition=3 offset=12 \xff\"why\""};
    json_t *record = parsed(journal_record_entry(&source, &e, 5));

    ck_assert_str_eq(word(record, "time"), "2026-01-02T03:04:05.678Z");
    ck_assert_str_eq(word(record, "name"), "fraud");
    ck_assert_str_eq(word(record, "instance"), "eu1");
    ck_assert_str_eq(word(record, "run"), "0123456789ab");
    ck_assert_str_eq(word(record, "kind"), "error");
    ck_assert_str_eq(word(record, "event"), "first_dead_letter");
    ck_assert_str_eq(word(record, "topic"), "in");
    ck_assert_str_eq(word(record, "text"),
                     "stage=decode topic=in partition=3 offset=12 \xef\xbf\xbd\"why\"");
    ck_assert_int_eq(json_integer_value(json_object_get(record, "worker")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(record, "partition")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(record, "offset")), 12);
    ck_assert_int_eq(json_integer_value(json_object_get(record, "missed")), 5);
    json_decref(record);
}
END_TEST

START_TEST(keys_are_those_of_an_instance_and_runs_have_their_own)
{
    const struct journal_source alone = {"fraud", "", "0123456789ab"};
    char *keys[] = {journal_record_key(&source, NULL), journal_record_key(&alone, NULL),
                    journal_record_key(&source, "run")};

    ck_assert_str_eq(keys[0], "fraud/eu1");
    ck_assert_str_eq(keys[1], "fraud");
    ck_assert_str_eq(keys[2], "fraud/eu1#run");
    for (size_t i = 0; i < 3; i++)
        free(keys[i]);
}
END_TEST

static void note(void *arg, const char *key, const char *from, const char *to)
{
    size_t len = strlen(changes);

    (void)arg;
    snprintf(changes + len, sizeof changes - len, "%s:%s>%s;", key, from, to);
}

static struct run_facts *read_back(const struct run_facts *facts)
{
    char run[16], time[32], *text = journal_record_run(&source, 1767323045678, facts);
    struct run_facts *back = run_facts_parse(text, strlen(text), run, time);

    ck_assert_msg(strstr(text, "s3cret") == NULL, "%s", text);
    ck_assert_ptr_nonnull(back);
    ck_assert_str_eq(run, "0123456789ab");
    ck_assert_str_eq(time, "2026-01-02T03:04:05.678Z");
    free(text);
    return back;
}

START_TEST(a_run_that_is_read_back_differs_in_what_was_changed_and_holds_no_secret)
{
    struct model_metrics model = {.name = "delay", .version = "1", .digest = "aa"};
    struct run_facts *facts = run_facts_new(&config, "1.0"), *back;
    struct config other;

    ck_assert(run_facts_set_model(facts, &model));
    ck_assert(!run_facts_set_model(facts, &model));
    back = read_back(facts);
    ck_assert_uint_eq(run_facts_compare(back, facts, note, NULL), 0);
    run_facts_free(facts);

    fixture_config(&other, FIXTURE_CONFIG "[model]\nrounds = 7\n[consumer]\nfetch.min.bytes = 2\n");
    facts = run_facts_new(&other, "1.1");
    snprintf(model.version, sizeof model.version, "2");
    snprintf(model.digest, sizeof model.digest, "bb");
    run_facts_set_model(facts, &model);
    ck_assert_uint_eq(run_facts_compare(back, facts, note, NULL), 6);
    ck_assert_str_eq(changes, "build:1.0>1.1;model.rounds:all>7;consumer.fetch.min.bytes:>2;"
                              "model.version:1>2;model.digest:aa>bb;producer.linger.ms:7>;");
    run_facts_free(facts);
    run_facts_free(back);
    config_release(&other);
}
END_TEST

START_TEST(schemas_are_kept_once_each)
{
    struct run_facts *facts = run_facts_new(&config, "1.0"), *back;

    ck_assert(run_facts_add_schema(facts, "7 ", 1));
    ck_assert(!run_facts_add_schema(facts, "7", 1));
    ck_assert(run_facts_add_schema(facts, "77", 2));
    back = read_back(facts);
    ck_assert(run_facts_has_schema(back, "77", 2));
    ck_assert(!run_facts_has_schema(back, "8", 1));
    run_facts_free(back);
    run_facts_free(facts);
}
END_TEST

START_TEST(a_profile_comes_back_as_it_was)
{
    char *text = journal_record_profile(&source, 1, "{\"a\":[1,2.5]}"),
         *back = journal_record_parse_profile(text, strlen(text));

    ck_assert_str_eq(back, "{\"a\":[1,2.5]}");
    ck_assert_ptr_null(journal_record_profile(&source, 1, "no JSON"));
    free(back);
    free(text);
}
END_TEST

static const char *const strange[] = {"",
                                      "{",
                                      "[]",
                                      "7",
                                      "{}",
                                      "{\"kind\":7}",
                                      "{\"kind\":\"run\"}",
                                      "{\"kind\":\"run\",\"facts\":7,\"schemas\":[]}",
                                      "{\"kind\":\"run\",\"facts\":{}}",
                                      "{\"kind\":\"profile\"}",
                                      "\xff\xfe"};

START_TEST(what_others_wrote_is_no_run_and_no_profile)
{
    char run[16], time[32];

    ck_assert_ptr_null(run_facts_parse(strange[_i], strlen(strange[_i]), run, time));
    ck_assert_ptr_null(journal_record_parse_profile(strange[_i], strlen(strange[_i])));
}
END_TEST

START_TEST(a_run_cut_at_any_byte_is_none)
{
    struct run_facts *facts = run_facts_new(&config, "1.0");
    char run[16], time[32], *text = journal_record_run(&source, 1, facts);

    for (size_t len = 0; len < strlen(text); len++)
        ck_assert_ptr_null(run_facts_parse(text, len, run, time));
    free(text);
    run_facts_free(facts);
}
END_TEST

START_TEST(of_several_workers_the_profile_is_that_of_the_most_windows_while_it_is_said)
{
    static const struct {
        struct profile_seat next;
        bool is_taken;
    } rows[] = {
        {{0, 60, 1000}, true},   {{1, 1, 1001}, false},   {{0, 61, 61000}, true},
        {{1, 2, 61001}, false},  {{1, 62, 121000}, true}, {{1, 3, 181000}, true}, /* its own */
        {{0, 61, 181001}, true}, {{1, 4, 241000}, false}, /* worker 0 has lost its partitions */
        {{1, 6, 361001}, false}, {{1, 7, 421000}, true},
    };
    struct profile_seat seat = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(profile_seat_take(&seat, &rows[i].next) == rows[i].is_taken, "row %zu", i);
}
END_TEST

SUITE(journal_record)
{
    TCase *all = CASE("records", an_entry_has_its_coordinates,
                      keys_are_those_of_an_instance_and_runs_have_their_own,
                      a_run_that_is_read_back_differs_in_what_was_changed_and_holds_no_secret,
                      schemas_are_kept_once_each, a_profile_comes_back_as_it_was,
                      a_run_cut_at_any_byte_is_none,
                      of_several_workers_the_profile_is_that_of_the_most_windows_while_it_is_said);

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_loop_test(all, what_others_wrote_is_no_run_and_no_profile, 0,
                        sizeof strange / sizeof strange[0]);
}
