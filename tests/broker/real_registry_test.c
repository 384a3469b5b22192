/* Events whose schemas are in a real registry, which fails while they are read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/registry.h"
#include "tests/events.h"
#include "tests/harness.h"

enum { VERSIONS = 100 };

struct fixture {
    struct cluster cluster;
    struct child child;
    char subject[100], url[300], cache[400];
    uint32_t ids[VERSIONS + 2];
};

static void init(struct fixture *f, int32_t partitions)
{
    memset(f, 0, sizeof *f);
    cluster_open(&f->cluster, partitions);
    snprintf(f->subject, sizeof f->subject, "%s-value", f->cluster.in);
    snprintf(f->url, sizeof f->url, "schemas.registry.url=http://127.0.0.1:1,%s", registry_url());
    snprintf(f->cache, sizeof f->cache, "schemas.cache=%s/cache", f->cluster.folder);
}

static void start(struct fixture *f, const char *setting)
{
    child_run(&f->child, &f->cluster, "consumer.format=avro", f->url, f->cache, setting);
}

/* Version n of the topic's schema has n fields more, in front of x. */
static uint32_t register_version(const struct fixture *f, int n)
{
    char schema[VERSIONS * 60 + 400], *at = schema;

    at += sprintf(at, "{'type':'record','name':'E','doc':'%s','fields':[", f->subject);
    for (int i = 0; i < n; i++)
        at += sprintf(at, "{'name':'f%d','type':['null','long'],'default':null},", i);
    sprintf(at, "{'name':'x','type':'double'}]}");
    return registry_register(f->subject, schema, NULL);
}

static void send_version(struct fixture *f, int32_t partition, int n, double x)
{
    struct event event = {0};

    event_frame(&event, f->ids[n]);
    for (int i = 0; i < n; i++)
        event_long(&event, 0); /* null */
    event_double(&event, x);
    cluster_send(&f->cluster, partition, "k", event.data, event.len);
    event_release(&event);
}

static void register_versions(struct fixture *f, int count)
{
    for (int n = 0; n < count; n++)
        f->ids[n] = register_version(f, n);
}

static void send_known(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        send_version(f, 1, i % VERSIONS, 1);
    cluster_flush(f->cluster.producer);
}

/* It stops with one version more than it knows now, which is what comes back. */
static void stop_with_a_new_version(struct fixture *f, bool is_killed)
{
    f->ids[VERSIONS] = register_version(f, VERSIONS);
    is_killed ? registry_stop() : registry_pause(true);
}

/* It keeps all in memory: killed, it comes back empty, and gives the same ids again. */
static void come_back(struct fixture *f, bool is_killed)
{
    uint32_t lost = f->ids[VERSIONS];

    if (!is_killed) {
        registry_pause(false);
        return;
    }
    registry_start();
    register_versions(f, VERSIONS + 1);
    ck_assert_uint_eq(f->ids[VERSIONS], lost);
}

static const struct manner {
    const char *name;
    bool is_killed; /* refuses connections, instead of answering none */
    const char *wait;
} manners[] = {{"hangs", false, "consumer.unknown_id_wait_ms=0"},
               /* back, and empty at first: an id that it had is no record's fault so early */
               {"is gone", true, "consumer.unknown_id_wait_ms=60000"}};

START_TEST(a_hundred_versions_and_a_registry_that_stops_with_a_new_id_in_flight)
{
    const struct manner *manner = &manners[_i];
    struct fixture f;
    struct cluster *c = &f.cluster;
    struct child again;
    int64_t since_ms, took_ms;

    init(&f, 2);
    register_versions(&f, VERSIONS);
    start(&f, manner->wait);
    for (int i = 0; i < 10 * VERSIONS; i++)
        send_version(&f, i % 2, i * 37 % VERSIONS, i % 3);
    cluster_flush(c->producer);
    cluster_wait_outcomes(c, 10 * VERSIONS);
    /* A new version, whose first record comes when nobody can be asked. */
    stop_with_a_new_version(&f, manner->is_killed);
    send_version(&f, 0, VERSIONS, 1);
    send_known(&f, 2 * VERSIONS);
    child_wait_line(&f.child, "event=parked", 1);
    cluster_wait_outcomes(c, 12 * VERSIONS);
    child_stop(&f.child);
    /* A restart meanwhile. */
    again = f.child;
    start(&f, manner->wait);
    send_known(&f, 2 * VERSIONS);
    cluster_wait_outcomes(c, 14 * VERSIONS);
    child_wait_line(&f.child, "event=parked", 1);
    ck_assert_int_eq(cluster_outcome_count(c), 14 * VERSIONS);
    come_back(&f, manner->is_killed);
    since_ms = clock_ms();
    cluster_wait_outcomes(c, 14 * VERSIONS + 1);
    took_ms = clock_ms() - since_ms;
    printf("a registry that %s: scored %lld ms after its return\n", manner->name,
           (long long)took_ms);
    ck_assert_msg(took_ms < 5000 * harness_slowness(), "recovery took %lld ms", (long long)took_ms);
    ck_assert_int_eq(child_number(child_stop(&f.child), "dead"), 0);
    ck_assert_int_eq(child_count(&f.child, "event=unparked"), 1);
    ck_assert_uint_eq(expect_outcomes(c, NULL), 0);
    ck_assert_int_eq(cluster_end(c, c->dead, 0) + cluster_end(c, c->dead, 1), 0);
    cluster_expect_no_lag(c);
    child_release(&again);
    child_release(&f.child);
    cluster_close(c);
}
END_TEST

START_TEST(references_are_resolved_and_unknown_ids_cost_a_dead_letter_each)
{
    static const uint32_t unknown[] = {0, 2000000000, INT32_MAX, (uint32_t)INT32_MAX + 1,
                                       UINT32_MAX};
    enum { UNKNOWN = sizeof unknown / sizeof unknown[0] };
    char other[120], references[300];
    struct event event = {0};
    struct fixture f;
    struct dump dead;
    uint32_t id;

    init(&f, 1);
    snprintf(other, sizeof other, "%s-inner", f.cluster.group);
    registry_register(other,
                      "{'type':'record','name':'Inner','namespace':'n','fields':[{'name':'y',"
                      "'type':'long'}]}",
                      NULL);
    snprintf(references, sizeof references, "[{'name':'n.Inner','subject':'%s','version':1}]",
             other);
    start(&f, "consumer.unknown_id_wait_ms=0");
    child_wait_line(&f.child, "event=ready", 1);
    id = registry_register(f.subject,
                           "{'type':'record','name':'Outer','namespace':'m','fields':[{'name':'a',"
                           "'type':'n.Inner'},{'name':'x','type':'double'}]}",
                           references);
    for (size_t i = 0; i < UNKNOWN; i++) {
        event.len = 0;
        event_frame(&event, unknown[i]);
        cluster_send(&f.cluster, 0, "k", event.data, event.len);
    }
    event.len = 0;
    event_frame(&event, id);
    event_long(&event, 300);
    event_double(&event, 1);
    cluster_send(&f.cluster, 0, "k", event.data, event.len);
    event_release(&event);
    cluster_flush(f.cluster.producer);
    cluster_wait_outcomes(&f.cluster, UNKNOWN + 1);
    ck_assert_int_eq(child_number(child_stop(&f.child), "scored"), 1);
    ck_assert_int_eq(child_count(&f.child, "event=parked"), 0);
    ck_assert_uint_eq(expect_outcomes(&f.cluster, NULL), 0);
    dump_load(&dead, &f.cluster, f.cluster.dead);
    ck_assert_uint_eq(dead.count, UNKNOWN);
    for (size_t i = 0; i < UNKNOWN; i++)
        ck_assert_str_eq(dump_header(dead.items[i], "__connect.errors.exception.class.name"),
                         "unknown_schema_id");
    dump_release(&dead);
    child_release(&f.child);
    cluster_close(&f.cluster);
}
END_TEST

/* Registered by the first run, found by the second. */
START_TEST(tail_reads_events_by_the_schemas_of_the_registry)
{
    struct fixture f;

    init(&f, 1);
    register_versions(&f, 2);
    send_version(&f, 0, 1, 2.5);
    cluster_flush(f.cluster.producer);
    child_command(&f.child, &f.cluster, "tail",
                  (const char *const[]){"events", "-n", "1", "--from", "earliest", "-s",
                                        "consumer.format=avro", "-s", f.url, NULL});
    child_expect_exit(&f.child, 0);
    child_wait_line(&f.child, "{\"f0\":null,\"x\":2.5}", 1);
    child_release(&f.child);
    cluster_close(&f.cluster);
}
END_TEST

START_TEST(the_schema_of_avro_scores_is_registered_and_found)
{
    struct fixture f;
    struct cluster *c = &f.cluster;
    struct child first;
    struct dump scores;
    char subject[100];
    int64_t id;

    init(&f, 1);
    snprintf(subject, sizeof subject, "%s-value", c->scores);
    cluster_send_events(c, 10);
    child_run(&first, c, f.url, "producer.format=avro");
    id = child_number(child_wait_line(&first, subject, 1), "id");
    cluster_wait_outcomes(c, 10);
    child_stop(&first);
    cluster_send_events(c, 10);
    child_run(&f.child, c, f.url, "producer.format=avro");
    ck_assert_int_eq(child_number(child_wait_line(&f.child, subject, 1), "id"), id);
    cluster_wait_outcomes(c, 20);
    child_stop(&f.child);
    dump_load(&scores, c, c->scores);
    ck_assert_uint_eq(scores.count, 20);
    for (size_t i = 0; i < scores.count; i++) {
        const uint8_t frame[] = {0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id};
        ck_assert_mem_eq(scores.items[i]->payload, frame, sizeof frame);
    }
    dump_release(&scores);
    child_release(&first);
    child_release(&f.child);
    cluster_close(c);
}
END_TEST

SUITE(real_registry)
{
    TCase *tcases[] = {CASE("apicurio", tail_reads_events_by_the_schemas_of_the_registry,
                            the_schema_of_avro_scores_is_registered_and_found,
                            references_are_resolved_and_unknown_ids_cost_a_dead_letter_each),
                       harness_case(suite, "stops", NULL, 0)};

    tcase_add_loop_test(tcases[1],
                        a_hundred_versions_and_a_registry_that_stops_with_a_new_id_in_flight, 0,
                        sizeof manners / sizeof manners[0]);
    for (size_t i = 0; i < sizeof tcases / sizeof tcases[0]; i++) {
        tcase_add_checked_fixture(tcases[i], registry_start, registry_stop);
        tcase_set_timeout(tcases[i], 120 * harness_slowness());
    }
}
