/* server.h: a small HTTP server for those who watch one process: libmicrohttpd on a thread of its
 * own, on a TCP address (reading only) and on a Unix socket (reading and orders).
 *
 * It knows nothing of what it serves: a table of routes says which function answers. Who may give
 * orders is the permission of the socket file, 0600, and of its folder. At most 32 connections,
 * each given up after 10 s of silence, and sooner where one more comes (guests.h): nobody waits for
 * who is slow. Requests have no body. On a loopback address a request must be for localhost, or an
 * address, by its Host header (host.h).
 *
 * Owns its thread and listeners. Open and close on one thread; handlers run on the server's, one at
 * a time per listener.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* What a handler gives: body from malloc, which the server frees; type is static. */
struct http_answer {
    unsigned status;
    const char *type;
    char *body;
    size_t len;
    const char *allow; /* of 405: the methods that are taken, static; NULL */
};

typedef void http_handler(void *arg, struct http_answer *answer);

struct http_route {
    const char *path;
    http_handler *handle;
    bool is_order; /* POST, on the Unix socket alone; else GET */
};

struct http_options {
    const struct http_route *routes;
    size_t route_count;
    void *arg; /* of the handlers */
};

struct http_server;

/* On host:port, [v6]:port or :port (all addresses, IPv4 and IPv6). NULL and err, a dependency: the
 * address is taken or no address. options are copied, the routes borrowed. */
struct http_server *http_listen(const char *address, const struct http_options *options,
                                struct err *err);

/* On a Unix socket. A file that a process which is gone has left is replaced; of processes that
 * start at once one gets it. Errors as above. */
struct http_server *http_listen_local(const char *path, const struct http_options *options,
                                      struct err *err);

/* server may be NULL. Waits for a handler that runs. A file that is another's by now stays. */
void http_close(struct http_server *server);

/* A text answer from a NUL-terminated text, which is copied. */
void http_say(struct http_answer *answer, unsigned status, const char *text);

#endif
