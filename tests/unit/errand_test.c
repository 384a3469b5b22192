#include <pthread.h>

#include "core/clock.h"
#include "core/errand.h"
#include "tests/harness.h"

/* A call that waits until it may go on. */
struct job {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool may_end, is_dropped;
    int result;
};

static void set(struct job *job, bool *what)
{
    pthread_mutex_lock(&job->lock);
    *what = true;
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
}

static void await(struct job *job, const bool *what)
{
    pthread_mutex_lock(&job->lock);
    while (!*what)
        pthread_cond_wait(&job->changed, &job->lock);
    pthread_mutex_unlock(&job->lock);
}

static void work(void *arg)
{
    struct job *job = arg;

    await(job, &job->may_end);
    job->result = 7;
}

static void drop(void *arg)
{
    struct job *job = arg;

    set(job, &job->is_dropped);
}

static struct job job = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false, 0};

START_TEST(its_result_is_there_when_it_is_over)
{
    struct errand *errand = errand_new(work, drop, &job);
    int64_t until = harness_deadline();

    ck_assert(!errand_poll(errand, 0));
    ck_assert(!errand_poll(errand, 20));
    set(&job, &job.may_end);
    while (!errand_poll(errand, 1000))
        ck_assert(clock_ms() < until);
    ck_assert(errand_poll(errand, 0));
    ck_assert_int_eq(job.result, 7);
    ck_assert(!job.is_dropped);
    ck_assert(errand_free(errand));
    ck_assert(job.is_dropped);
}
END_TEST

/* Who waits for the drop would wait for ever where it does not come. */
START_TEST(one_that_is_left_ends_by_itself)
{
    struct errand *errand = errand_new(work, drop, &job);

    ck_assert(!errand_free(errand));
    set(&job, &job.may_end);
    await(&job, &job.is_dropped);
    ck_assert_int_eq(job.result, 7);
}
END_TEST

START_TEST(none_is_always_over)
{
    ck_assert(errand_free(NULL));
}
END_TEST

SUITE(errand)
{
    CASE("ends", its_result_is_there_when_it_is_over, one_that_is_left_ends_by_itself,
         none_is_always_over);
}
