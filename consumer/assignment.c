/* assignment.c: which partitions are ours. From which offset: offsets.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/client.h"
#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/kafka_topic.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

enum { RETRY_MS = 1000 };

typedef rd_kafka_topic_partition_list_t list_t;
typedef rd_kafka_topic_partition_t entry_t;

/* owned: how many are ours then. */
static void say(struct consumer *c, const char *event, const list_t *list, int owned)
{
    char text[1500] = "";
    size_t len = 0;

    for (int i = 0; i < list->cnt && len < sizeof text - 100; i++) {
        const entry_t *entry = &list->elems[i];
        if (strcmp(event, "assigned") == 0)
            len += (size_t)snprintf(text + len, sizeof text - len, " %.60s[%d]@%lld", entry->topic,
                                    entry->partition, (long long)entry->offset);
        else
            len += (size_t)snprintf(text + len, sizeof text - len, " %.60s[%d]", entry->topic,
                                    entry->partition);
    }
    log_event(LOG_INFO, event, "group=%s partitions=%d owned=%d%s", config_group(c->config),
              list->cnt, owned, text);
}

/* Changes the client's assignment: the only place that differs by the group's protocol. Eager:
 * coming is all there is. Cooperative: coming is added. With going, that (eager: all) is taken
 * away; with both NULL the rebalance has its answer, which is to take nothing: librdkafka waits for
 * an assign() behind an assignment, and NULL is none: that member would never join again. */
static void change(struct consumer *c, const list_t *coming, const list_t *going)
{
    rd_kafka_error_t *refused = NULL;
    list_t *none = rd_kafka_topic_partition_list_new(0);

    if (!c->is_cooperative)
        rd_kafka_assign(c->client, coming ? coming : going ? NULL : none);
    else if (going)
        refused = rd_kafka_incremental_unassign(c->client, going);
    else
        refused = rd_kafka_incremental_assign(c->client, coming ? coming : none);
    if (refused && !c->is_closing) /* the rebalance would wait for its answer for ever */
        err_fatal(&c->err, EXIT_INTERNAL, "assignment: %s", rd_kafka_error_string(refused));
    rd_kafka_error_destroy(refused);
    rd_kafka_topic_partition_list_destroy(none);
}

/* What stays through a cooperative rebalance goes on at the ledger's position: librdkafka pauses it
 * meanwhile and resumes where it thinks the application is, which before 2.14 is one too far where
 * the end of a partition was the last that it told (#5213). */
static void seek_rest(struct consumer *c)
{
    for (int i = 0; i < c->assignment->cnt; i++) {
        const entry_t *entry = &c->assignment->elems[i];
        ledger_let_go(c->ledger, ledger_find(c->ledger, entry->topic, entry->partition));
    }
}

/* Takes over a list whose offsets are known. An application's pause survives re-assignment in
 * librdkafka, so all are resumed; the pipeline steers them again. */
static void take(struct consumer *c, list_t *list)
{
    list_t *anchors = rd_kafka_topic_partition_list_copy(list);

    memset(c->cache, 0, sizeof c->cache);
    seek_rest(c);
    for (int i = 0; i < list->cnt; i++) {
        const entry_t *entry = &list->elems[i];
        uint32_t part = ledger_add(c->ledger, entry->topic, entry->partition);
        rd_kafka_topic_partition_list_add(c->assignment, entry->topic, entry->partition)->offset =
            entry->offset;
        ledger_assign(c->ledger, part, entry->offset);
        anchors->elems[i].offset = ledger_anchor(c->ledger, part);
    }
    change(c, anchors, NULL);
    rd_kafka_resume_partitions(c->client, anchors);
    rd_kafka_topic_partition_list_destroy(anchors);
    c->was_assigned = true;
    if (c->was_lost)
        c->returned_ms = clock_ms();
    c->was_lost = c->has_gone = false;
    c->must_ask = c->must_ask && c->is_cooperative;
    c->must_retry = c->must_ask || c->offered->cnt > 0;
    say(c, "assigned", list, c->assignment->cnt);
    c->hooks.assigned(c->hooks.arg);
}

static void append(list_t *to, const list_t *from)
{
    for (int i = 0; i < from->cnt; i++)
        rd_kafka_topic_partition_list_add(to, from->elems[i].topic, from->elems[i].partition);
}

/* What of ours is named, which may hold what never came to be ours: its start offsets could not be
 * found. The caller frees it. */
static list_t *ours_of(const struct consumer *c, const list_t *named)
{
    list_t *ours = rd_kafka_topic_partition_list_new(named->cnt);

    for (int i = 0; i < named->cnt; i++) {
        const entry_t *entry = &named->elems[i];
        if (rd_kafka_topic_partition_list_find(c->assignment, entry->topic, entry->partition))
            rd_kafka_topic_partition_list_add(ours, entry->topic, entry->partition);
    }
    return ours;
}

/* False: not all that was in flight has ended. */
static bool give_up(struct consumer *c, const list_t *going, bool is_lost)
{
    bool is_settled = c->hooks.revoking(c->hooks.arg, is_lost);

    if (is_lost)
        offsets_forget(c, going, false);
    else
        consumer_store(c);
    for (int i = 0; i < going->cnt; i++) {
        const entry_t *entry = &going->elems[i];
        ledger_revoke(c->ledger, ledger_find(c->ledger, entry->topic, entry->partition));
        rd_kafka_topic_partition_list_del(c->assignment, entry->topic, entry->partition);
    }
    c->must_ask = c->must_ask && c->assignment->cnt > 0;
    seek_rest(c);
    return is_settled;
}

static void offer(struct consumer *c, const list_t *list)
{
    append(c->offered, list);
    c->must_retry = c->must_ask || c->offered->cnt > 0;
    c->retry_ms = clock_ms() + RETRY_MS;
}

static void retry_later(struct consumer *c, const list_t *offered, const struct err *why)
{
    log_event(LOG_WARNING, "waiting", "for=start_offsets %s; asking again", why->text);
    offer(c, offered);
}

static void forget_offered(struct consumer *c)
{
    while (c->offered->cnt > 0)
        rd_kafka_topic_partition_list_del_by_idx(c->offered, 0);
}

void assignment_drop(struct consumer *c)
{
    list_t *all = rd_kafka_topic_partition_list_copy(c->assignment);

    give_up(c, all, true);
    forget_offered(c);
    rd_kafka_topic_partition_list_destroy(all);
}

/* False: its start offsets could not be found. */
static bool try_take(struct consumer *c, list_t *list)
{
    struct err err = ERR_INIT;

    if (offsets_find(c, list, &err) == 0) {
        take(c, list);
        return true;
    }
    if (err.kind == ERR_FATAL && (!c->was_assigned || err.exit_code == EXIT_DATA))
        c->err = err;
    else
        retry_later(c, list, &err);
    return false;
}

static void on_assign(struct consumer *c, list_t *list)
{
    if (!c->is_cooperative) /* the list is all there is */
        forget_offered(c);
    if (!try_take(c, list))
        change(c, NULL, NULL);
}

/* What was stored of a topic that is gone would be committed by librdkafka when we give it up, and
 * again and again for a while: into the topic that is made anew under its name. */
static bool is_gone(struct consumer *c, const list_t *going)
{
    if (!c->has_gone && !offsets_is_gone(c, going))
        return false;
    log_event(LOG_WARNING, "revoked",
              "a topic is gone: what is in flight will be scored again if it is back");
    return true;
}

static void on_revoke(struct consumer *c, const list_t *list)
{
    bool is_lost = rd_kafka_assignment_lost(c->client);
    list_t *going = ours_of(c, c->is_cooperative ? list : c->assignment);

    say(c, "revoked", going, c->assignment->cnt - going->cnt);
    if (is_lost)
        log_event(LOG_WARNING, "revoked",
                  "the assignment was lost: what is in flight will be scored again");
    c->was_lost = c->was_lost || is_lost;
    give_up(c, going, is_lost || is_gone(c, going));
    for (int i = 0; i < list->cnt; i++)
        rd_kafka_topic_partition_list_del(c->offered, list->elems[i].topic,
                                          list->elems[i].partition);
    offsets_accept(c, going); /* by the next time others may have gone on */
    change(c, NULL, going);
    rd_kafka_topic_partition_list_destroy(going);
}

void assignment_on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code, list_t *list,
                             void *opaque)
{
    struct consumer *c = opaque;

    (void)client;
    if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        on_revoke(c, list);
    else if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !c->is_closing)
        on_assign(c, list);
    else
        change(c, NULL, NULL);
}

static void offer_all(struct consumer *c)
{
    list_t *list = rd_kafka_topic_partition_list_copy(c->assignment);

    give_up(c, list, c->has_gone);
    change(c, NULL, list);
    append(c->offered, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void take_offered(struct consumer *c)
{
    list_t *list = c->offered;

    c->offered = rd_kafka_topic_partition_list_new(1);
    try_take(c, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Of several topics one may stay away: the others go on. The group does not forget the offsets of
 * one that is gone in the same moment, and it may be back as soon: it is asked the next time. */
void assignment_retry(struct consumer *c, bool is_all)
{
    list_t *gone = offsets_take_gone(c, c->offered);
    bool is_seen_gone = is_all && c->has_gone;

    c->must_retry = c->must_ask = false;
    if (gone->cnt > 0)
        log_event(LOG_WARNING, "waiting", "for=start_offsets topic %s does not exist; asking again",
                  gone->elems[0].topic);
    if (is_all || (c->offered->cnt > 0 && c->assignment->cnt > 0 && !c->is_cooperative))
        offer_all(c);
    if (c->offered->cnt > 0 && !is_seen_gone)
        take_offered(c);
    offer(c, gone);
    rd_kafka_topic_partition_list_destroy(gone);
}

void assignment_renew(struct consumer *c)
{
    struct err err = ERR_INIT;
    list_t *list;
    int result = 0;

    c->must_reassign = false;
    /* Who leaves asks anew; what the ledger says may lie below what a transaction committed. */
    if (c->assignment->cnt == 0 || c->must_ask)
        return;
    list = rd_kafka_topic_partition_list_copy(c->assignment);
    if (!give_up(c, list,
                 false)) /* a transaction may be committed yet: its offsets are asked for then */
        result = err_dependency(&err, "what is in flight has not ended");
    /* Now and not by the next assignment: giving partitions up commits what was stored for them,
     * which must not come after the new offsets (of a topic made anew they are smaller). */
    offsets_forget(c, list, true);
    change(c, NULL, list);
    for (int i = 0; i < list->cnt && result == 0; i++) {
        entry_t *entry = &list->elems[i];
        uint32_t part = ledger_find(c->ledger, entry->topic, entry->partition);
        /* Not the position: what is still on its way lies below it, and this is committed. */
        result = offsets_cross_gap(c, entry, c->ledger->parts[part].done, &err);
    }
    if (result == 0)
        result = offsets_commit(c, list, OFFSETS_ASK_MS, &err);
    if (result == 0) {
        take(c, list);
    } else if (err.kind == ERR_FATAL && err.exit_code == EXIT_DATA) {
        c->err = err;
    } else {
        retry_later(c, list, &err);
    }
    rd_kafka_topic_partition_list_destroy(list);
}
