#include "consumer/claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/errand.h"
#include "core/kafka_conf.h"

enum { SESSION_MS = 10000, BEAT_MS = 3000 };

/* ---- the client */

/* At most that: a shorter one of the user's stays. */
static void limit(rd_kafka_conf_t *conf, const char *name, long most)
{
    char text[32];
    size_t len = sizeof text;

    if (rd_kafka_conf_get(conf, name, text, &len) == RD_KAFKA_CONF_OK && atol(text) <= most)
        return;
    snprintf(text, sizeof text, "%ld", most);
    kafka_conf_set(conf, name, text);
}

void claim_configure(rd_kafka_conf_t *conf, const struct config *config)
{
    char host[64] = "", id[400];

    gethostname(host, sizeof host - 1);
    snprintf(id, sizeof id, "%.250s-redrive-%s-%d", config->name, host, (int)getpid());
    kafka_conf_set(conf, "client.id", id);
    kafka_conf_set(conf, "group.instance.id", "");
    kafka_conf_set(conf, "partition.assignment.strategy", "range");
    limit(conf, "session.timeout.ms", SESSION_MS);
    limit(conf, "heartbeat.interval.ms", BEAT_MS);
}

/* A member that takes nothing is no member to librdkafka: it does not join again when it was
 * expelled (2.0.2). So it takes what is given, from its end on, and pauses it. */
void claim_rebalance(struct claim *c, rd_kafka_resp_err_t code,
                     rd_kafka_topic_partition_list_t *partitions)
{
    c->is_member = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (!c->is_member) {
        c->is_held = c->is_held && !rd_kafka_assignment_lost(c->client);
        rd_kafka_assign(c->client, NULL);
        return;
    }
    for (int i = 0; i < partitions->cnt; i++)
        partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_assign(c->client, partitions);
    rd_kafka_pause_partitions(c->client, partitions);
}

void claim_serve(struct claim *c, int timeout_ms)
{
    rd_kafka_message_t *message;

    while ((message = rd_kafka_consumer_poll(c->client, timeout_ms))) {
        c->is_denied = c->is_denied || message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
        rd_kafka_message_destroy(message);
    }
}

/* ---- who is there */

struct other {
    bool is_there;
    char name[500];
};

static void find_other(const struct claim *c, const rd_kafka_ConsumerGroupDescription_t *group,
                       struct other *other)
{
    char *own = c->has_joined ? rd_kafka_memberid(c->client) : NULL;
    size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);

    for (size_t i = 0; i < count; i++) {
        const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *host = rd_kafka_MemberDescription_host(m);
        if (own && strcmp(own, rd_kafka_MemberDescription_consumer_id(m)) == 0)
            continue;
        other->is_there = true;
        snprintf(other->name, sizeof other->name, "%s at %s",
                 rd_kafka_MemberDescription_client_id(m), host + (*host == '/'));
    }
    if (own)
        rd_kafka_mem_free(c->client, own);
}

static rd_kafka_resp_err_t take_answer(const struct claim *c, rd_kafka_event_t *answer,
                                       struct other *other)
{
    const rd_kafka_ConsumerGroupDescription_t **groups;
    const rd_kafka_error_t *refused;
    size_t count;

    if (!answer)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (rd_kafka_event_error(answer))
        return rd_kafka_event_error(answer);
    groups = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(answer), &count);
    refused = count == 1 ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;
    if (refused)
        return rd_kafka_error_code(refused);
    if (count == 1)
        find_other(c, groups[0], other);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int look(const struct claim *c, int timeout_ms, struct other *other, struct err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(c->client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    const char *groups[] = {c->group};
    rd_kafka_resp_err_t code;
    rd_kafka_event_t *answer;
    char text[200];

    *other = (struct other){.is_there = false};
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
    rd_kafka_DescribeConsumerGroups(c->client, groups, 1, options, queue);
    answer = rd_kafka_queue_poll(queue, timeout_ms + 1000);
    code = take_answer(c, answer, other);
    if (answer)
        rd_kafka_event_destroy(answer);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return code ? kafka_err(err, code, c->group) : 0;
}

/* ---- in turn */

static int look_before(struct claim *c, int timeout_ms, struct err *err)
{
    enum { LATE_MS = 2000 };
    struct other other;

    if (look(c, timeout_ms, &other, err) != 0)
        return -1;
    if (!other.is_there)
        return 0;
    if (c->patience_ms == 0)
        c->patience_ms = clock_ms() + SESSION_MS + LATE_MS;
    if (clock_ms() < c->patience_ms)
        return err_dependency(err, "%s is at work, or died just now", other.name);
    return err_fatal(err, EXIT_AGAIN, "%s is at work in group %s: one at a time", other.name,
                     c->group);
}

static int join(struct claim *c, const char *topic, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t code;

    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(c->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    c->has_joined = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return code ? kafka_err(err, code, c->group) : 0;
}

static int await_membership(struct claim *c, int timeout_ms, struct err *err)
{
    enum { POLL_MS = 20 };
    int64_t until_ms = clock_ms() + timeout_ms;

    while (!c->is_member && !c->is_denied && clock_ms() < until_ms)
        claim_serve(c, POLL_MS);
    if (c->is_member)
        return 0;
    return kafka_err(err,
                     c->is_denied ? RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
                                  : RD_KAFKA_RESP_ERR__TIMED_OUT,
                     c->group);
}

static int look_behind(struct claim *c, int timeout_ms, struct err *err)
{
    struct other other;

    if (look(c, timeout_ms, &other, err) != 0)
        return -1;
    if (!other.is_there)
        return 0;
    rd_kafka_unsubscribe(c->client);
    return err_fatal(err, EXIT_AGAIN, "%s came at the same moment to group %s: one at a time",
                     other.name, c->group);
}

int claim_hold(struct claim *c, const char *topic, int timeout_ms, struct err *err)
{
    claim_serve(c, 0);
    if (c->is_held) /* while the group assigns anew, too */
        return 0;
    if (!c->has_joined && (look_before(c, timeout_ms, err) != 0 || join(c, topic, err) != 0))
        return -1;
    if (await_membership(c, timeout_ms, err) != 0 || look_behind(c, timeout_ms, err) != 0)
        return -1;
    c->is_held = true;
    return 1;
}

/* ---- the end */

static void close_client(void *client)
{
    rd_kafka_consumer_close(client);
}

static void keep_nothing(void *client)
{
    (void)client;
}

bool claim_leave(struct claim *c, int timeout_ms)
{
    struct errand *errand;

    if (!c->has_joined)
        return true;
    errand = errand_new(close_client, keep_nothing, c->client);
    errand_poll(errand, timeout_ms);
    return errand_free(errand);
}
