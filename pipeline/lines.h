/* lines.h: the lines of a stream, of bounded length.
 *
 * A line that is longer than max_bytes is let go of piece by piece, never held: memory follows from
 * the longest line allowed, not from the input. What a pipe has at hand is given at once.
 *
 * Owns its buffer, borrows the descriptor. Thread: whoever owns it.
 */
#ifndef PIPELINE_LINES_H
#define PIPELINE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

struct lines {
    int fd;
    size_t max_bytes;
    char *data;
    size_t start, end, cap; /* data[start..end) is read and not yet given */
    uint64_t number;        /* of the last line given, from 1 */
    uint64_t bytes;         /* read so far */
    int error;              /* errno of a failed read, 0 = none */
};

void lines_init(struct lines *lines, int fd, size_t max_bytes);
void lines_release(struct lines *lines);

/* The next line without its \n or \r\n, in a buffer that the next call reuses; data NULL: it was
 * too long. False at the end, or when reading failed. */
bool lines_next(struct lines *lines, struct slice *line);

#endif
