/* offsets.c: from which offset a partition is read: what is committed, the start, or behind a gap.
 * Nothing is skipped in silence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/client.h"
#include "core/kafka_conf.h"
#include "core/kafka_topic.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

enum { ASK_MS = OFFSETS_ASK_MS };

typedef rd_kafka_topic_partition_list_t list_t;
typedef rd_kafka_topic_partition_t entry_t;

/* A partition's refusal shows in its element: the answer as a whole fails only when all were
 * refused. */
int offsets_commit(struct consumer *c, const list_t *list, int timeout_ms, struct err *err)
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

/* This process has owned partitions of the topic. */
static bool was_ours(const struct consumer *c, const char *topic)
{
    for (size_t i = 0; i < c->ledger->count; i++)
        if (strcmp(c->ledger->parts[i].topic, topic) == 0)
            return true;
    return false;
}

/* A partition the group has never committed: [consumer] start decides, unless it appeared in a
 * topic that the group already reads, or read until it was made anew: then its beginning. */
static int first_offset(struct consumer *c, entry_t *entry, struct err *err)
{
    enum config_start start = c->config->start;
    int64_t low = 0, high = 0;
    bool is_read = was_ours(c, entry->topic);

    if (watermarks(c, entry, &low, &high, err) != 0)
        return -1;
    if (start != START_EARLIEST && !is_read && is_read_already(c, entry, &is_read, err) != 0)
        return -1;
    if (start == START_EARLIEST || is_read)
        entry->offset = low;
    else if (start == START_LATEST)
        entry->offset = high;
    else
        return offset_at(c, entry, high, &entry->offset, err);
    return 0;
}

static struct part *known(const struct consumer *c, const entry_t *entry)
{
    uint32_t part = ledger_find(c->ledger, entry->topic, entry->partition);

    return part == LEDGER_NO_PART ? NULL : &c->ledger->parts[part];
}

/* [consumer] on_gap: go on at the log's start, or end. */
static int judge_gap(struct consumer *c, entry_t *entry, int64_t position, int64_t low,
                     int64_t high, struct err *err)
{
    entry->offset = low;
    if (known(c, entry))
        known(c, entry)->last.offset = OFFSET_NONE;
    if (c->config->on_gap == GAP_RESUME)
        return 0;
    return err_fatal(
        err, EXIT_DATA,
        "%s [%d]: offset %lld is gone (the log holds %lld to %lld) and [consumer] on_gap = stop",
        entry->topic, entry->partition, (long long)position, (long long)low, (long long)high);
}

static void say_anew(const entry_t *entry, int64_t position, int64_t low, int64_t high,
                     const char *what)
{
    log_event(LOG_WARNING, "gap",
              "topic=%s partition=%d committed=%lld end=%lld %s; going on at its start %lld",
              entry->topic, entry->partition, (long long)position, (long long)high, what,
              (long long)low);
}

static bool is_refused(const struct consumer *c, const entry_t *entry)
{
    const struct part *part = known(c, entry);

    return part && part->refused != OFFSET_NONE;
}

/* An offset that the log refused and that is not below its start lay beyond its end. It may not do
 * so any more: what was written meanwhile is none of what was read. */
int offsets_cross_gap(struct consumer *c, entry_t *entry, int64_t position, struct err *err)
{
    const struct part *part = known(c, entry);
    int64_t low = 0, high = 0;
    bool was_beyond;

    if (watermarks(c, entry, &low, &high, err) != 0)
        return -1;
    was_beyond = part && part->refused > low;
    if (position >= low && position <= high && !was_beyond) {
        entry->offset = position;
        return 0;
    }
    if (position < low)
        log_event(
            LOG_WARNING, "gap",
            "topic=%s partition=%d from=%lld to=%lld lost=%lld retention removed them before they "
            "were read",
            entry->topic, entry->partition, (long long)position, (long long)low,
            (long long)(low - position));
    else
        say_anew(entry, position, low, high, "the topic was made anew or truncated");
    return judge_gap(c, entry, position, low, high, err);
}

/* The brokers forget a group's offsets with the topic. Somebody may have deleted only them: nothing
 * tells, and to read again is the lesser evil. */
static int begin_anew(struct consumer *c, entry_t *entry, struct err *err)
{
    int64_t position = known(c, entry)->committed, low = 0, high = 0;

    if (watermarks(c, entry, &low, &high, err) != 0)
        return -1;
    say_anew(entry, position, low, high,
             "the group has no offset any more: the topic was made anew, or somebody deleted it");
    return judge_gap(c, entry, position, low, high, err);
}

/* One of which the group has no offset, or has one that the log refused. */
static int find_other(struct consumer *c, entry_t *entry, int64_t committed, struct err *err)
{
    if (committed >= 0)
        return offsets_cross_gap(c, entry, committed, err);
    if (ledger_find(c->ledger, entry->topic, entry->partition) == LEDGER_NO_PART)
        return first_offset(c, entry, err);
    return begin_anew(c, entry, err);
}

int offsets_find(struct consumer *c, list_t *list, struct err *err)
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
        if (result != 0 || (entry->offset >= 0 && !is_refused(c, entry)))
            continue;
        new = rd_kafka_topic_partition_list_add(fresh, entry->topic, entry->partition);
        result = find_other(c, new, entry->offset, err);
        entry->offset = new->offset;
    }
    if (result == 0 && fresh->cnt > 0)
        result = offsets_commit(c, fresh, ASK_MS, err);
    rd_kafka_topic_partition_list_destroy(fresh);
    return result;
}

void offsets_accept(struct consumer *c, const list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        known(c, &list->elems[i])->refused = OFFSET_NONE;
}

/* The client commits no logical offset. */
void offsets_forget(struct consumer *c, const list_t *list, bool only_refused)
{
    list_t *none = rd_kafka_topic_partition_list_new(list->cnt);

    for (int i = 0; i < list->cnt; i++) {
        const entry_t *entry = &list->elems[i];
        if (!only_refused || is_refused(c, entry))
            rd_kafka_topic_partition_list_add(none, entry->topic, entry->partition)->offset =
                RD_KAFKA_OFFSET_INVALID;
    }
    rd_kafka_offsets_store(c->client, none);
    rd_kafka_topic_partition_list_destroy(none);
}

/* Where the brokers do not say it is there. */
static bool is_missing(struct consumer *c, const char *topic)
{
    enum { SHORT_MS = 1000 };
    struct kafka_topic found;
    struct err err = ERR_INIT;

    return kafka_topic_ask(c->client, topic, SHORT_MS, &found, &err) != 0 &&
           err.kind == ERR_FATAL && err.exit_code == EXIT_CONFIGURATION;
}

list_t *offsets_take_gone(struct consumer *c, list_t *list)
{
    list_t *gone = rd_kafka_topic_partition_list_new(list->cnt);
    bool is_one = false;

    for (int i = 0; i < list->cnt; i++) {
        const entry_t *entry = &list->elems[i];
        if (i == 0 || strcmp(entry->topic, list->elems[i - 1].topic) != 0)
            is_one = is_missing(c, entry->topic);
        if (is_one)
            rd_kafka_topic_partition_list_add(gone, entry->topic, entry->partition);
    }
    for (int i = 0; i < gone->cnt; i++)
        rd_kafka_topic_partition_list_del(list, gone->elems[i].topic, gone->elems[i].partition);
    return gone;
}

bool offsets_is_gone(struct consumer *c, const list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        const char *topic = list->elems[i].topic;
        if ((i == 0 || strcmp(topic, list->elems[i - 1].topic) != 0) && is_missing(c, topic))
            return true;
    }
    return false;
}
