/* terminal.h: whether standard output is a terminal, and what it can do. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* One on which a cursor moves. */
bool terminal_is_here(void);

/* It is here, and the environment does not say NO_COLOR (no-color.org). */
bool terminal_has_colour(void);

/* Its columns now; 0: it has no width, as a pipe. */
size_t terminal_width(void);

#endif
