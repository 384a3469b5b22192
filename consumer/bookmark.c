#include "consumer/bookmark.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/claim.h"
#include "core/kafka_conf.h"
#include "core/kafka_trouble.h"
#include "core/log.h"
#include "core/mem.h"

enum { CLOSE_MS = 2000 };

struct bookmarks {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue; /* answers to commits */
    struct kafka_trouble trouble;
    struct claim claim;
    char group[300];
};

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct bookmarks *b = opaque;

    (void)client;
    kafka_trouble_take(&b->trouble, (rd_kafka_resp_err_t)code, reason);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct bookmarks *b = opaque;

    (void)client;
    claim_rebalance(&b->claim, code, partitions);
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
    claim_configure(conf, config);
    kafka_conf_set(conf, "enable.auto.commit", "false");
    rd_kafka_conf_set_opaque(conf, b);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    kafka_conf_set(conf, "allow.auto.create.topics", "false");
    b->client = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (!b->client) {
        free(b);
        return NULL;
    }
    b->queue = rd_kafka_queue_new(b->client);
    b->claim = (struct claim){.client = b->client, .group = b->group};
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

/* The call's error, or the first of a partition. */
static int judge(struct bookmarks *b, rd_kafka_resp_err_t code,
                 const rd_kafka_topic_partition_list_t *list, struct err *err)
{
    for (int i = 0; list && code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    rd_kafka_poll(b->client, 0);
    claim_serve(&b->claim, 0); /* a denied group comes as a message, all else by the callback */
    if (b->claim.is_denied)
        code = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    kafka_err(err, code, b->group);
    err_prefix(err, "group");
    return kafka_trouble_explain(&b->trouble, b->client, err);
}

int bookmarks_hold(struct bookmarks *b, const char *topic, int timeout_ms, struct err *err)
{
    int result = claim_hold(&b->claim, topic, timeout_ms, err);

    if (result >= 0)
        return result;
    rd_kafka_poll(b->client, 0);
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
    if (!claim_leave(&b->claim, CLOSE_MS)) {
        log_event(LOG_WARNING, "stopping", "the group %s was not left within %d ms", b->group,
                  CLOSE_MS);
        return; /* the client's thread has it yet */
    }
    if (!kafka_client_destroy(b->client, CLOSE_MS))
        log_event(LOG_WARNING, "stopping", "a client did not end within %d ms; leaving it",
                  CLOSE_MS);
    free(b);
}
