/* trouble.c: what the client tells of itself: commits, errors, quotas. */
#include <stdio.h>
#include <string.h>

#include "consumer/client.h"
#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/log.h"

static void take_committed(struct ledger *ledger, const rd_kafka_topic_partition_list_t *offsets)
{
    for (int i = 0; offsets && i < offsets->cnt; i++) {
        const rd_kafka_topic_partition_t *entry = &offsets->elems[i];
        uint32_t part = ledger_find(ledger, entry->topic, entry->partition);
        if (part != LEDGER_NO_PART && entry->offset >= 0)
            ledger->parts[part].committed = entry->offset;
    }
}

/* A topic of ours is not there. Whether it comes back as another one nothing will tell but that the
 * group has no offsets for it. */
static void lose_topic(struct consumer *c)
{
    if (c->assignment->cnt == 0 || c->is_closing)
        return;
    c->has_gone = true;
    consumer_ask(c);
}

void consumer_on_commit(rd_kafka_t *client, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    struct consumer *c = opaque;

    (void)client;
    for (int i = 0; offsets && i < offsets->cnt && !code; i++)
        code = offsets->elems[i].err;
    if (code == RD_KAFKA_RESP_ERR__NO_OFFSET)
        return;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        lose_topic(c);
    if (code) {
        log_event(LOG_WARNING, "commit_failed", "group=%s %s; it is tried again with the next one",
                  config_group(c->config), rd_kafka_err2str(code));
    } else {
        c->commit_count++;
        take_committed(c->ledger, offsets);
    }
}

/* After the session ran out librdkafka has forgotten its member id, and sends the commits that
 * waited for the broker without one: the broker takes that for a second process. And a request to
 * join that it gave up may be read behind the one that followed it (a broker that hung, a network
 * that was late): the group takes that for the newer process, which the next heartbeat hears. */
static bool may_be_own(const struct consumer *c)
{
    enum { LATE_MS = 10000 }; /* three heartbeats */

    return c->was_lost || (c->returned_ms != 0 && clock_ms() - c->returned_ms < LATE_MS);
}

static void take_fatal(struct consumer *c)
{
    char fatal[300];
    rd_kafka_resp_err_t cause = rd_kafka_fatal_error(c->client, fatal, sizeof fatal);

    if (cause == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID && may_be_own(c))
        c->must_reopen = true;
    else if (cause == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        err_fatal(
            &c->err, EXIT_AGAIN,
            "another process runs with [kscore] instance = %s in group %s; each needs its own",
            c->config->instance, config_group(c->config));
    else
        err_fatal(&c->err, EXIT_INTERNAL, "consumer: %s", fatal);
}

/* The members of the group assign otherwise, and the brokers do not let us in: to wait for them
 * would be silence behind a change of the configuration. A member that was in waits. */
static void take_mixed(struct consumer *c)
{
    char strategy[100] = "";
    size_t size = sizeof strategy;
    struct err err = ERR_INIT;

    rd_kafka_conf_get(rd_kafka_conf(c->client), "partition.assignment.strategy", strategy, &size);
    err_fatal(&err, EXIT_CONFIGURATION,
              "group %s: its members do not assign by %s, and kinds cannot mix: stop them all "
              "first, or set [consumer] partition.assignment.strategy to theirs",
              config_group(c->config), strategy);
    if (c->was_assigned)
        log_event(LOG_WARNING, "waiting", "for=kafka %s", err.text);
    else
        c->err = err;
}

/* topic: NULL when librdkafka names it in the text only ("topic [partition]: ..."). */
static bool is_ours(const struct consumer *c, const char *topic, const char *text)
{
    for (int i = 0; i < c->assignment->cnt; i++) {
        const char *ours = c->assignment->elems[i].topic;
        size_t len = strlen(ours);
        if (topic ? strcmp(topic, ours) == 0 : strncmp(text, ours, len) == 0 && text[len] == ' ')
            return true;
    }
    return false;
}

void consumer_take_error(struct consumer *c, rd_kafka_resp_err_t code, const char *topic,
                         const char *text)
{
    struct err err = ERR_INIT;
    char who[300] = "consumer";

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        take_fatal(c);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL && !c->is_closing) {
        take_mixed(c);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        snprintf(who, sizeof who, "group %s", config_group(c->config));
    else if (topic)
        snprintf(who, sizeof who, "topic %s", topic);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && is_ours(c, topic, text))
        lose_topic(c);
    kafka_err(&err, code, who);
    kafka_trouble_take(&c->trouble, code, text);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && c->was_assigned && !c->is_closing)
        log_event(LOG_WARNING, "waiting", "for=kafka no broker is there");
    else if (err.exit_code != EXIT_DENIED)
        log_event(LOG_WARNING, "kafka", "%s: %s: %.*s", who, rd_kafka_err2name(code),
                  kafka_trouble_len(text), text);
    else if (!c->was_assigned && !c->is_closing)
        err_fatal(&c->err, EXIT_DENIED, "%s (%s)", err.text, c->trouble.text);
    else
        log_event(LOG_WARNING, "waiting", "for=kafka %s%s%s", err.text, topic ? "" : ": ",
                  topic ? "" : c->trouble.text); /* the same for all partitions of a topic */
}

void consumer_on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)client;
    consumer_take_error(opaque, (rd_kafka_resp_err_t)code, NULL, reason);
}

void consumer_on_throttle(rd_kafka_t *client, const char *broker, int32_t id, int throttle_ms,
                          void *opaque)
{
    struct consumer *c = opaque;

    (void)client, (void)id;
    kafka_throttle_take(&c->throttle, broker, throttle_ms, clock_ms());
}
