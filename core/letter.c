#include "core/letter.h"

#include <string.h>

#include "core/text.h"

enum { TOPIC_MAX = 249 };
static const int64_t OFFSET_MAX = INT64_MAX - 1;

/* Names of one system's headers; topic marks it. Where each failure adds headers of the same name,
 * the first origin is that of the record, and the last reason that of the failure. */
static const struct dialect {
    const char *topic, *partition, *offset, *timestamp, *reason, *stage;
    bool is_binary;    /* numbers are big-endian, 4 and 8 bytes */
    bool is_first_own; /* the first of a name is the origin, else the last */
} dialects[] = {
    /* Connect: DeadLetterQueueReporter.java */
    {LETTER_TOPIC, LETTER_PARTITION, LETTER_OFFSET, LETTER_TIMESTAMP,
     "__connect.errors.exception.class.name", "__connect.errors.stage", false, false},
    /* Streams: ExceptionHandlerUtils.java, KIP-1034 */
    {"__streams.errors.topic", "__streams.errors.partition", "__streams.errors.offset", NULL,
     "__streams.errors.exception", NULL, false, false},
    /* Share groups: ShareGroupDLQStateManager, KIP-1191 */
    {"__dlq.errors.topic", "__dlq.errors.partition", "__dlq.errors.offset", NULL,
     "__dlq.errors.message", NULL, false, false},
    /* Spring: KafkaHeaders.java. Behind a retry topic the last origin is that topic. */
    {"kafka_dlt-original-topic", "kafka_dlt-original-partition", "kafka_dlt-original-offset",
     "kafka_dlt-original-timestamp", "kafka_dlt-exception-fqcn", NULL, true, true},
    /* SmallRye Reactive Messaging */
    {"dead-letter-topic", "dead-letter-partition", "dead-letter-offset", NULL, "dead-letter-reason",
     NULL, false, false},
};

enum { DIALECTS = sizeof dialects / sizeof dialects[0] };

const struct header *header_find(const struct header *headers, size_t count, const char *name)
{
    for (size_t i = count; i-- > 0;)
        if (strcmp(headers[i].name, name) == 0)
            return &headers[i];
    return NULL;
}

static const struct header *find_first(const struct header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0)
            return &headers[i];
    return NULL;
}

/* A letter's headers. */
struct list {
    const struct header *headers;
    size_t count;
};

static struct slice text_of(const struct list *l, const char *name)
{
    const struct header *h = name ? header_find(l->headers, l->count, name) : NULL;

    return h ? h->value : (struct slice){NULL, 0};
}

static bool read_binary(struct slice s, size_t len, int64_t most, int64_t *value)
{
    uint64_t bits = 0;

    if (s.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        bits = bits << 8 | s.data[i];
    *value = (int64_t)bits;
    return bits <= (uint64_t)most;
}

static bool read_number(const struct list *l, const char *name, const struct dialect *d,
                        int64_t most, int64_t *value)
{
    const struct header *h = !name             ? NULL
                             : d->is_first_own ? find_first(l->headers, l->count, name)
                                               : header_find(l->headers, l->count, name);

    if (!h || !h->value.data)
        return false;
    return d->is_binary ? read_binary(h->value, most == INT32_MAX ? 4 : 8, most, value)
                        : integer_parse((const char *)h->value.data, h->value.len, 0, most, value);
}

/* Only a whole place is one. */
static bool read_origin(struct letter *letter, const struct list *l, const struct dialect *d)
{
    const struct header *topic = d->is_first_own ? find_first(l->headers, l->count, d->topic)
                                                 : header_find(l->headers, l->count, d->topic);
    int64_t partition;

    if (!topic || topic->value.len == 0 || topic->value.len > TOPIC_MAX ||
        memchr(topic->value.data, 0, topic->value.len) ||
        !read_number(l, d->partition, d, INT32_MAX, &partition) ||
        !read_number(l, d->offset, d, OFFSET_MAX, &letter->offset))
        return false;
    letter->topic = topic->value;
    letter->partition = (int32_t)partition;
    if (!read_number(l, d->timestamp, d, OFFSET_MAX, &letter->timestamp_ms))
        letter->timestamp_ms = -1;
    return true;
}

/* Whose mark comes last, DIALECTS: none's. */
static size_t find_writer(const struct list *l)
{
    for (size_t i = l->count; i-- > 0;)
        for (size_t d = 0; d < DIALECTS; d++)
            if (strcmp(l->headers[i].name, dialects[d].topic) == 0)
                return d;
    return DIALECTS;
}

/* Connect's names with our words in them. */
static bool is_ours(const struct list *l)
{
    struct slice class = text_of(l, "__connect.errors.class.name");

    return slice_equals(class, "record", 6) && text_of(l, "kscore.blame").data;
}

static void read_error(struct letter *letter, const struct list *l, size_t writer)
{
    const struct dialect *text = &dialects[LETTER_CONNECT];
    bool has_count;

    letter->dialect = (enum letter_dialect)writer;
    letter->reason = text_of(l, dialects[writer].reason);
    letter->stage = text_of(l, dialects[writer].stage);
    has_count = read_number(l, LETTER_ATTEMPT, text, INT32_MAX, &letter->attempts);
    if (!has_count)
        letter->attempts = 0;
    if (writer == LETTER_CONNECT && is_ours(l)) {
        letter->dialect = LETTER_KSCORE;
        letter->blame = text_of(l, "kscore.blame");
        letter->schema_id = text_of(l, "kscore.schema_id");
        letter->model = text_of(l, "kscore.model");
    }
    /* kscore counts its failures; others pass on what we counted before them. */
    if (letter->dialect != LETTER_KSCORE || letter->attempts == 0)
        letter->attempts++;
}

bool letter_read(struct letter *letter, const struct header *headers, size_t count)
{
    const struct list l = {headers, count};
    size_t writer = find_writer(&l);
    struct slice dropped = text_of(&l, "kscore.dropped");

    *letter = (struct letter){.timestamp_ms = -1, .failed_ms = -1, .attempts = 1};
    if (writer == DIALECTS)
        return false;
    if (!read_origin(letter, &l, &dialects[LETTER_CONNECT]))
        read_origin(letter, &l, &dialects[writer]);
    read_error(letter, &l, writer);
    if (!read_number(&l, "kscore.first_failed", &dialects[LETTER_CONNECT], OFFSET_MAX,
                     &letter->failed_ms))
        letter->failed_ms = -1;
    letter->is_without_value = dropped.data && memmem(dropped.data, dropped.len, "value", 5);
    letter->is_without_key = dropped.data && memmem(dropped.data, dropped.len, "key", 3);
    return true;
}
