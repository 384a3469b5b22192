/* Who gets which partition: kinds of assignment, and cooperative rebalances, in which a partition
 * that stays goes on as if nothing had been. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/events.h"
#include "tests/harness.h"

enum { PARTITIONS = 4, BEFORE = 400, AFTER = 400 };

/* ---- kinds do not mix */

START_TEST(a_member_that_assigns_otherwise_than_its_group_ends_with_78_and_says_so)
{
    struct cluster c;
    struct child member, k;

    cluster_open(&c, 1);
    child_run(&member, &c, "consumer.partition.assignment.strategy=range");
    child_wait_line(&member, "event=ready", 1);
    child_run(&k, &c, "consumer.partition.assignment.strategy=roundrobin");
    child_expect_exit(&k, 78);
    child_wait_line(&k, "its members do not assign by roundrobin, and kinds cannot mix", 1);
    child_release(&k);
    cluster_send_events(&c, 50);
    cluster_wait_outcomes(&c, 50);
    child_stop(&member);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    child_release(&member);
    cluster_close(&c);
}
END_TEST

START_TEST(a_member_that_finds_its_group_changed_waits_until_it_is_changed_back)
{
    int64_t until = harness_deadline();
    struct cluster c;
    struct child k, other;

    cluster_open(&c, 1);
    child_run(&k, &c, "consumer.session.timeout.ms=1500");
    child_wait_line(&k, "event=ready", 1);
    child_signal(&k, SIGSTOP);
    do { /* until k's session has run out */
        ck_assert_msg(clock_ms() < until, "the other one was not let in in time");
        child_run(&other, &c, "consumer.partition.assignment.strategy=roundrobin");
        while (child_is_running(&other) && child_count(&other, "event=ready") == 0)
            harness_breathe();
    } while (!child_is_running(&other));
    child_signal(&k, SIGCONT);
    child_wait_line(&k, "event=waiting for=kafka group", 1);
    child_stop(&other);
    cluster_send_events(&c, 50);
    cluster_wait_outcomes(&c, 50);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    child_release(&k);
    child_release(&other);
    cluster_close(&c);
}
END_TEST

/* ---- cooperative */

/* All that was sent before is finished: the client was told the ends, and knows no position. */
START_TEST(what_stays_is_neither_given_up_nor_read_twice)
{
    const char *last;
    struct cluster c;
    struct child a, b;

    cluster_open(&c, PARTITIONS);
    child_run(&a, &c);
    cluster_send_events(&c, BEFORE);
    cluster_wait_outcomes(&c, BEFORE);
    child_run(&b, &c);
    child_wait_line(&b, "owned=2", 1);
    child_wait_line(&a, "event=revoked", 1);
    ck_assert_int_eq(child_count(&a, "partitions=2 owned=2"), 1);
    cluster_send_events(&c, AFTER);
    cluster_wait_outcomes(&c, BEFORE + AFTER);
    child_stop(&b);
    child_wait_line(&a, "partitions=2 owned=4", 1);
    cluster_send_events(&c, AFTER);
    cluster_wait_outcomes(&c, BEFORE + 2 * AFTER);
    last = child_stop(&a);
    ck_assert_int_eq(child_count(&a, "event=revoked"), 2); /* the other is its own end */
    ck_assert_int_eq(child_number(last, "returned"), 0);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&a);
    child_release(&b);
    cluster_close(&c);
}
END_TEST

/* Partitions in a line of event=assigned may have several outcomes from `floor` on, others not. */
static void allow_repeats(const struct cluster *c, const char *assigned, int64_t *floor)
{
    char name[100];

    for (int32_t i = 0; i < c->partitions; i++) {
        snprintf(name, sizeof name, " %s[%d]@", c->in, i);
        if (!strstr(assigned, name))
            floor[i] = INT64_MAX;
    }
}

START_TEST(of_a_member_that_dies_only_its_own_partitions_are_repeated)
{
    int64_t floor[PARTITIONS];
    struct cluster c;
    struct child a, b;

    cluster_open(&c, PARTITIONS);
    child_run(&a, &c, "kscore.commit_ms=300");
    child_wait_line(&a, "owned=4", 1);
    child_run(&b, &c, "kscore.commit_ms=300");
    child_wait_line(&b, "owned=2", 1);
    cluster_send_events(&c, 5000);
    child_signal(&b, SIGKILL);
    child_expect_exit(&b, 128 + SIGKILL);
    cluster_floor(&c, floor);
    allow_repeats(&c, child_wait_line(&b, "owned=2", 1), floor);
    cluster_send_events(&c, 500);
    child_wait_line(&a, "owned=4", 2);
    cluster_send_events(&c, 500);
    cluster_wait_no_lag(&c);
    child_stop(&a);
    expect_outcomes(&c, &(struct account){.floor = floor});
    child_release(&a);
    child_release(&b);
    cluster_close(&c);
}
END_TEST

#define AVRO "consumer.format=avro", "consumer.unknown_id_wait_ms=600000"

static void send_avro(struct cluster *c, int32_t partition, uint32_t schema_id)
{
    struct event event = {0};

    event_frame(&event, schema_id);
    event_double(&event, 1);
    event_text(&event, "hi");
    for (int i = 0; i < 10; i++)
        cluster_send(c, partition, "k", event.data, event.len);
    event_release(&event);
    cluster_flush(c->producer);
}

/* Three of four are parked: of those that stay and of those that go some are. */
START_TEST(what_is_parked_waits_through_a_rebalance_and_goes_on)
{
    char item[350], schema[350], later[350];
    struct cluster c;
    struct child a, b;

    cluster_open(&c, PARTITIONS);
    snprintf(item, sizeof item, "schemas.folder=%s/schemas", c.folder);
    snprintf(schema, sizeof schema, "%s/schemas/1.avsc", c.folder);
    snprintf(later, sizeof later, "%s/schemas/2.avsc", c.folder);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        send_avro(&c, i, 1);
        send_avro(&c, i, i > 0 ? 2 : 1);
    }
    child_run(&a, &c, AVRO, item);
    cluster_wait_outcomes(&c, 50);
    child_run(&b, &c, AVRO, item);
    child_wait_line(&b, "owned=2", 1);
    ck_assert_int_eq(cluster_outcome_count(&c), 50);
    ck_assert_int_eq(link(schema, later), 0);
    for (int32_t i = 0; i < PARTITIONS; i++)
        send_avro(&c, i, 1);
    cluster_wait_outcomes(&c, 120);
    child_finish_pair(&c, &a, &b);
}
END_TEST

START_TEST(cooperative_needs_a_newer_librdkafka)
{
    harness_skip("cooperative rebalances: librdkafka below 2.10");
}
END_TEST

SUITE(assignment)
{
    TCase *cooperative;

    CASE("kinds", a_member_that_assigns_otherwise_than_its_group_ends_with_78_and_says_so,
         a_member_that_finds_its_group_changed_waits_until_it_is_changed_back);
    if (rd_kafka_version() < KAFKA_COOPERATIVE_VERSION) {
        CASE("cooperative", cooperative_needs_a_newer_librdkafka);
        return;
    }
    cooperative = CASE("cooperative", what_stays_is_neither_given_up_nor_read_twice,
                       what_is_parked_waits_through_a_rebalance_and_goes_on);
    if (!cluster_is_exactly_once()) /* what is repeated; readers would wait for its transaction */
        tcase_add_test(cooperative, of_a_member_that_dies_only_its_own_partitions_are_repeated);
    tcase_add_checked_fixture(cooperative, cluster_be_cooperative, NULL);
}
