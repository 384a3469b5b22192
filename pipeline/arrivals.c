#include "pipeline/arrivals.h"

#include <math.h>

enum {
    SETTLED = 12, /* samples that make something usual */
    MEMORY = 60,
    HOUR = 720,
    HOUR_MS = 3600000,
    QUIET_MS = 20000,
    QUIET_TIMES = 4, /* the longest silence of late */
    LATE_SAMPLES = 2,
    LATE_TIMES = 4, /* as old as usual */
};

static const double late_s = 60, ahead_s = 5;

static void approach(double *usual, double now, uint32_t count)
{
    *usual += (now - *usual) / (count < MEMORY ? count : MEMORY);
}

/* A silence of kscore's own is none of the events. */
static void take_rate(struct arrivals *a, const struct arrival *now)
{
    uint64_t come = now->outcomes - a->last.outcomes;
    int64_t silence_ms = now->at_ms - a->moved_ms;

    if (come == 0 && now->is_running)
        return;
    if (come > 0 && silence_ms > 0) {
        a->longest_ms -= a->longest_ms / HOUR;
        if (silence_ms > a->longest_ms)
            a->longest_ms = silence_ms;
        approach(&a->per_s, (double)come * 1000 / (double)silence_ms, ++a->count);
    }
    a->moved_ms = now->at_ms;
    a->skipped = now->skipped;
}

/* What waited here is as old as its waiting. */
static bool has_waited(const struct arrivals *a, const struct arrival *now)
{
    enum { LITTLE = 100, LITTLE_S = 10 };
    double little = LITTLE + LITTLE_S * a->per_s;

    return !now->is_running || now->lag < 0 || (double)now->lag > little;
}

static void take_age(struct arrivals *a, const struct arrival *now)
{
    uint64_t come = now->age_count - a->last.age_count;
    double age_s = (now->age_sum - a->last.age_sum) / (double)come;

    if (has_waited(a, now) || has_waited(a, &a->last)) {
        a->late_count = 0;
    } else if (come > 0 && a->count > SETTLED && (age_s >= late_s || age_s <= -ahead_s) &&
               a->late_count < HOUR) {
        if (a->late_count++ == 0)
            a->late_ms = a->last.at_ms;
        a->late_s = age_s;
    } else if (come > 0) {
        approach(&a->age_s, age_s, a->late_count == HOUR || a->count == 0 ? 1 : a->count);
        a->late_count = 0;
    }
}

void arrivals_take(struct arrivals *a, const struct arrival *now)
{
    if (now->owned > 0 && now->owned == a->last.owned) {
        take_rate(a, now);
        take_age(a, now);
    } else {
        *a = (struct arrivals){
            .moved_ms = now->at_ms, .skipped = now->skipped, .running_ms = a->running_ms};
    }
    if (now->is_running)
        a->running_ms = now->at_ms;
    a->last = *now;
}

/* How long nothing had an outcome, when that is no pause as there were others; else 0. */
static int64_t quiet_for_ms(const struct arrivals *a)
{
    int64_t silence_ms = a->last.at_ms - a->moved_ms;
    bool is_long = silence_ms >= QUIET_MS && silence_ms >= QUIET_TIMES * a->longest_ms;

    return a->count >= SETTLED && is_long && silence_ms < HOUR_MS ? silence_ms : 0;
}

int64_t arrivals_skipped_ms(const struct arrivals *a)
{
    double usual = a->per_s * (double)quiet_for_ms(a) / 1000;

    return usual > 0 && (double)(a->last.skipped - a->skipped) >= usual / 2 ? a->moved_ms : 0;
}

int64_t arrivals_quiet_ms(const struct arrivals *a)
{
    return quiet_for_ms(a) && a->last.lag == 0 && !arrivals_skipped_ms(a) ? a->moved_ms : 0;
}

bool arrivals_are_late(const struct arrivals *a)
{
    return a->late_count >= LATE_SAMPLES && a->count >= SETTLED &&
           fabs(a->late_s) >= LATE_TIMES * fabs(a->age_s);
}
