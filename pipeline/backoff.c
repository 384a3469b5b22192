#include "pipeline/backoff.h"

#include <time.h>

#include "core/clock.h"

enum { FIRST_MS = 100, MAX_MS = 2000 };

void backoff_init(struct backoff *b, unsigned worker)
{
    *b = (struct backoff){.rng = ((uint64_t)clock_wall_ms() + worker) * 0x9e3779b97f4a7c15 | 1};
}

int64_t backoff_ms(struct backoff *b, unsigned tries)
{
    int64_t full = tries < 5 ? (int64_t)FIRST_MS << tries : MAX_MS;

    b->rng ^= b->rng << 13;
    b->rng ^= b->rng >> 7;
    b->rng ^= b->rng << 17;
    return full / 2 + (int64_t)(b->rng % (uint64_t)(full / 2 + 1));
}

void backoff_fail(struct backoff *b)
{
    b->until_ms = clock_ms() + backoff_ms(b, b->tries++);
}

void backoff_reset(struct backoff *b)
{
    b->tries = 0;
    b->until_ms = 0;
}

bool backoff_is_waiting(const struct backoff *b)
{
    return b->until_ms != 0 && clock_ms() < b->until_ms;
}

void backoff_sleep(const struct backoff *b)
{
    int64_t pause_ms = b->until_ms - clock_ms();

    if (pause_ms > 0)
        nanosleep(&(struct timespec){pause_ms / 1000, pause_ms % 1000 * 1000000}, NULL);
}
