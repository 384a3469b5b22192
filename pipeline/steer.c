/* steer.c: everything that makes a pipeline wait, and what lets it go on.
 *
 * A parked partition waits for its schema; a full ring waits for the producer; a failed delivery
 * gives everything unfinished back and seeks; a dependency that is down makes all wait with
 * back-off. Each is a reason to pause, and one function turns the reasons into pauses.
 */
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "pipeline/state.h"

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 2000, FULL_PATIENCE_MS = 250 };

/* Doubling from 100 ms to 2 s, the upper half at random (xorshift64), so that instances do not come
 * back together. */
int64_t backoff_ms(struct pipeline *p, unsigned tries)
{
    int64_t full = tries < 5 ? (int64_t)BACKOFF_FIRST_MS << tries : BACKOFF_MAX_MS;

    p->rng ^= p->rng << 13;
    p->rng ^= p->rng >> 7;
    p->rng ^= p->rng << 17;
    return full / 2 + (int64_t)(p->rng % (uint64_t)(full / 2 + 1));
}

void park(struct pipeline *p, uint32_t index, int64_t schema_id, const char *why)
{
    struct part *part = &p->ledger.parts[index];
    char id[SCHEMA_ID_TEXT_MAX];

    if (!part->is_parked)
        p->parked_count++;
    part->is_parked = true;
    part->parked_id = schema_id;
    part->retry_ms = clock_ms() + backoff_ms(p, part->tries++);
    schema_id_print(id, schema_id, config_has_fingerprints(p->config));
    log_event(LOG_WARNING, "parked", "topic=%s partition=%d schema=%s %s", part->topic,
              part->partition, id, why);
}

void unpark_due(struct pipeline *p)
{
    int64_t now_ms = p->parked_count ? clock_ms() : 0;

    for (size_t i = 0; p->parked_count && i < p->ledger.count; i++) {
        struct part *part = &p->ledger.parts[i];
        struct err err = ERR_INIT;
        if (!part->is_parked || part->retry_ms > now_ms)
            continue;
        if (decoder_learn(p->decoder, part->parked_id, now_ms, &err) != 0) {
            pipeline_fail(p, (uint32_t)i, &err);
            continue;
        }
        part->is_parked = false;
        part->tries = 0;
        p->parked_count--;
        log_event(LOG_INFO, "unparked", "topic=%s partition=%d offset=%lld", part->topic,
                  part->partition, (long long)part->position);
    }
}

const struct refused *refused_find(const struct pipeline *p, uint32_t part, int64_t offset)
{
    for (size_t i = 0; i < p->refused_count; i++)
        if (p->refused[i].part == part && p->refused[i].offset == offset)
            return &p->refused[i];
    return NULL;
}

static void wait_for(struct pipeline *p, const char *event, const char *text)
{
    p->wait_until_ms = clock_ms() + backoff_ms(p, p->tries++);
    log_event(LOG_WARNING, event, "%s", text);
}

/* The culprit is known by its coordinates. Full table: the oldest goes; its span would be sent one
 * by one again. */
static void remember_refused(struct pipeline *p, const struct span *span, enum fault fault)
{
    struct refused *r = (struct refused *)refused_find(p, span->part, span->first);
    const struct part *part = &p->ledger.parts[span->part];

    if (!r) {
        if (p->refused_count == REFUSED_MAX)
            memmove(p->refused, p->refused + 1, --p->refused_count * sizeof p->refused[0]);
        r = &p->refused[p->refused_count++];
        *r = (struct refused){span->part, span->epoch, span->first, FAULT_NONE, 0};
    }
    log_event(LOG_WARNING, "refused", "topic=%s partition=%d offset=%lld reason=%s%s", part->topic,
              part->partition, (long long)span->first, fault_reason(fault),
              span->dead ? " its dead letter" : "");
    if (!span->dead)
        r->fault = fault;
    else if (++r->dead_refusals > 2)
        wait_for(p, "waiting", "for=kafka the smallest dead letter there is was refused");
}

static void remember_suspect(struct pipeline *p, const struct span *span)
{
    for (size_t i = 0; i < p->suspect_count; i++) {
        struct suspect *s = &p->suspects[i];
        if (s->part == span->part && s->epoch == span->epoch) {
            s->first = span->first < s->first ? span->first : s->first;
            s->end = span->end > s->end ? span->end : s->end;
            return;
        }
    }
    if (p->suspect_count < SUSPECT_MAX)
        p->suspects[p->suspect_count++] =
            (struct suspect){span->part, span->epoch, span->first, span->end};
}

/* Whether everything before `end` of that assignment has its outcome, or is not ours to give. */
static bool is_past(const struct pipeline *p, uint32_t index, uint32_t epoch, int64_t end)
{
    const struct part *part = &p->ledger.parts[index];

    return !part->is_owned || part->epoch != epoch || part->done >= end;
}

/* What was suspect or refused and is done is cleared; the refused in their order, oldest first. */
static void forget_past(struct pipeline *p)
{
    size_t kept = 0;

    for (size_t i = p->suspect_count; i-- > 0;)
        if (is_past(p, p->suspects[i].part, p->suspects[i].epoch, p->suspects[i].end))
            p->suspects[i] = p->suspects[--p->suspect_count];
    for (size_t i = 0; i < p->refused_count; i++)
        if (!is_past(p, p->refused[i].part, p->refused[i].epoch, p->refused[i].offset + 1))
            p->refused[kept++] = p->refused[i];
    p->refused_count = kept;
}

void pipeline_on_report(void *arg, void *tag, enum delivery delivery, const char *text)
{
    struct pipeline *p = arg;
    struct slot *slot = tag;

    slot_acknowledge(slot, delivery == DELIVERY_OK);
    if (delivery == DELIVERY_OK)
        return;
    p->must_rewind = true;
    p->must_shrink = p->must_shrink || delivery == DELIVERY_TOO_LARGE;
    if (delivery == DELIVERY_FAILED) {
        wait_for(p, "delivery_failed", text);
    } else if (slot->is_alone) {
        remember_refused(p, &slot->spans[0],
                         delivery == DELIVERY_TOO_LARGE ? FAULT_PRODUCE_TOO_LARGE
                                                        : FAULT_PRODUCE_REFUSED);
    } else {
        for (size_t i = 0; i < slot->span_count; i++)
            remember_suspect(p, &slot->spans[i]);
    }
}

/* The broker found a batch too large. Where a limit was lowered nobody is to blame: what passes it
 * is known before it is sent, from now on. */
static void shrink(struct pipeline *p)
{
    p->must_shrink = false;
    if (producer_shrink(p->producer))
        p->suspect_count = p->refused_count = 0;
}

/* No report is outstanding: everything unfinished goes back, and is sought when the pauses end. */
void pipeline_rewind(struct pipeline *p)
{
    struct counts before = ledger_total(&p->ledger);

    consumer_steer(p->consumer, true);
    p->is_all_paused = true;
    if (p->has_unsent)
        batch_drop(p);
    ring_return_all(&p->ring, &p->ledger);
    p->must_rewind = false;
    p->summary->rewinds++;
    producer_refresh(p->producer);
    if (p->must_shrink)
        shrink(p);
    log_event(LOG_WARNING, "rewound", "returned=%llu suspects=%zu",
              (unsigned long long)(ledger_total(&p->ledger).returned - before.returned),
              p->suspect_count);
}

bool pipeline_can_send(const struct pipeline *p)
{
    return !p->must_rewind && clock_ms() >= p->wait_until_ms;
}

bool pipeline_can_take(const struct pipeline *p)
{
    return !p->has_unsent && !ring_is_full(&p->ring) && !p->must_rewind && !p->stop_ms &&
           !p->is_all_paused && !(p->suspect_count > 0 && producer_in_flight(p->producer) > 0);
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
    bool is_waiting = p->wait_until_ms != 0 && clock_ms() < p->wait_until_ms;

    if (p->suspect_count > 0 || p->refused_count > 0)
        forget_past(p);
    p->is_all_paused = is_full(p) || is_waiting || p->must_rewind || p->stop_ms != 0;
    consumer_steer(p->consumer, p->is_all_paused);
}

void pipeline_on_assigned(void *arg)
{
    struct pipeline *p = arg;

    p->parked_count = 0;
    if (p->was_ready)
        return;
    p->was_ready = true;
    p->assigned_ms = clock_ms();
    log_event(LOG_INFO, "ready", "name=%s model=%s version=%s", p->config->name, p->bundle->name,
              p->bundle->version);
    if (p->options->progress)
        atomic_store(&p->options->progress->is_ready, 1);
}

/* Partitions go: what is on its way is waited for within a bound below the session's time-out, the
 * rest is returned. */
void pipeline_on_revoking(void *arg, bool is_lost)
{
    enum { DRAIN_MS = 5000 };
    struct pipeline *p = arg;
    int64_t deadline_ms = clock_ms() + (is_lost ? 0 : DRAIN_MS);

    if (p->close_ms != 0 && p->close_ms < deadline_ms)
        deadline_ms = p->close_ms;
    while (!p->must_rewind && producer_in_flight(p->producer) > 0 && clock_ms() < deadline_ms)
        producer_flush(p->producer, 50);
    ring_retire(&p->ring, &p->ledger);
    /* Reports may still come for what is given up here: its slots must stay until they did. */
    if (p->has_unsent)
        batch_drop(p);
    while (producer_in_flight(p->producer) > 0 && clock_ms() < deadline_ms)
        producer_flush(p->producer, 50);
    if (producer_in_flight(p->producer) == 0)
        ring_return_all(&p->ring, &p->ledger);
    else
        p->must_rewind = true;
    p->parked_count = 0;
}
