/* assignment.c: which partitions are ours, and from which offset. Nothing is skipped in silence. */
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

enum { ASK_MS = 5000, RETRY_MS = 1000 };

typedef rd_kafka_topic_partition_list_t list_t;
typedef rd_kafka_topic_partition_t entry_t;

/* A partition's refusal shows in its element: the answer as a whole fails only when all were
 * refused. */
int assignment_commit(struct consumer *c, const list_t *list, int timeout_ms, struct err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->client);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(c->client, list, queue, NULL, NULL);
    rd_kafka_event_t *event = code ? NULL : rd_kafka_queue_poll(queue, timeout_ms);
    const list_t *answer = event ? rd_kafka_event_topic_partition_list(event) : NULL;
    char what[300] = "committing offsets";

    if (!code)
        code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int i = 0; answer && i < answer->cnt; i++) {
        const entry_t *entry = &answer->elems[i];
        if (!entry->err)
            continue;
        code = entry->err;
        snprintf(what, sizeof what, "committing the offset of %s [%d]", entry->topic,
                 entry->partition);
        break;
    }
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return code ? kafka_err(err, code, what) : 0;
}

/* Members that start a topic together each commit where they start, with how many partitions there
 * were: else the last of them would take its own for one that appeared later. */
static const char first_start[] = "kscore first start, partitions=";

/* The commit was made by such a start, when this partition was there already. */
static bool is_same_start(const entry_t *committed, int32_t partition)
{
    size_t len = sizeof first_start - 1;
    const char *text = committed->metadata;
    int64_t count;

    return committed->metadata_size > len && memcmp(text, first_start, len) == 0 &&
           integer_parse(text + len, committed->metadata_size - len, 0, INT32_MAX, &count) &&
           partition < count;
}

static void note_first_start(entry_t *entry, int32_t count)
{
    char text[sizeof first_start + 12];
    int len = snprintf(text, sizeof text, "%s%d", first_start, count);

    entry->metadata = mem_copy_text(text, (size_t)len);
    entry->metadata_size = (size_t)len;
}

/* Whether the group reads the topic already, so that this partition appeared later. If not, the
 * entry says for the others that it is a first start. */
static int is_read_already(struct consumer *c, entry_t *entry, bool *is_read, struct err *err)
{
    int32_t count;
    list_t *all;
    rd_kafka_resp_err_t code;

    *is_read = false;
    if (kafka_topic_partitions(c->client, entry->topic, ASK_MS, &count, err) != 0)
        return -1;
    all = rd_kafka_topic_partition_list_new(count);
    for (int32_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(all, entry->topic, i);
    code = rd_kafka_committed(c->client, all, ASK_MS);
    for (int i = 0; i < all->cnt && !code; i++)
        *is_read = *is_read ||
                   (all->elems[i].offset >= 0 && !is_same_start(&all->elems[i], entry->partition));
    rd_kafka_topic_partition_list_destroy(all);
    if (!code && !*is_read)
        note_first_start(entry, count);
    return code ? kafka_err(err, code, "asking for committed offsets") : 0;
}

/* The offset of a time, or of OFFSET_BEGINNING or OFFSET_END; -1 when nothing is that young. */
static int offset_of(struct consumer *c, const entry_t *entry, int64_t time, int64_t *offset,
                     struct err *err)
{
    list_t *list = rd_kafka_topic_partition_list_new(1);
    entry_t *asked = rd_kafka_topic_partition_list_add(list, entry->topic, entry->partition);
    rd_kafka_resp_err_t code;

    asked->offset = time;
    code = rd_kafka_offsets_for_times(c->client, list, ASK_MS);
    if (!code)
        code = asked->err;
    *offset = asked->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code ? kafka_err(err, code, "asking for the offset of a time") : 0;
}

static int offset_at(struct consumer *c, const entry_t *entry, int64_t high, int64_t *offset,
                     struct err *err)
{
    if (offset_of(c, entry, c->config->start_ms, offset, err) != 0)
        return -1;
    if (*offset < 0)
        *offset = high;
    return 0;
}

/* Not rd_kafka_query_watermark_offsets: before 2.3 it outlasts its time-out, for ever when the
 * broker goes meanwhile (librdkafka #2588, #4460), and a rebalance waits with it. */
static int watermarks(struct consumer *c, const entry_t *entry, int64_t *low, int64_t *high,
                      struct err *err)
{
    if (offset_of(c, entry, RD_KAFKA_OFFSET_BEGINNING, low, err) != 0 ||
        offset_of(c, entry, RD_KAFKA_OFFSET_END, high, err) != 0)
        return err_prefix(err, "first and last offset");
    return 0;
}

/* A partition the group has never committed: [consumer] start decides, unless it appeared in a
 * topic that the group already reads: then its beginning. */
static int first_offset(struct consumer *c, entry_t *entry, struct err *err)
{
    enum config_start start = c->config->start;
    int64_t low = 0, high = 0;
    bool is_read = false;

    if (watermarks(c, entry, &low, &high, err) != 0)
        return -1;
    if (start != START_EARLIEST && is_read_already(c, entry, &is_read, err) != 0)
        return -1;
    if (start == START_EARLIEST || is_read)
        entry->offset = low;
    else if (start == START_LATEST)
        entry->offset = high;
    else
        return offset_at(c, entry, high, &entry->offset, err);
    return 0;
}

/* A position outside the log: said, counted in offsets, and resumed at the log's start, or fatal.
 */
static int cross_gap(struct consumer *c, entry_t *entry, int64_t position, struct err *err)
{
    int64_t low = 0, high = 0;

    if (watermarks(c, entry, &low, &high, err) != 0)
        return -1;
    if (position >= low && position <= high) {
        entry->offset = position;
        return 0;
    }
    entry->offset = low;
    if (position < low)
        log_event(
            LOG_WARNING, "gap",
            "topic=%s partition=%d from=%lld to=%lld lost=%lld retention removed them before they "
            "were read",
            entry->topic, entry->partition, (long long)position, (long long)low,
            (long long)(low - position));
    else
        log_event(
            LOG_WARNING, "gap",
            "topic=%s partition=%d committed=%lld end=%lld the topic was made anew or truncated; "
            "going on at its start %lld",
            entry->topic, entry->partition, (long long)position, (long long)high, (long long)low);
    if (c->config->on_gap == GAP_STOP)
        return err_fatal(
            err, EXIT_DATA,
            "%s [%d]: offset %lld is gone (the log holds %lld to %lld) and [consumer] on_gap = "
            "stop",
            entry->topic, entry->partition, (long long)position, (long long)low, (long long)high);
    return 0;
}

/* Fills the offsets of a new assignment; those that were not committed before are committed now,
 * before the first record is taken. */
static int find_offsets(struct consumer *c, list_t *list, struct err *err)
{
    list_t *fresh = rd_kafka_topic_partition_list_new(list->cnt);
    rd_kafka_resp_err_t code = rd_kafka_committed(c->client, list, ASK_MS);
    int result = 0;

    if (code)
        result = kafka_err(err, code, "asking for committed offsets");
    for (int i = 0; i < list->cnt && result == 0; i++) {
        entry_t *entry = &list->elems[i], *new;
        if (entry->err)
            result = kafka_err(err, entry->err, "asking for committed offsets");
        if (result != 0 || entry->offset >= 0)
            continue;
        new = rd_kafka_topic_partition_list_add(fresh, entry->topic, entry->partition);
        result = first_offset(c, new, err);
        entry->offset = new->offset;
    }
    if (result == 0 && fresh->cnt > 0)
        result = assignment_commit(c, fresh, ASK_MS, err);
    rd_kafka_topic_partition_list_destroy(fresh);
    return result;
}

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
    change(c, list, NULL);
    rd_kafka_resume_partitions(c->client, list);
    memset(c->cache, 0, sizeof c->cache);
    seek_rest(c);
    for (int i = 0; i < list->cnt; i++) {
        const entry_t *entry = &list->elems[i];
        rd_kafka_topic_partition_list_add(c->assignment, entry->topic, entry->partition)->offset =
            entry->offset;
        ledger_assign(c->ledger, ledger_add(c->ledger, entry->topic, entry->partition),
                      entry->offset);
    }
    c->was_assigned = true;
    if (c->was_lost)
        c->returned_ms = clock_ms();
    c->was_lost = false;
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

    if (!is_lost)
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

static void retry_later(struct consumer *c, const list_t *offered, const struct err *why)
{
    append(c->offered, offered);
    log_event(LOG_WARNING, "waiting", "for=start_offsets %s; asking again", why->text);
    c->must_retry = true;
    c->retry_ms = clock_ms() + RETRY_MS;
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

    if (find_offsets(c, list, &err) == 0) {
        take(c, list);
        return true;
    }
    if (err.kind == ERR_FATAL && !c->was_assigned)
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

static void on_revoke(struct consumer *c, const list_t *list)
{
    bool is_lost = rd_kafka_assignment_lost(c->client);
    list_t *going = ours_of(c, c->is_cooperative ? list : c->assignment);

    say(c, "revoked", going, c->assignment->cnt - going->cnt);
    if (is_lost)
        log_event(LOG_WARNING, "revoked",
                  "the assignment was lost: what is in flight will be scored again");
    c->was_lost = c->was_lost || is_lost;
    give_up(c, going, is_lost);
    for (int i = 0; i < list->cnt; i++)
        rd_kafka_topic_partition_list_del(c->offered, list->elems[i].topic,
                                          list->elems[i].partition);
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

void assignment_retry(struct consumer *c, bool is_all)
{
    list_t *list = rd_kafka_topic_partition_list_copy(c->assignment);

    c->must_retry = c->must_ask = false;
    if (is_all) {
        give_up(c, list, false);
        change(c, NULL, list);
        append(c->offered, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    list = c->offered;
    c->offered = rd_kafka_topic_partition_list_new(1);
    if (list->cnt > 0)
        try_take(c, list);
    rd_kafka_topic_partition_list_destroy(list);
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
    change(c, NULL, list);
    for (int i = 0; i < list->cnt && result == 0; i++) {
        entry_t *entry = &list->elems[i];
        uint32_t part = ledger_find(c->ledger, entry->topic, entry->partition);
        /* Not the position: what is still on its way lies below it, and this is committed. */
        result = cross_gap(c, entry, c->ledger->parts[part].done, &err);
    }
    if (result == 0)
        result = assignment_commit(c, list, ASK_MS, &err);
    if (result == 0) {
        take(c, list);
    } else if (err.kind == ERR_FATAL && err.exit_code == EXIT_DATA) {
        c->err = err;
    } else {
        retry_later(c, list, &err);
    }
    rd_kafka_topic_partition_list_destroy(list);
}
