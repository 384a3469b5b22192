#include "cli/account.h"

#include <stdio.h>

#include "core/log.h"

void account_say(const struct pipeline_summary *s, bool has_alerts, int code, const char *rest)
{
    char alerts[80] = "", no_event_time[40] = "";

    if (has_alerts)
        snprintf(alerts, sizeof alerts, " alerts=%llu alerts_stale=%llu",
                 (unsigned long long)s->alerts, (unsigned long long)s->stale_alerts);
    if (s->no_event_time)
        snprintf(no_event_time, sizeof no_event_time, " no_event_time=%llu",
                 (unsigned long long)s->no_event_time);
    log_event(
        LOG_INFO, "stopped",
        "exit=%d consumed=%llu scored=%llu dead=%llu skipped=%llu returned=%llu in_flight=%llu "
        "commits=%llu rewinds=%llu first_score_ms=%lld%s%s%s",
        code, (unsigned long long)s->consumed, (unsigned long long)s->scored,
        (unsigned long long)s->dead, (unsigned long long)s->skipped,
        (unsigned long long)s->returned, (unsigned long long)s->in_flight,
        (unsigned long long)s->commits, (unsigned long long)s->rewinds,
        (long long)(s->first_score_ms > 0 ? s->first_score_ms : 0), alerts, no_event_time, rest);
}
