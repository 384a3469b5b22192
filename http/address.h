/* address.h: sockets of a server and its client: TCP addresses and files. Plain functions; the
 * caller closes what they return. Any thread. */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <sys/types.h>

#include "core/err.h"

/* A listening stream socket on host:port, [v6]:port or :port, which is all addresses of both
 * families, where the system has both; -1 and err, a dependency. */
int address_listen(const char *address, struct err *err);

/* Which file a socket was bound to: another process may have put one of its own there since. */
struct address_file {
    dev_t device;
    ino_t inode;
};

/* The same on a file, made with 0600, which is replaced when nobody listens at it any more. Of
 * several processes that do this at once one gets it: they lock the folder meanwhile (flock); only
 * in one that cannot be locked (not readable, some network file systems) two may. */
int address_listen_local(const char *path, struct address_file *file, struct err *err);

/* Removes the file if it is still that one. */
void address_remove_local(const char *path, const struct address_file *file);

/* A connected socket: to a file when the address has a '/', else host:port. -1 and err, a
 * dependency. Waits up to timeout_ms, which sending and receiving then do, too. */
int address_connect(const char *address, int timeout_ms, struct err *err);

#endif
