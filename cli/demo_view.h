/* demo_view.h: how the running demo is shown: on a terminal three lines that move, elsewhere one
 * plain line every 5 s.
 *
 * Plain values; thread: whoever owns it. Writes to standard output.
 */
#ifndef CLI_DEMO_VIEW_H
#define CLI_DEMO_VIEW_H

#include <stdbool.h>
#include <stdint.h>

enum { DEMO_COLUMNS = 60, DEMO_COLUMN_MS = 500 };

struct demo_sample {
    int64_t elapsed_ms;
    uint64_t scored, dead, sent;
    const char *what; /* what the world is doing */
};

struct demo_view {
    bool is_terminal, has_colour, is_drawn, is_silent;
    int64_t said_ms;
    struct demo_column {
        uint32_t scored, dead; /* within DEMO_COLUMN_MS */
    } columns[DEMO_COLUMNS];
    int column_count;
    struct demo_sample last; /* at the last column's start */
};

void demo_view_init(struct demo_view *view);

/* Call some 20 times a second. */
void demo_view_show(struct demo_view *view, const struct demo_sample *sample);

/* Text around a word in bold red, bold green or bold: "" where there are no colours. */
const char *demo_red(const struct demo_view *view);
const char *demo_green(const struct demo_view *view);
const char *demo_bold(const struct demo_view *view);
const char *demo_plain(const struct demo_view *view);

/* 1234567 as "1,234,567", in one of a few static buffers. */
const char *demo_count(uint64_t number);

#endif
