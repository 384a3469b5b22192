/* check_group.c: the group, and where reading would start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kafka_conf.h"
#include "core/mem.h"
#include "pipeline/checks.h"

/* An assignor that the members use and we do not offer: the coordinator would refuse us. */
static bool has_assignor(const char *list, const char *assignor)
{
    size_t len = strlen(assignor);

    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, assignor, len) == 0 && (p[len] == '\0' || p[len] == ','))
            return true;
    return false;
}

static void judge_members(struct checker *c, const struct probe_group *group)
{
    char assignors[200];
    struct err err = ERR_INIT;
    const char *name = config_group(c->config);

    kafka_conf_read(c->config, KAFKA_CONSUMER, "partition.assignment.strategy", assignors,
                    sizeof assignors, &err);
    if (*group->assignor && !has_assignor(assignors, group->assignor)) {
        err_fatal(&err, EXIT_CONFIGURATION,
                  "group %s: its members assign by %s, kscore by %s, and would not be let in: "
                  "another group, or [consumer] partition.assignment.strategy",
                  name, group->assignor, assignors);
        check_fail(c, &err);
        return;
    }
    if (c->is_group_proven)
        check_say(c, CHECK_PROVEN, "%s may be used; %zu members now", name, group->member_count);
    else
        check_say(c, CHECK_NOT_PROVEN, "%s: whether it may be used shows on an input topic only",
                  name);
    if (*group->topic)
        check_say(c, CHECK_REMARK, "%s: its member %s reads %s, which kscore does not", name,
                  group->strangers, group->topic);
}

void check_group(struct checker *c)
{
    struct probe_group group;
    struct err err = c->group_error;

    if (!err_is_set(&err) && probe_group(c->probe, CHECK_ASK_MS, &group, &err) == 0) {
        judge_members(c, &group);
    } else if (err.exit_code != EXIT_DENIED && c->is_group_proven) {
        check_say(c, CHECK_PROVEN, "%s may be used", config_group(c->config));
        check_say(c, CHECK_NOT_PROVEN, "whether its members are like us: %s", err.text);
    } else {
        err_prefix(&err, "[consumer]");
        check_fail(c, &err);
    }
}

/* ---- where reading would start */

struct start {
    int32_t fresh;       /* partitions without a committed offset */
    int64_t fresh_count; /* records in their logs */
    int64_t lag;         /* behind the committed offsets */
    int32_t gaps;        /* partitions whose committed offset is outside of the log */
    int64_t lost;        /* at least that many records between it and the log */
    int32_t first;       /* the first such partition, and its offsets */
    struct probe_offsets at;
};

static void add(struct start *s, int32_t partition, const struct probe_offsets *o)
{
    if (o->committed < 0) {
        s->fresh++;
        s->fresh_count += o->high - o->low;
    } else if (o->committed < o->low || o->committed > o->high) {
        if (s->gaps++ == 0) {
            s->first = partition;
            s->at = *o;
        }
        s->lost += o->committed < o->low ? o->low - o->committed : 0;
    } else {
        s->lag += o->high - o->committed;
    }
}

static void say_gaps(struct checker *c, const char *topic, const struct start *s)
{
    struct err err = ERR_INIT;
    char text[500];

    snprintf(text, sizeof text,
             "%s [%d]: the committed offset %lld is gone, the log holds %lld to %lld (%d such "
             "partitions, %lld records lost)",
             topic, s->first, (long long)s->at.committed, (long long)s->at.low,
             (long long)s->at.high, s->gaps, (long long)s->lost);
    if (c->config->on_gap == GAP_STOP) {
        err_fatal(&err, EXIT_DATA, "%s and [consumer] on_gap = stop", text);
        check_fail(c, &err);
    } else {
        check_say(c, CHECK_REMARK, "%s: it would go on at the log's start", text);
    }
}

static void say_start(struct checker *c, const char *topic, int32_t count, const struct start *s)
{
    if (s->fresh == count)
        check_say(c, CHECK_PROVEN, "%s: nothing is committed, starts at %s; %lld records are there",
                  topic, c->config->start_text, (long long)s->fresh_count);
    else
        check_say(c, CHECK_PROVEN,
                  "%s: goes on at the committed offsets of %d partitions, %lld records behind",
                  topic, count - s->fresh, (long long)s->lag);
    if (s->fresh > 0 && s->fresh < count)
        check_say(c, CHECK_REMARK,
                  "%s: %d partitions are new to the group, read from their beginning: %lld records",
                  topic, s->fresh, (long long)s->fresh_count);
    if (s->gaps > 0)
        say_gaps(c, topic, s);
}

static void start_of(struct checker *c, const char *topic, int32_t count)
{
    struct probe_offsets *offsets = mem_alloc((size_t)count, sizeof *offsets);
    struct start start = {0};
    struct err err = ERR_INIT;

    if (probe_offsets(c->probe, topic, count, CHECK_ASK_MS, offsets, &err) == 0) {
        for (int32_t i = 0; i < count; i++)
            add(&start, i, &offsets[i]);
        say_start(c, topic, count, &start);
    } else {
        err_prefix(&err, "topic %s", topic);
        check_fail(c, &err);
    }
    free(offsets);
}

void check_start(struct checker *c)
{
    for (size_t i = 0; i < c->config->topic_count; i++)
        start_of(c, c->config->topics[i], c->inputs[i].partition_count);
}
