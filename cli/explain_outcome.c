/* explain_outcome.c: what the row became, and what was published for the record. */
#include <math.h>
#include <stdlib.h>

#include "cli/explain_line.h"
#include "core/mem.h"
#include "core/text.h"

enum { MOST_CONTRIBUTIONS = 30 };

/* ---- the score */

/* As it stands in a score. */
static void put_number(const struct explain_view *v, double value)
{
    char text[NUMBER_TEXT_MAX];
    size_t len = number_print(text, value);

    fwrite(text, 1, len, v->paint.out);
}

static void show_numbers(const struct explain_view *v, const char *name, const double *values,
                         size_t count)
{
    explain_label(v, name);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", v->paint.out);
        put_number(v, values[i]);
    }
    explain_end_line(v);
}

static void show_decision(const struct explain_view *v, const struct bundle *b,
                          const char *decision)
{
    if (!decision)
        return;
    explain_label(v, "decision");
    explain_put(v, PAINT_BOLD, decision);
    fputs("  (", v->paint.out);
    explain_put(v, PAINT_PLAIN, b->below);
    for (size_t i = 0; i < b->threshold_count; i++) {
        fputs(", ", v->paint.out);
        explain_put(v, PAINT_PLAIN, b->thresholds[i].decision);
        fprintf(v->paint.out, " from %.9g", b->thresholds[i].from);
    }
    fputs(")\n", v->paint.out);
}

static void show_steps(const struct explain_view *v, const struct explanation *e)
{
    static const char *const kinds[] = {[OUTPUT_PROBABILITY] = "probability, the linked output",
                                        [OUTPUT_VALUE] = "value, the linked output",
                                        [OUTPUT_MARGIN] = "margin"};
    const struct bundle *b = e->bundle;

    explain_end_line(v);
    show_numbers(v, "margin", e->margins, model_margin_count(b->model));
    explain_label(v, "link");
    explain_put(v, PAINT_PLAIN, model_summary(b->model));
    explain_end_line(v);
    show_numbers(v, "linked", e->scores, model_score_count(b->model));
    explain_label(v, "score");
    put_number(v, e->value);
    fprintf(v->paint.out, "  (%s, ", kinds[b->output]);
    explain_put(v, PAINT_PLAIN, b->output_name);
    fputs(")\n", v->paint.out);
    show_decision(v, b, e->decision);
}

/* ---- contributions */

/* What qsort may look at. */
struct moved {
    size_t feature;
    double by;
};

static int by_size(const void *a, const void *b)
{
    const struct moved *x = a, *y = b;

    if (x->by != y->by)
        return x->by < y->by ? 1 : -1;
    return (x->feature > y->feature) - (x->feature < y->feature);
}

size_t *explain_view_order(const struct explanation *e)
{
    size_t count = e->bundle->features.count, *order = mem_alloc(count, sizeof *order);
    struct moved *moved = mem_alloc(count, sizeof *moved);

    for (size_t i = 0; i < count; i++)
        moved[i] = (struct moved){i, fabs(e->contributions[i])};
    qsort(moved, count, sizeof *moved, by_size);
    for (size_t i = 0; i < count; i++)
        order[i] = moved[i].feature;
    free(moved);
    return order;
}

static void show_contribution(const struct explain_view *v, double by, const char *name)
{
    fprintf(v->paint.out, "  %+14.6g  ", by);
    explain_put(v, PAINT_PLAIN, name);
    explain_end_line(v);
}

static void show_contributions(const struct explain_view *v, const struct explanation *e)
{
    size_t count = e->bundle->features.count, *order;
    double rest = 0;
    char text[64];

    if (!e->contributions) {
        fputs("\ncontributions: ", v->paint.out);
        explain_put(v, PAINT_YELLOW, e->contributions_trouble.text);
        explain_end_line(v);
        return;
    }
    order = explain_view_order(e);
    explain_end_line(v);
    snprintf(text, sizeof text, "contributions to the margin %.9g", e->margins[e->margin_index]);
    explain_put(v, PAINT_DIM, text);
    explain_end_line(v);
    show_contribution(v, e->contributions[count], "bias");
    for (size_t i = 0; i < count; i++) {
        if (i < MOST_CONTRIBUTIONS)
            show_contribution(v, e->contributions[order[i]],
                              e->bundle->features.items[order[i]].name);
        else
            rest += e->contributions[order[i]];
    }
    snprintf(text, sizeof text, "%zu more features", count - MOST_CONTRIBUTIONS);
    if (count > MOST_CONTRIBUTIONS)
        show_contribution(v, rest, text);
    free(order);
}

void explain_show_score(const struct explain_view *v, const struct explanation *e)
{
    show_steps(v, e);
    show_contributions(v, e);
}

/* ---- what was published */

static void put_equality(const struct explain_view *v, const struct explanation *e,
                         const struct published *p)
{
    bool is_dead = p->kind == PUBLISHED_DEAD;

    if (p->is_equal)
        explain_put(v, PAINT_GREEN, is_dead ? "the same" : "equal bit for bit");
    else
        explain_put(v, p->is_same_bundle && !is_dead ? PAINT_RED : PAINT_YELLOW, "NOT EQUAL");
    if (!p->is_same_bundle)
        explain_put(v, PAINT_YELLOW, " (another bundle)");
    if (!p->is_equal && !is_dead && e->outcome.kind == OUTCOME_SCORED)
        fprintf(v->paint.out, ": now %+.9g", e->value - p->value);
    explain_end_line(v);
}

static void show_outcome(const struct explain_view *v, const struct published *p)
{
    char text[300];

    if (p->kind == PUBLISHED_DEAD) {
        snprintf(text, sizeof text, "dead: %s/%s", p->stage, p->reason);
        explain_put(v, PAINT_BOLD, *p->digest ? text : "a dead letter that kscore did not write");
    } else {
        put_number(v, p->value);
        snprintf(text, sizeof text, " %s  %s", p->decision, p->mode);
        explain_put(v, PAINT_BOLD, text);
    }
    explain_end_line(v);
}

static void show_published(const struct explain_view *v, const struct explanation *e,
                           const struct published *p)
{
    char text[300];

    fputs("  ", v->paint.out);
    explain_put(v, PAINT_PLAIN, e->searches[p->kind].topic);
    fprintf(v->paint.out, "[%d]@%lld  ", p->partition, (long long)p->offset);
    explain_put_time(v, p->timestamp_ms);
    fputs("  ", v->paint.out);
    show_outcome(v, p);
    if (*p->digest) {
        snprintf(text, sizeof text, "by %s %s, digest %.12s, run %s: ", p->model, p->version,
                 p->digest, p->run);
        fputs("    ", v->paint.out);
        explain_put(v, PAINT_PLAIN, text);
        put_equality(v, e, p);
    }
    if (*p->message && !v->is_masked) {
        fputs("    ", v->paint.out);
        explain_put(v, PAINT_PLAIN, p->message);
        explain_end_line(v);
    }
}

static void show_search(const struct explain_view *v, const struct explanation *e,
                        enum published_kind kind)
{
    const struct explain_search *s = &e->searches[kind];
    size_t found = 0;

    if (!s->topic)
        return;
    for (size_t i = 0; i < e->published_count; i++)
        found += e->published[i].kind == kind;
    fputs("  ", v->paint.out);
    explain_put(v, PAINT_PLAIN, s->topic);
    if (err_is_set(&s->trouble)) {
        fputs(": could not be searched: ", v->paint.out);
        explain_put(v, PAINT_RED, s->trouble.text);
        explain_end_line(v);
        return;
    }
    fprintf(v->paint.out, ": %zu found in %llu records", found, (unsigned long long)s->records);
    if (e->record.timestamp_ms >= 0) {
        fputs(" from ", v->paint.out);
        explain_put_time(v, e->record.timestamp_ms);
        fputs(" on", v->paint.out);
    }
    explain_put(v, PAINT_YELLOW, s->is_cut ? "; there are more, which were not searched" : "");
    explain_end_line(v);
}

static void show_group(const struct explain_view *v, const struct explanation *e)
{
    const struct explain_group *g = &e->group;

    if (!g->is_asked)
        return;
    fputs("  group ", v->paint.out);
    explain_put(v, PAINT_PLAIN, config_group(e->config));
    if (err_is_set(&g->trouble)) {
        fputs(": could not be asked: ", v->paint.out);
        explain_put(v, PAINT_RED, g->trouble.text);
    } else if (g->committed < 0) {
        explain_put(v, PAINT_YELLOW, ": nothing is committed: this record is not done");
    } else {
        fprintf(v->paint.out, ": committed up to %lld: ", (long long)g->committed);
        explain_put(v, g->committed > e->record.offset ? PAINT_PLAIN : PAINT_YELLOW,
                    g->committed > e->record.offset ? "this record is done"
                                                    : "this record is not done yet");
    }
    explain_end_line(v);
}

void explain_show_published(const struct explain_view *v, const struct explanation *e)
{
    explain_end_line(v);
    explain_put(v, PAINT_DIM, "published");
    if (!e->record.topic) {
        fputs("   not looked for: the value came from a file\n", v->paint.out);
        return;
    }
    explain_end_line(v);
    for (size_t i = 0; i < e->published_count; i++)
        show_published(v, e, &e->published[i]);
    for (int kind = PUBLISHED_SCORE; kind <= PUBLISHED_DEAD; kind++)
        show_search(v, e, (enum published_kind)kind);
    show_group(v, e);
}
