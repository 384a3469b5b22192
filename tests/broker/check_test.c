/* One file: the planted faults, as tables. `kscore check` on a real broker with ACLs and a real
 * registry names each fault in one line, with the code that `run` would end with, and changes
 * nothing that others could see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/outcomes.h"
#include "tests/broker/registry.h"
#include "tests/events.h"
#include "tests/harness.h"

enum { MAX_ITEMS = 6 };

/* kscore check -c the cluster's configuration -s ITEM for each item. */
static void check(struct child *k, struct cluster *c, const char *const *items)
{
    const char *words[4 + 2 * MAX_ITEMS] = {"check", "-c", c->config};
    size_t count = 3;

    for (; items && *items; items++) {
        words[count++] = "-s";
        words[count++] = *items;
    }
    child_exec(k, c->folder, words);
}

/* Ends with that code, and exactly one line has failed: that check's, in these words. */
static void expect_failure(struct child *k, int code, const char *name, const char *words)
{
    char start[40];
    const char *line;

    child_expect_exit(k, code);
    ck_assert_msg(child_count(k, "\nfailed ") + (strncmp(k->log, "failed ", 7) == 0) == 1,
                  "want one line that failed:\n%s", k->log);
    line = child_wait_line(k, "failed  ", 1);
    snprintf(start, sizeof start, "failed      %s ", name);
    ck_assert_msg(strncmp(line, start, strlen(start)) == 0, "want %s in: %s", name, line);
    ck_assert_msg(strstr(line, words) != NULL, "want \"%s\" in: %s", words, line);
    ck_assert_msg(strstr(k->log, "not ready: ") != NULL, "no verdict:\n%s", k->log);
}

/* Nobody was told of us: no score, no dead letter, no offset. */
static void expect_untouched(struct cluster *c)
{
    ck_assert_int_eq(cluster_outcome_count(c), 0);
    for (int32_t i = 0; i < c->partitions; i++)
        ck_assert_int_eq(cluster_committed(c, i), -1);
}

/* ---- what is planted */

static void put(const struct cluster *c, const char *name, const char *text)
{
    harness_write(c->folder, name, text, strlen(text));
}

static void break_model_file(struct cluster *c)
{
    put(c, "model.json", "{}");
}

static void break_golden_row(struct cluster *c)
{
    put(c, "golden.jsonl", "{\"row\":[1],\"margin\":0.25}\n");
}

static void break_golden_event(struct cluster *c)
{
    put(c, "golden.jsonl", "{\"event\":{\"y\":1},\"margin\":0.5}\n");
}

static void misspell_a_key(struct cluster *c)
{
    FILE *file = fopen(c->config, "w");

    ck_assert_ptr_nonnull(file);
    fputs("[kscore]\nnmae = x\n", file);
    fclose(file);
}

static void hide_configuration(struct cluster *c)
{
    ck_assert_int_eq(unlink(c->config), 0);
}

/* kscore.ini with one line more. */
static void add_line(struct cluster *c, const char *section, const char *line)
{
    FILE *file = fopen(c->config, "a");

    ck_assert_ptr_nonnull(file);
    fprintf(file, "[%s]\n%s\n", section, line);
    fclose(file);
}

static void hide_secret(struct cluster *c)
{
    add_line(c, "kafka", "sasl.password_FILE = /nowhere");
}

static void need_more_replicas(struct cluster *c)
{
    cluster_configure(c, c->dead, "min.insync.replicas", "2");
}

static void take_no_scores(struct cluster *c)
{
    cluster_configure(c, c->scores, "max.message.bytes", "500");
}

static void take_no_dead_letters(struct cluster *c)
{
    cluster_configure(c, c->dead, "max.message.bytes", "5000");
}

static void take_huge_events(struct cluster *c)
{
    cluster_configure(c, c->in, "max.message.bytes", "20000000");
}

static void send_ten(struct cluster *c, const char *value)
{
    for (int i = 0; i < 10; i++)
        cluster_send(c, 0, "k", value, strlen(value));
    cluster_flush(c->producer);
}

static void send_without_the_feature(struct cluster *c)
{
    send_ten(c, "{\"note\":\"a\"}");
}

static void send_renamed(struct cluster *c)
{
    send_ten(c, "{\"xs\":1}");
}

static void send_another_type(struct cluster *c)
{
    send_ten(c, "{\"x\":\"one\"}");
}

static void send_no_json(struct cluster *c)
{
    send_ten(c, "x=1");
}

/* The group stands where the log has been deleted since. */
static void lose_the_committed_offset(struct cluster *c)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    cluster_send_events(c, 20);
    rd_kafka_topic_partition_list_add(list, c->in, 0)->offset = 3;
    ck_assert_int_eq(rd_kafka_commit(c->watcher, list, 0), 0);
    rd_kafka_topic_partition_list_destroy(list);
    cluster_delete_records(c, 0, 10);
}

static void break_a_schema(struct cluster *c, const char *type)
{
    char path[400], text[200];

    snprintf(path, sizeof path, "%s/schemas", c->folder);
    snprintf(text, sizeof text,
             "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[{\"name\":\"%s}]}", type);
    harness_write(path, "2.avsc", text, strlen(text));
}

static void rename_the_field(struct cluster *c)
{
    break_a_schema(c, "x_value\",\"type\":\"double\"");
}

static void change_the_type(struct cluster *c)
{
    break_a_schema(c, "x\",\"type\":{\"type\":\"array\",\"items\":\"double\"}");
}

#define AVRO "consumer.format=avro"

static void add_alerts(struct cluster *c)
{
    cluster_add_alerts(c, "");
}

static const struct {
    void (*plant)(struct cluster *c);
    const char *items[MAX_ITEMS];
    int code;
    const char *name, *words;
} faults[] = {
    {misspell_a_key,
     {NULL},
     78,
     "configuration",
     "ini:2: [kscore] has no key nmae; did you mean name?"},
    {hide_configuration, {NULL}, 74, "configuration", ".ini: No such file"},
    {hide_secret, {NULL}, 74, "configuration", "sasl.password_FILE: "},
    {break_model_file, {NULL}, 65, "model", "sha256"},
    {break_golden_row, {NULL}, 65, "model", "golden.jsonl:1"},
    {break_golden_event, {NULL}, 65, "model", "golden.jsonl:1: the event cannot be scored"},
    {add_alerts, {"alerts.decisions=block"}, 78, "model", "block is no decision of model tiny"},
    {need_more_replicas, {NULL}, 78, "sizes", "1 replicas and min.insync.replicas = 2"},
    {take_no_scores, {NULL}, 78, "sizes", ".scores takes records of 500 bytes"},
    {take_no_dead_letters, {NULL}, 78, "sizes", ".dead takes records of 5000 bytes"},
    {take_huge_events,
     {"consumer.receive.message.max.bytes=10000000"},
     78,
     "sizes",
     "raise receive.message.max.bytes"},
    {lose_the_committed_offset,
     {"consumer.on_gap=stop"},
     65,
     "start",
     "[0]: the committed offset 3 is gone, the log holds 10 to 20"},
    {send_without_the_feature, {NULL}, 65, "events", "missing_field: field x (feature x)"},
    {send_renamed, {NULL}, 65, "events", "is it xs now?"},
    {send_another_type, {NULL}, 65, "events", "bind/wrong_type: field x (feature x)"},
    {send_no_json, {NULL}, 65, "events", "decode/bad_json"},
    {rename_the_field, {AVRO}, 65, "schemas", "feature x"},
    {change_the_type, {AVRO}, 65, "schemas", "feature x"},
};

START_TEST(a_planted_fault_is_named_in_one_line)
{
    const char *items[MAX_ITEMS + 1] = {faults[_i].items[0]};
    char schemas[400];
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    faults[_i].plant(&c);
    snprintf(schemas, sizeof schemas, "schemas.folder=%s/schemas", c.folder);
    if (items[0] && strcmp(items[0], AVRO) == 0)
        items[1] = schemas;
    check(&k, &c, items);
    expect_failure(&k, faults[_i].code, faults[_i].name, faults[_i].words);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

#define NO_REGISTRY "schemas.registry.url=http://127.0.0.1:1"

static const struct {
    const char *items[MAX_ITEMS];
    int code;
    const char *name, *words;
} settings[] = {
    {{"model.path=nowhere"}, 74, "model", "nowhere/model.ini: No such file"},
    {{"kafka.bootstrap.servers=127.0.0.1:1"}, 69, "brokers", "Connection refused"},
    {{"kafka.bootstrap.servers=nobody.invalid:1"}, 69, "brokers", "nobody.invalid"},
    {{"kafka.security.protocol=ssl"}, 69, "brokers", "security.protocol"},
    {{"consumer.topic=nobody.made.it"}, 78, "input", "topic nobody.made.it does not exist"},
    {{"producer.topic=nobody.made.it"}, 78, "output", "topic nobody.made.it does not exist"},
    {{"dead_letters.topic=nobody.made.it"}, 78, "output", "[dead_letters]: topic nobody.made"},
    {{AVRO, NO_REGISTRY}, 69, "schemas", "127.0.0.1:1"},
    {{"producer.format=avro", NO_REGISTRY}, 69, "registry", "127.0.0.1:1"},
    {{NO_REGISTRY, "schemas.cache=/dev/null/cache"}, 74, "cache", "/dev/null"},
};

enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

START_TEST(a_wrong_setting_is_named_in_one_line)
{
    struct cluster c;
    struct child k;

    /* One after the other: ten at once on a busy machine are too slow for a check's patience. */
    cluster_open(&c, 1);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        check(&k, &c, settings[i].items);
        expect_failure(&k, settings[i].code, settings[i].name, settings[i].words);
        child_release(&k);
    }
    expect_untouched(&c);
    cluster_close(&c);
}
END_TEST

/* ---- permissions */

static const struct {
    int missing; /* of cluster_allow_all_but */
    const char *name, *words;
} permissions[] = {
    {0, "input", ".in: Broker: Topic authorization failed: allow READ"},
    {1, "output", ".scores: Broker: Topic authorization failed: allow WRITE"},
    {2, "output", ".dead: Broker: Topic authorization failed: allow WRITE"},
    {3, "group", "Broker: Group authorization failed: allow READ"},
    {4, "output", "[alerts]: topic"},
};

START_TEST(a_permission_that_is_missing_is_77)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_use_password(&c, "kscore");
    cluster_add_alerts(&c, "");
    cluster_allow_all_but(&c, permissions[_i].missing);
    /* To see a group is not to use it. */
    if (permissions[_i].missing == 3)
        cluster_allow(&c, RD_KAFKA_RESOURCE_GROUP, c.group, RD_KAFKA_ACL_OPERATION_DESCRIBE);
    check(&k, &c, NULL);
    expect_failure(&k, 77, permissions[_i].name, permissions[_i].words);
    expect_untouched(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

#define EXACTLY "kscore.delivery=exactly_once", "kscore.instance=a"

/* While a process runs with the ids that are proven. */
START_TEST(permission_on_transactional_ids_is_proven_and_nobody_is_fenced)
{
    const rd_kafka_ResourceType_t ids = (rd_kafka_ResourceType_t)CLUSTER_TRANSACTIONAL_ID;
    struct cluster c;
    struct child k, running;

    cluster_open(&c, 1);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    cluster_allow(&c, ids, c.group, RD_KAFKA_ACL_OPERATION_WRITE);
    child_run(&running, &c, EXACTLY);
    child_wait_line(&running, "event=ready", 1);
    check(&k, &c, (const char *const[]){EXACTLY, NULL});
    child_expect_exit(&k, 0);
    child_wait_line(&k, "proven      transactions ", 1);
    child_release(&k);
    cluster_send_events(&c, 10);
    cluster_wait_no_lag(&c);
    child_stop(&running);
    child_release(&running);
    cluster_forbid(&c, ids, c.group, RD_KAFKA_ACL_OPERATION_WRITE);
    check(&k, &c, (const char *const[]){EXACTLY, NULL});
    expect_failure(&k, 77, "transactions", "allow WRITE on all that begin with");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

START_TEST(what_cannot_be_tried_is_said_to_be_not_proven)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    cluster_forbid(&c, RD_KAFKA_RESOURCE_TOPIC, c.scores, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS);
    check(&k, &c, NULL);
    child_expect_exit(&k, 0);
    child_wait_line(&k, "not proven  output", 1);
    child_wait_line(&k, "not proven  events", 1); /* there is none */
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* ---- doors */

#define LOGIN(mechanism, password)                                                                 \
    "security.protocol = sasl_ssl\nssl.ca.location = @/ca.pem\nsasl.username = kscore\n"           \
    "sasl.mechanism = " mechanism "\nsasl.password = " password "\n"

static const struct {
    enum cluster_door door;
    const char *lines;
    int code;
    const char *name, *words;
    int below_version; /* of librdkafka, 0: all */
} doors[] = {
    {DOOR_PASSWORD,
     "host = 127.0.0.1\nsecurity.protocol = sasl_plaintext\nsasl.mechanism = PLAIN\n"
     "sasl.username = kscore\nsasl.password = gu3ssed\n",
     77, "brokers", "Invalid username or password", 0},
    {DOOR_TLS_PASSWORD, LOGIN("PLAIN", "gu3ssed"), 77, "brokers", "Invalid username or password",
     0},
    {DOOR_TLS_PASSWORD, LOGIN("PLAIN", "kscore") "[producer]\nsasl.password = gu3ssed\n", 77,
     "output", "Invalid username or password", 0},
    {DOOR_PASSWORD,
     "host = 127.0.0.1\nsecurity.protocol = sasl_plaintext\n"
     "sasl.mechanism = SCRAM-SHA-256\nsasl.username = kscore\nsasl.password = x\n",
     77, "brokers", "supported mechanisms: PLAIN", 0},
    {DOOR_TLS_PASSWORD, LOGIN("SCRAM-SHA-512", "kscore"), 77, "brokers",
     "SCRAM on Kafka 4 needs librdkafka 2.6.1", 0x020601ff},
    {DOOR_TLS, "security.protocol = ssl\nssl.ca.location = @/other.pem\n", 69, "brokers",
     "kscore.log_level=warning shows it", 0},
    {DOOR_TLS, "security.protocol = ssl\nssl.ca.location = @/nowhere.pem\n", 74, "brokers",
     "nowhere.pem: No such file", 0},
    {DOOR_MUTUAL, "security.protocol = ssl\nssl.ca.location = @/ca.pem\n", 69, "brokers",
     "ssl.certificate.location", 0},
    {DOOR_TLS, "", 69, "brokers", "security.protocol = plaintext", 0},
    {DOOR_PASSWORD, "host = 127.0.0.1\n", 69, "brokers", "security.protocol", 0},
};

enum { DOOR_COUNT = sizeof doors / sizeof doors[0] };

START_TEST(a_door_that_does_not_open_says_why)
{
    struct cluster c;
    struct child children[DOOR_COUNT];

    cluster_open(&c, 1);
    cluster_allow_all_but(&c, -1);
    for (int i = 0; i < DOOR_COUNT; i++) {
        cluster_use_door(&c, doors[i].door, doors[i].lines);
        check(&children[i], &c, NULL);
    }
    for (int i = 0; i < DOOR_COUNT; i++) {
        if (!doors[i].below_version || rd_kafka_version() < doors[i].below_version)
            expect_failure(&children[i], doors[i].code, doors[i].name, doors[i].words);
        ck_assert_int_eq(child_count(&children[i], "gu3ssed"), 0);
        child_release(&children[i]);
    }
    cluster_close(&c);
}
END_TEST

/* ---- groups */

START_TEST(members_that_assign_otherwise_would_keep_us_out)
{
    struct cluster c;
    struct child member, k;

    cluster_open(&c, 1);
    child_run(&member, &c, "consumer.partition.assignment.strategy=roundrobin");
    child_wait_line(&member, "event=ready", 1);
    check(&k, &c, NULL);
    expect_failure(&k, 78, "group", "assign by roundrobin, kscore by range");
    child_release(&k);
    child_stop(&member);
    child_release(&member);
    cluster_close(&c);
}
END_TEST

/* ---- all is well */

static void send_framed(struct cluster *c, uint32_t id)
{
    struct event event = {0};

    event_frame(&event, id);
    event_double(&event, 1);
    cluster_send(c, 0, "k", event.data, event.len);
    cluster_flush(c->producer);
    event_release(&event);
}

/* run registers it, for another group and past all events. */
static void register_the_schema_of_scores(struct cluster *c, const char *url)
{
    char servers[150];
    struct child k;

    snprintf(servers, sizeof servers, "kafka.bootstrap.servers=%s", c->bootstrap);
    child_run(&k, c, servers, "kafka.security.protocol=plaintext", "consumer.group.id=other",
              "consumer.start=latest", "producer.format=avro", url);
    child_wait_line(&k, "of the scores", 1);
    child_stop(&k);
    child_release(&k);
}

START_TEST(a_healthy_set_up_is_proven_and_left_as_it_was)
{
    static const char *const proven[] = {"configuration", "model",   "brokers", "input",
                                         "output",        "sizes",   "group",   "start",
                                         "registry",      "schemas", "events",  "cache"};
    char url[300], cache[400], subject[120];
    struct cluster c;
    struct child k;
    int64_t start_ms;

    cluster_open(&c, 2);
    cluster_use_password(&c, "kscore");
    cluster_allow_all_but(&c, -1);
    cluster_allow(&c, RD_KAFKA_RESOURCE_TOPIC, c.in, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS);
    put(&c, "golden.jsonl", "{\"event\":{\"x\":1},\"margin\":0.5}\n");
    snprintf(url, sizeof url, "schemas.registry.url=%s", registry_url());
    snprintf(cache, sizeof cache, "schemas.cache=%s/cache", c.folder);
    snprintf(subject, sizeof subject, "%s-value", c.in);
    send_framed(&c, registry_register(subject,
                                      "{'type':'record','name':'E','fields':[{'name':'x','type':"
                                      "'double'}]}",
                                      NULL));
    for (int pass = 0; pass < 2; pass++) {
        start_ms = clock_ms();
        check(&k, &c,
              (const char *const[]){"consumer.format=avro", "producer.format=avro", url, cache,
                                    NULL});
        child_expect_exit(&k, 0);
        printf("check took %lld ms\n", (long long)(clock_ms() - start_ms));
        for (size_t i = 0; i < sizeof proven / sizeof proven[0]; i++) {
            char line[40];
            snprintf(line, sizeof line, "proven      %s ", proven[i]);
            /* It registers nothing: the second time the subject is as it was. */
            if (pass == 1 || strcmp(proven[i], "registry") != 0)
                child_wait_line(&k, line, 1);
        }
        ck_assert_int_eq(child_count(&k, "not proven  registry"), pass == 0);
        ck_assert_int_eq(child_count(&k, "not proven  "), pass == 0);
        ck_assert_int_eq(child_count(&k, "ready: "), 1);
        child_release(&k);
        if (pass == 0)
            register_the_schema_of_scores(&c, url);
    }
    expect_untouched(&c);
    snprintf(cache, sizeof cache, "%s/cache", c.folder);
    ck_assert_int_ne(access(cache, F_OK), 0);
    cluster_close(&c);
}
END_TEST

START_TEST(json_says_the_same)
{
    struct cluster c;
    struct child k;

    cluster_open(&c, 1);
    child_exec(&k, c.folder,
               (const char *const[]){"check", "--json", "-c", c.config, "-s",
                                     "producer.topic=nobody.made.it", NULL});
    child_expect_exit(&k, 78);
    ck_assert_int_eq(child_count(&k, "\"result\": \"failed\""), 1);
    ck_assert_int_eq(child_count(&k, "topic nobody.made.it does not exist"), 1);
    ck_assert_int_eq(child_count(&k, "\"exit\": 78"), 2);
    ck_assert_int_eq(child_count(&k, "\"ready\": false"), 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof(table)[0])

SUITE(check)
{
    TCase *tcase = harness_case(suite, "faults", NULL, 0);

    LOOP(a_planted_fault_is_named_in_one_line, faults);
    CASE("settings", a_wrong_setting_is_named_in_one_line);
    tcase = CASE("permissions", what_cannot_be_tried_is_said_to_be_not_proven,
                 permission_on_transactional_ids_is_proven_and_nobody_is_fenced,
                 a_door_that_does_not_open_says_why);
    LOOP(a_permission_that_is_missing_is_77, permissions);
    CASE("group", members_that_assign_otherwise_would_keep_us_out);
    CASE("json", json_says_the_same);
    tcase = CASE("healthy", a_healthy_set_up_is_proven_and_left_as_it_was);
    tcase_add_checked_fixture(tcase, registry_start, registry_stop);
    tcase_set_timeout(tcase, 120 * harness_slowness());
}
