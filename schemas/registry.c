#include "schemas/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "schemas/registry_cache.h"
#include "schemas/registry_fetch.h"

/* What start asked for: the subjects' versions. */
enum preload { PRELOAD_NONE, PRELOAD_WANTED, PRELOAD_RUNS, PRELOAD_FAILED, PRELOAD_DONE };

/* A fetch on its way, or waiting for its turn. */
struct job {
    struct registry_fetch fetch;
    struct job *next;
    bool is_sent;
    bool is_preload;
};

struct registry {
    struct schema_source source;
    struct registry_http *http;
    struct registry_cache cache;
    char **subjects;
    size_t subject_count;
    pthread_t thread;
    bool is_started;

    pthread_mutex_t lock;
    pthread_cond_t preloaded;
    /* Under the lock: */
    bool must_stop;
    uint32_t *asked;
    size_t asked_count, asked_cap;
    struct schema_answer *answers; /* from answer_first on */
    size_t answer_first, answer_cap;
    _Atomic size_t answer_count; /* 0 when all are taken; read without the lock, too */
    enum preload preload;
    struct err preload_err;

    /* The thread's: */
    struct job *jobs;
    size_t sent_count, preload_count;
    struct err preload_trouble;
};

static struct registry *of(struct schema_source *source)
{
    return (struct registry *)source;
}

/* ---- the table's side */

static void put_answer(struct registry *r, struct schema_answer answer)
{
    pthread_mutex_lock(&r->lock);
    r->answers = mem_grow(r->answers, r->answer_count, &r->answer_cap, sizeof *r->answers);
    r->answers[r->answer_count] = answer;
    r->answer_count++;
    pthread_mutex_unlock(&r->lock);
}

static bool is_ready(const struct schema_source *source)
{
    const struct registry *r = (const struct registry *)source;

    return atomic_load_explicit(&r->answer_count, memory_order_relaxed) != 0;
}

static bool poll(struct schema_source *source, struct schema_answer *answer)
{
    struct registry *r = of(source);

    if (!is_ready(source))
        return false;
    pthread_mutex_lock(&r->lock);
    *answer = r->answers[r->answer_first++];
    if (r->answer_first == r->answer_count) {
        r->answer_first = 0;
        r->answer_count = 0;
    }
    pthread_mutex_unlock(&r->lock);
    return true;
}

static void ask(struct schema_source *source, uint64_t id, int64_t now_ms)
{
    struct registry *r = of(source);

    (void)now_ms;

    /* A registry's ids are Java's int. Beyond it some answer 404 as for a page that they do not
     * have (Apicurio 2.6), which says nothing about an id. */
    if (id > INT32_MAX) {
        put_answer(r, (struct schema_answer){.id = id, .kind = SCHEMA_MISSING});
        return;
    }
    pthread_mutex_lock(&r->lock);
    r->asked = mem_grow(r->asked, r->asked_count, &r->asked_cap, sizeof *r->asked);
    r->asked[r->asked_count++] = (uint32_t)id;
    pthread_mutex_unlock(&r->lock);
    registry_http_wake(r->http);
}

static int await(struct schema_source *source, int timeout_ms, struct err *err)
{
    struct registry *r = of(source);
    struct timespec until;
    int result = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&r->lock);
    if (r->preload == PRELOAD_FAILED) {
        r->preload = PRELOAD_WANTED;
        registry_http_wake(r->http);
    }
    while ((r->preload == PRELOAD_WANTED || r->preload == PRELOAD_RUNS) &&
           pthread_cond_timedwait(&r->preloaded, &r->lock, &until) == 0)
        continue;
    if (r->preload == PRELOAD_FAILED) {
        *err = r->preload_err;
        result = -1;
    } else if (r->preload != PRELOAD_DONE) {
        result = err_dependency(err, "%s: no answer for %d ms", source->name, timeout_ms);
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

/* ---- the thread's side */

static void add_job(struct registry *r, uint32_t id, const char *subject, int64_t version,
                    bool is_preload)
{
    struct job **link = &r->jobs, *job;

    for (; *link; link = &(*link)->next)
        if (!subject && (*link)->fetch.kind == FETCH_ID && (*link)->fetch.answer.id == id)
            return;
    job = *link = mem_alloc(1, sizeof *job);
    registry_fetch_init(&job->fetch, id, subject, version);
    job->is_preload = is_preload;
    r->preload_count += is_preload;
}

static void end_preload(struct registry *r)
{
    pthread_mutex_lock(&r->lock);
    r->preload = err_is_set(&r->preload_trouble) ? PRELOAD_FAILED : PRELOAD_DONE;
    r->preload_err = r->preload_trouble;
    pthread_cond_broadcast(&r->preloaded);
    pthread_mutex_unlock(&r->lock);
}

/* Takes what was asked for since. False: stop. */
static bool take_orders(struct registry *r)
{
    bool must_stop, must_preload;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->asked_count; i++)
        add_job(r, r->asked[i], NULL, 0, false);
    r->asked_count = 0;
    must_preload = r->preload == PRELOAD_WANTED;
    if (must_preload)
        r->preload = PRELOAD_RUNS;
    must_stop = r->must_stop;
    pthread_mutex_unlock(&r->lock);
    if (must_preload) {
        r->preload_trouble = (struct err)ERR_INIT;
        for (size_t i = 0; i < r->subject_count; i++)
            add_job(r, 0, r->subjects[i], 0, true);
        if (r->subject_count == 0)
            end_preload(r);
    }
    return !must_stop;
}

static void free_job(struct registry *r, struct job *job)
{
    for (struct job **link = &r->jobs; *link; link = &(*link)->next) {
        if (*link == job) {
            *link = job->next;
            break;
        }
    }
    registry_fetch_release(&job->fetch);
    free(job);
}

static void note_preload(struct registry *r, const struct registry_fetch *f)
{
    if (f->answer.kind == SCHEMA_FAILED && f->is_denied)
        err_fatal(&r->preload_trouble, EXIT_DENIED, "registry %s", f->answer.words);
    else if (f->answer.kind == SCHEMA_FAILED)
        err_dependency(&r->preload_trouble, "registry %s", f->answer.words);
    for (size_t i = 0; i < f->version_count; i++)
        add_job(r, 0, f->docs[0].subject, f->versions[i], true);
}

/* A version that can be no schema of ours has an answer too, if its id is known. */
static bool is_told(const struct registry_fetch *f)
{
    return f->kind == FETCH_ID ||
           (f->kind == FETCH_VERSION &&
            (f->answer.kind == SCHEMA_FOUND || (f->answer.kind == SCHEMA_BAD && f->answer.id)));
}

static void end_job(struct registry *r, struct job *job)
{
    struct registry_fetch *f = &job->fetch;
    bool is_preload = job->is_preload;

    if (is_preload)
        note_preload(r, f);
    if (f->kind != FETCH_LIST && f->answer.kind == SCHEMA_FOUND)
        registry_cache_store(&r->cache, &f->answer);
    if (is_told(f)) {
        f->answer.subject = f->docs[0].subject;
        f->answer.version = f->docs[0].version;
        f->docs[0].subject = NULL;
        put_answer(r, f->answer);
        f->answer = (struct schema_answer){0};
    }
    free_job(r, job);
    r->preload_count -= is_preload;
    if (is_preload && r->preload_count == 0)
        end_preload(r);
}

/* The next question of a job. False: there is none. */
static bool send_job(struct registry *r, struct job *job)
{
    char path[REGISTRY_MAX_PATH];

    if (!registry_fetch_path(&job->fetch, path, sizeof path))
        return false;
    registry_http_send(r->http, path, NULL, job);
    return true;
}

static void send_waiting(struct registry *r)
{
    struct job *next;

    for (struct job *job = r->jobs; job && r->sent_count < REGISTRY_MAX_FETCHES; job = next) {
        next = job->next;
        if (job->is_sent)
            continue;
        job->is_sent = send_job(r, job);
        r->sent_count += job->is_sent;
        if (!job->is_sent)
            end_job(r, job);
    }
}

static void take_response(struct registry *r, struct registry_response *response)
{
    struct job *job = response->tag;
    bool is_done = response->is_too_large;

    if (is_done)
        registry_fetch_refuse(&job->fetch, response->where, response->trouble);
    else
        is_done = registry_fetch_take(&job->fetch, response->where, response->status,
                                      response->status ? response->body : response->trouble,
                                      response->len);
    free(response->body);
    if (!is_done && send_job(r, job))
        return;
    r->sent_count--;
    end_job(r, job);
}

static void *run(void *arg)
{
    enum { TURN_MS = 1000 };
    struct registry *r = arg;
    struct registry_response response;

    while (take_orders(r)) {
        send_waiting(r);
        if (registry_http_poll(r->http, TURN_MS, &response))
            take_response(r, &response);
    }
    return NULL;
}

/* ---- life */

static int start(struct schema_source *source, struct err *err)
{
    struct registry *r = of(source);
    struct schema_answer *kept;
    size_t count = registry_cache_load(&r->cache, REGISTRY_MAX_VERSIONS, &kept);

    for (size_t i = 0; i < count; i++)
        put_answer(r, kept[i]);
    free(kept);
    r->preload = PRELOAD_WANTED;
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        return err_fatal(err, EXIT_INTERNAL, "%s: no thread", source->name);
    r->is_started = true;
    return 0;
}

static void stop(struct registry *r)
{
    pthread_mutex_lock(&r->lock);
    r->must_stop = true;
    pthread_mutex_unlock(&r->lock);
    registry_http_wake(r->http);
    pthread_join(r->thread, NULL);
}

static void registry_free(struct schema_source *source)
{
    struct registry *r = of(source);
    struct schema_answer answer;

    if (r->is_started)
        stop(r);
    while (r->jobs)
        free_job(r, r->jobs);
    while (poll(source, &answer))
        schema_answer_release(&answer);
    for (size_t i = 0; i < r->subject_count; i++)
        free(r->subjects[i]);
    registry_http_free(r->http);
    registry_cache_release(&r->cache);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->preloaded);
    free((char *)source->name);
    free(r->subjects);
    free(r->answers);
    free(r->asked);
    free(r);
}

static void init_sync(struct registry *r)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->preloaded, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&r->lock, NULL);
}

int registry_new(struct schema_source **source, const struct registry_options *options,
                 struct err *err)
{
    struct registry *r = mem_alloc(1, sizeof *r);
    char name[300];

    *source = NULL;
    init_sync(r);
    r->source = (struct schema_source){.is_immutable = true,
                                       .keep_ms = REGISTRY_KEEP_MS,
                                       .asks_per_s = options->asks_per_s,
                                       .start = start,
                                       .await = await,
                                       .ask = ask,
                                       .is_ready = is_ready,
                                       .poll = poll,
                                       .free = registry_free};
    r->subjects = mem_alloc(options->subject_count, sizeof *r->subjects);
    for (; r->subject_count < options->subject_count; r->subject_count++)
        r->subjects[r->subject_count] = mem_copy_text(options->subjects[r->subject_count],
                                                      strlen(options->subjects[r->subject_count]));
    if (registry_http_new(&r->http, &options->access, err) != 0 ||
        registry_cache_init(&r->cache, options->cache, registry_http_name(r->http), err) != 0) {
        registry_free(&r->source);
        return -1;
    }
    snprintf(name, sizeof name, "registry %s", registry_http_name(r->http));
    r->source.name = mem_copy_text(name, strlen(name));
    *source = &r->source;
    return 0;
}
