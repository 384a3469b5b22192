/* explain_json.c: an explanation as JSON. */
#include <math.h>
#include <stdlib.h>

#include "cli/explain_view.h"
#include "core/mem.h"

static json_t *hex(struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text;
    json_t *json;

    if (!bytes.data)
        return json_null();
    text = mem_alloc(bytes.len * 2 + 1, 1);
    for (size_t i = 0; i < bytes.len; i++) {
        text[i * 2] = digits[bytes.data[i] >> 4];
        text[i * 2 + 1] = digits[bytes.data[i] & 15];
    }
    json = json_stringn(text, bytes.len * 2);
    free(text);
    return json;
}

/* JSON has no NaN: null, as what is missing. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *numbers(const double *values, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; values && i < count; i++)
        json_array_append_new(list, number(values[i]));
    return list;
}

static json_t *words(const struct err *err)
{
    return paint_json(err_is_set(err) ? err->text : NULL);
}

/* ---- the record */

static json_t *headers_of(const struct explain_record *r, bool is_masked)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->header_count; i++) {
        const struct header *h = &r->headers[i];
        bool is_shown = !is_masked || explain_view_is_ours(h);
        json_array_append_new(list, json_pack("{s:o,s:o}", "name", paint_json(h->name), "value",
                                              is_shown ? paint_json_bytes(h->value) : json_null()));
    }
    return list;
}

static json_t *record_of(const struct explain_record *r, bool is_masked)
{
    json_t *json = json_pack(
        "{s:o,s:i,s:I,s:o,s:o,s:I,s:o,s:o}", "topic", paint_json(r->topic), "partition",
        (int)r->partition, "offset", (json_int_t)r->offset, "timestamp",
        r->timestamp_ms >= 0 ? json_integer(r->timestamp_ms) : json_null(), "key",
        is_masked ? json_null() : paint_json_bytes(r->key), "value_bytes", (json_int_t)r->value.len,
        "value_hex", is_masked ? json_null() : hex(r->value), "headers", headers_of(r, is_masked));

    return json;
}

/* ---- steps */

static json_t *schema_of(const struct explanation *e)
{
    const struct contract_schema *s = e->schema;

    if (!s)
        return json_null();
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:o}", "id", s->id, "name", paint_json(s->name),
                     "subject", paint_json(s->subject), "version",
                     s->version ? json_integer(s->version) : json_null(), "file",
                     paint_json(s->file), "where", paint_json(e->contract.where), "usable",
                     s->is_usable, "why", paint_json(s->why));
}

static json_t *verdict_of(const struct explanation *e)
{
    static const char *const kinds[] = {[OUTCOME_SCORED] = "scored",
                                        [OUTCOME_DEAD] = "dead",
                                        [OUTCOME_SKIPPED] = "skipped",
                                        [OUTCOME_WAITING] = "waiting"};
    enum fault fault = (enum fault)e->outcome.fault;
    bool is_dead = e->outcome.kind == OUTCOME_DEAD;

    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "kind", kinds[e->outcome.kind], "stage",
                     paint_json(is_dead ? fault_stage(fault) : NULL), "reason",
                     paint_json(is_dead ? fault_reason(fault) : NULL), "blame",
                     paint_json(is_dead ? fault_blame(fault) : NULL), "message",
                     paint_json(is_dead ? e->message : NULL), "byte",
                     explain_view_mark(e) >= 0 ? json_integer(explain_view_mark(e)) : json_null());
}

static json_t *features_of(const struct explanation *e, bool is_masked)
{
    static const char *const states[] = {[STATE_VALUE] = "value",
                                         [STATE_MISSING] = "missing",
                                         [STATE_UNKNOWN] = "unknown",
                                         [STATE_FAULT] = "fault",
                                         [STATE_UNREAD] = "unread"};
    json_t *list = json_array();

    for (size_t i = 0; i < e->bundle->features.count; i++) {
        const struct explain_feature *f = &e->features[i];
        bool is_read = f->state != STATE_FAULT && f->state != STATE_UNREAD;
        json_array_append_new(
            list, json_pack("{s:o,s:o,s:s,s:o,s:o,s:o}", "feature",
                            paint_json(e->bundle->features.items[i].name), "path",
                            paint_json(f->path), "state", states[f->state], "reason",
                            paint_json(f->state == STATE_FAULT ? fault_reason(f->fault) : NULL),
                            "raw", is_masked ? json_null() : paint_json_bytes(f->raw), "float32",
                            is_masked || !is_read ? json_null() : number((double)e->row[i])));
    }
    return list;
}

static json_t *extras_of(const struct explanation *e, bool is_masked)
{
    json_t *carry = json_object();

    for (size_t i = 0; i < e->config->carry_count; i++)
        if (e->carries[i].text)
            json_object_set_new(carry, e->carries[i].path,
                                is_masked ? json_null() : paint_json(e->carries[i].text));
    return carry;
}

static json_t *contributions_of(const struct explanation *e)
{
    size_t count = e->bundle->features.count, *order;
    json_t *list = json_array();

    if (!e->contributions)
        return list;
    order = explain_view_order(e);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:o,s:o}", "feature",
                                              paint_json(e->bundle->features.items[order[i]].name),
                                              "by", number(e->contributions[order[i]])));
    free(order);
    return list;
}

static json_t *score_of(const struct explanation *e)
{
    const struct model *model = e->bundle->model;

    if (e->outcome.kind != OUTCOME_SCORED)
        return json_null();
    return json_pack("{s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:I,s:o}", "margins",
                     numbers(e->margins, model_margin_count(model)), "linked",
                     numbers(e->scores, model_score_count(model)), "link", model_summary(model),
                     "score", number(e->value), "decision", paint_json(e->decision),
                     "contributions", contributions_of(e), "bias",
                     e->contributions ? number(e->contributions[e->bundle->features.count])
                                      : json_null(),
                     "margin_index", (json_int_t)e->margin_index, "no_contributions",
                     words(&e->contributions_trouble));
}

/* ---- what was published */

static json_t *published_of(const struct explanation *e, bool is_masked)
{
    static const char *const kinds[] = {
        [PUBLISHED_SCORE] = "score", [PUBLISHED_ALERT] = "alert", [PUBLISHED_DEAD] = "dead"};
    json_t *list = json_array();

    for (size_t i = 0; i < e->published_count; i++) {
        const struct published *p = &e->published[i];
        bool is_dead = p->kind == PUBLISHED_DEAD;
        json_array_append_new(
            list, json_pack("{s:s,s:o,s:i,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:b}",
                            "kind", kinds[p->kind], "topic", paint_json(e->searches[p->kind].topic),
                            "partition", (int)p->partition, "offset", (json_int_t)p->offset,
                            "timestamp", (json_int_t)p->timestamp_ms, "model", paint_json(p->model),
                            "version", paint_json(p->version), "digest", paint_json(p->digest),
                            "run", paint_json(p->run), "mode", paint_json(is_dead ? NULL : p->mode),
                            "score", is_dead ? json_null() : number(p->value), "decision",
                            paint_json(*p->decision ? p->decision : NULL), "stage",
                            paint_json(is_dead ? p->stage : NULL), "reason",
                            paint_json(is_dead ? p->reason : NULL), "message",
                            paint_json(is_dead && !is_masked ? p->message : NULL), "same_bundle",
                            p->is_same_bundle, "equal", p->is_equal));
    }
    return list;
}

static json_t *searches_of(const struct explanation *e)
{
    json_t *list = json_array();

    for (int kind = PUBLISHED_SCORE; kind <= PUBLISHED_DEAD; kind++) {
        const struct explain_search *s = &e->searches[kind];
        if (s->topic)
            json_array_append_new(list,
                                  json_pack("{s:o,s:I,s:b,s:o}", "topic", paint_json(s->topic),
                                            "records", (json_int_t)s->records, "cut", s->is_cut,
                                            "trouble", words(&s->trouble)));
    }
    return list;
}

static json_t *group_of(const struct explanation *e)
{
    const struct explain_group *g = &e->group;

    if (!g->is_asked)
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "name", paint_json(config_group(e->config)), "committed",
                     g->committed >= 0 && !err_is_set(&g->trouble) ? json_integer(g->committed)
                                                                   : json_null(),
                     "trouble", words(&g->trouble));
}

json_t *explain_view_json(const struct explanation *e, bool is_masked)
{
    static const char *const origins[] = {[ORIGIN_SELF] = "self",
                                          [ORIGIN_FOUND] = "found",
                                          [ORIGIN_GONE] = "gone",
                                          [ORIGIN_CHANGED] = "changed"};
    const struct bundle *b = e->bundle;
    bool is_letter = e->origin != ORIGIN_SELF;

    return json_pack(
        "{s:b,s:{s:o,s:o,s:s,s:o},s:o,s:o,s:s,s:o,s:o,s:I,"
        "s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
        "masked", is_masked, "model", "name", paint_json(b->name), "version",
        paint_json(b->version), "digest", b->digest, "path", paint_json(b->path), "record",
        record_of(&e->record, is_masked), "dead_letter",
        is_letter ? record_of(&e->letter, is_masked) : json_null(), "origin", origins[e->origin],
        "origin_why", paint_json(*e->origin_why ? e->origin_why : NULL), "outcome", verdict_of(e),
        "frame_bytes", (json_int_t)e->frame_bytes, "schema_id",
        paint_json(*e->schema_id ? e->schema_id : NULL), "schema", schema_of(e), "schema_trouble",
        words(&e->schema_trouble), "event_time",
        e->event_time_ms != EVENT_TIME_NONE ? json_integer(e->event_time_ms) : json_null(), "carry",
        extras_of(e, is_masked), "value", is_masked ? json_null() : paint_json_bytes(e->json),
        "features", features_of(e, is_masked), "result", score_of(e), "published",
        published_of(e, is_masked), "searched", searches_of(e), "group", group_of(e));
}
