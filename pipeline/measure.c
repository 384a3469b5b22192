#include "pipeline/measure.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/kafka_throttle.h"
#include "core/log.h"
#include "core/schema_id.h"
#include "pipeline/state.h"

enum { PUBLISH_MS = 200 };

void measure_model(struct model_metrics *model, const struct bundle *bundle)
{
    snprintf(model->name, sizeof model->name, "%s", bundle->name);
    snprintf(model->version, sizeof model->version, "%s", bundle->version);
    snprintf(model->digest, sizeof model->digest, "%s", bundle->digest);
    model->since_ms = clock_wall_ms();
}

void measure_bundle(struct pipeline *p)
{
    struct measures *s = &p->measures;
    const struct bundle *bundle = p->bundle;

    measure_model(&s->metrics.model, bundle);
    for (size_t i = 0; i <= bundle->threshold_count; i++) {
        const char *name = bundle_decision_name(bundle, i);
        s->decision_slots[i] = name ? metrics_decision(&s->metrics, name) : METRICS_DECISIONS;
    }
}

/* The configuration's text of it, which outlives the worker. */
static const char *topic_of(const struct pipeline *p, const char *name)
{
    for (size_t t = 0; t < p->config->topic_count; t++)
        if (strcmp(p->config->topics[t], name) == 0)
            return p->config->topics[t];
    return NULL;
}

bool measure_fault(struct pipeline *p, const struct record *r, enum fault fault, int64_t schema_id,
                   const char *message)
{
    struct place place = {topic_of(p, r->topic), r->partition, r->offset, clock_wall_ms()};
    struct fault_metrics *f = metrics_fault(&p->measures.metrics, fault, schema_id, &place);

    if (f && p->shared->options->board)
        metrics_fallout(&p->measures.metrics, board_change(p->shared->options->board), f);
    if (!f || f->count > 1)
        return false;
    snprintf(f->message, sizeof f->message, "%.*s", (int)sizeof f->message - 1, message);
    return true;
}

void measure_waiting(struct pipeline *p, const char *what, const char *text)
{
    log_event(LOG_WARNING, "waiting", "for=%s %s", what, text);
    snprintf(p->measures.metrics.why, sizeof p->measures.metrics.why, "%s: %.*s", what, 200, text);
}

void measure_retired(struct pipeline *p, size_t head, size_t retired)
{
    struct metrics *m = &p->measures.metrics;
    int64_t now_ms = clock_wall_ms();

    if (p->measures.uncommitted_ms == 0)
        p->measures.uncommitted_ms = clock_ms();
    for (size_t i = 0; i < retired; i++) {
        const struct slot *slot = &p->ring.slots[(head + i) % RING_SLOTS];
        double age_s = (double)(now_ms - slot->oldest_ms) / 1000;
        if (slot->oldest_ms < 0)
            continue;
        histogram_add(&m->freshness, age_s, slot->record_count);
        if (age_s < 0)
            m->ahead_sum -= age_s * (double)slot->record_count;
    }
}

/* In one pass over the ring, for there may be a thousand partitions. */
static void take_in_flight(struct pipeline *p, struct part_metrics *parts)
{
    for (size_t i = 0; i < p->ring.count; i++) {
        const struct slot *slot = &p->ring.slots[(p->ring.head + i) % RING_SLOTS];
        for (size_t k = 0; k < slot->span_count; k++)
            parts[slot->spans[k].part].in_flight += slot->spans[k].count;
    }
}

static void take_parts(struct pipeline *p)
{
    struct part_metrics *parts = metrics_parts(&p->measures.metrics, p->ledger.count);

    for (size_t i = 0; i < p->ledger.count; i++) {
        const struct part *from = &p->ledger.parts[i];
        struct part_metrics *to = &parts[i];
        if (from->done != to->done || to->moved_ms == 0)
            to->moved_ms = clock_ms();
        if (!to->topic)
            to->topic = topic_of(p, from->topic);
        to->partition = from->partition;
        to->is_owned = from->is_owned;
        to->is_parked = from->is_parked;
        to->consumed = from->counts.consumed;
        to->scored = from->counts.scored;
        to->dead = from->counts.dead;
        to->skipped = from->counts.skipped;
        to->returned = from->counts.returned;
        to->in_flight = 0;
        to->position = from->position;
        to->done = from->done;
    }
    take_in_flight(p, parts);
}

/* The first that waits for its schema, in vain so far. */
static const struct part *parked(const struct pipeline *p)
{
    for (size_t i = 0; i < p->ledger.count; i++) {
        const struct part *part = &p->ledger.parts[i];
        if (part->is_owned && part->is_parked && part->tries > 0)
            return part;
    }
    return NULL;
}

static bool owns_something(const struct pipeline *p)
{
    for (size_t i = 0; i < p->ledger.count; i++)
        if (p->ledger.parts[i].is_owned)
            return true;
    return false;
}

/* Since when it has been a member that no partition comes to: brokers that hang end the session,
 * and who has nothing on its way misses them by that alone. A rebalance takes less. 0: it is not
 * so. */
static int64_t adrift_ms(const struct pipeline *p)
{
    enum { REBALANCE_MS = 5000 };

    if (p->consumer && consumer_is_asking(p->consumer))
        return p->revoked_ms ? p->revoked_ms : clock_ms();
    return p->revoked_ms && clock_ms() - p->revoked_ms >= REBALANCE_MS && !owns_something(p)
               ? p->revoked_ms
               : 0;
}

static void take_quota(struct pipeline *p)
{
    const char *writing = p->producer ? producer_throttler(p->producer) : NULL;
    const char *reading = p->consumer ? consumer_throttler(p->consumer) : NULL;
    const char *who = writing ? "producer" : "consumer";
    struct metrics *m = &p->measures.metrics;

    *m->quota = '\0';
    if (writing || reading)
        snprintf(m->quota, sizeof m->quota, KAFKA_THROTTLE_TEXT, writing ? writing : reading, who,
                 who);
}

static void judge_activity(struct pipeline *p)
{
    struct metrics *m = &p->measures.metrics;
    const struct part *waiting = parked(p);
    enum activity before = m->activity;
    int64_t adrift = adrift_ms(p), begun_ms = 0; /* clock_ms, 0: now */

    if (p->stop_ms || p->close_ms) {
        m->activity = ACTIVITY_DRAINING;
        snprintf(m->why, sizeof m->why, "told to stop");
    } else if (p->assigned_ms == 0) {
        m->activity = ACTIVITY_STARTING;
        if (!*m->why)
            snprintf(m->why, sizeof m->why, "no partitions are assigned yet");
    } else if (p->breaker.is_tripped) {
        m->activity = ACTIVITY_BREAKER;
        snprintf(m->why, sizeof m->why, "%s", p->why);
    } else if (wait_is_on(&p->wait)) {
        m->activity = ACTIVITY_WAITING;
        begun_ms = p->wait.since_ms;
    } else if (adrift) {
        m->activity = ACTIVITY_WAITING;
        begun_ms = adrift;
        snprintf(m->why, sizeof m->why, "kafka: %s",
                 consumer_is_asking(p->consumer) ? "where to begin is still asked for"
                                                 : "the group assigns no partitions");
    } else if (waiting) {
        char id[SCHEMA_ID_TEXT_MAX];
        m->activity = ACTIVITY_WAITING;
        schema_id_print(id, waiting->parked_id, config_has_fingerprints(p->config));
        snprintf(m->why, sizeof m->why, "schema %s of %s-%d", id, waiting->topic,
                 waiting->partition);
    } else if (p->is_full_paused) {
        m->activity = ACTIVITY_FULL;
        snprintf(m->why, sizeof m->why, "the output topics take less than comes in%s%.200s",
                 producer_throttler(p->producer) ? ": " : "",
                 producer_throttler(p->producer) ? m->quota : "");
    } else {
        m->activity = ACTIVITY_RUNNING;
        *m->why = '\0';
    }
    if (m->activity != before || m->since_ms == 0)
        m->since_ms = clock_wall_ms() - (begun_ms ? clock_ms() - begun_ms : 0);
}

/* How long what is done waits to be committed. */
static void time_commits(struct pipeline *p)
{
    struct measures *s = &p->measures;
    uint64_t commits = p->consumer ? consumer_commit_count(p->consumer) + p->transaction.commits
                                   : p->transaction.commits;

    if (commits > s->commits && s->uncommitted_ms)
        histogram_add(&s->metrics.commit, (double)(clock_ms() - s->uncommitted_ms) / 1000, 1);
    if (commits > s->commits)
        s->uncommitted_ms = 0;
    s->metrics.commits = s->commits = commits;
}

/* Who has no partition any more has old scores, and the others newer ones. */
static void take_scores(struct pipeline *p)
{
    struct score_metrics *scores = &p->measures.metrics.scores;
    struct watch_report report;

    metrics_forget_scores(&p->measures.metrics);
    if (!p->watch || !owns_something(p))
        return;
    watch_report(p->watch, &report);
    scores->rows = report.score_count;
    for (size_t i = 0; i < METRICS_QUANTILES; i++) {
        scores->now[i] = report.scores_now[i];
        scores->before[i] = report.scores_before[i];
    }
}

static void publish(struct pipeline *p)
{
    struct metrics *m = &p->measures.metrics;
    struct counts total = ledger_total(&p->ledger);

    p->measures.published_ms = clock_ms();
    take_parts(p);
    take_scores(p);
    take_quota(p);
    judge_activity(p);
    m->alerts = total.alerts;
    m->stale_alerts = total.stale_alerts;
    m->rewinds = p->summary->rewinds;
    m->no_event_time = p->summary->no_event_time;
    board_publish(p->shared->options->board, p->worker, m);
}

void measure_turn(struct pipeline *p)
{
    time_commits(p);
    if (p->shared->options->board && clock_ms() - p->measures.published_ms >= PUBLISH_MS)
        publish(p);
}

void measure_end(struct pipeline *p)
{
    if (p->shared->options->board)
        publish(p);
}
