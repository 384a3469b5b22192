/* compare_view.h: what a comparison came to, for people and for programs. */
#ifndef CLI_COMPARE_VIEW_H
#define CLI_COMPARE_VIEW_H

#include "cli/paint.h"
#include "pipeline/compare.h"

struct compare_view {
    struct paint paint; /* for people */
    const struct compare_result *result;
    const char *scores, *dead; /* the published topics */
};

/* Like a diff: what is equal and what is not, how far and where. */
void compare_view_print(const struct compare_view *view);

/* One JSON object on standard output; finished: there is a comparison. */
void compare_view_print_json(const struct compare_view *view);

/* The names of relations, as in JSON: "equal", "close", "changed", ... */
const char *compare_view_name(enum relation relation);

#endif
