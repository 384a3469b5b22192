/* watch.c: rows in, changes out. */
#include "scoring/watch_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"

enum {
    ROWS_PER_S = 5000, /* every row up to here, */
    ONE_OF = 128,      /* beyond it one of these, */
    BLOCK_ROWS = 64,   /* and for runs without a value all, in blocks */
    WINDOW_MS = 10000,
    WINDOW_ROWS = 100,
    WINDOW_LONG_MS = 30000, /* with COLUMN_LEAST rows */
    SILENCE_MS = 5 * 60000, /* behind which the usual level of changes is learnt anew */
    RUNS_MS = 250,
};

const char *watch_what_text(enum watch_what what)
{
    static const char *const texts[] = {"",    "all_missing", "always_missing", "missing",
                                        "far", "shifted",     "constant",       "decisions"};

    return texts[what];
}

const char *watch_after_text(enum watch_after after)
{
    static const char *const texts[] = {"", "model_swapped", "start"};

    return texts[after];
}

/* ---- what is watched */

static void add_category(void *arg, const char *value, size_t len, int32_t code)
{
    uint64_t *hash = arg;

    *hash = hash_add(hash_add(*hash, value, len + 1), &code, sizeof code);
}

static void describe(struct watched *item, const struct feature *f)
{
    uint64_t hash = HASH_START;
    size_t len = 0;

    for (size_t i = 0; i < f->path_count; i++) {
        hash = hash_add(hash, f->paths[i].text, strlen(f->paths[i].text) + 1);
        if (len < sizeof item->source)
            len += (size_t)snprintf(item->source + len, sizeof item->source - len, "%s%s",
                                    i ? "|" : "", f->paths[i].text);
    }
    hash = hash_add(hash, &f->type, sizeof f->type);
    hash = hash_add(hash, &f->missing, sizeof f->missing);
    if (f->table)
        category_each(f->table, add_category, &hash);
    item->name = f->name;
    item->binding = hash;
}

struct watch *watch_new(const struct bundle *bundle)
{
    struct watch *w = mem_alloc(1, sizeof *w);

    w->bundle = bundle;
    w->feature_count = bundle->features.count;
    w->items = mem_alloc(w->feature_count + 2, sizeof *w->items);
    for (size_t i = 0; i < w->feature_count; i++) {
        column_init(&w->items[i].column, bundle->features.items[i].missing);
        describe(&w->items[i], &bundle->features.items[i]);
    }
    w->stand_ins = mem_alloc(w->feature_count, sizeof *w->stand_ins);
    for (size_t i = 0; i < w->feature_count; i++)
        w->stand_ins[i] = bundle->features.items[i].missing;
    column_init(&watch_score(w)->column, NAN);
    w->decision_count = bundle->below ? bundle->threshold_count + 1 : 0;
    w->decisions = mem_alloc(w->decision_count, sizeof *w->decisions);
    for (size_t i = 0; i < w->decision_count; i++)
        w->decisions[i] = (struct watched_decision){
            .name = bundle_decision_name(bundle, i), .share = NAN, .last = NAN};
    w->next = w->feature_count + 2;
    w->allowed = ROWS_PER_S;
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    free(w->items);
    free(w->stand_ins);
    free(w->decisions);
    free(w);
}

struct watched *watch_find(const struct watch *w, const char *name)
{
    for (size_t i = 0; i < w->feature_count; i++)
        if (strcmp(w->items[i].name, name) == 0)
            return &w->items[i];
    return NULL;
}

void watch_be_strict(struct watched *item, enum watch_after after)
{
    item->after = after;
    item->strict = WATCH_STRICT;
    item->streak = 0;
}

/* Also of the score and of the decisions, which have no name. */
static void inherit(struct watched *item, const struct watched *before)
{
    struct watched old = *item;

    *item = *before;
    item->name = old.name;
    item->binding = old.binding;
    item->column.stand_in = old.column.stand_in;
    item->has_history = before->has_history || before->column.usual.windows > 0;
    item->has_begun = item->has_ended = false;
    memcpy(item->source, old.source, sizeof item->source);
    column_drop(&item->column);
    if (before->binding == item->binding && item->name)
        return;
    memcpy(item->source_before, before->source, sizeof item->source_before);
    watch_be_strict(item, WATCH_AFTER_SWAP);
}

static void inherit_decision(struct watch *w, struct watched_decision *d,
                             const struct watch *before)
{
    const char *name = d->name;

    for (size_t i = 0; i < before->decision_count; i++) {
        const struct watched_decision *old = &before->decisions[i];
        if (strcmp(name, old->name) != 0)
            continue;
        *d = *old;
        d->name = name;
        d->count = 0;
        if (watch_decisions(before)->suspicion.decision == old->name)
            watch_decisions(w)->suspicion.decision = name;
    }
}

void watch_settle(struct watch *w)
{
    if (w->fresh == 0 && w->row_count >= COLUMN_LEAST) {
        watch_judge_window(w, w->seen_ms);
        w->row_count = 0;
    }
}

static bool has_decision(const struct watch *w, const char *name)
{
    for (size_t i = 0; i < w->decision_count; i++)
        if (strcmp(w->decisions[i].name, name) == 0)
            return true;
    return false;
}

/* What nobody looks at any more would be suspected for ever. */
static void end_the_rest(const struct watch *w, struct watch *before)
{
    struct watched *decisions = watch_decisions(before);

    for (size_t i = 0; i < before->feature_count; i++)
        if (before->items[i].is_on && !watch_find(w, before->items[i].name))
            watch_end(&before->items[i], before->seen_ms);
    if (decisions->is_on && !has_decision(w, decisions->suspicion.decision))
        watch_end(decisions, before->seen_ms);
    before->next = 0;
}

void watch_take_over(struct watch *w, struct watch *before)
{
    watch_settle(before);
    end_the_rest(w, before);
    for (size_t i = 0; i < w->feature_count; i++) {
        const struct watched *other = watch_find(before, w->items[i].name);
        if (other)
            inherit(&w->items[i], other);
    }
    inherit(watch_score(w), watch_score(before));
    inherit(watch_decisions(w), watch_decisions(before));
    watch_decisions(w)->suspicion.decision = NULL; /* the old bundle's */
    for (size_t i = 0; i < w->decision_count; i++)
        inherit_decision(w, &w->decisions[i], before);
    w->decision_windows = before->decision_windows;
    w->seen_ms = before->seen_ms;
    w->fresh = before->fresh;
    w->allowed = before->allowed;
    w->allowed_ms = before->allowed_ms;
}

/* ---- rows */

static void drop_window(struct watch *w)
{
    for (struct watched *item = w->items; item <= watch_score(w); item++)
        column_drop(&item->column);
    for (size_t i = 0; i < w->decision_count; i++)
        w->decisions[i].count = 0;
    w->row_count = 0;
}

static void take_row(struct watch *w, const float *row, double score, const struct sighting *place)
{
    if (w->row_count++ == 0)
        w->first = *place;
    for (size_t i = 0; i < w->feature_count; i++)
        column_add(&w->items[i].column, row[i], place);
    column_add(&watch_score(w)->column, (float)score, place);
    if (w->decision_count)
        w->decisions[bundle_decide(w->bundle, score)].count++;
}

/* How many records to the next that is looked at: a bucket that holds what a second gives. */
static size_t step(struct watch *w, size_t count, int64_t now_ms)
{
    w->allowed += (double)(now_ms - w->allowed_ms) * ROWS_PER_S / 1000;
    w->allowed_ms = now_ms;
    if (w->allowed > ROWS_PER_S)
        w->allowed = ROWS_PER_S;
    if (w->allowed < (double)count)
        return ONE_OF;
    w->allowed -= (double)count;
    w->skip = 0;
    return 1;
}

static struct sighting place_of(const struct watch_batch *b, size_t i, int64_t now_ms)
{
    return (struct sighting){b->records[i].topic, b->records[i].partition, b->records[i].offset,
                             now_ms};
}

/* Whether one of these rows has a value: mostly the first one has. */
static bool has_value(const float *first, size_t stride, size_t count, float stand_in)
{
    const float *x = first;

    for (; count > 0; count--, x += stride)
        if (*x == *x && *x != stand_in)
            return true;
    return false;
}

/* Runs without a value, from all rows: a sample of a source that is dead for some hundred rows of a
 * backlog has too few of them. */
static void take_block(struct watch *w, const float *rows, size_t count,
                       const struct sighting *place)
{
    for (size_t f = 0; f < w->feature_count; f++)
        if (has_value(rows + f, w->feature_count, count, w->stand_ins[f]))
            column_run_end(&w->items[f].column);
        else
            column_run_on(&w->items[f].column, (uint32_t)count, place);
}

static void take_blocks(struct watch *w, const struct watch_batch *b, int64_t now_ms)
{
    struct sighting place = {0};
    size_t count = 0, first = 0;

    for (size_t i = 0; i < b->count; i++) {
        if (b->outcomes[i].kind != OUTCOME_SCORED)
            continue;
        if (count > 0 && (count == BLOCK_ROWS || b->rows[i] != first + count)) {
            take_block(w, b->matrix + first * w->feature_count, count, &place);
            count = 0;
        }
        if (count++ == 0) {
            first = b->rows[i];
            place = place_of(b, i, now_ms);
        }
    }
    if (count > 0)
        take_block(w, b->matrix + first * w->feature_count, count, &place);
}

void watch_take(struct watch *w, const struct watch_batch *b, int64_t now_ms)
{
    size_t every = step(w, b->count, now_ms), i;

    if (w->seen_ms > 0 && now_ms - w->seen_ms > SILENCE_MS) {
        drop_window(w);
        w->fresh = 0;
    }
    w->seen_ms = now_ms;
    for (i = w->skip; i < b->count; i += every) {
        struct sighting place = place_of(b, i, now_ms);
        const double *outputs;
        if (b->outcomes[i].kind != OUTCOME_SCORED)
            continue;
        outputs = bundle_outputs(w->bundle, b->margins, b->scores, b->rows[i]);
        take_row(w, b->matrix + (size_t)b->rows[i] * w->feature_count,
                 outputs[w->bundle->output_index], &place);
    }
    w->skip = every == 1 ? 0 : i - b->count;
    if (every > 1)
        take_blocks(w, b, now_ms);
    watch_judge_runs(w, now_ms);
}

static bool is_due(const struct watch *w, int64_t now_ms)
{
    int64_t age_ms = now_ms - w->first.at_ms;

    return (w->row_count >= WINDOW_ROWS && age_ms >= WINDOW_MS) ||
           (w->row_count >= COLUMN_LEAST && age_ms >= WINDOW_LONG_MS);
}

bool watch_poll(struct watch *w, int64_t now_ms)
{
    bool is_over;

    if (now_ms - w->runs_ms < RUNS_MS)
        return false;
    w->runs_ms = now_ms;
    is_over = is_due(w, now_ms);
    watch_judge_runs(w, now_ms);
    if (is_over) {
        watch_judge_window(w, now_ms);
        w->row_count = 0;
    }
    w->next = 0;
    for (struct watched *item = w->items; item <= watch_decisions(w); item++)
        if (item->has_begun || item->has_ended)
            return true;
    return false;
}

static struct watch_change change_of(const struct watched *item)
{
    return (struct watch_change){.suspicion = item->suspicion,
                                 .feature = item->name,
                                 .source = item->name ? item->source : NULL,
                                 .source_before = item->suspicion.after && item->source_before[0]
                                                      ? item->source_before
                                                      : NULL};
}

/* One that began where another ended: the end first. */
bool watch_next(struct watch *w, struct watch_change *change)
{
    for (; w->next < w->feature_count + 2; w->next++) {
        struct watched *item = &w->items[w->next];
        if (item->has_ended) {
            *change = change_of(item);
            change->suspicion = item->ended;
            change->is_over = true;
            change->is_accepted = item->is_accepted;
            change->lasted_ms = item->ended_ms - item->ended.since_ms;
            item->has_ended = false;
            return true;
        }
        if (item->has_begun) {
            *change = change_of(item);
            item->has_begun = false;
            return true;
        }
    }
    return false;
}

/* ---- what there is to see */

static const double quantiles[WATCH_QUANTILES] = {0.01, 0.1, 0.5, 0.9, 0.99};

void watch_report(const struct watch *w, struct watch_report *report)
{
    const struct column *score = &watch_score(w)->column;

    *report = (struct watch_report){.score_count = column_window_values(score),
                                    .windows = w->decision_windows,
                                    .judged_windows = w->fresh,
                                    .feature_count = w->feature_count,
                                    .decision_count = w->decision_count};
    for (int i = 0; i < WATCH_QUANTILES; i++) {
        report->scores_now[i] = column_window_quantile(score, quantiles[i]);
        report->scores_before[i] = column_usual_quantile(score, quantiles[i]);
    }
    for (struct watched *item = w->items; item <= watch_decisions(w); item++)
        report->suspicion_count += item->is_on;
}

struct watch_feature watch_report_feature(const struct watch *w, size_t i)
{
    const struct column *c = &w->items[i].column;
    const struct column_window *now = c->now.row_count >= COLUMN_LEAST ? &c->now : &c->last;

    return (struct watch_feature){w->items[i].name, w->items[i].source,
                                  now->row_count ? column_missing_share(now) : (double)NAN,
                                  c->usual.windows ? (double)c->usual.missing : (double)NAN};
}

struct watch_decision watch_report_decision(const struct watch *w, size_t i)
{
    const struct watched_decision *d = &w->decisions[i];
    bool is_now = w->row_count >= COLUMN_LEAST;

    return (struct watch_decision){d->name, is_now ? (double)d->count / w->row_count : d->last,
                                   d->share};
}

struct watch_change watch_report_suspicion(const struct watch *w, size_t i)
{
    for (struct watched *item = w->items; item <= watch_decisions(w); item++)
        if (item->is_on && i-- == 0)
            return change_of(item);
    return (struct watch_change){0};
}
