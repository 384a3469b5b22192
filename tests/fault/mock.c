#include "tests/fault/mock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *bootstrap, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, text, sizeof text);
    if (group) {
        rd_kafka_conf_set(conf, "group.id", group, text, sizeof text);
        rd_kafka_conf_set(conf, "enable.partition.eof", "true", text, sizeof text);
    }
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    ck_assert_msg(client != NULL, "%s", text);
    return client;
}

static void create_topic(struct mock *m, const char *name, int leader)
{
    rd_kafka_mock_topic_create(m->cluster, name, MOCK_PARTITIONS, 1);
    for (int i = 0; i < MOCK_PARTITIONS; i++)
        rd_kafka_mock_partition_set_leader(m->cluster, name, i, leader);
}

static void start(struct mock *m, const char *consumer_lines, const char *kscore_lines,
                  const char *schemas_lines)
{
    struct err err = ERR_INIT;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[4000];
    int len;

    memset(m, 0, sizeof *m);
    snprintf(m->folder, sizeof m->folder, "%s", harness_folder());
    fixture_bundle(m->folder);
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "3", text, sizeof text);
    m->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    ck_assert_msg(m->client != NULL, "%s", text);
    m->cluster = rd_kafka_handle_mock_cluster(m->client);
    rd_kafka_mock_coordinator_set(m->cluster, "group", "test", MOCK_INPUT);
    create_topic(m, "in", MOCK_INPUT);
    create_topic(m, "scores", MOCK_OUTPUT);
    create_topic(m, "dead", MOCK_OUTPUT);
    create_topic(m, "alerts", MOCK_ALERTS);
    snprintf(m->log, sizeof m->log, "%s/log", m->folder);
    ck_assert_ptr_nonnull(freopen(m->log, "a", stderr));
    setvbuf(stderr, NULL, _IONBF, 0);
    len = snprintf(
        text, sizeof text,
        "[kscore]\nname = test\ncommit_ms = 100\n%s\n[kafka]\nbootstrap.servers = %s\n"
        "[consumer]\ntopic = in\nsession.timeout.ms = 6000\nheartbeat.interval.ms = 500\n%s%s\n"
        "[schemas]\n%s\n"
        "[model]\npath = %s\n[producer]\ntopic = scores\n[dead_letters]\ntopic = dead\n"
        "breaker_share = 1\n",
        kscore_lines ? kscore_lines : "", rd_kafka_mock_cluster_bootstraps(m->cluster),
        harness_assignment(), consumer_lines ? consumer_lines : "", schemas_lines, m->folder);
    ck_assert_msg(config_parse(&m->config, "test.ini", text, (size_t)len, NULL, &err) == 0, "%s",
                  err.text);
}

void mock_start(struct mock *m, const char *consumer_lines, const char *kscore_lines)
{
    start(m, consumer_lines, kscore_lines, "");
}

void mock_start_avro(struct mock *m, const char *schemas_lines)
{
    start(m, "format = avro", NULL, schemas_lines);
}

void mock_produce(struct mock *m, int32_t partition, const char *key, const void *value, size_t len)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        m->client, RD_KAFKA_V_TOPIC("in"), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_VALUE((void *)value, len),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

    ck_assert_msg(!code, "%s", rd_kafka_err2str(code));
}

void mock_produce_json(struct mock *m, int32_t partition, int from, int to)
{
    char key[32], value[64];

    for (int i = from; i < to; i++) {
        snprintf(key, sizeof key, "k%d", i);
        snprintf(value, sizeof value, "{\"x\":%d}", i % 3);
        mock_produce(m, partition, key, value, strlen(value));
    }
    ck_assert_int_eq(rd_kafka_flush(m->client, 10000), 0);
}

void mock_produce_avro(struct mock *m, int32_t partition, uint32_t schema_id, int count)
{
    struct event event = {0};

    for (int i = 0; i < count; i++) {
        event.len = 0;
        event_frame(&event, schema_id);
        event_double(&event, i);
        event_text(&event, "hi");
        mock_produce(m, partition, "k", event.data, event.len);
    }
    event_release(&event);
    ck_assert_int_eq(rd_kafka_flush(m->client, 10000), 0);
}

void mock_produce_keys(struct mock *m, int32_t partition, int count, int keys)
{
    static const char value[] = "{\"x\":1}";
    char key[32];

    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "k%d", i % keys);
        mock_produce(m, partition, key, value, sizeof value - 1);
    }
    ck_assert_int_eq(rd_kafka_flush(m->client, 10000), 0);
}

void mock_set_down(struct mock *m)
{
    for (int broker = MOCK_INPUT; broker <= MOCK_ALERTS; broker++)
        rd_kafka_mock_broker_set_down(m->cluster, broker);
}

void mock_set_up(struct mock *m)
{
    rd_kafka_mock_broker_set_rtt(m->cluster, MOCK_OUTPUT, 0);
    for (int broker = MOCK_INPUT; broker <= MOCK_ALERTS; broker++)
        rd_kafka_mock_broker_set_up(m->cluster, broker);
}

static void *pipeline_thread(void *arg)
{
    struct mock *m = arg;
    struct pipeline_options options = {.config = &m->config,
                                       .build = "test",
                                       .stop = &m->stop,
                                       .progress = &m->progress,
                                       .board = m->board,
                                       .orders = &m->orders};

    m->result = pipeline_run(&options, &m->summary, &m->err);
    return NULL;
}

void mock_run(struct mock *m)
{
    m->is_running = pthread_create(&m->thread, NULL, pipeline_thread, m) == 0;
    ck_assert(m->is_running);
}

void mock_wait_ready(struct mock *m)
{
    int64_t until = harness_deadline();

    while (!atomic_load(&m->progress.ready_workers)) {
        ck_assert_msg(clock_ms() < until, "not ready in time");
        harness_breathe();
    }
}

void mock_push(struct mock *m, int broker, int api, const rd_kafka_resp_err_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rd_kafka_mock_broker_push_request_error_rtts(m->cluster, broker, (int16_t)api, 1, codes[i],
                                                     0);
}

int mock_log_count(struct mock *m, const char *text)
{
    struct err err = ERR_INIT;
    char *log;
    size_t len;
    int count = 0;

    fflush(stderr);
    ck_assert_int_eq(file_read(m->log, 64 << 20, &log, &len, &err), 0);
    for (const char *at = log; (at = strstr(at, text)); at++)
        count++;
    free(log);
    return count;
}

void mock_wait_log(struct mock *m, const char *text, int times)
{
    int64_t until = harness_deadline();

    while (mock_log_count(m, text) < times) {
        ck_assert_msg(clock_ms() < until, "%s: %s is not in time", m->log, text);
        harness_breathe();
    }
}

void mock_wait_consumed(struct mock *m, uint64_t count)
{
    int64_t until = harness_deadline();

    while (m->progress.consumed < count) {
        ck_assert_msg(clock_ms() < until, "%llu records of %llu consumed in time",
                      (unsigned long long)m->progress.consumed, (unsigned long long)count);
        harness_breathe();
    }
}

void mock_wait_outcomes(struct mock *m, uint64_t count)
{
    int64_t until = harness_deadline();
    uint64_t got;

    while ((got = m->progress.scored + m->progress.dead + m->progress.skipped) < count) {
        ck_assert_msg(clock_ms() < until, "%llu outcomes of %llu in time", (unsigned long long)got,
                      (unsigned long long)count);
        harness_breathe();
    }
}

void mock_wait_end(struct mock *m)
{
    pthread_join(m->thread, NULL);
    m->is_running = false;
}

void mock_stop(struct mock *m)
{
    const struct pipeline_summary *s = &m->summary;

    m->stop = 1;
    mock_wait_end(m);
    ck_assert_msg(
        s->consumed == s->scored + s->dead + s->skipped + s->returned + s->in_flight,
        "P1: %llu consumed, %llu scored, %llu dead, %llu skipped, %llu returned, %llu in flight",
        (unsigned long long)s->consumed, (unsigned long long)s->scored, (unsigned long long)s->dead,
        (unsigned long long)s->skipped, (unsigned long long)s->returned,
        (unsigned long long)s->in_flight);
}

void mock_end(struct mock *m)
{
    if (m->is_running)
        mock_stop(m);
    config_release(&m->config);
    rd_kafka_destroy(m->client);
}

static void take_headers(rd_kafka_message_t *message, struct seen *seen)
{
    rd_kafka_headers_t *headers;
    const char *topic, *partition, *offset, *reason;
    size_t len;

    if (rd_kafka_message_headers(message, &headers))
        return;
    if (rd_kafka_header_get_last(headers, "__connect.errors.topic", (const void **)&topic, &len) ||
        rd_kafka_header_get_last(headers, "__connect.errors.partition", (const void **)&partition,
                                 &len) ||
        rd_kafka_header_get_last(headers, "__connect.errors.offset", (const void **)&offset,
                                 &len) ||
        rd_kafka_header_get_last(headers, "__connect.errors.exception.class.name",
                                 (const void **)&reason, &len))
        return;
    snprintf(seen->source, sizeof seen->source, "%s-%s-%s", topic, partition, offset);
    snprintf(seen->reason, sizeof seen->reason, "%s", reason);
}

/* Scores name their source in the value. */
static void take_source(struct seen *seen)
{
    json_t *json = json_loadb(seen->value, seen->value_len, 0, NULL);

    if (!json)
        return;
    snprintf(seen->source, sizeof seen->source, "%s-%lld-%lld",
             json_string_value(json_object_get(json, "topic")),
             (long long)json_integer_value(json_object_get(json, "partition")),
             (long long)json_integer_value(json_object_get(json, "offset")));
    json_decref(json);
}

size_t mock_read(struct mock *m, const char *topic, struct seen **all)
{
    rd_kafka_t *client =
        open_client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(m->cluster), "reader");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MOCK_PARTITIONS);
    int64_t until = harness_deadline();
    size_t count = 0, cap = 0;
    int ends = 0;

    *all = NULL;
    for (int i = 0; i < MOCK_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client, list);
    while (ends < MOCK_PARTITIONS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 100);
        ck_assert_msg(clock_ms() < until, "%s could not be read in time", topic);
        if (!message)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (!message->err) {
            if (count == cap) {
                cap = cap ? cap * 2 : 64;
                *all = realloc(*all, cap * sizeof **all);
            }
            struct seen *seen = &(*all)[count++];
            memset(seen, 0, sizeof *seen);
            seen->partition = message->partition;
            seen->is_null = message->payload == NULL;
            seen->value_len = message->len < sizeof seen->value ? message->len : sizeof seen->value;
            if (message->payload)
                memcpy(seen->value, message->payload, seen->value_len);
            snprintf(seen->key, sizeof seen->key, "%.*s", (int)message->key_len,
                     message->key ? (char *)message->key : "");
            take_headers(message, seen);
            if (!*seen->source)
                take_source(seen);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return count;
}

static int by_source(const void *a, const void *b)
{
    return strcmp(((const struct seen *)a)->source, ((const struct seen *)b)->source);
}

size_t mock_outcomes(struct mock *m, size_t *repeated)
{
    struct seen *scores, *dead, *all;
    size_t score_count = mock_read(m, "scores", &scores), dead_count = mock_read(m, "dead", &dead);
    size_t distinct = 0, sum = score_count + dead_count;

    all = calloc(sum + 1, sizeof *all);
    if (score_count)
        memcpy(all, scores, score_count * sizeof *all);
    if (dead_count)
        memcpy(all + score_count, dead, dead_count * sizeof *all);
    qsort(all, sum, sizeof *all, by_source);
    for (size_t i = 0; i < sum; i++)
        distinct += i == 0 || strcmp(all[i].source, all[i - 1].source) != 0;
    free(all);
    free(scores);
    free(dead);
    *repeated = sum - distinct;
    return distinct;
}

size_t mock_expect_outcomes(struct mock *m, size_t count)
{
    size_t repeated, distinct = mock_outcomes(m, &repeated);

    ck_assert_msg(distinct == count, "%zu records have an outcome, want %zu", distinct, count);
    return repeated;
}

/* A score at a lower offset than one of its key before it must be a repeat. */
static void expect_in_order(const struct seen *all, size_t at)
{
    const char *offset = strrchr(all[at].source, '-') + 1;
    bool is_late = false, is_repeat = false;

    for (size_t i = 0; i < at; i++) {
        if (strcmp(all[i].key, all[at].key) != 0)
            continue;
        is_late = is_late || atoi(strrchr(all[i].source, '-') + 1) > atoi(offset);
        is_repeat = is_repeat || strcmp(all[i].source, all[at].source) == 0;
    }
    ck_assert_msg(is_repeat || !is_late, "%s, key %s, comes late", all[at].source, all[at].key);
}

void mock_expect_order(struct mock *m)
{
    struct seen *all;
    size_t count = mock_read(m, "scores", &all);

    for (size_t i = 0; i < count; i++)
        expect_in_order(all, i);
    free(all);
}

void mock_commit(struct mock *m, int32_t partition, int64_t offset)
{
    rd_kafka_t *client =
        open_client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(m->cluster), "test");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, "in", partition)->offset = offset;
    ck_assert_int_eq(rd_kafka_commit(client, list, 0), 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
}

int64_t mock_committed(struct mock *m, int32_t partition)
{
    rd_kafka_t *client =
        open_client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(m->cluster), "test");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t offset;

    rd_kafka_topic_partition_list_add(list, "in", partition);
    ck_assert_int_eq(rd_kafka_committed(client, list, 10000), 0);
    offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    return offset;
}
