#include "cli/serve.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/journal.h"
#include "core/log.h"
#include "core/mem.h"
#include "http/page.h"
#include "http/server.h"
#include "pipeline/journaling.h"
#include "pipeline/observer.h"

enum { HTTP_OK = 200, HTTP_UNAVAILABLE = 503 };

struct serve {
    struct journal *journal;
    struct journaling *journaling; /* NULL: no [journal] topic */
    struct board *board;
    struct observer *observer;
    struct pipeline_orders *orders;
    struct http_server *remote, *local;
};

/* body: from malloc, NULL: it could not be made. */
static void take(struct http_answer *answer, unsigned status, const char *type, char *body)
{
    enum { HTTP_FAILED = 500 };

    if (body)
        *answer = (struct http_answer){status, type, body, strlen(body), NULL};
    else
        http_say(answer, HTTP_FAILED, "no answer could be made\n");
}

static void on_metrics(void *arg, struct http_answer *answer)
{
    struct serve *s = arg;

    take(answer, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
         observer_metrics(s->observer));
}

static void on_page(void *arg, struct http_answer *answer)
{
    (void)arg;
    *answer = (struct http_answer){HTTP_OK, "text/html; charset=utf-8",
                                   mem_copy_text(page_html, page_len()), page_len(), NULL};
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

/* ---- orders: what was asked for, and where it is seen how it went */

static void accept(struct http_answer *answer, _Atomic unsigned *order, const char *text)
{
    enum { HTTP_ACCEPTED = 202 };

    atomic_fetch_add(order, 1);
    http_say(answer, HTTP_ACCEPTED, text);
}

static void on_reload(void *arg, struct http_answer *answer)
{
    accept(answer, &((struct serve *)arg)->orders->reload,
           "asked to load the bundle anew; kscore status says whether it was taken\n");
}

static void on_rollback(void *arg, struct http_answer *answer)
{
    accept(answer, &((struct serve *)arg)->orders->rollback,
           "asked to go back to the bundle before; kscore status says whether there was one\n");
}

static void on_resume(void *arg, struct http_answer *answer)
{
    accept(answer, &((struct serve *)arg)->orders->resume,
           "asked to try again; kscore status says whether the breaker closed\n");
}

static const struct http_route routes[] = {
    {"/", on_page, false},
    {"/metrics", on_metrics, false},
    {"/status", on_status, false},
    {"/healthz", on_health, false},
    {"/readyz", on_ready, false},
    {"/reload", on_reload, true},
    {"/rollback", on_rollback, true},
    {"/resume", on_resume, true},
};

/* Workers note the first dead letter behind each change. */
static void hear(void *arg, const struct log_line *line)
{
    struct serve *s = arg;

    journal_take(s->journal, line);
    if (journal_kind_of(line->event) == JOURNAL_CHANGE)
        board_set_change(s->board, journal_last(s->journal));
}

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

static void open_journal_topic(struct serve *s, const struct config *config,
                               struct pipeline_options *options)
{
    struct err err = ERR_INIT;

    s->journaling = options->journaling = journaling_new(config, options->build, s->journal, &err);
    if (err_is_set(&err))
        log_event(LOG_WARNING, "waiting", "for=journal %s; going on without it", err.text);
}

struct serve *serve_open(const struct config *config, struct pipeline_options *options)
{
    struct serve *s = mem_alloc(1, sizeof *s);

    s->orders = options->orders;
    s->journal = journal_new();
    s->board = options->board = board_new((size_t)config->workers);
    log_set_tap(hear, s);
    open_journal_topic(s, config, options);
    s->observer = observer_new(
        &(struct observer_options){config, options->build, s->board, s->journal, s->journaling});
    open_servers(s, config);
    return s;
}

bool serve_has_page(const struct serve *s)
{
    return s->remote != NULL;
}

json_t *serve_status(struct serve *s)
{
    char *text = observer_status(s->observer);
    json_t *status = json_loads(text, 0, NULL);

    free(text);
    return status;
}

void serve_close(struct serve *s)
{
    http_close(s->remote);
    http_close(s->local);
    observer_free(s->observer);
    journaling_free(s->journaling);
    log_set_tap(NULL, NULL);
    board_free(s->board);
    journal_free(s->journal);
    free(s);
}
