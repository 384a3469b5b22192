/* Several workers that join in the same moment: unlike the real broker of the tests, the mock waits
 * 3 s for more members before it shares the partitions out. They are static ones, which do not
 * leave: the mock refuses commits while a member that left is missed; a broker takes them. */
#include "tests/fault/mock.h"
#include "tests/harness.h"

START_TEST(the_first_start_of_workers_that_join_together_is_at_the_latest_for_all)
{
    struct mock m;

    mock_start(&m, "start = latest", "workers = 2\ninstance = a");
    mock_produce_json(&m, 0, 0, 100);
    mock_produce_json(&m, 1, 0, 100);
    mock_run(&m);
    mock_wait_log(&m, "in[0]@100", 1); /* committed, by whichever worker had it first */
    mock_wait_log(&m, "in[1]@100", 1);
    mock_produce_json(&m, 0, 100, 110);
    mock_produce_json(&m, 1, 100, 110);
    mock_wait_outcomes(&m, 20);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.consumed, 20);
    mock_end(&m);
}
END_TEST

SUITE(together)
{
    CASE("start", the_first_start_of_workers_that_join_together_is_at_the_latest_for_all);
}
