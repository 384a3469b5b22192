/* check_kafka.c: the brokers, and the topics as they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kafka_conf.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/checks.h"

enum { LOGIN_MS = 5000 };

static bool is_dead(const struct checker *c, const char *name)
{
    return strcmp(name, c->config->dead_topic) == 0;
}

/* What a client of that role has for a key; "" when its configuration is refused, which is said by
 * the check "brokers". */
static const char *value_of(const struct checker *c, enum kafka_role role, const char *name,
                            char value[256])
{
    struct err ignored = ERR_INIT;

    kafka_conf_read(c->config, role, name, value, 256, &ignored);
    return value;
}

static int64_t number_of(const struct checker *c, enum kafka_role role, const char *name)
{
    char value[256];

    return strtoll(value_of(c, role, name, value), NULL, 10);
}

/* ---- brokers */

/* The cause may refer to a line of librdkafka's, which is not shown unless it is asked for. */
static void point_at_log(struct err *err)
{
    size_t len = strlen(err->text);

    if (strstr(err->text, "facility=") && !log_is_on(LOG_WARNING))
        snprintf(err->text + len, sizeof err->text - len, "; -s kscore.log_level=warning shows it");
}

void check_brokers(struct checker *c)
{
    char servers[256], protocol[256], mechanism[256], user[256];
    struct err err = ERR_INIT;
    int count;

    c->probe = probe_new(c->config, &err);
    if (!c->probe || probe_login(c->probe, LOGIN_MS, &count, &err) != 0) {
        err_prefix(&err, "[kafka]");
        point_at_log(&err);
        check_fail(c, &err);
        return;
    }
    value_of(c, KAFKA_CONSUMER, "bootstrap.servers", servers);
    value_of(c, KAFKA_CONSUMER, "security.protocol", protocol);
    if (strncmp(protocol, "sasl", 4) == 0)
        check_say(c, CHECK_PROVEN, "%s: %d broker%s, %s, logged in as %s by %s", servers, count,
                  count == 1 ? "" : "s", protocol,
                  value_of(c, KAFKA_CONSUMER, "sasl.username", user),
                  value_of(c, KAFKA_CONSUMER, "sasl.mechanism", mechanism));
    else
        check_say(c, CHECK_PROVEN, "%s: %d broker%s, %s, no login", servers, count,
                  count == 1 ? "" : "s", protocol);
}

/* ---- topics */

/* Its partitions have leaders. False: it was said which has none. */
static bool has_leaders(struct checker *c, const char *section, const char *name,
                        const struct kafka_topic *topic)
{
    struct err err = ERR_INIT;

    if (topic->leaderless < 0)
        return true;
    err_dependency(&err, "%s: topic %s: partition %d has no leader", section, name,
                   topic->leaderless);
    check_fail(c, &err);
    return false;
}

/* An error of one section's topic. */
static void fail_in(struct checker *c, const char *section, const struct err *why)
{
    struct err err = *why;

    err_prefix(&err, "%s", section);
    check_fail(c, &err);
}

static void check_one_input(struct checker *c, const char *name, struct kafka_topic *topic)
{
    static const char section[] = "[consumer]";
    struct err err = ERR_INIT;
    bool is_group;

    if (probe_topic(c->probe, name, CHECK_ASK_MS, topic, &err) != 0) {
        fail_in(c, section, &err);
        return;
    }
    if (!has_leaders(c, section, name, topic))
        return;
    if (probe_read(c->probe, name, CHECK_ASK_MS, &is_group, &err) == 0) {
        c->is_group_proven = true;
        check_say(c, CHECK_PROVEN, "%s: %d partitions, may be read", name, topic->partition_count);
    } else if (is_group) {
        c->group_error = err;
        check_say(
            c, CHECK_NOT_PROVEN,
            "%s: %d partitions; the group is denied, and with it the answer whether the topic "
            "may be read",
            name, topic->partition_count);
    } else {
        c->is_group_proven = c->is_group_proven || err.exit_code == EXIT_DENIED;
        fail_in(c, section, &err);
    }
}

void check_input(struct checker *c)
{
    c->inputs = mem_alloc(c->config->topic_count, sizeof *c->inputs);
    for (size_t i = 0; i < c->config->topic_count; i++)
        check_one_input(c, c->config->topics[i], &c->inputs[i]);
}

/* ---- output topics */

static void say_written(struct checker *c, const struct producer_topic *t)
{
    if (err_is_set(&t->err))
        fail_in(c, t->section, &t->err);
    else if (!has_leaders(c, t->section, t->name, &t->topic))
        return;
    else if (t->is_proven)
        check_say(c, CHECK_PROVEN, "%s: %d partitions, may be written", t->name,
                  t->topic.partition_count);
    else
        check_say(
            c, CHECK_NOT_PROVEN,
            "%s: %d partitions; permission to write can only be tried where max.message.bytes "
            "is known (DESCRIBE_CONFIGS) and below 8 MiB",
            t->name, t->topic.partition_count);
}

/* Dead letters keep their partition's number, modulo. */
static void remark_partitions(struct checker *c, const struct producer_topic *dead)
{
    for (size_t i = 0; c->inputs && i < c->config->topic_count; i++)
        if (is_dead(c, dead->name) && !err_is_set(&dead->err) &&
            dead->topic.partition_count < c->inputs[i].partition_count)
            check_say(c, CHECK_REMARK,
                      "%s has %d partitions, %s %d: a dead letter's partition is its origin's only "
                      "modulo",
                      dead->name, dead->topic.partition_count, c->config->topics[i],
                      c->inputs[i].partition_count);
}

/* The start reads back what the last run left. */
static void check_journal(struct checker *c, const struct producer_topic *journal)
{
    struct err err = ERR_INIT;
    bool is_group;

    if (strcmp(journal->section, "[journal]") == 0 && !err_is_set(&journal->err) &&
        probe_read(c->probe, journal->name, CHECK_ASK_MS, &is_group, &err) != 0)
        check_say(c, CHECK_REMARK,
                  "%s: what changed since the run before will not be known, for it may not be "
                  "read: %s",
                  journal->name, err.text);
}

void check_output(struct checker *c)
{
    struct err err = ERR_INIT;

    c->output_count = producer_prove(c->config, c->outputs, CHECK_ASK_MS, &err);
    if (err_is_set(&err))
        check_fail(c, &err);
    for (size_t i = 0; i < c->output_count; i++) {
        say_written(c, &c->outputs[i]);
        remark_partitions(c, &c->outputs[i]);
        check_journal(c, &c->outputs[i]);
    }
}

/* ---- sizes and other settings of topics */

/* What fits into a topic, the client's own limit counted; 0: unknown. */
static int64_t room_of(const struct checker *c, const struct kafka_topic_settings *s)
{
    int64_t own = number_of(c, KAFKA_PRODUCER, "message.max.bytes");

    return s->max_bytes > 0 && s->max_bytes < own ? s->max_bytes : s->max_bytes ? own : 0;
}

static void check_input_size(struct checker *c, const char *name,
                             const struct kafka_topic_settings *s)
{
    int64_t most = number_of(c, KAFKA_CONSUMER, "receive.message.max.bytes"),
            value = c->config->max_value_kib * 1024;
    struct err err = ERR_INIT;

    if (s->max_bytes == 0) {
        check_say(c, CHECK_NOT_PROVEN, "%s: max.message.bytes is not known (DESCRIBE_CONFIGS)",
                  name);
    } else if (s->max_bytes > most) {
        err_fatal(&err, EXIT_CONFIGURATION,
                  "topic %s takes records of %lld bytes (max.message.bytes); the consumer takes "
                  "%lld: raise receive.message.max.bytes",
                  name, (long long)s->max_bytes, (long long)most);
        check_fail(c, &err);
    } else if (s->max_bytes > value) {
        check_say(
            c, CHECK_PROVEN,
            "%s takes records of %lld bytes, all can be fetched; values over %lld become dead "
            "letters",
            name, (long long)s->max_bytes, (long long)value);
    } else {
        check_say(c, CHECK_PROVEN, "%s takes records of %lld bytes, all can be fetched", name,
                  (long long)s->max_bytes);
    }
}

static void check_output_size(struct checker *c, const struct producer_topic *o,
                              const struct kafka_topic_settings *s)
{
    enum { SCORE_BYTES = 1024, DEAD_BYTES = 8192 };
    int64_t room = room_of(c, s), least = is_dead(c, o->name) ? DEAD_BYTES : SCORE_BYTES,
            value = c->config->max_value_kib * 1024;
    struct err err = ERR_INIT;

    if (room == 0) {
        check_say(c, CHECK_NOT_PROVEN, "%s: max.message.bytes is not known (DESCRIBE_CONFIGS)",
                  o->name);
    } else if (room < least) {
        err_fatal(&err, EXIT_CONFIGURATION,
                  "%s topic %s takes records of %lld bytes; kscore needs %lld: raise its "
                  "max.message.bytes",
                  o->section, o->name, (long long)room, (long long)least);
        check_fail(c, &err);
    } else if (is_dead(c, o->name) && room < value + DEAD_BYTES) {
        check_say(c, CHECK_REMARK,
                  "%s takes records of %lld bytes: dead letters of values over %lld lose their "
                  "value; [consumer] max_value_kib allows %lld",
                  o->name, (long long)room, (long long)(room - DEAD_BYTES), (long long)value);
    } else {
        check_say(c, CHECK_PROVEN, "%s takes records of %lld bytes", o->name, (long long)room);
    }
}

static void check_output_settings(struct checker *c, const struct producer_topic *o,
                                  const struct kafka_topic_settings *s)
{
    struct err err = ERR_INIT;

    if (s->is_compacted)
        check_say(c, CHECK_REMARK,
                  "%s is compacted: it refuses records without a key and keeps the last of each",
                  o->name);
    if (s->min_in_sync <= o->topic.in_sync)
        return;
    if (s->min_in_sync > o->topic.replicas)
        err_fatal(&err, EXIT_CONFIGURATION,
                  "%s topic %s has %d replicas and min.insync.replicas = %lld: nothing can ever be "
                  "written",
                  o->section, o->name, o->topic.replicas, (long long)s->min_in_sync);
    else
        err_dependency(
            &err,
            "%s topic %s: %d replicas are in sync and min.insync.replicas = %lld: nothing "
            "can be written now",
            o->section, o->name, o->topic.in_sync, (long long)s->min_in_sync);
    check_fail(c, &err);
}

/* Of the topics that are there; the others are said by "input" and "output". */
void check_sizes(struct checker *c)
{
    size_t in = c->config->topic_count, out = c->output_count;
    const char **names = mem_alloc(in + out, sizeof *names);
    struct kafka_topic_settings *settings = mem_alloc(in + out, sizeof *settings);

    for (size_t i = 0; i < in; i++)
        names[i] = c->config->topics[i];
    for (size_t i = 0; i < out; i++)
        names[in + i] = c->outputs[i].name;
    probe_settings(c->probe, names, in + out, CHECK_ASK_MS, settings);
    for (size_t i = 0; i < in; i++)
        if (c->inputs && c->inputs[i].partition_count > 0)
            check_input_size(c, names[i], &settings[i]);
    for (size_t i = 0; i < out; i++) {
        if (c->outputs[i].topic.partition_count == 0)
            continue;
        check_output_size(c, &c->outputs[i], &settings[in + i]);
        check_output_settings(c, &c->outputs[i], &settings[in + i]);
    }
    free(names);
    free(settings);
}

/* ---- transactions */

void check_transactions(struct checker *c)
{
    struct err err = ERR_INIT;

    if (c->config->delivery != DELIVERY_EXACTLY_ONCE)
        return;
    if (producer_prove_transactions(c->config, CHECK_ASK_MS, &err) != 0) {
        err_prefix(&err, "[kscore]");
        check_fail(c, &err);
        return;
    }
    check_say(c, CHECK_PROVEN, "transactional ids that begin with %s-%s- may be used",
              config_group(c->config), c->config->instance);
}
