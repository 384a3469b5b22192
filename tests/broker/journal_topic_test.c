/* [journal] topic: what alerting consumers read there, and what a start says has changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/broker/child.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/served.h"
#include "tests/harness.h"

/* A cluster with a topic of that many partitions; item: the -s that names it. */
static void open_journal(struct cluster *c, char topic[100], char item[120], int32_t partitions,
                         const char *config)
{
    cluster_open(c, 1);
    snprintf(topic, 100, "%s.journal", c->group);
    snprintf(item, 120, "journal.topic=%s", topic);
    cluster_create_topic(c, topic, partitions, config);
}

/* How many records of that event or kind the topic has. */
static int count_records(struct cluster *c, const char *topic, const char *member,
                         const char *value)
{
    struct dump dump;
    int count = 0;

    dump_load(&dump, c, topic);
    for (size_t i = 0; i < dump.count; i++) {
        json_t *record = json_loadb(dump.items[i]->payload, dump.items[i]->len, 0, NULL);
        const char *is = json_string_value(json_object_get(record, member));
        ck_assert_str_eq(json_string_value(json_object_get(record, "name")), c->group);
        count += is && strcmp(is, value) == 0;
        json_decref(record);
    }
    dump_release(&dump);
    return count;
}

static const struct {
    int32_t partitions;
    const char *config;
} topics[] = {{1, NULL}, {3, "cleanup.policy=compact"}};

START_TEST(a_start_says_what_changed_since_the_run_before)
{
    char topic[100], item[120];
    struct cluster c;
    struct child k;

    open_journal(&c, topic, item, topics[_i].partitions, topics[_i].config);
    cluster_send_events(&c, 10);
    child_run(&k, &c, item);
    child_wait_line(&k, "event=changed this is the first run that the journal knows", 1);
    cluster_wait_outcomes(&c, 10);
    child_stop(&k);
    child_release(&k);

    child_run(&k, &c, item, "kscore.batch_rows=512", "producer.linger.ms=7");
    child_wait_line(&k, "event=ready", 1);
    ck_assert_int_eq(child_count(&k, "event=changed"), 2);
    child_wait_line(&k, "event=changed key=kscore.batch_rows from=1024 to=512", 1);
    child_wait_line(&k, "event=changed key=producer.linger.ms from=\"\" to=7", 1);
    child_stop(&k);
    child_release(&k);

    child_run(&k, &c, item, "kscore.batch_rows=512", "producer.linger.ms=7");
    child_wait_line(&k, "event=changed nothing since run=", 1);
    child_wait_line(&k, "event=ready", 1);
    ck_assert_int_eq(child_count(&k, "event=changed"), 1);
    child_kill(&k); /* it left its facts at its start */
    child_run(&k, &c, item);
    child_wait_line(&k, "event=changed key=kscore.batch_rows from=512 to=1024", 1);
    child_stop(&k);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(consumers_read_each_change_with_its_place)
{
    char topic[100], item[120];
    struct cluster c;
    struct child k;

    open_journal(&c, topic, item, 1, NULL);
    cluster_send(&c, 0, "k", "{", 1);
    child_run(&k, &c, item);
    cluster_wait_outcomes(&c, 1);
    child_stop(&k);
    ck_assert_int_eq(count_records(&c, topic, "event", "starting"), 1);
    ck_assert_int_eq(count_records(&c, topic, "event", "model_loaded"), 1);
    ck_assert_int_eq(count_records(&c, topic, "event", "assigned"), 1);
    ck_assert_int_eq(count_records(&c, topic, "event", "first_dead_letter"), 1);
    ck_assert_int_eq(count_records(&c, topic, "event", "stopping"), 1);
    ck_assert_int_ge(count_records(&c, topic, "kind", "run"), 1);
    ck_assert_int_eq(count_records(&c, topic, "topic", c.in), 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_topic_that_takes_nothing_holds_nothing_up)
{
    char topic[100], item[120];
    struct cluster c;
    struct child k;

    open_journal(&c, topic, item, 1, NULL);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    cluster_send_events(&c, 10);
    child_run(&k, &c, item);
    child_wait_line(&k, "event=changed what changed since the run before is not known", 1);
    child_wait_line(&k, "event=waiting for=journal", 1);
    cluster_wait_outcomes(&c, 10);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_ACL_OPERATION_WRITE);
    child_wait_line(&k, "event=recovered for=journal", 1);
    child_stop(&k);
    ck_assert_int_eq(child_count(&k, "event=waiting for=journal"), 1);
    ck_assert_int_ge(count_records(&c, topic, "event", "starting"), 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Of rows that were scored; without any there is nothing usual, and an empty one would hide the one
 * before. */
START_TEST(what_is_usual_is_kept_where_something_was_scored)
{
    char topic[100], item[120];
    struct cluster c;
    struct child k;

    open_journal(&c, topic, item, 1, NULL);
    cluster_send_events(&c, 200);
    child_run(&k, &c, item);
    cluster_wait_outcomes(&c, 200);
    child_stop(&k);
    child_release(&k);
    ck_assert_int_eq(count_records(&c, topic, "kind", "profile"), 1);
    child_run(&k, &c, item);
    child_wait_line(&k, "event=ready", 1);
    child_stop(&k);
    ck_assert_int_eq(child_count(&k, "what was usual"), 0);
    child_release(&k);
    ck_assert_int_eq(count_records(&c, topic, "kind", "profile"), 2); /* taken over, handed on */
    cluster_close(&c);
}
END_TEST

START_TEST(check_proves_it_like_the_others)
{
    char topic[100], item[120], want[200];
    struct cluster c;
    struct child k;

    open_journal(&c, topic, item, 1, NULL);
    child_command(&k, &c, "check", (const char *[]){"-s", item, NULL});
    child_expect_exit(&k, 0);
    snprintf(want, sizeof want, "%s: 1 partitions, may be written", topic);
    ck_assert_int_eq(child_count(&k, want), 1);
    child_release(&k);
    child_command(&k, &c, "check", (const char *[]){"-s", "journal.topic=no-such-topic", NULL});
    child_expect_exit(&k, 78);
    ck_assert_int_eq(child_count(&k, "[journal]: topic no-such-topic does not exist"), 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(journal_topic)
{
    TCase *runs = CASE("runs", consumers_read_each_change_with_its_place,
                       a_topic_that_takes_nothing_holds_nothing_up,
                       what_is_usual_is_kept_where_something_was_scored);

    tcase_add_loop_test(runs, a_start_says_what_changed_since_the_run_before, 0, 2);
    CASE("check", check_proves_it_like_the_others);
}
