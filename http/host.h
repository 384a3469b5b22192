/* host.h: whom a request was meant for. A page of somebody else's, open in a browser on this host,
 * may have its own name resolve to 127.0.0.1 and then read what is served there (DNS rebinding);
 * the Host header keeps that name. Pure; any thread. */
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include <stdbool.h>

/* host: of the header, with or without a port; NULL or empty: there is none, so no browser asks.
 * True for localhost, names below it, and addresses, which nobody else can own. */
bool host_is_local(const char *host);

#endif
