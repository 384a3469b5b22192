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
    /* While it starts, it is the workers who wait for the brokers. */
    if (count > 0 || o->view.sum.activity != ACTIVITY_STARTING ||
        o->options.config->downstream.count > 0)
        lags_poll(o->lags, parts, count);
    o->ends = lags_ends(o->lags, &o->end_count, &o->ends_age_ms);
    o->groups = lags_groups(o->lags, &o->group_count, &o->groups_age_ms);
    free(parts);
}

/* ---- what a moment is */

static void wait_for(struct observer *o, int64_t since_ms, const char *why)
{
    struct metrics *sum = &o->view.sum;

    sum->activity = ACTIVITY_WAITING;
    sum->since_ms = since_ms;
    snprintf(sum->why, sizeof sum->why, "%.*s", (int)sizeof sum->why - 1, why);
}

/* A loop that has nothing on its way does not miss the brokers; who asks them does. What is
 * acknowledged is an answer, too. */
static void miss_brokers(struct observer *o)
{
    enum { SILENT_MS = 5000 };
    const char *why;
    char text[METRICS_TEXT];
    int64_t silent_ms = lags_silent_ms(o->lags, &why), moved_ms;

    for (size_t i = 0; i < o->view.sum.part_count; i++) {
        moved_ms = clock_ms() - o->view.sum.parts[i].moved_ms;
        if (moved_ms < silent_ms)
            silent_ms = moved_ms;
    }
    if (o->view.sum.activity != ACTIVITY_RUNNING || silent_ms < SILENT_MS)
        return;
    snprintf(text, sizeof text, "kafka: %.*s", (int)sizeof text - 8, why);
    wait_for(o, o->view.at_ms - silent_ms, text);
}

static void take_view(struct observer *o)
{
    view_take(&o->view, o->options.board);
    miss_brokers(o);
}

/* An input that does not come, although the brokers answer, is known to the verdict alone. */
static void miss_input(struct observer *o, const struct verdict *v)
{
    for (size_t i = 0; o->view.sum.activity == ACTIVITY_RUNNING && i < v->count; i++)
        if (strcmp(v->findings[i].kind, "waiting") == 0)
            wait_for(o, v->findings[i].since_ms, v->findings[i].what);
}

size_t observer_judge(struct observer *o, struct situation *facts, struct verdict *v)
{
    size_t count;

    take_view(o);
    count = journal_read(o->options.journal, 0, o->entries, JOURNAL_CAP);
    situation_take(facts, o, count);
    verdict_take(v, &facts->verdict);
    miss_input(o, v);
    return count;
}

/* ---- its thread */

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
    take_view(o);
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

/* One line, whatever the words of others hold. */
__attribute__((format(printf, 1, 2))) static char *line(const char *format, ...)
{
    char out[METRICS_TEXT + 320];
    size_t len;
    va_list args;

    va_start(args, format);
    vsnprintf(out, sizeof out - 1, format, args);
    va_end(args);
    len = strlen(out);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)out[i] < ' ')
            out[i] = ' ';
    out[len++] = '\n';
    return mem_copy_text(out, len);
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
    struct situation facts;
    struct verdict verdict;

    *why = NULL;
    pthread_mutex_lock(&o->lock);
    observer_judge(o, &facts, &verdict);
    for (size_t i = 0; i < o->view.worker_count && !*why; i++)
        if (o->view.ages_ms[i] > STILL_MS)
            *why = line("unhealthy: the loop of worker %zu has not turned for %lld s", i,
                        (long long)o->view.ages_ms[i] / 1000);
    part = stuck(o);
    if (part && !*why)
        *why = line("unhealthy: %s-%d stands still for no known cause, %lld records behind",
                    part->topic, part->partition, (long long)observer_lag(o, part));
    pthread_mutex_unlock(&o->lock);
    if (*why)
        return false;
    *why = line("ok");
    return true;
}

bool observer_is_ready(struct observer *o, char **why)
{
    const struct metrics *sum = &o->view.sum;
    struct situation facts;
    struct verdict verdict;
    bool is_ready;

    pthread_mutex_lock(&o->lock);
    observer_judge(o, &facts, &verdict);
    is_ready = sum->activity == ACTIVITY_RUNNING;
    *why = is_ready ? line("ready")
                    : line("not ready, %s: %s", activity_name(sum->activity),
                           *sum->why ? sum->why : "no cause is known");
    pthread_mutex_unlock(&o->lock);
    return is_ready;
}
