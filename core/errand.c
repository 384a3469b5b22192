#include "core/errand.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/mem.h"

struct errand {
    errand_call *run, *drop;
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t over; /* on the clock that nobody sets */
    bool is_over, is_left;
};

static void release(struct errand *e)
{
    e->drop(e->arg);
    pthread_cond_destroy(&e->over);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static void *thread_of(void *arg)
{
    struct errand *e = arg;
    bool is_left;

    e->run(e->arg);
    pthread_mutex_lock(&e->lock);
    e->is_over = true;
    is_left = e->is_left;
    pthread_cond_signal(&e->over);
    pthread_mutex_unlock(&e->lock); /* from here on it is the owner's, unless it was left */
    if (is_left)
        release(e);
    return NULL;
}

struct errand *errand_new(errand_call *run, errand_call *drop, void *arg)
{
    struct errand *e = mem_alloc(1, sizeof *e);
    pthread_condattr_t attributes;
    pthread_t thread;

    *e = (struct errand){.run = run, .drop = drop, .arg = arg};
    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&e->over, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&thread, NULL, thread_of, e) == 0) {
        pthread_detach(thread);
    } else {
        run(arg);
        e->is_over = true;
    }
    return e;
}

bool errand_poll(struct errand *e, int timeout_ms)
{
    struct timespec until;
    bool is_over;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&e->lock);
    while (!e->is_over && pthread_cond_timedwait(&e->over, &e->lock, &until) == 0)
        continue;
    is_over = e->is_over;
    pthread_mutex_unlock(&e->lock);
    return is_over;
}

bool errand_free(struct errand *e)
{
    bool is_over;

    if (!e)
        return true;
    pthread_mutex_lock(&e->lock);
    is_over = e->is_over;
    e->is_left = !is_over;
    pthread_mutex_unlock(&e->lock);
    if (is_over)
        release(e);
    return is_over;
}
