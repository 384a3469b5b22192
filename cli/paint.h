/* paint.h: text of others for a terminal or as JSON: no byte of it is obeyed, columns stay columns.
 *
 * Plain values; thread: whoever owns the stream.
 */
#ifndef CLI_PAINT_H
#define CLI_PAINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/slice.h"

/* Colours, for paint_put. */
#define PAINT_PLAIN ""
#define PAINT_BOLD "1"
#define PAINT_DIM "2"
#define PAINT_RED "31"
#define PAINT_GREEN "32"
#define PAINT_YELLOW "33"

struct paint {
    FILE *out;
    bool has_colour;
};

/* The text as visible_print has it, and blanks up to that many columns. */
void paint_put(const struct paint *paint, const char *colour, const char *text, size_t width);

/* Any bytes, in at most `most` columns (3 at least), the last three "..." where something is left
 * out. Returns how many it took. */
size_t paint_bytes(const struct paint *paint, const char *colour, struct slice bytes, size_t most);

/* Makes room for the text in a column, unless it is wider than most are. */
void paint_widen(size_t *width, const char *text);

/* A new string, whatever the text is (U+FFFD for what is no UTF-8); data or text NULL is null. */
json_t *paint_json(const char *text);
json_t *paint_json_bytes(struct slice bytes);

#endif
