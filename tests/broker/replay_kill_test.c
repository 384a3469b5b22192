/* A replay that is killed, or stopped, and goes on from its state. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "pipeline/replay_state.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/replays.h"
#include "tests/harness.h"

enum { EVENTS = 3000, BAD = 60, KILLS = 10 };

/* Over three partitions, some bad, some null. */
static void send_all(struct cluster *c)
{
    for (int i = 0; i < BAD; i++) {
        cluster_send_events(c, EVENTS / BAD);
        cluster_send(c, i % 3, "bad", "{\"x\":", 5);
        cluster_send(c, i % 3, "gone", NULL, 0);
    }
    cluster_flush(c->producer);
}

/* What its state says is behind it, 0 without one. */
static int64_t passed(const char *path)
{
    struct replay_state state;
    struct err err = ERR_INIT;
    int result = replay_state_load(&state, path, &err);
    int64_t count;

    ck_assert_msg(result >= 0, "%s", err.text);
    count = replay_state_passed(&state);
    replay_state_release(&state);
    return count;
}

/* Kills it when the state is further than `before`; returns how far. */
static int64_t kill_later(struct child *k, const char *state, int64_t before)
{
    int64_t until = harness_deadline(), now;

    while ((now = passed(state)) <= before) {
        ck_assert_msg(clock_ms() < until, "no progress in time");
        ck_assert_msg(child_is_running(k), "it ended with %d", k->code);
        harness_breathe();
    }
    child_kill(k);
    return now;
}

static const char *const files[][2] = {{"one.jsonl", "two.jsonl"}, {"one.csv", "two.csv"}};

START_TEST(killed_and_resumed_ten_times_the_files_are_those_of_one_go)
{
    struct cluster c;
    struct child k;
    char one[400], two[380], state[400], rate[20];
    int64_t at = 0;

    cluster_open(&c, 3);
    send_all(&c);
    snprintf(one, sizeof one, "%s", replay_path(&c, files[_i][0]));
    snprintf(two, sizeof two, "%s", replay_path(&c, files[_i][1]));
    snprintf(state, sizeof state, "%s.state", two);
    replay_runs(&k, &c, "--from", "0", "-o", one, "-s", "kscore.workers=2");
    replay_says(&k, "consumed=3120 scored=3000 dead=60 skipped=60");
    child_release(&k);
    snprintf(rate, sizeof rate, "%d", (EVENTS + 2 * BAD) / (KILLS + 4));
    for (int i = 0; i < KILLS; i++) {
        replay_start(&k, &c, "--from", "0", "-o", two, "-s", "kscore.workers=2", "--rate", rate);
        at = kill_later(&k, state, at);
    }
    ck_assert_int_lt(at, EVENTS + 2 * BAD);
    replay_runs(&k, &c, "--from", "0", "-o", two, "-s", "kscore.workers=2");
    replay_says(&k, "goes on from its state");
    replay_says(&k, "  scored         3000");
    child_release(&k);
    lines_expect_same(one, two, EVENTS);
    strcat(one, ".dead.jsonl");
    strcat(two, ".dead.jsonl");
    lines_expect_same(one, two, BAD);
    cluster_close(&c);
}
END_TEST

START_TEST(a_container_is_whole_and_has_each_record_once)
{
    struct cluster c;
    struct child k;
    char out[380], state[400];
    int64_t at = 0;

    cluster_open(&c, 3);
    send_all(&c);
    snprintf(out, sizeof out, "%s", replay_path(&c, "out.avro"));
    snprintf(state, sizeof state, "%s.state", out);
    for (int i = 0; i < 3; i++) {
        replay_start(&k, &c, "--from", "0", "-o", out, "--rate", "400");
        at = kill_later(&k, state, at);
    }
    replay_runs(&k, &c, "--from", "0", "-o", out);
    child_release(&k);
    ck_assert_uint_eq(container_count(out), EVENTS);
    cluster_close(&c);
}
END_TEST

START_TEST(a_stop_ends_it_with_0_and_says_the_command_to_go_on)
{
    struct cluster c;
    struct child k;
    char out[400], again[1000];

    cluster_open(&c, 3);
    send_all(&c);
    snprintf(out, sizeof out, "%s", replay_path(&c, "out.jsonl"));
    replay_start(&k, &c, "--from", "0", "-o", out, "--rate", "1000");
    child_wait_line(&k, "event=dead_letter", 1);
    child_signal(&k, SIGTERM);
    child_expect_exit(&k, 0);
    snprintf(again, sizeof again, "to go on: kscore replay -c %s --from 0 -o %s --rate 1000\n",
             c.config, out);
    replay_says(&k, "complete=no stopped; to go on: ");
    replay_says(&k, "stopped, not complete: to go on: ");
    ck_assert_int_eq(child_count(&k, again), 2);
    child_release(&k);
    ck_assert_int_lt((int64_t)lines_count(out), EVENTS);
    replay_runs(&k, &c, "--from", "0", "-o", out);
    child_release(&k);
    ck_assert_uint_eq(lines_count(out), EVENTS);
    replay_runs(&k, &c, "--from", "0", "-o", out);
    replay_says(&k, "finished before: nothing to do");
    replay_says(&k, " complete=yes\n");
    child_release(&k);
    ck_assert_uint_eq(lines_count(out), EVENTS);
    cluster_close(&c);
}
END_TEST

START_TEST(into_a_topic_nothing_is_lost_and_what_is_twice_has_one_id)
{
    struct cluster c;
    struct child k;
    const int64_t floor[CLUSTER_MAX_PARTITIONS] = {0};
    char state[400], dead[400];
    int64_t at = 0;

    cluster_open(&c, 3);
    cluster_send_events(&c, EVENTS);
    snprintf(state, sizeof state, "%s", replay_path(&c, "again.state"));
    snprintf(dead, sizeof dead, "%s", replay_path(&c, "dead.jsonl"));
    for (int i = 0; i < 3; i++) {
        replay_start(&k, &c, "--from", "0", "--correct", "--dead", dead, "--state", state, "--rate",
                     "600");
        at = kill_later(&k, state, at);
    }
    replay_runs(&k, &c, "--from", "0", "--correct", "--dead", dead, "--state", state);
    child_release(&k);
    /* A second's, and what was on its way, each time. */
    ck_assert_uint_lt(expect_outcomes(&c, &(struct account){.floor = floor}), 3 * 1200);
    cluster_close(&c);
}
END_TEST

static const struct {
    const char *on_gap;
    int code;
    const char *text;
} gaps[] = {{"consumer.on_gap=resume", 0, "  gone "},
            {"consumer.on_gap=stop", 65, "on_gap = stop, and "}};

START_TEST(what_was_deleted_meanwhile_is_counted_and_on_gap_decides)
{
    struct cluster c;
    struct child k;
    char out[400];

    cluster_open(&c, 1);
    cluster_send_events(&c, 300);
    snprintf(out, sizeof out, "%s", replay_path(&c, "out.jsonl"));
    replay_start(&k, &c, "--from", "0", "-o", out, "--rate", "20", "-s", gaps[_i].on_gap);
    child_wait_line(&k, "event=ready", 1);
    child_signal(&k, SIGTERM);
    child_expect_exit(&k, 0);
    child_release(&k);
    cluster_delete_records(&c, 0, 200);
    replay_exits(&k, &c, gaps[_i].code, "--from", "0", "-o", out, "-s", gaps[_i].on_gap);
    replay_says(&k, "event=gap ");
    replay_says(&k, gaps[_i].text);
    child_release(&k);
    if (gaps[_i].code == 0)
        ck_assert_uint_lt(lines_count(out), 200);
    cluster_close(&c);
}
END_TEST

/* What is there is somebody's. */
START_TEST(what_another_replay_left_is_not_touched)
{
    struct cluster c;
    struct child k, second;
    char out[400];

    cluster_open(&c, 1);
    cluster_send_events(&c, 40);
    snprintf(out, sizeof out, "%s", replay_path(&c, "out.jsonl"));
    harness_write(c.folder, "other.jsonl", "{}\n", 3);
    replay_exits(&k, &c, 74, "--from", "0", "-o", replay_path(&c, "other.jsonl"));
    replay_says(&k, "other.jsonl is there already, and no state to go on from");
    child_release(&k);
    replay_start(&k, &c, "--from", "0", "-o", out, "--rate", "20");
    child_wait_line(&k, "event=ready", 1);
    replay_exits(&second, &c, 75, "--from", "0", "-o", out, "--rate", "20");
    replay_says(&second, "out.jsonl: another process writes it");
    child_release(&second);
    child_expect_exit(&k, 0);
    child_release(&k);
    replay_exits(&k, &c, 65, "--from", "1", "-o", out);
    replay_says(&k, "is the state of another replay: its job is replay of from 0 to latest");
    child_release(&k);
    replay_exits(&k, &c, 65, "--from", "0", "-o", out, "-s", "consumer.max_depth=5");
    replay_says(&k, "is the state of another replay: its run");
    child_release(&k);
    ck_assert_uint_eq(lines_count(out), 40);
    harness_write(c.folder, "out.jsonl.state", "[replay]\nversion = 7\n", 21);
    replay_exits(&k, &c, 65, "--from", "0", "-o", out);
    replay_says(&k, "out.jsonl.state:2: version: this is no state of a replay");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(replay_kill)
{
    TCase *tcase = harness_case(suite, "kills", NULL, 0);

    tcase_set_timeout(tcase, 90 * harness_slowness());
    tcase_add_loop_test(tcase, killed_and_resumed_ten_times_the_files_are_those_of_one_go, 0, 2);
    tcase_add_test(tcase, a_container_is_whole_and_has_each_record_once);
    tcase_add_test(tcase, into_a_topic_nothing_is_lost_and_what_is_twice_has_one_id);
    tcase_add_loop_test(harness_case(suite, "gaps", NULL, 0),
                        what_was_deleted_meanwhile_is_counted_and_on_gap_decides, 0, 2);
    CASE("stops", a_stop_ends_it_with_0_and_says_the_command_to_go_on,
         what_another_replay_left_is_not_touched);
}
