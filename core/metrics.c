#include "core/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"

const double metrics_bounds[METRICS_BOUNDS] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                               0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5,
                                               5,      10,      30,     300,   3600,   86400};

void histogram_add(struct histogram *h, double seconds, uint64_t count)
{
    size_t i = 0;

    if (seconds < 0) /* clocks of others run ahead, and a sum must not go back */
        seconds = 0;
    while (i < METRICS_BOUNDS && seconds > metrics_bounds[i])
        i++;
    h->counts[i] += count;
    h->sum += seconds * (double)count;
}

void histogram_merge(struct histogram *sum, const struct histogram *one)
{
    for (size_t i = 0; i <= METRICS_BOUNDS; i++)
        sum->counts[i] += one->counts[i];
    sum->sum += one->sum;
}

uint64_t histogram_count(const struct histogram *h)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= METRICS_BOUNDS; i++)
        count += h->counts[i];
    return count;
}

const char *activity_name(enum activity activity)
{
    static const char *const names[] = {"running", "starting",     "waiting",
                                        "paused",  "breaker_open", "draining"};

    return names[activity];
}

void metrics_forget_scores(struct metrics *m)
{
    m->scores.rows = 0;
    for (size_t i = 0; i < METRICS_QUANTILES; i++)
        m->scores.now[i] = m->scores.before[i] = NAN;
}

void metrics_init(struct metrics *m)
{
    memset(m, 0, sizeof *m);
    metrics_forget_scores(m);
}

void metrics_release(struct metrics *m)
{
    free(m->parts);
    metrics_init(m);
}

/* A trickle that lasts is old news, and does not hide that it has become a flood. */
static void pace(struct fault_metrics *f, const struct place *place)
{
    enum { WINDOW_MS = 10000, QUIET_MS = 60000, MUCH = 10 };
    struct fault_pace *p = &f->pace;
    bool is_burst;

    if (place->at_ms - p->first.at_ms >= WINDOW_MS) {
        bool is_next = place->at_ms - p->first.at_ms < (int64_t)2 * WINDOW_MS;
        *p = (struct fault_pace){*place, 0, is_next ? p->now : 0, is_next && p->is_burst};
    }
    p->now++;
    is_burst = p->now > MUCH && p->now > MUCH * p->before;
    if (place->at_ms - f->last.at_ms >= QUIET_MS)
        f->since = *place;
    else if (is_burst && !p->is_burst && p->first.at_ms > f->since.at_ms + WINDOW_MS)
        f->since = p->first;
    p->is_burst = p->is_burst || is_burst;
}

struct fault_metrics *metrics_kind(struct metrics *m, enum fault fault, int64_t schema_id)
{
    struct fault_metrics *f = m->faults, *end = f + m->fault_count;

    while (f < end && (f->fault != fault || f->schema_id != schema_id))
        f++;
    if (f == end && m->fault_count == METRICS_FAULTS)
        return NULL;
    if (f == end) {
        *f = (struct fault_metrics){.fault = fault, .schema_id = schema_id};
        m->fault_count++;
    }
    return f;
}

struct fault_metrics *metrics_fault(struct metrics *m, enum fault fault, int64_t schema_id,
                                    const struct place *place)
{
    struct fault_metrics *f = metrics_kind(m, fault, schema_id);

    m->dead[fault]++;
    if (!f)
        return NULL;
    if (f->count++ == 0)
        f->first = *place;
    pace(f, place);
    f->last = *place;
    return f;
}

void metrics_fallout(struct metrics *m, uint64_t change, const struct fault_metrics *f)
{
    const struct fallout *last = &m->fallout[(m->fallout_count - 1) % METRICS_CHANGES];

    if (change > 0 && (m->fallout_count == 0 || last->change < change))
        m->fallout[m->fallout_count++ % METRICS_CHANGES] =
            (struct fallout){change, f->fault, f->schema_id, f->last};
}

size_t metrics_decision(struct metrics *m, const char *name)
{
    enum { OTHER = METRICS_DECISIONS - 1, LEN = sizeof m->decisions[0].name - 1 };
    size_t i = 0;

    while (i < m->decision_count && strncmp(m->decisions[i].name, name, LEN) != 0)
        i++;
    if (i >= OTHER) {
        i = OTHER;
        name = "other";
    }
    if (i == m->decision_count)
        snprintf(m->decisions[m->decision_count++].name, LEN + 1, "%s", name);
    return i;
}

struct part_metrics *metrics_parts(struct metrics *m, size_t count)
{
    if (count > m->part_cap) {
        m->parts = mem_resize(m->parts, count, sizeof *m->parts);
        memset(m->parts + m->part_cap, 0, (count - m->part_cap) * sizeof *m->parts);
        m->part_cap = count;
    }
    m->part_count = count;
    return m->parts;
}

struct copy_of {
    int64_t at_ms; /* 0: nothing was published */
    struct metrics metrics;
};

struct board {
    pthread_mutex_t lock;
    _Atomic uint64_t change;
    size_t count;
    struct copy_of *seats;
};

struct board *board_new(size_t worker_count)
{
    struct board *b = mem_alloc(1, sizeof *b);

    pthread_mutex_init(&b->lock, NULL);
    b->count = worker_count;
    b->seats = mem_alloc(worker_count, sizeof *b->seats);
    return b;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        metrics_release(&b->seats[i].metrics);
    pthread_mutex_destroy(&b->lock);
    free(b->seats);
    free(b);
}

size_t board_worker_count(const struct board *b)
{
    return b->count;
}

void board_set_change(struct board *b, uint64_t change)
{
    uint64_t known = board_change(b);

    while (known < change && !atomic_compare_exchange_weak(&b->change, &known, change))
        ; /* another thread's change came between: known is that one now */
}

uint64_t board_change(const struct board *b)
{
    return atomic_load_explicit(&b->change, memory_order_relaxed);
}

/* Of the tables only what is filled. */
static void copy(struct metrics *to, const struct metrics *from)
{
    struct part_metrics *parts = metrics_parts(to, from->part_count);
    size_t cap = to->part_cap;

    memcpy(to, from, offsetof(struct metrics, faults));
    to->fault_count = from->fault_count;
    to->decision_count = from->decision_count;
    memcpy(to->faults, from->faults, from->fault_count * sizeof *from->faults);
    memcpy(to->decisions, from->decisions, from->decision_count * sizeof *from->decisions);
    to->parts = parts;
    to->part_count = from->part_count;
    to->part_cap = cap;
    if (from->part_count > 0)
        memcpy(parts, from->parts, from->part_count * sizeof *parts);
}

void board_publish(struct board *b, size_t worker, const struct metrics *metrics)
{
    pthread_mutex_lock(&b->lock);
    copy(&b->seats[worker].metrics, metrics);
    b->seats[worker].at_ms = clock_ms();
    pthread_mutex_unlock(&b->lock);
}

bool board_read(struct board *b, size_t worker, struct metrics *out, int64_t *age_ms)
{
    bool is_there;

    pthread_mutex_lock(&b->lock);
    is_there = b->seats[worker].at_ms != 0;
    if (is_there)
        copy(out, &b->seats[worker].metrics);
    *age_ms = clock_ms() - b->seats[worker].at_ms;
    pthread_mutex_unlock(&b->lock);
    return is_there;
}
