/* lags.h: how far the logs are, and how far those are who read the scores: asked of the brokers
 * every LAGS_MS by a client of its own, which joins no group.
 *
 * A question is an errand (core/errand.h): lags_poll never waits. Brokers that do not answer leave
 * the last answer as it was, and its age; only what asking again will not mend (a permission, a
 * topic that is missing) is said, once. Where the consumer is stuck, or paused, this goes on; and
 * where it owns nothing, too: it is how brokers are missed that nobody waits for.
 *
 * Owns client, question and answers; borrows the configuration. Thread: one at a time.
 */
#ifndef CONSUMER_LAGS_H
#define CONSUMER_LAGS_H

#include "consumer/downstream.h"
#include "core/config.h"

enum { LAGS_MS = 2000, LAGS_ASK_MS = 3000 /* each step of a question */ };

struct log_end {
    const char *topic; /* of the configuration */
    int32_t partition;
    int64_t end; /* last stable offset, -1: not known */
};

struct lags;

/* Never NULL; waits for nothing, and no client is made before something is asked. */
struct lags *lags_new(const struct config *config);
/* Waits for nothing: a question that is under way is left. lags may be NULL. */
void lags_free(struct lags *lags);

/* Asks when it is time, and takes the answer when it is there: true. parts: whose ends to ask for
 * (their end is not read); none: whether the input is there. */
bool lags_poll(struct lags *lags, const struct log_end *parts, size_t count);

/* The last answer, until the next lags_poll; *age_ms: how old it is, -1: there is none. */
const struct log_end *lags_ends(const struct lags *lags, size_t *count, int64_t *age_ms);

/* How long the brokers have not said how far the input is, although they were asked; 0: they did
 * when they were asked last. *why: what came instead, until the next lags_poll. */
int64_t lags_silent_ms(const struct lags *lags, const char **why);

/* [downstream] groups, in their order; what is not known yet is -1. */
const struct downstream *lags_groups(const struct lags *lags, size_t *count, int64_t *age_ms);

#endif
