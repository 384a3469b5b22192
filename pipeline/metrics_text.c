/* metrics_text.c: /metrics in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). The names are an interface: one
 * table, which docs/metrics.md repeats and a test holds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/text.h"
#include "pipeline/situation.h"

struct out {
    FILE *file;
    const struct observer *observer;
    const struct view *view;
};

/* Label values: backslash, quote and line feed are escaped; the rest is UTF-8 already. */
static void put_label(struct out *o, const char *name, const char *value)
{
    fprintf(o->file, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', o->file);
        if (*value == '\n')
            fputs("\\n", o->file);
        else
            fputc(*value, o->file);
    }
    fputc('"', o->file);
}

static void put_part(struct out *o, const char *name, const struct part_metrics *part,
                     const char *outcome, uint64_t value)
{
    fprintf(o->file, "%s{", name);
    put_label(o, "topic", part->topic ? part->topic : "");
    fprintf(o->file, ",partition=\"%d\"", part->partition);
    if (outcome)
        fprintf(o->file, ",outcome=\"%s\"", outcome);
    fprintf(o->file, "} %" PRIu64 "\n", value);
}

static void put_build(struct out *o, const char *name)
{
    fprintf(o->file, "%s{", name);
    put_label(o, "version", o->observer->options.build);
    fputs("} 1\n", o->file);
}

/* Two in one process during a swap, two in a group during a rolling deploy. */
static void put_model(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->view->worker_count; i++) {
        const struct model_metrics *model = view_model(o->view, i);
        if (!model)
            continue;
        fprintf(o->file, "%s{", name);
        put_label(o, "name", model->name);
        fputc(',', o->file);
        put_label(o, "version", model->version);
        fputc(',', o->file);
        put_label(o, "digest", model->digest);
        fputs("} 1\n", o->file);
    }
}

static void put_consumed(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->view->sum.part_count; i++)
        put_part(o, name, &o->view->sum.parts[i], NULL, o->view->sum.parts[i].consumed);
}

static void put_records(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->view->sum.part_count; i++) {
        const struct part_metrics *part = &o->view->sum.parts[i];
        put_part(o, name, part, "scored", part->scored);
        put_part(o, name, part, "dead", part->dead);
        put_part(o, name, part, "skipped", part->skipped);
        put_part(o, name, part, "returned", part->returned);
    }
}

static void put_in_flight(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->view->sum.part_count; i++)
        put_part(o, name, &o->view->sum.parts[i], NULL, o->view->sum.parts[i].in_flight);
}

static void put_lag(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->view->sum.part_count; i++) {
        const struct part_metrics *part = &o->view->sum.parts[i];
        int64_t lag = part->is_owned ? observer_lag(o->observer, part) : -1;
        if (lag >= 0)
            put_part(o, name, part, NULL, (uint64_t)lag);
    }
}

static void put_errors(struct out *o, const char *name)
{
    for (enum fault f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
        fprintf(o->file, "%s{stage=\"%s\",reason=\"%s\",blame=\"%s\"} %" PRIu64 "\n", name,
                fault_stage(f), fault_reason(f), fault_blame(f), o->view->sum.dead[f]);
}

static void put_decisions(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->view->sum.decision_count; i++) {
        const struct decision_metrics *d = &o->view->sum.decisions[i];
        fprintf(o->file, "%s{", name);
        put_label(o, "decision", d->name);
        fprintf(o->file, "} %" PRIu64 "\n", d->count);
    }
}

static void put_ready(struct out *o, const char *name)
{
    fprintf(o->file, "%s %d\n", name, o->view->sum.activity == ACTIVITY_RUNNING);
}

static void put_activity(struct out *o, const char *name)
{
    for (enum activity a = ACTIVITY_RUNNING; a <= ACTIVITY_DRAINING; a++)
        fprintf(o->file, "%s{activity=\"%s\"} %d\n", name, activity_name(a),
                o->view->sum.activity == a);
}

static void put_started(struct out *o, const char *name)
{
    fprintf(o->file, "%s %.3f\n", name, (double)o->observer->started_ms / 1000);
}

static void put_turns(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->view->worker_count; i++)
        if (o->view->ages_ms[i] >= 0)
            fprintf(o->file, "%s{worker=\"%zu\"} %.3f\n", name, i,
                    (double)o->view->ages_ms[i] / 1000);
}

#define COUNTER(function, field)                                                                   \
    static void function(struct out *o, const char *name)                                          \
    {                                                                                              \
        fprintf(o->file, "%s %" PRIu64 "\n", name, o->view->sum.field);                            \
    }
COUNTER(put_alerts, alerts)
COUNTER(put_stale_alerts, stale_alerts)
COUNTER(put_commits, commits)
COUNTER(put_rewinds, rewinds)
COUNTER(put_no_event_time, no_event_time)
#undef COUNTER

static void put_histogram(struct out *o, const char *name, const struct histogram *h)
{
    char number[NUMBER_TEXT_MAX];
    uint64_t sum = 0;

    for (size_t i = 0; i < METRICS_BOUNDS; i++) {
        sum += h->counts[i];
        fprintf(o->file, "%s_bucket{le=\"%.*s\"} %" PRIu64 "\n", name,
                (int)number_print(number, metrics_bounds[i]), number, sum);
    }
    sum += h->counts[METRICS_BOUNDS];
    fprintf(o->file, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.*s\n%s_count %" PRIu64 "\n",
            name, sum, name, (int)number_print(number, h->sum), number, name, sum);
}

static void put_decode(struct out *o, const char *name)
{
    put_histogram(o, name, &o->view->sum.decode);
}

static void put_score(struct out *o, const char *name)
{
    put_histogram(o, name, &o->view->sum.score);
}

static void put_freshness(struct out *o, const char *name)
{
    put_histogram(o, name, &o->view->sum.freshness);
}

static void put_commit(struct out *o, const char *name)
{
    put_histogram(o, name, &o->view->sum.commit);
}

/* Of the topic of scores. */
static void put_downstream_lag(struct out *o, const char *name)
{
    const struct observer *observer = o->observer;

    for (size_t g = 0; g < observer->group_count; g++)
        for (size_t i = 0; i < observer->groups[g].part_count; i++) {
            if (observer->groups[g].parts[i].lag < 0)
                continue;
            fprintf(o->file, "%s{", name);
            put_label(o, "group", observer->groups[g].group);
            fputc(',', o->file);
            put_label(o, "topic", observer->options.config->score_topic);
            fprintf(o->file, ",partition=\"%zu\"} %" PRId64 "\n", i,
                    observer->groups[g].parts[i].lag);
        }
}

static void put_downstream_stands(struct out *o, const char *name)
{
    for (size_t g = 0; g < o->observer->group_count; g++) {
        const struct downstream *d = &o->observer->groups[g];
        if (d->lag < 0)
            continue;
        fprintf(o->file, "%s{", name);
        put_label(o, "group", d->group);
        fprintf(o->file, "} %.3f\n",
                d->stands_ms ? (double)(o->view->at_ms - d->stands_ms) / 1000 : 0);
    }
}

static void put_lag_age(struct out *o, const char *name)
{
    if (o->observer->ends_age_ms >= 0)
        fprintf(o->file, "%s %.3f\n", name, (double)o->observer->ends_age_ms / 1000);
}

static const struct {
    struct metric_row row;
    void (*put)(struct out *o, const char *name);
} table[] = {
    {{"kscore_build_info", "gauge", "version", "The program that runs."}, put_build},
    {{"kscore_model_info", "gauge", "name, version, digest", "The models that score."}, put_model},
    {{"kscore_start_time_seconds", "gauge", "", "When it started, since 1970."}, put_started},
    {{"kscore_ready", "gauge", "", "1 while events are taken."}, put_ready},
    {{"kscore_activity", "gauge", "activity", "What it does: one of these is 1."}, put_activity},
    {{"kscore_loop_age_seconds", "gauge", "worker",
      "Since the worker's loop was last seen to turn."},
     put_turns},
    {{"kscore_records_consumed_total", "counter", "topic, partition",
      "Records taken, again where they were returned."},
     put_consumed},
    {{"kscore_records_total", "counter", "topic, partition, outcome",
      "What became of the records."},
     put_records},
    {{"kscore_records_in_flight", "gauge", "topic, partition",
      "Records taken without an acknowledged outcome."},
     put_in_flight},
    {{"kscore_lag_records", "gauge", "topic, partition",
      "Records of the partition, up to its last stable offset, that are not done."},
     put_lag},
    {{"kscore_downstream_lag_records", "gauge", "group, topic, partition",
      "Scores of the partition that the group has not committed."},
     put_downstream_lag},
    {{"kscore_downstream_stands_seconds", "gauge", "group",
      "For how long the group has committed nothing of what is there; 0: it moves."},
     put_downstream_stands},
    {{"kscore_lag_age_seconds", "gauge", "", "Since the brokers were last heard on lag."},
     put_lag_age},
    {{"kscore_errors_total", "counter", "stage, reason, blame",
      "Dead letters sent, by what was wrong."},
     put_errors},
    {{"kscore_decisions_total", "counter", "decision", "Scores sent, by decision."}, put_decisions},
    {{"kscore_alerts_total", "counter", "", "Alerts that the brokers have."}, put_alerts},
    {{"kscore_alerts_stale_total", "counter", "", "Alerts withheld for their age."},
     put_stale_alerts},
    {{"kscore_commits_total", "counter", "", "Commits that the brokers have."}, put_commits},
    {{"kscore_rewinds_total", "counter", "", "Times that all unfinished was sent again."},
     put_rewinds},
    {{"kscore_event_time_missing_total", "counter", "",
      "Scores with the record's time for want of the event's."},
     put_no_event_time},
    {{"kscore_decode_seconds", "histogram", "", "To decode and bind a batch."}, put_decode},
    {{"kscore_score_seconds", "histogram", "", "To score a batch."}, put_score},
    {{"kscore_freshness_seconds", "histogram", "",
      "From a record's time to its acknowledged outcome; of a batch, its oldest record's."},
     put_freshness},
    {{"kscore_commit_seconds", "histogram", "",
      "From an acknowledged outcome to the commit of its offset."},
     put_commit},
};

size_t observer_metric_rows(struct metric_row *rows, size_t cap)
{
    size_t count = sizeof table / sizeof table[0];

    for (size_t i = 0; i < count && i < cap; i++)
        rows[i] = table[i].row;
    return count;
}

char *observer_metrics(struct observer *observer)
{
    char *text = NULL;
    size_t len = 0;
    struct out o = {open_memstream(&text, &len), observer, &observer->view};
    struct situation facts;
    struct verdict verdict;

    if (!o.file)
        return NULL;
    pthread_mutex_lock(&observer->lock);
    observer_judge(observer, &facts, &verdict);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        fprintf(o.file, "# HELP %s %s\n# TYPE %s %s\n", table[i].row.name, table[i].row.help,
                table[i].row.name, table[i].row.type);
        table[i].put(&o, table[i].row.name);
    }
    pthread_mutex_unlock(&observer->lock);
    fclose(o.file);
    return text;
}
