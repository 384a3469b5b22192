/* What must not be taken for something else: a neighbour for the culprit, a dead client for a slow
 * broker, what was sent for what has arrived. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

enum { REFUSED = RD_KAFKA_RESP_ERR_INVALID_RECORD };

/* Sends of one record each travel in one request: its refusal names none of them. Refused once: a
 * second refusal could meet a suspect that is sent alone, which is rightly a dead letter. */
START_TEST(a_refused_request_of_many_sends_accuses_nobody)
{
    struct mock m;

    mock_start(&m, NULL, "batch_rows = 1");
    mock_produce_json(&m, 0, 0, 40);
    mock_refuse(&m, MOCK_OUTPUT, MOCK_PRODUCE, REFUSED);
    mock_run(&m);
    mock_wait_outcomes(&m, 40);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, 40);
    ck_assert_uint_eq(m.summary.dead, 0);
    ck_assert_uint_ge(m.summary.rewinds, 1);
    mock_expect_outcomes(&m, 40);
    mock_end(&m);
}
END_TEST

/* The numbers of an idempotent producer and its broker no longer match: librdkafka gives it up. */
START_TEST(a_producer_that_is_given_up_is_built_anew)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    mock_produce_json(&m, 0, 0, 20);
    mock_refuse(&m, MOCK_OUTPUT, MOCK_PRODUCE, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    mock_run(&m);
    mock_wait_outcomes(&m, 20);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, 20);
    ck_assert_uint_ge(m.summary.rewinds, 1);
    mock_expect_outcomes(&m, 20);
    mock_end(&m);
}
END_TEST

static void wait_committed(struct mock *m, int64_t offset)
{
    int64_t until = harness_deadline();

    for (; mock_committed(m, 0) < offset; harness_breathe())
        ck_assert_int_lt(clock_ms(), until);
}

/* One record is through; the next nine are on their way to a broker that does not answer. */
static void hang_output(struct mock *m)
{
    mock_run(m);
    mock_produce_json(m, 0, 0, 1);
    wait_committed(m, 1);
    rd_kafka_mock_broker_set_rtt(m->cluster, MOCK_OUTPUT, 60000);
    mock_produce_json(m, 0, 1, 10);
    mock_wait_consumed(m, 10);
}

/* A position that is out of range has all partitions assigned anew; a revocation waits 5 s for what
 * is on its way. */
START_TEST(a_new_assignment_after_a_gap_commits_nothing_that_is_unfinished)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    hang_output(&m);
    mock_refuse(&m, MOCK_INPUT, MOCK_FETCH, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    mock_wait_log(&m, "event=gap topic=in partition=0 committed=1 end=10", 1);
    ck_assert_int_le(mock_committed(&m, 0), 1);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 0);
    mock_wait_outcomes(&m, 20); /* those of the old assignment arrived, too */
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_int_eq(mock_committed(&m, 0), 10);
    mock_expect_outcomes(&m, 10);
    mock_end(&m);
}
END_TEST

START_TEST(a_stop_waits_drain_ms_for_an_output_that_hangs_and_not_longer)
{
    enum { DRAIN_MS = 3000, REST_MS = 2000 };
    int64_t start_ms;
    struct mock m;

    mock_start(&m, NULL, "drain_ms = 3000");
    hang_output(&m);
    start_ms = clock_ms();
    mock_stop(&m);
    ck_assert_int_ge(clock_ms() - start_ms, DRAIN_MS);
    ck_assert_int_le(clock_ms() - start_ms, DRAIN_MS + (int64_t)(REST_MS * harness_slowness()));
    ck_assert_int_eq(m.err.exit_code, EXIT_AGAIN);
    ck_assert_uint_eq(m.summary.in_flight, 9);
    ck_assert_int_eq(mock_committed(&m, 0), 1);
    mock_end(&m);
}
END_TEST

/* What a stop takes beyond drain_ms, whatever hangs. */
enum { AFTER_DRAIN_MS = 5000 };

START_TEST(a_stop_that_has_nothing_to_commit_succeeds_though_the_coordinator_hangs)
{
    int64_t start_ms;
    struct mock m;

    mock_start(&m, NULL, NULL);
    mock_run(&m);
    mock_produce_json(&m, 0, 0, 10);
    wait_committed(&m, 10);
    wait_committed(&m, 10); /* the pipeline has heard it, too */
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_INPUT, 60000);
    start_ms = clock_ms();
    mock_stop(&m);
    ck_assert_int_le(clock_ms() - start_ms, AFTER_DRAIN_MS + (int64_t)(500 * harness_slowness()));
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    mock_end(&m);
}
END_TEST

START_TEST(a_stop_ends_in_time_though_output_and_coordinator_hang)
{
    enum { DRAIN_MS = 2000, MOST_MS = DRAIN_MS + AFTER_DRAIN_MS };
    int64_t start_ms;
    struct mock m;

    mock_start(&m, NULL, "drain_ms = 2000");
    hang_output(&m);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_INPUT, 60000);
    start_ms = clock_ms();
    mock_stop(&m);
    ck_assert_int_le(clock_ms() - start_ms, MOST_MS + (int64_t)(500 * harness_slowness()));
    ck_assert_int_eq(m.err.exit_code, EXIT_AGAIN);
    mock_end(&m);
}
END_TEST

/* A broker that was away for longer than the session takes the member that comes back for a second
 * one of its instance: the fence means it only when the session had not ended before. */
START_TEST(a_member_that_is_fenced_after_its_session_ran_out_joins_anew)
{
    struct mock m;

    mock_start(&m, NULL, "instance = a");
    mock_run(&m);
    mock_produce_json(&m, 0, 0, 10);
    mock_wait_outcomes(&m, 10);
    mock_set_down(&m);
    mock_wait_log(&m, "the assignment was lost", 1);
    mock_refuse(&m, MOCK_INPUT, MOCK_JOIN_GROUP, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    mock_set_up(&m);
    mock_wait_log(&m, "event=assigned", 2);
    mock_produce_json(&m, 0, 10, 20);
    wait_committed(&m, 20);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    mock_expect_outcomes(&m, 20);
    mock_end(&m);
}
END_TEST

/* It gave its request to join up and sent another; a broker that hangs, or a network that is late,
 * may bring the first one behind that, and the group takes it for the newer process. */
START_TEST(a_member_that_its_own_late_request_fences_joins_anew_once)
{
    struct mock m;

    mock_start(&m, NULL, "instance = a");
    mock_run(&m);
    mock_produce_json(&m, 0, 0, 10);
    mock_wait_outcomes(&m, 10);
    mock_set_down(&m);
    mock_wait_log(&m, "the assignment was lost", 1);
    mock_set_up(&m);
    mock_wait_log(&m, "event=assigned", 2);
    mock_refuse(&m, MOCK_INPUT, MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    mock_wait_log(&m, "event=assigned", 3);
    mock_produce_json(&m, 0, 10, 20);
    wait_committed(&m, 20);
    mock_refuse(&m, MOCK_INPUT, MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    mock_wait_end(&m);
    ck_assert_int_eq(m.err.exit_code, EXIT_AGAIN);
    ck_assert_ptr_nonnull(strstr(m.err.text, "another process runs"));
    mock_expect_outcomes(&m, 20);
    mock_end(&m);
}
END_TEST

START_TEST(a_member_that_is_fenced_within_its_session_ends)
{
    struct mock m;

    mock_start(&m, NULL, "instance = a");
    mock_run(&m);
    mock_refuse(&m, MOCK_INPUT, MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    mock_wait_log(&m, "Fatal error", 1);
    mock_stop(&m);
    ck_assert_int_eq(m.err.exit_code, EXIT_AGAIN);
    mock_end(&m);
}
END_TEST

/* False: skipped, this librdkafka has none. */
static bool start_cooperative(struct mock *m)
{
    if (rd_kafka_version() < KAFKA_COOPERATIVE_VERSION) {
        harness_skip("cooperative rebalances: librdkafka below 2.10");
        return false;
    }
    setenv("KSCORE_ASSIGNMENT", "cooperative-sticky", 1);
    mock_start(m, NULL, NULL);
    return true;
}

static void expect_second_try(struct mock *m, int api, rd_kafka_resp_err_t code)
{
    mock_refuse(m, MOCK_INPUT, api, code);
    mock_run(m);
    mock_wait_log(m, "for=start_offsets", 1);
    mock_wait_log(m, "event=assigned", 1);
    mock_produce_json(m, 0, 0, 10);
    wait_committed(m, 10);
    mock_stop(m);
    ck_assert_msg(m->result == 0, "%s", m->err.text);
    ck_assert_uint_eq(mock_expect_outcomes(m, 10), 0);
    mock_end(m);
}

START_TEST(a_member_joins_again_when_start_offsets_could_not_be_had)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    expect_second_try(&m, MOCK_OFFSET_FETCH, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID);
}
END_TEST

START_TEST(a_member_joins_again_when_start_offsets_could_not_be_committed)
{
    struct mock m;

    mock_start(&m, NULL, NULL);
    expect_second_try(&m, MOCK_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
}
END_TEST

START_TEST(a_cooperative_member_asks_again_for_start_offsets_that_could_not_be_had)
{
    struct mock m;

    if (start_cooperative(&m))
        expect_second_try(&m, MOCK_OFFSET_FETCH, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID);
}
END_TEST

/* As an eager member: what is denied before the first assignment ends the start. */
START_TEST(a_cooperative_member_that_is_denied_when_it_asks_again_ends_with_77)
{
    struct mock m;

    if (!start_cooperative(&m))
        return;
    mock_refuse(&m, MOCK_INPUT, MOCK_OFFSET_FETCH, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
                RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    mock_run(&m);
    mock_wait_end(&m);
    ck_assert_int_eq(m.err.exit_code, EXIT_DENIED);
    mock_end(&m);
}
END_TEST

SUITE(recovery)
{
    CASE("refused", a_refused_request_of_many_sends_accuses_nobody);
    CASE("producer", a_producer_that_is_given_up_is_built_anew);
    CASE("hang", a_new_assignment_after_a_gap_commits_nothing_that_is_unfinished,
         a_stop_waits_drain_ms_for_an_output_that_hangs_and_not_longer,
         a_stop_that_has_nothing_to_commit_succeeds_though_the_coordinator_hangs,
         a_stop_ends_in_time_though_output_and_coordinator_hang);
    CASE("offsets", a_member_joins_again_when_start_offsets_could_not_be_had,
         a_member_joins_again_when_start_offsets_could_not_be_committed,
         a_cooperative_member_asks_again_for_start_offsets_that_could_not_be_had,
         a_cooperative_member_that_is_denied_when_it_asks_again_ends_with_77);
    CASE("fence", a_member_that_is_fenced_after_its_session_ran_out_joins_anew,
         a_member_that_its_own_late_request_fences_joins_anew_once,
         a_member_that_is_fenced_within_its_session_ends);
}
