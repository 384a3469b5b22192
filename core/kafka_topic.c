#include "core/kafka_topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kafka_conf.h"

int kafka_topic_partitions(rd_kafka_t *client, const char *topic, int timeout_ms,
                           int32_t *partition_count, struct err *err)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;
    char what[300];

    snprintf(what, sizeof what, "topic %s", topic);
    if (!handle)
        return kafka_err(err, rd_kafka_last_error(), what);
    code = rd_kafka_metadata(client, 0, handle, &metadata, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code =
            metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        *partition_count = metadata->topics[0].partition_cnt;
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : kafka_err(err, code, what);
}

static int64_t read_limit(rd_kafka_event_t *event)
{
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    size_t resource_count = 0, entry_count;

    if (!result || rd_kafka_event_error(event))
        return 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(result, &resource_count);
    if (resource_count != 1 || rd_kafka_ConfigResource_error(resources[0]))
        return 0;
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resources[0], &entry_count);
    for (size_t i = 0; i < entry_count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value && strcmp(rd_kafka_ConfigEntry_name(entries[i]), "max.message.bytes") == 0)
            return strtoll(value, NULL, 10);
    }
    return 0;
}

int64_t kafka_topic_max_bytes(rd_kafka_t *client, const char *topic, int timeout_ms)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    char text[200];
    rd_kafka_event_t *event;
    int64_t limit;

    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
    rd_kafka_DescribeConfigs(client, &resource, 1, options, queue);
    event = rd_kafka_queue_poll(queue, timeout_ms + 1000);
    limit = event ? read_limit(event) : 0;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return limit;
}
