/* hexdump.h: bytes as hex and text, with a mark under the one where it went wrong.
 *
 *   00000010  22 63 61 72 64 22 3a 22  63 2d 32 39 37 37 22 2c  |"card":"c-2977",|
 *                         ^^ byte 23: bad_json
 *
 * Of many bytes the first are shown, and those around the mark.
 */
#ifndef CLI_HEXDUMP_H
#define CLI_HEXDUMP_H

#include "cli/paint.h"

enum { HEXDUMP_NO_MARK = -1 };

struct hexdump {
    struct slice bytes;
    int64_t mark;     /* a byte, or that behind the last; HEXDUMP_NO_MARK */
    const char *note; /* beside the mark */
    size_t shown;     /* so many from the start are no secret: the rest is "--" and "-"; SIZE_MAX */
};

void hexdump_show(const struct hexdump *dump, const struct paint *paint, const char *indent);

#endif
