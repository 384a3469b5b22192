#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "pipeline/situation.h"
#include "pipeline/journaling.h"

enum { TICK_MS = 1000, STILL_MS = 30000 };

const struct sample *observer_sample(const struct observer *o, size_t i)
{
    return &o->samples[(o->sample_first + i) % SAMPLES];
}

int64_t observer_lag(const struct observer *o, const struct part_metrics *part)
{
    for (size_t i = 0; i < o->end_count; i++) {
        const struct log_end *e = &o->ends[i];
        if (e->topic != part->topic || e->partition != part->partition || e->end < 0)
            continue;
        return e->end > part->done ? e->end - part->done : 0;
    }
    return -1;
}

int64_t observer_total_lag(const struct observer *o)
{
    int64_t sum = -1;

    for (size_t i = 0; i < o->view.sum.part_count; i++) {
        const struct part_metrics *part = &o->view.sum.parts[i];
        int64_t lag = observer_lag(o, part);
        if (part->is_owned && lag < 0)
            return -1;
        if (part->is_owned)
            sum = (sum < 0 ? 0 : sum) + lag;
    }
    return sum;
}

static void take_sample(struct observer *o)
{
    struct sample *s = &o->samples[(o->sample_first + o->sample_count) % SAMPLES];

    if (o->sample_count == SAMPLES)
        o->sample_first = (o->sample_first + 1) % SAMPLES;
    else
        o->sample_count++;
    *s = (struct sample){.at_ms = o->view.at_ms,
                         .totals = view_totals(&o->view),
                         .alerts = o->view.sum.alerts,
                         .lag = observer_total_lag(o),
                         .score = o->view.sum.scores.now[METRICS_QUANTILES / 2],
                         .freshness_sum = o->view.sum.freshness.sum,
                         .freshness_count = histogram_count(&o->view.sum.freshness)};
}

/* ---- how far the logs are */

static void ask_lags(struct observer *o)
{
    struct log_end *parts = mem_alloc(o->view.sum.part_count + 1, sizeof *parts);
    size_t count = 0;

    for (size_t i = 0; i < o->view.sum.part_count; i++) {
        const struct part_metrics *part = &o->view.sum.parts[i];
        if (part->is_owned && part->topic)
            parts[count++] = (struct log_end){part->topic, part->partition, -1};
    }
    lags_poll(o->lags, parts, count);
    o->ends = lags_ends(o->lags, &o->end_count, &o->ends_age_ms);
    o->groups = lags_groups(o->lags, &o->group_count, &o->groups_age_ms);
    free(parts);
}

/* Also behind a clock that was set back: until it was there again nothing would be kept. */
static bool is_sample_due(const struct observer *o)
{
    int64_t age_ms;

    if (o->sample_count == 0)
        return true;
    age_ms = o->view.at_ms - observer_sample(o, o->sample_count - 1)->at_ms;
    return age_ms >= SAMPLE_MS || age_ms < 0;
}

static void look(struct observer *o)
{
    view_take(&o->view, o->options.board);
    ask_lags(o);
    for (size_t i = 0; i < o->view.sum.part_count; i++)
        standstill_take(&o->still, &o->view.sum.parts[i], observer_lag(o, &o->view.sum.parts[i]),
                        clock_ms());
    if (is_sample_due(o)) {
        take_sample(o);
        situation_mark(o);
    }
}

static void *observe(void *arg)
{
    struct observer *o = arg;
    struct timespec until;

    pthread_mutex_lock(&o->lock);
    while (!o->is_ending) {
        struct model_metrics model;
        look(o);
        model = o->view.sum.model;
        pthread_mutex_unlock(&o->lock);
        journaling_poll(o->options.journaling, &model);
        pthread_mutex_lock(&o->lock);
        if (o->is_ending)
            break;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += TICK_MS / 1000;
        pthread_cond_timedwait(&o->wake, &o->lock, &until);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

struct observer *observer_new(const struct observer_options *options)
{
    struct observer *o = mem_alloc(1, sizeof *o);
    pthread_condattr_t monotonic;

    o->options = *options;
    o->started_ms = clock_wall_ms();
    view_init(&o->view, options->board);
    o->lags = lags_new(options->config);
    o->ends_age_ms = o->groups_age_ms = -1;
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&o->thread, NULL, observe, o) != 0)
        o->is_ending = true; /* it shows the moment, and nothing of before */
    return o;
}

void observer_free(struct observer *o)
{
    bool has_thread;

    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    has_thread = !o->is_ending;
    o->is_ending = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
    if (has_thread)
        pthread_join(o->thread, NULL);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    view_release(&o->view);
    lags_free(o->lags);
    standstill_release(&o->still);
    free(o);
}

/* ---- health */

__attribute__((format(printf, 1, 2))) static char *line(const char *format, ...)
{
    char out[METRICS_TEXT + 320];
    va_list args;

    va_start(args, format);
    vsnprintf(out, sizeof out, format, args);
    va_end(args);
    return mem_copy_text(out, strlen(out));
}

/* A partition with lag that has not moved, although nothing is known that would hold it up. */
static const struct part_metrics *stuck(const struct observer *o)
{
    for (size_t i = 0; o->view.sum.activity == ACTIVITY_RUNNING && i < o->view.sum.part_count;
         i++) {
        const struct part_metrics *part = &o->view.sum.parts[i];
        if (part->is_owned && !part->is_parked && observer_lag(o, part) > 0 &&
            standstill_ms(&o->still, part, clock_ms()) > STILL_MS)
            return part;
    }
    return NULL;
}

bool observer_is_healthy(struct observer *o, char **why)
{
    const struct part_metrics *part;

    *why = NULL;
    pthread_mutex_lock(&o->lock);
    view_take(&o->view, o->options.board);
    for (size_t i = 0; i < o->view.worker_count && !*why; i++)
        if (o->view.ages_ms[i] > STILL_MS)
            *why = line("unhealthy: the loop of worker %zu has not turned for %lld s\n", i,
                        (long long)o->view.ages_ms[i] / 1000);
    part = stuck(o);
    if (part && !*why)
        *why = line("unhealthy: %s-%d stands still for no known cause, %lld records behind\n",
                    part->topic, part->partition, (long long)observer_lag(o, part));
    pthread_mutex_unlock(&o->lock);
    if (*why)
        return false;
    *why = line("ok\n");
    return true;
}

bool observer_is_ready(struct observer *o, char **why)
{
    bool is_ready;

    pthread_mutex_lock(&o->lock);
    view_take(&o->view, o->options.board);
    is_ready = o->view.sum.activity == ACTIVITY_RUNNING;
    if (is_ready) {
        *why = line("ready\n");
    } else {
        *why = line("not ready, %s: %s\n", activity_name(o->view.sum.activity),
                    *o->view.sum.why ? o->view.sum.why : "no cause is known");
    }
    pthread_mutex_unlock(&o->lock);
    return is_ready;
}
