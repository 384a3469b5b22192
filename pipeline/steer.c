/* steer.c: everything that makes a pipeline wait, and what lets it go on.
 *
 * A parked partition waits for its schema; a full ring waits for the producer; a failed delivery
 * gives everything unfinished back and seeks; a dependency that is down makes all wait with
 * back-off; an open breaker waits until it may try again. Each is a reason to pause, and one
 * function turns the reasons into pauses.
 */
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "pipeline/seat.h"

enum { FULL_PATIENCE_MS = 250 };

void pipeline_park(struct pipeline *p, uint32_t index, const char *why)
{
    struct part *part = &p->ledger.parts[index];
    char id[SCHEMA_ID_TEXT_MAX];

    part->is_parked = true;
    part->retry_ms = why ? clock_ms() + backoff_ms(&p->backoff, part->tries++) : 0;
    if (!why)
        return;
    schema_id_print(id, part->parked_id, config_has_fingerprints(p->config));
    log_event(LOG_WARNING, "parked", "topic=%s partition=%d schema=%s %s", part->topic,
              part->partition, id, why);
}

void pipeline_unpark(struct pipeline *p)
{
    int64_t now_ms = clock_ms();

    decoder_poll(p->decoder, now_ms);
    for (size_t i = 0; i < p->ledger.count; i++) {
        struct part *part = &p->ledger.parts[i];
        struct err err = ERR_INIT;
        int learnt;
        if (!part->is_parked || part->retry_ms > now_ms)
            continue;
        learnt = decoder_learn(p->decoder, part->parked_id, now_ms, &err);
        if (learnt < 0)
            pipeline_park(p, (uint32_t)i, err.text);
        if (learnt != 0)
            continue;
        part->is_parked = false;
        if (part->tries > 0) /* a schema that came at once is nothing to tell */
            log_event(LOG_INFO, "unparked", "topic=%s partition=%d offset=%lld", part->topic,
                      part->partition, (long long)part->position);
        part->tries = 0;
    }
}

/* The only record of a slot that was alone on its way was refused. */
static void take_refusal(struct pipeline *p, const struct span *span, enum fault fault,
                         const char *text)
{
    const struct refused *r = refusals_add(&p->refusals, span, fault);
    const struct part *part = &p->ledger.parts[span->part];

    log_event(LOG_WARNING, "refused", "topic=%s partition=%d offset=%lld reason=%s %s%s",
              part->topic, part->partition, (long long)span->first, fault_reason(fault), text,
              span->dead ? " (its dead letter)" : "");
    if (span->dead && r->dead_refusals > 2) {
        measure_waiting(p, "kafka", "the smallest dead letter there is was refused");
        backoff_fail(&p->backoff);
        wait_fail(&p->wait, clock_ms());
    }
}

void pipeline_on_report(void *arg, void *tag, enum delivery delivery, const char *text)
{
    struct pipeline *p = arg;
    struct slot *slot = tag;

    slot_acknowledge(slot, delivery == DELIVERY_OK);
    if (delivery == DELIVERY_OK) {
        p->has_heard = true;
        return;
    }
    p->must_rewind = true;
    if (delivery == DELIVERY_DROPPED)
        return;
    p->must_shrink = p->must_shrink || delivery == DELIVERY_TOO_LARGE;
    if (delivery == DELIVERY_FAILED) {
        log_event(LOG_WARNING, "delivery_failed", "%s", text);
        snprintf(p->measures.metrics.why, sizeof p->measures.metrics.why, "kafka: %.200s", text);
        backoff_fail(&p->backoff);
        wait_fail(&p->wait, clock_ms());
    } else if (slot->is_alone) {
        take_refusal(
            p, &slot->spans[0],
            delivery == DELIVERY_TOO_LARGE ? FAULT_PRODUCE_TOO_LARGE : FAULT_PRODUCE_REFUSED, text);
    } else {
        for (size_t i = 0; i < slot->span_count; i++)
            refusals_suspect(&p->refusals, &slot->spans[i]);
    }
}

/* The broker found a batch too large. Where a limit was lowered nobody is to blame: what passes it
 * is known before it is sent, from now on. */
static void shrink(struct pipeline *p)
{
    p->must_shrink = false;
    if (producer_shrink(p->producer))
        refusals_reset(&p->refusals);
}

static void steer_source(struct pipeline *p, bool pause_all)
{
    if (p->seat)
        seat_steer(p, pause_all);
    else
        consumer_steer(p->consumer, pause_all);
}

/* No report is outstanding: everything unfinished goes back, and is sought when the pauses end. */
void pipeline_rewind(struct pipeline *p)
{
    struct counts before = ledger_total(&p->ledger);

    steer_source(p, true);
    p->is_all_paused = true;
    batch_drop(p);
    if (p->seat && p->seat->sink)
        p->seat->sink->drop(p->seat->sink);
    ring_return_all(&p->ring, &p->ledger);
    p->must_rewind = false;
    p->summary->rewinds++;
    if (p->must_shrink)
        shrink(p);
    log_event(LOG_WARNING, "rewound", "returned=%llu suspects=%zu",
              (unsigned long long)(ledger_total(&p->ledger).returned - before.returned),
              p->refusals.suspect_count);
}

bool pipeline_can_send(const struct pipeline *p)
{
    return !p->must_rewind && !backoff_is_waiting(&p->backoff) && p->commit->can_send(p);
}

bool pipeline_can_take(const struct pipeline *p)
{
    return !p->has_unsent && !ring_is_full(&p->ring) && !p->must_rewind && !p->stop_ms &&
           !p->is_all_paused &&
           !(p->refusals.suspect_count > 0 && producer_in_flight(p->producer) > 0);
}

/* Pausing throws the client's prefetch away: a full ring pauses only after 250 ms, and until it is
 * half empty. */
static bool is_full(struct pipeline *p)
{
    bool has_room = !p->has_unsent && !ring_is_full(&p->ring);

    if (p->is_full_paused)
        return p->is_full_paused = p->has_unsent || p->ring.count > RING_SLOTS / 2;
    if (has_room) {
        p->full_since_ms = 0;
        return false;
    }
    if (p->full_since_ms == 0)
        p->full_since_ms = clock_ms();
    if (clock_ms() - p->full_since_ms < FULL_PATIENCE_MS)
        return false;
    log_event(LOG_INFO, "full", "in_flight=%zu waiting for the output topics",
              producer_in_flight(p->producer));
    return p->is_full_paused = true;
}

void pipeline_steer(struct pipeline *p)
{
    refusals_forget_past(&p->refusals, &p->ledger);
    p->is_all_paused = is_full(p) || backoff_is_waiting(&p->backoff) || p->must_rewind ||
                       p->stop_ms != 0 || p->breaker.state == BREAKER_OPEN;
    steer_source(p, p->is_all_paused);
}

void pipeline_on_assigned(void *arg)
{
    struct pipeline *p = arg;

    p->revoked_ms = 0;
    if (p->assigned_ms != 0)
        return;
    p->assigned_ms = clock_ms();
    log_event(LOG_INFO, "ready", "name=%s model=%s version=%s", p->config->name, p->bundle->name,
              p->bundle->version);
    if (p->shared->options->progress)
        atomic_fetch_add(&p->shared->options->progress->ready_workers, 1);
}

/* A batch that is half sent: the rest of it, too, else the first half would come twice. */
static void send_rest(struct pipeline *p, int64_t deadline_ms)
{
    struct err err = ERR_INIT; /* what it met, the next sending meets again */

    while (batch_is_begun(p) && pipeline_can_send(p) && clock_ms() < deadline_ms) {
        if (batch_send(p, &err) || err_is_set(&err))
            return;
        producer_flush(p->producer, 50);
    }
}

/* Partitions go: what is on its way is waited for within a bound below the session's time-out, the
 * rest is returned. */
bool pipeline_on_revoking(void *arg, bool is_lost)
{
    enum { DRAIN_MS = 5000 };
    struct pipeline *p = arg;
    int64_t deadline_ms = clock_ms() + (is_lost ? 0 : DRAIN_MS);

    if (p->close_ms != 0 && p->close_ms < deadline_ms)
        deadline_ms = p->close_ms;
    if (p->revoked_ms == 0)
        p->revoked_ms = clock_ms();
    if (!is_lost)
        send_rest(p, deadline_ms);
    p->commit->settle(p, is_lost, deadline_ms);
    err_reset(&p->transaction.refused); /* whose they are now commits them */
    /* Reports may still come for what is given up here: its slots must stay until they did. */
    batch_drop(p);
    while (producer_in_flight(p->producer) > 0 && clock_ms() < deadline_ms)
        producer_flush(p->producer, 50);
    if (!p->commit->is_idle(p)) {
        p->must_rewind = true;
        return false;
    }
    ring_return_all(&p->ring, &p->ledger);
    return true;
}
