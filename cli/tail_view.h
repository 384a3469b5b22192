/* tail_view.h: one line for a record of a topic: for a person, or as JSON.
 *
 * Whatever a record holds, no control character of it reaches a terminal (visible_print).
 *
 * Plain values; thread: whoever owns it.
 */
#ifndef CLI_TAIL_VIEW_H
#define CLI_TAIL_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "pipeline/tail.h"

struct tail_view {
    FILE *out;
    enum tail_topic topic;
    bool is_json, has_colour;
    size_t width;   /* values are cut to it; 0: never */
    size_t columns; /* of this line so far */
};

void tail_view_show(struct tail_view *view, const struct tail_item *item);

#endif
