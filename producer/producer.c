#include "producer/producer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/kafka_topic.h"
#include "core/kafka_trouble.h"
#include "core/log.h"
#include "core/mem.h"
#include "producer/client.h"
#include "producer/dead_letter.h"
#include "producer/transaction.h"

static enum delivery judge(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return DELIVERY_OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return DELIVERY_TOO_LARGE;
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION: return DELIVERY_REFUSED;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: return DELIVERY_DROPPED;
    default: return DELIVERY_FAILED;
    }
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *p = opaque;
    char text[800] = "";

    (void)client;
    p->in_flight--;
    if (message->err) {
        snprintf(text, sizeof text, "topic %s: %s", rd_kafka_topic_name(message->rkt),
                 rd_kafka_err2str(message->err));
        producer_deny(p, message->err, text, sizeof text);
        p->is_in_doubt = p->is_in_doubt ||
                         rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
    }
    p->report(p->arg, message->_private, judge(message->err), text);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct producer *p = opaque;

    (void)client;
    if (code == RD_KAFKA_RESP_ERR__FATAL) { /* it is in librdkafka's log already, as FATAL */
        p->is_given_up = true;
        return;
    }
    log_event(LOG_WARNING, "kafka", "producer: %s: %.*s",
              rd_kafka_err2name((rd_kafka_resp_err_t)code), kafka_trouble_len(reason), reason);
}

/* A batch is refused as a whole when it passes the topic's limit: batches stay below the smallest
 * of the topics' limits. */
static void set_batch_size(rd_kafka_conf_t *conf, const struct producer *p)
{
    enum { PRESET = 1000000 };
    int64_t bytes = PRESET;
    char text[32];

    for (size_t i = 0; i < p->topic_count; i++)
        if (p->known.bytes[i] > RECORD_OVERHEAD && p->known.bytes[i] - RECORD_OVERHEAD < bytes)
            bytes = p->known.bytes[i] - RECORD_OVERHEAD;
    if (bytes < PRESET) {
        snprintf(text, sizeof text, "%lld", (long long)bytes);
        kafka_conf_set(conf, "batch.size", text);
    }
}

/* The smaller of the topic's limit (0: unknown) and the client's own. */
static int64_t effective_limit(const rd_kafka_conf_t *conf, int64_t topic_bytes)
{
    char text[32];
    size_t size = sizeof text;
    int64_t own_bytes;

    rd_kafka_conf_get(conf, "message.max.bytes", text, &size);
    own_bytes = strtoll(text, NULL, 10);
    return topic_bytes > 0 && topic_bytes < own_bytes ? topic_bytes : own_bytes;
}

static void close_client(struct producer *p)
{
    enum { DESTROY_MS = 1000 };

    for (size_t i = 0; i < p->topic_count; i++)
        rd_kafka_topic_destroy(p->handles[i]);
    if (!producer_leave_offsets(p) || !kafka_client_destroy(p->client, DESTROY_MS))
        log_event(LOG_WARNING, "stopping", "the producer did not end within %d ms; leaving it",
                  DESTROY_MS);
}

/* A client for the limits as they are known now, in the place of the one before. */
static int open_client(struct producer *p, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(p->config, KAFKA_PRODUCER, err);
    int64_t max_bytes[OUTPUT_COUNT] = {0};
    size_t login_size = sizeof p->login;
    rd_kafka_t *client;

    if (!conf)
        return -1;
    for (size_t i = 0; i < p->topic_count; i++)
        max_bytes[i] = effective_limit(conf, p->known.bytes[i]);
    set_batch_size(conf, p);
    if (p->config->delivery == DELIVERY_EXACTLY_ONCE) {
        snprintf(p->transactional_id, sizeof p->transactional_id, "%s-%s-%u",
                 config_group(p->config), p->config->instance, p->provenance.worker);
        kafka_conf_set(conf, "transactional.id", p->transactional_id);
    }
    rd_kafka_conf_set_opaque(conf, p);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_throttle_cb(conf, producer_on_throttle);
    p->login[0] = '\0';
    rd_kafka_conf_get(conf, "sasl.username", p->login, &login_size);
    client = kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
    if (!client)
        return -1;
    if (p->client)
        close_client(p);
    p->client = client;
    p->is_given_up = p->can_begin = p->is_in_doubt = false;
    /* Made at start: the first producev by name to a topic is up to 1 s late (librdkafka #5032). */
    for (size_t i = 0; i < p->topic_count; i++) {
        p->max_bytes[i] = max_bytes[i];
        p->handles[i] = rd_kafka_topic_new(client, p->topics[i], NULL);
    }
    return 0;
}

struct producer *producer_new(const struct producer_options *options, struct err *err)
{
    struct producer *p = mem_alloc(1, sizeof *p);

    *p = (struct producer){.config = options->config,
                           .known = options->limits,
                           .report = options->report,
                           .arg = options->arg,
                           .provenance = options->provenance};
    p->topic_count = producer_topics(p->config, p->topics);
    if (open_client(p, err) != 0) {
        free(p);
        return NULL;
    }
    producer_set_provenance(p, &options->provenance, options->score_schema_id);
    return p;
}

void producer_set_provenance(struct producer *p, const struct provenance *provenance,
                             int32_t schema_id)
{
    struct score_options options = {.format = (enum config_format)p->config->score_format,
                                    .schema_id = schema_id,
                                    .has_fingerprints = config_has_fingerprints(p->config),
                                    .carry = p->config->carry,
                                    .carry_count = p->config->carry_count};

    score_encoder_release(&p->encoder);
    score_encoder_init(&p->encoder, &options, provenance);
    p->provenance = *provenance;
}

static char *room(struct producer *p, size_t bytes)
{
    if (bytes > p->buffer_cap) {
        p->buffer_cap = bytes * 2;
        p->buffer = mem_resize(p->buffer, p->buffer_cap, 1);
    }
    return p->buffer;
}

static enum sent answer(struct producer *p, rd_kafka_resp_err_t code, const char *topic,
                        struct err *err)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: p->in_flight++; return SENT_OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return SENT_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return SENT_TOO_LARGE;
    case RD_KAFKA_RESP_ERR__FATAL: p->is_given_up = true; /* fall through */
    default:
        err_dependency(err, "topic %s: %s", topic, rd_kafka_err2str(code));
        producer_deny(p, code, err->text, sizeof err->text);
        return code == RD_KAFKA_RESP_ERR__STATE ? SENT_LOST : SENT_FAILED;
    }
}

/* New, or NULL for none; *bytes is what they take in a record, at most. */
static rd_kafka_headers_t *make_headers(const struct header *headers, size_t count, size_t *bytes)
{
    enum { LENGTHS_MAX = 20 };
    rd_kafka_headers_t *list = count ? rd_kafka_headers_new(count) : NULL;

    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct header *h = &headers[i];
        rd_kafka_header_add(list, h->name, -1, h->value.data, (ssize_t)h->value.len);
        *bytes += strlen(h->name) + h->value.len + LENGTHS_MAX;
    }
    return list;
}

static bool fits(const struct producer *p, const struct score *score, size_t bytes)
{
    return (int64_t)bytes <= p->max_bytes[OUTPUT_SCORES] &&
           (!score->is_alert || (int64_t)bytes <= p->max_bytes[OUTPUT_ALERTS]);
}

/* A score is as old as its event; what is scored later is not, or retention would take it at once.
 */
static int64_t stamp(const struct producer *p, const struct record *record)
{
    return p->provenance.mode == SCORE_LIVE ? record->timestamp_ms : clock_wall_ms();
}

/* What the buffer holds. Takes the headers. */
static rd_kafka_resp_err_t send_encoded(struct producer *p, enum output output,
                                        const struct record *record, rd_kafka_headers_t *headers,
                                        void *tag)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        p->client, RD_KAFKA_V_RKT(p->handles[output]), RD_KAFKA_V_VALUE(p->buffer, p->encoded_len),
        RD_KAFKA_V_KEY(record->key.data, record->key.len), RD_KAFKA_V_TIMESTAMP(stamp(p, record)),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && headers)
        rd_kafka_headers_destroy(headers);
    return code;
}

enum sent producer_send_score(struct producer *p, const struct record *record,
                              const struct score *score, void *tag, struct err *err)
{
    rd_kafka_headers_t *headers;
    size_t header_bytes;
    char *value;

    if (!fits(p, score, score_min_bytes(&p->encoder, score)))
        return SENT_TOO_LARGE;
    value = room(p, score_max_bytes(&p->encoder, record, score));
    p->encoded_len = score_encode(&p->encoder, record, score, value);
    headers = make_headers(score->headers, score->header_count, &header_bytes);
    if (fits(p, score, p->encoded_len + record->key.len + header_bytes + RECORD_OVERHEAD))
        return answer(p, send_encoded(p, OUTPUT_SCORES, record, headers, tag),
                      p->topics[OUTPUT_SCORES], err);
    if (headers)
        rd_kafka_headers_destroy(headers);
    return SENT_TOO_LARGE;
}

enum sent producer_send_alert(struct producer *p, const struct record *record,
                              const struct score *score, void *tag, struct err *err)
{
    size_t ignored;
    rd_kafka_headers_t *headers = make_headers(score->headers, score->header_count, &ignored);
    enum sent sent = answer(p, send_encoded(p, OUTPUT_ALERTS, record, headers, tag),
                            p->topics[OUTPUT_ALERTS], err);

    assert(sent != SENT_TOO_LARGE); /* judged with its score */
    return sent;
}

enum sent producer_send_dead(struct producer *p, const struct record *record,
                             const struct dead_letter *letter, void *tag, struct err *err)
{
    int32_t partition = record->partition % p->known.dead_partitions;
    struct dead_parts parts;
    rd_kafka_resp_err_t code;

    dead_letter_build(&parts, p->config, &p->provenance, record, letter, p->max_bytes[OUTPUT_DEAD]);
    code = rd_kafka_producev(
        p->client, RD_KAFKA_V_RKT(p->handles[OUTPUT_DEAD]), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_VALUE((void *)parts.value.data, parts.value.len),
        RD_KAFKA_V_KEY(parts.key.data, parts.key.len), RD_KAFKA_V_TIMESTAMP(parts.timestamp_ms),
        RD_KAFKA_V_HEADERS(parts.headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(parts.headers);
    return answer(p, code, p->topics[OUTPUT_DEAD], err);
}

enum sent producer_send_back(struct producer *p, const struct record *record,
                             const struct returned *returned, void *tag, struct err *err)
{
    size_t ignored;
    rd_kafka_headers_t *headers = make_headers(returned->headers, returned->header_count, &ignored);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        p->client, RD_KAFKA_V_TOPIC(record->topic), RD_KAFKA_V_PARTITION(returned->partition),
        RD_KAFKA_V_VALUE((void *)record->value.data, record->value.len),
        RD_KAFKA_V_KEY(record->key.data, record->key.len),
        RD_KAFKA_V_TIMESTAMP(record->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && headers)
        rd_kafka_headers_destroy(headers);
    return answer(p, code, record->topic, err);
}

int producer_poll(struct producer *p, int timeout_ms)
{
    return p ? rd_kafka_poll(p->client, timeout_ms) : 0;
}

bool producer_flush(struct producer *p, int timeout_ms)
{
    if (p)
        rd_kafka_flush(p->client, timeout_ms > 0 ? timeout_ms : 1);
    return producer_in_flight(p) == 0;
}

bool producer_is_in_doubt(const struct producer *p)
{
    return p->is_in_doubt;
}

size_t producer_in_flight(const struct producer *p)
{
    return p ? p->in_flight : 0;
}

void producer_renew(struct producer *p, const char *why)
{
    struct err err = ERR_INIT;

    if (open_client(p, &err) == 0)
        log_event(LOG_WARNING, "kafka", "producer: %s: a new one is in its place", why);
    else
        log_event(LOG_WARNING, "kafka", "producer: %s, and no new one: %s", why, err.text);
}

bool producer_shrink(struct producer *p)
{
    enum { ASK_MS = 1000 };
    int64_t bytes[OUTPUT_COUNT];
    bool is_lower = false;

    assert(p->in_flight == 0);
    kafka_topic_max_bytes(p->client, p->topics, p->topic_count, ASK_MS, bytes);
    for (size_t i = 0; i < p->topic_count; i++) {
        if (bytes[i] <= 0)
            continue;
        is_lower = is_lower || bytes[i] < p->max_bytes[i];
        p->known.bytes[i] = bytes[i];
    }
    if (is_lower)
        producer_renew(p, "the topics' size limit was lowered");
    return is_lower;
}

void producer_drop(struct producer *p)
{
    if (p->in_flight > 0)
        rd_kafka_purge(p->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

void producer_close(struct producer *p)
{
    if (!p)
        return;
    producer_drop(p);
    close_client(p);
    score_encoder_release(&p->encoder);
    free(p->buffer);
    free(p);
}
