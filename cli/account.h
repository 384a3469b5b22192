/* account.h: the last line of run and replay: event=stopped, with P1's sum. */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include <stdbool.h>

#include "pipeline/pipeline.h"

/* rest: what follows, "" or " name=value ...". */
void account_say(const struct pipeline_summary *summary, bool has_alerts, int code,
                 const char *rest);

#endif
