/* kscore schema: what a real registry and a real topic hold, against the model; and that run says
 * the same. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/registry.h"
#include "tests/events.h"
#include "tests/harness.h"

#define EVENT(fields) "{'type':'record','name':'E','fields':[" fields "]}"

struct fixture {
    struct cluster cluster;
    char subject[100], url[300];
};

static void init(struct fixture *f, int32_t partitions)
{
    memset(f, 0, sizeof *f);
    cluster_open(&f->cluster, partitions);
    snprintf(f->subject, sizeof f->subject, "%s-value", f->cluster.in);
    snprintf(f->url, sizeof f->url, "schemas.registry.url=%s", registry_url());
}

/* kscore schema -c the configuration --json -s the registry WORDS..., its code checked; all that it
 * printed but for its last line of trouble. */
static json_t *ask(struct fixture *f, int code, const char *const *words)
{
    const char *all[16] = {"--json", "-s", "consumer.format=avro", "-s", f->url};
    struct child k;
    json_t *json;

    for (size_t i = 5; *words; i++)
        all[i] = *words++;
    child_command(&k, &f->cluster, "schema", all);
    child_expect_exit(&k, code);
    json = json_loads(strchr(k.log, '{') ? strchr(k.log, '{') : "", JSON_DISABLE_EOF_CHECK, NULL);
    ck_assert_msg(json != NULL, "no JSON: %s", k.log);
    child_release(&k);
    return json;
}

#define schema_json(f, code, ...)                                                                  \
    ask(f, code, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static const json_t *at(const json_t *list, size_t number, const char *name)
{
    return json_object_get(json_array_get(list, number), name);
}

static const char *text_at(const json_t *list, size_t number, const char *name)
{
    const char *text = json_string_value(at(list, number, name));

    return text ? text : "";
}

/* The fixture's model wants x, a number. */
static const struct {
    const char *schema;
    bool is_usable;
    const char *words; /* of why, or of how */
} versions[] = {
    {EVENT("{'name':'x','type':'double'},{'name':'note','type':'string'}"), true,
     "rounded to float32"},
    {EVENT("{'name':'x_eur','aliases':['x'],'type':'double'}"), false,
     "field x_eur has the alias x: if it means the same, write \"x | x_eur\""},
    {EVENT("{'name':'x','type':'string'}"), false, "x has the type string, but a number takes"},
    {EVENT("{'name':'x','type':'float'},{'name':'m','type':['null','long'],'default':null}"), true,
     "as it is"},
};

enum { VERSIONS = sizeof versions / sizeof versions[0] };

START_TEST(each_version_of_the_subject_is_judged_as_run_judges_it)
{
    struct fixture f;
    const json_t *schemas;
    json_t *json;
    struct child k;
    uint32_t ids[VERSIONS];
    char text[100];

    init(&f, 1);
    for (int i = 0; i < VERSIONS; i++)
        ids[i] = registry_register(f.subject, versions[i].schema, NULL);
    json = schema_json(&f, 65);
    schemas = json_object_get(json, "schemas");
    ck_assert_uint_eq(json_array_size(schemas), VERSIONS);
    for (int i = 0; i < VERSIONS; i++) {
        const json_t *features = at(schemas, (size_t)i, "features");
        const char *words = text_at(features, 0, versions[i].is_usable ? "how" : "why");
        snprintf(text, sizeof text, "%u", ids[i]);
        ck_assert_str_eq(text_at(schemas, (size_t)i, "id"), text);
        ck_assert_str_eq(text_at(schemas, (size_t)i, "subject"), f.subject);
        ck_assert_int_eq(json_integer_value(at(schemas, (size_t)i, "version")), i + 1);
        ck_assert_int_eq(json_is_true(at(schemas, (size_t)i, "usable")), versions[i].is_usable);
        ck_assert_msg(strstr(words, versions[i].words) != NULL, "%s", words);
    }
    json_decref(json);
    child_run(&k, &f.cluster, "consumer.format=avro", f.url);
    child_wait_line(&k, "event=ready", 1);
    for (int i = 0; i < VERSIONS; i++) {
        snprintf(text, sizeof text, "event=%s id=%u ",
                 versions[i].is_usable ? "schema_loaded" : "schema_unusable", ids[i]);
        ck_assert_msg(child_count(&k, text) == 1, "no %s in:\n%s", text, k.log);
    }
    child_stop(&k);
    child_release(&k);
    cluster_close(&f.cluster);
}
END_TEST

static void send_avro(struct fixture *f, uint32_t id)
{
    struct event e = {0};

    event_frame(&e, id);
    event_double(&e, 1);
    event_text(&e, "note");
    cluster_send(&f->cluster, 0, "k", e.data, e.len);
    event_release(&e);
}

START_TEST(the_newest_records_say_which_schemas_are_in_use)
{
    struct fixture f;
    const json_t *sample, *schemas;
    json_t *json;
    uint32_t good, renamed;
    char id[20];

    init(&f, 1);
    good = registry_register(f.subject, versions[0].schema, NULL);
    renamed = registry_register("another", versions[1].schema, NULL);
    send_avro(&f, 2000000000);
    for (int i = 0; i < 3; i++)
        send_avro(&f, good);
    send_avro(&f, renamed);
    send_avro(&f, renamed);
    cluster_flush(f.cluster.producer);
    json = schema_json(&f, 0, "-n", "5");
    sample = json_object_get(json, "sample");
    ck_assert_int_eq(json_integer_value(json_object_get(sample, "records")), 5);
    ck_assert_int_eq(json_integer_value(json_object_get(sample, "scored")), 3);
    ck_assert_str_eq(text_at(json_object_get(sample, "faults"), 0, "reason"), "unusable_schema");
    schemas = json_object_get(sample, "schemas");
    ck_assert_uint_eq(json_array_size(schemas), 2);
    snprintf(id, sizeof id, "%u", good);
    ck_assert_str_eq(text_at(schemas, 0, "id"), id);
    ck_assert_int_eq(json_integer_value(at(schemas, 0, "records")), 3);
    json_decref(json);
    /* The one that is no version of the subject, by its id. */
    snprintf(id, sizeof id, "%u", renamed);
    json = schema_json(&f, 65, id);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "schemas")), 1);
    ck_assert_str_eq(text_at(json_object_get(json, "schemas"), 0, "id"), id);
    json_decref(json);
    cluster_close(&f.cluster);
}
END_TEST

START_TEST(a_registry_that_does_not_answer_is_not_waited_for)
{
    struct fixture f;
    int64_t start_ms = clock_ms();
    json_t *json;

    init(&f, 1);
    registry_pause(true);
    json = schema_json(&f, 69);
    registry_pause(false);
    ck_assert(json_is_string(json_object_get(json, "trouble")));
    ck_assert_int_lt(clock_ms() - start_ms, 15000 * harness_slowness());
    json_decref(json);
    cluster_close(&f.cluster);
}
END_TEST

/* ---- events in JSON */

#define schema_run(k, c, ...)                                                                      \
    child_command(k, c, "schema", (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

START_TEST(of_json_the_newest_records_are_looked_at_as_many_of_each_partition)
{
    static const char text[] = "{\"xx\":1,\"other\":2}";
    struct cluster c;
    struct child k;

    cluster_open(&c, 3);
    cluster_send_events(&c, 3000);
    cluster_send(&c, 2, NULL, text, sizeof text - 1);
    cluster_send(&c, 2, NULL, NULL, 0);
    cluster_flush(c.producer);
    schema_run(&k, &c, "-n", "300");
    child_expect_exit(&k, 0);
    child_wait_line(&k, "the newest 300 records: 298 would be scored, 1 dead, 1 skipped", 1);
    child_wait_line(&k, "bind/missing_field ", 1);
    child_wait_line(&k, "not used: n, other, xx", 1);
    child_release(&k);
    /* Nobody is disturbed, and nothing is remembered. */
    for (int32_t i = 0; i < 3; i++)
        ck_assert_int_eq(cluster_committed(&c, i), -1);
    cluster_close(&c);
}
END_TEST

START_TEST(a_required_feature_that_no_event_has_is_an_error)
{
    static const char text[] = "{\"x_eur\":1,\"\\u001b[2J\":2}";
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    for (int i = 0; i < 5; i++)
        cluster_send(&c, 0, NULL, text, sizeof text - 1);
    cluster_flush(c.producer);
    schema_run(&k, &c);
    child_expect_exit(&k, 65);
    child_wait_line(&k, "  in no event", 1);
    child_wait_line(&k, "none of the newest 5 records can be scored", 1);
    child_wait_line(&k, "[\"\\u001b[2J\"]", 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(what_is_not_there_or_not_allowed_has_its_code)
{
    static const char unreachable[] = "kafka.bootstrap.servers=127.0.0.1:1";
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_send_events(&c, 3);
    schema_run(&k, &c, "-s", "consumer.topic=none-such");
    child_expect_exit(&k, 78);
    child_release(&k);
    schema_run(&k, &c, "-s", unreachable);
    child_expect_exit(&k, 69);
    child_release(&k);
    cluster_use_password(&c, "guessed");
    schema_run(&k, &c);
    child_expect_exit(&k, 77);
    child_release(&k);
    cluster_use_password(&c, "kscore");
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.in, RD_KAFKA_ACL_OPERATION_DESCRIBE);
    schema_run(&k, &c);
    child_expect_exit(&k, 77);
    child_release(&k);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.in, RD_KAFKA_ACL_OPERATION_READ);
    schema_run(&k, &c);
    child_expect_exit(&k, 0);
    child_wait_line(&k, "the newest 3 records: 3 would be scored", 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(schema)
{
    TCase *tcase = CASE("registry", each_version_of_the_subject_is_judged_as_run_judges_it,
                        the_newest_records_say_which_schemas_are_in_use,
                        a_registry_that_does_not_answer_is_not_waited_for);

    tcase_add_checked_fixture(tcase, registry_start, registry_stop);
    tcase_set_timeout(tcase, 120 * harness_slowness());
    tcase_set_timeout(CASE("json",
                           of_json_the_newest_records_are_looked_at_as_many_of_each_partition,
                           a_required_feature_that_no_event_has_is_an_error,
                           what_is_not_there_or_not_allowed_has_its_code),
                      120 * harness_slowness());
}
