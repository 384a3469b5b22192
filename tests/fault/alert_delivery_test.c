/* Alerts with faults injected into the mock cluster: a record waits for its score and its alert,
 * and nothing is half done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

enum {
    DENIED = RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    REFUSED = RD_KAFKA_RESP_ERR_INVALID_RECORD
};

#define ALERTS "[alerts]\ntopic = alerts\ndecisions = high\n"

/* Events 3i are low, the two behind each are high. */
static bool is_high(const struct seen *score)
{
    return strstr(score->value, "\"decision\":\"high\"") != NULL;
}

static void stop(struct mock *m)
{
    mock_stop(m);
    ck_assert_msg(m->result == 0, "%s", m->err.text);
}

/* Waits until a topic holds so many records. */
static void wait_end(struct mock *m, const char *topic, int64_t count)
{
    int64_t until = harness_deadline(), low, high;

    for (int64_t sum = 0; sum < count; harness_breathe()) {
        ck_assert_msg(clock_ms() < until, "%s: %lld records in time", topic, (long long)sum);
        sum = 0;
        for (int32_t i = 0; i < MOCK_PARTITIONS; i++) {
            ck_assert(!rd_kafka_query_watermark_offsets(m->client, topic, i, &low, &high, 10000));
            sum += high;
        }
    }
}

/* Each high score has an equal alert, as often as the score is there; and nothing else has one.
 * Returns how many alerts there are. */
static size_t expect_equal(struct mock *m)
{
    struct seen *scores, *alerts;
    size_t score_count = mock_read(m, "scores", &scores), high_count = 0;
    size_t alert_count = mock_read(m, "alerts", &alerts);

    for (size_t i = 0; i < score_count; i++) {
        size_t k = 0;
        high_count += is_high(&scores[i]);
        while (k < alert_count && strcmp(alerts[k].source, scores[i].source) != 0)
            k++;
        ck_assert_msg(is_high(&scores[i]) == (k < alert_count), "%s", scores[i].source);
        ck_assert(k == alert_count || (strcmp(alerts[k].value, scores[i].value) == 0 &&
                                       strcmp(alerts[k].key, scores[i].key) == 0 &&
                                       alerts[k].partition == scores[i].partition));
    }
    ck_assert_uint_ge(alert_count, 1);
    ck_assert_msg(m->summary.returned > 0 || alert_count == high_count, "%zu alerts, %zu are high",
                  alert_count, high_count);
    free(scores);
    free(alerts);
    return alert_count;
}

START_TEST(a_score_with_a_named_decision_is_an_alert_too)
{
    struct mock m;

    mock_start(&m, NULL, ALERTS);
    mock_produce_json(&m, 0, 0, 30);
    mock_run(&m);
    mock_wait_outcomes(&m, 30);
    stop(&m);
    ck_assert_uint_eq(m.summary.scored, 30);
    ck_assert_uint_eq(m.summary.alerts, 20);
    ck_assert_uint_eq(m.summary.stale_alerts, 0);
    ck_assert_uint_eq(expect_equal(&m), 20);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 30), 0);
    ck_assert_int_eq(mock_committed(&m, 0), 30);
    mock_end(&m);
}
END_TEST

/* The scores are there; their alerts are on their way to a broker that does not answer. */
START_TEST(no_offset_is_committed_before_the_alert_is_acknowledged)
{
    struct mock m;

    mock_start(&m, NULL, ALERTS);
    mock_produce_json(&m, 0, 0, 3);
    mock_run(&m);
    mock_wait_outcomes(&m, 3);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_ALERTS, 60000);
    mock_produce_json(&m, 0, 3, 6);
    wait_end(&m, "scores", 6);
    ck_assert_uint_eq(m.progress.scored, 3);
    ck_assert_int_le(mock_committed(&m, 0), 3);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_ALERTS, 0);
    mock_wait_outcomes(&m, 6);
    stop(&m);
    ck_assert_uint_eq(m.summary.returned, 0);
    ck_assert_int_eq(mock_committed(&m, 0), 6);
    ck_assert_uint_eq(expect_equal(&m), 4);
    mock_end(&m);
}
END_TEST

START_TEST(an_alert_that_fails_gives_its_record_back_and_both_are_sent_again)
{
    struct mock m;

    mock_start(&m, NULL, "batch_rows = 20\n" ALERTS);
    mock_produce_keys(&m, 0, 300, 10);
    mock_refuse(&m, MOCK_ALERTS, MOCK_PRODUCE, DENIED);
    mock_run(&m);
    mock_wait_outcomes(&m, 300);
    mock_refuse(&m, MOCK_ALERTS, MOCK_PRODUCE, DENIED);
    mock_produce_keys(&m, 0, 300, 10);
    mock_wait_outcomes(&m, 600);
    stop(&m);
    ck_assert_int_ge(mock_log_count(&m, "event=delivery_failed topic alerts: "), 1);
    ck_assert_uint_ge(m.summary.rewinds, 2);
    ck_assert_uint_eq(m.summary.scored, 600);
    ck_assert_uint_eq(m.summary.alerts, 600);
    ck_assert_uint_eq(m.summary.dead, 0);
    expect_equal(&m);
    mock_expect_outcomes(&m, 600);
    mock_expect_order(&m);
    ck_assert_int_eq(mock_committed(&m, 0), 600);
    mock_end(&m);
}
END_TEST

/* Refused in company, then alone. Its score is in its topic from the passes before: at least once.
 */
START_TEST(a_record_whose_alert_is_refused_becomes_a_dead_letter)
{
    struct mock m;
    struct seen *dead, *seen;

    mock_start(&m, NULL, ALERTS);
    mock_produce_json(&m, 1, 1, 2);
    mock_refuse(&m, MOCK_ALERTS, MOCK_PRODUCE, REFUSED, REFUSED);
    mock_run(&m);
    mock_wait_outcomes(&m, 1);
    stop(&m);
    ck_assert_uint_eq(m.summary.dead, 1);
    ck_assert_uint_eq(m.summary.scored + m.summary.alerts, 0);
    ck_assert_uint_eq(mock_read(&m, "dead", &dead), 1);
    ck_assert_str_eq(dead[0].reason, "refused");
    ck_assert_str_eq(dead[0].source, "in-1-0");
    free(dead);
    ck_assert_uint_eq(mock_read(&m, "scores", &seen), 2);
    free(seen);
    ck_assert_uint_eq(mock_read(&m, "alerts", &seen), 0);
    free(seen);
    ck_assert_int_eq(mock_log_count(&m, "reason=refused topic alerts: "), 1);
    ck_assert_int_eq(mock_committed(&m, 1), 1);
    mock_end(&m);
}
END_TEST

/* The client's queue takes 8 MiB: 105 records of the first size, so that it is full between a score
 * and its alert, and 102 of the second. */
static const size_t notes[] = {79000, 81000};

START_TEST(a_queue_that_is_full_between_score_and_alert_doubles_neither)
{
    enum { COUNT = 60 };
    char *value = malloc(notes[_i]);
    struct seen *seen;
    struct mock m;

    memset(value, 'a', notes[_i]);
    memcpy(value, "{\"x\":1,\"note\":\"", 15);
    memcpy(value + notes[_i] - 2, "\"}", 2);
    mock_start(&m, NULL, "memory_mib = 64\n" ALERTS "[producer]\ncarry = note\n");
    mock_produce_json(&m, 0, 0, 1); /* the client knows the topics before it gets slow */
    mock_run(&m);
    mock_wait_outcomes(&m, 1);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 2000);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_ALERTS, 2000);
    for (int i = 0; i < COUNT; i++)
        mock_produce(&m, 0, "k", value, notes[_i]);
    mock_wait_log(&m, "event=full", 1);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 0);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_ALERTS, 0);
    mock_wait_outcomes(&m, 1 + COUNT);
    stop(&m);
    ck_assert_uint_eq(m.summary.rewinds, 0);
    ck_assert_uint_eq(m.summary.alerts, COUNT);
    ck_assert_uint_eq(mock_read(&m, "scores", &seen), 1 + COUNT);
    free(seen);
    ck_assert_uint_eq(mock_read(&m, "alerts", &seen), COUNT);
    free(seen);
    mock_end(&m);
    free(value);
}
END_TEST

START_TEST(an_alert_that_is_too_old_is_withheld_and_counted_and_its_score_is_not)
{
    enum { OLD = 12, YOUNG = 4 };
    char value[100];
    struct mock m;
    struct seen *alerts;

    mock_start(&m, "event_time = t", ALERTS "max_age_ms = 60000\n");
    for (int i = 0; i < OLD + YOUNG; i++) {
        int64_t time_ms = clock_wall_ms() - (i < OLD ? 90000 : 0);
        snprintf(value, sizeof value, "{\"x\":1,\"t\":%lld}", (long long)time_ms);
        mock_produce(&m, 0, "k", value, strlen(value));
    }
    mock_produce(&m, 0, "low", "{\"x\":0,\"t\":1}", 13);
    mock_run(&m);
    mock_wait_outcomes(&m, OLD + YOUNG + 1);
    stop(&m);
    ck_assert_uint_eq(m.summary.scored, OLD + YOUNG + 1);
    ck_assert_uint_eq(m.summary.alerts, YOUNG);
    ck_assert_uint_eq(m.summary.stale_alerts, OLD);
    ck_assert_uint_eq(mock_read(&m, "alerts", &alerts), YOUNG);
    for (size_t i = 0; i < YOUNG; i++)
        ck_assert_int_ge(atoi(strrchr(alerts[i].source, '-') + 1), OLD);
    free(alerts);
    ck_assert_uint_eq(mock_expect_outcomes(&m, OLD + YOUNG + 1), 0);
    ck_assert_int_eq(mock_log_count(&m, "event=stale_alert"), 2); /* the 1st and the 10th */
    mock_end(&m);
}
END_TEST

SUITE(alert_delivery)
{
    TCase *loop = harness_case(suite, "full", NULL, 0);

    tcase_add_loop_test(loop, a_queue_that_is_full_between_score_and_alert_doubles_neither, 0, 2);
    CASE("both", a_score_with_a_named_decision_is_an_alert_too,
         no_offset_is_committed_before_the_alert_is_acknowledged,
         an_alert_that_fails_gives_its_record_back_and_both_are_sent_again);
    CASE("refused", a_record_whose_alert_is_refused_becomes_a_dead_letter);
    CASE("age", an_alert_that_is_too_old_is_withheld_and_counted_and_its_score_is_not);
}
