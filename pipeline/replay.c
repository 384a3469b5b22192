#include "pipeline/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/seat.h"

/* ---- before the first record */

/* What a state must agree with, beside build, configuration and bundle. */
static char *describe(const struct replay *r)
{
    static const char *const formats[] = {"jsonl", "csv", "avro"};
    const struct replay_options *o = r->options;
    const char *scores = o->score_path ? o->score_path : r->config.score_topic;
    const char *dead = o->dead_path ? o->dead_path : r->config.dead_topic;
    size_t cap = strlen(scores) + strlen(dead) + strlen(o->range_text) + 100;
    char *text = mem_alloc(cap, 1);

    snprintf(text, cap, "%s of %s; scores: %s %s; dead letters: %s %s", score_mode_name(o->mode),
             o->range_text, o->score_path ? formats[o->format] : "topic", scores,
             o->dead_path ? "jsonl" : "topic", dead);
    return text;
}

static int compare(const char *what, const char *was, const char *is, const char *path,
                   struct err *err)
{
    if (strcmp(was, is) == 0)
        return 0;
    return err_fatal(err, EXIT_DATA,
                     "%s is the state of another replay: its %s is %s, not %s; name another "
                     "output, or delete both",
                     path, what, was, is);
}

/* 0: goes on, 1: begins, -1: err. */
static int resume(struct replay *r, const struct shared *shared, struct err *err)
{
    const char *path = r->options->state_path;
    struct replay_state *s = &r->state;
    char *job = describe(r);
    int result = path ? replay_state_load(s, path, err) : 1;

    if (result == 0 &&
        (compare("job", s->job, job, path, err) != 0 ||
         compare("digest of the model", s->digest, shared->bundle->digest, path, err) != 0 ||
         compare("run (build and configuration)", s->run, shared->run, path, err) != 0))
        result = -1;
    if (result == 1) {
        s->job = mem_copy_text(job, strlen(job));
        s->run = mem_copy_text(shared->run, strlen(shared->run));
        s->digest = mem_copy_text(shared->bundle->digest, strlen(shared->bundle->digest));
    }
    free(job);
    return result;
}

/* What somebody wrote is not ours to overwrite. */
static int refuse_file(const char *path, struct err *err)
{
    struct stat info;

    if (!path || stat(path, &info) != 0 || info.st_size == 0)
        return 0;
    return err_fatal(err, EXIT_IO, "%s is there already, and no state to go on from", path);
}

int replay_wait(const struct shared *shared, int (*ask)(void *arg, struct err *err), void *arg,
                struct err *err)
{
    struct backoff backoff;

    backoff_init(&backoff, 0);
    while (ask(arg, err) != 0) {
        if (err->kind != ERR_DEPENDENCY)
            return -1;
        log_event(LOG_WARNING, "waiting", "for=kafka %s", err->text);
        err_reset(err);
        backoff_fail(&backoff);
        backoff_sleep(&backoff);
        if (shared_is_stopping(shared))
            return 1;
    }
    return 0;
}

struct find {
    const struct replay *replay;
    struct reader *reader;
};

static int find_window(void *arg, struct err *err)
{
    enum { TURN_MS = 2000 };
    const struct find *f = arg;
    const struct config *c = &f->replay->config;

    if (reader_find(f->reader, (const char *const *)c->topics, c->topic_count,
                    &f->replay->options->range, TURN_MS, err) == 0)
        return 0;
    return err_prefix(err, "[consumer]");
}

/* The window of a replay before this one, as it was found then. */
static void copy_parts(struct replay_state *to, const struct replay_state *from)
{
    for (size_t i = 0; i < from->part_count; i++)
        replay_state_add(to, &from->parts[i]);
}

static int find_parts(struct replay *r, const struct shared *shared, struct err *err)
{
    struct find find = {r, NULL};
    struct reader *reader;
    int result;

    find.reader = reader = reader_new(&r->config, err);
    if (!reader)
        return -1;
    log_event(LOG_INFO, "connecting", "input topics");
    result = replay_wait(shared, find_window, &find, err);
    for (size_t i = 0; result == 0 && i < reader_window_count(reader); i++) {
        struct window w = reader_window(reader, i);
        struct replay_part part = {(char *)w.topic, w.partition, w.from, w.from, w.to, 0};
        if (part.to < part.from)
            part.to = part.from;
        replay_state_add(&r->state, &part);
    }
    reader_free(reader);
    return result;
}

/* 0, 1: told to stop before. */
static int begin(struct replay *r, const struct shared *shared, struct err *err)
{
    const struct compare_target *compare = r->options->compare;
    struct replay_state *window = compare ? &compare->fates->window : NULL;
    int result = 0;

    if (refuse_file(r->options->score_path, err) != 0 ||
        refuse_file(r->options->dead_path, err) != 0)
        return -1;
    if (window && window->part_count > 0)
        copy_parts(&r->state, window);
    else
        result = find_parts(r, shared, err);
    if (result == 0 && window && window->part_count == 0)
        copy_parts(window, &r->state);
    /* Before the files are: what is there without a state is refused. */
    if (result == 0 && r->options->state_path)
        result = replay_state_save(&r->state, r->options->state_path, err);
    return result;
}

void replay_share_out(struct replay *r)
{
    size_t at = 0, most = (size_t)r->config.workers;

    for (size_t i = 0; i < r->state.part_count; i++) {
        struct replay_part *part = &r->state.parts[i];
        part->worker = part->next < part->to ? at++ % most : SIZE_MAX;
    }
    r->worker_count = at < most ? at : most;
}

static void say_window(const struct replay *r)
{
    log_event(LOG_INFO, "assigned", "partitions=%zu offsets=%lld left=%lld %s", r->state.part_count,
              (long long)replay_state_total(&r->state),
              (long long)(replay_state_total(&r->state) - replay_state_passed(&r->state)),
              r->is_resumed ? "goes on from its state" : "the window is fixed");
}

int replay_open(struct replay *r, const struct shared *shared, struct err *err)
{
    const struct replay_options *o = r->options;
    int result = resume(r, shared, err);

    r->is_resumed = result == 0;
    if (result == 1)
        result = begin(r, shared, err);
    if (result != 0)
        return result < 0 ? -1 : 0;
    r->passed_before = replay_state_passed(&r->state);
    r->was_finished = r->state.is_finished != 0;
    if (r->was_finished)
        return 0;
    if (score_files_open(&r->files,
                         &(struct score_files_options){&r->config, o->format, o->score_path,
                                                       o->dead_path, r->state.score_bytes,
                                                       r->state.dead_bytes},
                         err) != 0)
        return -1;
    replay_share_out(r);
    say_window(r);
    r->saved_ms = r->shown_ms = r->allowed_ms = clock_ms();
    r->is_open = true;
    return 0;
}

/* ---- the whole */

/* What a replay has of its own, of the configuration of run. The topic of outcomes that go to a
 * file is not looked at. */
static void configure(struct replay *r)
{
    const struct replay_options *o = r->options;
    struct config *c = &r->config;

    *c = *o->config; /* its texts stay theirs */
    c->delivery = DELIVERY_AT_LEAST_ONCE;
    c->alert_topic += strlen(c->alert_topic);
    c->alert_decisions.count = 0;
    c->breaker_share = 1; /* its window has an end, and its errors are counted */
    r->needs_topics = !o->compare && (!o->score_path || !o->dead_path);
    if (o->compare) { /* nothing is encoded */
        c->score_format = FORMAT_JSON;
        c->headers.count = c->carry_count = 0;
    } else if (o->score_path) {
        c->score_format = FORMAT_JSON; /* no schema is registered for it */
        c->score_topic = c->dead_topic;
        c->headers.count = 0;
    } else if (o->dead_path) {
        c->dead_topic = c->score_topic;
    }
}

static int end(struct replay *r, struct replay_summary *summary, struct err *err)
{
    struct err late = ERR_INIT;
    bool is_done = replay_state_passed(&r->state) == replay_state_total(&r->state);

    r->state.is_finished = is_done && !err_is_set(err);
    /* What a broken sum has counted is not to be gone on from. */
    if (err->exit_code != EXIT_INTERNAL && replay_save(r, &late) != 0 && !err_is_set(err))
        *err = late;
    summary->all = replay_progress(r);
    summary->partitions = r->state.part_count;
    summary->is_stopped = !is_done;
    return err_is_set(err) ? -1 : 0;
}

int replay_run(const struct replay_options *options, struct replay_summary *summary,
               struct err *err)
{
    struct replay *r = mem_alloc(1, sizeof *r);
    struct pipeline_options run = {
        .config = &r->config, .build = options->build, .stop = options->stop, .replay = r};
    int result;

    r->options = options;
    pthread_mutex_init(&r->lock, NULL);
    configure(r);
    *summary = (struct replay_summary){0};
    result = pipeline_run(&run, &summary->run, err);
    summary->is_resumed = r->is_resumed;
    summary->was_finished = r->was_finished;
    if (r->is_open)
        result = end(r, summary, err);
    else if (r->was_finished)
        summary->all = replay_progress(r);
    else
        summary->is_stopped = result == 0;
    score_files_close(&r->files);
    replay_state_release(&r->state);
    pthread_mutex_destroy(&r->lock);
    free(r);
    return result;
}
