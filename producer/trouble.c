/* trouble.c: why nothing can be written, for people. librdkafka tries again in silence what a
 * broker refuses for want of replicas, and what a quota holds up; and in a transaction it does not
 * say which topic was denied. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/kafka_topic.h"
#include "producer/client.h"

enum { EVERY_MS = 5000, ASK_MS = 100 }; /* short: the loop must turn */

void producer_on_throttle(rd_kafka_t *client, const char *broker, int32_t id, int throttle_ms,
                          void *opaque)
{
    struct producer *p = opaque;

    (void)client, (void)id;
    kafka_throttle_take(&p->throttle, broker, throttle_ms, clock_ms());
}

void producer_deny(const struct producer *p, rd_kafka_resp_err_t code, char *text, size_t cap)
{
    size_t len = strlen(text);

    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && len < cap)
        snprintf(text + len, cap - len, ": allow WRITE%s%s", *p->login ? " to User:" : "",
                 p->login);
}

/* Its partitions have leaders, and enough replicas where it says how many it needs. */
static int judge_topic(struct producer *p, const char *name, const struct kafka_topic *topic,
                       struct err *why)
{
    struct kafka_topic_settings settings;

    if (topic->leaderless >= 0)
        return err_dependency(why, "topic %s: partition %d has no leader", name, topic->leaderless);
    kafka_topic_settings(p->client, &name, 1, 5 * ASK_MS, &settings);
    if (topic->in_sync < settings.min_in_sync)
        return err_dependency(why,
                              "topic %s: %d replicas are in sync, min.insync.replicas = %lld: "
                              "nothing can be written",
                              name, topic->in_sync, (long long)settings.min_in_sync);
    return 0;
}

static int ask(struct producer *p, size_t output, struct err *why)
{
    struct kafka_topic topic;
    struct err err = ERR_INIT;

    if (kafka_topic_ask(p->client, p->topics[output], ASK_MS, &topic, &err) != 0) {
        if (err.kind == ERR_DEPENDENCY)
            return err_dependency(why, "the brokers do not answer");
        if (err.exit_code == EXIT_DENIED)
            producer_deny(p, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, err.text,
                          sizeof err.text);
        return err_dependency(why, "%s", err.text);
    }
    if (output == OUTPUT_DEAD && topic.partition_count > 0)
        p->known.dead_partitions = topic.partition_count;
    return judge_topic(p, p->topics[output], &topic, why);
}

const char *producer_throttler(const struct producer *p)
{
    return kafka_throttle_broker(&p->throttle, clock_ms());
}

void producer_refresh(struct producer *p, struct err *why)
{
    if (p->is_given_up && p->in_flight == 0 && p->config->delivery != DELIVERY_EXACTLY_ONCE)
        producer_renew(p, "librdkafka gave the producer up");
    if (clock_ms() - p->refreshed_ms < EVERY_MS)
        return;
    p->refreshed_ms = clock_ms();
    if (producer_throttler(p))
        err_dependency(why, KAFKA_THROTTLE_TEXT, producer_throttler(p), "producer", "producer");
    for (size_t i = 0; i < p->topic_count && !err_is_set(why); i++)
        ask(p, i, why);
    if (!err_is_set(why) && p->in_flight > 0)
        err_dependency(why, "nothing is acknowledged, and the output topics look as they should");
}
