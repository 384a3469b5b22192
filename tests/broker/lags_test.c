/* Lag, as the brokers have it: ours, and that of those who read the scores. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/served.h"
#include "tests/harness.h"

enum { PARTITIONS = 2, HALF = 50 };

/* The topic of scores may not be written meanwhile. */
START_TEST(lag_grows_while_all_is_paused)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    cluster_send_events(&c, 10);
    child_run(&k, &c, served_socket(&c));
    served_wait_number(&k, &c, "downstream.lag", 0, 0);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    cluster_send_events(&c, 100);
    child_wait_line(&k, "event=delivery_failed", 1);
    served_wait_number(&k, &c, "downstream.lag", 100, 100);
    cluster_send_events(&c, 1000);
    served_wait_number(&k, &c, "downstream.lag", 1100, 1100);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    served_wait_number(&k, &c, "downstream.lag", 0, 0);
    child_stop(&k);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static bool has_no_lag_known(const json_t *status, void *arg)
{
    (void)arg;
    return json_is_null(served_find(status, "downstream.lag"));
}

/* Of one partition the second member owns nothing, until the first is gone. */
static bool owns_nothing(const struct cluster *c)
{
    char *text = served_ask(c, "/status");
    json_t *status = json_loads(text, 0, NULL);
    bool is_so = status && has_no_lag_known(status, NULL);

    json_decref(status);
    free(text);
    return is_so;
}

/* Which of the two has the partition is the group's to say. */
START_TEST(who_owns_nothing_has_no_lag_and_who_takes_over_has_all_of_it)
{
    int64_t deadline = harness_deadline();
    struct cluster c, other;
    struct child a, b;
    bool is_a;

    cluster_open(&c, 1);
    other = c;
    snprintf(other.folder, sizeof other.folder, "%s", harness_folder());
    cluster_send_events(&c, 10);
    child_run(&a, &c, served_socket(&c));
    served_wait_number(&a, &c, "downstream.lag", 0, 0);
    child_run(&b, &other, served_socket(&other));
    child_wait_line(&b, "event=ready", 1);
    while (owns_nothing(&c) == owns_nothing(&other)) {
        ck_assert_msg(clock_ms() < deadline, "both own it, or none does");
        harness_breathe();
    }
    is_a = !owns_nothing(&c);
    child_stop(is_a ? &a : &b);
    served_wait_number(is_a ? &b : &a, is_a ? &other : &c, "downstream.lag", 0, 0);
    child_stop(is_a ? &b : &a);
    child_release(&a);
    child_release(&b);
    cluster_close(&c);
}
END_TEST

START_TEST(marks_of_transactions_are_no_lag)
{
    struct cluster c;
    struct child k;
    char id[120];
    rd_kafka_t *producer;

    cluster_open(&c, 1);
    snprintf(id, sizeof id, "transactional.id=%s-events", c.group);
    producer = cluster_producer(&c, (const char *[]){id, NULL});
    ck_assert_ptr_null(rd_kafka_init_transactions(producer, 10000));
    for (int i = 0; i < 6; i++) {
        ck_assert_ptr_null(rd_kafka_begin_transaction(producer));
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(c.in), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7), RD_KAFKA_V_END);
        cluster_flush(producer); /* else an abort leaves nothing behind */
        ck_assert_ptr_null(i % 2 ? rd_kafka_abort_transaction(producer, 10000)
                                 : rd_kafka_commit_transaction(producer, 10000));
    }
    ck_assert_ptr_null(rd_kafka_begin_transaction(producer));
    rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(c.in), RD_KAFKA_V_PARTITION(0),
                      RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7), RD_KAFKA_V_END);
    cluster_flush(producer); /* one that is open: behind the last stable offset */
    child_run(&k, &c, served_socket(&c));
    served_wait_number(&k, &c, "partitions.0.done", 12, 12);
    served_wait_number(&k, &c, "downstream.lag", 0, 0);
    ck_assert_int_eq(cluster_high(&c, c.in, 0), 13);
    child_stop(&k);
    ck_assert_ptr_null(rd_kafka_abort_transaction(producer, 10000));
    rd_kafka_destroy(producer);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static bool stands(const json_t *status, void *arg)
{
    return json_is_string(served_find(status, arg));
}

START_TEST(a_group_that_stops_reading_the_scores_stands_and_the_other_does_not)
{
    struct cluster c;
    struct child k;
    char groups[200], quick[80], slow[80], want[300], *metrics;

    cluster_open(&c, 1);
    snprintf(quick, sizeof quick, "%s.quick", c.group);
    snprintf(slow, sizeof slow, "%s.slow", c.group);
    snprintf(groups, sizeof groups, "downstream.groups=%s, %s", quick, slow);
    cluster_send_events(&c, 2 * HALF);
    child_run(&k, &c, served_socket(&c), groups);
    cluster_wait_outcomes(&c, 2 * HALF);
    cluster_commit_as(&c, quick, c.scores, 0, cluster_end(&c, c.scores, 0));
    cluster_commit_as(&c, slow, c.scores, 0, HALF);
    served_wait_number(&k, &c, "downstream.groups.0.lag", 0, 0);
    served_wait_number(&k, &c, "downstream.groups.1.lag", HALF,
                       cluster_end(&c, c.scores, 0) - HALF);
    json_t *status = served_wait(&k, &c, stands, (void *)"downstream.groups.1.stands_since");
    ck_assert(json_is_null(served_find(status, "downstream.groups.0.stands_since")));
    ck_assert_str_eq(json_string_value(served_find(status, "downstream.groups.1.group")), slow);
    json_decref(status);
    metrics = served_ask(&c, "/metrics");
    snprintf(want, sizeof want,
             "\nkscore_downstream_lag_records{group=\"%s\",topic=\"%s\",partition=\"0\"} 0\n",
             quick, c.scores);
    ck_assert_msg(strstr(metrics, want) != NULL, "%s is not in %s", want, metrics);
    free(metrics);
    cluster_commit_as(&c, slow, c.scores, 0, cluster_end(&c, c.scores, 0));
    served_wait_number(&k, &c, "downstream.groups.1.lag", 0, 0);
    child_stop(&k);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_group_that_may_not_be_asked_about_is_said_once)
{
    struct cluster c;
    struct child k;
    char groups[200], secret[80], own[120];

    cluster_open(&c, 1);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    snprintf(secret, sizeof secret, "%s.secret", c.group);
    snprintf(groups, sizeof groups, "downstream.groups=%s", secret);
    cluster_send_events(&c, 10);
    child_run(&k, &c, served_socket(&c), groups);
    child_wait_line(&k, "event=waiting for=lag", 1);
    cluster_send_events(&c, 10);
    served_wait_number(&k, &c, "downstream.totals.scored", 20, 20);
    served_wait_number(&k, &c, "downstream.lag", 0, 0);
    ck_assert_int_eq(child_count(&k, "event=waiting"), 1);
    snprintf(own, sizeof own, "group (allow DESCRIBE): %s", secret);
    ck_assert_int_eq(child_count(&k, own), 1);
    cluster_allow(&c, RD_KAFKA_RESOURCE_GROUP, secret, RD_KAFKA_ACL_OPERATION_DESCRIBE);
    child_wait_line(&k, "event=recovered for=lag", 1);
    child_stop(&k);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(lags)
{
    CASE("own", lag_grows_while_all_is_paused,
         who_owns_nothing_has_no_lag_and_who_takes_over_has_all_of_it);
    CASE("marks", marks_of_transactions_are_no_lag);
    CASE("downstream", a_group_that_stops_reading_the_scores_stands_and_the_other_does_not,
         a_group_that_may_not_be_asked_about_is_said_once);
}
