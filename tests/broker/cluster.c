/* One piece: what the tests ask of a cluster, a few lines each. */
#include "tests/broker/cluster.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/fixture.h"
#include "tests/harness.h"

enum { ASK_MS = 10000 };

static rd_kafka_t *new_client(struct cluster *c, rd_kafka_type_t type, const char *const *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256], name[100];
    rd_kafka_t *client;

    rd_kafka_conf_set(conf, "bootstrap.servers", c->bootstrap, text, sizeof text);
    for (; *settings; settings++) {
        const char *equals = strchr(*settings, '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals - *settings), *settings);
        if (rd_kafka_conf_set(conf, name, equals + 1, text, sizeof text) != RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(conf);
            return NULL;
        }
    }
    client = rd_kafka_new(type, conf, text, sizeof text);
    ck_assert_msg(client != NULL, "%s", text);
    return client;
}

rd_kafka_t *cluster_producer(struct cluster *c, const char *const *settings)
{
    return new_client(c, RD_KAFKA_PRODUCER, settings);
}

/* kafka: the lines of that section. */
static void write_config(struct cluster *c, const char *kafka)
{
    char text[4000], name[40];

    snprintf(name, sizeof name, "kscore-%d.ini", c->config_count++);
    snprintf(text, sizeof text,
             "[kscore]\nname = %s\ncommit_ms = 100\n[kafka]\n%s"
             "[consumer]\ntopic = %s\nsession.timeout.ms = 6000\nheartbeat.interval.ms = 500\n%s"
             "[model]\npath = %s\n[producer]\ntopic = %s\n[dead_letters]\ntopic = %s\n"
             "breaker_share = 1\n",
             c->group, kafka, c->in, harness_assignment(), c->folder, c->scores, c->dead);
    snprintf(c->config, sizeof c->config, "%s", harness_write(c->folder, name, text, strlen(text)));
}

void cluster_use_door(struct cluster *c, enum cluster_door door, const char *lines)
{
    const char *broker = getenv("KSCORE_BROKER");
    char kafka[3000], host[100] = "localhost";
    size_t len;

    ck_assert_msg(broker != NULL, "KSCORE_BROKER is not set: start it by tests/run-broker");
    if (sscanf(lines, "host = %99s\n", host) == 1)
        lines = strchr(lines, '\n') + 1;
    len = (size_t)snprintf(kafka, sizeof kafka, "bootstrap.servers = %s:%d\n", host,
                           atoi(strrchr(c->bootstrap, ':') + 1) + (int)door);
    for (; *lines; lines++)
        len += (size_t)snprintf(kafka + len, sizeof kafka - len, *lines == '@' ? "%s/tls" : "%.1s",
                                *lines == '@' ? broker : lines);
    write_config(c, kafka);
}

/* A test that died may have left the broker stopped: the next ones are not to fail for it. */
static void wake_broker(void)
{
    static const char command[] =
        "[ -z \"$KSCORE_BROKER\" ] || tests/kafka cont \"$KSCORE_BROKER\" || "
        "AUTH=1 tests/kafka start \"$KSCORE_BROKER\" 0 > \"$KSCORE_BROKER/at\"";

    ck_assert_msg(system(command) == 0, "%s", command);
}

void cluster_broker(const char *command)
{
    bool is_start = strcmp(command, "start") == 0;
    char line[200];

    snprintf(line, sizeof line, "%s tests/kafka %s \"$KSCORE_BROKER\" %s > /dev/null",
             is_start ? "AUTH=1" : "", command, is_start ? "0" : "");
    ck_assert_msg(system(line) == 0, "%s", line);
}

void cluster_open(struct cluster *c, int32_t partitions)
{
    const char *bootstrap = getenv("KSCORE_BOOTSTRAP");
    char group[80];

    ck_assert_msg(bootstrap != NULL, "KSCORE_BOOTSTRAP is not set: start it by tests/run-broker");
    wake_broker();
    memset(c, 0, sizeof *c);
    c->partitions = partitions;
    snprintf(c->bootstrap, sizeof c->bootstrap, "%s", bootstrap);
    snprintf(c->folder, sizeof c->folder, "%s", harness_folder());
    snprintf(c->group, sizeof c->group, "t%d-%lld", (int)getpid(), (long long)clock_wall_ms());
    snprintf(c->in, sizeof c->in, "%s.in", c->group);
    snprintf(c->scores, sizeof c->scores, "%s.scores", c->group);
    snprintf(c->dead, sizeof c->dead, "%s.dead", c->group);
    snprintf(group, sizeof group, "group.id=%s", c->group);
    c->producer = new_client(c, RD_KAFKA_PRODUCER, (const char *[]){"linger.ms=1", NULL});
    c->watcher = new_client(c, RD_KAFKA_CONSUMER, (const char *[]){group, NULL});
    cluster_create_topic(c, c->in, partitions, NULL);
    cluster_create_topic(c, c->scores, partitions, NULL);
    cluster_create_topic(c, c->dead, partitions, NULL);
    c->topic = rd_kafka_topic_new(c->producer, c->in, NULL);
    fixture_bundle(c->folder);
    cluster_use_door(c, DOOR_PLAIN, "host = 127.0.0.1\n");
}

void cluster_be_cooperative(void)
{
    setenv("KSCORE_ASSIGNMENT", "cooperative-sticky", 1);
}

void cluster_add_alerts(struct cluster *c, const char *line)
{
    FILE *config = fopen(c->config, "a");

    ck_assert_ptr_nonnull(config);
    snprintf(c->alerts, sizeof c->alerts, "%s.alerts", c->group);
    cluster_create_topic(c, c->alerts, c->partitions, NULL);
    fprintf(config, "[alerts]\ntopic = %s\ndecisions = high\n%s\n", c->alerts, line);
    fclose(config);
}

void cluster_close(struct cluster *c)
{
    rd_kafka_topic_destroy(c->topic);
    rd_kafka_destroy(c->producer);
    rd_kafka_destroy(c->watcher);
    if (c->counter)
        rd_kafka_destroy(c->counter);
}

/* Waits for the answer to an administrator's request; each kind of answer is judged by its caller.
 */
static rd_kafka_event_t *admin_answer(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS);

    ck_assert_msg(event != NULL, "%s: no answer", what);
    ck_assert_msg(!rd_kafka_event_error(event), "%s: %s", what, rd_kafka_event_error_string(event));
    rd_kafka_queue_destroy(queue);
    return event;
}

static void expect_topic_result(const rd_kafka_topic_result_t *result, const char *what)
{
    ck_assert_msg(!rd_kafka_topic_result_error(result), "%s: %s", what,
                  rd_kafka_topic_result_error_string(result));
}

/* Asks until the topic has that many partitions: the broker's own metadata lags behind its answer
 * to the request that made them. The client knows them then, too: it would send its first record up
 * to 1 s late. */
static void learn_topic(rd_kafka_t *client, const char *name, int32_t partitions)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    int64_t until = harness_deadline();
    const struct rd_kafka_metadata *metadata;
    int32_t got = 0;

    while (got < partitions) {
        ck_assert_msg(clock_ms() < until, "%s has %d partitions, want %d", name, got, partitions);
        if (rd_kafka_metadata(client, 0, topic, &metadata, ASK_MS))
            continue;
        got = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
}

void cluster_create_topic(struct cluster *c, const char *topic, int32_t partitions,
                          const char *config)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->producer);
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, 1, NULL, 0);
    rd_kafka_event_t *event;
    const rd_kafka_topic_result_t **results;
    char name[100];
    size_t count;

    /* Tests send records of any age: the broker would delete old ones within seconds. */
    rd_kafka_NewTopic_set_config(wanted, "retention.ms", "-1");
    if (config) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(config, "="), config);
        rd_kafka_NewTopic_set_config(wanted, name, strchr(config, '=') + 1);
    }
    rd_kafka_CreateTopics(c->producer, &wanted, 1, NULL, queue);
    event = admin_answer(queue, topic);
    results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    expect_topic_result(results[0], topic);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(wanted);
    learn_topic(c->producer, topic, partitions);
}

void cluster_add_partitions(struct cluster *c, const char *topic, int32_t total)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->producer);
    char text[256];
    rd_kafka_NewPartitions_t *wanted =
        rd_kafka_NewPartitions_new(topic, (size_t)total, text, sizeof text);
    const rd_kafka_topic_result_t **results;
    rd_kafka_event_t *event;
    size_t count;

    rd_kafka_CreatePartitions(c->producer, &wanted, 1, NULL, queue);
    event = admin_answer(queue, topic);
    results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event),
                                                      &count);
    expect_topic_result(results[0], topic);
    rd_kafka_event_destroy(event);
    rd_kafka_NewPartitions_destroy(wanted);
    learn_topic(c->producer, topic, total);
    c->partitions = total;
}

void cluster_delete_records(struct cluster *c, int32_t partition, int64_t before)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->producer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *wanted;
    rd_kafka_event_t *event;

    rd_kafka_topic_partition_list_add(list, c->in, partition)->offset = before;
    wanted = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(c->producer, &wanted, 1, NULL, queue);
    event = admin_answer(queue, "deleting records");
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(list);
    ck_assert_int_eq(cluster_low(c, c->in, partition), before);
}

/* Writing (nothing else is needed of an id), by Kafka's own tool. */
static void change_transactional_id(const char *change, const char *prefix)
{
    char line[500];

    snprintf(line, sizeof line,
             "tests/kafka tool \"$KSCORE_BROKER\" acls %s --transactional-id %s "
             "--resource-pattern-type prefixed --operation Write --allow-principal User:kscore "
             "> \"$KSCORE_BROKER/acls.log\" 2>&1",
             change, prefix);
    ck_assert_msg(system(line) == 0, "%s", line);
}

static void create_acl(struct cluster *c, rd_kafka_ResourceType_t type, const char *name,
                       rd_kafka_AclOperation_t operation)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->producer);
    char text[256];
    rd_kafka_AclBinding_t *wanted =
        rd_kafka_AclBinding_new(type, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:kscore", "*",
                                operation, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, text, sizeof text);
    const rd_kafka_acl_result_t **results;
    rd_kafka_event_t *event;
    size_t count;

    ck_assert_msg(wanted != NULL, "%s", text);
    rd_kafka_CreateAcls(c->producer, &wanted, 1, NULL, queue);
    event = admin_answer(queue, "creating an ACL");
    results = rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event), &count);
    ck_assert_msg(count == 1 && !rd_kafka_acl_result_error(results[0]), "no ACL for %s", name);
    rd_kafka_event_destroy(event);
    rd_kafka_AclBinding_destroy(wanted);
}

static void delete_acl(struct cluster *c, rd_kafka_ResourceType_t type, const char *name,
                       rd_kafka_AclOperation_t operation)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->producer);
    char text[256];
    rd_kafka_AclBindingFilter_t *filter = rd_kafka_AclBindingFilter_new(
        type, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:kscore", "*", operation,
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, text, sizeof text);

    ck_assert_msg(filter != NULL, "%s", text);
    rd_kafka_DeleteAcls(c->producer, &filter, 1, NULL, queue);
    rd_kafka_event_destroy(admin_answer(queue, "deleting an ACL"));
    rd_kafka_AclBinding_destroy(filter);
}

void cluster_allow(struct cluster *c, rd_kafka_ResourceType_t type, const char *name,
                   rd_kafka_AclOperation_t operation)
{
    if ((int)type == CLUSTER_TRANSACTIONAL_ID)
        change_transactional_id("--add", name);
    else
        create_acl(c, type, name, operation);
}

void cluster_forbid(struct cluster *c, rd_kafka_ResourceType_t type, const char *name,
                    rd_kafka_AclOperation_t operation)
{
    if ((int)type == CLUSTER_TRANSACTIONAL_ID)
        change_transactional_id("--remove --force", name);
    else
        delete_acl(c, type, name, operation);
}

void cluster_configure_all(struct cluster *c, const char *topic, const char *const (*settings)[2],
                           size_t count)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->producer);
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

    rd_kafka_ConfigResource_set_config(wanted, "retention.ms", "-1");
    for (size_t i = 0; i < count; i++)
        rd_kafka_ConfigResource_set_config(wanted, settings[i][0], settings[i][1]);
    rd_kafka_AlterConfigs(c->producer, &wanted, 1, NULL, queue);
    rd_kafka_event_destroy(admin_answer(queue, topic));
    rd_kafka_ConfigResource_destroy(wanted);
}

void cluster_configure(struct cluster *c, const char *topic, const char *name, const char *value)
{
    const char *const setting[1][2] = {{name, value}};

    cluster_configure_all(c, topic, setting, value ? 1 : 0);
}

/* Also when nobody says. */
static bool is_listed(struct cluster *c, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    bool is_there = false;

    if (rd_kafka_metadata(c->watcher, 1, NULL, &metadata, ASK_MS))
        return true;
    for (int i = 0; i < metadata->topic_cnt; i++)
        is_there = is_there || strcmp(metadata->topics[i].topic, topic) == 0;
    rd_kafka_metadata_destroy(metadata);
    return is_there;
}

void cluster_delete_topic(struct cluster *c, const char *topic)
{
    int64_t until = harness_deadline();
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->producer);
    rd_kafka_DeleteTopic_t *wanted = rd_kafka_DeleteTopic_new(topic);

    rd_kafka_DeleteTopics(c->producer, &wanted, 1, NULL, queue);
    rd_kafka_event_destroy(admin_answer(queue, topic));
    rd_kafka_DeleteTopic_destroy(wanted);
    while (is_listed(c, topic)) {
        ck_assert_msg(clock_ms() < until, "%s is still there", topic);
        harness_breathe();
    }
}

void cluster_use_password(struct cluster *c, const char *password)
{
    char lines[300];

    snprintf(lines, sizeof lines,
             "host = 127.0.0.1\nsecurity.protocol = sasl_plaintext\nsasl.mechanism = PLAIN\n"
             "sasl.username = kscore\nsasl.password = %s\n",
             password);
    cluster_use_door(c, DOOR_PASSWORD, lines);
}

void cluster_allow_all_but(struct cluster *c, int missing)
{
    const struct {
        rd_kafka_ResourceType_t type;
        const char *name;
        rd_kafka_AclOperation_t operation;
    } needed[] = {
        {RD_KAFKA_RESOURCE_TOPIC, c->in, RD_KAFKA_ACL_OPERATION_READ},
        {RD_KAFKA_RESOURCE_TOPIC, c->scores, RD_KAFKA_ACL_OPERATION_WRITE},
        {RD_KAFKA_RESOURCE_TOPIC, c->dead, RD_KAFKA_ACL_OPERATION_WRITE},
        {RD_KAFKA_RESOURCE_GROUP, c->group, RD_KAFKA_ACL_OPERATION_READ},
        {RD_KAFKA_RESOURCE_TOPIC, c->alerts, RD_KAFKA_ACL_OPERATION_WRITE},
        {RD_KAFKA_RESOURCE_TOPIC, c->scores, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS},
        {RD_KAFKA_RESOURCE_TOPIC, c->dead, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS},
        {RD_KAFKA_RESOURCE_TOPIC, c->scores, RD_KAFKA_ACL_OPERATION_DESCRIBE},
        {RD_KAFKA_RESOURCE_TOPIC, c->dead, RD_KAFKA_ACL_OPERATION_DESCRIBE},
        {RD_KAFKA_RESOURCE_TOPIC, c->in, RD_KAFKA_ACL_OPERATION_DESCRIBE},
        {RD_KAFKA_RESOURCE_TOPIC, c->alerts, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS},
        {RD_KAFKA_RESOURCE_TOPIC, c->alerts, RD_KAFKA_ACL_OPERATION_DESCRIBE},
    };

    for (int i = 0; i < (int)(sizeof needed / sizeof needed[0]); i++)
        if (i != missing && *needed[i].name)
            cluster_allow(c, needed[i].type, needed[i].name, needed[i].operation);
    if (cluster_is_exactly_once())
        change_transactional_id("--add", c->group);
}

void cluster_send(struct cluster *c, int32_t partition, const char *key, const void *value,
                  size_t len)
{
    rd_kafka_resp_err_t code;

    while ((code = rd_kafka_producev(
                c->producer, RD_KAFKA_V_RKT(c->topic), RD_KAFKA_V_PARTITION(partition),
                RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_VALUE((void *)value, len),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(c->producer, 10);
    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

void cluster_send_events(struct cluster *c, int count)
{
    char key[32], value[64];

    for (; count-- > 0; c->event_count++) {
        snprintf(key, sizeof key, "k%d", (int)(c->event_count % 40));
        snprintf(value, sizeof value, "{\"x\":%d,\"n\":%lld}", (int)(c->event_count % 3),
                 (long long)c->event_count);
        cluster_send(c, (int32_t)(c->event_count % c->partitions), key, value, strlen(value));
    }
    cluster_flush(c->producer);
}

void cluster_flush(rd_kafka_t *producer)
{
    ck_assert_int_eq(rd_kafka_flush(producer, ASK_MS), 0);
}

/* librdkafka 2.0.2 may remember for ever that a partition had no leader: of a broker that slept. */
static void ask_leaders(struct cluster *c)
{
    const struct rd_kafka_metadata *metadata;

    if (rd_kafka_metadata(c->watcher, 1, NULL, &metadata, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
}

/* A partition that was made a moment ago may have no leader yet. */
static void ask_ends(struct cluster *c, const char *topic, int32_t partition, int64_t *low,
                     int64_t *high)
{
    int64_t until = harness_deadline();
    rd_kafka_resp_err_t code;

    while ((code = rd_kafka_query_watermark_offsets(c->watcher, topic, partition, low, high,
                                                    ASK_MS)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ck_assert_msg(clock_ms() < until, "%s[%d]: %s", topic, partition, rd_kafka_err2str(code));
        harness_breathe();
        ask_leaders(c);
    }
}

int64_t cluster_low(struct cluster *c, const char *topic, int32_t partition)
{
    int64_t low, high;

    ask_ends(c, topic, partition, &low, &high);
    return low;
}

int64_t cluster_end(struct cluster *c, const char *topic, int32_t partition)
{
    int64_t low, high;

    ask_ends(c, topic, partition, &low, &high);
    return high;
}

/* What the leader answers to an uncommitted reader's question. */
int64_t cluster_high(struct cluster *c, const char *topic, int32_t partition)
{
    rd_kafka_t *reader = new_client(c, RD_KAFKA_CONSUMER,
                                    (const char *[]){"isolation.level=read_uncommitted", NULL});
    rd_kafka_resp_err_t code;
    int64_t low, high;

    code = rd_kafka_query_watermark_offsets(reader, topic, partition, &low, &high, ASK_MS);
    ck_assert_msg(!code, "%s[%d]: %s", topic, partition, rd_kafka_err2str(code));
    rd_kafka_destroy(reader);
    return high;
}

bool cluster_is_exactly_once(void)
{
    const char *delivery = getenv("KSCORE_DELIVERY");

    return delivery && strcmp(delivery, "exactly_once") == 0;
}

static void open_counter(struct cluster *c)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", c->bootstrap, text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "counter", text, sizeof text);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", text, sizeof text);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", text, sizeof text);
    c->counter = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    ck_assert_msg(c->counter != NULL, "%s", text);
    for (int32_t i = 0; i < c->partitions; i++) {
        rd_kafka_topic_partition_list_add(list, c->scores, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
        rd_kafka_topic_partition_list_add(list, c->dead, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(c->counter, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* What came since the last call is added: ends count aborted records and markers, too. */
static int64_t count_committed(struct cluster *c)
{
    rd_kafka_message_t *message;

    if (!c->counter)
        open_counter(c);
    while ((message = rd_kafka_consumer_poll(c->counter, 20)) != NULL) {
        c->counted += !message->err;
        rd_kafka_message_destroy(message);
    }
    return c->counted;
}

int64_t cluster_outcome_count(struct cluster *c)
{
    int64_t sum = 0;

    if (cluster_is_exactly_once())
        return count_committed(c);
    for (int32_t i = 0; i < c->partitions; i++)
        sum += cluster_end(c, c->scores, i) + cluster_end(c, c->dead, i);
    return sum;
}

void cluster_wait_outcomes(struct cluster *c, int64_t count)
{
    int64_t until = harness_deadline(), got;

    while ((got = cluster_outcome_count(c)) < count) {
        ck_assert_msg(clock_ms() < until, "%lld outcomes of %lld in time", (long long)got,
                      (long long)count);
        harness_breathe();
    }
}

int64_t cluster_committed(struct cluster *c, int32_t partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t offset, until = harness_deadline();
    rd_kafka_resp_err_t code;

    rd_kafka_topic_partition_list_add(list, c->in, partition);
    while ((code = rd_kafka_committed(c->watcher, list, ASK_MS)) != 0 && clock_ms() < until)
        harness_breathe(); /* a broker that was just started knows no coordinator yet */
    ck_assert_msg(!code, "asking for committed offsets: %s", rd_kafka_err2str(code));
    offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return offset < 0 ? -1 : offset;
}

static int64_t look_beyond(struct cluster *c, int64_t *floor)
{
    int64_t beyond = cluster_outcome_count(c);

    for (int32_t i = 0; i < c->partitions; i++) {
        floor[i] = cluster_committed(c, i);
        beyond -= floor[i] > 0 ? floor[i] : 0;
    }
    return beyond;
}

/* The broker still reads what a killed process had sent: 200 ms without anything new. */
int64_t cluster_floor(struct cluster *c, int64_t *floor)
{
    int64_t until = harness_deadline(), beyond = look_beyond(c, floor), before;

    do {
        before = beyond;
        for (int i = 0; i < 20; i++)
            harness_breathe();
        beyond = look_beyond(c, floor);
        ck_assert_msg(clock_ms() < until, "outcomes come in and nobody sends them");
    } while (beyond != before);
    return beyond;
}

void cluster_commit(struct cluster *c, int32_t partition, int64_t offset, const char *metadata)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *entry = rd_kafka_topic_partition_list_add(list, c->in, partition);
    rd_kafka_resp_err_t code;

    entry->offset = offset;
    entry->metadata = strdup(metadata);
    entry->metadata_size = strlen(metadata);
    code = rd_kafka_commit(c->watcher, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

void cluster_commit_as(struct cluster *c, const char *group, const char *topic, int32_t partition,
                       int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    char setting[300];
    rd_kafka_resp_err_t code;
    rd_kafka_t *client;

    snprintf(setting, sizeof setting, "group.id=%s", group);
    client = new_client(c, RD_KAFKA_CONSUMER, (const char *[]){setting, NULL});
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    code = rd_kafka_commit(client, list, 0);
    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
}

int64_t cluster_lag(struct cluster *c)
{
    int64_t lag = 0;

    for (int32_t i = 0; i < c->partitions; i++) {
        int64_t committed = cluster_committed(c, i);
        lag += cluster_end(c, c->in, i) - (committed < 0 ? 0 : committed);
    }
    return lag;
}

void cluster_wait_no_lag(struct cluster *c)
{
    int64_t until = harness_deadline();

    while (cluster_lag(c) > 0 && clock_ms() < until)
        harness_breathe();
    cluster_expect_no_lag(c);
}

void cluster_expect_no_lag(struct cluster *c)
{
    for (int32_t i = 0; i < c->partitions; i++)
        ck_assert_msg(cluster_committed(c, i) == cluster_end(c, c->in, i),
                      "%s[%d]: committed %lld, want its end %lld", c->in, i,
                      (long long)cluster_committed(c, i), (long long)cluster_end(c, c->in, i));
}
