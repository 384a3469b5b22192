/* instance.h: a running instance as another process asks it: by the configuration's [control]
 * socket, or [http] listen. No state. */
#ifndef CLI_INSTANCE_H
#define CLI_INSTANCE_H

#include "core/config.h"
#include "http/client.h"

/* GET path. 0, or -1 with err: EXIT_UNAVAILABLE when nobody answers, with what to do. */
int instance_ask(const struct config *config, const char *path, struct http_reply *reply,
                 struct err *err);

/* POST path, an order: by the socket alone, EXIT_CONFIG when there is none. */
int instance_order(const struct config *config, const char *path, struct http_reply *reply,
                   struct err *err);

#endif
