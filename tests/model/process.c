/* process.c: a kscore of one worker: started, turned, ended, killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/watching.h"
#include "producer/transaction.h"
#include "tests/model/world.h"

enum { DOUBLED = 0 }; /* the instance with two processes */
enum { TRIED = 6 };   /* more than a batch has */

/* All processes but the first have a breaker; in the end it lets the worst of streams pass. */
static double share_of(const struct process *p)
{
    if (p->number == 0)
        return 1;
    return world.is_calm ? 0.99 : 0.3;
}

static void configure(struct process *p)
{
    static struct feature feature = {.name = (char *)"x", .missing = NAN};
    static struct bundle bundle = {.features = {.items = &feature, .count = 1}, .output_count = 1};
    static char name[] = "model", in[] = "in", scores[] = "scores", alerts[] = "alerts",
                dead[] = "dead";
    static char *topics[] = {in};

    p->config = (struct config){.name = name,
                                .instance = name,
                                .delivery = DELIVERY_EXACTLY_ONCE,
                                .transaction_rows = 12,
                                .transaction_ms = 500,
                                .batch_rows = BATCH,
                                .batch_wait_ms = 5,
                                .drain_ms = 20000,
                                .breaker_window_s = 1,
                                .breaker_minimum = TRIED,
                                .breaker_share = share_of(p),
                                .topics = topics,
                                .topic_count = 1,
                                .score_topic = scores,
                                .alert_topic = alerts,
                                .dead_topic = dead};
    p->stop = 0;
    err_reset(&p->err);
    p->options = (struct pipeline_options){.config = &p->config, .build = "", .stop = &p->stop};
    p->shared = (struct shared){.options = &p->options,
                                .config = &p->config,
                                .bundle = &bundle,
                                .alerts = {.is_wanted = {false, true}},
                                .failed = -1};
}

/* The process leaves no memory behind; what it had sent may arrive. */
static void clean_up(struct process *process)
{
    struct pipeline *p = &process->pipeline;

    producer_lose(p->producer);
    consumer_abandon(p->consumer);
    batch_release(&p->batch);
    watching_close(p);
    decoder_free(p->decoder);
    free(p->transaction.offsets);
    ring_release(&p->ring);
    ledger_release(&p->ledger);
    metrics_release(&p->measures.metrics);
    process->is_up = false;
    process->doom = 0;
    process->is_dead = false;
}

void process_kill(unsigned number)
{
    if (world.processes[number].is_up)
        clean_up(&world.processes[number]);
}

static bool balances(const struct pipeline_summary *s)
{
    return s->consumed == s->scored + s->dead + s->skipped + s->returned + s->in_flight;
}

/* Only what is told to stop, has a double, or was too slow for two transactions in a row
 * may find that it must be started again. */
static void end(struct process *process)
{
    struct err *err = &process->err;
    bool may_fail =
        process->stop || process->instance == DOUBLED || process->pipeline.transaction.is_fenced;

    if (pipeline_close(&process->pipeline, err) != 0 && (err->exit_code != EXIT_AGAIN || !may_fail))
        world_fail("process %u ends with %d: %.300s", process->number, err->exit_code, err->text);
    if (!balances(&process->summary))
        world_fail("process %u: its last account does not balance", process->number);
    process->is_up = process->is_dead = false;
    process->doom = 0;
}

/* What is wrong on purpose with the program. */
static void go_wrong(struct pipeline *p)
{
    struct transaction *t = &p->transaction;
    struct part *part = p->ledger.parts;

    if (world.plant == PLANT_forgotten_try && p->batch.count > 0 && !p->has_unsent)
        p->batch.slot->is_open = false;
    if (world.plant == PLANT_short_return && p->breaker.state == BREAKER_OPEN)
        for (size_t i = 0; i < p->ledger.count; i++)
            part[i].position += part[i].is_ahead && part[i].position == part[i].done;
    if (world.plant == PLANT_early_retirement)
        ring_retire(&p->ring, &p->ledger);
    if (world.plant == PLANT_doubt_without_asking && t->state == TRANSACTION_DEAD)
        t->must_ask = false;
    if (world.plant == PLANT_rewind_without_abort && t->state == TRANSACTION_OPEN) {
        producer_poll(p->producer, 0);
        if (p->must_rewind && producer_flush(p->producer, 5))
            pipeline_rewind(p);
    }
    if (world.plant == PLANT_torn_batch && t->state == TRANSACTION_OPEN && p->has_unsent &&
        p->batch.next > 0)
        t->state = TRANSACTION_ENDING;
}

void process_start(unsigned number)
{
    struct process *process = &world.processes[number];

    if (process->is_up)
        return;
    process->is_up = true;
    world.calls = 0;
    process->is_cut = process->is_slow = false;
    process->identity = ++world.identities;
    configure(process);
    pipeline_init(&process->pipeline, &process->shared, number, &process->summary);
    if (sigsetjmp(world.death, 1) != 0)
        process_kill(number);
    else if (pipeline_start(&process->pipeline, &process->err) != 0)
        end(process);
}

void process_turn(unsigned number)
{
    struct process *process = &world.processes[number];

    if (!process->is_up)
        return;
    world.calls = 0;
    if (sigsetjmp(world.death, 1) != 0) {
        process_kill(number);
        return;
    }
    process->pipeline.breaker.share = share_of(process);
    go_wrong(&process->pipeline);
    if (pipeline_is_done(&process->pipeline) ||
        pipeline_turn(&process->pipeline, &process->err) != 0)
        end(process);
}
