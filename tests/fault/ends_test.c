/* How a run ends when it may not go on, or is told to stop and cannot finish. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

/* drain_ms, 5 s to commit and leave, and 5 s for each client's own end. */
START_TEST(a_stop_that_cannot_deliver_ends_in_time_with_75)
{
    struct mock m;
    int64_t start_ms;

    mock_start(&m, NULL, "drain_ms = 1000");
    mock_produce_json(&m, 0, 0, 1);
    mock_run(&m);
    mock_wait_outcomes(&m, 1);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 30000);
    mock_produce_json(&m, 0, 1, 11);
    mock_wait_consumed(&m, 11);
    if (_i == 1)
        mock_set_down(&m);
    start_ms = clock_ms();
    mock_stop(&m);
    ck_assert_int_eq(m.result, -1);
    ck_assert_int_eq(m.err.exit_code, EXIT_AGAIN);
    ck_assert_ptr_nonnull(strstr(m.err.text, "10 outcomes were not acknowledged"));
    ck_assert_int_lt(clock_ms() - start_ms, (int64_t)(17000 * harness_slowness()));
    mock_set_up(&m);
    ck_assert_int_le(mock_committed(&m, 0), 1);
    mock_end(&m);
}
END_TEST

START_TEST(a_topic_that_is_missing_ends_the_start_with_78)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    rd_kafka_mock_topic_set_error(m.cluster, "dead", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    mock_run(&m);
    mock_wait_end(&m);
    ck_assert_int_eq(m.result, -1);
    ck_assert_int_eq(m.err.exit_code, EXIT_CONFIGURATION);
    ck_assert_msg(strstr(m.err.text, "topic dead does not exist") != NULL, "%s", m.err.text);
    mock_end(&m);
}
END_TEST

START_TEST(a_topic_that_may_not_be_read_ends_the_start_with_77)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    rd_kafka_mock_topic_set_error(m.cluster, "in", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    mock_run(&m);
    mock_wait_end(&m);
    ck_assert_int_eq(m.err.exit_code, EXIT_DENIED);
    mock_end(&m);
}
END_TEST

SUITE(ends)
{
    TCase *tcase;

    tcase = harness_case(suite, "stop", NULL, 0);
    tcase_add_loop_test(tcase, a_stop_that_cannot_deliver_ends_in_time_with_75, 0, 2);
    CASE("start", a_topic_that_is_missing_ends_the_start_with_78,
         a_topic_that_may_not_be_read_ends_the_start_with_77);
}
