#include "http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "http/address.h"

enum { CONNECTIONS = 32, IDLE_S = 10, BACKLOG = 16 };

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_options options;
    char *socket; /* the file to remove, NULL: none */
};

void http_say(struct http_answer *answer, unsigned status, const char *text)
{
    *answer = (struct http_answer){.status = status, .type = "text/plain; charset=utf-8"};
    answer->len = strlen(text);
    answer->body = mem_copy_text(text, answer->len);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct http_answer *answer)
{
    /* The page is one file: it needs nothing from anywhere else, and nothing may bring it there. */
    static const char policy[] = "default-src 'none'; style-src 'unsafe-inline'; script-src "
                                 "'unsafe-inline'; connect-src 'self'; img-src data:";
    enum MHD_Result result;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->len, answer->body, MHD_RESPMEM_MUST_FREE);

    if (!response) {
        free(answer->body);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static bool is_reading(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static void answer_to(const struct http_server *server, const char *path, const char *method,
                      struct http_answer *answer)
{
    const struct http_options *o = &server->options;

    for (size_t i = 0; i < o->route_count; i++) {
        const struct http_route *route = &o->routes[i];
        if (strcmp(route->path, path) != 0 || (route->is_order && !server->socket))
            continue;
        if (route->is_order ? strcmp(method, MHD_HTTP_METHOD_POST) == 0 : is_reading(method))
            route->handle(o->arg, answer);
        else
            http_say(answer, MHD_HTTP_METHOD_NOT_ALLOWED,
                     route->is_order ? "this is an order: POST it\n" : "this is read: GET it\n");
        return;
    }
    http_say(answer, MHD_HTTP_NOT_FOUND, "there is nothing here; / has what there is\n");
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_len, void **state)
{
    struct http_answer answer = {0};

    (void)version;
    (void)body;
    if (!*state) { /* the first call has the headers alone */
        *state = arg;
        return MHD_YES;
    }
    if (*body_len > 0) {
        *body_len = 0; /* read and forgotten */
        return MHD_YES;
    }
    answer_to(arg, url, method, &answer);
    return send_answer(connection, &answer);
}

static struct http_server *serve(int listener, const char *socket,
                                 const struct http_options *options, struct err *err)
{
    struct http_server *s = mem_alloc(1, sizeof *s);

    /* Not MHD_USE_AUTO, which is epoll: it overlooks that who sent half a request has gone, and 32
     * of them leave everyone else waiting for 10 s (libmicrohttpd 0.9.75). */
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC;

    s->options = *options;
    s->socket = socket ? mem_copy_text(socket, strlen(socket)) : NULL;
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET,
                                 listener, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
    if (s->daemon)
        return s;
    err_dependency(err, "the server did not start: %s", strerror(errno));
    close(listener);
    http_close(s);
    return NULL;
}

struct http_server *http_listen(const char *address, const struct http_options *options,
                                struct err *err)
{
    int listener = address_bind(address, err);

    if (listener < 0)
        return NULL;
    if (listen(listener, BACKLOG) != 0) {
        err_dependency(err, "%s: %s", address, strerror(errno));
        close(listener);
        return NULL;
    }
    return serve(listener, NULL, options, err);
}

struct http_server *http_listen_local(const char *path, const struct http_options *options,
                                      struct err *err)
{
    int listener = address_bind_local(path, err);

    if (listener < 0)
        return NULL;
    if (chmod(path, S_IRUSR | S_IWUSR) != 0 || listen(listener, BACKLOG) != 0) {
        err_dependency(err, "%s: %s", path, strerror(errno));
        close(listener);
        unlink(path);
        return NULL;
    }
    return serve(listener, path, options, err);
}

void http_close(struct http_server *s)
{
    if (!s)
        return;
    if (s->socket)
        unlink(s->socket);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    free(s->socket);
    free(s);
}
