/* batch.c: one poll, one batch: records in, rows, scores; sending.c has the rest. run's hot path:
 * nothing here allocates, logs or locks per record. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/redriving.h"
#include "pipeline/watching.h"

/* How many records: those of a poll, or what an open breaker tries. */
static size_t cap_of(const struct config *config)
{
    size_t rows = (size_t)config->batch_rows, tried = (size_t)config->breaker_minimum;

    return config->breaker_share < 1 && tried > rows ? tried : rows;
}

void room_init(struct room *r, const struct config *config, const struct bundle *bundle)
{
    size_t cap = cap_of(config);

    r->matrix = mem_alloc_aligned(cap * bundle->features.count, sizeof *r->matrix);
    r->margins = mem_alloc(cap * model_margin_count(bundle->model), sizeof *r->margins);
    r->scores = mem_alloc(cap * model_score_count(bundle->model), sizeof *r->scores);
    r->scratch = mem_alloc_aligned(model_scratch_bytes(bundle->model), 1);
}

void room_release(struct room *r)
{
    free(r->matrix);
    free(r->margins);
    free(r->scores);
    free(r->scratch);
    *r = (struct room){0};
}

void batch_init(struct batch *b, const struct config *config, const struct bundle *bundle)
{
    size_t cap = cap_of(config);

    *b = (struct batch){.cap = cap};
    b->records = mem_alloc(cap, sizeof *b->records);
    b->outcomes = mem_alloc(cap, sizeof *b->outcomes);
    b->schema_ids = mem_alloc(cap, sizeof *b->schema_ids);
    b->rows = mem_alloc(cap, sizeof *b->rows);
    b->carry_count = config->carry_count;
    b->carried = mem_alloc(cap * b->carry_count, sizeof *b->carried);
    if (config->event_time.step_count)
        b->event_times = mem_alloc(cap, sizeof *b->event_times);
    room_init(&b->room, config, bundle);
}

void batch_release(struct batch *b)
{
    free(b->records);
    free(b->outcomes);
    free(b->schema_ids);
    free(b->rows);
    free(b->carried);
    free(b->event_times);
    free(b->origins);
    room_release(&b->room);
    *b = (struct batch){0};
}

/* Of the records from one on, keeps those that are ours and not behind the ledger's position;
 * releases the rest. */
static void admit(struct pipeline *p, size_t from)
{
    struct batch *b = &p->batch;
    size_t kept = from;

    for (size_t i = from; i < b->count; i++) {
        const struct record *r = &b->records[i];
        if (r->part != LEDGER_NO_PART && ledger_admit(&p->ledger, r->part, r->offset))
            b->records[kept++] = *r;
        else
            consumer_release(r, 1);
    }
    b->count = kept;
}

/* The schema of record i is asked for now. True: decide again. False: its partition is parked at
 * this record. */
static bool learn(struct pipeline *p, size_t i)
{
    const struct record *r = &p->batch.records[i];
    struct part *part = &p->ledger.parts[r->part];
    struct err err = ERR_INIT;
    int learnt = decoder_learn(p->decoder, p->batch.schema_ids[i], clock_ms(), &err);

    part->parked_id = p->batch.schema_ids[i];
    if (learnt != 0)
        pipeline_park(p, r->part, learnt < 0 ? err.text : NULL);
    return learnt == 0;
}

/* What the event of record i says beside its features. */
static void take_extras(struct pipeline *p, size_t i)
{
    struct batch *b = &p->batch;

    if (b->carry_count)
        memcpy(b->carried + i * b->carry_count, decoder_carried(p->decoder),
               b->carry_count * sizeof *b->carried);
    if (!b->event_times)
        return;
    b->event_times[i] = decoder_event_time(p->decoder);
    if (b->event_times[i] == EVENT_TIME_NONE) {
        b->event_times[i] = b->records[i].timestamp_ms;
        p->summary->no_event_time++;
    }
}

/* Record from becomes record to, further in front. */
static void move(struct batch *b, size_t to, size_t from)
{
    b->records[to] = b->records[from];
    b->outcomes[to] = b->outcomes[from];
    b->schema_ids[to] = b->schema_ids[from];
    b->rows[to] = b->rows[from];
    if (b->event_times)
        b->event_times[to] = b->event_times[from];
    if (b->origins)
        b->origins[to] = b->origins[from];
    if (b->carry_count && to != from)
        memcpy(b->carried + to * b->carry_count, b->carried + from * b->carry_count,
               b->carry_count * sizeof *b->carried);
}

/* A dead letter, which may not be for the decoder. */
static bool judge_letter(struct pipeline *p, size_t i)
{
    struct batch *b = &p->batch;

    if (!redrive_of(p))
        return false;
    if (!b->origins)
        b->origins = mem_alloc(b->cap, sizeof *b->origins);
    b->schema_ids[i] = SCHEMA_ID_NONE;
    return redrive_judge(p, &b->records[i], &b->origins[i], &b->outcomes[i]);
}

static void refuse(struct outcome *outcome, const struct refused *refused)
{
    if (refused && refused->fault != FAULT_NONE && outcome->kind == OUTCOME_SCORED)
        *outcome = outcome_dead(refused->fault, 0);
}

/* A row or an outcome for record i. False: it was given back with its partition. */
static bool decode_one(struct pipeline *p, size_t i)
{
    struct batch *b = &p->batch;
    const struct record *r = &b->records[i];
    const struct refused *refused =
        p->refusals.refused_count ? refusals_find(&p->refusals, r->part, r->offset) : NULL;
    float *row = b->room.matrix + b->row_count * p->bundle->features.count;

    if (p->ledger.parts[r->part].is_parked) { /* what it needs next is asked for together */
        decoder_foresee(p->decoder, r->value, clock_ms());
        return false;
    }
    if (judge_letter(p, i)) {
        refuse(&b->outcomes[i], refused);
        return true;
    }
    b->outcomes[i] = decoder_decode(p->decoder, r->value, row, &b->schema_ids[i]);
    while (b->outcomes[i].kind == OUTCOME_WAITING) {
        if (!learn(p, i))
            return false;
        b->outcomes[i] = decoder_decode(p->decoder, r->value, row, &b->schema_ids[i]);
    }
    refuse(&b->outcomes[i], refused);
    if (b->outcomes[i].kind == OUTCOME_SCORED) {
        b->rows[i] = (uint32_t)b->row_count++;
        take_extras(p, i);
    }
    return true;
}

/* Decodes them; records of a partition that parks on the way leave the batch, and go back to the
 * ledger. */
static void decode(struct pipeline *p, size_t from)
{
    struct batch *b = &p->batch;
    size_t kept = from;

    for (size_t i = from; i < b->count; i++) {
        if (decode_one(p, i)) {
            move(b, kept++, i);
            continue;
        }
        ledger_return(&p->ledger, b->records[i].part, b->records[i].offset, 1);
        consumer_release(&b->records[i], 1);
    }
    b->count = kept;
}

/* The records from one on, which have the rows from first on. */
static void score(struct pipeline *p, size_t from, size_t first)
{
    struct batch *b = &p->batch;
    const struct model *model = p->bundle->model;

    if (redrive_sends_back(p))
        return;
    if (b->row_count > first)
        model_score(model, b->room.matrix + first * p->bundle->features.count, b->row_count - first,
                    b->room.margins + first * model_margin_count(model),
                    b->room.scores + first * model_score_count(model), b->room.scratch);
    for (size_t i = from; i < b->count; i++)
        if (b->outcomes[i].kind == OUTCOME_SCORED &&
            !bundle_is_finite(p->bundle, batch_outputs(p, i)))
            b->outcomes[i] = outcome_dead(FAULT_SCORE_NOT_FINITE, 0);
}

/* They enter the ring with their outcomes: all of a batch in one slot. */
static void enter_ring(struct pipeline *p, size_t from)
{
    struct batch *b = &p->batch;
    int64_t oldest_ms = INT64_MAX;

    if (from == 0)
        b->slot = ring_open(&p->ring);
    else if (b->slot->oldest_ms >= 0)
        oldest_ms = b->slot->oldest_ms;
    b->slot->is_alone =
        p->refusals.suspect_count > 0 && b->count == 1 && producer_in_flight(p->producer) == 0;
    b->next = 0;
    b->owes_alert = false;
    for (size_t i = from; i < b->count; i++) {
        struct span *span = slot_add(b->slot, &p->ledger, b->records[i].part, b->records[i].offset);
        if (b->records[i].timestamp_ms < oldest_ms && b->records[i].timestamp_ms >= 0)
            oldest_ms = b->records[i].timestamp_ms;
        span->scored += b->outcomes[i].kind == OUTCOME_SCORED;
        span->dead += b->outcomes[i].kind == OUTCOME_DEAD;
        span->skipped += b->outcomes[i].kind == OUTCOME_SKIPPED;
    }
    b->slot->record_count = (uint32_t)b->count;
    b->slot->oldest_ms = oldest_ms < INT64_MAX ? oldest_ms : -1;
}

/* The first record of a partition that this model scores; and one before it, that came back. */
static void say_first(struct pipeline *p, const struct span *span)
{
    const struct batch *b = &p->batch;
    struct part *part = &p->ledger.parts[span->part];
    size_t i = 0;

    while (b->records[i].part != span->part || b->outcomes[i].kind != OUTCOME_SCORED)
        i++;
    if (part->model == p->model_count && b->records[i].offset >= part->model_from)
        return;
    part->model = p->model_count;
    part->model_from = b->records[i].offset;
    log_event(LOG_INFO, "model_first_offset",
              "topic=%s partition=%d offset=%lld model=%s version=%s digest=%.12s", part->topic,
              part->partition, (long long)part->model_from, p->bundle->name, p->bundle->version,
              p->bundle->digest);
}

/* A replay has one model, and says which. */
static void say_firsts(struct pipeline *p)
{
    const struct slot *slot = p->batch.slot;

    for (size_t i = 0; i < slot->span_count && !p->seat; i++) {
        const struct span *span = &slot->spans[i];
        const struct part *part = &p->ledger.parts[span->part];
        if (span->scored > 0 && (part->model != p->model_count || span->first < part->model_from))
            say_first(p, span);
    }
}

/* How many records the next batch may have. */
static size_t most(const struct pipeline *p)
{
    size_t rows = (size_t)p->config->batch_rows;

    if (p->breaker.state == BREAKER_HALF_OPEN)
        return (size_t)p->breaker.minimum;
    if (p->refusals.suspect_count > 0)
        return 1;
    return p->transaction.rows > 0 && p->transaction.rows < rows ? (size_t)p->transaction.rows
                                                                 : rows;
}

static ssize_t poll_source(struct pipeline *p, struct record *records, size_t cap, int timeout_ms,
                           struct err *err)
{
    return p->seat ? seat_poll(p, records, cap, timeout_ms, err)
                   : consumer_poll(p->consumer, records, cap, timeout_ms, err);
}

/* Behind what is held, which a rebalance within takes back. */
static ssize_t poll_behind(struct pipeline *p, struct err *err)
{
    struct batch *b = &p->batch;
    size_t held = b->count;
    ssize_t got =
        poll_source(p, b->records + held, most(p) - held, (int)p->config->batch_wait_ms, err);

    if (got > 0 && b->count < held)
        memmove(b->records, b->records + held, (size_t)got * sizeof *b->records);
    return got;
}

/* They join the batch. */
static void join(struct pipeline *p, size_t got)
{
    struct batch *b = &p->batch;
    size_t from = b->count, first;
    double begun = clock_seconds(), decoded;

    if (from == 0)
        b->row_count = 0;
    first = b->row_count;
    b->count += got;
    admit(p, from);
    decode(p, from);
    decoded = clock_seconds();
    histogram_add(&p->measures.metrics.decode, decoded - begun, 1);
    pipeline_say_schemas(p);
    if (b->count == from)
        return;
    score(p, from, first);
    histogram_add(&p->measures.metrics.score, clock_seconds() - decoded, 1);
    enter_ring(p, from);
    say_firsts(p);
}

int batch_take(struct pipeline *p, struct err *err)
{
    struct batch *b = &p->batch;
    ssize_t got = poll_behind(p, err);
    size_t held = b->count;

    p->is_behind = got == p->config->batch_rows;
    if (got < 0)
        return -1;
    if (got > 0)
        join(p, (size_t)got);
    if (p->breaker.state == BREAKER_HALF_OPEN &&
        breaker_holds(&p->breaker, b->count, b->count - held, consumer_has_more(p->consumer),
                      clock_ms()))
        return 0;
    if (b->count == 0 || !pipeline_judge(p))
        return 0;
    watching_take(p);
    p->has_unsent = true;
    return 1;
}

int batch_discard(struct pipeline *p, struct err *err)
{
    enum { CAP = 64, WAIT_MS = 5 };
    struct record records[CAP]; /* the batch's own may hold what is still to be sent */
    ssize_t got = poll_source(p, records, CAP, WAIT_MS, err);

    for (ssize_t i = 0; i < got; i++)
        if (records[i].part != LEDGER_NO_PART)
            ledger_let_go(&p->ledger, records[i].part);
    if (got > 0)
        consumer_release(records, (size_t)got);
    return got < 0 ? -1 : 0;
}
