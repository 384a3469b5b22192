/* /readyz and /healthz where nothing is in flight: no loop misses brokers that are away, and still
 * nothing is taken. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/journal.h"
#include "pipeline/observer.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

struct scene {
    struct mock m;
    struct journal *journal;
    struct observer *observer;
};

/* Until /readyz says so in these words. */
static void wait_until(struct scene *s, bool is_ready, const char *text)
{
    int64_t until = harness_deadline();
    char *why = NULL;

    do {
        free(why);
        ck_assert_msg(observer_is_healthy(s->observer, &why), "%s", why);
        free(why);
        if (observer_is_ready(s->observer, &why) == is_ready && strstr(why, text))
            break;
        ck_assert_msg(clock_ms() < until, "%s", why);
        harness_breathe();
    } while (true);
    ck_assert_ptr_eq(strchr(why, '\n'), why + strlen(why) - 1);
    free(why);
}

/* It runs, and has nothing to do. */
static void open_idle(struct scene *s)
{
    mock_start(&s->m, NULL, NULL);
    s->m.board = board_new(1);
    s->journal = journal_new();
    s->observer = observer_new(&(struct observer_options){
        .config = &s->m.config, .build = "test", .board = s->m.board, .journal = s->journal});
    mock_produce_json(&s->m, 0, 0, 10);
    mock_run(&s->m);
    mock_wait_outcomes(&s->m, 10);
    wait_until(s, true, "ready");
}

static void close_idle(struct scene *s)
{
    mock_produce_json(&s->m, 1, 10, 20);
    mock_wait_outcomes(&s->m, 20);
    mock_stop(&s->m);
    ck_assert_msg(s->m.result == 0, "%s", s->m.err.text);
    wait_until(s, false, "draining");
    observer_free(s->observer);
    journal_free(s->journal);
    board_free(s->m.board);
    mock_end(&s->m);
}

static void hang(struct mock *m, int ms)
{
    for (int broker = MOCK_INPUT; broker <= MOCK_ALERTS; broker++)
        rd_kafka_mock_broker_set_rtt(m->cluster, broker, ms);
}

START_TEST(brokers_that_go_while_nothing_is_in_flight_are_waited_for)
{
    struct scene s;

    open_idle(&s);
    mock_set_down(&s.m);
    wait_until(&s, false, "not ready, waiting: kafka: ");
    mock_wait_log(&s.m, "the assignment was lost", 1);
    wait_until(&s, false, "not ready, waiting: kafka: ");
    mock_set_up(&s.m);
    wait_until(&s, true, "ready");
    close_idle(&s);
}
END_TEST

START_TEST(brokers_that_hang_while_nothing_is_in_flight_are_waited_for)
{
    struct scene s;

    open_idle(&s);
    hang(&s.m, 60000);
    wait_until(&s, false, "not ready, waiting: kafka: ");
    hang(&s.m, 0);
    wait_until(&s, true, "ready");
    close_idle(&s);
}
END_TEST

/* The brokers answer, and the group does not let it in again. */
START_TEST(a_member_that_the_group_does_not_take_back_is_not_ready)
{
    struct scene s;

    open_idle(&s);
    for (int i = 0; i < 12; i++)
        mock_refuse(&s.m, MOCK_INPUT, MOCK_JOIN_GROUP, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
    mock_refuse(&s.m, MOCK_INPUT, MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    wait_until(&s, false, "not ready, waiting: kafka: the group assigns no partitions");
    wait_until(&s, true, "ready");
    close_idle(&s);
}
END_TEST

START_TEST(a_member_that_does_not_learn_where_to_begin_is_not_ready)
{
    struct scene s;

    open_idle(&s);
    for (int i = 0; i < 10; i++)
        mock_refuse(&s.m, MOCK_INPUT, MOCK_OFFSET_FETCH,
                    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    mock_refuse(&s.m, MOCK_INPUT, MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
    wait_until(&s, false, "not ready, waiting: kafka: where to begin is still asked for");
    wait_until(&s, true, "ready");
    close_idle(&s);
}
END_TEST

SUITE(readiness)
{
    CASE("brokers", brokers_that_go_while_nothing_is_in_flight_are_waited_for,
         brokers_that_hang_while_nothing_is_in_flight_are_waited_for);
    CASE("group", a_member_that_the_group_does_not_take_back_is_not_ready,
         a_member_that_does_not_learn_where_to_begin_is_not_ready);
}
