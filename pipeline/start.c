/* start.c: everything that is proven before the first record is taken. A dependency that is not
 * there is waited for; everything else that is wrong ends the program with its code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "pipeline/seat.h"
#include "pipeline/watching.h"

bool pipeline_pause(struct pipeline *p)
{
    if (shared_is_stopping(p->shared))
        return false;
    measure_turn(p);
    backoff_sleep(&p->backoff);
    decoder_poll(p->decoder, clock_ms()); /* the other workers may be at work already */
    return true;
}

/* A replay has found its window already. */
static int check_input(struct pipeline *p, int timeout_ms, struct err *err)
{
    return p->seat ? 0 : consumer_check(p->consumer, timeout_ms, err);
}

/* Waits for the brokers in turns of 2 s, until told to stop. The first trouble is said, and then
 * what changes. */
static int wait_for_topics(struct pipeline *p, struct producer_limits *limits, struct err *err)
{
    enum { TURN_MS = 2000 };
    bool is_proven;

    log_event(LOG_INFO, "connecting", "%soutput topics", p->seat ? "" : "input and ");
    for (;;) {
        if (check_input(p, TURN_MS, err) == 0 &&
            producer_check(p->config, TURN_MS, limits, &is_proven, err) == 0)
            break;
        if (pipeline_fail(p, err) != 0)
            return -1;
        if (!pipeline_pause(p))
            return 0;
    }
    backoff_reset(&p->backoff);
    if (!is_proven)
        log_event(LOG_INFO, "connecting",
                  "permission to write is not proven: the topics' size limits are unknown");
    return 0;
}

static int open_producer(struct pipeline *p, struct err *err)
{
    struct producer_options options = {.config = p->config,
                                       .limits = {1, {0}},
                                       .provenance = p->provenance,
                                       .score_schema_id = (int32_t)p->shared->score_schema_id,
                                       .report = pipeline_on_report,
                                       .arg = p};

    if (wait_for_topics(p, &options.limits, err) != 0)
        return -1;
    p->producer = producer_new(&options, err);
    return p->producer ? 0 : -1;
}

static int open_replay(struct pipeline *p, struct err *err)
{
    if (seat_open(p, err) != 0 || (p->seat->replay->needs_topics && open_producer(p, err) != 0))
        return -1;
    p->wait = (struct wait){0};
    p->is_open = true;
    pipeline_on_assigned(p);
    return 0;
}

static int open_clients(struct pipeline *p, struct err *err)
{
    struct consumer_hooks hooks = {p, pipeline_on_revoking, pipeline_on_assigned};

    p->consumer = consumer_new(p->config, p->worker, &p->ledger, &hooks, err);
    if (!p->consumer || open_producer(p, err) != 0 || p->commit->open(p, err) != 0)
        return -1;
    p->wait = (struct wait){0}; /* what kept it from starting is over: `ready` says so */
    p->is_open = true;
    return shared_is_stopping(p->shared) ? 0 : consumer_subscribe(p->consumer, err);
}

int pipeline_start(struct pipeline *p, struct err *err)
{
    if (pipeline_open_decoder(p, err) != 0)
        return -1;
    batch_init(&p->batch, p->config, p->bundle);
    pipeline_note_change(p, "start run=%s model=%s version=%s", p->shared->run, p->bundle->name,
                         p->bundle->version);
    watching_open(p);
    if (shared_is_stopping(p->shared))
        return 0;
    return p->shared->replay ? open_replay(p, err) : open_clients(p, err);
}
