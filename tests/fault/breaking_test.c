/* What else happens while the breaker is open, or tries. */
#include <string.h>

#include "core/clock.h"
#include "core/metrics.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

enum { MINIMUM = 100 };

static void start(struct mock *m)
{
    mock_start(m, NULL, "batch_rows = 64");
    m->config.breaker_share = 0.2;
    m->config.breaker_window_s = 3600;
}

static void produce_bad(struct mock *m, int32_t partition, int count)
{
    for (int i = 0; i < count; i++)
        mock_produce(m, partition, "k", "{\"x\":\"one\"}", 11);
    ck_assert_int_eq(rd_kafka_flush(m->client, 10000), 0);
}

/* What the board shows of the worker, within a second of its doing it. */
static void expect_activity(struct mock *m, enum activity activity, const char *why)
{
    int64_t until = harness_deadline(), age_ms;
    struct metrics seen;

    metrics_init(&seen);
    while (!board_read(m->board, 0, &seen, &age_ms) || seen.activity != activity) {
        ck_assert_msg(clock_ms() < until, "%s: %s", activity_name(seen.activity), seen.why);
        harness_breathe();
    }
    ck_assert_msg(strstr(seen.why, why) != NULL, "%s", seen.why);
    metrics_release(&seen);
}

/* Fewer than the minimum, of which each is dead. */
START_TEST(an_order_to_resume_is_a_try)
{
    struct mock m;

    start(&m);
    m.board = board_new(1);
    produce_bad(&m, 0, MINIMUM - 1);
    m.orders.resume = 1; /* before it started: not for it */
    mock_run(&m);
    mock_wait_outcomes(&m, MINIMUM - 1);
    atomic_fetch_add(&m.orders.resume, 1); /* it is closed: nothing to resume */
    produce_bad(&m, 0, MINIMUM - 1);
    mock_wait_log(&m, "event=breaker_open", 1);
    expect_activity(&m, ACTIVITY_BREAKER,
                    " records are dead: bind/wrong_type, blame record, schema none, "
                    "first at in-0@0; ");
    rd_kafka_poll(m.client, 500);
    ck_assert_uint_lt(m.progress.dead, MINIMUM + 64);
    ck_assert_int_eq(mock_log_count(&m, "event=breaker_half_open"), 0);
    atomic_fetch_add(&m.orders.resume, 1);
    mock_wait_outcomes(&m, 2 * (MINIMUM - 1));
    ck_assert_int_eq(mock_log_count(&m, "event=breaker_half_open"), 1);
    ck_assert_int_eq(mock_log_count(&m, "event=breaker_closed"), 1);
    expect_activity(&m, ACTIVITY_RUNNING, "");
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 2 * (MINIMUM - 1)), 0);
    ck_assert_int_eq(mock_committed(&m, 0), 2 * (MINIMUM - 1));
    board_free(m.board);
    mock_end(&m);
}
END_TEST

/* They are returned, and the try begins with them: the sound ones let it close. */
START_TEST(outcomes_that_fail_while_it_is_open_come_again)
{
    enum { SOUND = 300 };
    size_t done, repeated;
    struct mock m;

    start(&m);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 3000);
    for (int32_t p = 0; p < MOCK_PARTITIONS; p++) /* it is a score that is refused, not a letter */
        rd_kafka_mock_partition_set_leader(m.cluster, "dead", p, MOCK_ALERTS);
    mock_refuse(&m, MOCK_OUTPUT, MOCK_PRODUCE, RD_KAFKA_RESP_ERR_UNKNOWN);
    mock_produce_json(&m, 0, 0, SOUND);
    produce_bad(&m, 0, 1000);
    mock_run(&m);
    mock_wait_log(&m, "event=breaker_open", 1);
    ck_assert_uint_eq(m.progress.scored, 0);
    mock_wait_log(&m, "event=rewound", 1);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_OUTPUT, 0);
    atomic_fetch_add(&m.orders.resume, 1);
    mock_wait_log(&m, "event=breaker_closed", 1);
    mock_wait_log(&m, "event=breaker_open", 2);
    mock_wait_outcomes(&m, SOUND);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, SOUND);
    ck_assert_uint_le(m.summary.dead, SOUND / 4);
    /* and a letter may be there that was delivered before the failure, and is to come again */
    done = mock_outcomes(&m, &repeated);
    ck_assert_uint_ge(done, SOUND + (size_t)m.summary.dead);
    ck_assert_uint_le(done, SOUND + SOUND / 4);
    ck_assert_int_eq(mock_committed(&m, 0), SOUND + (int64_t)m.summary.dead);
    mock_end(&m);
}
END_TEST

/* Each fetch takes 300 ms and brings 20 records: the start's try waits for its hundred. */
START_TEST(a_stream_that_comes_slowly_is_not_at_its_end)
{
    enum { BATCHES = 10, BATCH = 20 };
    struct mock m;

    mock_start(&m, "max.partition.fetch.bytes = 1", NULL);
    m.config.breaker_share = 0.2;
    for (int i = 0; i < BATCHES; i++)
        produce_bad(&m, 0, BATCH);
    rd_kafka_mock_broker_set_rtt(m.cluster, MOCK_INPUT, 300);
    mock_run(&m);
    mock_wait_log(&m, "event=breaker_open", 1);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.dead, 0);
    mock_end(&m);
}
END_TEST

SUITE(breaking)
{
    CASE("orders", an_order_to_resume_is_a_try);
    CASE("slow", a_stream_that_comes_slowly_is_not_at_its_end);
    CASE("failures", outcomes_that_fail_while_it_is_open_come_again);
}
