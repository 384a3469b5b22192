/* batch.c: one poll, one batch: records in, rows, scores, sent. run's hot path: nothing here
 * allocates, logs or locks per record but for dead letters. One piece: its steps, in order. */
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

static struct redrive *redrive_of(const struct pipeline *p)
{
    return p->seat ? p->seat->replay->redrive : NULL;
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

/* What the record's row gave. */
static const double *outputs_of(const struct pipeline *p, size_t i)
{
    const struct batch *b = &p->batch;

    return bundle_outputs(p->bundle, b->room.margins, b->room.scores, b->rows[i]);
}

/* Outcomes that say scored are letters to be sent back: there are no rows. */
static bool sends_back(const struct pipeline *p)
{
    return redrive_of(p) && redrive_of(p)->options->is_to_origin;
}

/* The records from one on, which have the rows from first on. */
static void score(struct pipeline *p, size_t from, size_t first)
{
    struct batch *b = &p->batch;
    const struct model *model = p->bundle->model;

    if (sends_back(p))
        return;
    if (b->row_count > first)
        model_score(model, b->room.matrix + first * p->bundle->features.count, b->row_count - first,
                    b->room.margins + first * model_margin_count(model),
                    b->room.scores + first * model_score_count(model), b->room.scratch);
    for (size_t i = from; i < b->count; i++)
        if (b->outcomes[i].kind == OUTCOME_SCORED && !bundle_is_finite(p->bundle, outputs_of(p, i)))
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
        breaker_holds(&p->breaker, b->count, b->count - held, clock_ms()))
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

/* What comes by the thousand is said the 1st, 10th, 100th, ... time. */
static bool is_power_of_ten(uint64_t count)
{
    while (count > 1 && count % 10 == 0)
        count /= 10;
    return count == 1;
}

/* Counts a fault, and says it. */
static void tally(struct pipeline *p, const struct record *r, const struct dead_letter *letter)
{
    enum fault fault = letter->fault;
    const char *message = letter->message;
    struct fault_tally *t = &p->summary->faults[fault];
    char id[SCHEMA_ID_TEXT_MAX] = "none";

    if (measure_fault(p, r, fault, letter->schema_id, message)) {
        if (letter->schema_id != SCHEMA_ID_NONE)
            schema_id_print(id, letter->schema_id, config_has_fingerprints(p->config));
        log_event(t->count == 0 ? LOG_DEBUG : LOG_WARNING, "first_dead_letter",
                  "stage=%s reason=%s blame=%s schema_id=%s topic=%s partition=%d offset=%lld %s",
                  fault_stage(fault), fault_reason(fault), fault_blame(fault), id, r->topic,
                  r->partition, (long long)r->offset, message);
    }

    if (t->count++ == 0) {
        snprintf(t->topic, sizeof t->topic, "%.249s", r->topic);
        snprintf(t->message, sizeof t->message, "%.255s", message);
        t->first_partition = r->partition;
        t->first_offset = r->offset;
    }
    if (is_power_of_ten(t->count))
        log_event(LOG_WARNING, "dead_letter",
                  "stage=%s reason=%s blame=%s topic=%s partition=%d offset=%lld count=%llu %s",
                  fault_stage(fault), fault_reason(fault), fault_blame(fault), r->topic,
                  r->partition, (long long)r->offset, (unsigned long long)t->count, message);
}

struct header *batch_headers(const struct record *r, ssize_t *count)
{
    enum { MOST = 64 };
    struct header *headers = mem_alloc(MOST + REDRIVE_ADDED, sizeof *headers);

    *count = consumer_headers(r, headers, MOST);
    if (*count > MOST) {
        headers = mem_resize(headers, (size_t)*count + REDRIVE_ADDED, sizeof *headers);
        consumer_headers(r, headers, (size_t)*count);
    }
    return headers;
}

/* All of them into the letter; the caller frees the array. */
static struct header *take_headers(const struct record *r, struct dead_letter *letter)
{
    ssize_t count;
    struct header *headers = batch_headers(r, &count);

    letter->headers = headers;
    letter->header_count = count > 0 ? (size_t)count : 0;
    letter->has_lost_headers = count < 0;
    return headers;
}

/* What the outcome of record i names: the record, or of a letter its origin, in *room. */
static const struct record *source_of(const struct pipeline *p, size_t i, struct record *room)
{
    const struct batch *b = &p->batch;

    if (!b->origins)
        return &b->records[i];
    *room = b->records[i];
    room->offset = b->origins[i];
    return room;
}

/* How often the letter failed before, whoever wrote it. */
static int64_t attempts_of(const struct pipeline *p, const struct dead_letter *letter)
{
    struct letter before;

    if (!redrive_of(p) || !letter_read(&before, letter->headers, letter->header_count))
        return 0;
    return before.attempts;
}

/* What takes outcomes in place of a topic, or NULL. */
static struct sink *sink_of(const struct pipeline *p)
{
    return p->seat ? p->seat->sink : NULL;
}

static enum sent send_dead(struct pipeline *p, size_t i, struct err *err)
{
    const struct record *r = &p->batch.records[i];
    struct record room;
    const struct record *source = source_of(p, i, &room);
    const struct outcome *outcome = &p->batch.outcomes[i];
    const struct refused *refused = refusals_find(&p->refusals, r->part, r->offset);
    struct dead_letter letter = {.fault = (enum fault)outcome->fault,
                                 .schema_id = p->batch.schema_ids[i],
                                 .is_refused = refused && refused->dead_refusals > 0,
                                 .is_minimal = refused && refused->dead_refusals > 1};
    struct header *headers = take_headers(r, &letter);
    struct sink *sink = sink_of(p);
    char message[512];
    enum sent sent;

    decoder_explain(p->decoder, outcome, message, sizeof message);
    letter.message = message;
    letter.attempts = attempts_of(p, &letter);
    if (sink && sink->takes_dead) {
        sink->dead(sink, source, &letter);
        sent = SENT_HELD;
    } else {
        sent = producer_send_dead(p->producer, source, &letter, p->batch.slot, err);
    }
    free(headers);
    if (sent ==
        SENT_TOO_LARGE) { /* what is left is under 8 KiB: the topic's owner must raise its limit */
        err_dependency(err, "%s: not even a dead letter without value, headers and key fits",
                       p->config->dead_topic);
        return SENT_FAILED;
    }
    if (sent == SENT_OK || sent == SENT_HELD)
        tally(p, source, &letter);
    return sent;
}

static bool is_chosen(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->headers.count; i++)
        if (strcmp(c->headers.items[i], name) == 0)
            return true;
    return false;
}

/* Those of the record's headers that are passed on, as many as it has. */
static struct header *chosen_headers(const struct pipeline *p, const struct record *r,
                                     size_t *count)
{
    ssize_t all;
    struct header *headers = batch_headers(r, &all);

    *count = 0;
    for (ssize_t i = 0; i < all; i++)
        if (is_chosen(p->config, headers[i].name))
            headers[(*count)++] = headers[i];
    return headers;
}

/* The span of record i, which is in the ring. */
static struct span *span_of(const struct batch *b, size_t i)
{
    struct span *span = b->slot->spans;

    while (span->part != b->records[i].part)
        span++;
    return span;
}

static void withhold(struct pipeline *p, size_t i, int64_t age_ms)
{
    struct record room;
    const struct record *r = source_of(p, i, &room);

    span_of(&p->batch, i)->stale_alerts++;
    if (is_power_of_ten(++p->stale_count))
        log_event(LOG_WARNING, "stale_alert",
                  "topic=%s partition=%d offset=%lld age_ms=%lld count=%llu its score is published",
                  r->topic, r->partition, (long long)r->offset, (long long)age_ms,
                  (unsigned long long)p->stale_count);
}

/* Behind the score, which is on its way: where the queue is full now, only this is tried again. */
static enum sent send_alert(struct pipeline *p, size_t i, const struct score *made, struct err *err)
{
    struct batch *b = &p->batch;
    struct record room;
    enum sent sent;

    if (!b->owes_alert)
        b->slot->waiting++;
    sent = producer_send_alert(p->producer, source_of(p, i, &room), made, b->slot, err);
    b->owes_alert = sent != SENT_OK;
    span_of(b, i)->alerts += sent == SENT_OK;
    return sent;
}

/* A score, and its alert where its decision asks for one. */
static enum sent send_both(struct pipeline *p, size_t i, struct score *made, struct err *err)
{
    struct batch *b = &p->batch;
    struct sink *sink = sink_of(p);
    struct record room;
    const struct record *source = source_of(p, i, &room);
    bool is_wanted = made->is_alert;
    int64_t now_ms = is_wanted ? clock_wall_ms() : 0;
    enum sent sent;

    if (sink && sink->takes_scores)
        return sink->score(sink, source, made);
    if (b->owes_alert)
        return send_alert(p, i, made, err);
    made->is_alert = is_wanted && !alerts_is_stale(&p->alerts, made->event_time_ms, now_ms);
    sent = producer_send_score(p->producer, source, made, b->slot, err);
    if (sent != SENT_OK || !is_wanted)
        return sent;
    if (made->is_alert)
        return send_alert(p, i, made, err);
    withhold(p, i, now_ms - made->event_time_ms);
    return SENT_OK;
}

/* Its outcome fits nowhere: it is another one. */
static enum sent die(struct pipeline *p, size_t i, enum fault fault, struct err *err)
{
    struct batch *b = &p->batch;

    b->outcomes[i] = outcome_dead(fault, 0);
    span_of(b, i)->scored--;
    span_of(b, i)->dead++;
    pipeline_bury(p, i, fault);
    return send_dead(p, i, err);
}

static enum sent send_score(struct pipeline *p, size_t i, struct err *err)
{
    struct batch *b = &p->batch;
    const double *outputs = outputs_of(p, i);
    double value = outputs[p->bundle->output_index];
    size_t decision = bundle_decide(p->bundle, value);
    struct score made = {.value = value,
                         .values = p->bundle->output_count > 1 ? outputs : NULL,
                         .value_count = p->bundle->output_count > 1 ? p->bundle->output_count : 0,
                         .decision = bundle_decision_name(p->bundle, decision),
                         .schema_id = b->schema_ids[i],
                         .event_time_ms =
                             b->event_times ? b->event_times[i] : b->records[i].timestamp_ms,
                         .carried = b->carried + i * b->carry_count,
                         .is_alert = p->alerts.is_wanted[decision]};
    struct header *headers = NULL;
    enum sent sent;

    if (p->config->headers.count)
        made.headers = headers = chosen_headers(p, &b->records[i], &made.header_count);
    sent = send_both(p, i, &made, err);
    free(headers);
    if (sent == SENT_OK && decision < METRICS_DECISIONS)
        metrics_decided(&p->measures.metrics, p->measures.decision_slots[decision]);
    return sent == SENT_TOO_LARGE ? die(p, i, FAULT_ENCODE_TOO_LARGE, err) : sent;
}

static enum sent send_back(struct pipeline *p, size_t i, struct err *err)
{
    struct record room;
    const struct record *source = source_of(p, i, &room);
    char buffer[REDRIVE_BUFFER];
    ssize_t count;
    struct header *headers = batch_headers(source, &count);
    enum sent sent = SENT_HELD;

    if (!sink_of(p))
        sent = producer_send_back(
            p->producer, source,
            &(struct returned){redrive_partition(p, source), headers,
                               redrive_address(source, headers, (size_t)count, buffer)},
            p->batch.slot, err);
    free(headers);
    return sent == SENT_TOO_LARGE ? die(p, i, FAULT_PRODUCE_TOO_LARGE, err) : sent;
}

bool batch_is_begun(const struct pipeline *p)
{
    return p->has_unsent && (p->batch.next > 0 || p->batch.owes_alert);
}

void batch_drop(struct pipeline *p)
{
    consumer_release(p->batch.records, p->batch.count);
    p->batch.count = 0;
    p->has_unsent = false;
}

bool batch_send(struct pipeline *p, struct err *err)
{
    struct batch *b = &p->batch;

    for (; b->next < b->count; b->next++) {
        enum sent sent = SENT_OK;
        switch (b->outcomes[b->next].kind) {
        case OUTCOME_SCORED:
            sent = (sends_back(p) ? send_back : send_score)(p, b->next, err);
            break;
        case OUTCOME_DEAD: sent = send_dead(p, b->next, err); break;
        case OUTCOME_SKIPPED: continue;
        case OUTCOME_WAITING: assert(!"decided before"); break;
        }
        if (sent == SENT_HELD)
            continue;
        if (sent != SENT_OK) {
            assert(sent == SENT_FULL || err_is_set(err));
            p->must_rewind = p->must_rewind || sent == SENT_LOST;
            if (sent == SENT_LOST)
                err_reset(err); /* why is said by the call that ends the transaction */
            return false;
        }
        b->slot->waiting++;
    }
    b->slot->is_open = false;
    if (sink_of(p))
        sink_of(p)->end(sink_of(p));
    batch_drop(p);
    return true;
}
