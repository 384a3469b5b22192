/* client.h: one question to another process's server (server.h), for `kscore status` and orders. No
 * state; any thread. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct http_reply {
    unsigned status;
    char *body; /* NUL-terminated; the caller's */
    size_t len;
};

/* GET, or POST for an order, of path at an address: a socket's file (with a '/') or host:port.
 * Every wait is at most timeout_ms; a reply is at most 64 MiB. 0, or -1 with err: nobody answers =
 * dependency. */
int http_ask(const char *address, const char *path, bool is_order, int timeout_ms,
             struct http_reply *reply, struct err *err);

#endif
