/* An input topic that is deleted and made anew under its name, with records where the old one had
 * some: each of them is scored, or told as a gap. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { OLD = 300, NEW = 400, ALL = 1000 };

static void run(struct child *k, struct cluster *c, const char *setting)
{
    child_run(k, c, "producer.carry=n", "consumer.topic.metadata.refresh.interval.ms=300",
              setting ? setting : "consumer.start=earliest");
}

/* Which of the events were scored: each carries its number. */
static void read_numbers(struct cluster *c, bool is_scored[ALL])
{
    struct dump scores;

    memset(is_scored, 0, ALL * sizeof *is_scored);
    dump_load(&scores, c, c->scores);
    for (size_t i = 0; i < scores.count; i++) {
        json_t *json = json_loadb(scores.items[i]->payload, scores.items[i]->len, 0, NULL);
        int n = atoi(json_string_value(json_object_get(json_object_get(json, "carry"), "n")));
        ck_assert_int_lt(n, ALL);
        is_scored[n] = true;
        json_decref(json);
    }
    dump_release(&scores);
}

static int count_missing(struct cluster *c, int from)
{
    bool is_scored[ALL];
    int missing = 0;

    read_numbers(c, is_scored);
    for (int n = from; n < c->event_count; n++)
        missing += !is_scored[n];
    return missing;
}

static void wait_committed(struct cluster *c, int64_t offset)
{
    int64_t until = harness_deadline();

    while (cluster_committed(c, 0) != offset) {
        ck_assert_msg(clock_ms() < until, "committed %lld, want %lld",
                      (long long)cluster_committed(c, 0), (long long)offset);
        harness_breathe();
    }
}

/* Each event from one on is scored, and all is committed. */
static void expect_scored(struct cluster *c, struct child *k, int from)
{
    int64_t until = harness_deadline();
    int missing, gaps;

    while ((missing = count_missing(c, from)) > 0 && clock_ms() < until)
        harness_breathe();
    gaps = child_count(k, "event=gap");
    ck_assert_msg(missing == 0, "%d of %d records were skipped; event=gap %d times; the log:\n%s",
                  missing, (int)(c->event_count - from), gaps, k->log);
    wait_committed(c, cluster_end(c, c->in, 0));
}

static void finish(struct cluster *c, struct child *k)
{
    child_stop(k);
    child_release(k);
    cluster_close(c);
}

static void make_anew(struct cluster *c)
{
    cluster_create_topic(c, c->in, 1, NULL);
    cluster_send_events(c, NEW);
}

/* Another process reads the new topic in place of one that has stopped. */
static void finish_with_another(struct cluster *c, struct child *stopped)
{
    struct child next;

    run(&next, c, NULL);
    expect_scored(c, &next, OLD);
    child_release(stopped);
    finish(c, &next);
}

/* All of the old topic is scored and committed. */
static void begin(struct cluster *c, struct child *k, const char *setting)
{
    cluster_open(c, 1);
    cluster_send_events(c, OLD);
    run(k, c, setting);
    child_wait_line(k, "event=ready", 1);
    wait_committed(c, OLD);
}

START_TEST(a_topic_that_is_seen_gone_is_read_from_its_start_when_it_is_back)
{
    struct cluster c;
    struct child k;

    begin(&c, &k, NULL);
    cluster_delete_topic(&c, c.in);
    child_wait_line(&k, "event=revoked", 1);
    make_anew(&c);
    expect_scored(&c, &k, OLD);
    ck_assert_int_eq(child_count(&k, "event=gap"), 1);
    finish(&c, &k);
}
END_TEST

START_TEST(a_topic_that_is_back_at_once_is_read_from_its_start)
{
    struct cluster c;
    struct child k;

    begin(&c, &k, NULL);
    cluster_delete_topic(&c, c.in);
    cluster_create_topic(&c, c.in, 1, NULL);
    cluster_send_events(&c, OLD / 3);
    child_wait_line(&k, "event=gap", 1);
    cluster_send_events(&c, OLD);
    expect_scored(&c, &k, OLD);
    finish(&c, &k);
}
END_TEST

/* Its members know that they read it: what comes before they see it is no "before the start". */
START_TEST(a_topic_that_comes_back_is_read_from_its_start_also_with_start_latest)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    run(&k, &c, "consumer.start=latest");
    child_wait_line(&k, "event=ready", 1);
    cluster_send_events(&c, OLD);
    wait_committed(&c, OLD);
    cluster_delete_topic(&c, c.in);
    child_wait_line(&k, "event=revoked", 1);
    make_anew(&c);
    expect_scored(&c, &k, OLD);
    finish(&c, &k);
}
END_TEST

static void send_to(struct cluster *c, const char *topic, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(rd_kafka_producev(c->producer, RD_KAFKA_V_TOPIC(topic),
                                           RD_KAFKA_V_VALUE((void *)"{\"x\":1,\"n\":0}", 13),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_END),
                         0);
    cluster_flush(c->producer);
}

/* Nor is the group asked to share its partitions anew: metadata is not refreshed for a minute. */
START_TEST(other_topics_go_on_while_one_is_gone)
{
    char other[100], topics[300];
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    snprintf(other, sizeof other, "%s.other", c.group);
    snprintf(topics, sizeof topics, "consumer.topic=%s, %s", c.in, other);
    cluster_create_topic(&c, other, 1, NULL);
    child_run(&k, &c, topics, "producer.carry=n");
    cluster_send_events(&c, OLD);
    send_to(&c, other, 10);
    cluster_wait_outcomes(&c, OLD + 10);
    wait_committed(&c, OLD);
    cluster_delete_topic(&c, c.in);
    child_wait_line(&k, "does not exist; asking again", 1);
    send_to(&c, other, 10);
    cluster_wait_outcomes(&c, OLD + 20);
    make_anew(&c);
    expect_scored(&c, &k, OLD);
    ck_assert_int_eq(child_count(&k, "event=gap"), 1);
    finish(&c, &k);
}
END_TEST

/* It saw nothing of it: neither was the topic gone, nor an offset beyond its end. */
START_TEST(a_topic_that_is_made_anew_while_it_sleeps_is_known_by_its_records)
{
    enum { ASLEEP_MS = 3500 }; /* within its session */
    int64_t until;
    struct cluster c;
    struct child k;

    begin(&c, &k, NULL);
    child_signal(&k, SIGSTOP);
    until = clock_ms() + ASLEEP_MS;
    cluster_delete_topic(&c, c.in);
    make_anew(&c);
    while (clock_ms() < until)
        harness_breathe();
    child_signal(&k, SIGCONT);
    expect_scored(&c, &k, OLD);
    ck_assert_int_eq(child_count(&k, "event=gap"), 1);
    finish(&c, &k);
}
END_TEST

/* A stop commits what is done: not into the topic that comes next. */
START_TEST(a_stop_while_the_topic_is_gone_leaves_no_offset_behind)
{
    struct cluster c;
    struct child k;

    begin(&c, &k, NULL);
    cluster_delete_topic(&c, c.in);
    child_wait_line(&k, "event=revoked", 1);
    child_stop(&k);
    make_anew(&c);
    finish_with_another(&c, &k);
}
END_TEST

/* The brokers forget the group's offsets with the topic. */
START_TEST(a_topic_that_is_made_anew_while_nobody_reads_is_read_from_its_start)
{
    struct cluster c;
    struct child k;

    begin(&c, &k, NULL);
    child_stop(&k);
    cluster_delete_topic(&c, c.in);
    make_anew(&c);
    finish_with_another(&c, &k);
}
END_TEST

START_TEST(a_topic_that_is_made_anew_ends_the_program_with_65_when_a_gap_shall_stop_it)
{
    struct cluster c;
    struct child k;

    begin(&c, &k, "consumer.on_gap=stop");
    cluster_delete_topic(&c, c.in);
    child_wait_line(&k, "event=revoked", 1);
    make_anew(&c);
    child_expect_exit(&k, 65);
    child_expect_complaint(&k, "on_gap = stop");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(remade)
{
    CASE("running", a_topic_that_is_seen_gone_is_read_from_its_start_when_it_is_back,
         a_topic_that_is_back_at_once_is_read_from_its_start,
         a_topic_that_comes_back_is_read_from_its_start_also_with_start_latest,
         other_topics_go_on_while_one_is_gone,
         a_topic_that_is_made_anew_while_it_sleeps_is_known_by_its_records);
    CASE("stopped", a_stop_while_the_topic_is_gone_leaves_no_offset_behind,
         a_topic_that_is_made_anew_while_nobody_reads_is_read_from_its_start,
         a_topic_that_is_made_anew_ends_the_program_with_65_when_a_gap_shall_stop_it);
}
