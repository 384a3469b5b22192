#include "cli/serve.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/journal.h"
#include "core/log.h"
#include "core/mem.h"
#include "http/server.h"
#include "pipeline/observer.h"

enum { HTTP_OK = 200, HTTP_UNAVAILABLE = 503 };

struct serve {
    struct journal *journal;
    struct board *board;
    struct observer *observer;
    struct http_server *remote, *local;
};

static void take(struct http_answer *answer, unsigned status, const char *type, char *body)
{
    *answer = (struct http_answer){status, type, body, body ? strlen(body) : 0};
}

static void on_metrics(void *arg, struct http_answer *answer)
{
    struct serve *s = arg;

    take(answer, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
         observer_metrics(s->observer));
}

static void on_status(void *arg, struct http_answer *answer)
{
    struct serve *s = arg;

    take(answer, HTTP_OK, "application/json", observer_status(s->observer));
}

static void on_health(void *arg, struct http_answer *answer)
{
    struct serve *s = arg;
    char *why;
    bool is_well = observer_is_healthy(s->observer, &why);

    take(answer, is_well ? HTTP_OK : HTTP_UNAVAILABLE, "text/plain; charset=utf-8", why);
}

static void on_ready(void *arg, struct http_answer *answer)
{
    struct serve *s = arg;
    char *why;
    bool is_ready = observer_is_ready(s->observer, &why);

    take(answer, is_ready ? HTTP_OK : HTTP_UNAVAILABLE, "text/plain; charset=utf-8", why);
}

static const struct http_route routes[] = {
    {"/metrics", on_metrics, false},
    {"/status", on_status, false},
    {"/healthz", on_health, false},
    {"/readyz", on_ready, false},
};

static void open_servers(struct serve *s, const struct config *config)
{
    struct http_options options = {routes, sizeof routes / sizeof routes[0], s};
    struct err err = ERR_INIT;

    if (*config->http_listen) {
        s->remote = http_listen(config->http_listen, &options, &err);
        if (!s->remote)
            log_event(LOG_WARNING, "http", "[http] listen: %s; going on without it", err.text);
    }
    err_reset(&err);
    if (*config->control_socket) {
        s->local = http_listen_local(config->control_socket, &options, &err);
        if (!s->local)
            log_event(LOG_WARNING, "http", "[control] socket: %s; going on without it", err.text);
    }
}

struct serve *serve_open(const struct config *config, struct pipeline_options *options)
{
    struct serve *s = mem_alloc(1, sizeof *s);

    s->journal = journal_new();
    log_set_tap(journal_take, s->journal);
    s->board = options->board = board_new((size_t)config->workers);
    s->observer =
        observer_new(&(struct observer_options){config, options->build, s->board, s->journal});
    open_servers(s, config);
    return s;
}

void serve_close(struct serve *s)
{
    http_close(s->remote);
    http_close(s->local);
    observer_free(s->observer);
    log_set_tap(NULL, NULL);
    board_free(s->board);
    journal_free(s->journal);
    free(s);
}
