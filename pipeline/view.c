#include "pipeline/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"

void view_init(struct view *v, const struct board *board)
{
    *v = (struct view){.worker_count = board_worker_count(board)};
    v->each = mem_alloc(v->worker_count, sizeof *v->each);
    v->ages_ms = mem_alloc(v->worker_count, sizeof *v->ages_ms);
}

void view_release(struct view *v)
{
    for (size_t i = 0; i < v->worker_count; i++)
        metrics_release(&v->each[i]);
    metrics_release(&v->sum);
    free(v->each);
    free(v->ages_ms);
    *v = (struct view){0};
}

/* first of two places that were met, and last. */
static struct place earlier(struct place a, struct place b)
{
    return a.at_ms <= b.at_ms ? a : b;
}

static struct place later(struct place a, struct place b)
{
    return a.at_ms > b.at_ms ? a : b;
}

/* Workers that met the same flood: the first one's. One that had a trickle before: the newer. */
static struct place onset(struct place a, struct place b)
{
    enum { TOGETHER_MS = 60000 };
    int64_t apart_ms = a.at_ms - b.at_ms;

    return llabs(apart_ms) < TOGETHER_MS ? earlier(a, b) : later(a, b);
}

static void add_faults(struct metrics *sum, const struct metrics *one)
{
    for (size_t i = 0; i < one->fault_count; i++) {
        const struct fault_metrics *from = &one->faults[i];
        struct fault_metrics *to = metrics_kind(sum, from->fault, from->schema_id);
        bool is_new = to && to->count == 0;
        if (is_new)
            *to = *from;
        if (!to || is_new)
            continue;
        if (from->first.at_ms < to->first.at_ms)
            memcpy(to->message, from->message, sizeof to->message);
        to->since = onset(to->since, from->since);
        to->first = earlier(to->first, from->first);
        to->last = later(to->last, from->last);
        to->count += from->count;
    }
    for (int f = 0; f < FAULT_COUNT; f++)
        sum->dead[f] += one->dead[f];
}

static void add_decisions(struct metrics *sum, const struct metrics *one)
{
    for (size_t i = 0; i < one->decision_count; i++) {
        size_t slot = metrics_decision(sum, one->decisions[i].name);
        sum->decisions[slot].count += one->decisions[i].count;
    }
}

static double mean(double a, double a_weight, double b, double b_weight)
{
    if (isnan(a) || isnan(b))
        return isnan(a) ? b : a;
    return (a * a_weight + b * b_weight) / (a_weight + b_weight);
}

/* Each worker sees a share of the same stream: the mean of its quantiles, weighted by rows. */
static void add_scores(struct score_metrics *sum, const struct score_metrics *one)
{
    double weights[] = {sum->rows + 1.0, one->rows + 1.0}; /* some know only what was before */

    for (size_t i = 0; i < METRICS_QUANTILES; i++) {
        sum->now[i] = mean(sum->now[i], weights[0], one->now[i], weights[1]);
        sum->before[i] = mean(sum->before[i], weights[0], one->before[i], weights[1]);
    }
    sum->rows += one->rows;
}

static void add_parts(struct metrics *sum, const struct metrics *one)
{
    size_t before = sum->part_count;
    struct part_metrics *parts = metrics_parts(sum, before + one->part_count);

    if (one->part_count > 0)
        memcpy(parts + before, one->parts, one->part_count * sizeof *parts);
}

static void add(struct metrics *sum, const struct metrics *one)
{
    if (one->activity > sum->activity ||
        (one->activity == sum->activity && one->since_ms < sum->since_ms)) {
        sum->activity = one->activity;
        sum->since_ms = one->since_ms;
        memcpy(sum->why, one->why, sizeof sum->why);
    }
    if (!*sum->quota)
        memcpy(sum->quota, one->quota, sizeof sum->quota);
    if (one->model.since_ms > sum->model.since_ms)
        sum->model = one->model;
    histogram_merge(&sum->decode, &one->decode);
    histogram_merge(&sum->score, &one->score);
    histogram_merge(&sum->freshness, &one->freshness);
    sum->ahead_sum += one->ahead_sum;
    histogram_merge(&sum->commit, &one->commit);
    add_scores(&sum->scores, &one->scores);
    sum->alerts += one->alerts;
    sum->stale_alerts += one->stale_alerts;
    sum->commits += one->commits;
    sum->rewinds += one->rewinds;
    sum->no_event_time += one->no_event_time;
    add_faults(sum, one);
    add_decisions(sum, one);
    add_parts(sum, one);
}

static int by_place(const void *a, const void *b)
{
    const struct part_metrics *x = a, *y = b;
    int order = strcmp(x->topic ? x->topic : "", y->topic ? y->topic : "");

    return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

/* A partition that went from worker to worker is one: what each counted, and where its owner is. */
static void join_parts(struct metrics *sum)
{
    size_t kept = 0;

    if (sum->part_count > 0)
        qsort(sum->parts, sum->part_count, sizeof *sum->parts, by_place);
    for (size_t i = 0; i < sum->part_count; i++) {
        struct part_metrics *to = kept > 0 ? &sum->parts[kept - 1] : NULL, one = sum->parts[i];
        if (!to || by_place(to, &one) != 0) {
            sum->parts[kept++] = one;
            continue;
        }
        one.consumed += to->consumed;
        one.scored += to->scored;
        one.dead += to->dead;
        one.skipped += to->skipped;
        one.returned += to->returned;
        one.in_flight += to->in_flight;
        if (to->is_owned || to->moved_ms > one.moved_ms) {
            one.is_owned = to->is_owned;
            one.is_parked = to->is_parked;
            one.position = to->position;
            one.done = to->done;
            one.moved_ms = to->moved_ms;
        }
        *to = one;
    }
    sum->part_count = kept;
}

void view_take(struct view *v, struct board *board)
{
    size_t begun = 0;

    v->sum.part_count = v->sum.fault_count = v->sum.decision_count = 0;
    v->sum =
        (struct metrics){.parts = v->sum.parts, .part_cap = v->sum.part_cap, .since_ms = INT64_MAX};
    metrics_forget_scores(&v->sum);
    v->at_ms = clock_wall_ms();
    for (size_t i = 0; i < v->worker_count; i++) {
        if (!board_read(board, i, &v->each[i], &v->ages_ms[i])) {
            v->ages_ms[i] = -1;
            continue;
        }
        begun++;
        add(&v->sum, &v->each[i]);
    }
    join_parts(&v->sum);
    if (begun < v->worker_count && v->sum.activity == ACTIVITY_RUNNING) {
        v->sum.activity = ACTIVITY_STARTING;
        snprintf(v->sum.why, sizeof v->sum.why, "%zu of %zu workers have begun", begun,
                 v->worker_count);
    }
}

/* A worker has one for the newest change that was known to it: it is behind all before, too. */
static const struct fallout *fallout_of(const struct metrics *m, uint64_t change)
{
    const struct fallout *found = NULL;

    for (size_t i = 0; i < METRICS_CHANGES && i < m->fallout_count; i++) {
        const struct fallout *one = &m->fallout[i];
        if (one->change >= change && (!found || one->change < found->change))
            found = one;
    }
    return found;
}

/* What is left of its ring does not say what came first behind an older change. */
static bool is_forgotten(const struct metrics *m, uint64_t change)
{
    return m->fallout_count > METRICS_CHANGES &&
           change <= m->fallout[m->fallout_count % METRICS_CHANGES].change;
}

const struct fallout *view_fallout(const struct view *v, uint64_t change)
{
    const struct fallout *found = NULL;

    for (size_t i = 0; i < v->worker_count; i++) {
        const struct fallout *one = fallout_of(&v->each[i], change);
        if (v->ages_ms[i] >= 0 && is_forgotten(&v->each[i], change))
            return NULL;
        if (v->ages_ms[i] >= 0 && one && (!found || one->place.at_ms < found->place.at_ms))
            found = one;
    }
    return found;
}

const struct model_metrics *view_model(const struct view *v, size_t i)
{
    const struct model_metrics *model = &v->each[i].model;

    for (size_t k = 0; k < i; k++)
        if (strcmp(v->each[k].model.digest, model->digest) == 0)
            return NULL;
    return v->ages_ms[i] >= 0 ? model : NULL;
}

struct view_totals view_totals(const struct view *v)
{
    struct view_totals t = {0};

    for (size_t i = 0; i < v->sum.part_count; i++) {
        const struct part_metrics *part = &v->sum.parts[i];
        t.consumed += part->consumed;
        t.scored += part->scored;
        t.dead += part->dead;
        t.skipped += part->skipped;
        t.returned += part->returned;
        t.in_flight += part->in_flight;
    }
    return t;
}
