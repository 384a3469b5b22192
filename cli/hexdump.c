#include "cli/hexdump.h"

enum { A_LINE = 16, HALF = 8, ALL_LINES = 32, FIRST_LINES = 16, AROUND_LINES = 2 };

static void show_line(const struct hexdump *d, const struct paint *p, size_t from)
{
    size_t left = d->bytes.len - from, count = left < A_LINE ? left : A_LINE;
    char text[A_LINE + 1];

    fprintf(p->out, "%08zx  ", from);
    for (size_t i = 0; i < A_LINE; i++) {
        uint8_t byte = i < count ? d->bytes.data[from + i] : 0;
        bool is_shown = from + i < d->shown;
        const char *gap = i == HALF - 1 ? "  " : " ";
        if (i >= count)
            fprintf(p->out, "  %s", gap);
        else if (!is_shown)
            fprintf(p->out, "--%s", gap);
        else
            fprintf(p->out, "%02x%s", byte, gap);
        text[i] = !is_shown ? '-' : byte >= 0x20 && byte < 0x7f ? (char)byte : '.';
    }
    fprintf(p->out, " |%.*s|\n", (int)count, text);
}

static void show_mark(const struct hexdump *d, const struct paint *p, const char *indent)
{
    size_t at = (size_t)d->mark % A_LINE;

    fprintf(p->out, "%s%*s", indent, (int)(sizeof "00000000  " - 1 + at * 3 + (at >= HALF)), "");
    paint_put(p, PAINT_RED, "^^ ", 0);
    paint_put(p, PAINT_RED, d->note, 0);
    fputc('\n', p->out);
}

static bool is_near_mark(const struct hexdump *d, size_t line)
{
    size_t marked = (size_t)d->mark / A_LINE;

    return d->mark >= 0 && line + AROUND_LINES >= marked && line <= marked + AROUND_LINES;
}

void hexdump_show(const struct hexdump *d, const struct paint *p, const char *indent)
{
    size_t count = (d->bytes.len + A_LINE - 1) / A_LINE, left_out = 0;

    if (d->mark >= 0 && (size_t)d->mark == d->bytes.len && d->bytes.len % A_LINE == 0)
        count++; /* the mark has a line of its own, behind the last */
    for (size_t line = 0; line < count; line++) {
        bool is_dull = (count > ALL_LINES && line >= FIRST_LINES) || line * A_LINE >= d->shown;
        if (is_dull && !is_near_mark(d, line)) {
            left_out++;
            continue;
        }
        if (left_out)
            fprintf(p->out, "%s... %zu bytes ...\n", indent, left_out * A_LINE);
        left_out = 0;
        fputs(indent, p->out);
        show_line(d, p, line * A_LINE);
        if (d->mark >= 0 && (size_t)d->mark / A_LINE == line)
            show_mark(d, p, indent);
    }
    if (left_out)
        fprintf(p->out, "%s... %zu bytes\n", indent, d->bytes.len - (count - left_out) * A_LINE);
}
