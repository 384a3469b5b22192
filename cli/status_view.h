/* status_view.h: a /status document (docs/status.md) for a person: the verdict, and the answers to
 * the three questions, in 100 columns. Borrows the document; anything may be missing in it. Thread:
 * whoever owns the stream. */
#ifndef CLI_STATUS_VIEW_H
#define CLI_STATUS_VIEW_H

#include "cli/paint.h"

void status_view_show(const struct paint *paint, const json_t *status);

/* The three answers alone. */
void status_view_answers(const struct paint *paint, const json_t *status);

#endif
