/* clock.h: time for deadlines and for stamps, and how stamps are written. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds of a clock that only moves forward: deadlines, back-off. */
static inline int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Seconds of the same clock, to the nanosecond: how long something took. */
static inline double clock_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Milliseconds since 1970 UTC: stamps. */
static inline int64_t clock_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "2026-01-31T12:00:00.250Z", UTC, NUL-terminated. What no calendar holds is written as a number.
 */
enum { CLOCK_TEXT_MAX = 32 };
void clock_print(char out[CLOCK_TEXT_MAX], int64_t ms);

/* Reads "2026-01-31T12:00:00Z", UTC, with or without thousandths. False: it is none. */
bool clock_parse(const char *text, int64_t *ms);

#endif
