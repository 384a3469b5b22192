/* What is asked beside the group: brokers that refuse cost an answer, never the program. */
#include "consumer/lags.h"

#include "core/clock.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

static const rd_kafka_resp_err_t refusals[] = {
    RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
    RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED};

/* librdkafka tells its own group of a coordinator that moved, and a client without one died of it
 * (confluentinc/confluent-kafka-javascript issue 374; 2.0.2 and, as told there, 2.11). */
START_TEST(a_coordinator_that_refuses_a_group_is_asked_again)
{
    int64_t deadline_ms = harness_deadline(), age_ms = -1;
    struct log_end part = {"events", 0, -1};
    struct lags *lags;
    struct mock m;
    size_t count;

    mock_start(&m, NULL, "[downstream]\ngroups = readers");
    part.topic = m.config.topics[0];
    for (int broker = 1; broker <= 3; broker++)
        mock_refuse(&m, broker, MOCK_OFFSET_FETCH, refusals[_i], refusals[_i]);
    lags = lags_new(&m.config);
    while (age_ms < 0 && clock_ms() < deadline_ms) {
        lags_poll(lags, &part, 1);
        lags_groups(lags, &count, &age_ms);
        harness_breathe();
    }
    ck_assert_int_ge(age_ms, 0);
    ck_assert_uint_eq(count, 1);
    lags_free(lags);
    mock_end(&m);
}
END_TEST

SUITE(lag_refusals)
{
    TCase *tcase = harness_case(suite, "refused", NULL, 0);

    tcase_add_loop_test(tcase, a_coordinator_that_refuses_a_group_is_asked_again, 0,
                        sizeof refusals / sizeof refusals[0]);
}
