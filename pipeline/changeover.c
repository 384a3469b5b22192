#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "core/mem.h"
#include "pipeline/watching.h"

void changeover_init(struct changeover *c, unsigned workers)
{
    pthread_condattr_t attributes;

    *c = (struct changeover){.worker_count = workers, .err = ERR_INIT};
    c->kits = mem_alloc(workers, sizeof *c->kits);
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->moved, &attributes);
    pthread_condattr_destroy(&attributes);
}

void changeover_release(struct changeover *c)
{
    pthread_cond_destroy(&c->moved);
    pthread_mutex_destroy(&c->lock);
    free(c->kits);
}

/* ---- the helper's side */

/* All workers go through a phase. False: they ended. */
static bool go_through(struct changeover *c, unsigned phase)
{
    bool is_through;

    pthread_mutex_lock(&c->lock);
    c->left = c->worker_count;
    atomic_store_explicit(&c->phase, phase, memory_order_release);
    while (c->left > 0 && !c->must_end)
        pthread_cond_wait(&c->moved, &c->lock);
    is_through = c->left == 0;
    pthread_mutex_unlock(&c->lock);
    return is_through;
}

int changeover_judge(struct changeover *c, struct err *err)
{
    unsigned phase = atomic_load(&c->phase);

    err_reset(&c->err);
    if (!go_through(c, phase + 1 + phase % 2)) /* one that was refused was not taken */
        return 1;
    if (!err_is_set(&c->err))
        return 0;
    *err = c->err;
    return -1;
}

bool changeover_take(struct changeover *c)
{
    return go_through(c, atomic_load(&c->phase) + 1);
}

bool changeover_is_over(struct changeover *c, int timeout_ms)
{
    struct timespec until;
    bool is_over;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&c->lock);
    while (!c->must_end && pthread_cond_timedwait(&c->moved, &c->lock, &until) == 0)
        continue;
    is_over = c->must_end;
    pthread_mutex_unlock(&c->lock);
    return is_over;
}

void changeover_end(struct changeover *c)
{
    pthread_mutex_lock(&c->lock);
    c->must_end = true;
    pthread_cond_signal(&c->moved);
    pthread_mutex_unlock(&c->lock);
}

/* ---- the worker's side */

/* What is in use goes into the kit, for the helper to free. */
static void take(struct pipeline *p, struct kit *kit)
{
    struct kit old = {p->bundle, p->alerts, p->decoder, p->batch.room, NULL};
    struct watch *watch = kit->watch;

    watching_swap(p, watch); /* what it tells is of the bundle before */
    p->bundle = kit->bundle;
    p->alerts = kit->alerts;
    p->decoder = kit->decoder;
    p->batch.room = kit->room;
    *kit = old;
    p->provenance.model = p->bundle->name;
    p->provenance.version = p->bundle->version;
    p->provenance.digest = p->bundle->digest;
    producer_set_provenance(p->producer, &p->provenance, (int32_t)p->shared->score_schema_id);
    p->model_count++;
    measure_bundle(p);
    pipeline_note_change(p, "model_swapped model=%s version=%s", p->bundle->name,
                         p->bundle->version);
    pipeline_say_schemas(p);
}

void changeover_turn(struct pipeline *p)
{
    struct changeover *c = p->shared->changeover;
    struct err err = ERR_INIT;
    unsigned phase;

    if (!c || p->batch.count > 0) /* unsent, or held by a half-open breaker: rows of this model */
        return;
    phase = atomic_load_explicit(&c->phase, memory_order_acquire);
    if (phase == p->phase)
        return;
    p->phase = phase;
    if (phase % 2 == 0)
        take(p, &c->kits[p->worker]);
    else
        (void)decoder_hand_over(p->decoder, c->kits[p->worker].decoder, clock_ms(), &err);
    pthread_mutex_lock(&c->lock);
    if (err_is_set(&err) && !err_is_set(&c->err))
        c->err = err;
    if (--c->left == 0)
        pthread_cond_signal(&c->moved);
    pthread_mutex_unlock(&c->lock);
}
