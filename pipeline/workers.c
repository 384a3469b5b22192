/* workers.c: as many pipelines as are configured, and one account of them all. */
#include <pthread.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "pipeline/journaling.h"
#include "pipeline/lifecycle.h"
#include "pipeline/redriving.h"

struct worker {
    struct shared *shared;
    unsigned number;
    pthread_t thread;
    bool has_thread;
    struct pipeline_summary summary;
    struct err err;
};

/* What ends one worker ends the process: the partitions that it leaves would only fail the next. */
static void fail(struct worker *w)
{
    int none = -1;

    if (!atomic_compare_exchange_strong(&w->shared->failed, &none, (int)w->number))
        return;
    if (w->shared->config->workers > 1)
        log_event(LOG_ERROR, "stopping", "all workers, for this one failed: %s", w->err.text);
}

static void work(struct worker *w)
{
    if (w->shared->config->workers > 1)
        log_set_worker((int)w->number);
    if (pipeline_work(w->shared, w->number, &w->summary, &w->err) != 0)
        fail(w);
}

static void *thread_of(void *arg)
{
    work(arg);
    return NULL;
}

/* Of two that met the same fault, what the first met. */
static void add_fault(struct fault_tally *sum, const struct fault_tally *one)
{
    uint64_t count = sum->count + one->count;

    if (sum->count == 0)
        *sum = *one;
    sum->count = count;
}

static void add_summary(struct pipeline_summary *sum, const struct pipeline_summary *one)
{
    sum->consumed += one->consumed;
    sum->scored += one->scored;
    sum->dead += one->dead;
    sum->skipped += one->skipped;
    sum->returned += one->returned;
    sum->in_flight += one->in_flight;
    sum->alerts += one->alerts;
    sum->stale_alerts += one->stale_alerts;
    sum->commits += one->commits;
    sum->rewinds += one->rewinds;
    sum->no_event_time += one->no_event_time;
    if (sum->first_score_ms < 0 ||
        (one->first_score_ms >= 0 && one->first_score_ms < sum->first_score_ms))
        sum->first_score_ms = one->first_score_ms;
    for (int f = 0; f < FAULT_COUNT; f++)
        add_fault(&sum->faults[f], &one->faults[f]);
}

/* The first worker runs on the caller's thread. */
static void run_all(struct worker *workers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        workers[i].has_thread =
            pthread_create(&workers[i].thread, NULL, thread_of, &workers[i]) == 0;
        if (workers[i].has_thread)
            continue;
        err_fatal(&workers[i].err, EXIT_INTERNAL, "no thread for worker %zu", i);
        fail(&workers[i]);
    }
    work(&workers[0]);
    log_set_worker(-1);
    for (size_t i = 1; i < count; i++)
        if (workers[i].has_thread)
            pthread_join(workers[i].thread, NULL);
}

/* Before the first record: whoever is paged for it reads what changed. */
static void begin_journal(const struct shared *s)
{
    struct model_metrics model;

    measure_model(&model, s->bundle);
    journaling_begin(s->options->journaling, &model);
}

/* A replay finds its window first; there may be nothing to do, or less than for all. */
static bool may_run(struct shared *s, size_t *count, struct err *err)
{
    if (!s->replay)
        return true;
    if ((s->replay->redrive ? redrive_open : replay_open)(s->replay, s, err) != 0 ||
        !s->replay->is_open)
        return false;
    *count = s->replay->worker_count;
    return *count > 0;
}

int pipeline_run(const struct pipeline_options *options, struct pipeline_summary *summary,
                 struct err *err)
{
    struct shared shared;
    size_t count = (size_t)options->config->workers;
    struct worker *workers = mem_alloc(count, sizeof *workers);

    *summary = (struct pipeline_summary){.first_score_ms = -1};
    for (size_t i = 0; i < count; i++)
        workers[i] = (struct worker){.shared = &shared,
                                     .number = (unsigned)i,
                                     .summary = {.first_score_ms = -1},
                                     .err = ERR_INIT};
    if (shared_open(&shared, options, err) == 0 && !shared_is_stopping(&shared) &&
        may_run(&shared, &count, err)) {
        struct lifecycle *lifecycle = lifecycle_new(&shared);
        begin_journal(&shared);
        run_all(workers, count);
        lifecycle_free(lifecycle);
    }
    for (size_t i = 0; i < (size_t)options->config->workers; i++)
        add_summary(summary, &workers[i].summary);
    if (!err_is_set(err) && shared.failed >= 0)
        *err = workers[shared.failed].err;
    shared_release(&shared);
    free(workers);
    return err_is_set(err) ? -1 : 0;
}
