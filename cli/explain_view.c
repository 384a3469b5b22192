/* explain_view.c: an explanation for a person; explain_json.c: for a program. */
#include "cli/explain_view.h"

#include <string.h>

#include "cli/explain_line.h"
#include "cli/hexdump.h"

enum { MOST_RAW = 28 };

static void put_place(const struct explain_view *v, const struct explain_record *r)
{
    explain_put(v, PAINT_BOLD, r->topic ? r->topic : "file");
    if (r->topic)
        fprintf(v->paint.out, "[%d]@%lld", r->partition, (long long)r->offset);
}

static void put_decision(const struct explain_view *v, const char *decision)
{
    if (!decision)
        return;
    fputc(' ', v->paint.out);
    explain_put(v, PAINT_BOLD, decision);
}

/* ---- the verdict */

static void show_verdict(const struct explain_view *v, const struct explanation *e)
{
    enum fault fault = (enum fault)e->outcome.fault;
    char text[100];

    put_place(v, &e->record);
    fputs(": ", v->paint.out);
    switch ((enum outcome_kind)e->outcome.kind) {
    case OUTCOME_SCORED:
        snprintf(text, sizeof text, "scored %.9g", e->value);
        explain_put(v, PAINT_GREEN, text);
        put_decision(v, e->decision);
        break;
    case OUTCOME_DEAD:
        snprintf(text, sizeof text, "dead: %s/%s", fault_stage(fault), fault_reason(fault));
        explain_put(v, PAINT_RED, text);
        fprintf(v->paint.out, ", blame %s\n", fault_blame(fault));
        explain_put(v, PAINT_RED, e->message);
        break;
    case OUTCOME_SKIPPED:
        explain_put(v, PAINT_YELLOW,
                    e->record.value.data ? "skipped: what its root names is null"
                                         : "skipped: its value is null");
        break;
    case OUTCOME_WAITING:
        explain_put(v, PAINT_RED, "not judged: its schema could not be had; run would wait");
        break;
    }
    fputs("\nby ", v->paint.out);
    explain_put(v, PAINT_BOLD, e->bundle->name);
    fputc(' ', v->paint.out);
    explain_put(v, PAINT_BOLD, e->bundle->version);
    fprintf(v->paint.out, ", digest %.12s, ", e->bundle->digest);
    explain_put(v, PAINT_PLAIN, e->bundle->path);
    fputs("\n\n", v->paint.out);
}

/* ---- the record */

bool explain_view_is_ours(const struct header *h)
{
    static const char connect[] = "__connect.errors.", words[] = "__connect.errors.exception.";

    if (strncmp(h->name, words, sizeof words - 1) == 0)
        return strcmp(h->name, "__connect.errors.exception.class.name") == 0;
    return strncmp(h->name, connect, sizeof connect - 1) == 0 ||
           strncmp(h->name, "kscore.", 7) == 0;
}

static void show_headers(const struct explain_view *v, const struct explain_record *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        const struct header *h = &r->headers[i];
        explain_label(v, i ? "" : "headers");
        explain_put(v, PAINT_PLAIN, h->name);
        fputs(" = ", v->paint.out);
        if (explain_view_is_ours(h))
            paint_bytes(&v->paint, PAINT_PLAIN, h->value, EXPLAIN_MOST_COLUMNS);
        else
            explain_put_secret(v, h->value);
        explain_end_line(v);
    }
}

static void show_letter(const struct explain_view *v, const struct explanation *e)
{
    if (e->origin == ORIGIN_SELF)
        return;
    explain_label(v, "dead letter");
    put_place(v, &e->letter);
    fputs("  ", v->paint.out);
    explain_put_time(v, e->letter.timestamp_ms);
    explain_end_line(v);
    show_headers(v, &e->letter);
    explain_label(v, "origin");
    if (e->origin == ORIGIN_FOUND) {
        explain_put(v, PAINT_PLAIN, "read: what follows is the record there");
    } else {
        explain_put(v, PAINT_YELLOW, e->origin_why);
        explain_put(v, PAINT_YELLOW, ": what follows are the dead letter's own bytes");
    }
    fputs("\n\n", v->paint.out);
}

int64_t explain_view_mark(const struct explanation *e)
{
    if (e->outcome.kind == OUTCOME_DEAD && e->outcome.at != 0)
        return e->outcome.at;
    switch ((enum fault)e->outcome.fault) {
    case FAULT_FRAME_TOO_SHORT: return (int64_t)e->record.value.len;
    case FAULT_FRAME_BAD_MAGIC:
    case FAULT_FRAME_UNSUPPORTED: return 0;
    default: return HEXDUMP_NO_MARK;
    }
}

static void show_value(const struct explain_view *v, const struct explanation *e)
{
    struct slice value = e->record.value;
    char note[100];
    struct hexdump dump = {.bytes = value,
                           .mark = explain_view_mark(e),
                           .note = note,
                           .shown = v->is_masked ? e->frame_bytes : SIZE_MAX};

    explain_label(v, "value");
    if (!value.data) {
        explain_put(v, PAINT_DIM, "null");
        explain_end_line(v);
        return;
    }
    snprintf(note, sizeof note, "byte %lld: %s", (long long)dump.mark,
             fault_reason((enum fault)e->outcome.fault));
    fprintf(v->paint.out, "%zu bytes\n", value.len);
    hexdump_show(&dump, &v->paint, "  ");
    if (!e->json.data)
        return;
    explain_label(v, e->config->format == FORMAT_JSON ? "as text" : "as JSON");
    explain_put_secret(v, e->json);
    explain_end_line(v);
}

static void show_record(const struct explain_view *v, const struct explanation *e)
{
    const struct explain_record *r = &e->record;

    explain_label(v, "record");
    put_place(v, r);
    fputs("  ", v->paint.out);
    explain_put_time(v, r->timestamp_ms);
    explain_end_line(v);
    if (r->topic) {
        explain_label(v, "key");
        explain_put_secret(v, r->key);
        explain_end_line(v);
    }
    show_headers(v, r);
    show_value(v, e);
}

/* ---- frame and schema */

static void show_frame(const struct explain_view *v, const struct explanation *e)
{
    static const char *const names[] = {[CONFIG_FRAMING_NONE] = "none",
                                        [CONFIG_FRAMING_CONFLUENT] = "confluent",
                                        [CONFIG_FRAMING_JSON_SCHEMA] = "json-schema",
                                        [CONFIG_FRAMING_SINGLE_OBJECT] = "single-object"};

    explain_label(v, "frame");
    explain_put(v, PAINT_PLAIN, names[e->config->framing]);
    if (e->frame_bytes)
        fprintf(v->paint.out, ", %zu bytes: schema id %s", e->frame_bytes, e->schema_id);
    else if (e->config->framing != CONFIG_FRAMING_NONE && e->record.value.data)
        explain_put(v, PAINT_RED, ": it is not there");
    explain_end_line(v);
}

static void put_schema(const struct explain_view *v, const struct contract_schema *s)
{
    explain_put(v, PAINT_BOLD, s->id);
    if (s->name) {
        fputs(" (", v->paint.out);
        explain_put(v, PAINT_PLAIN, s->name);
        fputc(')', v->paint.out);
    }
    if (s->subject) {
        fputs(", ", v->paint.out);
        explain_put(v, PAINT_PLAIN, s->subject);
        fprintf(v->paint.out, " version %lld", (long long)s->version);
    }
}

static void show_schema(const struct explain_view *v, const struct explanation *e)
{
    const struct contract_schema *s = e->schema;

    explain_label(v, "schema");
    if (s) {
        put_schema(v, s);
        fputs(", from ", v->paint.out);
        explain_put(v, PAINT_PLAIN, s->file ? s->file : e->contract.where);
        explain_put(v, s->is_usable ? PAINT_GREEN : PAINT_RED,
                    s->is_usable ? ": usable" : ": NOT USABLE");
        if (s->why) {
            fputs("\n", v->paint.out);
            explain_label(v, "");
            explain_put(v, PAINT_RED, s->why);
        }
    } else if (err_is_set(&e->schema_trouble)) {
        explain_put(v, PAINT_RED, e->schema_trouble.text);
    } else {
        explain_put(v, PAINT_PLAIN,
                    e->config->format == FORMAT_JSON ? "none: JSON events name what they hold"
                                                     : "none is named");
    }
    explain_end_line(v);
}

static void show_extras(const struct explain_view *v, const struct explanation *e)
{
    if (e->config->event_time.step_count) {
        explain_label(v, "event_time");
        if (e->event_time_ms != EVENT_TIME_NONE)
            explain_put_time(v, e->event_time_ms);
        else
            explain_put(v, PAINT_YELLOW, "none there: the record's time is taken");
        explain_end_line(v);
    }
    for (size_t i = 0; i < e->config->carry_count && e->outcome.kind == OUTCOME_SCORED; i++) {
        explain_label(v, i ? "" : "carry");
        explain_put(v, PAINT_PLAIN, e->carries[i].path);
        fputs(" = ", v->paint.out);
        if (e->carries[i].text)
            explain_put_secret(v, slice_of(e->carries[i].text));
        else
            explain_put(v, PAINT_YELLOW, "nothing to carry");
        explain_end_line(v);
    }
}

/* ---- features */

static void print_float(const struct explain_view *v, const struct explanation *e, size_t i,
                        char *text, size_t cap)
{
    const struct explain_feature *f = &e->features[i];
    char missing[FEATURE_WORDS_MAX];

    if (f->state == STATE_UNREAD)
        snprintf(text, cap, "-");
    else if (f->state == STATE_FAULT)
        snprintf(text, cap, "%s", fault_reason(f->fault));
    else if (f->state == STATE_VALUE && v->is_masked)
        snprintf(text, cap, "%s", EXPLAIN_HIDDEN);
    else if (f->state == STATE_VALUE)
        snprintf(text, cap, "%.9g", (double)e->row[i]);
    else {
        feature_print_missing(missing, &e->bundle->features.items[i]);
        snprintf(text, cap, "%s%s%s", strcmp(missing, "missing") ? "missing: " : "", missing,
                 f->state == STATE_UNKNOWN ? ", in no table" : "");
    }
}

static void show_raw(const struct explain_view *v, const struct explain_feature *f)
{
    bool is_hidden = v->is_masked && f->raw.data && !slice_equals(f->raw, "null", 4);
    struct slice raw = is_hidden ? slice_of(EXPLAIN_HIDDEN) : f->raw.data ? f->raw : slice_of("-");
    size_t columns =
        paint_bytes(&v->paint, is_hidden || !f->raw.data ? PAINT_DIM : PAINT_PLAIN, raw, MOST_RAW);

    fprintf(v->paint.out, "%*s", (int)(MOST_RAW + 2 - columns), "");
}

static void show_features(const struct explain_view *v, const struct explanation *e)
{
    static const char *const colours[] = {[STATE_VALUE] = PAINT_PLAIN,
                                          [STATE_MISSING] = PAINT_YELLOW,
                                          [STATE_UNKNOWN] = PAINT_YELLOW,
                                          [STATE_FAULT] = PAINT_RED,
                                          [STATE_UNREAD] = PAINT_DIM};
    const struct features *features = &e->bundle->features;
    size_t names = 7, paths = 4;
    char text[100];

    for (size_t i = 0; i < features->count; i++) {
        paint_widen(&names, features->items[i].name);
        paint_widen(&paths, e->features[i].path ? e->features[i].path : "-");
    }
    explain_end_line(v);
    paint_put(&v->paint, PAINT_DIM, "feature", names + 2);
    paint_put(&v->paint, PAINT_DIM, "from", paths + 2);
    paint_put(&v->paint, PAINT_DIM, "raw", MOST_RAW + 2);
    explain_put(v, PAINT_DIM, "float32");
    explain_end_line(v);
    for (size_t i = 0; i < features->count; i++) {
        const struct explain_feature *f = &e->features[i];
        paint_put(&v->paint, PAINT_PLAIN, features->items[i].name, names + 2);
        paint_put(&v->paint, PAINT_PLAIN, f->path ? f->path : "-", paths + 2);
        show_raw(v, f);
        print_float(v, e, i, text, sizeof text);
        explain_put(v, colours[f->state], text);
        explain_end_line(v);
    }
}

void explain_view_show(const struct explain_view *v, const struct explanation *e)
{
    show_verdict(v, e);
    show_letter(v, e);
    show_record(v, e);
    show_frame(v, e);
    show_schema(v, e);
    show_extras(v, e);
    if (e->json.data)
        show_features(v, e);
    if (e->outcome.kind == OUTCOME_SCORED)
        explain_show_score(v, e);
    explain_show_published(v, e);
}
