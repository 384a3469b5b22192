/* SIGTERM in each state of waiting, in both modes at a time: it ends within drain_ms and 8 s (run
 * --help), with 0, or 75 where what was acknowledged could not be committed; and the next start
 * loses nothing, and exactly once repeats nothing. */
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

enum { PARTITIONS = 2, MODES = 2, SESSION_MS = 2000 };

static const char *const modes[MODES] = {"at_least_once", "exactly_once"};

/* What a state needs in one mode beside the broker: its cluster, and the kscore that is stopped. */
struct scene {
    const struct state *state;
    int64_t took_ms; /* to stop */
    struct cluster c;
    struct child k, others[2]; /* members that it waits for */
    struct stub registry;
    char url[100], session[60];
};

static const char schema[] = "{'type':'record','name':'E','fields':[{'name':'x','type':'double'}]}";

static void wait_waiting(struct scene *s)
{
    child_send_until(&s->k, &s->c, "event=waiting");
}

static void delete_scores(struct scene *s)
{
    cluster_delete_topic(&s->c, s->c.scores);
    cluster_send_events(&s->c, 20);
}

static void make_scores(struct scene *s)
{
    cluster_create_topic(&s->c, s->c.scores, PARTITIONS, NULL);
}

static void forbid_scores(struct scene *s)
{
    cluster_forbid(&s->c, RD_KAFKA_RESOURCE_TOPIC, s->c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
    cluster_send_events(&s->c, 20);
}

static void allow_scores(struct scene *s)
{
    cluster_allow(&s->c, RD_KAFKA_RESOURCE_TOPIC, s->c.scores, RD_KAFKA_ACL_OPERATION_WRITE);
}

/* Not even a dead letter without its value. */
static void lower_limit(struct scene *s)
{
    cluster_configure(&s->c, s->c.dead, "max.message.bytes", "100");
    cluster_send(&s->c, 0, "bad", "{", 1);
    cluster_flush(s->c.producer);
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

static void allow_group(struct scene *s)
{
    cluster_allow(&s->c, RD_KAFKA_RESOURCE_GROUP, s->c.group, RD_KAFKA_ACL_OPERATION_READ);
}

static void score_on(struct scene *s)
{
    score(s);
    cluster_send_events(&s->c, 400); /* some of them are under way */
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
}

static void wait_parked(struct scene *s)
{
    child_wait_line(&s->k, "event=parked", 1);
}

static void answer(struct scene *s)
{
    stub_set_schema(&s->registry, 2, schema, NULL);
}

/* The second joins, falls asleep, and does not join again when a third comes. */
static void start_second(struct scene *s)
{
    cluster_send_events(&s->c, 100);
    child_run(&s->others[0], &s->c, s->session);
}

static void start_third(struct scene *s)
{
    child_wait_line(&s->others[0], "event=assigned", 1);
    child_signal(&s->others[0], SIGSTOP);
    child_run(&s->others[1], &s->c, s->session);
    child_wait_line(&s->k, "event=revoked", 2);
    cluster_send_events(&s->c, 100);
}

static void kill_others(struct scene *s)
{
    child_kill(&s->others[0]);
    child_kill(&s->others[1]);
}

/* Its records go while it sleeps; what it had asked for before is answered within 100 ms. */
static void stop_it(struct scene *s)
{
    child_signal(&s->k, SIGSTOP);
}

static void make_gap(struct scene *s)
{
    int64_t until = clock_ms() + 1000;

    while (clock_ms() < until)
        harness_breathe();
    cluster_send_events(&s->c, 100);
    for (int32_t i = 0; i < PARTITIONS; i++)
        cluster_delete_records(&s->c, i, 30);
    child_signal(&s->k, SIGCONT);
    child_wait_line(&s->k, "event=gap", 1);
}

static void fall_asleep(struct scene *s)
{
    score(s);
    child_signal(&s->k, SIGSTOP);
}

/* Longer than its session: the group has given it up. */
static void sleep_too_long(void)
{
    int64_t until = clock_ms() + (int64_t)(SESSION_MS * harness_slowness()) + 1000;

    while (clock_ms() < until)
        harness_breathe();
}

static void pause_broker(void)
{
    cluster_broker("pause");
}

static void wake_broker(void)
{
    cluster_broker("cont");
}

/* The coordinator of the group and of the transaction, too. */
static void kill_broker(void)
{
    cluster_broker("kill");
}

static void start_broker(void)
{
    cluster_broker("start");
}

/* Where the brokers do not answer, or deny the group; or it depends on whether it has heard of it.
 */
enum { CANNOT_COMMIT = 75, EITHER = -1 };

/* begin, then until, then breaks: the stop comes; mends, then end. */
static const struct state {
    const char *name;
    int code;
    void (*begin)(struct scene *), (*until)(struct scene *), (*end)(struct scene *); /* each mode */
    void (*breaks)(void), (*mends)(void);                                            /* for both */
} states[] = {
    {"output topic gone", 0, delete_scores, wait_waiting, make_scores, NULL, NULL},
    {"output denied", 0, forbid_scores, wait_waiting, allow_scores, NULL, NULL},
    {"size limit lowered", 0, lower_limit, wait_waiting, raise_limit, NULL, NULL},
    {"group denied", CANNOT_COMMIT, forbid_group, NULL, allow_group, NULL, NULL},
    {"broker hangs", CANNOT_COMMIT, score_on, NULL, NULL, pause_broker, wake_broker},
    {"broker hangs, all is done", CANNOT_COMMIT, score, NULL, NULL, pause_broker, wake_broker},
    {"broker gone", CANNOT_COMMIT, score_on, NULL, NULL, kill_broker, start_broker},
    {"registry down", 0, park, wait_parked, answer, NULL, NULL},
    {"rebalance", 0, start_second, start_third, kill_others, NULL, NULL},
    {"retention gap", 0, stop_it, make_gap, NULL, NULL, NULL},
    {"session over", EITHER, fall_asleep, NULL, NULL, sleep_too_long, NULL},
};

/* From here on clusters and children are of that mode. */
static void enter(int mode)
{
    setenv("KSCORE_DELIVERY", modes[mode], 1);
}

static void in_both(struct scene *scenes, void (*act)(struct scene *))
{
    for (int i = 0; act && i < MODES; i++) {
        enter(i);
        act(&scenes[i]);
    }
}

static void open_scene(struct scene *s)
{
    stub_start(&s->registry, 0);
    stub_set_schema(&s->registry, 1, schema, NULL);
    stub_set(&s->registry, "/schemas/ids/2", STUB_ANSWERS, 503, NULL);
    setenv("no_proxy", "127.0.0.1", 1);
    cluster_open(&s->c, PARTITIONS);
    rd_kafka_set_log_level(s->c.producer, 0); /* it would say that the broker is away */
    rd_kafka_set_log_level(s->c.watcher, 0);
    if (s->state->begin != forbid_scores && s->state->begin != forbid_group)
        return;
    cluster_use_password(&s->c, "kscore");
    cluster_allow_all_but(&s->c, -1);
}

/* The first one has little time to stop, and commits late. */
static void run(struct scene *s, bool is_first)
{
    const char *items[8], *url = s->url;
    size_t count = 0;

    snprintf(s->session, sizeof s->session, "consumer.session.timeout.ms=%d",
             (int)(SESSION_MS * harness_slowness()));
    items[count++] = s->session;
    snprintf(s->url, sizeof s->url, "schemas.registry.url=%s", s->registry.url);
    if (is_first)
        items[count++] = "kscore.drain_ms=1000";
    if (is_first && s->state->begin != start_second) {
        items[count++] = "kscore.commit_ms=60000";
        items[count++] = "kscore.transaction_ms=10000";
    }
    if (s->state->begin == park) {
        items[count++] = "consumer.format=avro";
        items[count++] = "consumer.framing=confluent";
        items[count++] = url;
    }
    items[count] = NULL;
    child_start(&s->k, &s->c, items);
}

static void wait_ready(struct scene *s)
{
    child_wait_line(&s->k, "event=ready", 1);
}

static void stop_both(struct scene *scenes)
{
    int64_t start_ms = clock_ms();

    for (int i = 0; i < MODES; i++) {
        scenes[i].took_ms = 0;
        child_signal(&scenes[i].k, SIGTERM);
        child_signal(&scenes[i].k, SIGCONT);
    }
    while (scenes[0].took_ms == 0 || scenes[1].took_ms == 0) {
        for (int i = 0; i < MODES; i++)
            if (scenes[i].took_ms == 0 && !child_is_running(&scenes[i].k))
                scenes[i].took_ms = clock_ms() - start_ms + 1;
        harness_breathe();
    }
}

static void expect_end(struct scene *s)
{
    const char *name = s->state->name;
    int code = s->state->code;

    child_count(&s->k, "event="); /* reads the log */
    ck_assert_msg(s->took_ms < (int64_t)(9000 * harness_slowness()), "%s: it took %lld ms:\n%s",
                  name, (long long)s->took_ms, s->k.log);
    ck_assert_msg(s->k.code == code ||
                      (code == EITHER && (s->k.code == 0 || s->k.code == CANNOT_COMMIT)),
                  "%s: ended with %d, want %d:\n%s", name, s->k.code, code, s->k.log);
    child_release(&s->k);
}

static void expect_nothing_lost(struct scene *s)
{
    static const int64_t floor[CLUSTER_MAX_PARTITIONS];

    wait_ready(s);
    cluster_wait_no_lag(&s->c);
    child_stop(&s->k);
    expect_outcomes(&s->c, &(struct account){.floor = floor});
    child_release(&s->k);
    cluster_close(&s->c);
    stub_stop(&s->registry);
}

static void start_first(struct scene *s)
{
    run(s, true);
}

static void start_next(struct scene *s)
{
    run(s, false);
}

START_TEST(a_stop_while_it_waits_ends_in_time_and_loses_nothing)
{
    static struct scene scenes[MODES];
    const struct state *state = &states[_i];

    for (int i = 0; i < MODES; i++)
        scenes[i].state = state;
    in_both(scenes, open_scene);
    in_both(scenes, start_first);
    in_both(scenes, wait_ready);
    in_both(scenes, state->begin);
    in_both(scenes, state->until);
    if (state->breaks)
        state->breaks();
    stop_both(scenes);
    if (state->mends)
        state->mends();
    in_both(scenes, state->end);
    in_both(scenes, expect_end);
    in_both(scenes, start_next);
    in_both(scenes, expect_nothing_lost);
}
END_TEST

SUITE(stopping)
{
    TCase *tcase = harness_case(suite, "waiting", NULL, 0);

    tcase_add_loop_test(tcase, a_stop_while_it_waits_ends_in_time_and_loses_nothing, 0,
                        sizeof states / sizeof states[0]);
    tcase_set_timeout(tcase, 120 * harness_slowness());
}
