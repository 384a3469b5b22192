/* sending.c: what became of a batch's records goes out: scores, alerts, dead letters. run's hot
 * path: nothing here allocates, logs or locks per record but for dead letters and headers that are
 * passed on. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/redriving.h"

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
    const double *outputs = batch_outputs(p, i);
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
    if (sent == SENT_OK)
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
            sent = (redrive_sends_back(p) ? send_back : send_score)(p, b->next, err);
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
