#include "pipeline/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

enum { FIRST_BYTES = 64 << 10 };

void lines_init(struct lines *l, int fd, size_t max_bytes)
{
    *l = (struct lines){.fd = fd, .max_bytes = max_bytes, .cap = FIRST_BYTES};
    l->data = mem_alloc(l->cap, 1);
}

void lines_release(struct lines *l)
{
    free(l->data);
    *l = (struct lines){0};
}

/* Reads what is there behind data[end]. False at the end of the input. */
static bool fill(struct lines *l)
{
    ssize_t got;

    if (l->start > 0) {
        memmove(l->data, l->data + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }
    if (l->end == l->cap) {
        l->cap *= 2;
        l->data = mem_resize(l->data, l->cap, 1);
    }
    do
        got = read(l->fd, l->data + l->end, l->cap - l->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        l->error = errno;
    if (got <= 0)
        return false;
    l->end += (size_t)got;
    l->bytes += (uint64_t)got;
    return true;
}

bool lines_next(struct lines *l, struct slice *line)
{
    bool is_too_long = false;
    size_t seen = 0;
    char *newline;

    while (!(newline = memchr(l->data + l->start + seen, '\n', l->end - l->start - seen))) {
        seen = l->end - l->start;
        if (seen > l->max_bytes + 1) { /* one more may be a \r */
            is_too_long = true;
            l->start = l->end = seen = 0;
        }
        if (!fill(l))
            break;
    }
    if (!newline && (l->error || (l->start == l->end && !is_too_long)))
        return false;
    *line = (struct slice){(uint8_t *)l->data + l->start,
                           newline ? (size_t)(newline - l->data) - l->start : l->end - l->start};
    l->start = newline ? (size_t)(newline - l->data) + 1 : l->end;
    l->number++;
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    if (is_too_long || line->len > l->max_bytes)
        *line = (struct slice){NULL, 0};
    return true;
}
