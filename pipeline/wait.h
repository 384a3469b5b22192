/* wait.h: what a worker waits for, as whoever is paged reads it: by name, and when it is over.
 *
 * A trouble begins with the first failure, or with the last thing that moved before nothing was
 * acknowledged for 5 s: a broker that hangs, replicas that are missing and a quota are no errors to
 * librdkafka, which tries again in silence. While it lasts the output topics are looked at every
 * 5 s for a cause that has a name. It is over when outcomes are acknowledged again and nothing has
 * failed for 3 s, which is longer than any back-off.
 *
 * A plain value, zero at first, of the worker; its thread.
 */
#ifndef PIPELINE_WAIT_H
#define PIPELINE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct wait {
    int64_t since_ms;  /* of the trouble that lasts, 0: there is none */
    int64_t failed_ms; /* the last failure */
    int64_t done_ms;   /* the first records that were finished since, 0: none yet */
    int64_t heard_ms;  /* the last answer, or when none was due */
};

/* Something failed. */
void wait_fail(struct wait *wait, int64_t now_ms);

/* The trouble is not over, although things move. */
void wait_hold(struct wait *wait, int64_t now_ms);

/* An answer came; and it finished records. */
void wait_hear(struct wait *wait, int64_t now_ms);
void wait_move(struct wait *wait, int64_t now_ms);

/* Once a turn; is_expecting: an answer is due. True while nothing has come for 5 s. */
bool wait_is_stalled(struct wait *wait, bool is_expecting, int64_t now_ms);

/* A trouble lasts. */
bool wait_is_on(const struct wait *wait);

/* True once, when it is over; *lasted_ms: from its beginning to the first acknowledgement. */
bool wait_is_over(struct wait *wait, int64_t now_ms, int64_t *lasted_ms);

#endif
