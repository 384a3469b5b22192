/* What is not there is waited for, without losing a record or the place in the group. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

START_TEST(brokers_that_are_down_at_the_start_are_waited_for)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    mock_produce_json(&m, 0, 0, 10);
    mock_set_down(&m);
    mock_run(&m);
    mock_wait_log(&m, "event=waiting", 1);
    ck_assert_int_eq(atomic_load(&m.progress.ready_workers), 0);
    mock_set_up(&m);
    mock_wait_outcomes(&m, 10);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    mock_end(&m);
}
END_TEST

/* No record has come yet: nothing is owed, and nothing is wrong. */
START_TEST(brokers_that_were_down_at_the_start_are_not_complained_of_later)
{
    int64_t until_ms;
    struct mock m;

    mock_start(&m, NULL, _i ? "delivery = exactly_once\ninstance = a" : NULL);
    mock_set_down(&m);
    mock_run(&m);
    mock_wait_log(&m, "event=waiting", 1);
    mock_set_up(&m);
    mock_wait_ready(&m);
    until_ms = clock_ms() + 6000;
    while (clock_ms() < until_ms) {
        ck_assert_int_eq(mock_log_count(&m, "nothing is acknowledged"), 0);
        harness_breathe();
    }
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    mock_end(&m);
}
END_TEST

START_TEST(a_coordinator_of_transactions_that_is_not_ready_is_waited_for_in_words)
{
    struct mock m;

    mock_start(&m, NULL, "delivery = exactly_once\ninstance = a");
    rd_kafka_mock_coordinator_set(m.cluster, "transaction", "test-a-0", MOCK_OUTPUT);
    for (int i = 0; i < 200; i++)
        mock_refuse(&m, MOCK_OUTPUT, MOCK_INIT_PRODUCER_ID,
                    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    mock_run(&m);
    mock_wait_log(&m, "event=waiting for=kafka preparing transactions: ", 1);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    mock_end(&m);
}
END_TEST

/* By whatever librdkafka waits for: here the coordinator says for ever that it is not ready. */
START_TEST(an_abort_that_does_not_end_costs_the_producer_and_not_the_stream)
{
    enum { TRIES = 2000 };
    rd_kafka_resp_err_t codes[TRIES];
    struct mock m;

    for (int i = 0; i < TRIES; i++)
        codes[i] = RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    mock_start(&m, NULL, "delivery = exactly_once\ninstance = a\ntransaction_ms = 100");
    mock_run(&m);
    mock_produce_json(&m, 0, 0, 10);
    mock_wait_outcomes(&m, 10);
    rd_kafka_mock_push_request_errors_array(m.cluster, MOCK_END_TXN, TRIES, codes);
    mock_refuse(&m, MOCK_OUTPUT, MOCK_PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    mock_produce_json(&m, 0, 10, 20);
    mock_wait_log(&m, "its transaction is lost: a new one is in its place", 1);
    rd_kafka_mock_clear_request_errors(m.cluster, MOCK_END_TXN);
    mock_wait_outcomes(&m, 20);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    mock_end(&m);
}
END_TEST

/* Both brokers go in the middle of a stream; the requests under way fail on the wire. */
START_TEST(brokers_that_go_for_a_while_are_waited_for)
{
    struct mock m;

    mock_start(&m, NULL, "batch_rows = 20");
    mock_run(&m);
    mock_produce_json(&m, 0, 0, 500);
    mock_wait_outcomes(&m, 100);
    mock_set_down(&m);
    mock_wait_log(&m, "_ALL_BROKERS_DOWN", 1);            /* the producer */
    mock_wait_log(&m, "for=kafka no broker is there", 1); /* the consumer */
    mock_set_up(&m);
    mock_produce_json(&m, 1, 500, 1000);
    mock_wait_outcomes(&m, 1000);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.dead, 0);
    mock_expect_outcomes(&m, 1000);
    ck_assert_int_eq(mock_committed(&m, 0), 500);
    ck_assert_int_eq(mock_committed(&m, 1), 500);
    mock_end(&m);
}
END_TEST

/* Nothing new comes: the same offset is tried again. */
START_TEST(a_commit_that_fails_is_tried_again)
{
    struct mock m;
    int64_t until = harness_deadline();

    mock_start(&m, NULL, NULL);
    mock_run(&m);
    mock_wait_ready(&m);
    mock_refuse(&m, MOCK_INPUT, MOCK_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    mock_produce_json(&m, 0, 0, 10);
    mock_wait_log(&m, "event=commit_failed", 1);
    while (mock_committed(&m, 0) < 10)
        ck_assert_msg(clock_ms() < until, "committed: %lld", (long long)mock_committed(&m, 0));
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.returned, 0);
    mock_end(&m);
}
END_TEST

/* Longer than max.poll.interval.ms, which only polling keeps from running out. */
START_TEST(a_full_ring_pauses_stays_in_the_group_and_repeats_nothing)
{
    struct mock m;
    int64_t until_ms;

    mock_start(&m, "max.poll.interval.ms = 6000", "batch_rows = 1");
    mock_produce_json(&m, 0, 0, 1); /* all clients know the topics before it gets slow */
    mock_run(&m);
    mock_wait_outcomes(&m, 1);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 8000);
    mock_produce_json(&m, 0, 1, 600);
    mock_wait_log(&m, "event=full in_flight=256 ", 1);
    ck_assert_uint_le(m.progress.consumed, 258);
    until_ms = clock_ms() + 7000;
    while (clock_ms() < until_ms) {
        ck_assert_uint_le(m.progress.consumed, 258);
        harness_breathe();
    }
    mock_wait_log(&m, "event=waiting for=kafka ", 1);
    ck_assert_int_eq(mock_log_count(&m, "event=recovered"), 0);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 0);
    mock_wait_outcomes(&m, 600);
    mock_wait_log(&m, "event=recovered for=kafka waited_ms=", 1);
    ck_assert_int_eq(mock_log_count(&m, "event=revoked"), 0);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, 600);
    ck_assert_uint_eq(m.summary.returned, 0);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 600), 0);
    mock_expect_order(&m);
    mock_end(&m);
}
END_TEST

enum { EVENTS = 50000 };

/* The producer's queue takes 8 MiB: a batch that does not fit is half sent. */
static void fill_queue(struct mock *m)
{
    mock_start(m, NULL, "memory_mib = 64\ndrain_ms = 1000");
    mock_produce_json(m, 0, 0, 1);
    mock_run(m);
    mock_wait_outcomes(m, 1);
    rd_kafka_mock_broker_set_rtt(m->cluster, MOCK_OUTPUT, 4000);
    mock_produce_json(m, 0, 1, EVENTS);
    mock_wait_log(m, "event=full", 1);
}

START_TEST(a_batch_that_is_half_sent_is_sent_to_its_end_before_a_rebalance)
{
    struct mock m;

    fill_queue(&m);
    mock_refuse(&m, MOCK_INPUT, MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
    mock_wait_log(&m, "event=revoked", 1);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 0);
    mock_wait_outcomes(&m, EVENTS);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(mock_expect_outcomes(&m, EVENTS), 0);
    mock_end(&m);
}
END_TEST

START_TEST(a_stop_while_the_queue_is_full_ends_in_time_and_commits_nothing_unfinished)
{
    enum { STOP_MS = 1000 + 5000 }; /* drain_ms, and what a stop takes beyond it */
    int64_t start_ms;
    struct mock m;

    fill_queue(&m);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 60000);
    start_ms = clock_ms();
    mock_stop(&m);
    ck_assert_int_le(clock_ms() - start_ms, (int64_t)(STOP_MS * harness_slowness()));
    ck_assert_int_eq(m.err.exit_code, EXIT_AGAIN);
    ck_assert_uint_gt(m.summary.in_flight, 0);
    ck_assert_int_le(mock_committed(&m, 0), (int64_t)(m.summary.scored));
    mock_end(&m);
}
END_TEST

SUITE(waiting)
{
    TCase *tcase = CASE("brokers", brokers_that_are_down_at_the_start_are_waited_for,
                        brokers_that_go_for_a_while_are_waited_for,
                        a_coordinator_of_transactions_that_is_not_ready_is_waited_for_in_words);

    tcase_add_loop_test(tcase, brokers_that_were_down_at_the_start_are_not_complained_of_later, 0,
                        2);
    CASE("full", a_full_ring_pauses_stays_in_the_group_and_repeats_nothing,
         a_batch_that_is_half_sent_is_sent_to_its_end_before_a_rebalance,
         a_stop_while_the_queue_is_full_ends_in_time_and_commits_nothing_unfinished);
    CASE("commit", a_commit_that_fails_is_tried_again);
    CASE("abort", an_abort_that_does_not_end_costs_the_producer_and_not_the_stream);
}
