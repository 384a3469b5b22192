#include "cli/demo_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/terminal.h"

enum { PLAIN_MS = 5000 };

void demo_view_init(struct demo_view *v)
{
    *v = (struct demo_view){.said_ms = -1};
    v->is_terminal = terminal_is_here();
    v->has_colour = terminal_has_colour();
}

const char *demo_red(const struct demo_view *v)
{
    return v->has_colour ? "\033[1;31m" : "";
}

const char *demo_green(const struct demo_view *v)
{
    return v->has_colour ? "\033[1;32m" : "";
}

const char *demo_bold(const struct demo_view *v)
{
    return v->has_colour ? "\033[1m" : "";
}

const char *demo_plain(const struct demo_view *v)
{
    return v->has_colour ? "\033[0m" : "";
}

const char *demo_count(uint64_t number)
{
    static char buffers[16][32];
    static unsigned turn;
    char plain[24], *out = buffers[turn++ % 16], *o = out;
    int len = snprintf(plain, sizeof plain, "%llu", (unsigned long long)number);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *o++ = ',';
        *o++ = plain[i];
    }
    *o = '\0';
    return out;
}

static void add_columns(struct demo_view *v, const struct demo_sample *s)
{
    if (s->elapsed_ms - v->last.elapsed_ms < DEMO_COLUMN_MS)
        return;
    if (v->column_count == DEMO_COLUMNS)
        memmove(v->columns, v->columns + 1, sizeof v->columns[0] * (size_t)(--v->column_count));
    v->columns[v->column_count++] = (struct demo_column){(uint32_t)(s->scored - v->last.scored),
                                                         (uint32_t)(s->dead - v->last.dead)};
    v->last = *s;
}

/* One bar per column, an eighth of a letter to a step. */
static void print_bars(const struct demo_view *v, bool is_dead, uint32_t top)
{
    static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

    for (int i = 0; i < v->column_count; i++) {
        uint32_t value = is_dead ? v->columns[i].dead : v->columns[i].scored;
        fputs(bars[value == 0 ? 0 : 1 + (uint64_t)value * 7 / top], stdout);
    }
}

static void draw(struct demo_view *v, const struct demo_sample *s)
{
    uint32_t top = 1;

    for (int i = 0; i < v->column_count; i++) {
        top = v->columns[i].scored > top ? v->columns[i].scored : top;
        top = v->columns[i].dead > top ? v->columns[i].dead : top;
    }
    if (v->is_drawn)
        fputs("\033[3A", stdout);
    printf("\033[K%4.1f s  %s sent  %s%s%s\n", (double)s->elapsed_ms / 1000, demo_count(s->sent),
           demo_bold(v), s->what, demo_plain(v));
    printf("\033[K  scored %9s  %s", demo_count(s->scored), demo_green(v));
    print_bars(v, false, top);
    printf("%s\n\033[K  dead   %9s  %s", demo_plain(v), demo_count(s->dead), demo_red(v));
    print_bars(v, true, top);
    printf("%s\n", demo_plain(v));
    v->is_drawn = true;
}

void demo_view_show(struct demo_view *v, const struct demo_sample *s)
{
    if (v->is_silent)
        return;
    add_columns(v, s);
    if (v->is_terminal) {
        draw(v, s);
    } else if (s->elapsed_ms / PLAIN_MS != v->said_ms) {
        v->said_ms = s->elapsed_ms / PLAIN_MS;
        printf("%4.0f s  %7s sent  %7s scored  %7s dead   %s\n", (double)s->elapsed_ms / 1000,
               demo_count(s->sent), demo_count(s->scored), demo_count(s->dead), s->what);
    }
    fflush(stdout);
}
