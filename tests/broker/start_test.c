/* Where reading starts, and what happens when the place to go on at is gone. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

START_TEST(earliest_takes_what_was_there_before)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    cluster_send_events(&c, 20);
    child_run(&k, &c, "consumer.start=earliest");
    cluster_wait_outcomes(&c, 20);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(latest_is_committed_before_the_first_record_and_kept_over_a_crash)
{
    static const int64_t from[] = {10, 10};
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    cluster_send_events(&c, 20);
    child_run(&k, &c, "consumer.start=latest", "kscore.instance=a");
    child_wait_line(&k, "event=ready", 1);
    ck_assert_int_eq(cluster_committed(&c, 0), 10);
    ck_assert_int_eq(cluster_committed(&c, 1), 10);
    child_kill(&k);
    /* what arrives between the crash and the next start is after the start */
    cluster_send_events(&c, 10);
    child_run(&k, &c, "consumer.start=latest", "kscore.instance=a");
    cluster_wait_outcomes(&c, 10);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, &(struct account){.from = from}), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Two processes start a new group together, and the other one has committed already. */
START_TEST(latest_is_for_all_who_start_together)
{
    static const struct {
        const char *metadata;
        int64_t from;
    } starts[] = {{"kscore first start, partitions=2", 10},
                  {"kscore first start, partitions=1", 0}, /* there was no partition 1 */
                  {"kscore first start, partitions=", 0},
                  {"", 0}};
    int64_t from[] = {10, starts[_i].from};
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    cluster_send_events(&c, 20);
    cluster_commit(&c, 0, 10, starts[_i].metadata);
    child_run(&k, &c, "consumer.start=latest");
    child_wait_line(&k, "event=ready", 1);
    cluster_send_events(&c, 10);
    cluster_wait_outcomes(&c, 10 + 10 - starts[_i].from);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, &(struct account){.from = from}), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* One event with a time of its own. */
static void send_at(struct cluster *c, int32_t partition, int64_t timestamp_ms)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        c->producer, RD_KAFKA_V_RKT(c->topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_VALUE((void *)"{\"x\":1}", 7), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

START_TEST(a_time_starts_at_the_first_record_that_is_not_older)
{
    enum { HOUR_MS = 3600000 };
    int64_t noon_ms = clock_wall_ms() / HOUR_MS * HOUR_MS - 10 * HOUR_MS;
    const int64_t from[] = {6, 5};
    struct cluster c;
    struct child k;
    char start[64];
    time_t noon = (time_t)(noon_ms / 1000);
    struct tm utc;

    cluster_open(&c, 2);
    for (int i = 0; i < 10; i++)
        send_at(&c, 0, noon_ms + (i - 6) * 60000); /* offset 6 is at noon */
    for (int i = 0; i < 5; i++)
        send_at(&c, 1, noon_ms - HOUR_MS); /* nothing is that young: the end */
    cluster_flush(c.producer);
    gmtime_r(&noon, &utc);
    strftime(start, sizeof start, "consumer.start=%Y-%m-%dT%H:%M:%SZ", &utc);
    child_run(&k, &c, start);
    cluster_wait_outcomes(&c, 4);
    send_at(&c, 1, noon_ms - HOUR_MS); /* arrived after the start: it counts */
    cluster_flush(c.producer);
    cluster_wait_outcomes(&c, 5);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, &(struct account){.from = from}), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_partition_that_appears_later_starts_at_its_beginning)
{
    static const int64_t from[] = {5, 0, 0};
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 5);
    child_run(&k, &c, "consumer.start=latest", "consumer.topic.metadata.refresh.interval.ms=500");
    child_wait_line(&k, "event=ready", 1);
    cluster_add_partitions(&c, c.in, 3);
    cluster_add_partitions(&c, c.scores, 3);
    cluster_add_partitions(&c, c.dead, 3);
    for (int32_t i = 0; i < 3; i++)
        cluster_send(&c, i, NULL, "{\"x\":0}", 7);
    cluster_flush(c.producer);
    cluster_wait_outcomes(&c, 3);
    child_wait_line(&k, "partitions=3", 1);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, &(struct account){.from = from}), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* 50 records of one partition are scored, 50 more come, and all below 80 are deleted. */
static void make_gap(struct cluster *c)
{
    struct child k;

    cluster_open(c, 1);
    cluster_send_events(c, 50);
    child_run(&k, c);
    cluster_wait_outcomes(c, 50);
    child_stop(&k);
    child_release(&k);
    ck_assert_int_eq(cluster_committed(c, 0), 50);
    cluster_send_events(c, 50);
    cluster_delete_records(c, 0, 80);
}

static void expect_gap(const char *line, int64_t from, int64_t to)
{
    ck_assert_int_eq(child_number(line, "from"), from);
    ck_assert_int_eq(child_number(line, "to"), to);
    ck_assert_int_eq(child_number(line, "lost"), to - from);
}

START_TEST(a_gap_is_counted_and_reading_goes_on_behind_it)
{
    struct cluster c;
    struct child k;

    make_gap(&c);
    child_run(&k, &c, "consumer.on_gap=resume");
    expect_gap(child_wait_line(&k, "event=gap", 1), 50, 80);
    cluster_wait_outcomes(&c, 70);
    ck_assert_int_eq(child_number(child_stop(&k), "scored"), 20);
    ck_assert_int_eq(child_count(&k, "event=gap"), 1);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_gap_ends_the_program_with_65_when_it_shall_stop)
{
    struct cluster c;
    struct child k;

    make_gap(&c);
    child_run(&k, &c, "consumer.on_gap=stop");
    child_expect_exit(&k, 65);
    expect_gap(child_wait_line(&k, "event=gap", 1), 50, 80);
    child_wait_line(&k, " error event=failed", 1);
    ck_assert_int_eq(child_count(&k, " error event="), 1);
    ck_assert_int_eq(cluster_committed(&c, 0), 50);
    ck_assert_int_eq(cluster_outcome_count(&c), 50);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(a_committed_offset_beyond_the_end_goes_on_at_the_start)
{
    struct cluster c;
    struct child k;
    const char *line;

    cluster_open(&c, 1);
    cluster_send_events(&c, 30);
    /* As after a topic was made anew under its name: the group knows offsets that are not there. */
    cluster_commit(&c, 0, 500, "");
    ck_assert_int_eq(cluster_committed(&c, 0), 500);
    child_run(&k, &c);
    line = child_wait_line(&k, "event=gap", 1);
    ck_assert_int_eq(child_number(line, "committed"), 500);
    ck_assert_int_eq(child_number(line, "end"), 30);
    cluster_wait_outcomes(&c, 30);
    child_stop(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(records_that_go_while_it_runs_are_scored_or_counted)
{
    struct cluster c;
    struct child k;
    int64_t until = harness_deadline(), lost;

    cluster_open(&c, 1);
    cluster_send_events(&c, 10);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 10);
    do {
        /* stopped, so that it cannot be faster than the deletion; the answer to a fetch that is
         * under way may have all of them, on a busy machine: then once more */
        child_signal(&k, SIGSTOP);
        cluster_send_events(&c, 5);
        cluster_send_events(&c, 85);
        cluster_delete_records(&c, 0, c.event_count - 10);
        child_signal(&k, SIGCONT);
        while (cluster_committed(&c, 0) < c.event_count) {
            ck_assert_msg(clock_ms() < until, "it does not go on in time");
            harness_breathe();
        }
    } while (child_count(&k, "event=gap") == 0);
    child_stop(&k);
    lost = child_number(child_wait_line(&k, "event=gap", 1), "lost");
    ck_assert_int_gt(lost, 0);
    ck_assert_int_eq(cluster_outcome_count(&c) + lost, c.event_count);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(start)
{
    CASE("offsets", earliest_takes_what_was_there_before,
         latest_is_committed_before_the_first_record_and_kept_over_a_crash,
         a_time_starts_at_the_first_record_that_is_not_older,
         a_partition_that_appears_later_starts_at_its_beginning);
    tcase_add_loop_test(CASE("together"), latest_is_for_all_who_start_together, 0, 4);
    CASE("gaps", a_gap_is_counted_and_reading_goes_on_behind_it,
         a_gap_ends_the_program_with_65_when_it_shall_stop,
         a_committed_offset_beyond_the_end_goes_on_at_the_start,
         records_that_go_while_it_runs_are_scored_or_counted);
}
