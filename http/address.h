/* address.h: sockets of a server and its client: TCP addresses and files. Plain functions; the
 * caller closes what they return. Any thread. */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "core/err.h"

/* A bound stream socket on host:port, [v6]:port or :port; -1 and err, a dependency. */
int address_bind(const char *address, struct err *err);

/* The same on a file, which is replaced when nobody listens at it any more. */
int address_bind_local(const char *path, struct err *err);

/* A connected socket: to a file when the address has a '/', else host:port. -1 and err, a
 * dependency. Waits up to timeout_ms, which sending and receiving then do, too. */
int address_connect(const char *address, int timeout_ms, struct err *err);

#endif
