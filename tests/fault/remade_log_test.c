/* A log that is another one than was read may look like it by the time that it is looked at. */
#include "tests/fault/mock.h"
#include "tests/harness.h"

/* Committed is more than there is. When the log's ends can be asked, it has caught up. */
START_TEST(a_log_that_grows_past_the_offset_that_it_refused_is_read_from_its_start)
{
    enum { COMMITTED = 500, RECORDS = 600 };
    struct mock m;

    mock_start(&m, NULL, NULL);
    mock_commit(&m, 0, COMMITTED);
    mock_commit(&m, 1, 0);
    mock_produce_json(&m, 0, 0, 10);
    mock_refuse(&m, MOCK_INPUT, MOCK_LIST_OFFSETS, RD_KAFKA_RESP_ERR_INVALID_REQUEST,
                RD_KAFKA_RESP_ERR_INVALID_REQUEST, RD_KAFKA_RESP_ERR_INVALID_REQUEST);
    mock_run(&m);
    mock_wait_log(&m, "event=waiting for=start_offsets", 1);
    mock_produce_json(&m, 0, 10, RECORDS);
    mock_wait_outcomes(&m, RECORDS);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_int_eq(mock_log_count(&m, "event=gap topic=in partition=0 committed=500"), 1);
    ck_assert_int_eq(mock_committed(&m, 0), RECORDS);
    mock_end(&m);
}
END_TEST

SUITE(remade_log)
{
    CASE("grown", a_log_that_grows_past_the_offset_that_it_refused_is_read_from_its_start);
}
