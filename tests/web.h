/* web.h: a server on TCP and on a Unix socket in the test's own process, and clients of it by hand.
 * Its routes: /text "here it is", /large LARGE times x, and the order /order, which is counted. */
#ifndef TESTS_WEB_H
#define TESTS_WEB_H

#include <stddef.h>

#include "core/err.h"
#include "http/server.h"

enum { WEB_LARGE = 4 << 20 }; /* more than any one packet takes */

extern struct web {
    struct http_server *remote, *local; /* at address and socket; NULL: closed */
    char address[32], socket[300];
    _Atomic unsigned orders;
    struct err err;
} web;

extern const struct http_options web_options;

/* A checked fixture. */
void web_open(void);
void web_close(void);

/* Makes address one that nobody has: one that was just given and is free again. */
void web_find_port(void);

/* A connection; sends a text; takes all that comes until the server closes, as far as there is
 * room. */
int web_connect(const char *address);
void web_put(int fd, const char *text);
void web_take(int fd, char *out, size_t size);

/* /text is there, within a second. */
void web_expect_answer(const char *address);

#endif
