#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "http/address.h"
#include "http/guests.h"
#include "http/host.h"

enum { IDLE_S = 10, HTTP_MISDIRECTED = 421 };

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_options options;
    struct guests guests; /* of the daemon's thread */
    bool is_loopback;     /* nobody elsewhere can ask, unless by a browser on this host */
    char *socket;         /* the file to remove, NULL: none */
    struct address_file file;
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
    if (answer->allow)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
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
        if (route->is_order ? strcmp(method, MHD_HTTP_METHOD_POST) == 0 : is_reading(method)) {
            route->handle(o->arg, answer);
            return;
        }
        http_say(answer, MHD_HTTP_METHOD_NOT_ALLOWED,
                 route->is_order ? "this is an order: POST it\n" : "this is read: GET it\n");
        answer->allow = route->is_order ? MHD_HTTP_METHOD_POST : "GET, HEAD";
        return;
    }
    http_say(answer, MHD_HTTP_NOT_FOUND, "there is nothing here; / has what there is\n");
}

static bool is_misdirected(const struct http_server *s, struct MHD_Connection *connection)
{
    return s->is_loopback && !host_is_local(MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                                        MHD_HTTP_HEADER_HOST));
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
    if (is_misdirected(arg, connection))
        http_say(&answer, HTTP_MISDIRECTED, "this is for localhost: ask by that name\n");
    else
        answer_to(arg, url, method, &answer);
    return send_answer(connection, &answer);
}

/* ---- who is connected */

static void on_connection(void *arg, struct MHD_Connection *connection, void **guest,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = arg;

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *guest = guests_add(
            &s->guests,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else if (*guest)
        guests_let_go(*guest);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = arg;
    struct guest *guest =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

    (void)state, (void)code;
    if (guest)
        guests_renew(&s->guests, guest);
}

/* ---- life */

static bool is_loopback(int listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } name = {0};
    socklen_t len = sizeof name;

    if (getsockname(listener, &name.any, &len) != 0)
        return false;
    return (name.any.sa_family == AF_INET && ntohl(name.v4.sin_addr.s_addr) >> 24 == 127) ||
           (name.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&name.v6.sin6_addr));
}

/* NULL: listener is closed. */
static struct http_server *serve(int listener, const char *socket,
                                 const struct http_options *options, struct err *err)
{
    /* Not MHD_USE_AUTO, which is epoll: it overlooks that who sent half a request has gone, and
     * keeps a place for each of them for 10 s (libmicrohttpd 0.9.75). */
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC;
    struct http_server *s = mem_alloc(1, sizeof *s);

    s->options = *options;
    s->socket = socket ? mem_copy_text(socket, strlen(socket)) : NULL;
    s->is_loopback = is_loopback(listener);
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET,
                                 listener, MHD_OPTION_CONNECTION_LIMIT, (unsigned)GUESTS_CAP,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
    if (s->daemon)
        return s;
    err_dependency(err, "the server did not start: %s", strerror(errno));
    close(listener);
    free(s->socket);
    free(s);
    return NULL;
}

struct http_server *http_listen(const char *address, const struct http_options *options,
                                struct err *err)
{
    int listener = address_listen(address, err);

    return listener < 0 ? NULL : serve(listener, NULL, options, err);
}

struct http_server *http_listen_local(const char *path, const struct http_options *options,
                                      struct err *err)
{
    struct address_file file;
    int listener = address_listen_local(path, &file, err);
    struct http_server *s = listener < 0 ? NULL : serve(listener, path, options, err);

    if (s)
        s->file = file;
    else if (listener >= 0)
        address_remove_local(path, &file);
    return s;
}

void http_close(struct http_server *s)
{
    if (!s)
        return;
    if (s->socket) /* before others can find that nobody listens */
        address_remove_local(s->socket, &s->file);
    MHD_stop_daemon(s->daemon);
    free(s->socket);
    free(s);
}
