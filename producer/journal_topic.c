#include "producer/journal_topic.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kafka_conf.h"
#include "core/kafka_trouble.h"
#include "core/mem.h"

enum { CLOSE_MS = 500 };

struct journal_topic {
    rd_kafka_t *client;
    rd_kafka_topic_t *handle;
    struct kafka_trouble trouble; /* why there is no connection */
    journal_topic_report *report;
    void *arg;
};

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct journal_topic *t = opaque;

    (void)client;
    kafka_trouble_take(&t->trouble, (rd_kafka_resp_err_t)code, reason);
}

static void say(struct journal_topic *t, uint64_t tag, rd_kafka_resp_err_t code)
{
    struct err err = ERR_INIT;
    char what[300];

    if (code) {
        snprintf(what, sizeof what, "topic %s", rd_kafka_topic_name(t->handle));
        kafka_err(&err, code, what);
        kafka_trouble_explain(&t->trouble, t->client, &err);
    }
    t->report(t->arg, tag, code ? err.text : NULL);
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    say(opaque, (uint64_t)(uintptr_t)message->_private, message->err);
}

struct journal_topic *journal_topic_new(const struct config *config, journal_topic_report *report,
                                        void *arg, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_PRODUCER, err);
    struct journal_topic *t;

    if (!conf)
        return NULL;
    kafka_conf_set(conf, "queue.buffering.max.messages", "256");
    kafka_conf_set(conf, "queue.buffering.max.kbytes", "4096");
    kafka_conf_set(conf, "message.timeout.ms", "20000");
    kafka_conf_set(conf, "linger.ms", "20");
    kafka_conf_set(conf, "topic.metadata.refresh.interval.ms", "10000"); /* how a permission is
                                                                             heard of */
    t = mem_alloc(1, sizeof *t);
    t->report = report;
    t->arg = arg;
    rd_kafka_conf_set_opaque(conf, t);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    t->client = kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
    if (t->client)
        t->handle = rd_kafka_topic_new(t->client, config->journal_topic, NULL);
    if (t->handle)
        return t;
    if (t->client) {
        kafka_err(err, rd_kafka_last_error(), config->journal_topic);
        kafka_client_destroy(t->client, CLOSE_MS);
    }
    free(t);
    return NULL;
}

/* A topic that is missing or denied is refused at once, when the client has heard of it. */
bool journal_topic_send(struct journal_topic *t, const struct journal_record *record)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): a number that comes back as it is */
    void *tag = (void *)(uintptr_t)record->tag;
    rd_kafka_resp_err_t code = rd_kafka_producev(
        t->client, RD_KAFKA_V_RKT(t->handle), RD_KAFKA_V_KEY(record->key, strlen(record->key)),
        RD_KAFKA_V_VALUE((void *)record->value, strlen(record->value)),
        RD_KAFKA_V_TIMESTAMP(record->at_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);

    if (code && code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        say(t, record->tag, code);
    return code != RD_KAFKA_RESP_ERR__QUEUE_FULL;
}

void journal_topic_poll(struct journal_topic *t, int timeout_ms)
{
    rd_kafka_poll(t->client, timeout_ms);
}

void journal_topic_free(struct journal_topic *t, int timeout_ms)
{
    if (!t)
        return;
    rd_kafka_flush(t->client, timeout_ms);
    rd_kafka_purge(t->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(t->client, CLOSE_MS); /* nothing is reported behind this */
    rd_kafka_topic_destroy(t->handle);
    if (kafka_client_destroy(t->client, CLOSE_MS))
        free(t); /* else its callbacks may still come */
}
