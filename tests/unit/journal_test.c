#include <stdio.h>
#include <string.h>

#include "core/journal.h"
#include "tests/harness.h"

static struct journal *journal;
static struct journal_entry entries[JOURNAL_CAP + 1];

static void setup(void)
{
    journal = journal_new();
}

static void teardown(void)
{
    journal_free(journal);
}

static void say(const char *event, const char *text)
{
    journal_take(journal, &(struct log_line){LOG_INFO, event, text, -1});
}

static void say_many(const char *event, int count)
{
    char text[20];

    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "n=%d", i);
        say(event, text);
    }
}

START_TEST(what_is_in_no_table_is_not_kept)
{
    say("kafka", "a word of librdkafka");
    say("ready", "");
    ck_assert_uint_eq(journal_read(journal, 0, entries, JOURNAL_CAP), 0);
    ck_assert_int_eq(journal_kind_of("kafka"), JOURNAL_NONE);
    ck_assert_int_eq(journal_kind_of("no such event"), JOURNAL_NONE);
}
END_TEST

START_TEST(entries_come_in_their_order_whatever_they_are)
{
    static const char *const events[] = {"starting", "waiting", "model_loaded", "first_dead_letter",
                                         "changed"};
    static const enum journal_kind kinds[] = {JOURNAL_CHANGE, JOURNAL_TROUBLE, JOURNAL_CHANGE,
                                              JOURNAL_ERROR, JOURNAL_CHANGE};

    for (size_t i = 0; i < 5; i++)
        say(events[i], "");
    ck_assert_uint_eq(journal_read(journal, 0, entries, JOURNAL_CAP), 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(entries[i].number, i + 1);
        ck_assert_str_eq(entries[i].event, events[i]);
        ck_assert_int_eq(entries[i].kind, kinds[i]);
        ck_assert_int_gt(entries[i].at_ms, 0);
    }
    ck_assert_uint_eq(journal_read(journal, 3, entries, JOURNAL_CAP), 2);
    ck_assert_uint_eq(entries[0].number, 4);
    ck_assert_uint_eq(journal_read(journal, 1, entries, 2), 2);
    ck_assert_uint_eq(entries[1].number, 3);
    ck_assert_uint_eq(journal_read(journal, 5, entries, JOURNAL_CAP), 0);
}
END_TEST

START_TEST(a_storm_of_troubles_does_not_push_the_changes_out)
{
    size_t count;

    say("starting", "the first");
    say_many("waiting", 100000);
    say("model_loaded", "the last");
    count = journal_read(journal, 0, entries, JOURNAL_CAP);
    ck_assert_uint_eq(count, JOURNAL_CAP / 4 + 2);
    ck_assert_str_eq(entries[0].text, "the first");
    ck_assert_str_eq(entries[count - 2].text, "n=99999");
    ck_assert_str_eq(entries[count - 1].text, "the last");
}
END_TEST

START_TEST(it_keeps_the_newest_of_too_many_changes)
{
    size_t count;

    say_many("schema_loaded", 5000);
    say_many("waiting", 5000);
    count = journal_read(journal, 0, entries, JOURNAL_CAP + 1);
    ck_assert_uint_eq(count, JOURNAL_CAP);
    ck_assert_str_eq(entries[JOURNAL_CAP - JOURNAL_CAP / 4 - 1].text, "n=4999");
    for (size_t i = 1; i < count; i++)
        ck_assert_uint_gt(entries[i].number, entries[i - 1].number);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_cut)
{
    char text[2 * JOURNAL_TEXT_MAX];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    say("failed", text);
    ck_assert_uint_eq(journal_read(journal, 0, entries, 1), 1);
    ck_assert_uint_eq(strlen(entries[0].text), JOURNAL_TEXT_MAX - 1);
}
END_TEST

static const struct {
    const char *text, *key, *value;
} words[] = {
    {"topic=in partition=3", "partition", "3"},
    {"topic=in partition=3", "topic", "in"},
    {"topic=in partition=3", "part", NULL},
    {"subtopic=no topic=yes", "topic", "yes"},
    {"topic", "topic", NULL},
    {"topic=", "topic", NULL},
    {"a=b=c d", "a", "b=c"},
    {"", "topic", NULL},
};

START_TEST(words_are_found_by_their_whole_key)
{
    const char *value;
    size_t len = journal_word(words[_i].text, words[_i].key, &value);

    ck_assert_uint_eq(len, words[_i].value ? strlen(words[_i].value) : 0);
    if (words[_i].value)
        ck_assert_mem_eq(value, words[_i].value, len);
}
END_TEST

SUITE(journal)
{
    TCase *rings = CASE("rings", what_is_in_no_table_is_not_kept,
                        entries_come_in_their_order_whatever_they_are,
                        a_storm_of_troubles_does_not_push_the_changes_out,
                        it_keeps_the_newest_of_too_many_changes, a_text_that_is_too_long_is_cut);

    tcase_add_checked_fixture(rings, setup, teardown);
    tcase_add_loop_test(rings, words_are_found_by_their_whole_key, 0,
                        sizeof words / sizeof words[0]);
}
