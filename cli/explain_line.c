#include "cli/explain_line.h"

#include "core/clock.h"

enum { LABEL = 12 };

void explain_label(const struct explain_view *v, const char *text)
{
    paint_put(&v->paint, PAINT_DIM, text, LABEL);
}

void explain_put(const struct explain_view *v, const char *colour, const char *text)
{
    paint_put(&v->paint, colour, text, 0);
}

void explain_end_line(const struct explain_view *v)
{
    fputc('\n', v->paint.out);
}

/* Bytes of the record. */
void explain_put_secret(const struct explain_view *v, struct slice bytes)
{
    if (!bytes.data)
        explain_put(v, PAINT_DIM, "null");
    else if (v->is_masked)
        explain_put(v, PAINT_DIM, EXPLAIN_HIDDEN);
    else
        paint_bytes(&v->paint, PAINT_PLAIN, bytes, EXPLAIN_MOST_COLUMNS);
}

void explain_put_time(const struct explain_view *v, int64_t ms)
{
    char text[CLOCK_TEXT_MAX] = "no time";

    if (ms >= 0)
        clock_print(text, ms);
    explain_put(v, PAINT_PLAIN, text);
}
