/* watch_profile.c: what is usual, as one line of JSON: for the run that comes after this one.
 *
 *   {"kscore_watch":1,"at":MS,"model":NAME,"version":V,"digest":D,"windows":N,
 *    "decisions":[{"name":NAME,"usual":[MEAN,LOW,HIGH]},...],
 *    "columns":[{"name":NAME,"source":PATHS,"binding":HEX,"usual":[WINDOWS,MISSING,MISSING_HIGH,
 *                DISTANCE_HIGH,LOW,HIGH,LONGEST_RUN],"narrowest":[WIDTH],"edges":[15 numbers],
 *                "shares":[16]},...]}
 *
 * The first column is the score, which has no name; without bins edges and shares are empty.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/text.h"
#include "scoring/watch_state.h"

enum { FORMAT = 1, WINDOW_VALUES = 100, NAME_MAX_BYTES = 256 };

/* ---- out */

struct out {
    char *text;
    size_t len;
    bool is_full;
};

static void put(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *format, ...)
{
    enum { TAIL = 4 }; /* "]}" and a NUL */
    size_t room = WATCH_PROFILE_MAX - TAIL - o->len;
    va_list args;
    int len;

    if (o->is_full)
        return;
    va_start(args, format);
    len = vsnprintf(o->text + o->len, room, format, args);
    va_end(args);
    o->is_full = len < 0 || (size_t)len >= room;
    if (!o->is_full)
        o->len += (size_t)len;
}

static void put_text(struct out *o, const char *text)
{
    char quoted[JSON_STRING_MAX(NAME_MAX_BYTES) + 1];
    size_t len = strnlen(text, NAME_MAX_BYTES + 1);

    o->is_full = o->is_full || len > NAME_MAX_BYTES; /* such a feature is left out */
    quoted[json_string_print(quoted, text, len > NAME_MAX_BYTES ? 0 : len)] = '\0';
    put(o, "%s", quoted);
}

static void put_numbers(struct out *o, const char *key, const float *numbers, size_t count)
{
    put(o, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++)
        put(o, isfinite(numbers[i]) ? "%s%.6g" : "%snull", i ? "," : "", (double)numbers[i]);
    put(o, "]");
}

static void put_column(struct out *o, const struct watched *item)
{
    const struct usual *u = &item->column.usual;
    const float levels[] = {(float)u->windows,
                            u->missing,
                            u->missing_high,
                            u->distance_high,
                            u->low,
                            u->high,
                            (float)item->column.longest_run};

    put(o, "{\"name\":");
    put_text(o, item->name ? item->name : "");
    put(o, ",\"source\":");
    put_text(o, item->source);
    put(o, ",\"binding\":\"%016" PRIx64 "\"", item->binding);
    put_numbers(o, "usual", levels, sizeof levels / sizeof *levels);
    put_numbers(o, "narrowest", &u->narrowest, 1);
    put_numbers(o, "edges", u->edges, u->has_bins ? COLUMN_BINS - 1 : 0);
    put_numbers(o, "shares", u->shares, u->has_bins ? COLUMN_BINS : 0);
    put(o, "}");
}

/* One that does not fit leaves no trace, and others may. */
static void put_columns(struct out *o, const struct watch *w)
{
    bool is_first = true;

    for (size_t i = 0; i <= w->feature_count; i++) {
        struct out before = *o;
        put(o, "%s", is_first ? "" : ",");
        put_column(o, i == 0 ? watch_score(w) : &w->items[i - 1]);
        if (o->is_full)
            *o = before;
        else
            is_first = false;
    }
}

static void put_decisions(struct out *o, const struct watch *w)
{
    bool is_first = true;

    for (size_t i = 0; i < w->decision_count; i++) {
        const struct watched_decision *d = &w->decisions[i];
        const float levels[] = {d->share, d->low, d->high};
        struct out before = *o;
        if (isnan(d->share))
            continue;
        put(o, "%s{\"name\":", is_first ? "" : ",");
        put_text(o, d->name);
        put_numbers(o, "usual", levels, 3);
        put(o, "}");
        if (o->is_full)
            *o = before;
        else
            is_first = false;
    }
}

size_t watch_profile_print(const struct watch *w, char *out, int64_t wall_ms)
{
    struct out o = {.text = out};
    struct out before;

    put(&o, "{\"kscore_watch\":%d,\"at\":%" PRId64 ",", FORMAT, wall_ms);
    before = o;
    put(&o, "\"model\":");
    put_text(&o, w->bundle->name);
    put(&o, ",\"version\":");
    put_text(&o, w->bundle->version);
    put(&o, ",");
    if (o.is_full)
        o = before;
    put(&o, "\"digest\":\"%s\",\"windows\":%u,\"decisions\":[", w->bundle->digest,
        w->decision_windows);
    put_decisions(&o, w);
    put(&o, "],\"columns\":[");
    put_columns(&o, w);
    memcpy(out + o.len, "]}", 3);
    return o.len + 2;
}

/* ---- in */

/* Up to most numbers; null is infinite. How many there were. */
static size_t take_numbers(struct json *j, double *numbers, size_t most)
{
    size_t count = 0;

    for (json_enter_array(j); json_item(j); count++) {
        double number = INFINITY;
        if (json_peek(j) == JSON_NULL ? !json_take_null(j) : !json_number(j, &number))
            break;
        if (count < most)
            numbers[count] = number;
        else
            json_fail(j, JSON_BAD);
    }
    return count;
}

static void take_text(struct json *j, char *out, size_t cap)
{
    struct json_text text;
    size_t len = 0;

    if (json_take_string(j, &text) && text.len < cap)
        len = json_unescape(&text, out);
    else
        json_fail(j, JSON_BAD);
    out[len] = '\0';
}

struct saved {
    char name[JSON_STRING_MAX(NAME_MAX_BYTES)];
    char source[JSON_STRING_MAX(WATCH_SOURCE_MAX)];
    char binding[17];
    double levels[7], narrowest, edges[COLUMN_BINS], shares[COLUMN_BINS];
    size_t level_count, edge_count, share_count;
};

static void take_saved(struct json *j, struct saved *s)
{
    struct json_text key;

    *s = (struct saved){.narrowest = INFINITY}; /* an older one does not have it */
    for (json_enter_object(j); json_key(j, &key);)
        if (json_text_equals(&key, "name"))
            take_text(j, s->name, sizeof s->name);
        else if (json_text_equals(&key, "source"))
            take_text(j, s->source, sizeof s->source);
        else if (json_text_equals(&key, "binding"))
            take_text(j, s->binding, sizeof s->binding);
        else if (json_text_equals(&key, "usual"))
            s->level_count = take_numbers(j, s->levels, 7);
        else if (json_text_equals(&key, "narrowest"))
            take_numbers(j, &s->narrowest, 1);
        else if (json_text_equals(&key, "edges"))
            s->edge_count = take_numbers(j, s->edges, COLUMN_BINS - 1);
        else if (json_text_equals(&key, "shares"))
            s->share_count = take_numbers(j, s->shares, COLUMN_BINS);
        else
            json_skip(j);
}

/* Counts may not be what makes the program misbehave: they are bounded. */
static uint32_t bounded(double count)
{
    return count >= 0 && count < 1e9 ? (uint32_t)count : 0;
}

static void use_column(struct watched *item, const struct saved *s)
{
    struct usual *u = &item->column.usual;

    if (s->level_count != 7 || s->levels[0] < 1)
        return;
    u->windows = bounded(s->levels[0]);
    u->missing = (float)s->levels[1];
    u->missing_high = (float)s->levels[2];
    u->distance_high = (float)s->levels[3];
    u->low = isfinite(s->levels[4]) ? (float)s->levels[4] : INFINITY;
    u->high = isfinite(s->levels[5]) ? (float)s->levels[5] : -INFINITY;
    u->narrowest = (float)s->narrowest;
    item->column.longest_run = bounded(s->levels[6]);
    column_spread(&item->column);
    u->has_bins = s->edge_count == COLUMN_BINS - 1 && s->share_count == COLUMN_BINS;
    for (int i = 0; u->has_bins && i < COLUMN_BINS; i++) {
        u->edges[i] = i < COLUMN_BINS - 1 ? (float)s->edges[i] : INFINITY;
        u->shares[i] = (float)s->shares[i];
    }
    u->values = (float)u->windows * WINDOW_VALUES; /* at least */
    item->has_history = true;
}

static void use_feature(struct watched *item, const struct saved *s)
{
    char binding[17];

    use_column(item, s);
    snprintf(binding, sizeof binding, "%016" PRIx64, item->binding);
    if (!item->has_history || strcmp(binding, s->binding) == 0)
        return;
    snprintf(item->source_before, sizeof item->source_before, "%.63s", s->source);
    watch_be_strict(item, WATCH_AFTER_START);
}

static void take_columns(struct watch *w, struct json *j)
{
    struct saved s;

    for (json_enter_array(j); json_item(j);) {
        struct watched *item;
        take_saved(j, &s);
        if (!w || j->fault != JSON_OK)
            continue;
        item = s.name[0] ? watch_find(w, s.name) : NULL;
        if (item)
            use_feature(item, &s);
        else if (!s.name[0])
            use_column(watch_score(w), &s);
    }
}

static void use_decision(struct watch *w, const struct saved *s)
{
    for (size_t i = 0; i < w->decision_count && s->level_count == 3; i++) {
        struct watched_decision *d = &w->decisions[i];
        if (strcmp(d->name, s->name) != 0)
            continue;
        d->share = (float)s->levels[0];
        d->low = (float)s->levels[1];
        d->high = (float)s->levels[2];
    }
}

static void take_decisions(struct watch *w, struct json *j)
{
    struct saved s;

    for (json_enter_array(j); json_item(j);) {
        take_saved(j, &s);
        if (w && j->fault == JSON_OK)
            use_decision(w, &s);
    }
}

static void be_another_model(struct watch *w)
{
    watch_be_strict(watch_score(w), WATCH_AFTER_START);
    watch_be_strict(watch_decisions(w), WATCH_AFTER_START);
}

/* w NULL: only looks. True: it is a whole profile. */
static bool take_profile(struct watch *w, const char *text, size_t len)
{
    char digest[2 * SHA256_HEX] = "";
    double format = 0, windows = 0;
    struct json_text key;
    struct json j;

    json_init(&j, text, len, 8);
    for (json_enter_object(&j); json_key(&j, &key);)
        if (json_text_equals(&key, "kscore_watch"))
            json_number(&j, &format);
        else if (json_text_equals(&key, "digest"))
            take_text(&j, digest, sizeof digest);
        else if (json_text_equals(&key, "windows"))
            json_number(&j, &windows);
        else if (json_text_equals(&key, "decisions"))
            take_decisions(w, &j);
        else if (json_text_equals(&key, "columns"))
            take_columns(w, &j);
        else
            json_skip(&j);
    if (!json_end(&j) || format != FORMAT)
        return false;
    if (w)
        w->decision_windows = bounded(windows);
    if (w && strcmp(digest, w->bundle->digest) != 0)
        be_another_model(w);
    return true;
}

int watch_profile_parse(struct watch *w, const char *text, size_t len, struct err *err)
{
    if (!take_profile(NULL, text, len))
        return err_fatal(err, EXIT_DATA, "not a profile of what is usual");
    take_profile(w, text, len);
    return 0;
}
