/* Delivery with faults injected into the mock cluster: nothing lost, and what is repeated is
 * repeated for a reason. */
#include <stdlib.h>
#include <string.h>

#include "tests/fault/mock.h"
#include "tests/harness.h"

enum { API_PRODUCE = 0 };

START_TEST(every_record_gets_one_outcome_and_its_offset_is_committed)
{
    static const char bad[] = "{\"x\":\"one\"}", half[] = "{\"x\":1";
    struct mock m;

    mock_start(&m, NULL, NULL);
    mock_produce_json(&m, 0, 0, 50);
    mock_produce_json(&m, 1, 50, 80);
    mock_produce(&m, 0, "bad", bad, strlen(bad));
    mock_produce(&m, 1, NULL, half, strlen(half));
    mock_produce(&m, 1, "gone", NULL, 0);
    rd_kafka_flush(m.client, 10000);
    mock_run(&m);
    mock_wait_outcomes(&m, 83);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, 80);
    ck_assert_uint_eq(m.summary.dead, 2);
    ck_assert_uint_eq(m.summary.skipped, 1);
    ck_assert_uint_eq(m.summary.returned, 0);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 82), 0);
    ck_assert_int_eq(mock_committed(&m, 0), 51);
    ck_assert_int_eq(mock_committed(&m, 1), 32);
    mock_end(&m);
}
END_TEST

START_TEST(a_failed_delivery_gives_everything_back_and_scores_it_again)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    mock_run(&m);
    mock_wait_ready(&m);
    rd_kafka_mock_push_request_errors(m.cluster, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    /* the test's own producer takes the pushed error if it sends first: it retries nothing, so send
     * events before */
    rd_kafka_mock_clear_request_errors(m.cluster, API_PRODUCE);
    mock_produce_json(&m, 0, 0, 100);
    mock_wait_outcomes(&m, 100);
    rd_kafka_mock_broker_set_rtt(m.cluster, 1, 300);
    mock_produce_json(&m, 1, 100, 200);
    rd_kafka_mock_push_request_errors(m.cluster, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    rd_kafka_mock_broker_set_rtt(m.cluster, 1, 0);
    mock_wait_outcomes(&m, 200);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_ge(m.summary.rewinds, 1);
    ck_assert_uint_ge(m.summary.returned, 1);
    mock_expect_outcomes(&m, 200);
    ck_assert_int_eq(mock_committed(&m, 1), 100);
    mock_end(&m);
}
END_TEST

START_TEST(a_record_that_the_broker_refuses_is_found_and_becomes_a_dead_letter)
{
    struct mock m;
    struct seen *dead;

    mock_start(&m, NULL, NULL);
    mock_produce_json(&m, 0, 0, 20);
    /* once for each output partition's batch, once for the first record sent alone */
    rd_kafka_mock_push_request_errors(m.cluster, API_PRODUCE, 3, RD_KAFKA_RESP_ERR_INVALID_RECORD,
                                      RD_KAFKA_RESP_ERR_INVALID_RECORD,
                                      RD_KAFKA_RESP_ERR_INVALID_RECORD);
    mock_run(&m);
    mock_wait_outcomes(&m, 20);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, 19);
    ck_assert_uint_eq(m.summary.dead, 1);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 20), 0);
    ck_assert_uint_eq(mock_read(&m, "dead", &dead), 1);
    ck_assert_str_eq(dead[0].reason, "refused");
    ck_assert_str_eq(dead[0].source, "in-0-0");
    free(dead);
    mock_end(&m);
}
END_TEST

START_TEST(brokers_that_are_down_at_the_start_are_waited_for)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    mock_produce_json(&m, 0, 0, 10);
    rd_kafka_mock_broker_set_down(m.cluster, 1);
    mock_run(&m);
    rd_kafka_poll(m.client, 1500);
    ck_assert_int_eq(atomic_load(&m.progress.is_ready), 0);
    rd_kafka_mock_broker_set_up(m.cluster, 1);
    mock_wait_outcomes(&m, 10);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    mock_end(&m);
}
END_TEST

START_TEST(a_slow_output_fills_the_ring_and_repeats_nothing)
{
    struct mock m;

    mock_start(&m, NULL, "batch_rows = 1");
    mock_produce_json(&m, 0, 0, 600);
    mock_run(&m);
    mock_wait_ready(&m);
    rd_kafka_mock_broker_set_rtt(m.cluster, 1, 700);
    rd_kafka_poll(m.client, 1000);
    rd_kafka_mock_broker_set_rtt(m.cluster, 1, 0);
    mock_wait_outcomes(&m, 600);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, 600);
    ck_assert_uint_eq(m.summary.returned, 0);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 600), 0);
    mock_end(&m);
}
END_TEST

START_TEST(a_stop_that_cannot_deliver_ends_in_time_with_75)
{
    struct mock m;

    mock_start(&m, NULL, "drain_ms = 1000");
    mock_run(&m);
    mock_wait_ready(&m);
    mock_produce_json(&m, 0, 0, 10);
    rd_kafka_mock_broker_set_rtt(m.cluster, 1, 4000);
    while (m.progress.consumed == 0 && rd_kafka_poll(m.client, 10) >= 0)
        if (m.progress.is_ready && m.progress.consumed == 0 && m.stop == 0)
            break;
    rd_kafka_mock_broker_set_down(m.cluster, 1);
    mock_stop(&m);
    ck_assert_int_eq(m.result, -1);
    ck_assert_int_eq(m.err.exit_code, EXIT_AGAIN);
    rd_kafka_mock_broker_set_rtt(m.cluster, 1, 0);
    rd_kafka_mock_broker_set_up(m.cluster, 1);
    mock_end(&m);
}
END_TEST

START_TEST(a_topic_that_is_missing_ends_the_start_with_78)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    rd_kafka_mock_topic_set_error(m.cluster, "dead", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    mock_run(&m);
    pthread_join(m.thread, NULL);
    m.is_running = false;
    ck_assert_int_eq(m.result, -1);
    ck_assert_int_eq(m.err.exit_code, EXIT_CONFIGURATION);
    ck_assert_msg(strstr(m.err.text, "dead") != NULL, "the topic's name in: %s", m.err.text);
    mock_end(&m);
}
END_TEST

START_TEST(a_topic_that_may_not_be_read_ends_the_start_with_77)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    rd_kafka_mock_topic_set_error(m.cluster, "in", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    mock_run(&m);
    pthread_join(m.thread, NULL);
    m.is_running = false;
    ck_assert_int_eq(m.err.exit_code, EXIT_DENIED);
    mock_end(&m);
}
END_TEST

SUITE(delivery)
{
    CASE("outcomes", every_record_gets_one_outcome_and_its_offset_is_committed);
    CASE("rewind", a_failed_delivery_gives_everything_back_and_scores_it_again,
         a_record_that_the_broker_refuses_is_found_and_becomes_a_dead_letter);
    CASE("waiting", brokers_that_are_down_at_the_start_are_waited_for,
         a_slow_output_fills_the_ring_and_repeats_nothing);
    CASE("stop", a_stop_that_cannot_deliver_ends_in_time_with_75);
    CASE("start", a_topic_that_is_missing_ends_the_start_with_78,
         a_topic_that_may_not_be_read_ends_the_start_with_77);
}
