#include "cli/demo_broker.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"

enum { WAIT_MS = 20000 };

static const char events_topic[] = "payments", score_topic[] = "scores",
                  dead_topic[] = "payments-dead";

struct demo_broker {
    rd_kafka_t *client; /* owns the cluster */
    rd_kafka_mock_cluster_t *cluster;
    int64_t sent[DEMO_PARTITIONS]; /* acknowledged: an offset each */
    int64_t deploy[DEMO_PARTITIONS];
};

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct demo_broker *b = opaque;

    (void)client;
    if (message->err || message->partition < 0 || message->partition >= DEMO_PARTITIONS)
        return;
    b->sent[message->partition]++;
    if (message->_private && b->deploy[message->partition] < 0)
        b->deploy[message->partition] = message->offset;
}

static rd_kafka_t *client_new(rd_kafka_type_t type, const char *const (*settings)[2], void *opaque,
                              struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client = NULL;
    char text[256] = "";

    for (; (*settings)[0]; settings++)
        if (rd_kafka_conf_set(conf, (*settings)[0], (*settings)[1], text, sizeof text))
            goto out;
    rd_kafka_conf_set_opaque(conf, opaque);
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    client = rd_kafka_new(type, conf, text, sizeof text);
out:
    if (!client) {
        rd_kafka_conf_destroy(conf);
        err_fatal(err, EXIT_INTERNAL, "librdkafka: %s", text);
    }
    return client;
}

struct demo_broker *demo_broker_new(struct err *err)
{
    static const char *const settings[][2] = {{"test.mock.num.brokers", "1"},
                                              {"log_level", "3"}, /* it announces the mock at 5 */
                                              {"compression.type", "lz4"},
                                              {"linger.ms", "5"},
                                              {NULL, NULL}};
    struct demo_broker *b = mem_alloc(1, sizeof *b);

    for (int i = 0; i < DEMO_PARTITIONS; i++)
        b->deploy[i] = -1;
    b->client = client_new(RD_KAFKA_PRODUCER, settings, b, err);
    if (!b->client) {
        free(b);
        return NULL;
    }
    b->cluster = rd_kafka_handle_mock_cluster(b->client);
    rd_kafka_mock_topic_create(b->cluster, events_topic, DEMO_PARTITIONS, 1);
    rd_kafka_mock_topic_create(b->cluster, score_topic, DEMO_PARTITIONS, 1);
    rd_kafka_mock_topic_create(b->cluster, dead_topic, DEMO_PARTITIONS, 1);
    return b;
}

void demo_broker_free(struct demo_broker *b)
{
    if (!b)
        return;
    rd_kafka_destroy(b->client);
    free(b);
}

const char *demo_broker_bootstrap(const struct demo_broker *b)
{
    return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

int64_t demo_broker_deploy(const struct demo_broker *b, int32_t partition)
{
    return b->deploy[partition];
}

void demo_broker_send(struct demo_broker *b, const struct payment *payment, bool is_new)
{
    while (rd_kafka_producev(b->client, RD_KAFKA_V_TOPIC(events_topic),
                             RD_KAFKA_V_KEY(payment->key, strlen(payment->key)),
                             RD_KAFKA_V_VALUE((void *)payment->json, payment->json_len),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_OPAQUE(is_new ? b : NULL),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(b->client, 10);
    rd_kafka_poll(b->client, 0);
}

int demo_broker_flush(struct demo_broker *b, struct err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_flush(b->client, WAIT_MS);

    return code
               ? err_fatal(err, EXIT_UNAVAILABLE, "the embedded broker: %s", rd_kafka_err2str(code))
               : 0;
}

/* ---- reading back */

struct check {
    const struct demo_broker *broker;
    const char *const *decisions;
    int32_t partition; /* of the letter to copy */
    int64_t offset;
    uint8_t *seen[DEMO_PARTITIONS]; /* outcomes per offset of payments */
    struct demo_outcomes *out;
};

static void count_outcome(struct check *c, int64_t partition, int64_t offset)
{
    if (partition < 0 || partition >= DEMO_PARTITIONS || offset < 0 ||
        offset >= c->broker->sent[partition])
        c->out->twice++; /* an outcome of no event */
    else if (c->seen[partition][offset]++ > 0)
        c->out->twice++;
}

static void take_score(struct check *c, const rd_kafka_message_t *message)
{
    json_t *score = json_loadb(message->payload, message->len, 0, NULL);
    const char *decision = json_string_value(json_object_get(score, "decision"));
    const char *digest = json_string_value(json_object_get(score, "digest"));

    if (c->out->scored++ == 0)
        snprintf(c->out->digest, sizeof c->out->digest, "%s", digest ? digest : "");
    c->out->has_one_digest &= digest && strcmp(digest, c->out->digest) == 0;
    for (int i = 0; decision && i < DEMO_DECISIONS; i++)
        c->out->decisions[i] += strcmp(decision, c->decisions[i]) == 0;
    count_outcome(c, json_integer_value(json_object_get(score, "partition")),
                  json_integer_value(json_object_get(score, "offset")));
    json_decref(score);
}

/* A header as text, "" when it is not there. */
static void header(const rd_kafka_message_t *message, const char *name, char *out, size_t cap)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;

    *out = '\0';
    if (!rd_kafka_message_headers(message, &headers) &&
        !rd_kafka_header_get_last(headers, name, &value, &len))
        snprintf(out, cap, "%.*s", (int)len, (const char *)value);
}

static void take_dead(struct check *c, const rd_kafka_message_t *message)
{
    struct demo_outcomes *out = c->out;
    char partition[24], offset[24];

    out->dead++;
    header(message, "__connect.errors.partition", partition, sizeof partition);
    header(message, "__connect.errors.offset", offset, sizeof offset);
    count_outcome(c, *partition ? atoll(partition) : -1, atoll(offset));
    if (*partition && atoll(offset) < c->broker->deploy[atoll(partition) % DEMO_PARTITIONS])
        out->dead_before++;
    if (atoll(partition) != c->partition || atoll(offset) != c->offset)
        return;
    snprintf(out->value, sizeof out->value, "%.*s", (int)message->len,
             (const char *)message->payload);
    header(message, "__connect.errors.stage", out->stage, sizeof out->stage);
    header(message, "__connect.errors.exception.class.name", out->reason, sizeof out->reason);
    header(message, "__connect.errors.exception.message", out->message, sizeof out->message);
}

static int read_topics(struct check *c, rd_kafka_t *client, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2 * DEMO_PARTITIONS);
    int64_t until_ms = clock_ms() + WAIT_MS;
    int ends = 0;

    for (int i = 0; i < DEMO_PARTITIONS; i++) {
        rd_kafka_topic_partition_list_add(list, score_topic, i)->offset = 0;
        rd_kafka_topic_partition_list_add(list, dead_topic, i)->offset = 0;
    }
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (ends < 2 * DEMO_PARTITIONS && clock_ms() < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 100);
        if (!message)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ends++;
        else if (!message->err && strcmp(rd_kafka_topic_name(message->rkt), score_topic) == 0)
            take_score(c, message);
        else if (!message->err)
            take_dead(c, message);
        rd_kafka_message_destroy(message);
    }
    return ends == 2 * DEMO_PARTITIONS
               ? 0
               : err_fatal(err, EXIT_UNAVAILABLE, "the output topics could not be read in %d s",
                           WAIT_MS / 1000);
}

int demo_broker_check(struct demo_broker *b, const char *const decisions[DEMO_DECISIONS],
                      int32_t partition, int64_t offset, struct demo_outcomes *outcomes,
                      struct err *err)
{
    const char *const settings[][2] = {{"bootstrap.servers", demo_broker_bootstrap(b)},
                                       {"group.id", "demo-reader"},
                                       {"enable.partition.eof", "true"},
                                       {"enable.auto.commit", "false"},
                                       {NULL, NULL}};
    struct check c = {b, decisions, partition, offset, {0}, outcomes};
    rd_kafka_t *client = client_new(RD_KAFKA_CONSUMER, settings, NULL, err);
    int result;

    *outcomes = (struct demo_outcomes){.has_one_digest = true};
    if (!client)
        return -1;
    for (int i = 0; i < DEMO_PARTITIONS; i++)
        c.seen[i] = mem_alloc((size_t)b->sent[i] + 1, 1);
    result = read_topics(&c, client, err);
    for (int i = 0; i < DEMO_PARTITIONS; i++) {
        for (int64_t k = 0; k < b->sent[i]; k++)
            outcomes->missing += c.seen[i][k] == 0;
        free(c.seen[i]);
    }
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return result;
}
