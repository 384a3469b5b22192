#include "http/guests.h"

#include <sys/socket.h>

static struct guest *longest(struct guests *g, size_t *count)
{
    struct guest *found = NULL;

    *count = 0;
    for (size_t i = 0; i < GUESTS_CAP; i++) {
        struct guest *one = &g->all[i];
        if (!one->is_here || one->is_shut)
            continue;
        ++*count;
        if (!found || one->order < found->order)
            found = one;
    }
    return found;
}

struct guest *guests_add(struct guests *g, int fd)
{
    size_t count;
    struct guest *slowest = longest(g, &count), *room = NULL;

    for (size_t i = 0; i < GUESTS_CAP && !room; i++)
        if (!g->all[i].is_here)
            room = &g->all[i];
    if (room)
        *room = (struct guest){.fd = fd, .is_here = true, .order = ++g->count};
    if (count >= GUESTS_MOST) {
        slowest->is_shut = true;
        shutdown(slowest->fd, SHUT_RDWR);
    }
    return room;
}

void guests_renew(struct guests *g, struct guest *guest)
{
    guest->order = ++g->count;
}

void guests_let_go(struct guest *guest)
{
    guest->is_here = false;
}
