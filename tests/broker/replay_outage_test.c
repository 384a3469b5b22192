/* A replay whose brokers go and come back: it waits, and what comes of it is as if they had not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/broker/outcomes.h"
#include "tests/broker/replays.h"
#include "tests/harness.h"

enum { EVENTS = 1000 };

static void send_all(struct cluster *c)
{
    cluster_open(c, 2);
    for (int i = 0; i < 20; i++) {
        cluster_send_events(c, EVENTS / 20);
        cluster_send(c, i % 2, "bad", "{", 1);
    }
    cluster_flush(c->producer);
}

START_TEST(brokers_that_die_in_the_middle_are_waited_for)
{
    struct cluster c;
    struct child k;

    send_all(&c);
    replay_start(&k, &c, "--from", "0", "-o", replay_path(&c, "out.jsonl"), "--rate", "200", "-s",
                 "consumer.fetch.message.max.bytes=1000");
    child_wait_line(&k, "event=dead_letter", 2);
    cluster_broker("kill");
    child_wait_line(&k, "event=kafka", 1);
    ck_assert(child_is_running(&k));
    cluster_broker("start");
    child_expect_exit(&k, 0);
    child_release(&k);
    ck_assert_uint_eq(lines_count(replay_path(&c, "out.jsonl")), EVENTS);
    ck_assert_uint_eq(lines_count(replay_path(&c, "out.jsonl.dead.jsonl")), 20);
    cluster_close(&c);
}
END_TEST

START_TEST(brokers_that_are_not_there_at_the_start_are_waited_for)
{
    struct cluster c;
    struct child k;

    send_all(&c);
    cluster_broker("kill");
    replay_start(&k, &c, "--from", "0", "-o", replay_path(&c, "out.csv"));
    child_wait_line(&k, "event=waiting", 1);
    ck_assert(child_is_running(&k));
    cluster_broker("start");
    child_expect_exit(&k, 0);
    child_release(&k);
    ck_assert_uint_eq(lines_count(replay_path(&c, "out.csv")), EVENTS);
    cluster_close(&c);
}
END_TEST

/* All that was on its way comes again; the file beside has it once. */
START_TEST(a_permission_to_write_that_goes_and_comes_back_is_waited_for)
{
    struct cluster c;
    struct dump scores;
    struct child k;

    send_all(&c);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    replay_start(&k, &c, "--from", "0", "--correct", "--dead", replay_path(&c, "dead.jsonl"),
                 "--rate", "200");
    child_wait_line(&k, "event=dead_letter", 1);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    child_wait_line(&k, "event=rewound", 1);
    cluster_allow_all_but(&c, -1);
    child_expect_exit(&k, 0);
    child_release(&k);
    ck_assert_uint_eq(lines_count(replay_path(&c, "dead.jsonl")), 20);
    dump_load(&scores, &c, c.scores);
    ck_assert_uint_ge(scores.count, EVENTS);
    dump_release(&scores);
    cluster_close(&c);
}
END_TEST

/* More bytes than are fetched before they are asked for, a quarter of memory_mib. */
static void send_large(struct cluster *c)
{
    enum { SIZE = 100000, COUNT = 300 };
    char *event = malloc(SIZE);
    int len = snprintf(event, SIZE, "{\"x\":1,\"pad\":\"");

    memset(event + len, 'p', (size_t)(SIZE - len));
    memcpy(event + SIZE - 2, "\"}", 2);
    for (int i = 0; i < COUNT; i++)
        cluster_send(c, i % 2, "k", event, SIZE);
    cluster_flush(c->producer);
    free(event);
}

START_TEST(a_topic_that_is_deleted_meanwhile_ends_it_with_78_and_so_the_next_start)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    send_large(&c);
    replay_start(&k, &c, "--from", "0", "-o", replay_path(&c, "out.jsonl"), "--rate", "100", "-s",
                 "kscore.memory_mib=64");
    child_wait_line(&k, "event=ready", 1);
    cluster_delete_topic(&c, c.in);
    for (int start = 0; start < 2; start++) {
        child_expect_exit(&k, 78);
        replay_says(&k, "event=failed exit=78 topic ");
        replay_says(&k, " was deleted while it was read: offsets ");
        child_release(&k);
        if (start == 0)
            replay_start(&k, &c, "--from", "0", "-o", replay_path(&c, "out.jsonl"), "-s",
                         "kscore.memory_mib=64");
    }
    cluster_close(&c);
}
END_TEST

SUITE(replay_outage)
{
    CASE("deleted", a_topic_that_is_deleted_meanwhile_ends_it_with_78_and_so_the_next_start);
    CASE("brokers", brokers_that_die_in_the_middle_are_waited_for,
         brokers_that_are_not_there_at_the_start_are_waited_for);
    CASE("permissions", a_permission_to_write_that_goes_and_comes_back_is_waited_for);
}
