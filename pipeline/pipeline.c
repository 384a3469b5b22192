#include "pipeline/state.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/redriving.h"
#include "pipeline/watching.h"

int pipeline_fail(struct pipeline *p, struct err *err)
{
    switch (err->kind) {
    case ERR_NONE: return 0;
    case ERR_RECORD: /* a record's failure is an outcome, not an error: one that gets here is our
                        bug */
        err->kind = ERR_FATAL;
        err->exit_code = EXIT_INTERNAL;
        return -1;
    case ERR_DEPENDENCY:
        measure_waiting(p, "kafka", err->text);
        backoff_fail(&p->backoff);
        wait_fail(&p->wait, clock_ms());
        err_reset(err);
        return 0;
    case ERR_FATAL: return -1;
    }
    return -1;
}

bool pipeline_take_ends(struct pipeline *p)
{
    enum { ENDS_MS = 100 };
    bool has_moved = false;

    if (clock_ms() - p->ends_checked_ms < ENDS_MS)
        return false;
    p->ends_checked_ms = clock_ms();
    for (size_t i = 0; i < p->ledger.count; i++) {
        struct part *part = &p->ledger.parts[i];
        int64_t lowest;
        if (part->end == OFFSET_NONE || !part->is_owned || part->is_parked || part->is_ahead ||
            part->end < part->position ||
            ring_in_flight(&p->ring, &p->ledger, (uint32_t)i, &lowest) > 0)
            continue;
        has_moved = has_moved || part->done != part->end;
        part->done = part->position = part->end;
        part->end = OFFSET_NONE;
    }
    return has_moved;
}

/* What has changed since the last turn: others add theirs. */
static void publish_progress(struct pipeline *p)
{
    struct pipeline_progress *progress = p->shared->options->progress;
    struct counts now, *before = &p->published;

    if (!progress)
        return;
    now = ledger_total(&p->ledger);
    atomic_fetch_add_explicit(&progress->consumed, now.consumed - before->consumed,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&progress->scored, now.scored - before->scored, memory_order_relaxed);
    atomic_fetch_add_explicit(&progress->dead, now.dead - before->dead, memory_order_relaxed);
    atomic_fetch_add_explicit(&progress->skipped, now.skipped - before->skipped,
                              memory_order_relaxed);
    *before = now;
}

size_t pipeline_retire(struct pipeline *p)
{
    size_t head = p->ring.head, retired = ring_retire(&p->ring, &p->ledger);

    if (retired == 0)
        return 0;
    measure_retired(p, head, retired);
    p->backoff.tries = 0;
    wait_move(&p->wait, clock_ms());
    if (p->summary->first_score_ms < 0)
        p->summary->first_score_ms = clock_ms() - p->assigned_ms;
    return retired;
}

void pipeline_await_reports(struct pipeline *p, int64_t deadline_ms)
{
    while (!p->must_rewind && producer_in_flight(p->producer) > 0 && clock_ms() < deadline_ms)
        producer_flush(p->producer, 50);
}

/* Answers are due: of outcomes, of a transaction's end. */
static bool is_expecting(const struct pipeline *p)
{
    return producer_in_flight(p->producer) > 0 || p->transaction.state > TRANSACTION_OPEN;
}

/* What is waited for is said by name, and so is its end. */
static void watch(struct pipeline *p)
{
    int64_t now_ms = clock_ms(), lasted_ms;
    struct err why = ERR_INIT;
    bool is_stalled;

    if (!p->producer)
        return;
    if (p->has_heard) /* once a turn: there is a report for each record */
        wait_hear(&p->wait, now_ms);
    p->has_heard = false;
    is_stalled = wait_is_stalled(&p->wait, is_expecting(p), now_ms);
    if (producer_throttler(p->producer))
        wait_hold(&p->wait, now_ms);
    if (is_stalled || wait_is_on(&p->wait))
        producer_refresh(p->producer, &why);
    if (err_is_set(&why))
        measure_waiting(p, "kafka", why.text);
    if (wait_is_over(&p->wait, now_ms, &lasted_ms))
        log_event(LOG_INFO, "recovered", "for=kafka waited_ms=%lld", (long long)lasted_ms);
}

bool pipeline_is_done(struct pipeline *p)
{
    if (p->seat && seat_is_over(p))
        return true;
    if (!shared_is_stopping(p->shared))
        return false;
    if (p->stop_ms == 0) {
        p->stop_ms = clock_ms();
        log_event(LOG_INFO, "stopping", "in_flight=%zu drain_ms=%lld",
                  producer_in_flight(p->producer), (long long)p->config->drain_ms);
    }
    return (!p->has_unsent && p->commit->is_idle(p)) ||
           clock_ms() - p->stop_ms >= p->config->drain_ms;
}

int pipeline_turn(struct pipeline *p, struct err *err)
{
    int took;

    producer_poll(p->producer, 0); /* reports count slots down; a failure asks for a rewind */
    pipeline_unpark(p);
    if (p->commit->step(p, err) != 0 && pipeline_fail(p, err) != 0)
        return -1;
    publish_progress(p);
    measure_turn(p);
    watch(p);
    if (p->must_rewind && p->commit->is_idle(p))
        pipeline_rewind(p);
    if (p->has_unsent && pipeline_can_send(p) && !batch_send(p, err) && pipeline_fail(p, err) != 0)
        return -1;
    pipeline_look_at_breaker(p);
    pipeline_steer(p); /* behind the sending: what is unsent now did not fit */
    changeover_turn(p);
    if (!pipeline_can_take(p) && !p->is_all_paused) {
        /* waits without consuming: a pause would throw the prefetch away */
        producer_flush(p->producer, 5);
        return 0;
    }
    took = pipeline_can_take(p) ? batch_take(p, err) : batch_discard(p, err);
    if (took < 0 && pipeline_fail(p, err) != 0)
        return -1;
    watching_turn(p);
    if (took == 0 && producer_in_flight(p->producer) > 0)
        producer_flush(p->producer, 1); /* the input ran dry: what lingers goes out now */
    return 0;
}

void pipeline_init(struct pipeline *p, const struct shared *shared, unsigned worker,
                   struct pipeline_summary *summary)
{
    *summary = (struct pipeline_summary){.first_score_ms = -1};
    *p = (struct pipeline){
        .shared = shared,
        .worker = worker,
        .config = shared->config,
        .bundle = shared->bundle,
        .alerts = shared->alerts,
        .model_count = 1,
        .provenance = {shared->bundle->name, shared->bundle->version, shared->bundle->digest,
                       shared->run, worker,
                       shared->replay ? shared->replay->options->mode : SCORE_LIVE},
        .commit = shared->replay && shared->replay->redrive           ? &commit_redrive
                  : shared->replay                                    ? &commit_replay
                  : shared->config->delivery == DELIVERY_EXACTLY_ONCE ? &commit_exactly_once
                                                                      : &commit_at_least_once,
        .summary = summary};
    measure_bundle(p);
    backoff_init(&p->backoff, worker);
    ledger_init(&p->ledger);
    ring_init(&p->ring);
    breaker_init(&p->breaker, p->config, clock_ms());
}

int pipeline_work(const struct shared *shared, unsigned worker, struct pipeline_summary *summary,
                  struct err *err)
{
    struct pipeline *p = mem_alloc(1, sizeof *p);
    int result;

    pipeline_init(p, shared, worker, summary);
    result = pipeline_start(p, err);
    while (result == 0 && p->is_open && !pipeline_is_done(p))
        result = pipeline_turn(p, err);
    if (pipeline_close(p, err) != 0)
        result = -1;
    free(p);
    return result;
}
