/* close.c: the way out. Every step has a deadline; what could not be committed is said and becomes
 * exit code 75. */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "pipeline/seat.h"
#include "pipeline/watching.h"

static void summarise(struct pipeline *p)
{
    struct counts total = ledger_total(&p->ledger);
    struct pipeline_summary *s = p->summary;

    s->consumed = total.consumed;
    s->scored = total.scored;
    s->dead = total.dead;
    s->skipped = total.skipped;
    s->returned = total.returned;
    s->alerts = total.alerts;
    s->stale_alerts = total.stale_alerts;
    if (p->consumer)
        s->commits = consumer_commit_count(p->consumer) + p->transaction.commits;
    s->in_flight = 0;
    for (size_t i = 0; i < p->ledger.count; i++) {
        int64_t lowest;
        s->in_flight += ring_in_flight(&p->ring, &p->ledger, (uint32_t)i, &lowest);
    }
}

/* Ours is the fault: what the ledger says is not to be committed. */
static bool is_broken(const struct err *err)
{
    return err->kind == ERR_FATAL && err->exit_code == EXIT_INTERNAL;
}

static void close_consumer(struct pipeline *p, const struct err *err, struct err *late)
{
    enum { CLOSE_MS = 3000 }; /* and 1 s for each client's end: 5 s beyond drain_ms */
    int timeout_ms = (int)(p->config->drain_ms < CLOSE_MS ? p->config->drain_ms : CLOSE_MS);
    struct err second = ERR_INIT;

    seat_close(p);
    if (is_broken(err))
        consumer_abandon(p->consumer);
    else if (consumer_close(p->consumer, timeout_ms, err_is_set(late) ? &second : late) == 0 &&
             p->summary->consumed > 0 && p->config->delivery == DELIVERY_AT_LEAST_ONCE)
        p->summary->commits++; /* the last one, which the client does when it leaves the group */
}

static void say_late(const struct pipeline *p, struct err *late)
{
    if (producer_in_flight(p->producer) > 0)
        err_fatal(
            late, EXIT_AGAIN,
            "%zu outcomes were not acknowledged within drain_ms = %lld: the next start scores "
            "their records again",
            producer_in_flight(p->producer), (long long)p->config->drain_ms);
    else
        err_fatal(
            late, EXIT_AGAIN,
            "the transaction did not end within drain_ms = %lld: unless the brokers commit it "
            "yet, the next start scores its records again",
            (long long)p->config->drain_ms);
}

/* As consumer_close says it of at_least_once. */
static void say_refused(const struct err *refused, struct err *late)
{
    if (err_is_set(refused) && !err_is_set(late))
        err_fatal(late, EXIT_AGAIN,
                  "the last offsets could not be committed (%s): the next start scores their "
                  "records again",
                  refused->text);
}

int pipeline_close(struct pipeline *p, struct err *err)
{
    struct err late;

    p->close_ms = (p->stop_ms ? p->stop_ms : clock_ms()) + p->config->drain_ms;
    if (p->is_open)
        p->commit->settle(p, is_broken(err), p->close_ms);
    late = p->transaction.err;
    batch_drop(p);
    if (p->is_open && !p->commit->is_idle(p))
        say_late(p, &late);
    else
        ring_return_all(&p->ring, &p->ledger);
    say_refused(&p->transaction.refused, &late);
    ring_check(&p->ring, &p->ledger, err);
    summarise(p);
    measure_end(p);
    close_consumer(p, err, &late);
    producer_close(p->producer);
    batch_release(&p->batch);
    watching_close(p);
    decoder_free(p->decoder);
    free(p->transaction.offsets);
    ring_release(&p->ring);
    ledger_release(&p->ledger);
    metrics_release(&p->measures.metrics);
    if (!err_is_set(err) && err_is_set(&late))
        *err = late;
    return err_is_set(err) ? -1 : 0;
}
