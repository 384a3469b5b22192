#include "pipeline/situation.h"

#include <math.h>
#include <string.h>

enum { MINUTE_MS = 60000, QUARTER = 15 * MINUTE_MS / SAMPLE_MS };

/* ---- the last minute */

static struct arrival arrival_of(const struct observer *o)
{
    enum { FRESH_MS = 5000 };
    bool knows_lag = o->ends_age_ms >= 0 && o->ends_age_ms <= FRESH_MS;
    const struct metrics *sum = &o->view.sum;
    struct view_totals totals = view_totals(&o->view);
    struct arrival now = {.at_ms = o->view.at_ms,
                          .outcomes = totals.scored + totals.dead,
                          .skipped = totals.skipped,
                          .lag = knows_lag ? observer_total_lag(o) : -1,
                          .age_sum = sum->freshness.sum - sum->ahead_sum,
                          .age_count = histogram_count(&sum->freshness),
                          .is_running = sum->activity == ACTIVITY_RUNNING};

    for (size_t i = 0; i < sum->part_count; i++)
        now.owned += sum->parts[i].is_owned;
    return now;
}

void situation_mark(struct observer *o)
{
    struct fault_mark *mark = &o->marks[o->mark_count++ % MARKS];
    const struct metrics *sum = &o->view.sum;
    struct arrival now = arrival_of(o);

    arrivals_take(&o->arrivals, &now);
    mark->at_ms = o->view.at_ms;
    mark->count = sum->fault_count;
    for (size_t i = 0; i < sum->fault_count; i++) {
        mark->kinds[i].fault = sum->faults[i].fault;
        mark->kinds[i].schema_id = sum->faults[i].schema_id;
        mark->kinds[i].count = sum->faults[i].count;
    }
}

static uint64_t count_then(const struct fault_mark *mark, const struct fault_metrics *f)
{
    for (size_t i = 0; i < mark->count; i++)
        if (mark->kinds[i].fault == f->fault && mark->kinds[i].schema_id == f->schema_id)
            return mark->kinds[i].count;
    return 0;
}

static void take_recent(struct situation *facts, const struct observer *o)
{
    static const struct fault_mark start;
    const struct fault_mark *then =
        o->mark_count >= MARKS ? &o->marks[o->mark_count % MARKS] : &start;

    for (size_t i = 0; i < o->view.sum.fault_count; i++) {
        const struct fault_metrics *f = &o->view.sum.faults[i];
        facts->recent[i] = f->count - count_then(then, f);
    }
}

struct sample situation_minute(const struct observer *o, double *seconds)
{
    size_t last = o->sample_count - 1;
    struct sample then = {.at_ms = o->started_ms};

    if (o->sample_count >= MARKS)
        then = *observer_sample(o, last - (MARKS - 1));
    *seconds = (double)(o->view.at_ms - then.at_ms) / 1000;
    return then;
}

/* ---- shares around a change */

static double share(const struct view_totals *from, const struct view_totals *to)
{
    double dead = (double)(to->dead - from->dead);
    double all = dead + (double)(to->scored - from->scored);

    return all > 0 ? dead / all : NAN;
}

/* The last sample before a time; -1: there is none. One of the same moment may have seen more. */
static ptrdiff_t sample_at(const struct observer *o, int64_t at_ms)
{
    size_t low = 0, high = o->sample_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (observer_sample(o, middle)->at_ms < at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return (ptrdiff_t)low - 1;
}

double situation_dead_share_before(const struct observer *o, int64_t at_ms)
{
    ptrdiff_t to = sample_at(o, at_ms), from = sample_at(o, at_ms - MINUTE_MS);

    if (to < 0)
        return NAN;
    return share(&observer_sample(o, from < 0 ? 0 : (size_t)from)->totals,
                 &observer_sample(o, (size_t)to)->totals);
}

double situation_dead_share_after(const struct observer *o, int64_t at_ms)
{
    static const struct view_totals none;
    ptrdiff_t from = sample_at(o, at_ms), to = sample_at(o, at_ms + MINUTE_MS);
    struct view_totals now = view_totals(&o->view);
    bool is_past = to >= 0 && (size_t)to + 1 < o->sample_count;

    if (from < 0 && o->sample_count > 0 && observer_sample(o, 0)->at_ms > o->started_ms + MINUTE_MS)
        return NAN; /* the samples of then are gone */
    return share(from < 0 ? &none : &observer_sample(o, (size_t)from)->totals,
                 is_past ? &observer_sample(o, (size_t)to)->totals : &now);
}

/* ---- what waits */

/* The slowest partition of those that have something to do. */
static void take_standing(struct situation *facts, const struct observer *o)
{
    const struct part_metrics *slowest = NULL;

    for (size_t i = 0; i < o->view.sum.part_count; i++) {
        const struct part_metrics *part = &o->view.sum.parts[i];
        bool has_more = observer_lag(o, part) != 0 || part->in_flight > 0; /* lag is asked for */
        if (part->is_owned && part->topic && has_more &&
            (!slowest || part->moved_ms < slowest->moved_ms))
            slowest = part;
    }
    if (!slowest)
        return;
    facts->standing = (struct place){slowest->topic, slowest->partition, slowest->done, 0};
    facts->verdict.standing = &facts->standing;
}

/* Since it was lowest in the last quarter of an hour; what shrinks does not count. */
static struct verdict_backlog own_backlog(const struct observer *o)
{
    enum { SHRINKS = 4 };
    struct verdict_backlog b = {.lag = observer_total_lag(o)};
    size_t first = o->sample_count > QUARTER ? o->sample_count - QUARTER : 0;
    int64_t lowest = INT64_MAX, before = 0;

    for (size_t i = first; i < o->sample_count; i++) {
        const struct sample *s = observer_sample(o, i);
        if (s->lag >= 0 && s->lag <= lowest) {
            lowest = s->lag;
            b.since_ms = s->at_ms;
        }
        if (i + SHRINKS == o->sample_count)
            before = s->lag;
    }
    if (b.since_ms && b.lag >= before && b.lag > lowest)
        b.grown = b.lag - lowest;
    return b;
}

/* What is ours was ours a while ago, too, and asked for. */
static int64_t silent_ms(const struct observer *o)
{
    enum { OURS = 4 };

    if (o->sample_count < OURS)
        return 0;
    for (size_t i = o->sample_count - OURS; i < o->sample_count; i++)
        if (observer_sample(o, i)->lag < 0)
            return 0;
    return o->ends_age_ms;
}

static struct verdict_backlog backlog_of(const struct downstream *d)
{
    return (struct verdict_backlog){d->group, d->lag, d->lag > d->low ? d->lag - d->low : 0,
                                    d->low_ms, d->stands_ms};
}

/* [downstream] groups: consumer/downstream.h says which stands. */
static void take_groups(struct situation *facts, const struct observer *o)
{
    for (size_t i = 0; i < o->group_count && i < SITUATION_GROUPS; i++)
        facts->backlogs[facts->verdict.backlog_count++] = backlog_of(&o->groups[i]);
}

void situation_take(struct situation *facts, struct observer *o, size_t entry_count)
{
    struct sample then;
    struct arrival now = arrival_of(o);
    struct verdict_facts *v = &facts->verdict;

    memset(facts, 0, sizeof *facts);
    then = situation_minute(o, &v->seconds);
    v->now_ms = o->view.at_ms;
    v->sum = &o->view.sum;
    v->recent = facts->recent;
    v->scored = view_totals(&o->view).scored - then.totals.scored;
    v->entries = o->entries;
    v->entry_count = entry_count;
    v->has_fingerprints = config_has_fingerprints(o->options.config);
    for (size_t i = 0; i < o->view.worker_count; i++)
        if (o->view.ages_ms[i] > v->turn_age_ms)
            v->turn_age_ms = o->view.ages_ms[i];
    v->silent_ms = silent_ms(o);
    take_recent(facts, o);
    take_standing(facts, o);
    facts->arrivals = o->arrivals;
    arrivals_take(&facts->arrivals, &now);
    v->arrivals = &facts->arrivals;
    v->backlogs = facts->backlogs;
    facts->backlogs[v->backlog_count++] = own_backlog(o);
    take_groups(facts, o);
}
