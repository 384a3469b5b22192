/* explain_line.h: how the lines of an explanation are made; private to explain_*.c. */
#ifndef CLI_EXPLAIN_LINE_H
#define CLI_EXPLAIN_LINE_H

#include "cli/explain_view.h"

#define EXPLAIN_HIDDEN "(hidden)"

enum { EXPLAIN_MOST_COLUMNS = 2000 }; /* of one value */

void explain_label(const struct explain_view *view, const char *text);
void explain_put(const struct explain_view *view, const char *colour, const char *text);
void explain_end_line(const struct explain_view *view);

/* Bytes of the record. */
void explain_put_secret(const struct explain_view *view, struct slice bytes);

void explain_put_time(const struct explain_view *view, int64_t ms);

/* explain_outcome.c: margin, score, decision, contributions; and what was published. */
void explain_show_score(const struct explain_view *view, const struct explanation *explanation);
void explain_show_published(const struct explain_view *view, const struct explanation *explanation);

#endif
