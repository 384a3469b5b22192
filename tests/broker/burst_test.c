/* A burst of bad records: the stream pauses, and what is there when it goes on is all there. */
#include <signal.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { MINIMUM = 100 };

/* With the breaker as it is preset, and one that tries every second. */
#define PRESET "dead_letters.breaker_share=0.2"
#define HASTY PRESET, "dead_letters.breaker_window_s=1"
#define OFF "dead_letters.breaker_share=1"

static void send_bad(struct cluster *c, int count)
{
    for (int i = 0; i < count; i++)
        cluster_send(c, i % c->partitions, "k", "{\"x\":\"one\"}", 11);
    cluster_flush(c->producer);
}

static int64_t committed(struct cluster *c)
{
    int64_t sum = 0;

    for (int32_t i = 0; i < c->partitions; i++)
        sum += cluster_committed(c, i) > 0 ? cluster_committed(c, i) : 0;
    return sum;
}

/* All there is gets its outcome without a breaker, and none has two. */
static void finish(struct cluster *c, int64_t count)
{
    struct child k;

    child_run(&k, c, OFF);
    cluster_wait_outcomes(c, count);
    child_stop(&k);
    child_release(&k);
    cluster_expect_no_lag(c);
    ck_assert_uint_eq(expect_outcomes(c, NULL), 0);
    cluster_close(c);
}

/* 1,000 sound records, then bad ones: dead letters pass 20 % of what was judged nowhere, and what
 * has an outcome is committed although nothing is taken any more. */
START_TEST(a_burst_opens_it_before_the_stream_is_drained)
{
    enum { SOUND = 1000, BAD = 5000, MOST = SOUND / 4 };
    struct cluster c;
    struct child k;
    const char *line, *last;
    int64_t let_through;

    cluster_open(&c, 2);
    cluster_send_events(&c, SOUND);
    child_run(&k, &c, PRESET);
    cluster_wait_outcomes(&c, SOUND);
    send_bad(&c, BAD);
    line = child_wait_line(&k, "event=breaker_open", 1);
    ck_assert_msg(strstr(line, "stage=bind reason=wrong_type blame=record schema=none"), "%s",
                  line);
    ck_assert_int_eq(child_number(line, "offset"), SOUND / 2);
    ck_assert_msg(strstr(line, "change=\"start run="), "%s", line);
    cluster_wait_outcomes(&c, SOUND);
    for (int i = 0; i < 50; i++) /* nothing more comes */
        harness_breathe();
    last = child_stop(&k);
    let_through = child_number(last, "dead");
    ck_assert_msg(let_through <= MOST, "%s", last);
    ck_assert_int_eq(child_number(last, "exit"), 0);
    ck_assert_int_gt(child_number(last, "returned"), 0);
    ck_assert_int_eq(cluster_outcome_count(&c), SOUND + let_through);
    ck_assert_int_eq(committed(&c), SOUND + let_through);
    child_release(&k);
    finish(&c, SOUND + BAD);
}
END_TEST

/* Whoever starts it again and again drains nothing, however it ends. */
START_TEST(restarts_send_no_dead_letter_of_a_bad_stream)
{
    enum { BAD = 3000, STARTS = 4 };
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    send_bad(&c, BAD);
    for (int i = 0; i < STARTS; i++) {
        child_run(&k, &c, PRESET);
        child_wait_line(&k, "event=breaker_open", 1);
        if (i % 2) {
            child_kill(&k);
            continue;
        }
        child_stop(&k);
        child_release(&k);
    }
    ck_assert_int_eq(cluster_outcome_count(&c), 0);
    ck_assert_int_eq(committed(&c), 0);
    finish(&c, BAD);
}
END_TEST

START_TEST(a_start_with_few_records_sends_them_whatever_they_are)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    send_bad(&c, MINIMUM - 1);
    child_run(&k, &c, PRESET);
    cluster_wait_outcomes(&c, MINIMUM - 1);
    cluster_wait_no_lag(&c);
    child_stop(&k);
    ck_assert_int_eq(child_count(&k, "event=breaker"), 0);
    child_release(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_close(&c);
}
END_TEST

/* The burst has an end that is smaller than the minimum: the try lets it pass, and the stream goes
 * on, each record once. */
START_TEST(a_try_with_few_records_at_hand_closes_it)
{
    enum { SOUND = 500 };
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    send_bad(&c, MINIMUM - 1);
    child_run(&k, &c, PRESET, "dead_letters.breaker_window_s=3");
    cluster_wait_outcomes(&c, MINIMUM - 1);
    send_bad(&c, MINIMUM / 2);
    child_wait_line(&k, "event=breaker_open", 1);
    ck_assert_int_lt(cluster_outcome_count(&c), MINIMUM + MINIMUM / 2);
    child_wait_line(&k, "event=breaker_half_open", 1);
    child_wait_line(&k, "event=breaker_closed", 1);
    cluster_send_events(&c, SOUND);
    cluster_wait_outcomes(&c, MINIMUM - 1 + MINIMUM / 2 + SOUND);
    cluster_wait_no_lag(&c);
    child_stop(&k);
    child_release(&k);
    ck_assert_uint_eq(expect_outcomes(&c, NULL), 0);
    cluster_close(&c);
}
END_TEST

/* Sound records behind bad ones: each try shows the same, until somebody lets them pass. */
START_TEST(a_try_with_enough_bad_records_opens_it_again)
{
    enum { BAD = 400, SOUND = 400 };
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    send_bad(&c, BAD);
    cluster_send_events(&c, SOUND);
    child_run(&k, &c, HASTY, "kscore.batch_rows=7");
    child_wait_line(&k, "event=breaker_open", 3);
    child_stop(&k);
    ck_assert_int_ge(child_count(&k, "event=breaker_half_open"), 1); /* repeated ones are counted */
    ck_assert_int_eq(child_count(&k, "event=breaker_closed"), 0);
    child_release(&k);
    ck_assert_int_eq(cluster_outcome_count(&c), 0);
    finish(&c, BAD + SOUND);
}
END_TEST

/* Partitions come and go while both wait, hold and give back. */
START_TEST(members_come_and_go_while_it_is_open)
{
    enum { BAD = 2000 };
    struct cluster c;
    struct child a, b;

    cluster_open(&c, 4);
    send_bad(&c, BAD);
    child_run(&a, &c, HASTY);
    child_wait_line(&a, "event=breaker_open", 1);
    child_run(&b, &c, HASTY);
    child_wait_line(&b, "event=breaker_open", 1);
    child_wait_line(&a, "event=breaker_open", 3);
    child_stop(&b);
    child_release(&b);
    child_wait_line(&a, "event=breaker_open", child_count(&a, "event=breaker_open") + 2);
    child_stop(&a);
    child_release(&a);
    ck_assert_int_eq(cluster_outcome_count(&c), 0);
    finish(&c, BAD);
}
END_TEST

/* Each judges its own, once each has one: the sound partition goes on. */
START_TEST(one_worker_waits_and_the_other_goes_on)
{
    enum { EACH = 2000 };
    int64_t until = harness_deadline();
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    for (int i = 0; i < EACH; i++) {
        cluster_send(&c, 0, "k", "{\"x\":\"one\"}", 11);
        cluster_send(&c, 1, "k", "{\"x\":1}", 7);
    }
    cluster_flush(c.producer);
    child_run(&k, &c, HASTY, "kscore.workers=2");
    child_wait_line(&k, "event=breaker_open", 1);
    while (cluster_committed(&c, 1) < EACH) {
        ck_assert_msg(clock_ms() < until, "the sound partition stands still");
        harness_breathe();
    }
    child_stop(&k);
    ck_assert_int_lt(cluster_committed(&c, 0), EACH / 4);
    child_release(&k);
    finish(&c, 2 * EACH);
}
END_TEST

SUITE(burst)
{
    CASE("open", a_burst_opens_it_before_the_stream_is_drained);
    CASE("restart", restarts_send_no_dead_letter_of_a_bad_stream,
         a_start_with_few_records_sends_them_whatever_they_are);
    CASE("try", a_try_with_few_records_at_hand_closes_it,
         a_try_with_enough_bad_records_opens_it_again);
    CASE("members", members_come_and_go_while_it_is_open, one_worker_waits_and_the_other_goes_on);
}
