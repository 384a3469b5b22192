/* exactly_once.c: outcomes and offsets of many batches in one transaction.
 *
 *   NONE -> OPEN -> ENDING -> COMMITTING -> NONE      the ring retires when it is committed
 *             \________\__________\-> ABORTING -> NONE  what was in it is returned, and read again
 *   any -> DEAD -> (ASKING ->) INITIAL -> NONE     a new producer
 *
 * Slots stay in the ring until their transaction is committed, so that an abort is what a failed
 * delivery is: a rewind. Offsets are sent when every outcome before them is acknowledged; what is
 * parked, or not sent yet, is not among them. The group's generation goes with them: a member that
 * lost its partitions cannot commit (KIP-447). Calls wait for a slice of time, and the loop turns
 * between them.
 */
#include <stdlib.h>

#include "core/clock.h"
#include "core/kafka_conf.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/state.h"
#include "producer/transaction.h"

/* One that takes so long to end, or is so old, is aborted: at KAFKA_TRANSACTION_MS it would cost
 * the producer. */
enum { SLICE_MS = 500, END_MS = 10000, OLD_MS = 20000 };

/* An abort that takes longer costs the producer: librdkafka 2.16 was seen to wait for a new epoch
 * for 160 s after the broker that had slept was back, and for the offsets for 4 minutes, until its
 * connections broke. A new one fences it: its init aborts what is open, and what comes later of the
 * old one is refused for its epoch.
 */
enum { ABORT_MS = 20000 };

/* ---- what calls say */

/* A second producer with our id, unless the brokers gave our transaction up for its age: once. */
static int take_fence(struct pipeline *p, struct err *err)
{
    struct transaction *t = &p->transaction;
    bool is_old = t->begun_ms != 0 && clock_ms() - t->begun_ms >= KAFKA_TRANSACTION_MS;
    struct err said = *err;

    if (is_old && !t->is_fenced) {
        t->is_fenced = true;
        return 0;
    }
    err_reset(err); /* the first error wins: this one says more than the call's */
    return err_fatal(err, EXIT_AGAIN,
                     "another process runs with [kscore] instance = %s in group %s; each needs its "
                     "own (%s)",
                     p->config->instance, config_group(p->config), said.text);
}

/* False: it did what it should. True: the state is set, *result is the step's. */
static bool has_failed(struct pipeline *p, enum transacted said, struct err *err, int *result)
{
    struct transaction *t = &p->transaction;

    *result = 0;
    if (said == TRANSACTED)
        return false;
    if (said == TRANSACT_FENCED && take_fence(p, err) != 0) {
        t->state = TRANSACTION_DEAD;
        *result = -1;
        return true;
    }
    if (p->assigned_ms == 0 && err->kind == ERR_FATAL) { /* denied, and not ready yet */
        *result = -1;
        return true;
    }
    if (said == TRANSACT_AGAIN) { /* a slice of time; whoever watches sees when it takes long */
        if (wait_is_on(&p->wait))
            measure_waiting(p, "kafka", err->text);
        err_reset(err);
        return true;
    }
    if (said == TRANSACT_ABORT && t->state == TRANSACTION_ENDING)
        t->refused = *err;
    log_event(LOG_WARNING, said == TRANSACT_ABORT ? "delivery_failed" : "waiting", "%s%s",
              said == TRANSACT_ABORT ? "" : "for=kafka ", err->text);
    err_reset(err);
    backoff_fail(&p->backoff);
    wait_fail(&p->wait, clock_ms());
    /* Whether a commit that was asked for came to pass is the group's to say. */
    t->must_ask = t->must_ask || said == TRANSACT_FENCED || t->state == TRANSACTION_COMMITTING;
    t->state = said == TRANSACT_ABORT ? TRANSACTION_ABORTING : TRANSACTION_DEAD;
    return true;
}

/* ---- how much a transaction holds */

static bool is_late(const struct transaction *t)
{
    return clock_ms() - t->begun_ms >= OLD_MS ||
           (t->state == TRANSACTION_ENDING && clock_ms() - t->ending_ms >= END_MS);
}

/* Where two in a row are late the brokers are too slow for what they hold: read again in halves, it
 * gets through. The first may have waited for brokers that were away, which says nothing of its
 * size, and small ones would be long in catching up. */
static void hold_less(struct pipeline *p)
{
    struct transaction *t = &p->transaction;
    uint64_t records = ring_records(&p->ring);

    if (records == 0) /* it was for an end of a partition */
        return;
    if (t->was_late)
        t->rows = records < 2 ? 1 : records / 2 < t->rows ? records / 2 : t->rows;
    t->was_late = true;
    log_event(
        LOG_WARNING, "waiting",
        "for=kafka a transaction of %llu records is %lld s old and has not ended; the next one "
        "holds %llu at most",
        (unsigned long long)records, (long long)(clock_ms() - t->begun_ms) / 1000,
        (unsigned long long)t->rows);
}

/* Behind one that was half full at least, and took a quarter of its time to end at most. By a
 * quarter: what is too much costs 10 s and all its records once more. */
static void hold_more(struct pipeline *p)
{
    struct transaction *t = &p->transaction;
    uint64_t all = (uint64_t)p->config->transaction_rows, more = t->rows + t->rows / 4 + 1;

    if (clock_ms() - t->ending_ms < END_MS / 4 && ring_records(&p->ring) >= t->rows / 2)
        t->rows = more < all ? more : all;
}

/* ---- one step of each state */

static void start_end(struct transaction *t)
{
    t->state = TRANSACTION_ENDING;
    t->ending_ms = clock_ms();
}

static void end(struct transaction *t)
{
    t->state = TRANSACTION_NONE;
    t->must_ask = false;
    t->begun_ms = t->aborting_ms = 0;
    t->ended_ms = clock_ms();
}

/* No transaction is open, and offsets of no record (pipeline_take_ends) are not committed. */
static bool has_ends(const struct pipeline *p)
{
    for (size_t i = 0; i < p->ledger.count; i++)
        if (p->ledger.parts[i].is_owned && p->ledger.parts[i].done != p->ledger.parts[i].committed)
            return true;
    return false;
}

/* When there is something to send, or ends wait for a commit. */
static int begin(struct pipeline *p, struct err *err)
{
    struct transaction *t = &p->transaction;
    bool is_due = clock_ms() - t->ended_ms >= p->config->transaction_ms && has_ends(p);
    int result;

    if (p->must_rewind || backoff_is_waiting(&p->backoff) || (!p->has_unsent && !is_due))
        return 0;
    if (!producer_can_begin(p->producer)) { /* it was renewed for the topics' limits */
        t->state = TRANSACTION_INITIAL;
        return 0;
    }
    if (has_failed(p, producer_begin(p->producer, err), err, &result))
        return result;
    t->state = TRANSACTION_OPEN;
    t->begun_ms = clock_ms();
    if (!p->has_unsent)
        start_end(t);
    return 0;
}

static bool is_due(const struct pipeline *p)
{
    return !batch_is_begun(p) &&
           (clock_ms() - p->transaction.begun_ms >= p->config->transaction_ms ||
            ring_records(&p->ring) >= p->transaction.rows || ring_is_full(&p->ring) ||
            (p->stop_ms != 0 && !p->has_unsent));
}

/* What the brokers do not have yet. */
static void collect(struct pipeline *p)
{
    struct transaction *t = &p->transaction;

    t->count = 0;
    for (uint32_t i = 0; i < p->ledger.count; i++) {
        const struct part *part = &p->ledger.parts[i];
        int64_t next = part->is_owned ? ring_next(&p->ring, &p->ledger, i) : part->committed;
        if (next == part->committed)
            continue;
        t->offsets = mem_grow(t->offsets, t->count, &t->cap, sizeof *t->offsets);
        t->offsets[t->count++] = (struct offset){part->topic, part->partition, next};
    }
}

/* Once all outcomes are acknowledged. True: they are on their way. */
static bool start_offsets(struct pipeline *p)
{
    struct transaction *t = &p->transaction;
    struct slice member;

    if (!producer_flush(p->producer, 5) || p->must_rewind) /* the last reports may say so */
        return false;
    collect(p);
    if (t->count == 0) {
        t->state = TRANSACTION_COMMITTING;
        return false;
    }
    member = consumer_member(p->consumer);
    producer_send_offsets(p->producer, t->offsets, t->count, member);
    free((void *)member.data);
    return true;
}

static int send_offsets(struct pipeline *p, struct err *err)
{
    int result;

    if (!producer_is_sending_offsets(p->producer) && !start_offsets(p))
        return 0;
    if (has_failed(p, producer_await_offsets(p->producer, SLICE_MS, err), err, &result))
        return result;
    p->transaction.state = TRANSACTION_COMMITTING;
    return 0;
}

/* As they were sent: more may be done by now. */
static void note_committed(struct pipeline *p)
{
    const struct transaction *t = &p->transaction;

    for (size_t i = 0; i < t->count; i++) {
        const struct offset *o = &t->offsets[i];
        struct part *part = &p->ledger.parts[ledger_find(&p->ledger, o->topic, o->partition)];
        if (part->is_owned)
            part->committed = part->stored = o->offset;
    }
}

static int commit(struct pipeline *p, struct err *err)
{
    struct transaction *t = &p->transaction;
    int result;

    if (has_failed(p, producer_commit(p->producer, SLICE_MS, err), err, &result))
        return result;
    hold_more(p);
    end(t);
    t->is_fenced = t->was_late = false;
    err_reset(&t->refused);
    t->commits++;
    wait_move(&p->wait, clock_ms()); /* an end has no record that retires */
    pipeline_retire(p);
    note_committed(p);
    return ring_check(&p->ring, &p->ledger, err);
}

static void give_abort_up(struct pipeline *p)
{
    struct transaction *t = &p->transaction;

    if (t->state != TRANSACTION_ABORTING || clock_ms() - t->aborting_ms < ABORT_MS)
        return;
    log_event(LOG_WARNING, "waiting", "for=kafka an abort has not ended in %d s", ABORT_MS / 1000);
    t->state = TRANSACTION_DEAD;
}

static int abort_open(struct pipeline *p, struct err *err)
{
    struct transaction *t = &p->transaction;
    int result;

    if (t->aborting_ms == 0)
        t->aborting_ms = clock_ms();
    if (has_failed(p, producer_abort(p->producer, SLICE_MS, err), err, &result)) {
        give_abort_up(p);
        return result;
    }
    end(t);
    p->must_rewind = p->must_rewind || p->ring.count > 0;
    if (producer_is_in_doubt(p->producer))
        producer_renew(p->producer, "it had no answer about what was aborted");
    return 0;
}

/* What was on its way has failed with its producer; the brokers abort what was open. */
static int bury(struct pipeline *p)
{
    struct transaction *t = &p->transaction;

    producer_drop(p->producer);
    if (!producer_flush(p->producer, 100))
        return 0;
    p->must_rewind = p->must_rewind || p->ring.count > 0;
    producer_renew(p->producer, "its transaction is lost");
    t->state = t->must_ask ? TRANSACTION_ASKING : TRANSACTION_INITIAL;
    t->epoch = p->ledger.epoch;
    if (t->must_ask)
        consumer_ask(p->consumer);
    t->must_ask = false;
    t->begun_ms = t->aborting_ms = 0;
    return 0;
}

static int init(struct pipeline *p, struct err *err)
{
    int result;

    if (backoff_is_waiting(&p->backoff))
        return 0;
    if (has_failed(p, producer_init_transactions(p->producer, SLICE_MS, err), err, &result))
        return result;
    p->transaction.state = TRANSACTION_NONE;
    return 0;
}

static int step(struct pipeline *p, struct err *err)
{
    struct transaction *t = &p->transaction;

    if (err_is_set(&t->err)) { /* settling met it, in a rebalance */
        *err = t->err;
        return -1;
    }
    if (t->state == TRANSACTION_OPEN || t->state == TRANSACTION_ENDING) {
        bool is_too_late = is_late(t);
        if (is_too_late)
            hold_less(p);
        if (is_too_late || p->must_rewind)
            t->state = TRANSACTION_ABORTING;
    }
    pipeline_take_ends(p);
    switch (t->state) {
    case TRANSACTION_NONE: return begin(p, err);
    case TRANSACTION_OPEN:
        if (is_due(p))
            start_end(t);
        return 0;
    case TRANSACTION_ENDING: return send_offsets(p, err);
    case TRANSACTION_COMMITTING: return commit(p, err);
    case TRANSACTION_ABORTING: return abort_open(p, err);
    case TRANSACTION_DEAD: return bury(p);
    case TRANSACTION_ASKING:
        if (p->ledger.epoch != t->epoch)
            t->state = TRANSACTION_INITIAL;
        return 0;
    case TRANSACTION_INITIAL: return init(p, err);
    }
    return 0;
}

/* ---- the rest of the interface */

static int open(struct pipeline *p, struct err *err)
{
    p->transaction.state = TRANSACTION_INITIAL;
    p->transaction.rows = (uint64_t)p->config->transaction_rows;
    while (p->transaction.state != TRANSACTION_NONE && pipeline_pause(p)) {
        wait_is_stalled(&p->wait, true, clock_ms()); /* from 5 s on it is said */
        if (step(p, err) != 0)
            return -1;
    }
    return 0;
}

static bool can_send(const struct pipeline *p)
{
    return p->transaction.state == TRANSACTION_OPEN;
}

/* A new producer has nothing open. */
static bool is_idle(const struct pipeline *p)
{
    return (p->transaction.state == TRANSACTION_NONE ||
            p->transaction.state == TRANSACTION_ASKING ||
            p->transaction.state == TRANSACTION_INITIAL) &&
           producer_in_flight(p->producer) == 0;
}

/* Steps until nothing waits for anything, or the deadline. */
static void finish(struct pipeline *p, int64_t deadline_ms)
{
    struct transaction *t = &p->transaction;

    while (!is_idle(p) && t->state != TRANSACTION_DEAD && clock_ms() < deadline_ms)
        if (step(p, &t->err) != 0)
            return;
}

static void settle(struct pipeline *p, bool must_undo, int64_t deadline_ms)
{
    struct transaction *t = &p->transaction;

    if (t->state == TRANSACTION_OPEN)
        start_end(t);
    if (t->state == TRANSACTION_ENDING && (must_undo || batch_is_begun(p)))
        t->state = TRANSACTION_ABORTING;
    finish(p, deadline_ms);
    if (must_undo || t->state != TRANSACTION_NONE || err_is_set(&t->err))
        return;
    p->ends_checked_ms = 0; /* now, or the next start finds a lag of what is no record */
    pipeline_take_ends(p);
    if (!has_ends(p))
        return;
    t->ended_ms = 0; /* due */
    begin(p, &t->err);
    if (t->state == TRANSACTION_OPEN) /* for what is unsent, and stays so */
        start_end(t);
    finish(p, deadline_ms);
}

const struct commit commit_exactly_once = {open, step, can_send, is_idle, settle};
