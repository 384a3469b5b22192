/* Delivery with faults injected into the mock cluster: nothing lost, and what is repeated is
 * repeated for a reason. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/fault/mock.h"
#include "tests/fixture.h"
#include "tests/harness.h"

enum {
    DENIED = RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    REFUSED = RD_KAFKA_RESP_ERR_INVALID_RECORD
};

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

/* x is the number of the event modulo 3. */
START_TEST(a_model_of_several_outputs_publishes_all_and_decides_by_one)
{
    static const char *const wants[] = {
        "\"score\":2.5,\"scores\":[0.0,0.5,2.5],\"decision\":\"high\"",
        "\"score\":-0.5,\"scores\":[1.0,1.5,-0.5],\"decision\":\"low\""};
    struct mock m;
    struct seen *all;

    mock_start(&m, NULL, NULL);
    fixture_bundle_of_three(m.folder);
    mock_produce_json(&m, 0, 0, 50);
    mock_run(&m);
    mock_wait_outcomes(&m, 50);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(mock_read(&m, "scores", &all), 50);
    for (int i = 0; i < 50; i++) {
        const char *want = wants[strtol(strrchr(all[i].source, '-') + 1, NULL, 10) % 3 > 0];
        ck_assert_msg(strstr(all[i].value, want) != NULL, "%s, not %s", all[i].value, want);
    }
    free(all);
    mock_end(&m);
}
END_TEST

/* Twice, in the middle of a stream of ten keys. */
START_TEST(a_failed_delivery_gives_everything_back_and_keeps_the_order_of_keys)
{
    struct mock m;

    mock_start(&m, NULL, "batch_rows = 20");
    mock_produce_keys(&m, 0, 600, 10);
    mock_refuse(&m, MOCK_OUTPUT, MOCK_PRODUCE, 0, 0, DENIED, 0, 0, 0, DENIED);
    mock_run(&m);
    mock_wait_outcomes(&m, 600);
    mock_produce_keys(&m, 0, 600, 10);
    mock_wait_outcomes(&m, 1200);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_ge(m.summary.rewinds, 1);
    ck_assert_uint_ge(m.summary.returned, 1);
    ck_assert_uint_eq(m.summary.dead, 0);
    mock_expect_outcomes(&m, 1200);
    mock_expect_order(&m);
    ck_assert_int_eq(mock_committed(&m, 0), 1200);
    mock_end(&m);
}
END_TEST

/* One key, hence one output partition and one request: refused as a whole, then one by one, where
 * the eighth record is the culprit. */
START_TEST(a_record_that_the_broker_refuses_is_found_and_becomes_a_dead_letter)
{
    struct mock m;
    struct seen *dead;

    mock_start(&m, NULL, NULL);
    mock_produce_keys(&m, 0, 20, 1);
    mock_refuse(&m, MOCK_OUTPUT, MOCK_PRODUCE, REFUSED, 0, 0, 0, 0, 0, 0, 0, REFUSED);
    mock_run(&m);
    mock_wait_outcomes(&m, 20);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.scored, 19);
    ck_assert_uint_eq(m.summary.dead, 1);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 20), 0);
    mock_expect_order(&m);
    ck_assert_uint_eq(mock_read(&m, "dead", &dead), 1);
    ck_assert_str_eq(dead[0].reason, "refused");
    ck_assert_str_eq(dead[0].source, "in-0-7");
    ck_assert(!dead[0].is_null);
    free(dead);
    mock_end(&m);
}
END_TEST

/* The score is refused, alone too, and its dead letter twice: what remains is coordinates and the
 * reason. */
START_TEST(a_dead_letter_that_the_broker_refuses_goes_without_value)
{
    struct mock m;
    struct seen *dead;

    mock_start(&m, NULL, NULL);
    mock_produce_json(&m, 1, 0, 1);
    mock_refuse(&m, MOCK_OUTPUT, MOCK_PRODUCE, REFUSED, REFUSED, REFUSED, REFUSED);
    mock_run(&m);
    mock_wait_outcomes(&m, 1);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(mock_read(&m, "dead", &dead), 1);
    ck_assert_str_eq(dead[0].source, "in-1-0");
    ck_assert(dead[0].is_null);
    ck_assert_str_eq(dead[0].key, "");
    free(dead);
    mock_end(&m);
}
END_TEST

SUITE(delivery)
{
    CASE("outcomes", every_record_gets_one_outcome_and_its_offset_is_committed,
         a_model_of_several_outputs_publishes_all_and_decides_by_one);
    CASE("rewind", a_failed_delivery_gives_everything_back_and_keeps_the_order_of_keys);
    CASE("refused", a_record_that_the_broker_refuses_is_found_and_becomes_a_dead_letter,
         a_dead_letter_that_the_broker_refuses_goes_without_value);
}
