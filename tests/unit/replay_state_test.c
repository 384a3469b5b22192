/* The state of a replay: what is saved is what is loaded, and nothing less is taken for it. */
#include "pipeline/replay_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "tests/harness.h"

static char job[] = "replay of from 0 to 2026-01-31T12:00:00Z; scores: jsonl a = b.jsonl",
            run[] = "abc", digest[] = "0123";

static struct replay_state make(void)
{
    struct replay_state s = {.job = strdup(job),
                             .run = strdup(run),
                             .digest = strdup(digest),
                             .scored = 5,
                             .dead = 1,
                             .skipped = INT64_MAX,
                             .score_bytes = 1234567890123,
                             .dead_bytes = 0};
    const struct replay_part parts[] = {{(char *)"in", 0, 0, 5, 10, 0},
                                        {(char *)"in", 2147483647, 7, 7, 7, 0},
                                        {(char *)"a.b-c_", 3, 0, INT64_MAX, INT64_MAX, 0}};

    for (size_t i = 0; i < 3; i++)
        replay_state_add(&s, &parts[i]);
    return s;
}

static const char *save(const struct replay_state *s)
{
    static char path[400];
    struct err err = ERR_INIT;

    snprintf(path, sizeof path, "%s/state", harness_folder());
    ck_assert_msg(replay_state_save(s, path, &err) == 0, "%s", err.text);
    return path;
}

START_TEST(what_is_saved_is_loaded)
{
    struct replay_state s = make(), t;
    struct err err = ERR_INIT;
    const char *path = save(&s);

    ck_assert_msg(replay_state_load(&t, path, &err) == 0, "%s", err.text);
    ck_assert_str_eq(t.job, job);
    ck_assert_str_eq(t.run, run);
    ck_assert_str_eq(t.digest, digest);
    ck_assert(t.scored == 5 && t.dead == 1 && t.skipped == INT64_MAX);
    ck_assert(t.score_bytes == 1234567890123 && t.dead_bytes == 0 && !t.is_finished);
    ck_assert_uint_eq(t.part_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(t.parts[i].topic, s.parts[i].topic);
        ck_assert_int_eq(t.parts[i].partition, s.parts[i].partition);
        ck_assert(t.parts[i].from == s.parts[i].from && t.parts[i].next == s.parts[i].next &&
                  t.parts[i].to == s.parts[i].to);
    }
    replay_state_release(&t);
    replay_state_release(&s);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_no_error_and_one_that_cannot_be_read_is)
{
    struct replay_state s;
    struct err err = ERR_INIT;
    const char *folder = harness_folder();
    char path[400];

    snprintf(path, sizeof path, "%s/none", folder);
    ck_assert_int_eq(replay_state_load(&s, path, &err), 1);
    ck_assert_uint_eq(s.part_count, 0);
    ck_assert_int_eq(replay_state_load(&s, folder, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    err_reset(&err);
    snprintf(path, sizeof path, "%s/none/state", folder);
    ck_assert_int_eq(replay_state_save(&s, path, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
}
END_TEST

START_TEST(a_state_that_is_cut_anywhere_is_refused)
{
    struct replay_state s = make(), t;
    struct err err = ERR_INIT;
    const char *path = save(&s), *folder = harness_folder();
    char *text;
    size_t len;

    ck_assert_int_eq(file_read(path, 1 << 20, &text, &len, &err), 0);
    /* The last line is whole without its end; its last number, cut, is less than the next one. */
    for (size_t cut = 0; cut < len - 1; cut++) {
        err_reset(&err);
        ck_assert_msg(replay_state_load(&t, harness_write(folder, "cut", text, cut), &err) == -1,
                      "cut at %zu of %zu: %.*s", cut, len, (int)cut, text);
        ck_assert_int_eq(err.exit_code, EXIT_DATA);
    }
    free(text);
    replay_state_release(&s);
}
END_TEST

static const char *const parts[] = {"in = 0 1 2",
                                    "in/ = 0 1 2",
                                    "/0 = 0 1 2",
                                    "in/-1 = 0 1 2",
                                    "in/0 = 0 1",
                                    "in/0 = 0 1 2 3",
                                    "in/0 = 2 1 3",
                                    "in/0 = 0 3 2",
                                    "in/0 = a 1 2",
                                    "in/0 = -1 1 2",
                                    "in/0 =",
                                    "in/2147483648 = 0 1 2",
                                    "in/0 = 0 1 9223372036854775808",
                                    "in/0 = 0  1\t2"};

START_TEST(a_partition_that_makes_no_sense_is_refused)
{
    char text[400];
    struct replay_state s;
    struct err err = ERR_INIT;
    const char *path;

    snprintf(text, sizeof text,
             "[replay]\nversion = 1\njob = j\nrun = r\ndigest = d\nscored = 0\ndead = 0\n"
             "skipped = 0\nscore_bytes = 0\ndead_bytes = 0\nfinished = 0\npartitions = 1\n"
             "[partitions]\n%s\n",
             _i < 0 ? "in/0 = 0 1 2" : parts[_i]);
    path = harness_write(harness_folder(), "state", text, strlen(text));
    ck_assert_int_eq(replay_state_load(&s, path, &err), _i < 0 ? 0 : -1);
    if (_i < 0)
        replay_state_release(&s);
    else
        ck_assert_int_eq(err.exit_code, EXIT_DATA);
}
END_TEST

SUITE(replay_state)
{
    TCase *tcase = CASE("files", what_is_saved_is_loaded,
                        a_file_that_is_not_there_is_no_error_and_one_that_cannot_be_read_is,
                        a_state_that_is_cut_anywhere_is_refused);

    tcase_add_loop_test(tcase, a_partition_that_makes_no_sense_is_refused, -1,
                        (int)(sizeof parts / sizeof parts[0]));
}
