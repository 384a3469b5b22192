/* explain_published.c: what lies in the topics of scores, alerts and dead letters for a record. */
#include <stdlib.h>
#include <string.h>

#include "consumer/probe.h"
#include "consumer/reader.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/json_path.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/explaining.h"
#include "producer/producer.h"
#include "schemas/frame.h"
#include "schemas/score_schema.h"

enum { POLL_MS = 100, MAX_HEADERS = 1000, MAX_SCORE_BYTES = 8 << 20 };

struct search {
    struct explanation *e;
    enum published_kind kind;
    struct avro_schema *schema; /* of scores, where they are Avro */
    struct avro_text text;
    struct header headers[MAX_HEADERS];
};

/* ---- one score */

/* The value of a score's field, as JSON text; data NULL without one. */
static struct slice field(struct slice score, const char *name)
{
    struct step step = {.kind = STEP_FIELD, .name = (char *)name, .name_len = strlen(name)};
    struct path path = {.steps = &step, .step_count = 1};
    struct slice value;

    return json_path_find(score, &path, &value) ? value : (struct slice){NULL, 0};
}

/* A string, cut to its room; "" for anything else. */
static void take_text(struct slice value, char *out, size_t cap)
{
    struct json j;
    struct json_text text;
    char *plain;
    size_t len = 0;

    out[0] = '\0';
    json_init(&j, (const char *)value.data, value.len, 1);
    if (!value.data || !json_take_string(&j, &text))
        return;
    plain = mem_alloc(text.len, 1);
    len = json_unescape(&text, plain);
    len = len < cap ? len : cap - 1;
    memcpy(out, plain, len);
    out[len] = '\0';
    free(plain);
}

#define TAKE_TEXT(score, name, out) take_text(field(score, name), out, sizeof(out))

static bool is_integer(struct slice value, int64_t want)
{
    char text[NUMBER_TEXT_MAX];
    size_t len = integer_print(text, want);

    return value.data && slice_equals(value, text, len);
}

static bool is_number(struct slice value, double *number)
{
    return value.data && number_parse((const char *)value.data, value.len, number) == value.len;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* "scores": empty for one output, else all of them. */
static bool are_equal(const struct bundle *b, struct slice list, const double *outputs)
{
    size_t want = b->output_count > 1 ? b->output_count : 0, count = 0;
    bool is_equal = true;
    struct json j;
    double number;

    json_init(&j, (const char *)list.data, list.len, 1);
    for (json_enter_array(&j); json_item(&j) && json_number(&j, &number); count++)
        is_equal = is_equal && count < want && same_bits(number, outputs[count]);
    return list.data && json_end(&j) && is_equal && count == want;
}

static void judge(const struct explanation *e, struct published *p, struct slice score)
{
    const char *decision = e->decision ? e->decision : "";

    p->is_same_bundle = strcmp(p->digest, e->bundle->digest) == 0;
    p->is_equal = e->outcome.kind == OUTCOME_SCORED && same_bits(p->value, e->value) &&
                  strncmp(p->decision, decision, sizeof p->decision - 1) == 0 &&
                  are_equal(e->bundle, field(score, "scores"),
                            bundle_outputs(e->bundle, e->margins, e->scores, 0));
}

/* The score as JSON; data NULL: it is none. */
static struct slice read_score(struct search *s, struct slice value)
{
    int64_t id;

    if (!value.data || value.len > MAX_SCORE_BYTES || !s->schema)
        return value;
    if (frame_read(value, &id) != FAULT_NONE ||
        avro_text_print(&s->text, s->schema, value, FRAME_CONFLUENT_BYTES, MAX_SCORE_BYTES) !=
            AVRO_TEXT_WHOLE)
        return (struct slice){NULL, 0};
    return (struct slice){(const uint8_t *)s->text.data, s->text.len};
}

static bool take_score(struct search *s, const struct record *r, struct published *p)
{
    const struct explain_record *source = &s->e->record;
    struct slice score = read_score(s, r->value);
    char topic[250];

    if (!score.data || !is_integer(field(score, "offset"), source->offset) ||
        !is_integer(field(score, "partition"), source->partition))
        return false;
    TAKE_TEXT(score, "topic", topic);
    if (strcmp(topic, source->topic) != 0 || !is_number(field(score, "score"), &p->value))
        return false;
    TAKE_TEXT(score, "model", p->model);
    TAKE_TEXT(score, "version", p->version);
    TAKE_TEXT(score, "digest", p->digest);
    TAKE_TEXT(score, "run", p->run);
    TAKE_TEXT(score, "mode", p->mode);
    TAKE_TEXT(score, "decision", p->decision);
    judge(s->e, p, score);
    return true;
}

/* ---- one dead letter */

static struct slice header(const struct explain_record *r, const char *name)
{
    return explain_header(r, name);
}

static void take_header(const struct explain_record *r, const char *name, char *out, size_t cap)
{
    struct slice value = header(r, name);
    size_t len = value.len < cap ? value.len : cap - 1;

    if (value.data)
        memcpy(out, value.data, len);
    out[value.data ? len : 0] = '\0';
}

#define TAKE_HEADER(r, name, out) take_header(r, name, out, sizeof(out))

static bool is_from(const struct explain_record *letter, const struct explain_record *source)
{
    return slice_equals(header(letter, "__connect.errors.topic"), source->topic,
                        strlen(source->topic)) &&
           is_integer(header(letter, "__connect.errors.partition"), source->partition) &&
           is_integer(header(letter, "__connect.errors.offset"), source->offset);
}

static bool take_dead(struct search *s, const struct record *r, struct published *p)
{
    size_t count = reader_headers(r, s->headers, MAX_HEADERS);
    const struct explain_record letter = {.headers = s->headers,
                                          .header_count = count == SIZE_MAX     ? 0
                                                          : count < MAX_HEADERS ? count
                                                                                : MAX_HEADERS};

    if (!is_from(&letter, &s->e->record))
        return false;
    TAKE_HEADER(&letter, "kscore.model", p->model);
    TAKE_HEADER(&letter, "kscore.version", p->version);
    TAKE_HEADER(&letter, "kscore.digest", p->digest);
    TAKE_HEADER(&letter, "kscore.run", p->run);
    TAKE_HEADER(&letter, "__connect.errors.stage", p->stage);
    TAKE_HEADER(&letter, "__connect.errors.exception.class.name", p->reason);
    TAKE_HEADER(&letter, "__connect.errors.exception.message", p->message);
    p->is_same_bundle = strcmp(p->digest, s->e->bundle->digest) == 0;
    p->is_equal = s->e->outcome.kind == OUTCOME_DEAD &&
                  strcmp(p->stage, fault_stage((enum fault)s->e->outcome.fault)) == 0 &&
                  strcmp(p->reason, fault_reason((enum fault)s->e->outcome.fault)) == 0;
    return true;
}

/* ---- a topic */

static void take(struct search *s, const struct record *r)
{
    struct explanation *e = s->e;
    struct published p = {.kind = s->kind,
                          .partition = r->partition,
                          .offset = r->offset,
                          .timestamp_ms = r->timestamp_ms};

    if (e->published_count < EXPLAIN_MAX_PUBLISHED &&
        (s->kind == PUBLISHED_DEAD ? take_dead : take_score)(s, r, &p))
        e->published[e->published_count++] = p;
}

static int search_topic(struct search *s, struct reader *reader, int timeout_ms, struct err *err)
{
    struct explain_search *search = &s->e->searches[s->kind];
    int64_t from_ms = s->e->record.timestamp_ms, until_ms = clock_ms() + timeout_ms;
    struct reader_range range = {-1, {PLACE_START, 0}, {PLACE_END, 0}, 0};
    size_t cap = (size_t)s->e->config->batch_rows;
    struct record *records;
    ssize_t got = 0;

    if (from_ms >= 0)
        range.from = (struct reader_place){PLACE_TIME, from_ms};
    if (reader_open(reader, &search->topic, 1, &range, timeout_ms, err) != 0)
        return -1;
    records = mem_alloc(cap, sizeof *records);
    while (got >= 0 && !reader_is_done(reader) && !search->is_cut) {
        got = reader_poll(reader, records, cap, POLL_MS, err);
        for (ssize_t i = 0; i < got; i++)
            take(s, &records[i]);
        if (got > 0)
            reader_release(records, (size_t)got);
        search->records += got > 0 ? (uint64_t)got : 0;
        search->is_cut = !reader_is_done(reader) &&
                         (search->records >= EXPLAIN_MAX_SEARCHED || clock_ms() >= until_ms);
    }
    free(records);
    return got < 0 ? -1 : 0;
}

static void search_one(struct search *s, int timeout_ms)
{
    struct explain_search *search = &s->e->searches[s->kind];
    struct reader *reader = reader_new(s->e->config, &search->trouble);

    if (reader && search_topic(s, reader, timeout_ms, &search->trouble) != 0)
        search->records = 0;
    reader_free(reader);
}

/* ---- the group */

static bool is_input(const struct config *c, const char *topic)
{
    for (size_t i = 0; i < c->topic_count; i++)
        if (strcmp(c->topics[i], topic) == 0)
            return true;
    return false;
}

static void ask_group(struct explanation *e, int timeout_ms)
{
    struct explain_group *g = &e->group;
    int32_t count = e->record.partition + 1;
    struct probe_offsets *offsets;
    struct probe *probe;

    *g = (struct explain_group){.is_asked = is_input(e->config, e->record.topic),
                                .trouble = ERR_INIT};
    if (!g->is_asked)
        return;
    probe = probe_new(e->config, &g->trouble);
    offsets = mem_alloc((size_t)count, sizeof *offsets);
    if (probe &&
        probe_offsets(probe, e->record.topic, count, timeout_ms, offsets, &g->trouble) == 0)
        g->committed = offsets[count - 1].committed;
    free(offsets);
    probe_free(probe);
}

void explain_search(struct explanation *e, int timeout_ms)
{
    const struct config *c = e->config;
    const char *const topics[] = {[PUBLISHED_SCORE] = c->score_topic,
                                  [PUBLISHED_ALERT] = c->alert_topic,
                                  [PUBLISHED_DEAD] = c->dead_topic};
    struct search s = {.e = e};

    if (c->score_format == FORMAT_AVRO)
        s.schema = score_schema_new();
    e->published = mem_alloc(EXPLAIN_MAX_PUBLISHED, sizeof *e->published);
    for (int kind = PUBLISHED_SCORE; kind <= PUBLISHED_DEAD; kind++) {
        s.kind = (enum published_kind)kind;
        e->searches[kind] = (struct explain_search){.topic = *topics[kind] ? topics[kind] : NULL,
                                                    .trouble = ERR_INIT};
        if (*topics[kind])
            search_one(&s, timeout_ms);
    }
    ask_group(e, timeout_ms);
    avro_schema_free(s.schema);
    avro_text_release(&s.text);
}
