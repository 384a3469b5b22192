/* check.c: what can be known of the output topics before the first record is taken. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/kafka_topic.h"
#include "core/kafka_trouble.h"
#include "core/mem.h"
#include "producer/producer.h"

enum { PROOF_MAX_BYTES = 8 << 20 };

static void on_proof(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    (void)opaque;
    *(rd_kafka_resp_err_t *)message->_private = message->err;
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)client;
    kafka_trouble_take(opaque, (rd_kafka_resp_err_t)code, reason);
}

static rd_kafka_t *open_client(const struct config *config, struct kafka_trouble *trouble,
                               struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_PRODUCER, err);

    if (!conf)
        return NULL;
    kafka_conf_set(conf, "enable.idempotence", "false");
    kafka_conf_set(conf, "compression.type", "none");
    kafka_conf_set(conf, "message.max.bytes", "100000000");
    kafka_conf_set(conf, "message.timeout.ms", "5000");
    kafka_conf_set(conf, "linger.ms", "0");
    rd_kafka_conf_set_dr_msg_cb(conf, on_proof);
    rd_kafka_conf_set_opaque(conf, trouble);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
}

/* A broker checks permission first, then size (KafkaApis.handleProduceRequest): a record one byte
 * over the topic's limit is refused by either, and never written. */
static int prove_write(rd_kafka_t *client, const char *topic, int64_t limit, int timeout_ms,
                       bool *is_proven, struct err *err)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__IN_PROGRESS;
    int64_t deadline_ms = clock_ms() + timeout_ms;
    char *zeros, what[300];

    if (limit <= 0 || limit >= PROOF_MAX_BYTES) {
        *is_proven = false;
        return 0;
    }
    zeros = mem_alloc((size_t)limit + 1, 1);
    snprintf(what, sizeof what, "writing to topic %s", topic);
    if (rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY("kscore", 6),
                          RD_KAFKA_V_VALUE(zeros, (size_t)limit + 1),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(&code),
                          RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_last_error();
    while (code == RD_KAFKA_RESP_ERR__IN_PROGRESS && clock_ms() < deadline_ms)
        rd_kafka_poll(client, 50);
    if (code == RD_KAFKA_RESP_ERR__IN_PROGRESS) {
        rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(client, 1000);
    }
    free(zeros);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return kafka_err(err, code, what);
    *is_proven = *is_proven && code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    return 0;
}

static int check_topics(rd_kafka_t *client, const struct config *config, int timeout_ms,
                        struct producer_limits *limits, bool *is_proven, struct err *err)
{
    static const char *const sections[] = {"[producer]", "[dead_letters]", "[alerts]"};
    const char *topics[OUTPUT_COUNT];
    size_t count = producer_topics(config, topics);
    int32_t partitions[OUTPUT_COUNT] = {0};

    for (size_t i = 0; i < count; i++)
        if (kafka_topic_partitions(client, topics[i], timeout_ms, &partitions[i], err) != 0)
            return err_prefix(err, "%s", sections[i]);
    kafka_topic_max_bytes(client, topics, count, timeout_ms, limits->bytes);
    limits->dead_partitions = partitions[OUTPUT_DEAD];
    for (size_t i = 0; i < count; i++)
        if (prove_write(client, topics[i], limits->bytes[i], timeout_ms, is_proven, err) != 0)
            return err_prefix(err, "%s", sections[i]);
    return 0;
}

int producer_check(const struct config *config, int timeout_ms, struct producer_limits *limits,
                   bool *is_proven, struct err *err)
{
    struct kafka_trouble trouble = {0};
    rd_kafka_t *client = open_client(config, &trouble, err);
    int result;

    *is_proven = true;
    if (!client)
        return -1;
    result = check_topics(client, config, timeout_ms, limits, is_proven, err);
    if (result != 0) {
        rd_kafka_poll(client, 10); /* what it was told meanwhile */
        kafka_trouble_explain(&trouble, client, err);
    }
    kafka_client_destroy(client, timeout_ms);
    return result;
}
