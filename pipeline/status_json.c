/* status_json.c: /status, laid out as the answers to the three questions. docs/status.md names each
 * member; the page and `kscore status` show nothing that is not in here. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/schema_id.h"
#include "pipeline/observing.h"

enum {
    NOW_SAMPLES = 12,
    BEFORE_SAMPLES = 180
}; /* the last minute; the quarter of an hour before */

static json_t *time_of(int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_print(text, ms);
    return json_string(text);
}

static json_t *place_of(const struct place *place)
{
    return json_pack("{s:s, s:i, s:I, s:o}", "topic", place->topic ? place->topic : "", "partition",
                     (int)place->partition, "offset", (json_int_t)place->offset, "time",
                     time_of(place->at_ms));
}

/* ---- what it is and how it is */

static json_t *models(const struct observer *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->view.worker_count; i++) {
        const struct model_metrics *m = &o->view.each[i].model;
        bool is_new = o->view.ages_ms[i] >= 0;
        for (size_t k = 0; k < i && is_new; k++)
            is_new = strcmp(o->view.each[k].model.digest, m->digest) != 0;
        if (is_new)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name", m->name,
                                                  "version", m->version, "digest", m->digest,
                                                  "since", time_of(m->since_ms)));
    }
    return list;
}

static json_t *instance(const struct observer *o)
{
    const struct config *c = o->options.config;

    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:s, s:s, s:o}", "name", c->name,
                     "instance", c->instance, "build", o->options.build, "config", c->file,
                     "started", time_of(o->started_ms), "now", time_of(o->view.at_ms), "workers",
                     (int)o->view.worker_count, "activity", activity_name(o->view.sum.activity),
                     "why", o->view.sum.why, "models", models(o));
}

/* ---- a stretch of time, from samples */

struct stretch {
    const struct sample *from, *to;
};

/* `count` samples that end `back` samples before the newest; shorter where there are fewer. */
static struct stretch stretch_of(const struct observer *o, size_t back, size_t count)
{
    size_t end = o->sample_count > back ? o->sample_count - 1 - back : 0;
    size_t begin = end > count ? end - count : 0;

    return (struct stretch){observer_sample(o, begin), observer_sample(o, end)};
}

static json_t *per(double amount, double by)
{
    return by > 0 ? json_real(amount / by) : json_null();
}

static json_t *rates(struct stretch s)
{
    double seconds = (double)(s.to->at_ms - s.from->at_ms) / 1000;
    double scored = (double)(s.to->totals.scored - s.from->totals.scored);
    double dead = (double)(s.to->totals.dead - s.from->totals.dead);
    double fresh = (double)(s.to->freshness_count - s.from->freshness_count);

    return json_pack("{s:f, s:o, s:o, s:o, s:o}", "seconds", seconds, "scored_per_s",
                     per(scored, seconds), "dead_per_s", per(dead, seconds), "dead_share",
                     per(dead, scored + dead), "freshness_s",
                     per(s.to->freshness_sum - s.from->freshness_sum, fresh));
}

/* ---- 1. did my change cause it? */

static json_t *entry_of(const struct journal_entry *e)
{
    static const char *const kinds[] = {"", "change", "trouble", "error"};
    json_t *entry =
        json_pack("{s:I, s:o, s:s, s:s, s:s}", "number", (json_int_t)e->number, "time",
                  time_of(e->at_ms), "kind", kinds[e->kind], "event", e->event, "text", e->text);

    if (e->worker >= 0)
        json_object_set_new(entry, "worker", json_integer(e->worker));
    return entry;
}

static json_t *journal(struct observer *o)
{
    size_t count = journal_read(o->options.journal, 0, o->entries, JOURNAL_CAP);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, entry_of(&o->entries[i]));
    return list;
}

/* ---- 2. is it hurting what is downstream? */

static json_t *decisions(const struct observer *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->view.sum.decision_count; i++) {
        const struct decision_metrics *d = &o->view.sum.decisions[i];
        json_array_append_new(
            list, json_pack("{s:s, s:I}", "decision", d->name, "count", (json_int_t)d->count));
    }
    return list;
}

static json_t *partitions(const struct observer *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->view.sum.part_count; i++) {
        const struct part_metrics *p = &o->view.sum.parts[i];
        int64_t lag = p->is_owned ? observer_lag(o, p) : -1;
        json_t *part =
            json_pack("{s:s, s:i, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "topic",
                      p->topic ? p->topic : "", "partition", (int)p->partition, "owned",
                      p->is_owned, "parked", p->is_parked, "consumed", (json_int_t)p->consumed,
                      "scored", (json_int_t)p->scored, "dead", (json_int_t)p->dead, "skipped",
                      (json_int_t)p->skipped, "returned", (json_int_t)p->returned, "in_flight",
                      (json_int_t)p->in_flight, "done", (json_int_t)p->done);
        json_object_set_new(part, "lag", lag >= 0 ? json_integer(lag) : json_null());
        json_array_append_new(list, part);
    }
    return list;
}

static json_t *downstream(const struct observer *o)
{
    struct view_totals t = view_totals(&o->view);
    int64_t lag = observer_total_lag(o);

    return json_pack(
        "{s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:I, s:I, s:o}", "lag",
        lag >= 0 ? json_integer(lag) : json_null(), "now", rates(stretch_of(o, 0, NOW_SAMPLES)),
        "before", rates(stretch_of(o, NOW_SAMPLES, BEFORE_SAMPLES)), "totals", "consumed",
        (json_int_t)t.consumed, "scored", (json_int_t)t.scored, "dead", (json_int_t)t.dead,
        "skipped", (json_int_t)t.skipped, "returned", (json_int_t)t.returned, "in_flight",
        (json_int_t)t.in_flight, "alerts", (json_int_t)o->view.sum.alerts, "alerts_stale",
        (json_int_t)o->view.sum.stale_alerts, "decisions", decisions(o));
}

/* ---- 3. which part throws the errors? */

static json_t *error_of(const struct observer *o, const struct fault_metrics *f)
{
    char id[SCHEMA_ID_TEXT_MAX];
    json_t *error =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:s}", "stage", fault_stage(f->fault),
                  "reason", fault_reason(f->fault), "blame", fault_blame(f->fault), "help",
                  fault_help(f->fault), "count", (json_int_t)f->count, "first", place_of(&f->first),
                  "last", place_of(&f->last), "message", f->message);

    if (f->schema_id == SCHEMA_ID_NONE) {
        json_object_set_new(error, "schema_id", json_null());
    } else {
        schema_id_print(id, f->schema_id, config_has_fingerprints(o->options.config));
        json_object_set_new(error, "schema_id", json_string(id));
    }
    json_object_set_new(error, "explain",
                        json_sprintf("kscore explain -c %s %s %d %lld", o->options.config->file,
                                     f->first.topic ? f->first.topic : "", f->first.partition,
                                     (long long)f->first.offset));
    return error;
}

static int by_count(const void *a, const void *b)
{
    const struct fault_metrics *const *x = a, *const *y = b;

    return ((*x)->count < (*y)->count) - ((*x)->count > (*y)->count);
}

static json_t *errors(const struct observer *o)
{
    const struct fault_metrics *order[METRICS_FAULTS];
    json_t *list = json_array();

    for (size_t i = 0; i < o->view.sum.fault_count; i++)
        order[i] = &o->view.sum.faults[i];
    qsort(order, o->view.sum.fault_count, sizeof *order, by_count);
    for (size_t i = 0; i < o->view.sum.fault_count; i++)
        json_array_append_new(list, error_of(o, order[i]));
    return list;
}

/* ---- curves: one value per interval between samples, oldest first */

static json_t *history(const struct observer *o)
{
    json_t *times = json_array(), *scored = json_array(), *dead = json_array(), *lag = json_array(),
           *fresh = json_array();

    for (size_t i = 1; i < o->sample_count; i++) {
        const struct sample *a = observer_sample(o, i - 1), *b = observer_sample(o, i);
        double seconds = (double)(b->at_ms - a->at_ms) / 1000;
        json_array_append_new(times, json_integer(b->at_ms));
        json_array_append_new(scored, per((double)(b->totals.scored - a->totals.scored), seconds));
        json_array_append_new(dead, per((double)(b->totals.dead - a->totals.dead), seconds));
        json_array_append_new(lag, b->lag >= 0 ? json_integer(b->lag) : json_null());
        json_array_append_new(fresh, per(b->freshness_sum - a->freshness_sum,
                                         (double)(b->freshness_count - a->freshness_count)));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "time_ms", times, "scored_per_s", scored,
                     "dead_per_s", dead, "lag", lag, "freshness_s", fresh);
}

char *observer_status(struct observer *o)
{
    json_t *root;
    char *text;

    pthread_mutex_lock(&o->lock);
    view_take(&o->view, o->options.board);
    root = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "kscore", instance(o), "changes", journal(o),
                     "downstream", downstream(o), "errors", errors(o), "partitions", partitions(o),
                     "history", history(o));
    pthread_mutex_unlock(&o->lock);
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}
