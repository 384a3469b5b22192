#include "pipeline/breaker.h"

/* HOLD: the longest that a try holds what it has while there are more: brokers that are slower are
 * another trouble. FEW: the same where there are none, and QUIET: how long nothing more must have
 * come for a try behind OPEN; a start must not wait. */
enum { HOLD_MS = 5000, FEW_MS = 1000, QUIET_MS = 500, CAUSES = BREAKER_PAIRS + FAULT_COUNT };

static int64_t bucket_at(const struct breaker *b, int64_t now_ms)
{
    return now_ms * BREAKER_BUCKETS / b->window_ms;
}

static void enter(struct breaker *b, enum breaker_state state, int64_t now_ms)
{
    b->state = state;
    b->since_ms = now_ms;
    b->is_tripped = state == BREAKER_OPEN || (state == BREAKER_HALF_OPEN && b->is_tripped);
}

static void empty(struct breaker *b, int64_t now_ms)
{
    b->judged = b->dead = 0;
    for (int i = 0; i < BREAKER_BUCKETS; i++)
        b->buckets[i].judged = b->buckets[i].dead = 0;
    for (int i = 0; i < CAUSES; i++)
        b->causes[i] = (struct breaker_cause){0};
    b->bucket = bucket_at(b, now_ms);
}

void breaker_init(struct breaker *b, const struct config *config, int64_t now_ms)
{
    *b = (struct breaker){.minimum = (uint64_t)config->breaker_minimum,
                          .share = config->breaker_share,
                          .window_ms = config->breaker_window_s * 1000,
                          .wait_ms = config->batch_wait_ms};
    enter(b, breaker_is_off(b) ? BREAKER_CLOSED : BREAKER_HALF_OPEN, now_ms);
    empty(b, now_ms);
}

bool breaker_is_off(const struct breaker *b)
{
    return b->share >= 1;
}

static void drop_bucket(struct breaker *b, int at)
{
    b->judged -= b->buckets[at].judged;
    b->dead -= b->buckets[at].dead;
    b->buckets[at].judged = b->buckets[at].dead = 0;
    for (int i = 0; i < CAUSES; i++) {
        b->causes[i].count -= b->causes[i].buckets[at].count;
        b->causes[i].buckets[at].count = 0;
    }
}

/* What is older than the window leaves it. Returns the newest bucket's place. */
static int turn(struct breaker *b, int64_t now_ms)
{
    int64_t now = bucket_at(b, now_ms), missing = now - b->bucket;

    if (missing > BREAKER_BUCKETS)
        missing = BREAKER_BUCKETS;
    for (int64_t i = 0; i < missing; i++)
        drop_bucket(b, (int)((now - i) % BREAKER_BUCKETS));
    b->bucket = now;
    return (int)(now % BREAKER_BUCKETS);
}

void breaker_count(struct breaker *b, uint64_t judged, int64_t now_ms)
{
    b->buckets[turn(b, now_ms)].judged += judged;
    b->judged += judged;
}

/* The row of reason and schema; where none is free, that of the reason. */
static struct breaker_cause *find(struct breaker *b, enum fault fault, int64_t schema_id)
{
    struct breaker_cause *row = &b->causes[BREAKER_PAIRS + fault];

    for (int i = BREAKER_PAIRS; i-- > 0;) {
        struct breaker_cause *c = &b->causes[i];
        if (c->count == 0)
            row = c;
        else if (c->fault == fault && c->schema_id == schema_id)
            return c;
    }
    row->fault = fault;
    row->schema_id = schema_id;
    row->has_several = row == &b->causes[BREAKER_PAIRS + fault];
    return row;
}

void breaker_bury(struct breaker *b, enum fault fault, int64_t schema_id,
                  const struct breaker_place *place, int64_t now_ms)
{
    int at = turn(b, now_ms);
    struct breaker_cause *cause = find(b, fault, schema_id);

    b->dead++;
    b->buckets[at].dead++;
    cause->count++;
    if (cause->buckets[at].count++ == 0)
        cause->buckets[at].first = *place;
}

bool breaker_holds(struct breaker *b, size_t held, size_t added, bool has_more, int64_t now_ms)
{
    if (b->state != BREAKER_HALF_OPEN || held == 0)
        return b->state == BREAKER_HALF_OPEN;
    if (held == added)
        b->held_ms = now_ms;
    if (added > 0)
        b->grown_ms = now_ms;
    if (held >= b->minimum || now_ms - b->held_ms >= HOLD_MS)
        return false;
    return has_more || (now_ms - b->held_ms < FEW_MS &&
                        now_ms - b->grown_ms < (b->is_tripped ? QUIET_MS : b->wait_ms));
}

bool breaker_passes(struct breaker *b, int64_t now_ms)
{
    turn(b, now_ms);
    if (b->judged >= b->minimum && (double)b->dead > b->share * (double)b->judged) {
        enter(b, BREAKER_OPEN, now_ms);
        return false;
    }
    if (b->state == BREAKER_HALF_OPEN)
        enter(b, BREAKER_CLOSED, now_ms);
    return true;
}

bool breaker_look(struct breaker *b, bool is_ordered, bool holds_none, int64_t now_ms)
{
    bool is_due = now_ms - b->since_ms >= b->window_ms;

    if (b->state == BREAKER_OPEN && (is_ordered || is_due)) {
        enter(b, BREAKER_HALF_OPEN, now_ms);
        empty(b, now_ms);
        return true;
    }
    if (b->state != BREAKER_HALF_OPEN || !b->is_tripped || !holds_none || !is_due)
        return false;
    enter(b, BREAKER_CLOSED, now_ms);
    return true;
}

static struct breaker_place oldest(const struct breaker *b, const struct breaker_cause *cause)
{
    for (int64_t i = b->bucket - BREAKER_BUCKETS + 1; i < b->bucket; i++)
        if (i >= 0 && cause->buckets[i % BREAKER_BUCKETS].count > 0)
            return cause->buckets[i % BREAKER_BUCKETS].first;
    return cause->buckets[b->bucket % BREAKER_BUCKETS].first;
}

const struct breaker_cause *breaker_worst(const struct breaker *b, struct breaker_place *first)
{
    const struct breaker_cause *worst = &b->causes[0];

    for (int i = 1; i < CAUSES; i++)
        if (b->causes[i].count > worst->count)
            worst = &b->causes[i];
    if (worst->count == 0)
        return NULL;
    *first = oldest(b, worst);
    return worst;
}
