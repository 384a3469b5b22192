#include "cli/instance.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

enum { ANSWER_MS = 5000 };

/* A file, also where it has no '/', which says to the client that it is none. */
static int ask_socket(const struct config *config, const char *path, bool is_order,
                      struct http_reply *reply, struct err *err)
{
    const char *name = config->control_socket;
    char *file = strchr(name, '/') ? mem_copy_text(name, strlen(name)) : file_join(".", name);
    int result = http_ask(file, path, is_order, ANSWER_MS, reply, err);

    free(file);
    return result;
}

int instance_ask(const struct config *config, const char *path, struct http_reply *reply,
                 struct err *err)
{
    struct err first = ERR_INIT, second = ERR_INIT;
    bool has_socket = *config->control_socket, has_address = *config->http_listen;

    if (!has_socket && !has_address)
        return err_fatal(err, EXIT_CONFIGURATION,
                         "%s serves nothing: set [http] listen or [control] socket", config->file);
    if (has_socket && ask_socket(config, path, false, reply, &first) == 0)
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
    if (ask_socket(config, path, true, reply, &why) == 0)
        return 0;
    return err_fatal(err, EXIT_UNAVAILABLE,
                     "nobody answers (%s): is kscore run -c %s up, on this host?", why.text,
                     config->file);
}
