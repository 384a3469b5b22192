#include "producer/dead_letter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

/* Headers that say what is wrong: replaced when a dead letter fails again. */
static const char *const error_headers[] = {"__connect.errors.connector.name",
                                            "__connect.errors.task.id",
                                            "__connect.errors.stage",
                                            "__connect.errors.class.name",
                                            "__connect.errors.exception.class.name",
                                            "__connect.errors.exception.message",
                                            "kscore.blame",
                                            "kscore.schema_id",
                                            "kscore.model",
                                            "kscore.version",
                                            "kscore.digest",
                                            "kscore.run",
                                            "kscore.attempt",
                                            "kscore.dropped"};

/* Headers that say where it came from: the first failure's stay. The first three name a place
 * together. */
static const char *const origin_headers[] = {"__connect.errors.topic", "__connect.errors.partition",
                                             "__connect.errors.offset", "kscore.first_failed",
                                             "kscore.timestamp"};

/* A topic's name is the longest text of an origin. What is longer is nobody's, and would not fit
 * when all else is dropped. */
enum { PLACE_HEADERS = 3, ORIGIN_MAX = 249 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_listed(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static const struct header *find(const struct dead_letter *letter, const char *name)
{
    for (size_t i = letter->header_count; i-- > 0;)
        if (strcmp(letter->headers[i].name, name) == 0)
            return &letter->headers[i];
    return NULL;
}

static const struct header *find_origin(const struct dead_letter *letter, size_t i)
{
    const struct header *old = find(letter, origin_headers[i]);

    return old && old->value.len > 0 && old->value.len <= ORIGIN_MAX ? old : NULL;
}

/* It was a dead letter before: the origin travels among the original headers. */
static bool is_again(const struct dead_letter *letter)
{
    return find_origin(letter, 0) != NULL;
}

static void add(rd_kafka_headers_t *headers, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(rd_kafka_headers_t *headers, const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rd_kafka_header_add(headers, name, -1, text, -1);
}

static void add_origin(rd_kafka_headers_t *headers, const struct record *record,
                       const struct dead_letter *letter)
{
    char own[COUNT(origin_headers)][ORIGIN_MAX + 1];

    snprintf(own[0], sizeof own[0], "%s", record->topic);
    snprintf(own[1], sizeof own[1], "%d", record->partition);
    snprintf(own[2], sizeof own[2], "%lld", (long long)record->offset);
    snprintf(own[3], sizeof own[3], "%lld", (long long)clock_wall_ms());
    snprintf(own[4], sizeof own[4], "%lld", (long long)record->timestamp_ms);
    for (size_t i = 0; i < COUNT(origin_headers); i++) {
        const struct header *old = is_again(letter) ? find_origin(letter, i) : NULL;
        if (old)
            rd_kafka_header_add(headers, old->name, -1, old->value.data, (ssize_t)old->value.len);
        else if (!is_again(letter) || i >= PLACE_HEADERS)
            add(headers, origin_headers[i], "%s", own[i]);
    }
}

/* 1, or one more than the attempt before. */
static int64_t attempt(const struct dead_letter *letter)
{
    enum { MAX = 1000000 };
    const struct header *old = find(letter, "kscore.attempt");
    int64_t count;

    if (letter->attempts > 0)
        return letter->attempts < MAX ? letter->attempts + 1 : MAX;
    if (old && integer_parse((const char *)old->value.data, old->value.len, 0, MAX, &count))
        return count < MAX ? count + 1 : MAX;
    return 1;
}

static void add_error(rd_kafka_headers_t *headers, const struct config *config,
                      const struct provenance *provenance, const struct dead_letter *letter)
{
    char id[SCHEMA_ID_TEXT_MAX];

    add(headers, "__connect.errors.connector.name", "%s", config_group(config));
    add(headers, "__connect.errors.task.id", "%u", provenance->worker);
    add(headers, "__connect.errors.stage", "%s", fault_stage(letter->fault));
    add(headers, "__connect.errors.class.name", "record");
    add(headers, "__connect.errors.exception.class.name", "%s", fault_reason(letter->fault));
    add(headers, "__connect.errors.exception.message", "%s", letter->message);
    add(headers, "kscore.blame", "%s", fault_blame(letter->fault));
    if (letter->schema_id != SCHEMA_ID_NONE) {
        schema_id_print(id, letter->schema_id, config_has_fingerprints(config));
        add(headers, "kscore.schema_id", "%s", id);
    }
    add(headers, "kscore.model", "%s", provenance->model);
    add(headers, "kscore.version", "%s", provenance->version);
    add(headers, "kscore.digest", "%s", provenance->digest);
    add(headers, "kscore.run", "%s", provenance->run);
    add(headers, "kscore.attempt", "%lld", (long long)attempt(letter));
}

/* The originals, but those that are written anew. Ours of an earlier failure count as ours. */
static void add_originals(rd_kafka_headers_t *headers, const struct dead_letter *letter)
{
    bool was_dead = is_again(letter);

    for (size_t i = 0; i < letter->header_count; i++) {
        const struct header *h = &letter->headers[i];
        if (was_dead && (is_listed(h->name, error_headers, COUNT(error_headers)) ||
                         is_listed(h->name, origin_headers, COUNT(origin_headers))))
            continue;
        rd_kafka_header_add(headers, h->name, -1, h->value.data,
                            h->value.data ? (ssize_t)h->value.len : 0);
    }
}

static int64_t size_of_headers(const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t len;
    int64_t sum = 0;

    for (size_t i = 0; i < rd_kafka_header_cnt(headers); i++) {
        rd_kafka_header_get_all(headers, i, &name, &value, &len);
        sum += (int64_t)(strlen(name) + len + 10);
    }
    return sum;
}

/* What is dropped, in this order. */
enum { DROP_VALUE = 1, DROP_HEADERS = 2, DROP_KEY = 4 };

static void add_dropped(rd_kafka_headers_t *headers, unsigned drop)
{
    char text[32];

    if (!drop)
        return;
    snprintf(text, sizeof text, "%s%s%s", drop & DROP_VALUE ? ",value" : "",
             drop & DROP_HEADERS ? ",headers" : "", drop & DROP_KEY ? ",key" : "");
    add(headers, "kscore.dropped", "%s", text + 1);
}

static void build(struct dead_parts *parts, const struct config *config,
                  const struct provenance *provenance, const struct record *record,
                  const struct dead_letter *letter, unsigned drop)
{
    if (letter->has_lost_headers)
        drop |= DROP_HEADERS;
    parts->headers = rd_kafka_headers_new(letter->header_count + 20);
    if (!(drop & DROP_HEADERS))
        add_originals(parts->headers, letter);
    add_origin(parts->headers, record, letter);
    add_error(parts->headers, config, provenance, letter);
    add_dropped(parts->headers, drop);
    parts->value = drop & DROP_VALUE ? (struct slice){NULL, 0} : record->value;
    parts->key = drop & DROP_KEY ? (struct slice){NULL, 0} : record->key;
}

void dead_letter_build(struct dead_parts *parts, const struct config *config,
                       const struct provenance *provenance, const struct record *record,
                       const struct dead_letter *letter, int64_t limit_bytes)
{
    static const unsigned steps[] = {0, DROP_VALUE, DROP_VALUE | DROP_HEADERS,
                                     DROP_VALUE | DROP_HEADERS | DROP_KEY};

    parts->timestamp_ms = provenance->mode != SCORE_LIVE || letter->is_refused ||
                                  letter->fault == FAULT_PRODUCE_REFUSED
                              ? clock_wall_ms()
                              : record->timestamp_ms;
    for (size_t i = letter->is_minimal ? COUNT(steps) - 1 : 0; i < COUNT(steps); i++) {
        build(parts, config, provenance, record, letter, steps[i]);
        if (limit_bytes == 0 || i == COUNT(steps) - 1 ||
            (int64_t)(parts->key.len + parts->value.len) + size_of_headers(parts->headers) +
                    RECORD_OVERHEAD <=
                limit_bytes)
            return;
        rd_kafka_headers_destroy(parts->headers);
    }
}
