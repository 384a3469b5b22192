#include "cli/instance.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000 };

int instance_ask(const struct config *config, const char *path, struct http_reply *reply,
                 struct err *err)
{
    struct err first = ERR_INIT, second = ERR_INIT;
    bool has_socket = *config->control_socket, has_address = *config->http_listen;

    if (!has_socket && !has_address)
        return err_fatal(err, EXIT_CONFIGURATION,
                         "%s serves nothing: set [http] listen or [control] socket", config->file);
    if (has_socket && http_ask(config->control_socket, path, false, ANSWER_MS, reply, &first) == 0)
        return 0;
    if (has_address && http_ask(config->http_listen, path, false, ANSWER_MS, reply, &second) == 0)
        return 0;
    return err_fatal(err, EXIT_UNAVAILABLE,
                     "nobody answers (%s%s%s): is kscore run -c %s up, on this host?", first.text,
                     has_socket && has_address ? "; " : "", second.text, config->file);
}

int instance_order(const struct config *config, const char *path, struct http_reply *reply,
                   struct err *err)
{
    struct err why = ERR_INIT;

    if (!*config->control_socket)
        return err_fatal(err, EXIT_CONFIGURATION,
                         "%s has no [control] socket, which takes orders: set it, for example to "
                         "/run/kscore/%s.sock, and start kscore run anew",
                         config->file, config->name);
    if (http_ask(config->control_socket, path, true, ANSWER_MS, reply, &why) == 0)
        return 0;
    return err_fatal(err, EXIT_UNAVAILABLE,
                     "nobody answers (%s): is kscore run -c %s up, on this host?", why.text,
                     config->file);
}
