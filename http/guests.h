/* guests.h: who is connected to a server, so that nobody who is slow keeps others out.
 *
 * There is room for GUESTS_MOST. One more makes room for itself: the connection that has been at
 * its request, or idle behind one, for the longest time is shut down, and whoever polls it sees its
 * end. So 32 clients that send half a request, or read nothing, cost each other their connections
 * and nobody else a second. What was shut down stays here until it is let go: as many again may.
 *
 * A plain value, zero at first; borrows the sockets. Thread: the server's.
 */
#ifndef HTTP_GUESTS_H
#define HTTP_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUESTS_MOST = 32, GUESTS_CAP = 2 * GUESTS_MOST };

struct guest {
    int fd;
    bool is_here, is_shut;
    uint64_t order; /* of its request's beginning, or of its end */
};

struct guests {
    struct guest all[GUESTS_CAP];
    uint64_t count; /* of all that ever began */
};

/* A connection has come. NULL: there is no room for what was shut down, either. */
struct guest *guests_add(struct guests *guests, int fd);

/* It has got its answer, and begins anew. */
void guests_renew(struct guests *guests, struct guest *guest);

/* It is about to be closed. */
void guests_let_go(struct guest *guest);

#endif
