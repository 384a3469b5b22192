#include "consumer/bookmark.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kafka_conf.h"
#include "core/kafka_trouble.h"
#include "core/log.h"
#include "core/mem.h"

enum { CLOSE_MS = 2000 };

struct bookmarks {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue; /* answers to commits */
    struct kafka_trouble trouble;
    bool is_denied; /* the group */
    char group[300];
};

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct bookmarks *b = opaque;

    (void)client;
    kafka_trouble_take(&b->trouble, (rd_kafka_resp_err_t)code, reason);
}

struct bookmarks *bookmarks_new(const struct config *config, const char *group, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_CONSUMER, err);
    struct bookmarks *b;

    if (!conf)
        return NULL;
    b = mem_alloc(1, sizeof *b);
    snprintf(b->group, sizeof b->group, "%s", group);
    kafka_conf_set(conf, "group.id", group);
    kafka_conf_set(conf, "group.instance.id", "");
    kafka_conf_set(conf, "enable.auto.commit", "false");
    rd_kafka_conf_set_opaque(conf, b);
    rd_kafka_conf_set_error_cb(conf, on_error);
    kafka_conf_set(conf, "allow.auto.create.topics", "false");
    b->client = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (!b->client) {
        free(b);
        return NULL;
    }
    b->queue = rd_kafka_queue_new(b->client);
    return b;
}

static rd_kafka_topic_partition_list_t *list_of(const struct bookmark *items, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *one =
            rd_kafka_topic_partition_list_add(list, items[i].topic, items[i].partition);
        one->offset = items[i].offset;
        if (!items[i].text)
            continue;
        one->metadata_size = strlen(items[i].text);
        one->metadata = mem_copy_text(items[i].text, one->metadata_size);
    }
    return list;
}

/* Why there is no answer: a denied group comes as a message, all else by the callback. */
static void hear(struct bookmarks *b)
{
    rd_kafka_message_t *message;

    rd_kafka_poll(b->client, 0);
    while ((message = rd_kafka_consumer_poll(b->client, 0))) {
        b->is_denied = b->is_denied || message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
        rd_kafka_message_destroy(message);
    }
}

/* The call's error, or the first of a partition. */
static int judge(struct bookmarks *b, rd_kafka_resp_err_t code,
                 const rd_kafka_topic_partition_list_t *list, struct err *err)
{
    for (int i = 0; list && code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    hear(b);
    if (b->is_denied)
        code = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    kafka_err(err, code, b->group);
    err_prefix(err, "group");
    return kafka_trouble_explain(&b->trouble, b->client, err);
}

int bookmarks_read(struct bookmarks *b, struct bookmark *items, size_t count, int timeout_ms,
                   struct err *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(items, count);
    rd_kafka_resp_err_t code = rd_kafka_committed(b->client, list, timeout_ms);
    int result;

    result = judge(b, code, list, err);
    for (int i = 0; result == 0 && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[i];
        items[i].offset = one->offset < 0 ? -1 : one->offset;
        items[i].text = one->offset < 0 ? NULL : mem_copy_text(one->metadata, one->metadata_size);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

int bookmarks_write(struct bookmarks *b, const struct bookmark *items, size_t count, int timeout_ms,
                    struct err *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(items, count);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(b->client, list, b->queue, NULL, NULL);
    rd_kafka_event_t *answer = NULL;
    int result;

    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        answer = rd_kafka_queue_poll(b->queue, timeout_ms);
        code = answer ? rd_kafka_event_error(answer) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    result = judge(b, code, answer ? rd_kafka_event_topic_partition_list(answer) : NULL, err);
    if (answer) {
        rd_kafka_event_destroy(answer);
    } else { /* one that comes late is not the next one's */
        rd_kafka_queue_destroy(b->queue);
        b->queue = rd_kafka_queue_new(b->client);
    }
    return result;
}

void bookmarks_free(struct bookmarks *b)
{
    if (!b)
        return;
    rd_kafka_queue_destroy(b->queue);
    if (!kafka_client_destroy(b->client, CLOSE_MS))
        log_event(LOG_WARNING, "stopping", "a client did not end within %d ms; leaving it",
                  CLOSE_MS);
    free(b);
}
