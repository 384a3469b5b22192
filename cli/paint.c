#include "cli/paint.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "pipeline/repaired.h"

enum { WIDEST = 40 };

/* As no terminal obeys it; a new text, and its length. */
static char *visible(struct slice bytes, size_t *len)
{
    char *out = mem_alloc(VISIBLE_MAX(bytes.len) + 1, 1);

    *len = visible_print(out, bytes.data, bytes.len);
    return out;
}

static void put(const struct paint *p, const char *colour, const char *text, size_t len)
{
    if (p->has_colour && *colour)
        fprintf(p->out, "\033[%sm", colour);
    fwrite(text, 1, len, p->out);
    if (p->has_colour && *colour)
        fputs("\033[0m", p->out);
}

void paint_put(const struct paint *p, const char *colour, const char *text, size_t width)
{
    size_t len, columns = SIZE_MAX;
    char *out = visible(slice_of(text), &len);

    text_columns(out, len, &columns);
    put(p, colour, out, len);
    fprintf(p->out, "%*s", (int)(width > columns ? width - columns : 0), "");
    free(out);
}

size_t paint_bytes(const struct paint *p, const char *colour, struct slice bytes, size_t most)
{
    enum { DOTS = 3 };
    /* What is more than 4 bytes a column is cut before it is looked at. */
    struct slice start = {bytes.data, bytes.len / 4 > most ? most * 4 : bytes.len};
    size_t len, cut, columns = most;
    char *out = visible(start, &len);
    bool is_whole = (cut = text_columns(out, len, &columns)) == len && start.len == bytes.len;

    if (!is_whole) {
        columns = most - DOTS;
        cut = text_columns(out, len, &columns);
    }
    put(p, colour, out, cut);
    if (!is_whole)
        fputs("...", p->out);
    free(out);
    return is_whole ? columns : columns + DOTS;
}

void paint_widen(size_t *width, const char *text)
{
    size_t len, columns = SIZE_MAX;
    char *out = visible(slice_of(text), &len);

    text_columns(out, len, &columns);
    if (columns > *width && columns <= WIDEST)
        *width = columns;
    free(out);
}

json_t *paint_json_bytes(struct slice bytes)
{
    return bytes.data ? repaired_json_bytes((const char *)bytes.data, bytes.len) : json_null();
}

json_t *paint_json(const char *text)
{
    return paint_json_bytes(text ? slice_of(text) : (struct slice){NULL, 0});
}
