/* backoff.h: how long to wait before something that is not there is tried again.
 *
 * Doubling from 100 ms to 2 s, the upper half of it at random, so that instances that lost the same
 * thing do not come back together. Thread: whoever waits.
 */
#ifndef PIPELINE_BACKOFF_H
#define PIPELINE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
    uint64_t rng;     /* xorshift64, never 0 */
    unsigned tries;   /* in a row that failed */
    int64_t until_ms; /* of clock_ms: nothing is tried before; 0 when nothing failed */
};

/* Seeded by the time and by `worker`: those of one process differ, too. */
void backoff_init(struct backoff *backoff, unsigned worker);

/* How long to wait after so many failures in a row (0: the first). */
int64_t backoff_ms(struct backoff *backoff, unsigned tries);

/* One more failure: until_ms is set. */
void backoff_fail(struct backoff *backoff);

/* It is there: the next failure is a first one. */
void backoff_reset(struct backoff *backoff);

/* Now is before until_ms. */
bool backoff_is_waiting(const struct backoff *backoff);

/* Sleeps until until_ms; a signal ends it early. */
void backoff_sleep(const struct backoff *backoff);

#endif
