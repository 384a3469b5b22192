#include "consumer/places.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/kafka_conf.h"

/* The first offset of that time or later, -1 when nothing is that young; of OFFSET_BEGINNING and
 * OFFSET_END, too. */
static int offset_at(const struct places *p, int64_t time_ms, int64_t *offset, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *entry =
        rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(p->topic), p->partition);
    rd_kafka_resp_err_t code;
    char what[320];

    entry->offset = time_ms;
    code = rd_kafka_offsets_for_times(p->client, list, p->timeout_ms);
    if (!code)
        code = entry->err;
    *offset = entry->offset < 0 ? -1 : entry->offset;
    snprintf(what, sizeof what, "asking %s [%d] for an offset", rd_kafka_topic_name(p->topic),
             p->partition);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? kafka_err(err, code, what) : 0;
}

/* Not rd_kafka_query_watermark_offsets, which before 2.3 outlasts its time-out, for ever when the
 * broker goes meanwhile (librdkafka #2588, #4460). */
int places_ends(const struct places *p, struct log_ends *log, struct err *err)
{
    if (offset_at(p, RD_KAFKA_OFFSET_BEGINNING, &log->low, err) != 0)
        return -1;
    return offset_at(p, RD_KAFKA_OFFSET_END, &log->high, err);
}

/* Counts the records of a batch that lie below `to`. 1: that was all, 0: go on, -1: err. */
static int count_batch(rd_kafka_message_t **messages, ssize_t got, int64_t to, int64_t *count,
                       struct err *err)
{
    int result = 0;

    for (ssize_t i = 0; i < got; i++) {
        const rd_kafka_message_t *m = messages[i];
        if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            result = kafka_err(err, m->err, m->rkt ? rd_kafka_topic_name(m->rkt) : "reading");
        else if (m->offset >= to && result == 0)
            result = 1;
        else if (!m->err && m->offset < to)
            ++*count;
        rd_kafka_message_destroy(messages[i]);
    }
    return result;
}

static int count_records(const struct places *p, struct log_ends range, int64_t *count,
                         struct err *err)
{
    enum { TURN_MS = 10, AT_ONCE = 1024 };
    rd_kafka_message_t *messages[AT_ONCE];
    const char *name = rd_kafka_topic_name(p->topic);
    int64_t until = clock_ms() + p->timeout_ms;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(p->client);
    int result = rd_kafka_consume_start_queue(p->topic, p->partition, range.low, queue) == 0
                     ? 0
                     : kafka_err(err, rd_kafka_last_error(), name);
    bool is_started = result == 0;

    *count = 0;
    while (result == 0 && clock_ms() < until) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, TURN_MS, messages, AT_ONCE);
        result = count_batch(messages, got, range.high, count, err);
    }
    if (result == 0)
        result = err_dependency(err, "%s [%d]: the last records: no answer", name, p->partition);
    if (is_started)
        rd_kafka_consume_stop(p->topic, p->partition);
    rd_kafka_queue_destroy(queue);
    return result < 0 ? -1 : 0;
}

/* Marks of transactions and what was aborted have offsets, too: it looks further back until there
 * are as many. */
int places_find_last(const struct places *p, int64_t wanted, struct log_ends log, int64_t *offset,
                     int64_t *skip, struct err *err)
{
    int64_t back = wanted, found = wanted;

    for (;;) {
        *offset = log.high - log.low > back ? log.high - back : log.low;
        if (*offset == log.high)
            return 0;
        if (count_records(p, (struct log_ends){*offset, log.high}, &found, err) != 0)
            return -1;
        *skip = found > wanted ? found - wanted : 0;
        if (found >= wanted || *offset == log.low)
            return 0;
        back = *offset - log.low < back ? log.high - log.low : back * 4;
    }
}

int places_find(const struct places *p, const struct reader_place *place, struct log_ends log,
                int64_t *offset, struct err *err)
{
    switch (place->kind) {
    case PLACE_START: *offset = log.low; break;
    case PLACE_END:
        *offset = log.high - log.low > place->at ? log.high - place->at : log.low;
        break;
    case PLACE_SHARE: *offset = log.high; break; /* an END by now, see the reader's add_topic */
    case PLACE_OFFSET: *offset = place->at; break;
    case PLACE_NEVER: *offset = INT64_MAX; break;
    case PLACE_TIME:
        if (offset_at(p, place->at, offset, err) != 0)
            return -1;
        if (*offset < 0)
            *offset = log.high;
    }
    return 0;
}
