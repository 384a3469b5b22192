/* Which letters are meant, and what is noted of those that were done. */
#include "pipeline/selection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

static struct letter letter_of(const char *reason, int32_t partition)
{
    return (struct letter){.topic = slice_of("in"),
                           .partition = partition,
                           .failed_ms = 1000,
                           .attempts = 2,
                           .stage = slice_of("bind"),
                           .reason = slice_of(reason)};
}

static struct selection selection_of(const char *text)
{
    struct selection s;

    ck_assert_msg(selection_parse(&s, text, strlen(text)), "%s", text);
    return s;
}

static const struct {
    const char *selection;
    bool is_match;
} matches[] = {
    {"attempts=3", true},
    {"attempts=2", false},
    {"attempts=5 reason=a%20b", true},
    {"attempts=5 reason=a", false},
    {"attempts=5 reason=x,a%20b,y", true},
    {"attempts=5 stage=bind reason=x", false},
    {"attempts=5 blame=record", false}, /* it tells none */
    {"attempts=5 topic=other,in", true},
    {"attempts=5 topic=other", false},
    {"attempts=5 partition=3", true},
    {"attempts=5 partition=2", false},
    {"attempts=5 since=1000 until=1001", true},
    {"attempts=5 since=1001", false},
    {"attempts=5 until=1000", false},
};

START_TEST(all_fields_agree_and_words_are_alternatives)
{
    struct selection s = selection_of(matches[_i].selection);
    struct letter l = letter_of("a b", 3);

    ck_assert_msg(selection_is_match(&s, &l, 5) == matches[_i].is_match, "%s",
                  matches[_i].selection);
    selection_release(&s);
}
END_TEST

START_TEST(letters_that_do_not_tell_when_failed_at_their_own_time)
{
    struct selection s = selection_of("attempts=5 since=100");
    struct letter l = letter_of("a", 0);

    l.failed_ms = -1;
    ck_assert(selection_is_match(&s, &l, 100));
    ck_assert(!selection_is_match(&s, &l, 99));
    selection_release(&s);
}
END_TEST

START_TEST(any_words_come_back_from_their_text)
{
    struct selection s, back;
    char word[256], *text, *again;

    for (int i = 1; i < 256; i++)
        word[i - 1] = (char)i;
    word[255] = '\0';
    selection_init(&s, 7);
    selection_add(&s, SELECT_REASON, word);
    selection_add(&s, SELECT_REASON, "b");
    s.since_ms = -5;
    s.partition = 0;
    text = selection_print(&s);
    ck_assert_msg(strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "=%,_-.:/$ ") == strlen(text),
                  "%s", text);
    back = selection_of(text);
    ck_assert_str_eq(back.fields[SELECT_REASON].items[0], word);
    again = selection_print(&back);
    ck_assert_str_eq(again, text);
    free(text);
    free(again);
    selection_release(&s);
    selection_release(&back);
}
END_TEST

static const char *const broken[] = {"",
                                     "reason=a",
                                     "attempts=5 reason=",
                                     "attempts=5 reason=%0",
                                     "attempts=5 reason=%00",
                                     "attempts=5 reason=%zz",
                                     "attempts=5 reason=a,,b",
                                     "attempts=x",
                                     "attempts=5 partition=-1",
                                     "attempts=5 colour=red",
                                     "attempts=5 word",
                                     "attempts=5  reason=a"};

START_TEST(a_text_that_is_none_is_refused)
{
    struct selection s;

    ck_assert_msg(!selection_parse(&s, broken[_i], strlen(broken[_i])), "%s", broken[_i]);
}
END_TEST

static void expect_notes(const struct notes *n, const char *want)
{
    char text[NOTES_TEXT_MAX + 1];

    ck_assert(notes_print(n, text));
    ck_assert_str_eq(text, want);
}

static struct notes notes_from(const char *text)
{
    struct notes n;

    ck_assert_msg(notes_parse(&n, text), "%s", text);
    return n;
}

START_TEST(a_letter_was_done_when_a_note_that_means_it_is_past_it)
{
    static const char text[] = "kscore redrive 1: 10 attempts=5 reason=a; 4 attempts=5";
    struct notes n = notes_from(text);
    struct letter a = letter_of("a", 0), b = letter_of("b", 0);

    ck_assert(notes_is_done(&n, 9, &a, 0));
    ck_assert(!notes_is_done(&n, 10, &a, 0));
    ck_assert(!notes_is_done(&n, 9, &b, 0));
    ck_assert(notes_is_done(&n, 3, &b, 0));
    expect_notes(&n, text);
    notes_release(&n);
}
END_TEST

START_TEST(a_selection_has_one_note)
{
    struct notes n = notes_from("kscore redrive 1: 10 attempts=5 reason=a");
    struct selection s = selection_of("attempts=5 reason=a"), other = selection_of("attempts=5");

    ck_assert_int_eq(notes_of(&n, &s)->offset, 10);
    notes_of(&n, &other)->offset = 3;
    notes_of(&n, &s)->offset = 12;
    expect_notes(&n, "kscore redrive 1: 12 attempts=5 reason=a; 3 attempts=5");
    selection_release(&s);
    selection_release(&other);
    notes_release(&n);
}
END_TEST

static const struct {
    const char *before, *after;
} prunes[] = {
    {"5 attempts=5 reason=a; 9 attempts=5 reason=b", "9 attempts=5 reason=b"}, /* low is 5 */
    {"8 attempts=5 reason=a; 9 attempts=5", "9 attempts=5"},
    {"9 attempts=5 reason=a; 8 attempts=5", "9 attempts=5 reason=a; 8 attempts=5"},
    {"8 attempts=6 reason=a; 9 attempts=5", "8 attempts=6 reason=a; 9 attempts=5"},
    {"8 attempts=5 topic=in reason=a; 9 attempts=5 topic=out",
     "8 attempts=5 topic=in reason=a; 9 attempts=5 topic=out"},
    {"8 attempts=5 topic=in reason=a; 9 attempts=5 topic=in", "9 attempts=5 topic=in"},
    {"8 attempts=5 reason=a; 9 attempts=5 partition=1",
     "8 attempts=5 reason=a; 9 attempts=5 partition=1"},
};

START_TEST(notes_that_say_nothing_more_go)
{
    char before[200], after[200];
    struct notes n;

    snprintf(before, sizeof before, "kscore redrive 1: %s", prunes[_i].before);
    snprintf(after, sizeof after, "kscore redrive 1: %s", prunes[_i].after);
    n = notes_from(before);
    notes_prune(&n, 5);
    expect_notes(&n, after);
    notes_release(&n);
}
END_TEST

START_TEST(too_many_notes_are_refused_before_they_are_written)
{
    struct notes n = {0};
    char text[NOTES_TEXT_MAX + 1];
    size_t count = 0;

    do {
        struct selection s;
        selection_init(&s, 5);
        s.since_ms = (int64_t)count++;
        notes_of(&n, &s);
        selection_release(&s);
    } while (notes_print(&n, text));
    ck_assert_uint_gt(count, 100);
    ck_assert_uint_gt(strlen(text), NOTES_TEXT_MAX - 40);
    notes_release(&n);
}
END_TEST

static const char *const strange[] = {"", "by somebody", "kscore redrive 1: x attempts=5",
                                      "kscore redrive 1: 5", "kscore redrive 1: 5 attempts=5; 6"};

START_TEST(texts_of_others_are_no_notes)
{
    struct notes n;

    ck_assert_msg(!notes_parse(&n, strange[_i]), "%s", strange[_i]);
    ck_assert_uint_eq(n.count, 0);
}
END_TEST

#define LOOP(table, test) tcase_add_loop_test(c, test, 0, sizeof(table) / sizeof((table)[0]))

SUITE(selection)
{
    TCase *c = harness_case(suite, "tables", NULL, 0);

    LOOP(matches, all_fields_agree_and_words_are_alternatives);
    LOOP(broken, a_text_that_is_none_is_refused);
    LOOP(prunes, notes_that_say_nothing_more_go);
    LOOP(strange, texts_of_others_are_no_notes);
    CASE("selection", letters_that_do_not_tell_when_failed_at_their_own_time,
         any_words_come_back_from_their_text);
    CASE("notes", a_letter_was_done_when_a_note_that_means_it_is_past_it, a_selection_has_one_note,
         too_many_notes_are_refused_before_they_are_written);
}
