#include "cli/bar.h"

#include <stdio.h>

void bar_draw(double share, const char *text)
{
    enum { WIDTH = 30 };
    static const char full[] = "##############################",
                      empty[] = "..............................";
    int filled = (int)(share * WIDTH);

    fprintf(stderr, "\r[%.*s%.*s] %3.0f %%  %s \x1b[K\r", filled, full, WIDTH - filled, empty,
            share * 100, text);
}

void bar_clear(void)
{
    fputs("\r\x1b[K", stderr);
}
