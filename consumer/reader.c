#include "consumer/reader.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/consumer.h"
#include "consumer/places.h"
#include "consumer/silence.h"
#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/kafka_topic.h"
#include "core/kafka_trouble.h"
#include "core/log.h"
#include "core/mem.h"

enum { CLOSE_MS = 5000, ASK_MS = 5000, RETRY_MS = 1000 };

/* One partition that is read. */
struct span {
    rd_kafka_topic_t *topic;
    const char *name; /* of the topic */
    int32_t partition;
    int64_t next;    /* the offset that comes next */
    int64_t end;     /* the first that is not read; INT64_MAX: for ever */
    int64_t skip;    /* how many records come before those that were asked for */
    int64_t left;    /* how many may still be read */
    bool is_started; /* librdkafka fetches it */
    bool is_done;
    bool is_lost; /* its position is outside of the log; it is sought anew at retry_ms */
    int64_t retry_ms;
    struct silence silence;
};

struct reader {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t **topics; /* topic_count */
    size_t topic_count;
    struct span *spans;
    size_t span_count, span_cap, done_count;
    size_t last_span; /* of the message before: they come in runs */
    rd_kafka_message_t **messages;
    size_t message_cap;
    int64_t lost;   /* offsets that were below the log */
    int64_t now_ms; /* of the last poll */
    bool has_read;  /* a record or the end of a partition: from then on denials are waited for */
    struct kafka_trouble trouble; /* why there is no connection */
    struct err err;
};

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct reader *r = opaque;
    struct err err = ERR_INIT;

    (void)client;
    kafka_err(&err, (rd_kafka_resp_err_t)code, "reading");
    kafka_trouble_take(&r->trouble, (rd_kafka_resp_err_t)code, reason);
    if (err.kind == ERR_FATAL && err.exit_code == EXIT_DENIED && !r->has_read)
        err_fatal(&r->err, EXIT_DENIED, "%s (%s)", err.text, r->trouble.text);
    else
        log_event(LOG_WARNING, "kafka", "reader: %s: %.*s",
                  rd_kafka_err2name((rd_kafka_resp_err_t)code), kafka_trouble_len(reason), reason);
}

struct reader *reader_new(const struct config *config, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_CONSUMER, err);
    struct reader *r;

    if (!conf)
        return NULL;
    /* Without a group there is nobody to ask for permission, to wait for, or to disturb. */
    kafka_conf_set(conf, "group.id", "");
    kafka_conf_set(conf, "enable.auto.commit", "false");
    r = mem_alloc(1, sizeof *r);
    rd_kafka_conf_set_opaque(conf, r);
    rd_kafka_conf_set_error_cb(conf, on_error);
    r->client = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (!r->client) {
        free(r);
        return NULL;
    }
    r->queue = rd_kafka_queue_new(r->client);
    r->message_cap = (size_t)config->batch_rows;
    r->messages = mem_alloc(r->message_cap, sizeof(rd_kafka_message_t *));
    return r;
}

/* ---- where partitions begin and end */

/* A place outside of the log becomes its edge. */
static void cross_gap(struct reader *r, struct span *s, struct log_ends log)
{
    int64_t from = s->next;

    if (from < log.low)
        s->next = log.low;
    else if (from > log.high)
        s->next = log.high;
    else
        return;
    r->lost += s->next > from ? s->next - from : 0;
    log_event(LOG_WARNING, "gap",
              "topic=%s partition=%d from=%lld to=%lld the log holds %lld to %lld", s->name,
              s->partition, (long long)from, (long long)s->next, (long long)log.low,
              (long long)log.high);
}

static void finish(struct reader *r, struct span *s)
{
    if (s->is_done)
        return;
    s->is_done = true;
    s->is_lost = false;
    r->done_count++;
    reader_stop(r, (size_t)(s - r->spans));
}

static int find_span(struct reader *r, struct span *s, const struct reader_range *range,
                     int timeout_ms, struct err *err)
{
    struct places places = {r->client, s->topic, s->partition, timeout_ms};
    struct log_ends log;

    if (places_ends(&places, &log, err) != 0 ||
        (range->from.kind == PLACE_END
             ? places_find_last(&places, range->from.at, log, &s->next, &s->skip, err)
             : places_find(&places, &range->from, log, &s->next, err)) != 0 ||
        places_find(&places, &range->to, log, &s->end, err) != 0)
        return -1;
    if (range->to.kind != PLACE_NEVER && s->end > log.high)
        s->end = log.high; /* what is not written yet is not waited for */
    s->left = range->count ? range->count : INT64_MAX;
    cross_gap(r, s, log);
    return 0;
}

static int add_topic(struct reader *r, rd_kafka_topic_t *topic, const struct reader_range *range,
                     int timeout_ms, struct err *err)
{
    const char *name = rd_kafka_topic_name(topic);
    struct reader_range own = *range;
    int32_t count;

    if (kafka_topic_partitions(r->client, name, timeout_ms, &count, err) != 0)
        return -1;
    if (range->partition >= count)
        return err_fatal(err, EXIT_CONFIGURATION, "topic %s has %d partitions, 0 to %d: not %d",
                         name, count, count - 1, range->partition);
    if (own.from.kind == PLACE_SHARE)
        own.from = (struct reader_place){PLACE_END, (own.from.at + count - 1) / count};
    for (int32_t i = 0; i < count; i++) {
        if (range->partition >= 0 && i != range->partition)
            continue;
        r->spans = mem_grow(r->spans, r->span_count, &r->span_cap, sizeof *r->spans);
        r->spans[r->span_count] = (struct span){.topic = topic, .name = name, .partition = i};
        if (find_span(r, &r->spans[r->span_count++], &own, timeout_ms, err) != 0)
            return -1;
    }
    return 0;
}

static int start(struct reader *r, struct span *s, struct err *err)
{
    if (s->next >= s->end) {
        finish(r, s);
        return 0;
    }
    if (rd_kafka_consume_start_queue(s->topic, s->partition, s->next, r->queue) != 0)
        return kafka_err(err, rd_kafka_last_error(), s->name);
    s->is_started = true;
    silence_break(&s->silence, clock_ms());
    return 0;
}

static void forget_topics(struct reader *r)
{
    for (size_t i = 0; i < r->span_count; i++)
        if (r->spans[i].is_started)
            rd_kafka_consume_stop(r->spans[i].topic, r->spans[i].partition);
    for (size_t i = 0; i < r->topic_count; i++)
        rd_kafka_topic_destroy(r->topics[i]);
    free(r->topics);
    r->topics = NULL;
    r->topic_count = r->span_count = r->done_count = r->last_span = 0;
}

static int find_topics(struct reader *r, const char *const *topics, size_t topic_count,
                       const struct reader_range *range, int timeout_ms, struct err *err)
{
    r->topics = mem_alloc(topic_count, sizeof(rd_kafka_topic_t *));
    for (size_t i = 0; i < topic_count; i++) {
        rd_kafka_topic_t *topic = rd_kafka_topic_new(r->client, topics[i], NULL);
        if (!topic)
            return kafka_err(err, rd_kafka_last_error(), topics[i]);
        r->topics[r->topic_count++] = topic;
        if (add_topic(r, topic, range, timeout_ms, err) != 0)
            return -1;
    }
    return 0;
}

static int start_all(struct reader *r, struct err *err)
{
    for (size_t i = 0; i < r->span_count; i++)
        if (start(r, &r->spans[i], err) != 0)
            return -1;
    return 0;
}

/* Nothing is left of what could not be found or started. */
static int give_up(struct reader *r, struct err *err)
{
    forget_topics(r);
    /* A wrong password shows as silence; the client's own error tells it apart. */
    rd_kafka_poll(r->client, 0);
    if (err->kind == ERR_DEPENDENCY && err_is_set(&r->err))
        *err = r->err;
    return kafka_trouble_explain(&r->trouble, r->client, err);
}

int reader_find(struct reader *r, const char *const *topics, size_t topic_count,
                const struct reader_range *range, int timeout_ms, struct err *err)
{
    return find_topics(r, topics, topic_count, range, timeout_ms, err) == 0 ? 0 : give_up(r, err);
}

int reader_partitions(struct reader *r, const char *topic, int timeout_ms, int32_t *count,
                      struct err *err)
{
    return kafka_topic_partitions(r->client, topic, timeout_ms, count, err);
}

int reader_open(struct reader *r, const char *const *topics, size_t topic_count,
                const struct reader_range *range, int timeout_ms, struct err *err)
{
    if (reader_find(r, topics, topic_count, range, timeout_ms, err) != 0)
        return -1;
    return start_all(r, err) == 0 ? 0 : give_up(r, err);
}

/* ---- windows */

size_t reader_window_count(const struct reader *r)
{
    return r->span_count;
}

struct window reader_window(const struct reader *r, size_t part)
{
    const struct span *s = &r->spans[part];

    return (struct window){s->name, s->partition, s->next, s->end};
}

int reader_add(struct reader *r, const struct window *window, struct err *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(r->client, window->topic, NULL);

    if (!topic)
        return kafka_err(err, rd_kafka_last_error(), window->topic);
    r->topics = mem_resize(r->topics, r->topic_count + 1, sizeof(rd_kafka_topic_t *));
    r->topics[r->topic_count++] = topic;
    r->spans = mem_grow(r->spans, r->span_count, &r->span_cap, sizeof *r->spans);
    r->spans[r->span_count++] = (struct span){.topic = topic,
                                              .name = window->topic,
                                              .partition = window->partition,
                                              .next = window->from,
                                              .end = window->to,
                                              .left = INT64_MAX};
    return start(r, &r->spans[r->span_count - 1], err);
}

void reader_stop(struct reader *r, size_t part)
{
    struct span *s = &r->spans[part];

    if (s->is_started)
        rd_kafka_consume_stop(s->topic, s->partition);
    s->is_started = false;
}

/* As a position that is found again: where it cannot start now, it is tried until it can. */
void reader_seek(struct reader *r, size_t part, int64_t offset)
{
    struct span *s = &r->spans[part];
    struct err err = ERR_INIT;

    reader_stop(r, part);
    r->done_count -= s->is_done;
    s->is_done = s->is_lost = false;
    s->next = offset;
    if (start(r, s, &err) == 0)
        return;
    s->is_lost = true;
    s->retry_ms = clock_ms() + RETRY_MS;
    log_event(LOG_WARNING, "waiting", "for=kafka %s", err.text);
}

int64_t reader_lost(const struct reader *r)
{
    return r->lost;
}

bool reader_is_past(const struct reader *r, size_t part)
{
    return r->spans[part].is_done;
}

/* ---- reading */

static bool is_of(const struct span *s, const rd_kafka_message_t *m)
{
    return s->topic == m->rkt && s->partition == m->partition;
}

static struct span *span_of(struct reader *r, const rd_kafka_message_t *m)
{
    if (r->span_count > 0 && is_of(&r->spans[r->last_span], m))
        return &r->spans[r->last_span];
    for (size_t i = 0; i < r->span_count; i++)
        if (is_of(&r->spans[i], m))
            return &r->spans[r->last_span = i];
    return NULL;
}

/* Finds the log's edge for a partition whose position is outside of it, and goes on there. */
static void find_again(struct reader *r, struct span *s)
{
    struct places places = {r->client, s->topic, s->partition, ASK_MS};
    struct err err = ERR_INIT;
    struct log_ends log;

    if (clock_ms() < s->retry_ms)
        return;
    s->retry_ms = clock_ms() + RETRY_MS;
    if (places_ends(&places, &log, &err) == 0) {
        reader_stop(r, (size_t)(s - r->spans));
        s->is_lost = false;
        cross_gap(r, s, log);
        if (s->end != INT64_MAX && s->end > log.high)
            s->end = log.high; /* the log was cut short, or made anew: the rest never comes */
        if (start(r, s, &err) == 0)
            return;
        s->is_lost = true;
    }
    log_event(LOG_WARNING, "waiting", "for=offsets %s", err.text);
}

/* A message that is none: the end of a partition, or trouble. */
static void take_event(struct reader *r, const rd_kafka_message_t *m)
{
    struct span *s = m->rkt ? span_of(r, m) : NULL;
    char text[600];

    if (s && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        r->has_read = true;
        if (m->offset >= s->end)
            finish(r, s);
    } else if (s && m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        s->is_lost = !s->is_done;
    } else if (s) {
        snprintf(text, sizeof text, "topic=%s partition=%d %s", s->name, s->partition,
                 rd_kafka_message_errstr(m));
        on_error(r->client, (int)m->err, text, r);
    } else {
        on_error(r->client, (int)m->err, rd_kafka_message_errstr(m), r);
    }
}

/* True when the record is one that was asked for. */
static bool take_record(struct reader *r, struct record *record, rd_kafka_message_t *m)
{
    struct span *s = span_of(r, m);
    rd_kafka_timestamp_type_t type;

    if (!s || s->is_done || m->offset < s->next)
        return false;
    r->has_read = true;
    silence_break(&s->silence, r->now_ms);
    if (m->offset >= s->end) {
        finish(r, s);
        return false;
    }
    if (s->skip > 0) {
        s->skip--;
        s->next = m->offset + 1;
        return false;
    }
    *record = (struct record){.key = {m->key, m->key_len},
                              .value = {m->payload, m->len},
                              .offset = m->offset,
                              .timestamp_ms = rd_kafka_message_timestamp(m, &type),
                              .part = (uint32_t)(s - r->spans),
                              .partition = m->partition,
                              .topic = s->name,
                              .message = m};
    s->next = m->offset + 1;
    if (--s->left == 0 || s->next == s->end)
        finish(r, s);
    return true;
}

/* It has an end, which did not come yet, and is not paused. */
static bool is_awaited(const struct span *s)
{
    return !s->is_done && (s->is_started || s->is_lost) && s->end != INT64_MAX;
}

/* All partitions of the topic learn from one answer. */
static void ask_why(struct reader *r, const char *name)
{
    int32_t count = silence_ask(r->client, name);
    int64_t now_ms = clock_ms();

    for (size_t i = 0; i < r->span_count; i++) {
        struct span *s = &r->spans[i];
        enum silence_verdict verdict;
        if (!is_awaited(s) || s->silence.ask_ms > r->now_ms || strcmp(s->name, name) != 0)
            continue;
        verdict = silence_judge(&s->silence, s->partition, count, now_ms);
        if (verdict == SILENCE_BACK)
            s->is_lost = true;
        else if (verdict == SILENCE_GONE)
            err_fatal(&r->err, EXIT_CONFIGURATION,
                      "topic %s, partition %d was deleted while it was read: offsets %lld to %lld "
                      "are gone",
                      name, s->partition, (long long)s->next, (long long)s->end);
    }
}

/* One topic a poll: each question may take its time. */
static void break_silence(struct reader *r)
{
    for (size_t i = 0; i < r->span_count; i++)
        if (is_awaited(&r->spans[i]) && r->spans[i].silence.ask_ms <= r->now_ms) {
            ask_why(r, r->spans[i].name);
            return;
        }
}

ssize_t reader_poll(struct reader *r, struct record *records, size_t cap, int timeout_ms,
                    struct err *err)
{
    ssize_t got, count = 0;

    for (size_t i = 0; i < r->span_count; i++)
        if (r->spans[i].is_lost)
            find_again(r, &r->spans[i]);
    rd_kafka_poll(r->client, 0);
    r->now_ms = clock_ms();
    got = rd_kafka_consume_batch_queue(r->queue, timeout_ms, r->messages,
                                       cap < r->message_cap ? cap : r->message_cap);
    for (ssize_t i = 0; i < got; i++) {
        bool is_record = !r->messages[i]->err;
        if (!is_record)
            take_event(r, r->messages[i]);
        if (is_record && take_record(r, &records[count], r->messages[i]))
            count++;
        else
            rd_kafka_message_destroy(r->messages[i]);
    }
    if (got <= 0)
        break_silence(r);
    if (!err_is_set(&r->err))
        return count;
    reader_release(records, (size_t)count);
    *err = r->err;
    return -1;
}

void reader_release(const struct record *records, size_t count)
{
    consumer_release(records, count);
}

size_t reader_headers(const struct record *record, struct header *headers, size_t cap)
{
    return consumer_headers(record, headers, cap);
}

bool reader_is_done(const struct reader *reader)
{
    return reader->done_count == reader->span_count;
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    forget_topics(reader);
    free(reader->spans);
    free(reader->messages);
    rd_kafka_queue_destroy(reader->queue);
    kafka_client_destroy(reader->client, CLOSE_MS);
    free(reader);
}
