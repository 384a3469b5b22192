/* consumer.c: the life of a client: opened, polled, paused and sought, stored, closed. It is
 * one piece because each of these is a few lines over the same struct (client.h). */
#include "consumer/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/client.h"
#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/kafka_topic.h"
#include "core/log.h"
#include "core/mem.h"

static void close_client(struct consumer *c)
{
    enum { DESTROY_MS = 1000 };

    rd_kafka_queue_destroy(c->queue);
    if (!kafka_client_destroy(c->client, DESTROY_MS))
        log_event(LOG_WARNING, "stopping", "the consumer did not end within %d ms; leaving it",
                  DESTROY_MS);
}

/* A client that is no member yet, in the place of the one before. */
static int open_client(struct consumer *c, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(c->config, KAFKA_CONSUMER, err);
    rd_kafka_t *client;
    char member[300], strategy[100] = "";
    size_t size = sizeof strategy;

    if (!conf)
        return -1;
    rd_kafka_conf_get(conf, "partition.assignment.strategy", strategy, &size);
    if (*c->config->instance) {
        snprintf(member, sizeof member, "%s-%u", c->config->instance, c->worker);
        kafka_conf_set(conf, "group.instance.id", member);
    }
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_rebalance_cb(conf, assignment_on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, consumer_on_commit);
    rd_kafka_conf_set_error_cb(conf, consumer_on_error);
    rd_kafka_conf_set_throttle_cb(conf, consumer_on_throttle);
    client = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (!client)
        return -1;
    c->is_cooperative = strcmp(strategy, "cooperative-sticky") == 0;
    if (c->client)
        close_client(c);
    rd_kafka_poll_set_consumer(client);
    c->client = client;
    c->queue = rd_kafka_queue_get_consumer(client);
    memset(c->cache, 0, sizeof c->cache);
    return 0;
}

struct consumer *consumer_new(const struct config *config, unsigned worker, struct ledger *ledger,
                              const struct consumer_hooks *hooks, struct err *err)
{
    struct consumer *c = mem_alloc(1, sizeof *c);

    *c = (struct consumer){.config = config, .worker = worker, .ledger = ledger, .hooks = *hooks};
    if (open_client(c, err) != 0) {
        free(c);
        return NULL;
    }
    c->assignment = rd_kafka_topic_partition_list_new(1);
    c->offered = rd_kafka_topic_partition_list_new(1);
    c->message_cap = (size_t)config->batch_rows;
    c->messages = mem_alloc(c->message_cap, sizeof(rd_kafka_message_t *));
    return c;
}

int consumer_check(struct consumer *c, int timeout_ms, struct err *err)
{
    struct record record;
    int32_t partition_count;

    for (size_t i = 0; i < c->config->topic_count; i++) {
        if (kafka_topic_partitions(c->client, c->config->topics[i], timeout_ms, &partition_count,
                                   err) == 0)
            continue;
        /* A wrong password shows as silence; the client's own error tells it apart. */
        struct err cause = ERR_INIT;
        if (err->kind == ERR_DEPENDENCY && consumer_poll(c, &record, 1, 10, &cause) < 0)
            *err = cause;
        kafka_trouble_explain(&c->trouble, c->client, err);
        return err_prefix(err, "[consumer]");
    }
    return 0;
}

int consumer_subscribe(struct consumer *c, struct err *err)
{
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)c->config->topic_count);
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < c->config->topic_count; i++)
        rd_kafka_topic_partition_list_add(topics, c->config->topics[i], RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(c->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code ? kafka_err(err, code, "subscribe") : 0;
}

static uint32_t part_of(struct consumer *c, const rd_kafka_message_t *message)
{
    size_t i = ((uintptr_t)message->rkt >> 6 ^ (size_t)message->partition) % PART_CACHE;

    if (c->cache[i].topic != message->rkt || c->cache[i].partition != message->partition) {
        c->cache[i].topic = message->rkt;
        c->cache[i].partition = message->partition;
        c->cache[i].part =
            ledger_find(c->ledger, rd_kafka_topic_name(message->rkt), message->partition);
    }
    return c->cache[i].part;
}

/* The log is not the one that was read up to here, or does not have what comes next. */
static void disown(struct consumer *c, uint32_t part, int64_t offset)
{
    c->ledger->parts[part].refused = offset;
    c->ledger->parts[part].last.offset = OFFSET_NONE;
    c->ledger->parts[part].must_prove = false;
    ledger_let_go(c->ledger, part);
    c->must_reassign = true;
}

static void take_end(struct consumer *c, uint32_t part, int64_t offset)
{
    struct part *p;

    if (part == LEDGER_NO_PART)
        return;
    p = &c->ledger->parts[part];
    if (p->is_paused || c->is_closing)
        return;
    if (p->must_prove && offset <= p->last.offset)
        disown(c, part, offset);
    else
        p->end = p->seen_end = offset;
}

/* A message that is none: end of partition, or trouble. epoch: of the ledger when the poll began.
 */
static void take_event(struct consumer *c, const rd_kafka_message_t *message, uint32_t epoch)
{
    uint32_t part = message->rkt ? part_of(c, message) : (uint32_t)LEDGER_NO_PART;

    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        take_end(c, part, message->offset);
    } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        c->must_reassign = true; /* revives it */
        if (part != LEDGER_NO_PART && c->ledger->parts[part].epoch <= epoch)
            disown(c, part, message->offset);
    } else if (message->rkt) {
        char text[600];
        snprintf(text, sizeof text, "partition=%d offset=%lld %s", message->partition,
                 (long long)message->offset, rd_kafka_message_errstr(message));
        consumer_take_error(c, message->err, rd_kafka_topic_name(message->rkt), text);
    } else {
        consumer_take_error(c, message->err, NULL, rd_kafka_message_errstr(message));
    }
}

static void take_record(struct consumer *c, struct record *record, rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    struct token token;

    record->key = (struct slice){message->key, message->key_len};
    record->value = (struct slice){message->payload, message->len};
    record->offset = message->offset;
    record->timestamp_ms = rd_kafka_message_timestamp(message, &type);
    record->part = part_of(c, message);
    record->partition = message->partition;
    record->message = message;
    record->topic = "";
    if (record->part == LEDGER_NO_PART)
        return;
    record->topic = c->ledger->parts[record->part].topic;
    token = (struct token){record->offset, record->timestamp_ms, message->key_len + message->len};
    if (!ledger_prove(c->ledger, record->part, token))
        disown(c, record->part, record->offset);
}

/* A record, or the end of a partition: what depends on where the client stands. */
static bool is_of_log(const rd_kafka_message_t *message)
{
    return !message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
}

/* An assignment came during the poll: nothing tells what was gathered before it (librdkafka before
 * 2.1 keeps that) from what came after, and the start may lie below the former. */
static void let_go(struct consumer *c, rd_kafka_message_t *message)
{
    uint32_t part = part_of(c, message);

    if (part != LEDGER_NO_PART)
        ledger_let_go(c->ledger, part);
    rd_kafka_message_destroy(message);
}

/* The member's client is dead: a new one joins in its place. */
static int reopen(struct consumer *c, struct err *err)
{
    c->must_reopen = c->must_reassign = c->must_retry = c->was_lost = false;
    c->returned_ms = 0; /* the next fence is somebody else's */
    log_event(LOG_WARNING, "kafka", "consumer: fenced after its session ran out: a new one joins");
    assignment_drop(c);
    return open_client(c, err) != 0 ? -1 : consumer_subscribe(c, err);
}

/* Who slept has missed what a log says when it goes, and may have been handed out what stands there
 * now: each is sought to its last record. */
static void look_again(struct consumer *c, int64_t since_ms)
{
    enum { ASLEEP_MS = 3000 };

    if (clock_ms() - since_ms <= ASLEEP_MS)
        return;
    for (size_t i = 0; i < c->ledger->count; i++)
        ledger_let_go(c->ledger, (uint32_t)i);
}

ssize_t consumer_poll(struct consumer *c, struct record *records, size_t cap, int timeout_ms,
                      struct err *err)
{
    ssize_t got, count = 0;
    uint32_t epoch;
    int64_t began_ms;

    if (c->must_reopen && !c->is_closing && reopen(c, err) != 0)
        return -1;
    if (c->must_reassign && !c->is_closing)
        assignment_renew(c);
    if (c->must_retry && !c->is_closing && clock_ms() >= c->retry_ms)
        assignment_retry(c, c->must_ask);
    look_again(c, c->polled_ms);
    epoch = c->ledger->epoch;
    began_ms = clock_ms();
    got = rd_kafka_consume_batch_queue(c->queue, timeout_ms, c->messages,
                                       cap < c->message_cap ? cap : c->message_cap);
    look_again(c, began_ms + timeout_ms);
    c->polled_ms = clock_ms();
    for (ssize_t i = 0; i < got; i++) {
        if (c->ledger->epoch != epoch && is_of_log(c->messages[i])) {
            let_go(c, c->messages[i]);
        } else if (c->messages[i]->err) {
            take_event(c, c->messages[i], epoch);
            rd_kafka_message_destroy(c->messages[i]);
        } else {
            take_record(c, &records[count++], c->messages[i]);
        }
    }
    if (err_is_set(&c->err)) {
        consumer_release(records, (size_t)count);
        *err = c->err;
        return -1;
    }
    return count;
}

void consumer_release(const struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rd_kafka_message_destroy(records[i].message);
}

ssize_t consumer_headers(const struct record *record, struct header *headers, size_t cap)
{
    rd_kafka_resp_err_t code;
    rd_kafka_headers_t *list;
    size_t count, len;
    const void *value;
    const char *name;

    code = rd_kafka_message_headers(record->message, &list);
    if (code)
        return code == RD_KAFKA_RESP_ERR__NOENT ? 0 : -1;
    count = rd_kafka_header_cnt(list);
    for (size_t i = 0; i < count && i < cap; i++) {
        rd_kafka_header_get_all(list, i, &name, &value, &len);
        headers[i] = (struct header){name, {value, len}};
    }
    return (ssize_t)count;
}

void consumer_steer(struct consumer *c, bool pause_all)
{
    rd_kafka_topic_partition_list_t *pause = NULL, *resume = NULL;

    for (size_t i = 0; i < c->ledger->count; i++) {
        const struct part *part = &c->ledger->parts[i];
        enum turn turn = ledger_steer(c->ledger, (uint32_t)i, pause_all);
        rd_kafka_topic_partition_list_t **list = turn == TURN_PAUSE ? &pause : &resume;
        if (turn == TURN_NONE)
            continue;
        if (!*list)
            *list = rd_kafka_topic_partition_list_new((int)c->ledger->count);
        rd_kafka_topic_partition_list_add(*list, part->topic, part->partition)->offset =
            turn == TURN_PAUSE ? part->position : ledger_anchor(c->ledger, (uint32_t)i);
    }
    if (pause) {
        rd_kafka_pause_partitions(c->client, pause);
        rd_kafka_topic_partition_list_destroy(pause);
    }
    if (resume) {
        rd_kafka_error_destroy(rd_kafka_seek_partitions(c->client, resume, 0));
        rd_kafka_resume_partitions(c->client, resume);
        rd_kafka_topic_partition_list_destroy(resume);
    }
}

void consumer_store(struct consumer *c)
{
    bool is_new = false;

    if (c->config->delivery == DELIVERY_EXACTLY_ONCE || c->has_gone)
        return; /* the producer's transactions commit; or nothing may */
    for (int i = 0; i < c->assignment->cnt; i++) {
        rd_kafka_topic_partition_t *entry = &c->assignment->elems[i];
        struct part *part =
            &c->ledger->parts[ledger_find(c->ledger, entry->topic, entry->partition)];
        is_new = is_new || part->done != entry->offset;
        entry->offset = part->stored = part->done;
    }
    if (is_new)
        rd_kafka_offsets_store(c->client, c->assignment);
}

struct slice consumer_member(struct consumer *c)
{
    rd_kafka_consumer_group_metadata_t *member = rd_kafka_consumer_group_metadata(c->client);
    void *bytes = NULL;
    size_t len = 0;

    if (!member)
        return (struct slice){0};
    rd_kafka_error_destroy(rd_kafka_consumer_group_metadata_write(member, &bytes, &len));
    rd_kafka_consumer_group_metadata_destroy(member);
    return (struct slice){bytes, len};
}

void consumer_ask(struct consumer *c)
{
    c->must_retry = c->must_ask = true;
    c->retry_ms = 0;
}

bool consumer_has_more(const struct consumer *c)
{
    for (size_t i = 0; i < c->ledger->count; i++) {
        const struct part *part = &c->ledger->parts[i];
        int64_t low, high = OFFSET_NONE;
        if (!part->is_owned || part->is_parked || part_is_at_end(part))
            continue;
        rd_kafka_get_watermark_offsets(c->client, part->topic, part->partition, &low, &high);
        if (high < 0 || high > part->position)
            return true;
    }
    return false;
}

bool consumer_is_asking(const struct consumer *c)
{
    return c->offered->cnt > 0;
}

const char *consumer_throttler(const struct consumer *c)
{
    return kafka_throttle_broker(&c->throttle, clock_ms());
}

uint64_t consumer_commit_count(const struct consumer *c)
{
    return c->commit_count;
}

static bool is_all_committed(const struct consumer *c)
{
    for (int i = 0; i < c->assignment->cnt; i++) {
        const rd_kafka_topic_partition_t *entry = &c->assignment->elems[i];
        uint32_t part = ledger_find(c->ledger, entry->topic, entry->partition);
        if (c->ledger->parts[part].committed != c->ledger->parts[part].done)
            return false;
    }
    return true;
}

/* Commits what is done and waits for the answer until the deadline. */
static int commit_last(struct consumer *c, int64_t deadline_ms, struct err *err)
{
    int64_t left_ms = deadline_ms - clock_ms();
    struct err why = ERR_INIT;

    if (c->config->delivery == DELIVERY_EXACTLY_ONCE || c->has_gone ||
        rd_kafka_assignment_lost(c->client) || is_all_committed(c))
        return 0;
    if (offsets_commit(c, c->assignment, left_ms > 0 ? (int)left_ms : 0, &why) != 0)
        return err_fatal(err, EXIT_AGAIN,
                         "the last offsets could not be committed (%s): the next start scores "
                         "their records again",
                         why.text);
    c->commit_count++;
    return 0;
}

static void leave(struct consumer *c, int64_t deadline_ms)
{
    struct record records[16];
    struct err ignored = ERR_INIT;
    rd_kafka_error_t *refused = rd_kafka_consumer_close_queue(c->client, c->queue);

    /* A fenced client does not close: there is nothing to wait for. */
    if (refused) {
        rd_kafka_error_destroy(refused);
        return;
    }
    while (!rd_kafka_consumer_closed(c->client) && clock_ms() < deadline_ms) {
        ssize_t got = consumer_poll(c, records, 16, 20, &ignored);
        for (ssize_t i = 0; i < got; i++)
            if (records[i].part != LEDGER_NO_PART) /* an end behind it is no end of what is done */
                ledger_let_go(c->ledger, records[i].part);
        if (got > 0)
            consumer_release(records, (size_t)got);
    }
}

static void release(struct consumer *c)
{
    rd_kafka_topic_partition_list_destroy(c->assignment);
    rd_kafka_topic_partition_list_destroy(c->offered);
    close_client(c);
    free(c->messages);
    free(c);
}

int consumer_close(struct consumer *c, int timeout_ms, struct err *err)
{
    int64_t deadline_ms = clock_ms() + timeout_ms;
    int result;

    if (!c)
        return 0;
    c->is_closing = true;
    c->must_reassign = c->must_retry = false;
    consumer_store(c);
    result = commit_last(c, deadline_ms, err);
    leave(c, deadline_ms);
    release(c);
    return result;
}

void consumer_abandon(struct consumer *c)
{
    if (c)
        release(c);
}
