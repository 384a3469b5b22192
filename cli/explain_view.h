/* explain_view.h: an explanation, for a person at 3 a.m. or as JSON: the verdict first, then each
 * step in the order in which run takes it. What comes from Kafka passes visible_print. */
#ifndef CLI_EXPLAIN_VIEW_H
#define CLI_EXPLAIN_VIEW_H

#include "cli/paint.h"
#include "pipeline/explain.h"

struct explain_view {
    struct paint paint;
    bool is_masked; /* values, keys and what was in the record's own headers are not shown */
};

void explain_view_show(const struct explain_view *view, const struct explanation *explanation);

/* A new reference; to be dumped with JSON_ENSURE_ASCII, which no terminal obeys. */
json_t *explain_view_json(const struct explanation *explanation, bool is_masked);

/* The byte of the value where it went wrong, or that behind its last; -1: that says nothing. */
int64_t explain_view_mark(const struct explanation *explanation);

/* A header that holds no value of the record: kscore's and Connect's, but for what others write
 * into messages and stack traces. */
bool explain_view_is_ours(const struct header *header);

/* The features by what they moved the margin, the largest first; an array of features.count, free
 * it. */
size_t *explain_view_order(const struct explanation *explanation);

#endif
