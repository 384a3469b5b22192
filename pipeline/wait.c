#include "pipeline/wait.h"

enum { STALL_MS = 5000, CALM_MS = 3000 };

static void begin(struct wait *w, int64_t since_ms, int64_t now_ms)
{
    if (w->since_ms == 0)
        w->since_ms = since_ms;
    w->failed_ms = now_ms;
    w->done_ms = 0;
}

void wait_fail(struct wait *w, int64_t now_ms)
{
    begin(w, now_ms, now_ms);
}

void wait_hold(struct wait *w, int64_t now_ms)
{
    w->failed_ms = now_ms;
}

void wait_hear(struct wait *w, int64_t now_ms)
{
    w->heard_ms = now_ms;
}

void wait_move(struct wait *w, int64_t now_ms)
{
    wait_hear(w, now_ms);
    if (w->done_ms == 0)
        w->done_ms = now_ms;
}

bool wait_is_stalled(struct wait *w, bool is_expecting, int64_t now_ms)
{
    if (!is_expecting || w->heard_ms == 0)
        w->heard_ms = now_ms;
    if (now_ms - w->heard_ms < STALL_MS)
        return false;
    begin(w, w->heard_ms, now_ms);
    return true;
}

bool wait_is_on(const struct wait *w)
{
    return w->since_ms != 0 && w->done_ms == 0;
}

bool wait_is_over(struct wait *w, int64_t now_ms, int64_t *lasted_ms)
{
    if (w->since_ms == 0 || w->done_ms == 0 || now_ms - w->failed_ms < CALM_MS)
        return false;
    *lasted_ms = w->done_ms - w->since_ms;
    w->since_ms = 0;
    return true;
}
