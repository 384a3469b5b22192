/* changeover.h: how the workers of a process go over from one bundle to another.
 *
 *   helper (lifecycle.c)                      worker, between two batches, nothing unsent
 *   a kit for each: plans, alerts, room
 *   JUDGE            ----------------------->  can it serve the schemas that are live here?
 *   one says no: the kits go, all stay
 *   TAKE             ----------------------->  its own into the kit, the kit's in their place
 *   all have taken: what they had goes
 *
 * A batch has one bundle from its first row to its last score: its dead letters are explained by
 * the plans that decoded it. No worker waits for another; while nothing goes on it costs a load.
 * The bundles stay the helper's. Thread: a kit is its worker's while phase asks for it.
 */
#ifndef PIPELINE_CHANGEOVER_H
#define PIPELINE_CHANGEOVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/err.h"
#include "pipeline/alerts.h"
#include "scoring/bundle.h"

struct decoder;
struct pipeline;
struct watch;

/* For the rows of a batch, batch_rows of them; as wide as the bundle's. */
struct room {
    float *matrix;
    double *margins, *scores;
    void *scratch;
};

/* What one worker needs of a bundle. */
struct kit {
    const struct bundle *bundle;
    struct alerts alerts;
    struct decoder *decoder;
    struct room room;
    struct watch *watch; /* takes over from the one in use, which is freed */
};

struct changeover {
    struct kit *kits;       /* by worker */
    _Atomic unsigned phase; /* goes up: odd judge, even take; 0 at first */
    pthread_mutex_t lock;   /* of all below */
    pthread_cond_t moved;   /* on the clock that nobody sets */
    unsigned worker_count, left;
    struct err err; /* of the first that says no */
    bool must_end;  /* no worker is there any more */
};

void changeover_init(struct changeover *changeover, unsigned workers);
void changeover_release(struct changeover *changeover);

/* The helper's: all workers judge their kits. 0: they may take them; -1: err; 1: they ended. */
int changeover_judge(struct changeover *changeover, struct err *err);
/* After that: all take them. False: they ended meanwhile, some may have. */
bool changeover_take(struct changeover *changeover);

/* Waits up to timeout_ms for the end of the workers: true. */
bool changeover_is_over(struct changeover *changeover, int timeout_ms);
/* They ended. Any thread. */
void changeover_end(struct changeover *changeover);

/* The worker's, once a turn: takes part in what goes on, unless a batch is unsent. */
void changeover_turn(struct pipeline *p);

#endif
