#include "consumer/probe.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/kafka_trouble.h"
#include "core/mem.h"

enum { SLICE_MS = 250, CLOSE_MS = 1000 };

typedef rd_kafka_topic_partition_list_t list_t;

struct probe {
    const struct config *config;
    rd_kafka_t *client;
    struct kafka_trouble trouble;
    bool is_group_denied;
    bool is_down; /* every broker that it knows refused or dropped it */
};

/* ---- the client's own errors */

static void take_error(struct probe *p, rd_kafka_resp_err_t code, const char *reason)
{
    p->is_down = p->is_down || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    p->is_group_denied = p->is_group_denied || code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    kafka_trouble_take(&p->trouble, code, reason);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)client;
    take_error(opaque, (rd_kafka_resp_err_t)code, reason);
}

/* Asking again is of no use. A denied group comes as a message, all else by the callback. */
static bool is_hopeless(struct probe *p)
{
    rd_kafka_message_t *message;

    rd_kafka_poll(p->client, 0);
    while ((message = rd_kafka_consumer_poll(p->client, 0))) {
        if (message->err)
            take_error(p, message->err, rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
    return p->is_group_denied || p->trouble.code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           p->trouble.code == RD_KAFKA_RESP_ERR__SSL;
}

static int fail_group(const struct probe *p, struct err *err)
{
    return err_fatal(err, EXIT_DENIED, "group %s: %s: allow READ", config_group(p->config),
                     rd_kafka_err2str(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED));
}

/* An error of librdkafka; one that may be silence, by what the client said meanwhile. */
static int judge(struct probe *p, rd_kafka_resp_err_t code, const char *what, struct err *err)
{
    (void)is_hopeless(p);
    if (p->is_group_denied)
        return fail_group(p, err);
    kafka_err(err, code, what);
    return kafka_trouble_explain(&p->trouble, p->client, err);
}

/* ---- life */

struct probe *probe_new(const struct config *config, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_CONSUMER, err);
    struct probe *p;

    if (!conf)
        return NULL;
    kafka_conf_set(conf, "group.instance.id", "");
    kafka_conf_set(conf, "enable.auto.commit", "false");
    kafka_conf_set(conf, "allow.auto.create.topics", "false");
    kafka_conf_set(conf, "log.connection.close", "true");
    p = mem_alloc(1, sizeof *p);
    p->config = config;
    rd_kafka_conf_set_opaque(conf, p);
    rd_kafka_conf_set_error_cb(conf, on_error);
    p->client = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (p->client)
        return p;
    free(p);
    return NULL;
}

void probe_free(struct probe *probe)
{
    if (!probe)
        return;
    kafka_client_destroy(probe->client, CLOSE_MS);
    free(probe);
}

/* ---- questions */

int probe_login(struct probe *p, int timeout_ms, int *broker_count, struct err *err)
{
    const struct rd_kafka_metadata *metadata;
    int64_t deadline_ms = clock_ms() + timeout_ms;
    rd_kafka_resp_err_t code;

    do
        code = rd_kafka_metadata(p->client, 0, NULL, &metadata, SLICE_MS);
    while (code && !is_hopeless(p) && !p->is_down && clock_ms() < deadline_ms);
    if (code)
        return judge(p, code, "asking for the brokers", err);
    *broker_count = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

int probe_topic(struct probe *p, const char *name, int timeout_ms, struct kafka_topic *topic,
                struct err *err)
{
    return kafka_topic_ask(p->client, name, timeout_ms, topic, err);
}

void probe_settings(struct probe *p, const char *const *topics, size_t count, int timeout_ms,
                    struct kafka_topic_settings *settings)
{
    kafka_topic_settings(p->client, topics, count, timeout_ms, settings);
}

/* What the brokers say to a commit for one partition. */
static rd_kafka_resp_err_t commit(struct probe *p, const char *topic, int32_t partition,
                                  int timeout_ms)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(p->client);
    list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t deadline_ms = clock_ms() + timeout_ms;
    rd_kafka_event_t *event = NULL;
    rd_kafka_resp_err_t code;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = 0;
    code = rd_kafka_commit_queue(p->client, list, queue, NULL, NULL);
    while (!code && !event && !is_hopeless(p) && clock_ms() < deadline_ms)
        event = rd_kafka_queue_poll(queue, SLICE_MS);
    if (event) {
        const list_t *answer = rd_kafka_event_topic_partition_list(event);
        code = rd_kafka_event_error(event);
        if (answer && answer->cnt == 1 && answer->elems[0].err)
            code = answer->elems[0].err;
        rd_kafka_event_destroy(event);
    } else if (!code) {
        code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    return code;
}

int probe_read(struct probe *p, const char *topic, int timeout_ms, bool *is_group, struct err *err)
{
    rd_kafka_resp_err_t code = commit(p, topic, INT32_MAX, timeout_ms);
    char what[320];

    snprintf(what, sizeof what, "asking whether topic %s may be read", topic);
    *is_group = p->is_group_denied || code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    if (*is_group)
        return fail_group(p, err);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return 0;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return err_fatal(err, EXIT_DENIED, "topic %s: %s: allow READ", topic,
                         rd_kafka_err2str(code));
    return judge(p, code, what, err);
}

static void take_member(struct probe *p, const rd_kafka_MemberDescription_t *member,
                        struct probe_group *group)
{
    const list_t *list =
        rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member));

    for (int i = 0; list && i < list->cnt; i++) {
        bool is_ours = false;
        for (size_t k = 0; k < p->config->topic_count; k++)
            is_ours = is_ours || strcmp(p->config->topics[k], list->elems[i].topic) == 0;
        if (is_ours)
            continue;
        snprintf(group->strangers, sizeof group->strangers, "%.63s",
                 rd_kafka_MemberDescription_client_id(member));
        snprintf(group->topic, sizeof group->topic, "%.249s", list->elems[i].topic);
    }
}

static int take_group(struct probe *p, rd_kafka_event_t *event, struct probe_group *group,
                      struct err *err)
{
    const rd_kafka_DescribeConsumerGroups_result_t *result =
        event ? rd_kafka_event_DescribeConsumerGroups_result(event) : NULL;
    const rd_kafka_ConsumerGroupDescription_t **groups;
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    const rd_kafka_error_t *error;
    size_t count = 0;

    groups = !code && result ? rd_kafka_DescribeConsumerGroups_result_groups(result, &count) : NULL;
    error = count == 1 ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;
    if (error)
        code = rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        return fail_group(p, err);
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) /* older protocols: a group without members */
        return 0;
    if (code || count != 1)
        return judge(p, code, "asking for the members of the group", err);
    group->member_count = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    if (group->member_count > 0)
        snprintf(group->assignor, sizeof group->assignor, "%.63s",
                 rd_kafka_ConsumerGroupDescription_partition_assignor(groups[0]));
    for (size_t i = 0; i < group->member_count; i++)
        take_member(p, rd_kafka_ConsumerGroupDescription_member(groups[0], i), group);
    return 0;
}

int probe_group(struct probe *p, int timeout_ms, struct probe_group *group, struct err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(p->client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(p->client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    const char *names[] = {config_group(p->config)};
    rd_kafka_event_t *event;
    char text[200];
    int result;

    *group = (struct probe_group){0};
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
    rd_kafka_DescribeConsumerGroups(p->client, names, 1, options, queue);
    event = rd_kafka_queue_poll(queue, timeout_ms);
    result = take_group(p, event, group, err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return result;
}

/* Each element's offset becomes what is asked for: a time, or OFFSET_BEGINNING or OFFSET_END. Not
 * rd_kafka_query_watermark_offsets, which asks for one partition and outlasts its time-out
 * (librdkafka #2588). */
static int find(struct probe *p, list_t *list, int64_t time, int timeout_ms, struct err *err)
{
    rd_kafka_resp_err_t code;

    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time;
    code = rd_kafka_offsets_for_times(p->client, list, timeout_ms);
    for (int i = 0; i < list->cnt && !code; i++)
        code = list->elems[i].err;
    return code ? judge(p, code, "asking for first and last offsets", err) : 0;
}

static int find_committed(struct probe *p, list_t *list, int timeout_ms, struct err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(p->client, list, timeout_ms);

    for (int i = 0; i < list->cnt && !code; i++)
        code = list->elems[i].err;
    return code ? judge(p, code, "asking for committed offsets", err) : 0;
}

static int find_all(struct probe *p, list_t *list, int timeout_ms, struct probe_offsets *offsets,
                    struct err *err)
{
    if (find(p, list, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, err) != 0)
        return -1;
    for (int i = 0; i < list->cnt; i++)
        offsets[i].low = list->elems[i].offset;
    if (find(p, list, RD_KAFKA_OFFSET_END, timeout_ms, err) != 0)
        return -1;
    for (int i = 0; i < list->cnt; i++)
        offsets[i].high = list->elems[i].offset;
    if (find_committed(p, list, timeout_ms, err) != 0)
        return -1;
    for (int i = 0; i < list->cnt; i++)
        offsets[i].committed = list->elems[i].offset < 0 ? -1 : list->elems[i].offset;
    return 0;
}

int probe_offsets(struct probe *p, const char *topic, int32_t partition_count, int timeout_ms,
                  struct probe_offsets *offsets, struct err *err)
{
    list_t *list = rd_kafka_topic_partition_list_new(partition_count);
    int result;

    for (int32_t i = 0; i < partition_count; i++)
        rd_kafka_topic_partition_list_add(list, topic, i);
    result = find_all(p, list, timeout_ms, offsets, err);
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}
