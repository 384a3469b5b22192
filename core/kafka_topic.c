#include "core/kafka_topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kafka_conf.h"
#include "core/mem.h"

static void take_partitions(const struct rd_kafka_metadata_topic *from, struct kafka_topic *topic)
{
    *topic = (struct kafka_topic){.partition_count = from->partition_cnt,
                                  .in_sync = INT32_MAX,
                                  .replicas = INT32_MAX,
                                  .leaderless = -1};
    for (int i = 0; i < from->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *p = &from->partitions[i];
        if (p->leader < 0)
            topic->leaderless = p->id;
        if (p->isr_cnt < topic->in_sync)
            topic->in_sync = p->isr_cnt;
        if (p->replica_cnt < topic->replicas)
            topic->replicas = p->replica_cnt;
    }
}

int kafka_topic_ask(rd_kafka_t *client, const char *name, int timeout_ms, struct kafka_topic *topic,
                    struct err *err)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;
    char what[300];

    snprintf(what, sizeof what, "topic %s", name);
    if (!handle)
        return kafka_err(err, rd_kafka_last_error(), what);
    code = rd_kafka_metadata(client, 0, handle, &metadata, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code =
            metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        take_partitions(&metadata->topics[0], topic);
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return err_fatal(err, EXIT_CONFIGURATION,
                         "%s does not exist: make it (kscore does not), or correct its name", what);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : kafka_err(err, code, what);
}

int kafka_topic_partitions(rd_kafka_t *client, const char *name, int timeout_ms,
                           int32_t *partition_count, struct err *err)
{
    struct kafka_topic topic = {0};

    if (kafka_topic_ask(client, name, timeout_ms, &topic, err) != 0)
        return -1;
    *partition_count = topic.partition_count;
    return 0;
}

static void take_settings(const rd_kafka_ConfigResource_t *resource, struct kafka_topic_settings *s)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count && !rd_kafka_ConfigResource_error(resource); i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]),
                   *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value && strcmp(name, "max.message.bytes") == 0)
            s->max_bytes = strtoll(value, NULL, 10);
        if (value && strcmp(name, "min.insync.replicas") == 0)
            s->min_in_sync = strtoll(value, NULL, 10);
        if (value && strcmp(name, "cleanup.policy") == 0)
            s->is_compacted = strstr(value, "compact") != NULL;
    }
}

static void take_answer(rd_kafka_event_t *event, const char *const *topics, size_t count,
                        struct kafka_topic_settings *settings)
{
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    const rd_kafka_ConfigResource_t **resources;
    size_t resource_count = 0;

    if (!result || rd_kafka_event_error(event))
        return;
    resources = rd_kafka_DescribeConfigs_result_resources(result, &resource_count);
    for (size_t i = 0; i < resource_count; i++)
        for (size_t k = 0; k < count; k++)
            if (strcmp(rd_kafka_ConfigResource_name(resources[i]), topics[k]) == 0)
                take_settings(resources[i], &settings[k]);
}

static bool is_named_before(const char *const *topics, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(topics[i], topics[at]) == 0)
            return true;
    return false;
}

void kafka_topic_settings(rd_kafka_t *client, const char *const *topics, size_t count,
                          int timeout_ms, struct kafka_topic_settings *settings)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t **resources = mem_alloc(count, sizeof *resources);
    size_t asked = 0;
    char text[200];
    rd_kafka_event_t *event;

    for (size_t i = 0; i < count; i++) {
        settings[i] = (struct kafka_topic_settings){0};
        if (!is_named_before(topics, i)) /* librdkafka cannot read the answer to a name twice */
            resources[asked++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i]);
    }
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
    rd_kafka_DescribeConfigs(client, resources, asked, options, queue);
    event = rd_kafka_queue_poll(queue, timeout_ms + 1000);
    if (event) {
        take_answer(event, topics, count, settings);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_ConfigResource_destroy_array(resources, asked);
    free(resources);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
}

void kafka_topic_max_bytes(rd_kafka_t *client, const char *const *topics, size_t count,
                           int timeout_ms, int64_t *limits)
{
    struct kafka_topic_settings *settings = mem_alloc(count, sizeof *settings);

    kafka_topic_settings(client, topics, count, timeout_ms, settings);
    for (size_t i = 0; i < count; i++)
        limits[i] = settings[i].max_bytes;
    free(settings);
}
