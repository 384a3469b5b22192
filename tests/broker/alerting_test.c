/* [alerts] on a real broker: what readers of the topic find, and what becomes of a record whose
 * alert cannot be had. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { PARTITIONS = 2 };

static void expect_same(const rd_kafka_message_t *a, const rd_kafka_message_t *b)
{
    rd_kafka_timestamp_type_t type;

    ck_assert_uint_eq(a->len, b->len);
    ck_assert_mem_eq(a->payload, b->payload, b->len);
    ck_assert_uint_eq(a->key_len, b->key_len);
    if (b->key_len)
        ck_assert_mem_eq(a->key, b->key, b->key_len);
    ck_assert_int_eq(rd_kafka_message_timestamp(a, &type), rd_kafka_message_timestamp(b, &type));
    ck_assert_int_eq(a->partition, b->partition);
}

START_TEST(alerts_are_read_back_equal_to_their_scores)
{
    struct cluster c;
    struct child k, t;
    struct dump scores, alerts;
    const char *last;
    size_t at = 0;

    cluster_open(&c, PARTITIONS);
    cluster_add_alerts(&c, "");
    cluster_send_events(&c, 60);
    rd_kafka_producev(c.producer, RD_KAFKA_V_RKT(c.topic), RD_KAFKA_V_PARTITION(0),
                      RD_KAFKA_V_KEY("k", 1), RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7),
                      RD_KAFKA_V_TIMESTAMP(1000000000000),
                      RD_KAFKA_V_HEADER("traceparent", "00-ab", 5), RD_KAFKA_V_END);
    cluster_flush(c.producer);
    child_run(&k, &c, "producer.headers=traceparent");
    cluster_wait_outcomes(&c, 61);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "scored"), 61);
    ck_assert_int_eq(child_number(last, "alerts"), 41);
    ck_assert_int_eq(child_number(last, "alerts_stale"), 0);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    dump_load(&scores, &c, c.scores);
    dump_load(&alerts, &c, c.alerts);
    ck_assert_uint_eq(alerts.count, 41);
    for (size_t i = 0; i < scores.count; i++) {
        const rd_kafka_message_t *m = scores.items[i];
        const char *trace = dump_header(m, "traceparent");
        if (!memmem(m->payload, m->len, "\"high\"", 6))
            continue;
        expect_same(alerts.items[at], m);
        if (trace)
            ck_assert_str_eq(dump_header(alerts.items[at], "traceparent"), trace);
        at++;
    }
    ck_assert_uint_eq(at, 41);
    dump_release(&scores);
    dump_release(&alerts);
    child_exec(&t, c.folder,
               (const char *[]){"tail", "-c", c.config, "alerts", "--from", "earliest", NULL});
    child_expect_exit(&t, 0);
    ck_assert_int_eq(child_count(&t, " 0.622459 high tiny 1 <- "), 41);
    child_release(&t);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

static const char *const waits[] = {"max_age_ms = 3600000", "max_age_ms = 31536000000"};

/* The record's own time: half a day ago. */
START_TEST(an_old_record_wakes_nobody_when_alerts_have_an_age)
{
    int64_t old_ms = clock_wall_ms() - 12 * 3600 * 1000;
    struct cluster c;
    struct child k;
    struct dump alerts;
    const char *last;

    cluster_open(&c, 1);
    cluster_add_alerts(&c, waits[_i]);
    ck_assert(!rd_kafka_producev(c.producer, RD_KAFKA_V_RKT(c.topic), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7),
                                 RD_KAFKA_V_TIMESTAMP(old_ms), RD_KAFKA_V_END));
    cluster_send_events(&c, 3);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 4);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "alerts"), _i ? 3 : 2);
    ck_assert_int_eq(child_number(last, "alerts_stale"), _i ? 0 : 1);
    dump_load(&alerts, &c, c.alerts);
    ck_assert_uint_eq(alerts.count, _i ? 3 : 2);
    dump_release(&alerts);
    ck_assert_int_eq(child_count(&k, "event=stale_alert"), _i ? 0 : 1);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_score_that_is_too_large_for_the_alerts_is_dead_and_nowhere_else)
{
    struct cluster c;
    struct child k;
    struct dump dead;
    const char *last;
    char low[3000], high[3000];

    cluster_open(&c, 1);
    cluster_add_alerts(&c, "");
    cluster_configure(&c, c.alerts, "max.message.bytes", "2000");
    snprintf(low, sizeof low, "{\"x\":0,\"note\":\"%02500d\"}", 0);
    snprintf(high, sizeof high, "{\"x\":1,\"note\":\"%02500d\"}", 0);
    cluster_send(&c, 0, "low", low, strlen(low));
    cluster_send(&c, 0, "high", high, strlen(high));
    cluster_send(&c, 0, "short", "{\"x\":1}", 7);
    cluster_flush(c.producer);
    child_run(&k, &c, "producer.carry=note");
    cluster_wait_outcomes(&c, 3);
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "dead"), 1);
    ck_assert_int_eq(child_number(last, "alerts"), 1);
    ck_assert_int_eq(child_number(last, "rewinds"), 0);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    dump_load(&dead, &c, c.dead);
    ck_assert_str_eq(dump_header(dead.items[0], "__connect.errors.offset"), "1");
    ck_assert_str_eq(dump_header(dead.items[0], "__connect.errors.stage"), "encode");
    ck_assert_str_eq(dump_header(dead.items[0], "__connect.errors.exception.class.name"),
                     "too_large");
    dump_release(&dead);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Fails unless every high record has an alert, and one that comes twice is the same. */
static void expect_alerts(struct cluster *c)
{
    struct dump in, alerts;
    struct origin origin;
    const rd_kafka_message_t *seen[PARTITIONS][10000] = {0};

    dump_load(&in, c, c->in);
    dump_load(&alerts, c, c->alerts);
    for (size_t i = 0; i < alerts.count; i++) {
        origin_of_score(&origin, alerts.items[i]);
        ck_assert_int_lt(origin.offset, 10000);
        if (seen[origin.partition][origin.offset])
            expect_same(alerts.items[i], seen[origin.partition][origin.offset]);
        seen[origin.partition][origin.offset] = alerts.items[i];
    }
    for (size_t i = 0; i < in.count; i++) {
        const rd_kafka_message_t *m = in.items[i];
        bool is_high = strncmp(m->payload, "{\"x\":0", 6) != 0;
        ck_assert_msg((seen[m->partition][m->offset] != NULL) == is_high, "%.*s at [%d]@%lld",
                      (int)m->len, (char *)m->payload, m->partition, (long long)m->offset);
    }
    dump_release(&in);
    dump_release(&alerts);
}

START_TEST(a_crash_loses_no_alert)
{
    enum { KILLS = 3 };
    static const int64_t floor[PARTITIONS];
    struct cluster c;
    struct child k;

    cluster_open(&c, PARTITIONS);
    cluster_add_alerts(&c, "");
    for (int i = 1; i <= KILLS; i++) {
        int64_t end = 0, until = harness_deadline();
        child_run(&k, &c, "kscore.instance=a", "kscore.commit_ms=300");
        for (; end < 300 * i; harness_breathe()) { /* alerts are on their way when it is killed */
            ck_assert_int_lt(clock_ms(), until);
            cluster_send_events(&c, 100);
            end = cluster_end(&c, c.alerts, 0);
        }
        child_kill(&k);
    }
    child_run(&k, &c, "kscore.instance=a", "kscore.commit_ms=300");
    while (cluster_committed(&c, 0) + cluster_committed(&c, 1) < c.event_count)
        harness_breathe();
    child_stop(&k);
    expect_outcomes(&c, &(struct account){.floor = floor});
    expect_alerts(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_permission_to_alert_that_goes_and_comes_back_is_waited_for)
{
    static const int64_t floor[PARTITIONS];
    int64_t until = harness_deadline();
    struct cluster c;
    struct child k;
    const char *last;

    cluster_open(&c, PARTITIONS);
    cluster_use_password(&c, "kscore");
    cluster_add_alerts(&c, "");
    cluster_allow_all_but(&c, -1);
    child_run(&k, &c);
    cluster_send_events(&c, 100);
    cluster_wait_outcomes(&c, 100);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.alerts, RD_KAFKA_ACL_OPERATION_WRITE);
    for (; child_count(&k, "Topic authorization failed") == 0; harness_breathe()) {
        ck_assert_int_lt(clock_ms(), until);
        cluster_send_events(&c, 20);
    }
    if (!cluster_is_exactly_once()) /* the transaction fails, and librdkafka says for which topic */
        ck_assert_int_ge(child_count(&k, ".alerts: Broker: Topic authorization failed"), 1);
    ck_assert_int_lt(cluster_committed(&c, 0) + cluster_committed(&c, 1), c.event_count);
    cluster_allow_all_but(&c, -1);
    while (cluster_committed(&c, 0) + cluster_committed(&c, 1) < c.event_count)
        harness_breathe();
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "dead"), 0);
    ck_assert_int_eq(child_number(last, "scored"), c.event_count);
    expect_outcomes(&c, &(struct account){.floor = floor});
    expect_alerts(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_limit_of_the_alerts_that_is_lowered_is_read_anew_and_kills_no_record)
{
    static const int64_t floor[PARTITIONS];
    struct cluster c;
    struct child k;
    const char *last;

    cluster_open(&c, PARTITIONS);
    cluster_add_alerts(&c, "");
    child_run(&k, &c);
    cluster_send_events(&c, 100);
    cluster_wait_outcomes(&c, 100);
    cluster_configure(&c, c.alerts, "max.message.bytes", "2000");
    cluster_send_events(&c, 3000);
    while (cluster_committed(&c, 0) + cluster_committed(&c, 1) < 3100)
        harness_breathe();
    last = child_stop(&k);
    ck_assert_int_eq(child_number(last, "scored"), 3100);
    ck_assert_int_ge(child_number(last, "rewinds"), 1);
    ck_assert_int_le(child_number(last, "rewinds"), 3);
    expect_outcomes(&c, &(struct account){.floor = floor});
    expect_alerts(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_decision_that_the_bundle_does_not_name_is_78)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_add_alerts(&c, "");
    child_run(&k, &c, "alerts.decisions=hihg");
    child_expect_exit(&k, 78);
    child_wait_line(
        &k, "hihg is no decision of model tiny, which has low, high; did you mean high?", 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(alerting)
{
    TCase *tcase = CASE("values", alerts_are_read_back_equal_to_their_scores,
                        a_score_that_is_too_large_for_the_alerts_is_dead_and_nowhere_else,
                        a_decision_that_the_bundle_does_not_name_is_78);

    tcase_add_loop_test(tcase, an_old_record_wakes_nobody_when_alerts_have_an_age, 0, 2);
    CASE("crash", a_crash_loses_no_alert);
    CASE("outage", a_permission_to_alert_that_goes_and_comes_back_is_waited_for,
         a_limit_of_the_alerts_that_is_lowered_is_read_anew_and_kills_no_record);
}
