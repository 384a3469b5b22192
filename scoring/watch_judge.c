/* watch_judge.c: what is suspicious. Each threshold's reason is in docs/watch.md. */
#include <math.h>
#include <string.h>

#include "scoring/watch_state.h"

enum {
    RUN_ROWS = 100,    /* without a value */
    RUN_FEW_ROWS = 30, /* or so many in so long */
    RUN_FEW_MS = 20000,
    RUN_TIMES = 4,      /* the longest one before */
    ALWAYS_ROWS = 200,  /* since the start, in so long */
    ALWAYS_MANY = 2000, /* or so many */
    ACCEPT_MS = 30 * 60000,
};

/* Shares, and distances between distributions. */
static const double usually_missing = 0.9, often_missing = 0.5, seldom_missing = 0.2;
static const double jump = 0.2, great_jump = 0.5, above_highest = 0.1, least_z = 6;
static const double far_share = 0.5;
static const double shift = 0.5, shift_above_highest = 0.25;
static const double spread_shift = 0.3, spread_shift_above_highest = 0.2, spread_share = 0.25,
                    spread_shift_above_noise = 0.1;
static const double strict_shift = 0.1, strict_score_shift = 0.3, frozen_shift = 0.25;

void watch_end(struct watched *item, int64_t now_ms)
{
    item->is_on = false;
    item->ended = item->suspicion;
    item->has_ended = true;
    item->is_accepted = false;
    item->ended_ms = now_ms;
}

static void begin(struct watched *item, const struct suspicion *found, int64_t now_ms)
{
    if (item->is_on)
        watch_end(item, now_ms);
    item->suspicion = *found;
    item->suspicion.after = item->strict > 0 ? item->after : WATCH_AFTER_NOTHING;
    item->suspicion.since_ms = found->first.at_ms;
    item->is_on = item->has_begun = true;
    item->streak = 0;
}

static bool is_about_missing(const struct watched *item)
{
    return item->suspicion.what <= WATCH_MISSING;
}

/* ---- runs */

static bool is_usual_to_miss(const struct watched *item)
{
    const struct usual *u = &item->column.usual;

    return u->missing > usually_missing ||
           (u->missing > often_missing && u->windows < COLUMN_SETTLED);
}

/* The share of missing values before the run, in *before. False: too little is known. */
static bool find_before(const struct column *c, uint32_t run, double *before)
{
    double rows = (double)c->now.row_count - run;

    *before = c->usual.missing;
    if (c->usual.windows > 0)
        return true;
    *before = rows < COLUMN_LEAST ? 1 : fmax(0, c->now.missing_count - (double)run) / rows;
    return *before < often_missing;
}

static bool is_always(const struct watched *item)
{
    return item->column.value_count == 0 && !item->has_history;
}

/* A run of so many rows, which began at found->first. */
static bool judge_run(const struct watched *item, uint32_t run, int64_t now_ms,
                      struct suspicion *found)
{
    const struct column *c = &item->column;
    int64_t lasted_ms = now_ms - found->first.at_ms;

    found->share = 1;
    if (is_always(item)) {
        found->what = WATCH_ALWAYS_MISSING;
        return run >= ALWAYS_MANY || (run >= ALWAYS_ROWS && lasted_ms >= RUN_FEW_MS);
    }
    found->what = WATCH_ALL_MISSING;
    return (run >= RUN_ROWS || (run >= RUN_FEW_ROWS && lasted_ms >= RUN_FEW_MS)) &&
           run / RUN_TIMES >= c->longest_run && !is_usual_to_miss(item) &&
           find_before(c, run, &found->before);
}

static void judge_runs(struct watched *item, int64_t now_ms)
{
    struct column *c = &item->column;
    struct suspicion now = {.first = c->run_first}, ended = {.first = c->ended_first};
    bool is_known = item->is_on && is_about_missing(item);

    if (!is_known && c->run >= RUN_FEW_ROWS && judge_run(item, c->run, now_ms, &now))
        begin(item, &now, now_ms);
    else if (!is_known && c->ended_run >= RUN_ROWS &&
             judge_run(item, c->ended_run, c->ended_first.at_ms, &ended))
        begin(item, &ended, now_ms);
    else if (!is_known && c->ended_run > c->longest_run)
        c->longest_run = c->ended_run;
    c->ended_run = 0;
}

void watch_judge_runs(struct watch *w, int64_t now_ms)
{
    for (size_t i = 0; i < w->feature_count; i++)
        judge_runs(&w->items[i], now_ms);
}

/* ---- the window */

/* Whether a share seen in `rows` rows can be chance where p is usual: the z of one proportion. */
static bool is_chance(double share, double p, double rows)
{
    double least = 1 / rows; /* a share that was never seen is not impossible */
    double variance = fmax(p, least) * fmax(1 - p, least);

    return fabs(share - p) < least_z * sqrt(variance / rows);
}

static bool judge_missing(const struct watched *item, struct suspicion *found)
{
    const struct column *c = &item->column;
    double share = column_missing_share(&c->now), before = c->usual.missing;

    if (c->run >= RUN_FEW_ROWS && c->run < c->now.row_count)
        return false; /* it may become a run, which says more */
    if (before > seldom_missing && c->usual.windows < COLUMN_SETTLED)
        return false;
    if (share - before < jump || share < c->usual.missing_high + above_highest ||
        is_chance(share, before, c->now.row_count))
        return false;
    *found = (struct suspicion){.what = WATCH_MISSING,
                                .first = c->run ? c->run_first : c->missing_first,
                                .share = share,
                                .before = before};
    return true;
}

/* Of the first six windows that were judged the newest is not usual yet, and one was lost with the
 * bins that it was counted in. */
static bool is_settled(const struct watch *w, const struct watched *item)
{
    uint32_t missing = w->fresh < 2 * COLUMN_SETTLED ? 2 : 0;

    return w->fresh >= COLUMN_SETTLED && item->column.usual.windows + missing >= COLUMN_SETTLED;
}

/* A feature of many values: a flag may change for all rows, and so may what they share, as the
 * weather of the hour at three places. */
static bool is_spread(const struct watched *item)
{
    for (int i = 0; i < COLUMN_BINS; i++)
        if (item->column.usual.shares[i] >= spread_share)
            return false;
    return item->name != NULL;
}

/* What the distance must pass; infinite where there is no usual level yet. In the second window
 * that is the first one's: between them the level learnt from the one in which it began. */
static double distance_limit(const struct watch *w, const struct watched *item)
{
    const struct usual *u = &item->column.usual;
    double values = item->column.now.row_count - item->column.now.missing_count;
    double noise = 2 * sqrt(1 / fmax(values, 1) + 1 / fmax(u->values, 1));

    if (item->streak > 0)
        return item->streak_limit;
    if (item->strict > 0 && item->name)
        return fmax(strict_shift, u->distance_high) + noise;
    if (item->strict > 0)
        return fmax(strict_score_shift, u->distance_high + above_highest) + noise;
    if (!is_settled(w, item))
        return INFINITY;
    if (is_spread(item))
        return fmax(fmax(spread_shift, noise + spread_shift_above_noise),
                    u->distance_high + spread_shift_above_highest + noise);
    return fmax(shift, u->distance_high + shift_above_highest) + noise;
}

/* One value in all rows of a window, though no window before had one alone, and not the one that
 * most rows have: chance would take long. */
static bool is_frozen(const struct watch *w, const struct watched *item)
{
    const struct column *c = &item->column;
    const struct column_window *now = &c->now;

    return now->low == now->high && now->row_count - now->missing_count >= RUN_ROWS / 2 &&
           is_settled(w, item) && c->usual.narrowest > 0 && isfinite(c->usual.narrowest) &&
           column_distance(c) >= frozen_shift;
}

static bool judge_values(const struct watch *w, const struct watched *item, struct suspicion *found)
{
    const struct column *c = &item->column;
    double values = c->now.row_count - c->now.missing_count;
    double outside = values >= COLUMN_LEAST ? c->now.outside_count / values : 0;
    double distance = column_distance(c);

    *found = (struct suspicion){.what = WATCH_FAR, .share = outside};
    if (outside >= far_share && (item->strict > 0 || is_settled(w, item)))
        return true;
    *found = (struct suspicion){.what = WATCH_CONSTANT, .share = 1};
    if (item->name && is_frozen(w, item))
        return true;
    *found = (struct suspicion){.what = WATCH_SHIFTED,
                                .share = distance,
                                .before = item->strict > 0 ? 0 : c->usual.distance_high};
    return distance >= distance_limit(w, item);
}

/* Rows that are all the same get the same score. */
static bool rows_differ(const struct watch *w)
{
    for (size_t i = 0; i < w->feature_count; i++) {
        const struct column_window *now = &w->items[i].column.now;
        if (now->low < now->high || (now->missing_count > 0 && now->missing_count < now->row_count))
            return true;
    }
    return false;
}

static bool is_constant(const struct watch *w)
{
    const struct column_window *now = &watch_score(w)->column.now;

    return now->row_count >= COLUMN_LEAST && now->low == now->high && rows_differ(w);
}

static bool judge_score(const struct watch *w, struct suspicion *found)
{
    const struct watched *score = watch_score(w);

    if (!is_constant(w))
        return judge_values(w, score, found);
    *found = (struct suspicion){.what = WATCH_CONSTANT, .share = 1};
    return score->column.now.row_count >= RUN_ROWS;
}

static double share_of(const struct watch *w, const struct watched_decision *d)
{
    return (double)d->count / w->row_count;
}

/* The decision whose share is farthest from before. */
static bool judge_decisions(const struct watch *w, struct suspicion *found)
{
    const struct watched *item = watch_decisions(w);
    double beyond = item->strict > 0 ? above_highest / 2 : above_highest, most = 0;

    if (w->decision_windows == 0 || (item->strict == 0 && w->fresh < COLUMN_SETTLED))
        return false;
    for (size_t i = 0; i < w->decision_count; i++) {
        const struct watched_decision *d = &w->decisions[i];
        double share = share_of(w, d), moved = fabs(share - d->share);
        if (isnan(d->share) || moved < jump || moved <= most ||
            (share < d->high + beyond && share > d->low - beyond) ||
            is_chance(share, d->share, w->row_count))
            continue;
        most = moved;
        *found = (struct suspicion){
            .what = WATCH_DECISIONS, .share = share, .before = d->share, .decision = d->name};
    }
    return most > 0;
}

static bool judge(const struct watch *w, const struct watched *item, struct suspicion *found)
{
    if (item == watch_decisions(w))
        return judge_decisions(w, found);
    if (item == watch_score(w))
        return judge_score(w, found);
    return (item->column.usual.windows > 0 && judge_missing(item, found)) ||
           judge_values(w, item, found);
}

static double decision_share_now(const struct watch *w, const char *name)
{
    for (size_t i = 0; i < w->decision_count; i++)
        if (name && strcmp(w->decisions[i].name, name) == 0)
            return share_of(w, &w->decisions[i]);
    return NAN;
}

/* How much of what was found is there now. */
static double measure(const struct watch *w, const struct watched *item)
{
    const struct column_window *now = &item->column.now;

    switch (item->suspicion.what) {
    case WATCH_FAR: return (double)now->outside_count / (now->row_count - now->missing_count + 1);
    case WATCH_SHIFTED: return column_distance(&item->column);
    case WATCH_CONSTANT: return item->name ? now->low == now->high : is_constant(w);
    case WATCH_DECISIONS: return decision_share_now(w, item->suspicion.decision);
    default: return column_missing_share(now);
    }
}

/* Less than half the way that it had moved. */
static bool is_back(const struct watch *w, const struct watched *item)
{
    const struct suspicion *s = &item->suspicion;
    double now = measure(w, item);

    if (is_about_missing(item) && item->column.run >= RUN_FEW_ROWS)
        return false; /* it began in the middle of this window */
    return isnan(now) || fabs(now - s->before) < fabs(s->share - s->before) / 2;
}

/* Behind a change, and for what cannot be mistaken, one window is enough. */
static bool is_enough(const struct watched *item, const struct suspicion *found)
{
    return (found->what == WATCH_CONSTANT && !item->name) || item->strict > 0 || item->streak > 1 ||
           (found->what == WATCH_MISSING && found->share - found->before >= great_jump);
}

static void judge_item(struct watch *w, struct watched *item, int64_t now_ms)
{
    struct suspicion found = {0};

    if (item->is_on && is_back(w, item)) {
        watch_end(item, now_ms);
        if (item->suspicion.what == WATCH_CONSTANT)
            item->column.usual.narrowest = 0; /* it does stand still at times */
    }
    if (item->is_on)
        return;
    if (!judge(w, item, &found)) {
        item->streak = 0;
        return;
    }
    if (!found.first.topic)
        found.first = w->first;
    if (item->streak == 0)
        item->streak_limit = distance_limit(w, item);
    if (item->streak == 0 || (found.what == WATCH_CONSTANT && item->streak_what != WATCH_CONSTANT))
        item->streak_first = found.first; /* the window before, in which it began, has good rows */
    item->streak_what = found.what;
    item->streak++;
    found.first = item->streak_first;
    if (is_enough(item, &found))
        begin(item, &found, now_ms);
}

/* ---- what becomes usual */

static float keep(float extreme, float mean, float now, bool is_high)
{
    extreme += (mean - extreme) / COLUMN_LEVEL_MEMORY;
    return is_high ? fmaxf(extreme, now) : fminf(extreme, now);
}

static void merge_decisions(struct watch *w)
{
    uint32_t memory = ++w->decision_windows;

    if (memory > COLUMN_MEMORY)
        memory = COLUMN_MEMORY;
    for (size_t i = 0; i < w->decision_count; i++) {
        struct watched_decision *d = &w->decisions[i];
        if (isnan(d->share))
            d->share = d->low = d->high = d->last;
        d->share += (d->last - d->share) / (float)memory;
        d->low = keep(d->low, d->share, d->last, false);
        d->high = keep(d->high, d->share, d->last, true);
    }
}

static void close_decisions(struct watch *w, bool is_usual)
{
    if (is_usual && w->owes_decisions)
        merge_decisions(w);
    for (size_t i = 0; i < w->decision_count; i++) {
        w->decisions[i].last = (float)share_of(w, &w->decisions[i]);
        w->decisions[i].count = 0;
    }
    w->owes_decisions = is_usual && w->decision_windows > 0;
    if (is_usual && !w->owes_decisions)
        merge_decisions(w);
}

static void accept_decisions(struct watch *w)
{
    for (size_t i = 0; i < w->decision_count; i++)
        w->decisions[i].share = NAN;
    w->decision_windows = 0;
    w->owes_decisions = false;
}

static void accept(struct watch *w, struct watched *item, int64_t now_ms)
{
    watch_end(item, now_ms);
    item->is_accepted = item->has_history = true;
    item->strict = 0;
    if (item == watch_decisions(w))
        accept_decisions(w);
    else
        column_accept(&item->column);
}

/* The window in which it ended was in part as before. */
static bool may_become_usual(const struct watched *item)
{
    return !item->is_on && !item->has_ended;
}

void watch_judge_window(struct watch *w, int64_t now_ms)
{
    bool is_usual; /* of the score and its decisions: one is not without the other */

    for (struct watched *item = w->items; item <= watch_decisions(w); item++) {
        judge_item(w, item, now_ms);
        if (item->is_on && now_ms - item->suspicion.since_ms >= ACCEPT_MS)
            accept(w, item, now_ms);
    }
    is_usual = may_become_usual(watch_score(w)) && may_become_usual(watch_decisions(w));
    for (size_t i = 0; i < w->feature_count; i++)
        column_close(&w->items[i].column, may_become_usual(&w->items[i]));
    column_close(&watch_score(w)->column, is_usual);
    close_decisions(w, is_usual);
    for (struct watched *item = w->items; item <= watch_decisions(w); item++)
        item->strict -= item->strict > 0;
    w->fresh++;
}
