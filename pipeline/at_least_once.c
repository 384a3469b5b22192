/* at_least_once.c: what is acknowledged is stored, and the client commits it within commit_ms. */
#include "pipeline/state.h"

static int open(struct pipeline *p, struct err *err)
{
    (void)p, (void)err;
    return 0;
}

/* P1's sum is checked at every commit that was acknowledged. */
static int step(struct pipeline *p, struct err *err)
{
    bool has_moved = pipeline_retire(p) > 0;

    has_moved |= pipeline_take_ends(p);
    if (!has_moved)
        return 0;
    consumer_store(p->consumer);
    if (consumer_commit_count(p->consumer) == p->commits_seen)
        return 0;
    p->commits_seen = consumer_commit_count(p->consumer);
    return ring_check(&p->ring, &p->ledger, err);
}

static bool can_send(const struct pipeline *p)
{
    (void)p;
    return true;
}

static bool is_idle(const struct pipeline *p)
{
    return producer_in_flight(p->producer) == 0;
}

static void settle(struct pipeline *p, bool must_undo, int64_t deadline_ms)
{
    if (must_undo)
        return;
    pipeline_await_reports(p, deadline_ms);
    ring_retire(&p->ring, &p->ledger);
    p->ends_checked_ms = 0;
    pipeline_take_ends(p);
}

const struct commit commit_at_least_once = {open, step, can_send, is_idle, settle};
