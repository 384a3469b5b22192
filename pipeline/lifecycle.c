#include "pipeline/lifecycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/errand.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/bundle_changes.h"
#include "pipeline/folder_watch.h"
#include "pipeline/schemas.h"
#include "pipeline/state.h"

enum { LOOK_MS = 50, WATCH_MS = 2000, LEAVE_MS = 2000 };

struct lifecycle {
    struct shared *shared;
    struct pipeline_orders *orders; /* or NULL */
    unsigned reloads, rollbacks;    /* of the orders, taken */
    struct changeover changeover;
    struct bundle *previous;   /* or NULL: nothing to go back to */
    char left[SHA256_HEX + 1]; /* digest that was rolled back from; "" none */
    struct folder_watch watch;
    int64_t watch_ms;     /* when it looks again */
    unsigned count;       /* of changes of the model, so that no line is another's */
    _Atomic bool is_away; /* in the file system, which may hang */
    pthread_t owner;
    struct errand *errand;
};

/* ---- one bundle in place of another */

static void kit_release(struct kit *kit)
{
    decoder_free(kit->decoder);
    room_release(&kit->room);
    watch_free(kit->watch);
    *kit = (struct kit){0};
}

static int kit_init(struct kit *kit, const struct shared *s, unsigned worker,
                    const struct bundle *bundle, struct err *err)
{
    struct schema_source *seat = s->schemas ? schema_share_seat(s->schemas, worker) : NULL;

    *kit = (struct kit){.bundle = bundle};
    if (alerts_init(&kit->alerts, s->config, bundle, err) != 0 ||
        schemas_decoder(&kit->decoder, s->config, seat, &bundle->features, err) != 0) {
        if (seat)
            seat->free(seat);
        return -1;
    }
    room_init(&kit->room, s->config, bundle);
    kit->watch = watch_new(bundle);
    return 0;
}

/* 0: all workers have it; -1: err, none has; 1: they ended. */
static int change(struct lifecycle *l, const struct bundle *bundle, struct err *err)
{
    struct changeover *c = &l->changeover;
    int result = 0;

    for (unsigned i = 0; i < c->worker_count && result == 0; i++)
        result = kit_init(&c->kits[i], l->shared, i, bundle, err);
    if (result == 0)
        result = changeover_judge(c, err);
    if (result == 0 && !changeover_take(c))
        result = 1;
    for (unsigned i = 0; i < c->worker_count; i++)
        kit_release(&c->kits[i]);
    return result;
}

/* ---- reload */

/* The folder as the path names it now: a link that is switched meanwhile does not mix two. */
static int load(struct lifecycle *l, struct bundle **bundle, struct err *err)
{
    const struct config *config = l->shared->config;
    char *path;
    int result;

    atomic_store(&l->is_away, true);
    l->watch.tried = folder_stamp(config->model_path);
    path = realpath(config->model_path, NULL);
    result = shared_load_bundle(config, path ? path : config->model_path, bundle, err);
    free(path);
    atomic_store(&l->is_away, false);
    return result;
}

static void say_change(struct lifecycle *l, const char *event, const char *order,
                       const struct bundle *from, int64_t start_ms)
{
    const struct bundle *to = l->shared->bundle;
    char changes[BUNDLE_CHANGES_MAX];

    bundle_changes_print(from, to, changes);
    log_event(LOG_INFO, event,
              "order=%s change=%u model=%s version=%s digest=%.12s from_model=%s from_version=%s "
              "from_digest=%.12s took_ms=%lld %s",
              order, ++l->count, to->name, to->version, to->digest, from->name, from->version,
              from->digest, (long long)(clock_ms() - start_ms), changes);
}

static void say_refused(struct lifecycle *l, const char *order, const struct bundle *bundle,
                        const struct err *err)
{
    const struct bundle *stays = l->shared->bundle;
    char what[300] = "";

    if (bundle)
        snprintf(what, sizeof what, " model=%s version=%s digest=%.12s", bundle->name,
                 bundle->version, bundle->digest);
    log_event(LOG_ERROR, "model_refused", "order=%s%s stays_digest=%.12s %s", order, what,
              stays->digest, err->text);
}

/* Nothing is new, or what is there was left by a rollback: then only whoever asks gets it. */
static bool is_unwanted(struct lifecycle *l, const struct bundle *bundle, bool is_asked)
{
    bool is_left = strcmp(bundle->digest, l->left) == 0 && !is_asked;

    if (!is_left && strcmp(bundle->digest, l->shared->bundle->digest) != 0)
        return false;
    log_event(LOG_INFO, "model_unchanged", "model=%s version=%s digest=%.12s %s", bundle->name,
              bundle->version, bundle->digest,
              is_left ? "it was rolled back from: a reload takes it" : "it is in use");
    return true;
}

/* The bundle is the process's now, and the one before is kept. */
static void put_in_place(struct lifecycle *l, struct bundle *bundle)
{
    bundle_free(l->previous);
    l->previous = l->shared->bundle;
    l->shared->bundle = bundle;
    l->left[0] = '\0';
}

static void reload(struct lifecycle *l, const char *order, bool is_asked)
{
    int64_t start_ms = clock_ms();
    struct bundle *bundle = NULL;
    struct err err = ERR_INIT;
    int result = load(l, &bundle, &err);

    if (changeover_is_over(&l->changeover, 0)) {
        bundle_free(bundle);
        return;
    }
    if (result == 0 && is_unwanted(l, bundle, is_asked)) {
        bundle_free(bundle);
        return;
    }
    if (result == 0) {
        shared_say_loaded(bundle);
        result = change(l, bundle, &err);
    }
    if (result == 0) {
        put_in_place(l, bundle);
        say_change(l, "model_swapped", order, l->previous, start_ms);
        return;
    }
    if (result < 0)
        say_refused(l, order, bundle, &err);
    bundle_free(bundle);
}

/* ---- rollback */

static void roll_back(struct lifecycle *l)
{
    int64_t start_ms = clock_ms();
    struct bundle *bad = l->shared->bundle;
    struct err err = ERR_INIT;
    int result;

    if (!l->previous)
        err_fatal(&err, EXIT_USAGE, "there is none to go back to");
    result = l->previous ? change(l, l->previous, &err) : -1;
    if (result < 0)
        say_refused(l, "rollback", l->previous, &err);
    if (result != 0)
        return;
    l->shared->bundle = l->previous;
    l->previous = NULL;
    memcpy(l->left, bad->digest, sizeof l->left);
    say_change(l, "model_rolled_back", "rollback", bad, start_ms);
    bundle_free(bad);
}

/* ---- the thread */

static bool is_given(_Atomic unsigned *order, unsigned *taken)
{
    unsigned given = atomic_load_explicit(order, memory_order_relaxed);
    bool is_new = given != *taken;

    *taken = given;
    return is_new;
}

static bool has_changed(struct lifecycle *l)
{
    uint64_t stamp;

    if (!l->shared->config->watch || clock_ms() < l->watch_ms)
        return false;
    l->watch_ms = clock_ms() + WATCH_MS;
    atomic_store(&l->is_away, true);
    stamp = folder_stamp(l->shared->config->model_path);
    atomic_store(&l->is_away, false);
    return folder_watch_look(&l->watch, stamp);
}

static void run(void *arg)
{
    struct lifecycle *l = arg;

    if (pthread_equal(pthread_self(), l->owner)) { /* see errand_new */
        log_event(LOG_ERROR, "model_refused", "any other: there is no thread to load it");
        return;
    }
    while (!changeover_is_over(&l->changeover, LOOK_MS)) {
        if (shared_is_stopping(l->shared))
            continue;
        if (l->orders && is_given(&l->orders->rollback, &l->rollbacks))
            roll_back(l);
        if (l->orders && is_given(&l->orders->reload, &l->reloads))
            reload(l, "reload", true);
        else if (has_changed(l))
            reload(l, "watch", false);
    }
}

static void drop(void *arg)
{
    struct lifecycle *l = arg;

    bundle_free(l->previous);
    changeover_release(&l->changeover);
    free(l);
}

struct lifecycle *lifecycle_new(struct shared *s)
{
    struct lifecycle *l;

    if (s->replay || (!s->options->orders && !s->config->watch))
        return NULL;
    l = mem_alloc(1, sizeof *l);
    *l = (struct lifecycle){
        .shared = s, .orders = s->options->orders, .watch = {s->model_stamp, s->model_stamp}};
    l->owner = pthread_self();
    changeover_init(&l->changeover, (unsigned)s->config->workers);
    s->changeover = &l->changeover;
    l->errand = errand_new(run, drop, l);
    return l;
}

void lifecycle_free(struct lifecycle *l)
{
    int64_t until_ms = clock_ms() + LEAVE_MS;

    if (!l)
        return;
    changeover_end(&l->changeover);
    while (!errand_poll(l->errand, LOOK_MS))
        if (atomic_load(&l->is_away) && clock_ms() > until_ms)
            break;
    errand_free(l->errand);
}
