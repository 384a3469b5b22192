/* What the output topics may do while kscore runs: refuse, shrink, go and come back. It waits, goes
 * on by itself, and what becomes of a record keeps its right name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/served.h"
#include "tests/harness.h"

enum { PARTITIONS = 2 };

static void stop_and_account(struct cluster *c, struct child *k)
{
    static const int64_t floor[CLUSTER_MAX_PARTITIONS];

    child_stop(k);
    expect_outcomes(c, &(struct account){.floor = floor});
    cluster_expect_no_lag(c);
    child_release(k);
    cluster_close(c);
}

START_TEST(a_permission_to_write_that_goes_and_comes_back_is_waited_for)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    child_run(&k, &c);
    cluster_send_events(&c, 100);
    cluster_wait_outcomes(&c, 100);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    if (_i)
        cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.dead, RD_KAFKA_ACL_OPERATION_WRITE);
    child_send_until(&k, &c, "Topic authorization failed");
    child_send_until(&k, &c, "event=rewound");
    cluster_allow_all_but(&c, -1);
    cluster_wait_outcomes(&c, c.event_count);
    stop_and_account(&c, &k);
}
END_TEST

/* events: sent between two questions. */
static void wait_ready(struct child *k, struct cluster *c, const char *line, int events)
{
    int64_t until = harness_deadline();
    char *text = served_ask(c, "/readyz");

    while (strncmp(text, line, strlen(line)) != 0) {
        ck_assert_msg(child_is_running(k) && clock_ms() < until, "/readyz: %s", text);
        cluster_send_events(c, events);
        harness_breathe();
        free(text);
        text = served_ask(c, "/readyz");
    }
    free(text);
}

/* Nothing is in flight, so no outcome fails; and brokers and group answer. Events keep coming: the
 * first ones may be read before the brokers have heard that they must not be. */
START_TEST(a_permission_to_read_that_goes_is_not_ready_until_it_comes_back)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    child_run(&k, &c, served_socket(&c));
    cluster_send_events(&c, 10);
    cluster_wait_outcomes(&c, 10);
    wait_ready(&k, &c, "ready", 0);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.in, RD_KAFKA_ACL_OPERATION_READ);
    wait_ready(&k, &c, "not ready, waiting: ", 1);
    cluster_allow_all_but(&c, -1);
    cluster_wait_outcomes(&c, c.event_count);
    wait_ready(&k, &c, "ready", 0);
    stop_and_account(&c, &k);
}
END_TEST

static long most_kib(pid_t pid)
{
    char path[64], line[200];
    long kib = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (kib == 0 && fgets(line, sizeof line, file))
        sscanf(line, "VmHWM: %ld", &kib);
    fclose(file);
    return kib;
}

/* README: memory_mib plus at most 64 MiB, whatever the lag. */
START_TEST(memory_is_bounded_with_a_backlog_behind_an_output_that_is_down)
{
    enum { RECORDS = 200000, VALUE_BYTES = 1000, MIB = 1024 };
    struct cluster c;
    struct child k;
    char value[VALUE_BYTES + 1];

    cluster_open(&c, PARTITIONS);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    child_run(&k, &c, "kscore.memory_mib=64");
    child_wait_line(&k, "event=ready", 1);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    snprintf(value, sizeof value, "{\"x\":1,\"pad\":\"%0*d\"}", VALUE_BYTES - 16, 0);
    for (int i = 0; i < RECORDS; i++)
        cluster_send(&c, i % PARTITIONS, NULL, value, VALUE_BYTES);
    cluster_flush(c.producer);
    child_wait_line(&k, "event=rewound", child_count(&k, "event=rewound") + 2);
    cluster_allow_all_but(&c, -1);
    cluster_wait_no_lag(&c);
    ck_assert_int_lt(most_kib(k.pid) / MIB, 64 + 64);
    ck_assert_int_eq(child_number(child_stop(&k), "scored"), RECORDS);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_size_limit_that_is_lowered_is_read_anew_and_kills_no_record)
{
    static const int64_t floor[PARTITIONS];
    struct cluster c;
    struct child k;
    const char *last;

    cluster_open(&c, PARTITIONS);
    child_run(&k, &c);
    cluster_send_events(&c, 100);
    cluster_wait_outcomes(&c, 100);
    cluster_configure(&c, c.scores, "max.message.bytes", "2000");
    cluster_send_events(&c, 3000);
    cluster_wait_outcomes(&c, 3100);
    cluster_send_events(&c, 3000);
    cluster_wait_outcomes(&c, 6100);
    while (cluster_committed(&c, 0) + cluster_committed(&c, 1) < 6100)
        harness_breathe();
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "scored"), 6100);
    ck_assert_int_le(child_number(last, "rewinds"), 3);
    expect_outcomes(&c, &(struct account){.floor = floor});
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_dead_letter_that_is_refused_keeps_its_reason)
{
    struct cluster c;
    struct child k;
    struct dump dead;
    char value[3000];

    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)(i * i * 2654435761U >> 13); /* what lz4 makes no smaller */
    cluster_open(&c, 1);
    child_run(&k, &c);
    child_wait_line(&k, "event=ready", 1);
    cluster_configure(&c, c.dead, "max.message.bytes", "2500");
    cluster_send(&c, 0, "bad", value, sizeof value);
    cluster_send_events(&c, 10);
    cluster_wait_outcomes(&c, 11);
    child_stop(&k);
    dump_load(&dead, &c, c.dead);
    ck_assert_uint_eq(dead.count, 1);
    ck_assert_uint_eq(dead.items[0]->len, 0);
    ck_assert_str_eq(dump_header(dead.items[0], "__connect.errors.exception.class.name"),
                     "bad_json");
    ck_assert_str_eq(dump_header(dead.items[0], "kscore.dropped"), "value");
    dump_release(&dead);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_dead_letter_topic_that_takes_nothing_is_waited_for_without_haste)
{
    static const int64_t floor[1];
    struct cluster c;
    struct child k;
    int64_t start_ms;

    cluster_open(&c, 1);
    child_run(&k, &c);
    child_wait_line(&k, "event=ready", 1);
    cluster_configure(&c, c.dead, "max.message.bytes", "100");
    cluster_send(&c, 0, "bad", "{", 1);
    cluster_send_events(&c, 10);
    child_wait_line(&k, "event=waiting", 1);
    start_ms = clock_ms();
    while (clock_ms() - start_ms < 3000)
        harness_breathe();
    cluster_configure(&c, c.dead, "max.message.bytes", NULL);
    while (cluster_committed(&c, 0) < 11)
        harness_breathe();
    ck_assert_int_le(child_number(child_stop(&k), "rewinds"), 15);
    expect_outcomes(&c, &(struct account){.floor = floor});
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Deletes a topic and makes it again; events come in between. */
static void remake(struct cluster *c, const char *topic, int32_t partitions, int events)
{
    cluster_delete_topic(c, topic);
    cluster_send_events(c, events);
    cluster_create_topic(c, topic, partitions, NULL);
}

START_TEST(an_output_topic_that_is_made_anew_is_written_again)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    child_run(&k, &c);
    cluster_send_events(&c, 100);
    cluster_wait_outcomes(&c, 100);
    remake(&c, c.scores, PARTITIONS, 50);
    cluster_send_events(&c, 50);
    cluster_wait_no_lag(&c); /* nobody can tell how many scores went with the old topic */
    child_stop(&k);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_dead_letter_topic_with_fewer_partitions_takes_all)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    child_run(&k, &c);
    child_wait_line(&k, "event=ready", 1);
    cluster_send(&c, 1, "bad", "{", 1);
    cluster_flush(c.producer);
    while (cluster_end(&c, c.dead, 1) == 0)
        harness_breathe();
    remake(&c, c.dead, 1, 50);
    cluster_send(&c, 1, "bad", "{", 1);
    cluster_flush(c.producer);
    while (cluster_end(&c, c.dead, 0) == 0)
        harness_breathe();
    child_stop(&k);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* What was stored before is larger: it must not be committed over the new start. */
START_TEST(an_input_topic_that_is_made_anew_is_read_and_committed_from_its_start)
{
    int64_t until;
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    child_run(&k, &c);
    cluster_send_events(&c, 1000);
    cluster_wait_outcomes(&c, 1000);
    while (cluster_committed(&c, 0) < 1000)
        harness_breathe();
    remake(&c, c.in, 1, 0);
    cluster_send_events(&c, 100);
    cluster_wait_outcomes(&c, 1100);
    child_wait_line(&k, "event=gap", 1);
    for (until = harness_deadline(); cluster_committed(&c, 0) != 100; harness_breathe())
        ck_assert_msg(clock_ms() < until, "committed %lld", (long long)cluster_committed(&c, 0));
    child_stop(&k);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_record_with_a_hundred_thousand_headers_costs_one_dead_letter)
{
    enum { COUNT = 100000 };
    struct cluster c;
    struct child k;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(COUNT);
    int64_t start_ms;

    cluster_open(&c, 1);
    child_run(&k, &c);
    child_wait_line(&k, "event=ready", 1);
    for (int i = 0; i < COUNT; i++)
        rd_kafka_header_add(headers, "h", -1, "v", 1);
    ck_assert_int_eq(rd_kafka_producev(c.producer, RD_KAFKA_V_RKT(c.topic), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_VALUE((void *)"{", 1),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     0);
    cluster_flush(c.producer);
    start_ms = clock_ms();
    cluster_send_events(&c, 10);
    cluster_wait_outcomes(&c, 11);
    ck_assert_int_lt(clock_ms() - start_ms, (int64_t)(5000 * harness_slowness()));
    ck_assert_int_eq(child_number(child_stop(&k), "dead"), 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(outage)
{
    TCase *tcase =
        CASE("permissions", a_permission_to_read_that_goes_is_not_ready_until_it_comes_back);

    CASE("topics", an_output_topic_that_is_made_anew_is_written_again,
         a_dead_letter_topic_with_fewer_partitions_takes_all,
         an_input_topic_that_is_made_anew_is_read_and_committed_from_its_start);

    CASE("limits", a_size_limit_that_is_lowered_is_read_anew_and_kills_no_record,
         a_dead_letter_that_is_refused_keeps_its_reason,
         a_dead_letter_topic_that_takes_nothing_is_waited_for_without_haste);
    CASE("memory", memory_is_bounded_with_a_backlog_behind_an_output_that_is_down);
    CASE("headers", a_record_with_a_hundred_thousand_headers_costs_one_dead_letter);
    tcase_add_loop_test(tcase, a_permission_to_write_that_goes_and_comes_back_is_waited_for, 0, 2);
}
