/* SIGTERM in each state of waiting, in both modes: it ends within drain_ms and 8 s (run --help),
 * with 0, or 75 where what was acknowledged could not be committed; and the next start loses
 * nothing, and exactly once repeats nothing. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"
#include "tests/stub.h"

enum { PARTITIONS = 2 };

/* What a state needs beside its cluster and the kscore that is stopped. */
struct scene {
    struct cluster c;
    struct child k, others[2]; /* members that it waits for */
    struct stub registry;
    char url[100];
};

static const char schema[] = "{'type':'record','name':'E','fields':[{'name':'x','type':'double'}]}";

static void delete_scores(struct scene *s)
{
    cluster_delete_topic(&s->c, s->c.scores);
    child_send_until(&s->k, &s->c, "event=waiting");
}

static void make_scores(struct scene *s)
{
    cluster_create_topic(&s->c, s->c.scores, PARTITIONS, NULL);
}

static void forbid_scores(struct scene *s)
{
    cluster_forbid(&s->c, RD_KAFKA_RESOURCE_TOPIC, s->c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    child_send_until(&s->k, &s->c, "event=waiting");
}

static void allow(struct scene *s)
{
    cluster_allow_all_but(&s->c, -1);
}

/* Not even a dead letter without its value. */
static void lower_limit(struct scene *s)
{
    cluster_configure(&s->c, s->c.dead, "max.message.bytes", "100");
    cluster_send(&s->c, 0, "bad", "{", 1);
    child_send_until(&s->k, &s->c, "event=waiting");
}

static void raise_limit(struct scene *s)
{
    cluster_configure(&s->c, s->c.dead, "max.message.bytes", NULL);
}

/* Outcomes are written and not committed. */
static void score(struct scene *s)
{
    int64_t until = harness_deadline();

    cluster_send_events(&s->c, 100);
    while (cluster_high(&s->c, s->c.scores, 0) + cluster_high(&s->c, s->c.scores, 1) < 100) {
        ck_assert_msg(clock_ms() < until, "not all is scored in time");
        harness_breathe();
    }
}

static void forbid_group(struct scene *s)
{
    score(s);
    cluster_forbid(&s->c, RD_KAFKA_RESOURCE_GROUP, s->c.group, RD_KAFKA_ACL_OPERATION_READ);
}

static void pause_broker(struct scene *s)
{
    score(s);
    cluster_send_events(&s->c, 400); /* some of them are under way */
    cluster_broker("pause");
}

static void wake_broker(struct scene *s)
{
    (void)s;
    cluster_broker("cont");
}

/* The coordinator of the group and of the transaction, too. */
static void kill_broker(struct scene *s)
{
    score(s);
    cluster_send_events(&s->c, 400);
    cluster_broker("kill");
}

static void start_broker(struct scene *s)
{
    (void)s;
    cluster_broker("start");
}

/* in[0] waits for schema 2, in[1] goes on. */
static void park(struct scene *s)
{
    static const char event[] = "\0\0\0\0\1\0\0\0\0\0\0\0\0\0";

    for (int i = 0; i < 40; i++) {
        char value[sizeof event];
        memcpy(value, event, sizeof event);
        value[4] = (char)(i % PARTITIONS == 0 && i >= 20 ? 2 : 1);
        cluster_send(&s->c, i % PARTITIONS, NULL, value, 13);
    }
    cluster_flush(s->c.producer);
    child_wait_line(&s->k, "event=parked", 1);
}

static void answer(struct scene *s)
{
    stub_set_schema(&s->registry, 2, schema, NULL);
}

/* A third has joined, and the second, which sleeps, does not join again. */
static void rebalance(struct scene *s)
{
    cluster_send_events(&s->c, 100);
    child_run(&s->others[0], &s->c);
    child_wait_line(&s->others[0], "event=assigned", 1);
    child_signal(&s->others[0], SIGSTOP);
    child_run(&s->others[1], &s->c);
    child_wait_line(&s->k, "event=revoked", 2);
    cluster_send_events(&s->c, 100);
}

static void kill_others(struct scene *s)
{
    child_kill(&s->others[0]);
    child_kill(&s->others[1]);
}

/* Its records go while it sleeps; what it had asked for before is answered within 100 ms. */
static void make_gap(struct scene *s)
{
    int64_t until = clock_ms() + 1000;

    child_signal(&s->k, SIGSTOP);
    while (clock_ms() < until)
        harness_breathe();
    cluster_send_events(&s->c, 100);
    for (int32_t i = 0; i < PARTITIONS; i++)
        cluster_delete_records(&s->c, i, 30);
    child_signal(&s->k, SIGCONT);
    child_wait_line(&s->k, "event=gap", 1);
}

/* Longer than its session: the group has given it up. */
static void sleep_too_long(struct scene *s)
{
    int64_t until = clock_ms() + 7000;

    score(s);
    child_signal(&s->k, SIGSTOP);
    while (clock_ms() < until)
        harness_breathe();
}

/* Where the brokers do not answer. */
enum { CANNOT_COMMIT = 75, EITHER = -1 };

static const struct state {
    const char *name;
    void (*begin)(struct scene *), (*end)(struct scene *);
    int codes[2]; /* at_least_once, exactly_once */
} states[] = {
    {"output topic gone", delete_scores, make_scores, {0, 0}},
    {"output denied", forbid_scores, allow, {0, 0}},
    {"size limit lowered", lower_limit, raise_limit, {0, 0}},
    {"group denied", forbid_group, allow, {CANNOT_COMMIT, CANNOT_COMMIT}},
    {"broker hangs", pause_broker, wake_broker, {CANNOT_COMMIT, CANNOT_COMMIT}},
    {"broker gone", kill_broker, start_broker, {CANNOT_COMMIT, CANNOT_COMMIT}},
    {"registry down", park, answer, {0, 0}},
    {"rebalance", rebalance, kill_others, {0, 0}},
    {"retention gap", make_gap, NULL, {0, 0}},
    {"session over", sleep_too_long, NULL, {EITHER, EITHER}}, /* whether it has heard of it yet */
};

static void open_scene(struct scene *s)
{
    stub_start(&s->registry, 0);
    stub_set_schema(&s->registry, 1, schema, NULL);
    stub_set(&s->registry, "/schemas/ids/2", STUB_ANSWERS, 503, NULL);
    setenv("no_proxy", "127.0.0.1", 1);
    cluster_open(&s->c, PARTITIONS);
    rd_kafka_set_log_level(s->c.producer, 0); /* it would say that the broker is away */
    rd_kafka_set_log_level(s->c.watcher, 0);
    cluster_use_password(&s->c, "kscore");
    cluster_allow_all_but(&s->c, -1);
}

/* The first one has little time to stop, and commits late. */
static void run(struct scene *s, const struct state *state, bool is_first)
{
    const char *items[8], *url = s->url;
    size_t count = 0;

    snprintf(s->url, sizeof s->url, "schemas.registry.url=%s", s->registry.url);
    if (is_first)
        items[count++] = "kscore.drain_ms=1000";
    if (is_first && state->begin != rebalance) {
        items[count++] = "kscore.commit_ms=60000";
        items[count++] = "kscore.transaction_ms=10000";
    }
    if (state->begin == park) {
        items[count++] = "consumer.format=avro";
        items[count++] = "consumer.framing=confluent";
        items[count++] = url;
    }
    items[count] = NULL;
    child_start(&s->k, &s->c, items);
    child_wait_line(&s->k, "event=ready", 1);
}

START_TEST(a_stop_while_it_waits_ends_in_time_and_loses_nothing)
{
    static const int64_t floor[CLUSTER_MAX_PARTITIONS];
    static struct scene s;
    const struct state *state = &states[_i / 2];
    int code = state->codes[_i % 2];
    int64_t ms;

    setenv("KSCORE_DELIVERY", _i % 2 ? "exactly_once" : "at_least_once", 1);
    open_scene(&s);
    run(&s, state, true);
    state->begin(&s);
    ms = clock_ms();
    child_signal(&s.k, SIGTERM);
    child_signal(&s.k, SIGCONT);
    while (child_is_running(&s.k))
        harness_breathe();
    ms = clock_ms() - ms;
    if (state->end)
        state->end(&s);
    child_count(&s.k, "event="); /* reads the log */
    ck_assert_msg(ms < (int64_t)(9000 * harness_slowness()), "%s: it took %lld ms", state->name,
                  (long long)ms);
    ck_assert_msg(s.k.code == code || (code == EITHER && (s.k.code == 0 || s.k.code == 75)),
                  "%s: ended with %d, want %d:\n%s", state->name, s.k.code, code, s.k.log);
    child_release(&s.k);
    run(&s, state, false);
    cluster_wait_no_lag(&s.c);
    child_stop(&s.k);
    expect_outcomes(&s.c, &(struct account){.floor = floor});
    child_release(&s.k);
    cluster_close(&s.c);
    stub_stop(&s.registry);
}
END_TEST

SUITE(stopping)
{
    TCase *tcase = harness_case(suite, "waiting", NULL, 0);

    tcase_add_loop_test(tcase, a_stop_while_it_waits_ends_in_time_and_loses_nothing, 0,
                        2 * sizeof states / sizeof states[0]);
    tcase_set_timeout(tcase, 120 * harness_slowness());
}
