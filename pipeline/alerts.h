/* alerts.h: which scores go to the topic of the alerts as well.
 *
 * An alert is a second record of a scored outcome: the same key, bytes, headers and timestamp, in
 * [alerts] topic. One slot of the ring waits for both; either's failure gives the record back, and
 * both are sent again. What is older than max_age_ms when it is scored is stale: its score is
 * published, its alert is not.
 *
 * Made for one bundle, immutable. Without [alerts] nothing is wanted.
 */
#ifndef PIPELINE_ALERTS_H
#define PIPELINE_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "scoring/bundle.h"

struct alerts {
    bool is_wanted[BUNDLE_MAX_THRESHOLDS + 1]; /* by bundle_decide */
    int64_t max_age_ms;                        /* 0: any age */
};

/* EXIT_CONFIGURATION: a decision that the bundle does not name, and those that it does. */
int alerts_init(struct alerts *alerts, const struct config *config, const struct bundle *bundle,
                struct err *err);

/* What has no time (below 0) is never stale. */
static inline bool alerts_is_stale(const struct alerts *alerts, int64_t time_ms, int64_t now_ms)
{
    return alerts->max_age_ms != 0 && time_ms >= 0 && now_ms - time_ms > alerts->max_age_ms;
}

#endif
