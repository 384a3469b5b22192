/* What whoever is paged reads while kscore waits, in both modes: what is missing, by name, once;
 * that it is over, and how long it took. Nothing is lost, nothing is there twice, no partition is
 * given up meanwhile. */
#include <stdio.h>
#include <string.h>

#include "tests/broker/child.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { PARTITIONS = 2 };

/* As docs/security.md lists them: who may not write does not see the topic either. */
static void take_write(struct cluster *c)
{
    cluster_forbid(c, RD_KAFKA_RESOURCE_TOPIC, c->scores, RD_KAFKA_ACL_OPERATION_DESCRIBE);
    cluster_forbid(c, RD_KAFKA_RESOURCE_TOPIC, c->scores, RD_KAFKA_ACL_OPERATION_WRITE);
}

static void give_write(struct cluster *c)
{
    cluster_allow(c, RD_KAFKA_RESOURCE_TOPIC, c->scores, RD_KAFKA_ACL_OPERATION_WRITE);
}

START_TEST(a_trouble_is_named_once_and_its_end_is_told)
{
    static const char *const modes[][4] = {
        {"kscore.delivery=at_least_once", NULL},
        {"kscore.delivery=exactly_once", "kscore.transaction_ms=100", "kscore.instance=a", NULL}};
    static const int64_t floor[CLUSTER_MAX_PARTITIONS];
    bool is_exact = _i;
    struct cluster c;
    struct child k;
    char waits[300];

    cluster_open(&c, PARTITIONS);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    cluster_allow(&c, (rd_kafka_ResourceType_t)CLUSTER_TRANSACTIONAL_ID, c.group,
                  RD_KAFKA_ACL_OPERATION_WRITE);
    child_start(&k, &c, modes[is_exact]);
    cluster_send_events(&c, 100);
    cluster_wait_no_lag(&c);
    snprintf(waits, sizeof waits,
             "event=waiting for=kafka topic %s: Broker: Topic authorization failed: allow WRITE to "
             "User:kscore\n",
             c.scores);
    take_write(&c);
    child_send_until(&k, &c, waits);
    ck_assert_int_eq(child_count(&k, "event=recovered"), 0);
    give_write(&c);
    ck_assert_int_gt(child_number(child_wait_line(&k, "event=recovered", 1), "waited_ms"), 0);
    cluster_wait_no_lag(&c);
    ck_assert_int_eq(child_count(&k, "event=revoked"), 0);
    ck_assert_int_eq(child_count(&k, "Erroneous state"), 0);
    child_stop(&k);
    expect_outcomes(&c, is_exact ? NULL : &(struct account){.floor = floor});
    ck_assert_int_eq(child_count(&k, waits), 1);
    ck_assert_int_eq(child_count(&k, "event=recovered"), 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(words)
{
    TCase *tcase = harness_case(suite, "waiting", NULL, 0);

    tcase_add_loop_test(tcase, a_trouble_is_named_once_and_its_end_is_told, 0, 2);
    tcase_set_timeout(tcase, 60 * harness_slowness());
}
