/* start.c: everything that is proven before the first record is taken. A dependency that is not
 * there is waited for; everything else that is wrong ends the program with its code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "pipeline/state.h"

bool pipeline_pause(struct pipeline *p)
{
    if (shared_is_stopping(p->shared))
        return false;
    backoff_sleep(&p->backoff);
    decoder_poll(p->decoder, clock_ms()); /* the other workers may be at work already */
    return true;
}

/* Waits for the brokers in turns of 2 s, until told to stop. The first trouble is said, and then
 * what changes. */
static int wait_for_topics(struct pipeline *p, struct producer_limits *limits, struct err *err)
{
    enum { TURN_MS = 2000 };
    bool is_proven;

    log_event(LOG_INFO, "connecting", "input and output topics");
    for (;;) {
        if (consumer_check(p->consumer, TURN_MS, err) == 0 &&
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

static int open_clients(struct pipeline *p, struct err *err)
{
    struct consumer_hooks hooks = {p, pipeline_on_revoking, pipeline_on_assigned};
    struct producer_options options = {.config = p->config,
                                       .limits = {1, {0}},
                                       .provenance = {p->bundle->name, p->bundle->version,
                                                      p->bundle->digest, p->shared->run, p->worker,
                                                      SCORE_LIVE},
                                       .score_schema_id = (int32_t)p->shared->score_schema_id,
                                       .report = pipeline_on_report,
                                       .arg = p};

    p->consumer = consumer_new(p->config, p->worker, &p->ledger, &hooks, err);
    if (!p->consumer || wait_for_topics(p, &options.limits, err) != 0)
        return -1;
    p->producer = producer_new(&options, err);
    if (!p->producer || p->commit->open(p, err) != 0)
        return -1;
    p->wait = (struct wait){0}; /* what kept it from starting is over: `ready` says so */
    return shared_is_stopping(p->shared) ? 0 : consumer_subscribe(p->consumer, err);
}

int pipeline_start(struct pipeline *p, struct err *err)
{
    if (pipeline_open_decoder(p, err) != 0)
        return -1;
    batch_init(&p->batch, p->config, p->bundle);
    return shared_is_stopping(p->shared) ? 0 : open_clients(p, err);
}
