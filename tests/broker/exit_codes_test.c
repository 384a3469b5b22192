/* What is wrong before the first record ends the program with its code, and one line says what and
 * where. A broker that is not there is waited for. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/harness.h"

static void expect_complaint(struct child *k, int code, const char *what, const char *where)
{
    child_expect_exit(k, code);
    child_expect_complaint(k, what);
    child_expect_complaint(k, where);
    ck_assert_int_eq(child_count(k, "event=ready"), 0);
}

static const struct {
    const char *words[6], *want;
} usages[] = {
    {{"run"}, "-c FILE is missing"},
    {{"run", "-c"}, "--config takes FILE"},
    {{"run", "--confg", "x"}, "did you mean --config?"},
    {{"run", "-c", "x", "y"}, "one word too many: y"},
    {{"rum"}, "did you mean run?"},
};

START_TEST(a_wrong_command_line_is_64)
{
    struct child k;

    child_exec(&k, harness_folder(), usages[_i].words);
    child_expect_exit(&k, 64);
    ck_assert_int_eq(child_count(&k, "\n"), 1);
    ck_assert_msg(strstr(k.log, usages[_i].want) != NULL, "want \"%s\" in: %s", usages[_i].want,
                  k.log);
    child_release(&k);
}
END_TEST

static const struct {
    const char *line, *where, *want;
} slips[] = {
    {"[kscore]\nnmae = x\n", ":2: ", "did you mean name?"},
    {"[kscore]\nname = x\n[modle]\npath = y\n", ":4: ", "did you mean [model]?"},
    {"[kscore]\nname = x\ncommit_ms = soon\n", ":3: ", "whole number from 10 to 60000"},
    {"[kafka]\nbootstrap.severs = x\n", ":2: ", "did you mean bootstrap.servers?"},
    {"[consumer]\nenable.auto.commit = true\n", ":2: ", "commit_ms"},
    {"[consumer]\nstart = yesterday\n", "", "yesterday"},
    {"[kscore]\nname = x\n", "", "topic is missing in [consumer]"},
    {"[kscore]\nname\n", ":2: ", "name"},
};

START_TEST(a_wrong_configuration_is_78_with_file_and_line)
{
    struct child k;
    char where[400];
    const char *folder = harness_folder(),
               *path = harness_write(folder, "bad.ini", slips[_i].line, strlen(slips[_i].line));

    child_exec(&k, folder, (const char *const[]){"run", "-c", path, NULL});
    snprintf(where, sizeof where, "bad.ini%s", slips[_i].where);
    expect_complaint(&k, 78, "kscore run: ", where);
    if (slips[_i].where[0])
        ck_assert_msg(strstr(k.log, slips[_i].want) != NULL, "want \"%s\" in: %s", slips[_i].want,
                      k.log);
    ck_assert_int_eq(child_count(&k, "\n"), 1);
    child_release(&k);
}
END_TEST

START_TEST(an_unreadable_configuration_is_74)
{
    struct child k;
    char loop[400];
    const char *folder = harness_folder();

    snprintf(loop, sizeof loop, "%s/loop.ini", folder);
    ck_assert_int_eq(symlink("loop.ini", loop), 0);
    child_exec(&k, folder, (const char *const[]){"run", "-c", loop, NULL});
    expect_complaint(&k, 74, "symbolic links", loop);
    child_release(&k);
    child_exec(&k, folder, (const char *const[]){"run", "-c", folder, NULL});
    expect_complaint(&k, 74, "directory", folder);
    child_release(&k);
}
END_TEST

/* Puts a link to itself in the place of a file of the bundle. */
static void make_unreadable(const struct cluster *c, const char *name)
{
    char path[400];

    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(name, path), 0);
}

static void break_model_file(const struct cluster *c)
{
    harness_write(c->folder, "model.json", "{}", 2);
}

static void break_model_ini(const struct cluster *c)
{
    harness_write(c->folder, "model.ini", "[model]\nname tiny\n", 18);
}

static void break_golden(const struct cluster *c)
{
    static const char line[] = "{\"event\":{\"x\":1},\"margin\":0.25,\"prediction\":0.5}\n";

    harness_write(c->folder, "golden.jsonl", line, sizeof line - 1);
}

static void hide_model_ini(const struct cluster *c)
{
    make_unreadable(c, "model.ini");
}

static void hide_model_file(const struct cluster *c)
{
    make_unreadable(c, "model.json");
}

static const struct {
    void (*make)(const struct cluster *c);
    int code;
    const char *where, *what;
} bundles[] = {
    {break_model_file, 65, "model.json", "sha256"},
    {break_model_ini, 65, "model.ini:2", "[model]"},
    {break_golden, 65, "golden.jsonl:1", "[model]"},
    {hide_model_ini, 74, "model.ini", "symbolic links"},
    {hide_model_file, 74, "model.json", "symbolic links"},
};

START_TEST(a_bad_bundle_is_65_and_an_unreadable_one_74)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    bundles[_i].make(&c);
    child_run(&k, &c);
    expect_complaint(&k, bundles[_i].code, bundles[_i].what, bundles[_i].where);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static const char *const topics[][2] = {
    {"[consumer]", "consumer.topic=nobody.made.it"},
    {"[producer]", "producer.topic=nobody.made.it"},
    {"[dead_letters]", "dead_letters.topic=nobody.made.it"},
    {"[alerts]", "alerts.topic=nobody.made.it"},
};

START_TEST(a_missing_topic_is_78)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_add_alerts(&c, "");
    child_run(&k, &c, topics[_i][1]);
    expect_complaint(&k, 78, topics[_i][0], "topic nobody.made.it does not exist");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(brokers_that_do_not_answer_are_waited_for)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    child_run(&k, &c, "kafka.bootstrap.servers=127.0.0.1:1");
    child_wait_line(&k, "event=waiting", 1);
    ck_assert_int_eq(child_count(&k, "event=ready"), 0);
    child_stop(&k);
    ck_assert_int_eq(child_count(&k, " error event="), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_second_signal_exits_at_once)
{
    struct cluster c;
    struct child k;
    int64_t start_ms;

    cluster_open(&c, 1);
    child_run(&k, &c, "kafka.bootstrap.servers=127.0.0.1:1");
    child_wait_line(&k, "event=waiting", 1);
    child_signal(&k, SIGTERM);
    start_ms = clock_ms();
    /* A signal that is still pending would swallow the second of its kind. */
    child_signal(&k, SIGINT);
    child_expect_exit(&k, 75);
    ck_assert_int_lt(clock_ms() - start_ms, (int64_t)(1000 * harness_slowness()));
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(what_may_not_be_done_is_77)
{
    static const char *const wheres[] = {".in", ".scores", ".dead", "roup", ".alerts"};
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_use_password(&c, "kscore");
    cluster_add_alerts(&c, "");
    cluster_allow_all_but(&c, _i);
    child_run(&k, &c);
    expect_complaint(&k, 77, "uthorization failed", wheres[_i]);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_wrong_password_is_77)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_use_password(&c, "guessed");
    child_run(&k, &c);
    expect_complaint(&k, 77, "uthentication", "[consumer]");
    ck_assert_int_eq(child_count(&k, "guessed"), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(with_all_permissions_it_becomes_ready)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    child_run(&k, &c);
    child_wait_line(&k, "event=ready", 1);
    cluster_send_events(&c, 10);
    cluster_wait_outcomes(&c, 10);
    child_stop(&k);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof(table)[0])

SUITE(exit_codes)
{
    TCase *tcase = harness_case(suite, "usage", NULL, 0);

    LOOP(a_wrong_command_line_is_64, usages);
    tcase = CASE("configuration", an_unreadable_configuration_is_74);
    LOOP(a_wrong_configuration_is_78_with_file_and_line, slips);
    tcase = harness_case(suite, "bundle", NULL, 0);
    LOOP(a_bad_bundle_is_65_and_an_unreadable_one_74, bundles);
    tcase =
        CASE("brokers", brokers_that_do_not_answer_are_waited_for, a_second_signal_exits_at_once);
    LOOP(a_missing_topic_is_78, topics);
    tcase = CASE("permissions", a_wrong_password_is_77, with_all_permissions_it_becomes_ready);
    tcase_add_loop_test(tcase, what_may_not_be_done_is_77, 0, 5);
}
