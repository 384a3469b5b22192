#include "cli/status_view.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/slice.h"
#include "core/text.h"

enum { COLUMNS = 100 };

/* ---- what stands in the document */

/* "downstream.now.lag"; NULL: there is no such thing. */
static const json_t *at(const json_t *here, const char *path)
{
    char name[64];

    for (size_t len; here && *path; path += len + (path[len] == '.')) {
        len = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        here = json_object_get(here, name);
    }
    return here;
}

static const char *text_at(const json_t *here, const char *path)
{
    const char *text = json_string_value(at(here, path));

    return text ? text : "";
}

/* "2026-01-31T12:00:00.250Z" as "01-31 12:00:00". */
static const char *time_at(const json_t *here, const char *path, char out[16])
{
    const char *text = text_at(here, path);

    if (strlen(text) >= 19)
        snprintf(out, 16, "%.5s %.8s", text + 5, text + 11);
    else
        *out = '\0';
    return out;
}

/* Thousands apart: 1,234,567. */
static const char *count_print(char out[32], long long value)
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%lld", value), to = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
            out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = '\0';
    return out;
}

static const char *count_at(const json_t *here, const char *path, char out[32])
{
    const json_t *number = at(here, path);

    if (!json_is_number(number))
        return "-";
    return count_print(out, (long long)json_number_value(number));
}

static const char *share_at(const json_t *here, const char *path, char out[32])
{
    const json_t *number = at(here, path);

    if (!json_is_number(number))
        return "-";
    snprintf(out, 32, "%.3g %%", 100 * json_number_value(number));
    return out;
}

static const char *real_of(const json_t *number, const char *format, char out[32])
{
    if (!json_is_number(number))
        return "-";
    snprintf(out, 32, format, json_number_value(number));
    return out;
}

static const char *real_at(const json_t *here, const char *path, const char *format, char out[32])
{
    return real_of(at(here, path), format, out);
}

/* "payments[2]@812". */
static const char *place_at(const json_t *here, const char *path, char out[300])
{
    const json_t *place = at(here, path);

    if (!json_is_object(place))
        return "-";
    snprintf(out, 300, "%s[%lld]@%lld", text_at(place, "topic"),
             (long long)json_integer_value(at(place, "partition")),
             (long long)json_integer_value(at(place, "offset")));
    return out;
}

/* ---- how it is printed */

static void title(const struct paint *p, const char *text)
{
    fputc('\n', p->out);
    paint_put(p, PAINT_BOLD, text, 0);
    fputc('\n', p->out);
}

/* From column `indent` on, broken at blanks so that it fits. A word that is too long is a line. */
static void wrap(const struct paint *p, const char *colour, const char *text, size_t indent)
{
    while (*text) {
        size_t room = COLUMNS - indent, len = strlen(text), columns = room, fits, next;
        fits = text_columns(text, len, &columns);
        if (fits < len) {
            size_t blank = fits;
            while (blank > 0 && text[blank] != ' ')
                blank--;
            fits = blank > 0 ? blank : fits + strcspn(text + fits, " ");
        }
        next = fits + strspn(text + fits, " ");
        char *line = strndup(text, fits);
        paint_put(p, colour, line, 0);
        free(line);
        text += next;
        fprintf(p->out, *text ? "\n%*s" : "\n", (int)indent, "");
    }
}

/* One line of a table: cells of these widths. */
struct cell {
    const char *text, *colour;
    size_t width;
};

static void row(const struct paint *p, const struct cell *cells, size_t count)
{
    fputs("  ", p->out);
    for (size_t i = 0; i < count; i++)
        paint_put(p, cells[i].colour ? cells[i].colour : PAINT_PLAIN, cells[i].text,
                  i + 1 < count ? cells[i].width : 0);
    fputc('\n', p->out);
}

#define ROW(p, ...)                                                                                \
    row(p, (const struct cell[]){__VA_ARGS__},                                                     \
        sizeof((const struct cell[]){__VA_ARGS__}) / sizeof(struct cell))

/* ---- 1. */

static bool is_change(const json_t *entry)
{
    return strcmp(text_at(entry, "kind"), "change") == 0;
}

static void show_change(const struct paint *p, const json_t *entry)
{
    char time[16], place[300], before[32], after[32];
    const json_t *dead = at(entry, "effect.first_dead");
    double was = json_number_value(at(entry, "effect.dead_share_before"));
    double is = json_number_value(at(entry, "effect.dead_share_after"));

    ROW(p, {time_at(entry, "time", time), PAINT_DIM, 16}, {text_at(entry, "event"), NULL, 18},
        {share_at(entry, "effect.dead_share_before", before), NULL, 9},
        {share_at(entry, "effect.dead_share_after", after), is > 2 * was ? PAINT_RED : NULL, 9},
        {place_at(entry, "effect.first_dead", place), NULL, 24},
        {text_at(dead, "reason"), PAINT_RED, 0});
    fputs("                  ", p->out);
    wrap(p, PAINT_DIM, text_at(entry, "text"), 18);
}

static void show_changes(const struct paint *p, const json_t *status)
{
    enum { MOST = 6 };
    const json_t *entries = at(status, "changes");
    size_t first = json_array_size(entries), count = 0;

    title(p, "1. Did my change cause it?");
    while (first > 0 && count < MOST)
        count += is_change(json_array_get(entries, --first));
    if (count == 0) {
        fputs("  nothing has changed\n", p->out);
        return;
    }
    ROW(p, {"time, UTC", PAINT_DIM, 16}, {"change", PAINT_DIM, 18}, {"dead, min", PAINT_DIM, 0});
    ROW(p, {"", NULL, 34}, {"before", PAINT_DIM, 9}, {"after", PAINT_DIM, 9},
        {"first dead letter after it", PAINT_DIM, 0});
    for (size_t i = first; i < json_array_size(entries); i++)
        if (is_change(json_array_get(entries, i)))
            show_change(p, json_array_get(entries, i));
}

/* ---- 2. */

static void show_rates(const struct paint *p, const json_t *d)
{
    static const struct {
        const char *what, *member, *format;
    } lines[] = {{"scored per s", "scored_per_s", "%.4g"},
                 {"dead letters per s", "dead_per_s", "%.3g"},
                 {"share of dead letters", "dead_share", NULL},
                 {"freshness, s", "freshness_s", "%.3g"}};
    const json_t *now = at(d, "now"), *before = at(d, "before");
    char a[32], b[32];

    ROW(p, {"", NULL, 26}, {"last minute", PAINT_DIM, 14}, {"before, 15 min", PAINT_DIM, 0});
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *m = lines[i].member, *format = lines[i].format;
        ROW(p, {lines[i].what, PAINT_DIM, 26},
            {format ? real_at(now, m, format, a) : share_at(now, m, a), NULL, 14},
            {format ? real_at(before, m, format, b) : share_at(before, m, b), NULL, 0});
    }
}

static void show_groups(const struct paint *p, const json_t *groups)
{
    char lag[32], since[16];
    const json_t *group;
    size_t i;

    json_array_foreach((json_t *)groups, i, group)
    {
        bool stands = *text_at(group, "stands_since");
        ROW(p, {"group", PAINT_DIM, 8}, {text_at(group, "group"), NULL, 18},
            {count_at(group, "lag", lag), NULL, 14}, {stands ? "stands since " : "", PAINT_RED, 13},
            {time_at(group, "stands_since", since), PAINT_RED, 0});
    }
}

static void show_scores(const struct paint *p, const json_t *scores)
{
    static const char *const names[] = {"now", "before"};
    const json_t *value;
    char text[32];
    size_t i;

    if (!json_is_number(json_array_get(at(scores, "now"), 0)))
        return;
    ROW(p, {"score, below are", PAINT_DIM, 26}, {"1 %", PAINT_DIM, 10}, {"10 %", PAINT_DIM, 10},
        {"50 %", PAINT_DIM, 10}, {"90 %", PAINT_DIM, 10}, {"99 %", PAINT_DIM, 0});
    for (size_t k = 0; k < 2; k++) {
        fputs("  ", p->out);
        paint_put(p, PAINT_DIM, names[k], 26);
        json_array_foreach((json_t *)at(scores, names[k]), i, value)
        {
            paint_put(p, PAINT_PLAIN, real_of(value, "%.3g", text), 10);
        }
        fputc('\n', p->out);
    }
}

static void show_decisions(const struct paint *p, const json_t *d)
{
    const json_t *one, *list = at(d, "decisions");
    char count[32];
    size_t i;

    ROW(p, {"alerts", PAINT_DIM, 26}, {count_at(d, "alerts", count), NULL, 0});
    json_array_foreach((json_t *)list, i, one)
    {
        ROW(p, {"decision", PAINT_DIM, 10}, {text_at(one, "decision"), NULL, 16},
            {count_at(one, "count", count), NULL, 0});
    }
}

static void show_downstream(const struct paint *p, const json_t *status)
{
    const json_t *d = at(status, "downstream");
    char n[6][32];

    title(p, "2. Is it hurting what is downstream?");
    show_rates(p, d);
    ROW(p, {"lag, events", PAINT_DIM, 26}, {count_at(d, "lag", n[0]), NULL, 0});
    show_groups(p, at(d, "groups"));
    show_scores(p, at(d, "scores"));
    show_decisions(p, d);
    fprintf(p->out,
            "  consumed %s = scored %s + dead %s + skipped %s + returned %s + in flight %s\n",
            count_at(d, "totals.consumed", n[0]), count_at(d, "totals.scored", n[1]),
            count_at(d, "totals.dead", n[2]), count_at(d, "totals.skipped", n[3]),
            count_at(d, "totals.returned", n[4]), count_at(d, "totals.in_flight", n[5]));
}

/* ---- 3. */

static void show_error(const struct paint *p, const json_t *error)
{
    char recent[32], count[32], since[16], last[16], place[300], end[300];
    const char *schema = text_at(error, "schema_id");

    ROW(p, {text_at(error, "stage"), NULL, 8}, {text_at(error, "reason"), PAINT_RED, 20},
        {text_at(error, "blame"), NULL, 12}, {*schema ? schema : "-", NULL, 18},
        {count_at(error, "last_minute", recent), NULL, 13},
        {count_at(error, "count", count), NULL, 0});
    ROW(p, {"", NULL, 8}, {"since", PAINT_DIM, 6}, {time_at(error, "since.time", since), NULL, 16},
        {place_at(error, "since", place), NULL, 26}, {"last", PAINT_DIM, 5},
        {time_at(error, "last.time", last), NULL, 16}, {place_at(error, "last", end), NULL, 0});
    fputs("          ", p->out);
    wrap(p, PAINT_DIM, text_at(error, "message"), 10);
    ROW(p, {"", NULL, 8}, {text_at(error, "explain"), PAINT_BOLD, 0});
}

static void show_errors(const struct paint *p, const json_t *status)
{
    enum { MOST = 8 };
    const json_t *errors = at(status, "errors");
    size_t count = json_array_size(errors);

    title(p, "3. Which part throws the errors?");
    if (count == 0) {
        fputs("  none: no dead letters since the start\n", p->out);
        return;
    }
    ROW(p, {"stage", PAINT_DIM, 8}, {"reason", PAINT_DIM, 20}, {"blame", PAINT_DIM, 12},
        {"schema", PAINT_DIM, 18}, {"last minute", PAINT_DIM, 13}, {"since start", PAINT_DIM, 0});
    for (size_t i = 0; i < count && i < MOST; i++)
        show_error(p, json_array_get(errors, i));
    if (count > MOST)
        fprintf(p->out, "  and %zu more: --json has them\n", count - MOST);
}

/* ---- all */

static const char *colour_of(const json_t *finding)
{
    const char *level = text_at(finding, "level");

    return strcmp(level, "ok") == 0    ? PAINT_GREEN
           : strcmp(level, "bad") == 0 ? PAINT_RED
                                       : PAINT_YELLOW;
}

static void show_head(const struct paint *p, const json_t *status)
{
    const json_t *k = at(status, "kscore"), *model;
    char started[16], now[16];
    size_t i;

    paint_put(p, PAINT_BOLD, text_at(k, "name"), 0);
    fprintf(p->out, ", %s, up since %s, as of %s UTC", text_at(k, "activity"),
            time_at(k, "started", started), time_at(k, "now", now));
    json_array_foreach((json_t *)at(k, "models"), i, model)
    {
        fputs(i ? " and " : "\nmodel ", p->out);
        paint_put(p, PAINT_PLAIN, text_at(model, "name"), 0);
        fputc(' ', p->out);
        paint_put(p, PAINT_PLAIN, text_at(model, "version"), 0);
        fprintf(p->out, " (%.12s)", text_at(model, "digest"));
    }
    fprintf(p->out, ", build %s\n\n", text_at(k, "build"));
}

void status_view_answers(const struct paint *p, const json_t *status)
{
    const json_t *verdict = at(status, "verdict"), *other;
    size_t i;

    wrap(p, colour_of(verdict), text_at(verdict, "text"), 0);
    json_array_foreach((json_t *)at(verdict, "also"), i, other)
    {
        fputs("  also: ", p->out);
        wrap(p, colour_of(other), text_at(other, "text"), 8);
    }
    show_changes(p, status);
    show_downstream(p, status);
    show_errors(p, status);
}

void status_view_show(const struct paint *p, const json_t *status)
{
    show_head(p, status);
    status_view_answers(p, status);
}
