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

static rd_kafka_conf_t *open_conf(const struct config *config, struct kafka_trouble *trouble,
                                  struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_PRODUCER, err);

    if (!conf)
        return NULL;
    rd_kafka_conf_set_opaque(conf, trouble);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return conf;
}

static rd_kafka_t *open_client(const struct config *config, struct kafka_trouble *trouble,
                               struct err *err)
{
    rd_kafka_conf_t *conf = open_conf(config, trouble, err);

    if (!conf)
        return NULL;
    kafka_conf_set(conf, "enable.idempotence", "false");
    kafka_conf_set(conf, "compression.type", "none");
    kafka_conf_set(conf, "message.max.bytes", "100000000");
    kafka_conf_set(conf, "message.timeout.ms", "5000");
    kafka_conf_set(conf, "linger.ms", "0");
    kafka_conf_set(conf, "allow.auto.create.topics", "false");
    rd_kafka_conf_set_dr_msg_cb(conf, on_proof);
    return kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
}

/* A record that is sent to be refused. The handle is made before the first question: a record to a
 * topic that the client has just heard of is up to 1 s late (librdkafka #5032). */
struct proof {
    rd_kafka_topic_t *handle;
    rd_kafka_resp_err_t code;
};

/* A broker checks permission first, then size (KafkaApis.handleProduceRequest): a record one byte
 * over the topic's limit is refused by either, and never written. */
static void send_proof(rd_kafka_t *client, const struct producer_topic *t, struct proof *proof,
                       void *zeros)
{
    if (!proof->handle || err_is_set(&t->err) || t->max_bytes <= 0 ||
        t->max_bytes >= PROOF_MAX_BYTES)
        return;
    proof->code = RD_KAFKA_RESP_ERR__IN_PROGRESS;
    if (rd_kafka_producev(client, RD_KAFKA_V_RKT(proof->handle), RD_KAFKA_V_KEY("kscore", 6),
                          RD_KAFKA_V_VALUE(zeros, (size_t)t->max_bytes + 1),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(&proof->code),
                          RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
        proof->code = rd_kafka_last_error();
}

static bool is_waiting(const struct proof *proofs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (proofs[i].code == RD_KAFKA_RESP_ERR__IN_PROGRESS)
            return true;
    return false;
}

/* Leaves no record behind that could still be reported. */
static void await_proofs(rd_kafka_t *client, const struct proof *proofs, size_t count,
                         int timeout_ms)
{
    int64_t deadline_ms = clock_ms() + timeout_ms;

    while (is_waiting(proofs, count) && clock_ms() < deadline_ms)
        rd_kafka_poll(client, 50);
    if (is_waiting(proofs, count)) {
        rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(client, 1000);
    }
}

static void take_proof(struct producer_topic *t, const struct proof *proof)
{
    t->is_proven = proof->code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    if (proof->code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        err_fatal(&t->err, EXIT_DENIED, "topic %s: %s: allow WRITE", t->name,
                  rd_kafka_err2str(proof->code));
}

static void ask_limits(rd_kafka_t *client, struct producer_topic *topics, size_t count,
                       int timeout_ms)
{
    const char **names = mem_alloc(count, sizeof *names);
    int64_t *bytes = mem_alloc(count, sizeof *bytes);

    for (size_t i = 0; i < count; i++)
        names[i] = topics[i].name;
    kafka_topic_max_bytes(client, names, count, timeout_ms, bytes);
    for (size_t i = 0; i < count; i++)
        topics[i].max_bytes = bytes[i];
    free(names);
    free(bytes);
}

/* Who does not answer is not asked for every topic. */
static int ask_topics(rd_kafka_t *client, struct producer_topic *topics, size_t count,
                      int timeout_ms, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct producer_topic *t = &topics[i];
        kafka_topic_ask(client, t->name, timeout_ms, &t->topic, &t->err);
        if (t->err.kind == ERR_DEPENDENCY) {
            *err = t->err;
            return err_prefix(err, "%s", t->section);
        }
    }
    return 0;
}

static void prove_all(rd_kafka_t *client, struct producer_topic *topics, size_t count,
                      int timeout_ms, struct err *err)
{
    struct proof proofs[PROVEN_COUNT] = {0};
    void *zeros = mem_alloc(PROOF_MAX_BYTES, 1);

    for (size_t i = 0; i < count; i++)
        proofs[i].handle = rd_kafka_topic_new(client, topics[i].name, NULL);
    if (ask_topics(client, topics, count, timeout_ms, err) == 0) {
        ask_limits(client, topics, count, timeout_ms);
        for (size_t i = 0; i < count; i++)
            send_proof(client, &topics[i], &proofs[i], zeros);
        await_proofs(client, proofs, count, timeout_ms);
    }
    for (size_t i = 0; i < count; i++) {
        take_proof(&topics[i], &proofs[i]);
        if (proofs[i].handle)
            rd_kafka_topic_destroy(proofs[i].handle);
    }
    free(zeros);
}

static size_t list_topics(const struct config *config, struct producer_topic topics[OUTPUT_COUNT])
{
    static const char *const sections[] = {"[producer]", "[dead_letters]", "[alerts]"};
    const char *names[OUTPUT_COUNT];
    size_t count = producer_topics(config, names);

    for (size_t i = 0; i < count; i++)
        topics[i] = (struct producer_topic){.section = sections[i], .name = names[i]};
    return count;
}

/* 0, or -1 with err: nothing is known of any. */
static int prove(const struct config *config, struct producer_topic *topics, size_t count,
                 int timeout_ms, struct err *err)
{
    struct kafka_trouble trouble = {0};
    rd_kafka_t *client = open_client(config, &trouble, err);

    if (!client)
        return -1;
    prove_all(client, topics, count, timeout_ms, err);
    if (err_is_set(err)) {
        rd_kafka_poll(client, 10); /* what it was told meanwhile */
        kafka_trouble_explain(&trouble, client, err);
    }
    kafka_client_destroy(client, timeout_ms);
    return err_is_set(err) ? -1 : 0;
}

size_t producer_prove(const struct config *config, struct producer_topic topics[PROVEN_COUNT],
                      int timeout_ms, struct err *err)
{
    size_t count = list_topics(config, topics);

    if (*config->journal_topic)
        topics[count++] =
            (struct producer_topic){.section = "[journal]", .name = config->journal_topic};
    return prove(config, topics, count, timeout_ms, err) == 0 ? count : 0;
}

int producer_check(const struct config *config, int timeout_ms, struct producer_limits *limits,
                   bool *is_proven, struct err *err)
{
    struct producer_topic topics[OUTPUT_COUNT] = {0};
    size_t count = list_topics(config, topics);

    *is_proven = true;
    if (prove(config, topics, count, timeout_ms, err) != 0)
        return -1;
    for (size_t i = 0; i < count && !err_is_set(err); i++) {
        *is_proven = *is_proven && topics[i].is_proven;
        if (err_is_set(&topics[i].err)) {
            *err = topics[i].err;
            err_prefix(err, "%s", topics[i].section);
        }
    }
    if (err_is_set(err))
        return -1;
    limits->dead_partitions = topics[OUTPUT_DEAD].topic.partition_count;
    for (size_t i = 0; i < count; i++)
        limits->bytes[i] = topics[i].max_bytes;
    return 0;
}

/* ---- transactions */

/* A broker checks permission first, then the time-out (KafkaApis.handleInitProducerIdRequest,
 * TransactionCoordinator): one over its transaction.max.timeout.ms is refused by either, and leaves
 * no trace. Where none is over it, an id that nobody uses is known to the brokers for 7 days. */
static rd_kafka_t *open_transactional(const struct config *config, const char *id,
                                      struct kafka_trouble *trouble, struct err *err)
{
    rd_kafka_conf_t *conf = open_conf(config, trouble, err);

    if (!conf)
        return NULL;
    kafka_conf_set(conf, "transactional.id", id);
    kafka_conf_set(conf, "transaction.timeout.ms", "2147480000"); /* + 100 must fit */
    return kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
}

static int judge_refusal(rd_kafka_t *client, const struct config *config, const char *id,
                         rd_kafka_error_t *error, struct err *err)
{
    char text[300];
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);

    if (rd_kafka_error_is_fatal(error) || code == RD_KAFKA_RESP_ERR__FATAL)
        code = rd_kafka_fatal_error(client, text, sizeof text);
    if (!code || code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT)
        return 0;
    if (code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        return err_fatal(err, EXIT_DENIED,
                         "transactional.id %s: %s: allow WRITE on all that begin "
                         "with %s-%s-",
                         id, rd_kafka_err2str(code), config_group(config), config->instance);
    kafka_err(err, code, id);
    return err_prefix(err, "transactional.id");
}

int producer_prove_transactions(const struct config *config, int timeout_ms, struct err *err)
{
    struct kafka_trouble trouble = {0};
    char id[TRANSACTIONAL_ID_MAX];
    rd_kafka_error_t *error;
    rd_kafka_t *client;
    int result;

    snprintf(id, sizeof id, "%s-%s-check", config_group(config), config->instance);
    client = open_transactional(config, id, &trouble, err);
    if (!client)
        return -1;
    error = rd_kafka_init_transactions(client, timeout_ms);
    result = judge_refusal(client, config, id, error, err);
    if (result != 0)
        kafka_trouble_explain(&trouble, client, err);
    if (error)
        rd_kafka_error_destroy(error);
    kafka_client_destroy(client, timeout_ms);
    return result;
}
