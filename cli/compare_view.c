#include "cli/compare_view.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"

enum { BAR = 40, MOST_DECADES = 6, MOST_NAMES = 8, MOST_ROWS = 20 };

static void put(const struct compare_view *v, const char *colour, const char *text, size_t width)
{
    paint_put(&v->paint, colour, text, width);
}

static void put_place(const struct compare_view *v, const struct comparison_place *p)
{
    const struct replay_part *part = &v->result->fates.window.parts[p->part];

    fprintf(v->paint.out, "%s[%d]@%lld", part->topic, part->partition, (long long)p->offset);
}

static void heading(const struct compare_view *v, const char *text)
{
    fputc('\n', v->paint.out);
    put(v, PAINT_BOLD, text, 0);
    fputc('\n', v->paint.out);
}

/* ---- the two sides */

static void show_published(const struct compare_view *v)
{
    const struct published_counts *p = &v->result->published;
    const struct comparison_others *o = &v->result->comparison.others;
    const struct {
        uint64_t count;
        const char *what;
    } lines[] = {
        {o->duplicates, "with the same id as another"},
        {o->contrary, "of these, with another score or decision"},
        {o->superseded, "of other bundles, and not the last for its record"},
        {o->resolved, "dead letters of records that have a score"},
        {o->letters, "dead letters, and not the last for its record"},
        {p->other_bundle, "of other bundles than the one asked for"},
        {p->unreadable, "of all that was read are no scores or dead letters"},
        {(uint64_t)p->lost, "offsets gone while they were read: see event=gap"},
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (lines[i].count > 0)
            fprintf(v->paint.out, "%12llu  not counted: %s\n", (unsigned long long)lines[i].count,
                    lines[i].what);
}

static void show_side(const struct compare_view *v, enum side side)
{
    const uint64_t *outcomes = v->result->comparison.outcomes[side];
    const struct replay_progress *p = &v->result->replays[side].all;

    put(v, PAINT_BOLD, side == SIDE_HERE ? "here" : "there", 7);
    if (*v->result->names[side])
        put(v, PAINT_PLAIN, v->result->names[side], 0);
    else
        fprintf(v->paint.out, "published in %s and %s", v->scores, v->dead);
    fprintf(v->paint.out, ": %llu scores, %llu dead letters",
            (unsigned long long)outcomes[FATE_SCORE], (unsigned long long)outcomes[FATE_DEAD]);
    if (*v->result->names[side])
        fprintf(v->paint.out, ", %lld skipped", (long long)p->skipped);
    if (p->lost > 0)
        fprintf(v->paint.out, ", %lld offsets gone", (long long)p->lost);
    fputc('\n', v->paint.out);
    if (!*v->result->names[side])
        show_published(v);
}

/* ---- what became of records */

static const struct {
    const char *name, *word, *what;
} relations[] = {
    [RELATION_EQUAL] = {"equal", "equal", ""},
    [RELATION_CLOSE] = {"close", "close", "within the tolerance"},
    [RELATION_CHANGED] = {"changed", "changed", "another score or decision"},
    [RELATION_REASON] = {"reason", "reason", "dead for another reason"},
    [RELATION_NOW_DEAD] = {"now_dead", "now dead", "a score there, a dead letter here"},
    [RELATION_NOW_SCORED] = {"now_scored", "now scored", "a dead letter there, a score here"},
    [RELATION_ONLY_HERE] = {"only_here", "only here", "no outcome there"},
    [RELATION_ONLY_THERE] = {"only_there", "only there", "no outcome here"},
};

const char *compare_view_name(enum relation relation)
{
    return relations[relation].name;
}

static void show_reasons(const struct compare_view *v, const uint64_t *counts)
{
    const struct words *faults = &v->result->fates.faults;

    for (uint32_t i = 0; i < words_count(faults); i++) {
        if (counts[i] == 0)
            continue;
        fprintf(v->paint.out, "%22s%10llu  ", "", (unsigned long long)counts[i]);
        put(v, PAINT_PLAIN, i == WORDS_NONE ? "" : words_text(faults, i), 0);
        fputc('\n', v->paint.out);
    }
}

static void show_relations(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;

    fputc('\n', v->paint.out);
    for (int i = 0; i < RELATION_COUNT; i++) {
        bool is_good = i == RELATION_EQUAL || i == RELATION_CLOSE;
        if (c->all.counts[i] == 0 && i != RELATION_EQUAL && i != RELATION_CHANGED)
            continue;
        fprintf(v->paint.out, "%12llu  ", (unsigned long long)c->all.counts[i]);
        put(v,
            c->all.counts[i] == 0 ? PAINT_DIM
            : is_good             ? PAINT_GREEN
                                  : PAINT_RED,
            relations[i].word, *relations[i].what ? 12 : 0);
        fputs(relations[i].what, v->paint.out);
        if (c->all.counts[i] > 0 && !is_good) {
            fputs(", first ", v->paint.out);
            put_place(v, &c->first[i]);
        }
        fputc('\n', v->paint.out);
        if (i == RELATION_NOW_DEAD)
            show_reasons(v, c->dead_here);
        if (i == RELATION_NOW_SCORED)
            show_reasons(v, c->dead_there);
    }
}

/* ---- how far scores differ */

static void show_bar(const struct compare_view *v, const char *label, uint64_t count, uint64_t most)
{
    int width = count == 0 ? 0 : 1 + (int)((double)count / (double)most * (BAR - 1));

    fprintf(v->paint.out, "  %-20s%10llu%s%.*s\n", label, (unsigned long long)count,
            width > 0 ? "  " : "", width, "########################################");
}

/* Decades from `low` to `high` have something; what is smaller than `low` is joined to it. */
struct decades {
    size_t low, high;
    uint64_t most;
};

static uint64_t decade_count(const struct comparison *c, const struct decades *d, int sign,
                             size_t decade)
{
    uint64_t sum = c->decades[sign][decade];

    for (size_t i = 0; decade == d->low && i < decade; i++)
        sum += c->decades[sign][i];
    return sum;
}

static struct decades find_decades(const struct comparison *c)
{
    struct decades d = {DECADES, 0, c->zero};

    for (size_t i = 0; i < DECADES; i++)
        if (c->decades[0][i] + c->decades[1][i] > 0) {
            d.low = i < d.low ? i : d.low;
            d.high = i;
        }
    if (d.low + MOST_DECADES <= d.high)
        d.low = d.high - MOST_DECADES + 1;
    for (size_t i = d.low; i <= d.high; i++)
        for (int sign = 0; sign < 2; sign++)
            if (decade_count(c, &d, sign, i) > d.most)
                d.most = decade_count(c, &d, sign, i);
    return d;
}

static void show_decade(const struct compare_view *v, const struct decades *d, int sign,
                        size_t decade)
{
    const struct comparison *c = &v->result->comparison;
    double high = pow(10, (double)decade + DECADE_LOW);
    double low = decade == d->low && decade_count(c, d, sign, decade) != c->decades[sign][decade]
                     ? 0
                     : high / 10;
    char label[60];

    if (sign == 0)
        snprintf(label, sizeof label, "-%.4g to -%.4g", high, low);
    else
        snprintf(label, sizeof label, "%.4g to %.4g", low, high);
    show_bar(v, label, decade_count(c, d, sign, decade), d->most);
}

/* The outermost decade of a sign that has something; below d->low: none has. */
static size_t outermost(const struct comparison *c, const struct decades *d, int sign)
{
    size_t i = d->high + 1;

    while (i > d->low && decade_count(c, d, sign, i - 1) == 0)
        i--;
    return i;
}

static void show_quantiles(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    char text[24];

    for (int i = 0; i < QUANTILES; i++) {
        snprintf(text, sizeof text, "%g %%", comparison_quantiles[i] * 100);
        fprintf(v->paint.out, "%11s", text);
    }
    fputc('\n', v->paint.out);
    for (int i = 0; i < QUANTILES; i++)
        fprintf(v->paint.out, "%11.4g", c->quantiles[i]);
    fprintf(v->paint.out, "\n  mean %.6g, mean size %.6g\n", c->sum / (double)c->scored,
            c->abs_sum / (double)c->scored);
}

static void show_differences(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    struct decades d = find_decades(c);

    if (c->largest_count == 0)
        return;
    heading(v, "difference of scores, here - there");
    for (size_t i = outermost(c, &d, 0); i-- > d.low;)
        show_decade(v, &d, 0, i);
    show_bar(v, "0", c->zero, d.most);
    for (size_t i = d.low; i < outermost(c, &d, 1); i++)
        show_decade(v, &d, 1, i);
    show_quantiles(v);
}

static const char *decision(const struct compare_view *v, uint32_t word)
{
    const char *text = words_text(&v->result->fates.decisions, word);

    return text ? text : "none";
}

static void show_largest(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    char time[CLOCK_TEXT_MAX];

    if (c->largest_count == 0)
        return;
    heading(v, "largest differences");
    for (size_t i = 0; i < c->largest_count; i++) {
        const struct difference *d = &c->largest[i];
        clock_print(time, d->event_time_ms);
        fprintf(v->paint.out, "  %+-12.6g %.9g -> %.9g  ", d->here - d->there, d->there, d->here);
        put_place(v, &d->place);
        fprintf(v->paint.out, "  %s", time);
        if (d->decision_there != d->decision_here) {
            fputs("  ", v->paint.out);
            put(v, PAINT_YELLOW, decision(v, d->decision_there), 0);
            fputs(" -> ", v->paint.out);
            put(v, PAINT_YELLOW, decision(v, d->decision_here), 0);
        }
        fputc('\n', v->paint.out);
    }
}

/* ---- decisions */

/* Which names the matrix has; returns how many, and how wide they are. */
static size_t used_names(const struct comparison *c, uint32_t names[FLIP_WORDS])
{
    size_t count = 0;

    for (uint32_t i = 0; i < FLIP_WORDS; i++) {
        uint64_t sum = 0;
        for (uint32_t j = 0; j < FLIP_WORDS; j++)
            sum += c->flips[i * FLIP_WORDS + j] + c->flips[j * FLIP_WORDS + i];
        if (sum > 0)
            names[count++] = i;
    }
    return count;
}

static void show_matrix(const struct compare_view *v, const uint32_t *names, size_t count)
{
    const struct comparison *c = &v->result->comparison;
    size_t width = 10;
    char text[24];

    for (size_t i = 0; i < count; i++)
        paint_widen(&width, decision(v, names[i]));
    fprintf(v->paint.out, "  %-*s", (int)width, "");
    for (size_t i = 0; i < count; i++) {
        fputs("  ", v->paint.out);
        put(v, PAINT_PLAIN, decision(v, names[i]), i + 1 < count ? width : 0);
    }
    fputc('\n', v->paint.out);
    for (size_t i = 0; i < count; i++) {
        fputs("  ", v->paint.out);
        put(v, PAINT_PLAIN, decision(v, names[i]), width);
        for (size_t j = 0; j < count; j++) {
            uint64_t n = c->flips[names[i] * FLIP_WORDS + names[j]];
            snprintf(text, sizeof text, "%llu", (unsigned long long)n);
            fputs("  ", v->paint.out);
            put(v, i != j && n > 0 ? PAINT_YELLOW : PAINT_PLAIN, text, j + 1 < count ? width : 0);
        }
        fputc('\n', v->paint.out);
    }
}

/* Too many for a matrix: those that flip. */
static void show_flips(const struct compare_view *v, const uint32_t *names, size_t count)
{
    const struct comparison *c = &v->result->comparison;

    for (size_t i = 0; i < count * count; i++) {
        uint32_t there = names[i / count], here = names[i % count];
        uint64_t n = c->flips[there * FLIP_WORDS + here];
        if (n == 0 || there == here)
            continue;
        fprintf(v->paint.out, "%12llu  ", (unsigned long long)n);
        put(v, PAINT_YELLOW, decision(v, there), 0);
        fputs(" -> ", v->paint.out);
        put(v, PAINT_YELLOW, decision(v, here), 0);
        fputc('\n', v->paint.out);
    }
}

static void show_decisions(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    uint32_t names[FLIP_WORDS];
    size_t count = used_names(c, names);
    char text[100];

    if (count == 0 || (count == 1 && names[0] == WORDS_NONE))
        return;
    snprintf(text, sizeof text, "decisions, from there (rows) to here: %llu of %llu flip",
             (unsigned long long)c->all.flips, (unsigned long long)c->scored);
    heading(v, text);
    (count <= MOST_NAMES ? show_matrix : show_flips)(v, names, count);
}

/* ---- by schema, bundle, time, partition */

static void show_heads(const struct compare_view *v, const char *title, size_t width)
{
    fputc('\n', v->paint.out);
    put(v, PAINT_BOLD, title, width + 2);
    fprintf(v->paint.out, "  %10s %10s %10s %12s %12s\n", "records", "differ", "flip", "mean",
            "largest");
}

static void show_tally(const struct compare_view *v, const char *name, size_t width,
                       const struct tally *t)
{
    uint64_t scored =
        t->counts[RELATION_EQUAL] + t->counts[RELATION_CLOSE] + t->counts[RELATION_CHANGED];

    fputs("  ", v->paint.out);
    put(v, PAINT_PLAIN, name, width);
    fprintf(v->paint.out, "  %10llu %10llu %10llu %12.4g %12.4g\n",
            (unsigned long long)tally_total(t), (unsigned long long)tally_differing(t),
            (unsigned long long)t->flips, scored > 0 ? t->sum / (double)scored : 0, t->largest);
}

static void show_words(const struct compare_view *v, const char *title, const struct words *words,
                       const struct tally *tallies)
{
    size_t width = 24;
    uint32_t used = 0;

    for (uint32_t i = 0; i < words_count(words); i++) {
        if (tally_total(&tallies[i]) == 0)
            continue;
        used++;
        paint_widen(&width, words_text(words, i) ? words_text(words, i) : "none");
    }
    if (used < 2)
        return;
    show_heads(v, title, width);
    for (uint32_t i = 0; i < words_count(words); i++)
        if (tally_total(&tallies[i]) > 0)
            show_tally(v, words_text(words, i) ? words_text(words, i) : "none", width, &tallies[i]);
}

static void show_times(const struct compare_view *v)
{
    const struct times *t = &v->result->comparison.times;
    char text[CLOCK_TEXT_MAX];

    if (t->count < 2)
        return;
    show_heads(v, "by event time, from", CLOCK_TEXT_MAX);
    for (size_t i = 0; i < t->count; i++) {
        clock_print(text, times_start_ms(t, i));
        show_tally(v, text, CLOCK_TEXT_MAX, &t->buckets[i].tally);
    }
}

static void show_parts(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    size_t shown = 0, parted = 0;

    if (comparison_differing(c) == 0)
        return;
    heading(v, "where they part first");
    for (size_t i = 0; i < v->result->fates.window.part_count; i++) {
        if (c->part_first[i].offset < 0)
            continue;
        parted++;
        if (shown == MOST_ROWS)
            continue;
        shown++;
        fputs("  ", v->paint.out);
        put_place(v, &c->part_first[i]);
        fprintf(v->paint.out, ", %llu of %llu differ\n",
                (unsigned long long)tally_differing(&c->parts[i]),
                (unsigned long long)tally_total(&c->parts[i]));
    }
    if (parted > shown)
        fprintf(v->paint.out, "  and %zu partitions more\n", parted - shown);
}

/* ---- all */

static void show_sum(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    uint64_t all = comparison_records(c), differing = comparison_differing(c);
    char text[100];

    snprintf(text, sizeof text,
             all == 0         ? "there is nothing to compare"
             : differing == 0 ? "all %llu records agree"
                              : "%2$llu of %1$llu records differ",
             (unsigned long long)all, (unsigned long long)differing);
    heading(v, text);
}

void compare_view_print(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    const struct fates *names = &v->result->fates;

    show_side(v, SIDE_THERE);
    show_side(v, SIDE_HERE);
    show_relations(v);
    show_differences(v);
    show_decisions(v);
    show_largest(v);
    show_parts(v);
    show_words(v, "by schema", &names->schemas, c->schemas);
    show_words(v, "by bundle there", &names->models, c->models);
    show_times(v);
    show_sum(v);
}
