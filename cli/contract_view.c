/* contract_view.c: a contract and a sample for a person; contract_json.c: for a program. */
#include "cli/contract_view.h"

#include <stdlib.h>
#include <string.h>

/* ---- words */

/* How the feature's value comes about, or why there is none: a new text. */
static char *becomes(const struct feature *f, const struct bound *b)
{
    char missing[FEATURE_WORDS_MAX], *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    feature_print_missing(missing, f);
    if (b->kind == BOUND_FIELD)
        fputs(b->how, out);
    else if (b->kind == BOUND_MISSING)
        fprintf(out, "always %s: %s", missing, b->why);
    else
        fprintf(out, "cannot be served: %s", b->why ? b->why : "no root");
    fclose(out);
    return text;
}

static const char *path_of(const struct feature *f, const struct bound *b)
{
    return b->kind == BOUND_FIELD ? f->paths[b->path].text : "-";
}

/* ---- a contract for a person */

static void show_features(const struct paint *v, const struct contract *c, const struct binding *b)
{
    static const char *const colours[] = {
        [BOUND_FIELD] = PAINT_PLAIN, [BOUND_MISSING] = PAINT_YELLOW, [BOUND_WRONG] = PAINT_RED};
    size_t names = 7, paths = 4, types = 4;

    for (size_t i = 0; i < b->count; i++) {
        paint_widen(&names, c->features.items[i].name);
        paint_widen(&paths, path_of(&c->features.items[i], &b->items[i]));
        paint_widen(&types, b->items[i].type ? b->items[i].type : "-");
    }
    fputs("  ", v->out);
    paint_put(v, PAINT_DIM, "feature", names + 2);
    paint_put(v, PAINT_DIM, "from", paths + 2);
    paint_put(v, PAINT_DIM, "type", types + 2);
    paint_put(v, PAINT_DIM, "becomes", 0);
    fputc('\n', v->out);
    for (size_t i = 0; i < b->count; i++) {
        const struct feature *f = &c->features.items[i];
        const struct bound *bound = &b->items[i];
        char *text = becomes(f, bound);
        fputs("  ", v->out);
        paint_put(v, PAINT_PLAIN, f->name, names + 2);
        paint_put(v, PAINT_PLAIN, path_of(f, bound), paths + 2);
        paint_put(v, PAINT_PLAIN, bound->type ? bound->type : "-", types + 2);
        paint_put(v, colours[bound->kind], text, 0);
        fputc('\n', v->out);
        free(text);
    }
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same(const struct binding *a, const struct binding *b)
{
    if (!a || !b || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct bound *x = &a->items[i], *y = &b->items[i];
        if (x->kind != y->kind || x->path != y->path || x->may_miss != y->may_miss ||
            !is_same_text(x->type, y->type) || !is_same_text(x->how, y->how) ||
            !is_same_text(x->why, y->why))
            return false;
    }
    return is_same_text(a->root_why, b->root_why);
}

/* Of many versions most change nothing for the model: these are one line. */
static const struct contract_schema *same_before(const struct contract *c, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (is_same(c->schemas[i].binding, c->schemas[number].binding))
            return &c->schemas[i];
    return NULL;
}

static void show_unused(const struct paint *v, const struct unused *u)
{
    if (u->count == 0)
        return;
    paint_put(v, PAINT_DIM, "  not used: ", 0);
    for (size_t i = 0; i < u->count; i++) {
        fputs(i ? ", " : "", v->out);
        paint_put(v, PAINT_PLAIN, u->items[i].path, 0);
    }
    fputs(u->has_more ? ", and more\n" : "\n", v->out);
}

/* What cannot be had of what is asked for beside the features: events are scored without it. */
static void show_lost(const struct paint *v, const struct contract *c, const struct binding *b)
{
    for (size_t i = 0; i < b->carry_count; i++) {
        bool is_time = c->features.has_time && i == b->carry_count - 1;
        if (b->carries[i])
            continue;
        paint_put(v, PAINT_YELLOW,
                  is_time ? "  event_time: no long at " : "  not carried: nothing at ", 0);
        paint_put(v, PAINT_YELLOW, c->features.carries[i].text, 0);
        paint_put(v, PAINT_YELLOW, is_time ? ", the record's time is taken" : "", 0);
        fputc('\n', v->out);
    }
}

static void show_title(const struct paint *v, const struct contract_schema *s)
{
    char text[64];

    fputs(*s->id ? "\nschema " : s->file ? "\nfile " : "\nfile", v->out);
    paint_put(v, PAINT_BOLD, *s->id ? s->id : s->file ? s->file : "", 0);
    if (s->subject) {
        fputs(", ", v->out);
        paint_put(v, PAINT_PLAIN, s->subject, 0);
        snprintf(text, sizeof text, " version %lld", (long long)s->version);
        fputs(text, v->out);
    }
    if (s->file && *s->id) {
        fputs(" in ", v->out);
        paint_put(v, PAINT_PLAIN, s->file, 0);
    }
    if (s->name) {
        fputs(" (", v->out);
        paint_put(v, PAINT_PLAIN, s->name, 0);
        fputs(")", v->out);
    }
    fputs(": ", v->out);
}

static void show_schema(const struct paint *v, const struct contract *c, size_t number)
{
    const struct contract_schema *s = &c->schemas[number], *same = same_before(c, number);
    const struct binding *b = s->binding;

    show_title(v, s);
    paint_put(v, s->is_usable ? PAINT_GREEN : PAINT_RED, s->is_usable ? "usable" : "NOT USABLE", 0);
    if (b && !b->root_why) {
        fprintf(v->out, ", %zu of %zu features bound", b->bound_count, b->count);
        if (b->missing_count)
            fprintf(v->out, ", %zu always missing", b->missing_count);
        if (b->wrong_count)
            fprintf(v->out, ", %zu cannot be served", b->wrong_count);
    }
    if (s->why && (!b || b->root_why || b->wrong_count == 0)) {
        fputs(": ", v->out);
        paint_put(v, PAINT_PLAIN, s->why, 0);
    }
    if (same)
        fprintf(v->out, "; each feature as in schema %s", same->id);
    fputc('\n', v->out);
    if (b && !b->root_why && !same)
        show_features(v, c, b);
    if (b && !b->root_why)
        show_lost(v, c, b);
    show_unused(v, &s->unused);
}

static void show_subjects(const struct paint *v, const struct contract *c)
{
    for (size_t i = 0; i < c->subject_count && !err_is_set(&c->trouble); i++) {
        const struct contract_subject *s = &c->subjects[i];
        fputs("subject ", v->out);
        paint_put(v, PAINT_PLAIN, s->name, 0);
        if (s->version_count)
            fprintf(v->out, ": %zu version%s\n", s->version_count,
                    s->version_count == 1 ? "" : "s");
        else
            fputs(": no versions: nothing is known before the first record\n", v->out);
    }
}

void contract_view_show(const struct paint *v, const struct contract *c)
{
    paint_put(v, PAINT_BOLD, c->bundle->name, 0);
    fputc(' ', v->out);
    paint_put(v, PAINT_BOLD, c->bundle->version, 0);
    fputs(" and ", v->out);
    paint_put(v, PAINT_PLAIN, c->where ? c->where : "JSON events: no schema says what they hold",
              0);
    if (c->schema_count)
        fprintf(v->out, ": %zu of %zu schemas usable", c->usable_count, c->schema_count);
    else if (c->where)
        fputs(": no schemas", v->out);
    fputc('\n', v->out);
    show_subjects(v, c);
    if (err_is_set(&c->trouble)) {
        paint_put(v, PAINT_RED, c->trouble.text, 0);
        fputs(c->schema_count ? "\nwhat follows is what the cache knows\n" : "\n", v->out);
    }
    for (size_t i = 0; i < c->schema_count; i++)
        show_schema(v, c, i);
}

/* ---- a sample for a person */

static double percent(uint64_t part, uint64_t of)
{
    return of ? 100.0 * (double)part / (double)of : 0;
}

static void show_outcomes(const struct paint *v, const struct sample *s)
{
    fprintf(v->out, "\nthe newest %llu records%s: ", (unsigned long long)s->records,
            s->is_cut ? " that came in time" : "");
    fprintf(v->out, "%llu would be scored, %llu dead, %llu skipped", (unsigned long long)s->scored,
            (unsigned long long)s->dead, (unsigned long long)s->skipped);
    if (s->waiting)
        fprintf(v->out, ", %llu wait for their schema", (unsigned long long)s->waiting);
    fputc('\n', v->out);
    if (err_is_set(&s->trouble)) {
        fputs("  ", v->out);
        paint_put(v, PAINT_RED, s->trouble.text, 0);
        fputc('\n', v->out);
    }
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        const struct fault_tally *t = &s->faults[i];
        char text[400];
        if (t->count == 0)
            continue;
        snprintf(text, sizeof text, "%s/%s", fault_stage((enum fault)i),
                 fault_reason((enum fault)i));
        fputs("  ", v->out);
        paint_put(v, PAINT_RED, text, 26);
        fprintf(v->out, "%6llu %5.1f %%  ", (unsigned long long)t->count,
                percent(t->count, s->records));
        snprintf(text, sizeof text, "first %s[%d]@%lld: ", t->topic, t->first_partition,
                 (long long)t->first_offset);
        paint_put(v, PAINT_PLAIN, text, 0);
        paint_put(v, PAINT_PLAIN, t->message, 0);
        fputc('\n', v->out);
    }
    if (s->no_event_time)
        fprintf(v->out, "  event_time is in %llu of them no time: the record's is taken\n",
                (unsigned long long)s->no_event_time);
}

static void show_shares(const struct paint *v, const struct sample *s)
{
    for (size_t i = 0; i < s->schema_count; i++) {
        const struct sample_schema *schema = &s->schemas[i];
        fprintf(v->out, "  schema %-20s %6llu %5.1f %%  %llu of them scored\n", schema->id,
                (unsigned long long)schema->records, percent(schema->records, s->records),
                (unsigned long long)schema->scored);
    }
}

static void put_count(const struct paint *v, const char *colour, uint64_t count, int width)
{
    char text[32];

    snprintf(text, sizeof text, "%*llu", width, (unsigned long long)count);
    paint_put(v, count ? colour : PAINT_DIM, text, 0);
}

static void show_finds(const struct paint *v, const struct sample *s)
{
    const struct features *features = &s->bundle->features;
    size_t names = 7;

    for (size_t i = 0; i < features->count; i++)
        paint_widen(&names, features->items[i].name);
    fputs("\n  ", v->out);
    paint_put(v, PAINT_DIM, "feature", names);
    paint_put(v, PAINT_DIM, "   there missing wrong_type unknown_category not_finite", 0);
    fputc('\n', v->out);
    for (size_t i = 0; i < features->count; i++) {
        const struct feature *f = &features->items[i];
        const struct sample_feature *found = &s->features[i];
        fputs("  ", v->out);
        paint_put(v, PAINT_PLAIN, f->name, names);
        put_count(v, PAINT_PLAIN, found->present, 8);
        put_count(v, f->required ? PAINT_RED : PAINT_YELLOW, found->missing, 8);
        put_count(v, PAINT_RED, found->wrong_type, 11);
        put_count(v, f->unknown_is_missing ? PAINT_YELLOW : PAINT_RED, found->unknown_category, 17);
        put_count(v, PAINT_RED, found->not_finite, 11);
        if (found->missing == s->events)
            paint_put(v, PAINT_YELLOW,
                      found->nearest ? "  in no event; did you mean " : "  in no event", 0);
        if (found->nearest)
            paint_put(v, PAINT_YELLOW, found->nearest, 0);
        fputc('\n', v->out);
    }
}

void contract_view_show_sample(const struct paint *v, const struct sample *s)
{
    show_outcomes(v, s);
    show_shares(v, s);
    if (s->events == 0)
        return;
    show_finds(v, s);
    show_unused(v, &s->unused);
}
