#include "pipeline/published.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/letter.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/backoff.h"
#include "schemas/avro_text.h"
#include "schemas/frame.h"
#include "schemas/score_schema.h"

enum {
    MAX_HEADERS = 1000,
    MAX_SCORE_BYTES = 8 << 20,
    TURN_MS = 2000,
    POLL_MS = 100,
    SHOW_MS = 200
};

struct search {
    const struct published_options *options;
    struct fates *fates;
    struct published_counts *counts;
    struct avro_schema *schema; /* of scores, where they are Avro */
    struct avro_text text;
    struct header headers[MAX_HEADERS];
    int64_t shown_ms;
};

/* ---- one score */

/* What a score says, as it stands there. */
struct said {
    struct json_text topic, schema_id, model, version, digest, decision;
    int64_t partition, offset, event_time;
    double score;
    enum { HAS_PARTITION = 1, HAS_OFFSET = 2, HAS_SCORE = 4, HAS_ALL = 7 } has;
};

static bool take_integer(struct json *j, int64_t most, int64_t *number)
{
    const char *start;

    if (json_peek(j) != JSON_NUMBER)
        return json_fail(j, JSON_BAD);
    start = j->at;
    json_skip(j);
    return integer_parse(start, (size_t)(j->at - start), INT64_MIN, most, number) ||
           json_fail(j, JSON_BAD);
}

static void take_text(struct json *j, struct json_text *text)
{
    *text = (struct json_text){0};
    if (json_peek(j) == JSON_NULL)
        json_take_null(j);
    else
        json_take_string(j, text);
}

static void take_outputs(struct json *j, struct fates *f)
{
    double number;
    size_t count = 0;

    for (json_enter_array(j); json_item(j) && json_number(j, &number); count++)
        if (count < f->output_cap)
            f->room->outputs[count] = number;
    f->room->output_count = (uint32_t)count;
}

static void take_field(struct json *j, const struct json_text *key, struct said *said,
                       struct fates *f)
{
    const struct {
        const char *name;
        struct json_text *text;
    } texts[] = {{"topic", &said->topic},   {"schema_id", &said->schema_id},
                 {"model", &said->model},   {"version", &said->version},
                 {"digest", &said->digest}, {"decision", &said->decision}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (json_text_equals(key, texts[i].name)) {
            take_text(j, texts[i].text);
            return;
        }
    if (json_text_equals(key, "partition"))
        said->has |= take_integer(j, INT32_MAX, &said->partition) ? HAS_PARTITION : 0;
    else if (json_text_equals(key, "offset"))
        said->has |= take_integer(j, INT64_MAX, &said->offset) ? HAS_OFFSET : 0;
    else if (json_text_equals(key, "score"))
        said->has |= json_number(j, &said->score) ? HAS_SCORE : 0;
    else if (json_text_equals(key, "event_time"))
        take_integer(j, INT64_MAX, &said->event_time);
    else if (json_text_equals(key, "scores"))
        take_outputs(j, f);
    else
        json_skip(j);
}

/* The text without escapes; *buffer is the caller's to free. */
static struct slice plain(const struct json_text *text, char **buffer)
{
    *buffer = NULL;
    if (!text->is_escaped)
        return (struct slice){(const uint8_t *)text->data, text->len};
    *buffer = mem_alloc(text->len, 1);
    return (struct slice){(const uint8_t *)*buffer, json_unescape(text, *buffer)};
}

static uint16_t word_of(struct words *words, const struct json_text *text)
{
    char *buffer;
    uint16_t word = (uint16_t)words_add(words, plain(text, &buffer));

    free(buffer);
    return word;
}

static bool find_part(const struct fates *f, const struct said *said, uint32_t *part)
{
    char *buffer;
    bool found =
        fates_find(f, plain(&said->topic, &buffer), (int32_t)said->partition, said->offset, part);

    free(buffer);
    return found;
}

static uint16_t model_of(struct fates *f, const struct said *said)
{
    char *buffers[2];
    struct slice digest = {(const uint8_t *)said->digest.data, said->digest.len};
    uint16_t word = (uint16_t)fates_model(f, plain(&said->model, &buffers[0]),
                                          plain(&said->version, &buffers[1]), digest);

    free(buffers[0]);
    free(buffers[1]);
    return word;
}

static bool begins_with(const void *data, size_t len, const char *start)
{
    return !start || (len >= strlen(start) && memcmp(data, start, strlen(start)) == 0);
}

bool published_score(struct fates *f, struct slice json, const char *digest, bool *is_ours,
                     bool *is_meant)
{
    struct said said = {.event_time = -1};
    struct json_text key;
    struct json j;

    *is_ours = *is_meant = false;
    memset(f->room, 0, fate_bytes(f));
    json_init(&j, (const char *)json.data, json.len, AVRO_TEXT_MAX_DEPTH);
    for (json_enter_object(&j); json_key(&j, &key);)
        take_field(&j, &key, &said, f);
    if (!json_end(&j) || said.has != HAS_ALL || !said.topic.data || said.partition < 0 ||
        !isfinite(said.score))
        return false;
    *is_ours = find_part(f, &said, &f->room->part);
    *is_meant = *is_ours && begins_with(said.digest.data, said.digest.len, digest);
    if (!*is_meant)
        return true;
    f->room->offset = said.offset;
    f->room->side = SIDE_THERE;
    f->room->kind = FATE_SCORE;
    f->room->score = said.score;
    f->room->event_time_ms = said.event_time;
    f->room->word = word_of(&f->decisions, &said.decision);
    f->room->schema = word_of(&f->schemas, &said.schema_id);
    f->room->model = model_of(f, &said);
    return true;
}

/* The score as JSON; data NULL: it is none. */
static struct slice json_of(struct search *s, struct slice value)
{
    int64_t id;

    if (value.len > MAX_SCORE_BYTES)
        return (struct slice){NULL, 0};
    if (!s->schema)
        return value;
    if (frame_read(value, &id) != FAULT_NONE ||
        avro_text_print(&s->text, s->schema, value, FRAME_CONFLUENT_BYTES, MAX_SCORE_BYTES) !=
            AVRO_TEXT_WHOLE)
        return (struct slice){NULL, 0};
    return (struct slice){(const uint8_t *)s->text.data, s->text.len};
}

static bool take_score(struct search *s, const struct record *r, bool *is_ours, bool *is_meant)
{
    struct slice json = json_of(s, r->value);

    return json.data && published_score(s->fates, json, s->options->digest, is_ours, is_meant);
}

/* ---- one dead letter */

static struct slice header(const struct search *s, size_t count, const char *name)
{
    const struct header *h = header_find(s->headers, count, name);

    return h && h->value.data ? h->value : (struct slice){(const uint8_t *)"", 0};
}

static bool take_dead(struct search *s, const struct record *r, bool *is_ours, bool *is_meant)
{
    size_t count = reader_headers(r, s->headers, MAX_HEADERS);
    struct fates *f = s->fates;
    struct fate *room = f->room;
    struct letter letter;
    struct slice digest;

    count = count == SIZE_MAX ? 0 : count < MAX_HEADERS ? count : MAX_HEADERS;
    if (!letter_read(&letter, s->headers, count) || letter.topic.len == 0)
        return false;
    memset(room, 0, fate_bytes(f));
    digest = header(s, count, "kscore.digest");
    *is_ours = fates_find(f, letter.topic, letter.partition, letter.offset, &room->part);
    *is_meant = *is_ours && begins_with(digest.data, digest.len, s->options->digest);
    if (!*is_meant)
        return true;
    room->offset = letter.offset;
    room->side = SIDE_THERE;
    room->kind = FATE_DEAD;
    room->event_time_ms = letter.timestamp_ms;
    room->word = (uint16_t)fates_fault(f, letter.stage, letter.reason);
    room->schema = (uint16_t)words_add(&f->schemas, letter.schema_id);
    room->model = (uint16_t)fates_model(f, header(s, count, "kscore.model"),
                                        header(s, count, "kscore.version"), digest);
    return true;
}

/* ---- a topic */

static int take(struct search *s, const struct record *r, enum fate_kind kind, struct err *err)
{
    struct published_counts *c = s->counts;
    bool is_ours = false, is_meant = false;

    c->records++;
    if (kind == FATE_SCORE && !r->value.data) /* a compacted topic's mark of deletion */
        return 0;
    if (!(kind == FATE_DEAD ? take_dead : take_score)(s, r, &is_ours, &is_meant)) {
        c->unreadable++;
        return 0;
    }
    c->other_bundle += is_ours && !is_meant;
    if (!is_meant)
        return 0;
    c->kept++;
    s->fates->room->where = (uint32_t)r->partition;
    s->fates->room->where_offset = r->offset;
    s->fates->room->stamp_ms = r->timestamp_ms;
    return fates_add(s->fates, err);
}

static int64_t left(const struct reader *reader)
{
    int64_t sum = 0;

    for (size_t i = 0; i < reader_window_count(reader); i++) {
        struct window w = reader_window(reader, i);
        sum += !reader_is_past(reader, i) && w.to > w.from ? w.to - w.from : 0;
    }
    return sum;
}

static void show(struct search *s, const struct reader *reader, struct published_progress *p)
{
    if (!s->options->progress || clock_ms() - s->shown_ms < SHOW_MS)
        return;
    s->shown_ms = clock_ms();
    p->passed = p->total - left(reader);
    s->options->progress(s->options->progress_arg, p);
}

static int stopped(struct err *err)
{
    return err_fatal(err, EXIT_AGAIN, "stopped before all that is published was read");
}

/* Waits for brokers that are not there. */
static int open_topic(struct search *s, struct reader *reader, const char *topic, struct err *err)
{
    const struct reader_range range = {-1, s->options->from, {PLACE_END, 0}, 0};
    struct backoff backoff;

    backoff_init(&backoff, 0);
    while (reader_open(reader, &topic, 1, &range, TURN_MS, err) != 0) {
        if (err->kind != ERR_DEPENDENCY)
            return -1;
        log_event(LOG_WARNING, "waiting", "for=kafka %s", err->text);
        err_reset(err);
        backoff_fail(&backoff);
        backoff_sleep(&backoff);
        if (*s->options->stop)
            return stopped(err);
    }
    return 0;
}

static int read_all(struct search *s, struct reader *reader, enum fate_kind kind,
                    struct published_progress *progress, struct err *err)
{
    size_t cap = (size_t)s->options->config->batch_rows;
    struct record *records = mem_alloc(cap, sizeof *records);
    int result = 0;

    progress->total = left(reader);
    log_event(LOG_INFO, "assigned", "topic=%s partitions=%zu offsets=%lld what is published",
              progress->topic, reader_window_count(reader), (long long)progress->total);
    while (result == 0 && !reader_is_done(reader)) {
        ssize_t got = reader_poll(reader, records, cap, POLL_MS, err);
        for (ssize_t i = 0; result == 0 && i < got; i++)
            result = take(s, &records[i], kind, err);
        if (got > 0)
            reader_release(records, (size_t)got);
        if (got < 0)
            result = -1;
        show(s, reader, progress);
        if (result == 0 && *s->options->stop)
            result = stopped(err);
    }
    free(records);
    return result;
}

static int read_topic(struct search *s, const char *topic, enum fate_kind kind, struct err *err)
{
    struct published_progress progress = {.topic = topic};
    struct reader *reader = reader_new(s->options->config, err);
    int result = -1;

    if (reader && open_topic(s, reader, topic, err) == 0)
        result = read_all(s, reader, kind, &progress, err);
    if (reader)
        s->counts->lost += reader_lost(reader);
    reader_free(reader);
    return result;
}

int published_read(const struct published_options *options, struct fates *fates,
                   struct published_counts *counts, struct err *err)
{
    const struct config *c = options->config;
    struct search *s = mem_alloc(1, sizeof *s);
    int result;

    *s = (struct search){.options = options, .fates = fates, .counts = counts};
    if (c->score_format == FORMAT_AVRO)
        s->schema = score_schema_new();
    result = read_topic(s, c->score_topic, FATE_SCORE, err);
    if (result == 0)
        result = read_topic(s, c->dead_topic, FATE_DEAD, err);
    avro_schema_free(s->schema);
    avro_text_release(&s->text);
    free(s);
    return result;
}
