#include "pipeline/tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/schemas.h"
#include "schemas/avro_text.h"
#include "schemas/decoder.h"
#include "schemas/frame.h"
#include "schemas/score_schema.h"
#include "schemas/writers.h"

enum { TURN_MS = 2000, POLL_MS = 100, PAUSE_MS = 1000 };

struct tail {
    const struct tail_options *options;
    struct reader *reader;
    struct writers *writers;
    struct avro_schema *score_schema; /* scores and alerts, else NULL */
    struct avro_schema *fixed_schema; /* events that name none, else NULL */
    struct decoder *envelope;         /* events with a root, else NULL */
    struct avro_text text;
    struct header headers[TAIL_MAX_HEADERS];
    char trouble[300];
};

/* ---- values */

static bool is_json(struct slice value)
{
    struct json json;

    json_init(&json, (const char *)value.data, value.len, AVRO_TEXT_MAX_DEPTH);
    json_skip(&json);
    return json_end(&json) && utf8_is_valid(value.data, value.len);
}

static void read_json(struct tail *t, struct tail_item *item)
{
    struct slice value = item->record->value;
    int64_t id;

    if (t->options->topic == TAIL_EVENTS &&
        t->options->config->framing == CONFIG_FRAMING_JSON_SCHEMA &&
        frame_read(value, &id) == FAULT_NONE) {
        value.data += FRAME_CONFLUENT_BYTES;
        value.len -= FRAME_CONFLUENT_BYTES;
    }
    if (is_json(value)) {
        item->json = value;
    } else {
        snprintf(t->trouble, sizeof t->trouble, "not JSON");
        item->trouble = t->trouble;
    }
}

/* The schema that the value names, and where the value begins behind the frame. Scores are what
 * this program writes, whatever id they were registered under. */
static const struct avro_schema *schema_of(struct tail *t, struct slice value, size_t *start)
{
    bool is_single =
        t->options->topic == TAIL_EVENTS && config_has_fingerprints(t->options->config);
    const struct avro_schema *schema;
    const char *why = NULL;
    enum fault fault;
    int64_t id;

    *start = 0;
    if (t->fixed_schema)
        return t->fixed_schema;
    *start = is_single ? FRAME_SINGLE_OBJECT_BYTES : FRAME_CONFLUENT_BYTES;
    fault = is_single ? frame_read_single_object(value, &id) : frame_read(value, &id);
    if (fault != FAULT_NONE) {
        snprintf(t->trouble, sizeof t->trouble, "%s: %s", fault_reason(fault), fault_help(fault));
        return NULL;
    }
    if (t->score_schema)
        return t->score_schema;
    schema = writers_find(t->writers, (uint64_t)id, &why);
    if (!schema)
        snprintf(t->trouble, sizeof t->trouble, "%s", why);
    return schema;
}

static void read_avro(struct tail *t, struct tail_item *item)
{
    struct slice value = item->record->value, text;
    size_t start;
    const struct avro_schema *schema = schema_of(t, value, &start);
    enum avro_text_end end;

    if (!schema) {
        item->trouble = t->trouble;
        return;
    }
    end = avro_text_print(&t->text, schema, value, start, TAIL_MAX_TEXT);
    text = (struct slice){(const uint8_t *)t->text.data, t->text.len};
    if (end == AVRO_TEXT_WHOLE) {
        item->json = text;
        return;
    }
    if (end == AVRO_TEXT_CUT)
        snprintf(t->trouble, sizeof t->trouble, "longer than %d bytes as JSON", TAIL_MAX_TEXT);
    else
        snprintf(t->trouble, sizeof t->trouble, "byte %zu: %s: %s", t->text.at,
                 fault_reason(t->text.fault), fault_help(t->text.fault));
    item->trouble = t->trouble;
    item->rest = text;
}

/* As run sees it. An Avro value is judged by its JSON: null is null in both. */
static bool is_skipped(struct tail *t, struct slice json)
{
    int64_t id;
    float none;

    return t->envelope && json.data &&
           decoder_decode(t->envelope, json, &none, &id).kind == OUTCOME_SKIPPED;
}

static bool take(struct tail *t, const struct record *record)
{
    const struct tail_options *o = t->options;
    bool is_event = o->topic == TAIL_EVENTS;
    int64_t format = is_event ? o->config->format : o->config->score_format;
    struct tail_item item = {.record = record};

    if (o->topic == TAIL_DEAD) {
        size_t count = reader_headers(record, t->headers, TAIL_MAX_HEADERS);
        item.headers = t->headers;
        item.header_count = count < TAIL_MAX_HEADERS ? count : TAIL_MAX_HEADERS;
    } else if (record->value.data) {
        (format == FORMAT_AVRO ? read_avro : read_json)(t, &item);
    }
    if (is_event)
        item.is_skipped = !record->value.data || is_skipped(t, item.json);
    return o->take(o->arg, &item);
}

/* ---- reading */

static int open_topics(struct tail *t, int timeout_ms, struct err *err)
{
    const struct config *c = t->options->config;
    /* by enum tail_topic */
    const char *const written[] = {c->score_topic, c->dead_topic, c->alert_topic};
    bool is_event = t->options->topic == TAIL_EVENTS;

    return reader_open(t->reader,
                       is_event ? (const char *const *)c->topics : &written[t->options->topic],
                       is_event ? c->topic_count : 1, &t->options->range, timeout_ms, err);
}

/* Waits for brokers that are not there, until told to stop. */
static int await_topics(struct tail *t, struct err *err)
{
    while (!*t->options->stop && open_topics(t, TURN_MS, err) != 0) {
        if (err->kind != ERR_DEPENDENCY)
            return -1;
        log_event(LOG_WARNING, "waiting", "for=brokers %s", err->text);
        err_reset(err);
        nanosleep(&(struct timespec){PAUSE_MS / 1000, PAUSE_MS % 1000 * 1000000}, NULL);
    }
    return 0;
}

static int read_topics(struct tail *t, struct err *err)
{
    size_t cap = (size_t)t->options->config->batch_rows;
    struct record *records = mem_alloc(cap, sizeof *records);
    bool goes_on = true;
    ssize_t count = 0;

    while (goes_on && !*t->options->stop && !reader_is_done(t->reader)) {
        count = reader_poll(t->reader, records, cap, POLL_MS, err);
        if (count < 0)
            break;
        for (ssize_t i = 0; i < count && goes_on && !*t->options->stop; i++)
            goes_on = take(t, &records[i]);
        reader_release(records, (size_t)count);
        goes_on = t->options->pause(t->options->arg) && goes_on;
    }
    free(records);
    return count < 0 ? -1 : 0;
}

/* Knows no feature, only the root: what is wrong with the event beside is not asked. */
static int open_envelope(struct tail *t, struct err *err)
{
    static const struct features none;
    const struct decoder_options options = {.format = EVENT_JSON,
                                            .framing = FRAMING_NONE,
                                            .root = &t->options->config->root,
                                            .max_value_bytes = SIZE_MAX,
                                            .max_depth = AVRO_TEXT_MAX_DEPTH};

    return decoder_new(&t->envelope, &options, &none, err);
}

/* What values are read with. */
static int open_schemas(struct tail *t, struct err *err)
{
    const struct config *c = t->options->config;
    struct schema_source *source = NULL;
    char *text;
    size_t len;
    int result = 0;

    if (t->options->topic != TAIL_EVENTS)
        t->score_schema = score_schema_new();
    if (t->options->topic == TAIL_EVENTS && c->root.step_count != 0 && open_envelope(t, err) != 0)
        return -1;
    if (t->options->topic == TAIL_EVENTS && *c->fixed_schema) {
        if (file_read(c->fixed_schema, SCHEMA_MAX_BYTES, &text, &len, err) != 0)
            return -1;
        result = avro_schema_parse(&t->fixed_schema, text, len, err);
        free(text);
        if (result != 0)
            return err_prefix(err, "%s", c->fixed_schema);
    }
    if (t->options->topic == TAIL_EVENTS)
        result = schemas_open(c, &source, err);
    return result == 0 ? writers_new(&t->writers, source, err) : -1;
}

int tail_run(const struct tail_options *options, struct err *err)
{
    struct tail t = {.options = options};
    int result = -1;

    if (options->topic == TAIL_ALERTS && !*options->config->alert_topic)
        return err_fatal(err, EXIT_CONFIGURATION, "%s has no [alerts]", options->config->file);
    t.reader = reader_new(options->config, err);
    if (t.reader && open_schemas(&t, err) == 0 && await_topics(&t, err) == 0)
        result = read_topics(&t, err);
    if (t.reader)
        reader_free(t.reader);
    writers_free(t.writers);
    avro_schema_free(t.score_schema);
    avro_schema_free(t.fixed_schema);
    decoder_free(t.envelope);
    avro_text_release(&t.text);
    return result;
}
