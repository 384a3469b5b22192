/* breaking.c: the breaker's place in the loop: what is judged, what is given back, what is said. */
#include <stdarg.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/schema_id.h"
#include "pipeline/state.h"

void pipeline_note_change(struct pipeline *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->change.text, sizeof p->change.text, format, args);
    va_end(args);
    p->change.at_ms = clock_ms();
}

void pipeline_bury(struct pipeline *p, size_t i, enum fault fault)
{
    const struct record *r = &p->batch.records[i];

    if (!breaker_is_off(&p->breaker))
        breaker_bury(&p->breaker, fault, p->batch.schema_ids[i],
                     &(struct breaker_place){r->topic, r->partition, r->offset}, clock_ms());
}

/* What the spans say; records are looked at where some are dead. */
static void count(struct pipeline *p)
{
    const struct batch *b = &p->batch;
    uint64_t judged = 0, dead = 0;

    for (size_t i = 0; i < b->slot->span_count; i++) {
        judged += b->slot->spans[i].scored + b->slot->spans[i].dead;
        dead += b->slot->spans[i].dead;
    }
    breaker_count(&p->breaker, judged, clock_ms());
    for (size_t i = 0; dead > 0; i++)
        if (b->outcomes[i].kind == OUTCOME_DEAD) {
            pipeline_bury(p, i, (enum fault)b->outcomes[i].fault);
            dead--;
        }
}

/* The batch's own example of a cause in words; "" when it has none. */
static void explain(const struct pipeline *p, const struct breaker_cause *cause, char *out,
                    size_t size)
{
    const struct batch *b = &p->batch;

    *out = '\0';
    for (size_t i = 0; i < b->count && !*out; i++)
        if (b->outcomes[i].kind == OUTCOME_DEAD && b->outcomes[i].fault == cause->fault &&
            (cause->has_several || b->schema_ids[i] == cause->schema_id))
            decoder_explain(p->decoder, &b->outcomes[i], out, size);
}

static void print_schema(const struct pipeline *p, const struct breaker_cause *cause,
                         char id[SCHEMA_ID_TEXT_MAX])
{
    if (cause->has_several)
        snprintf(id, SCHEMA_ID_TEXT_MAX, "several");
    else if (cause->schema_id == SCHEMA_ID_NONE)
        snprintf(id, SCHEMA_ID_TEXT_MAX, "none");
    else
        schema_id_print(id, cause->schema_id, config_has_fingerprints(p->config));
}

static void say_open(struct pipeline *p)
{
    const struct breaker *b = &p->breaker;
    struct breaker_place first;
    const struct breaker_cause *cause = breaker_worst(b, &first);
    long long age_s = (long long)(clock_ms() - p->change.at_ms) / 1000;
    char id[SCHEMA_ID_TEXT_MAX], example[512];

    print_schema(p, cause, id);
    explain(p, cause, example, sizeof example);
    log_event(LOG_ERROR, "breaker_open",
              "try_s=%lld dead=%llu judged=%llu share=%.2f stage=%s reason=%s blame=%s schema=%s "
              "count=%llu topic=%s partition=%d offset=%lld change=\"%s\" change_age_s=%lld %s",
              (long long)b->window_ms / 1000, (unsigned long long)b->dead,
              (unsigned long long)b->judged, (double)b->dead / (double)b->judged,
              fault_stage(cause->fault), fault_reason(cause->fault), fault_blame(cause->fault), id,
              (unsigned long long)cause->count, first.topic, first.partition,
              (long long)first.offset, p->change.text, age_s, example);
    snprintf(p->why, sizeof p->why,
             "%llu of %llu records are dead: %s/%s, blame %s, schema %s, first at %.70s-%d@%lld; "
             "%lld s after %.55s",
             (unsigned long long)b->dead, (unsigned long long)b->judged, fault_stage(cause->fault),
             fault_reason(cause->fault), fault_blame(cause->fault), id, first.topic,
             first.partition, (long long)first.offset, age_s, p->change.text);
}

static void say_state(const struct breaker *b, const char *why)
{
    if (b->state == BREAKER_CLOSED)
        log_event(LOG_INFO, "breaker_closed", "%s", why);
    else
        log_event(LOG_INFO, "breaker_half_open", "records=%llu %s", (unsigned long long)b->minimum,
                  why);
}

bool pipeline_judge(struct pipeline *p)
{
    struct breaker *b = &p->breaker;
    bool was_tripped = b->is_tripped;

    if (breaker_is_off(b))
        return true;
    count(p);
    if (breaker_passes(b, clock_ms())) {
        if (was_tripped)
            say_state(b, "the records of the try get their outcomes");
        return true;
    }
    say_open(p);
    ring_return_last(&p->ring, &p->ledger);
    batch_drop(p);
    return false;
}

/* Somebody ordered it since the last look. */
static bool is_ordered(struct pipeline *p)
{
    struct pipeline_orders *orders = p->shared->options->orders;
    unsigned resume = orders ? atomic_load_explicit(&orders->resume, memory_order_relaxed) : 0;
    bool is_new = resume != p->resumes_seen;

    p->resumes_seen = resume;
    return is_new;
}

void pipeline_look_at_breaker(struct pipeline *p)
{
    struct breaker *b = &p->breaker;
    bool was_ordered = is_ordered(p), has_none;

    if (b->state == BREAKER_CLOSED)
        return;
    has_none = p->batch.count == 0 && !consumer_has_more(p->consumer);
    if (breaker_look(b, was_ordered, has_none, clock_ms()))
        say_state(b, b->state == BREAKER_CLOSED ? "there was no record to try"
                     : was_ordered              ? "as ordered"
                                                : "its time has come");
}
