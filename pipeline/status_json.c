/* status_json.c: /status, laid out as the answers to the three questions. docs/status.md names each
 * member; the page and `kscore status` show nothing that is not in here. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/schema_id.h"
#include "core/text.h"
#include "pipeline/repaired.h"
#include "pipeline/situation.h"

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
        const struct model_metrics *m = view_model(&o->view, i);
        if (m)
            json_array_append_new(list,
                                  json_pack("{s:o, s:o, s:s, s:o}", "name", repaired_json(m->name),
                                            "version", repaired_json(m->version), "digest",
                                            m->digest, "since", time_of(m->since_ms)));
    }
    return list;
}

static json_t *instance(const struct observer *o)
{
    const struct config *c = o->options.config;

    return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:i, s:b, s:s, s:o, s:o}", "name",
                     repaired_json(c->name), "instance", repaired_json(c->instance), "build",
                     o->options.build, "config", repaired_json(c->file), "started",
                     time_of(o->started_ms), "now", time_of(o->view.at_ms), "workers",
                     (int)o->view.worker_count, "ready", o->view.sum.activity == ACTIVITY_RUNNING,
                     "activity", activity_name(o->view.sum.activity), "why",
                     repaired_json(o->view.sum.why), "models", models(o));
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

static json_t *schema_of(const struct observer *o, int64_t schema_id)
{
    char id[SCHEMA_ID_TEXT_MAX];

    if (schema_id == SCHEMA_ID_NONE)
        return json_null();
    schema_id_print(id, schema_id, config_has_fingerprints(o->options.config));
    return json_string(id);
}

static json_t *first_dead(const struct observer *o, uint64_t change)
{
    const struct fallout *f = view_fallout(&o->view, change);
    json_t *place = f ? place_of(&f->place) : json_null();

    if (f)
        json_object_update_new(place, json_pack("{s:s, s:s, s:o}", "stage", fault_stage(f->fault),
                                                "reason", fault_reason(f->fault), "schema_id",
                                                schema_of(o, f->schema_id)));
    return place;
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null(); /* JSON has neither */
}

static json_t *entry_of(const struct observer *o, const struct journal_entry *e)
{
    json_t *entry = json_pack("{s:I, s:o, s:s, s:s, s:o}", "number", (json_int_t)e->number, "time",
                              time_of(e->at_ms), "kind", journal_kind_name(e->kind), "event",
                              e->event, "text", repaired_json(e->text));

    if (e->worker >= 0)
        json_object_set_new(entry, "worker", json_integer(e->worker));
    if (e->kind == JOURNAL_CHANGE)
        json_object_set_new(
            entry, "effect",
            json_pack("{s:o, s:o, s:o}", "first_dead", first_dead(o, e->number),
                      "dead_share_before", number_or_null(situation_dead_share_before(o, e->at_ms)),
                      "dead_share_after", number_or_null(situation_dead_share_after(o, e->at_ms))));
    return entry;
}

static json_t *journal(const struct observer *o, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, entry_of(o, &o->entries[i]));
    return list;
}

/* ---- 2. is it hurting what is downstream? */

static json_t *decisions(const struct observer *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->view.sum.decision_count; i++) {
        const struct decision_metrics *d = &o->view.sum.decisions[i];
        json_array_append_new(list, json_pack("{s:o, s:I}", "decision", repaired_json(d->name),
                                              "count", (json_int_t)d->count));
    }
    return list;
}

/* [downstream] groups on the topic of scores. */
static json_t *group_of(const struct downstream *d)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "group", repaired_json(d->group), "lag",
                     d->lag >= 0 ? json_integer(d->lag) : json_null(), "moved",
                     d->moved_ms ? time_of(d->moved_ms) : json_null(), "stands_since",
                     d->stands_ms ? time_of(d->stands_ms) : json_null());
}

static json_t *groups(const struct observer *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->group_count; i++)
        json_array_append_new(list, group_of(&o->groups[i]));
    return list;
}

static json_t *age_s(int64_t age_ms)
{
    return age_ms >= 0 ? json_real((double)age_ms / 1000) : json_null();
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

static json_t *numbers(const double *values, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, number_or_null(values[i]));
    return list;
}

static json_t *scores(const struct observer *o)
{
    static const double quantiles[METRICS_QUANTILES] = {0.01, 0.1, 0.5, 0.9, 0.99};
    const struct score_metrics *s = &o->view.sum.scores;

    return json_pack("{s:o, s:o, s:o}", "quantiles", numbers(quantiles, METRICS_QUANTILES), "now",
                     numbers(s->now, METRICS_QUANTILES), "before",
                     numbers(s->before, METRICS_QUANTILES));
}

static json_t *downstream(const struct observer *o)
{
    struct view_totals t = view_totals(&o->view);
    int64_t lag = observer_total_lag(o);

    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:I, s:I, s:o, s:o}",
        "lag", lag >= 0 ? json_integer(lag) : json_null(), "lag_age_s", age_s(o->ends_age_ms),
        "groups", groups(o), "groups_age_s", age_s(o->groups_age_ms), "now",
        rates(stretch_of(o, 0, NOW_SAMPLES)), "before",
        rates(stretch_of(o, NOW_SAMPLES, BEFORE_SAMPLES)), "totals", "consumed",
        (json_int_t)t.consumed, "scored", (json_int_t)t.scored, "dead", (json_int_t)t.dead,
        "skipped", (json_int_t)t.skipped, "returned", (json_int_t)t.returned, "in_flight",
        (json_int_t)t.in_flight, "alerts", (json_int_t)o->view.sum.alerts, "alerts_stale",
        (json_int_t)o->view.sum.stale_alerts, "decisions", decisions(o), "scores", scores(o));
}

/* ---- 3. which part throws the errors? */

enum { COMMAND_MAX = 8192 }; /* with a path of 4096 bytes */

/* As one word of a shell. */
static void add_word(char line[COMMAND_MAX], size_t *len, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "/._-+,:@%=";
    bool is_plain = *word && word[strspn(word, plain)] == '\0';

    text_add(line, COMMAND_MAX, len, is_plain ? " %s" : " '", word);
    for (; !is_plain && *word; word++)
        text_add(line, COMMAND_MAX, len, *word == '\'' ? "'\\''" : "%c", *word);
    text_add(line, COMMAND_MAX, len, is_plain ? "" : "'");
}

/* The command to paste. */
static json_t *explain_of(const struct observer *o, const struct place *place)
{
    char line[COMMAND_MAX];
    size_t len = 0;

    text_add(line, COMMAND_MAX, &len, "kscore explain -c");
    add_word(line, &len, o->options.config->file);
    add_word(line, &len, place->topic ? place->topic : "");
    text_add(line, COMMAND_MAX, &len, " %d %lld", place->partition, (long long)place->offset);
    return repaired_json(line);
}

static json_t *error_of(const struct observer *o, const struct fault_metrics *f, uint64_t recent)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "stage",
                     fault_stage(f->fault), "reason", fault_reason(f->fault), "blame",
                     fault_blame(f->fault), "schema_id", schema_of(o, f->schema_id), "help",
                     fault_help(f->fault), "count", (json_int_t)f->count, "last_minute",
                     (json_int_t)recent, "first", place_of(&f->first), "since", place_of(&f->since),
                     "last", place_of(&f->last), "message", repaired_json(f->message), "explain",
                     explain_of(o, &f->since));
}

/* Those that come now first, then those that came most. */
static int by_count(const void *a, const void *b, void *arg)
{
    const size_t *x = a, *y = b;
    const struct situation *facts = arg;
    const struct fault_metrics *faults = facts->verdict.sum->faults;

    if (facts->recent[*x] != facts->recent[*y])
        return facts->recent[*x] < facts->recent[*y] ? 1 : -1;
    return (faults[*x].count < faults[*y].count) - (faults[*x].count > faults[*y].count);
}

static json_t *errors(const struct observer *o, struct situation *facts)
{
    size_t order[METRICS_FAULTS], count = o->view.sum.fault_count;
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof *order, by_count, facts);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              error_of(o, &o->view.sum.faults[order[i]], facts->recent[order[i]]));
    return list;
}

/* ---- the verdict */

static json_t *change_of(const struct journal_entry *e)
{
    return e ? json_pack("{s:I, s:o, s:s, s:o}", "number", (json_int_t)e->number, "time",
                         time_of(e->at_ms), "event", e->event, "text", repaired_json(e->text))
             : json_null();
}

static json_t *finding_of(const struct finding *f, const struct journal_entry *known)
{
    char text[VERDICT_TEXT_MAX];
    struct place first = {f->topic, f->partition, f->offset, f->since_ms};

    verdict_print(text, f, known);
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "level", verdict_level_name(f->level),
        "kind", f->kind, "text", repaired_json(text), "what", repaired_json(f->what), "since",
        f->since_ms ? time_of(f->since_ms) : json_null(), "first",
        *f->topic ? place_of(&first) : json_null(), "blame", f->blame, "schema_id",
        *f->schema_id ? json_string(f->schema_id) : json_null(), "change", change_of(f->change));
}

/* The first finding is the verdict, the others are in `also`. */
static json_t *verdict_of(const struct verdict *v, const struct situation *facts)
{
    json_t *verdict, *also = json_array();
    char text[VERDICT_TEXT_MAX];

    if (v->count > 0) {
        verdict = finding_of(&v->findings[0], NULL);
    } else {
        verdict_print_healthy(text, &facts->verdict);
        verdict = json_pack("{s:s, s:s, s:s, s:s, s:n, s:n, s:s, s:n, s:n}", "level",
                            verdict_level_name(VERDICT_OK), "kind", "healthy", "text", text, "what",
                            text, "since", "first", "blame", "", "schema_id", "change");
    }
    for (size_t i = 1; i < v->count; i++)
        json_array_append_new(also, finding_of(&v->findings[i], v->findings[0].change));
    json_object_set_new(verdict, "also", also);
    return verdict;
}

/* ---- curves: one value per interval between samples, oldest first */

static json_t *history(const struct observer *o)
{
    json_t *times = json_array(), *scored = json_array(), *dead = json_array(), *lag = json_array(),
           *fresh = json_array(), *score = json_array();

    for (size_t i = 1; i < o->sample_count; i++) {
        const struct sample *a = observer_sample(o, i - 1), *b = observer_sample(o, i);
        double seconds = (double)(b->at_ms - a->at_ms) / 1000;
        json_array_append_new(times, json_integer(b->at_ms));
        json_array_append_new(scored, per((double)(b->totals.scored - a->totals.scored), seconds));
        json_array_append_new(dead, per((double)(b->totals.dead - a->totals.dead), seconds));
        json_array_append_new(lag, b->lag >= 0 ? json_integer(b->lag) : json_null());
        json_array_append_new(score, number_or_null(b->score));
        json_array_append_new(fresh, per(b->freshness_sum - a->freshness_sum,
                                         (double)(b->freshness_count - a->freshness_count)));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "time_ms", times, "score", score,
                     "scored_per_s", scored, "dead_per_s", dead, "lag", lag, "freshness_s", fresh);
}

char *observer_status(struct observer *o)
{
    struct situation facts;
    struct verdict verdict;
    size_t count;
    json_t *root;
    char *text;

    pthread_mutex_lock(&o->lock);
    count = observer_judge(o, &facts, &verdict);
    root =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "verdict", verdict_of(&verdict, &facts),
                  "kscore", instance(o), "changes", journal(o, count), "downstream", downstream(o),
                  "errors", errors(o, &facts), "partitions", partitions(o), "history", history(o));
    pthread_mutex_unlock(&o->lock);
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}
