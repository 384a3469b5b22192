#include "tests/stub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/harness.h"
#include "tests/reading.h"

enum { DRIP_MS = 100, FLOOD_BYTES = 64 << 10 };

static struct stub_route *find_route(struct stub *s, const char *path)
{
    for (size_t i = 0; i < s->route_count; i++)
        if (strcmp(s->routes[i].path, path) == 0)
            return &s->routes[i];
    return NULL;
}

static void drop(struct stub_client *c)
{
    close(c->fd);
    *c = (struct stub_client){.fd = -1};
}

static void accept_client(struct stub *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    size_t busy = 0;

    for (size_t i = 0; i < STUB_MAX_CLIENTS; i++) {
        if (fd >= 0 && s->clients[i].fd < 0) {
            s->clients[i].fd = fd;
            fd = -1;
        }
        busy += s->clients[i].fd >= 0;
    }
    s->most_clients = busy > s->most_clients ? busy : s->most_clients;
    if (fd >= 0)
        close(fd);
}

/* The request is whole: finds its route. */
static void take_request(struct stub *s, struct stub_client *c)
{
    static struct stub_route unknown = {
        .status = 404, .body = (char *)"{\"error_code\":40403,\"message\":\"Schema not found\"}"};
    const char *authorization = strcasestr(c->request, "\r\nAuthorization: ");
    bool is_post = strncmp(c->request, "POST ", 5) == 0;
    char path[310] = "POST ";

    sscanf(c->request, "%*s %299s", path + (is_post ? 5 : 0));
    s->count++;
    s->authorization[0] = '\0';
    if (authorization)
        sscanf(authorization + 17, "%299[^\r]", s->authorization);
    c->route = find_route(s, path);
    if (!c->route)
        c->route = &unknown;
    c->route->count++;
}

static bool is_whole(const struct stub_client *c)
{
    const char *end = strstr(c->request, "\r\n\r\n");
    const char *length = strcasestr(c->request, "\r\nContent-Length: ");
    size_t body = length ? strtoul(length + 18, NULL, 10) : 0;

    return end && c->len >= (size_t)(end + 4 - c->request) + body;
}

static void read_request(struct stub *s, struct stub_client *c)
{
    ssize_t got = read(c->fd, c->request + c->len, sizeof c->request - 1 - c->len);

    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            drop(c);
        return;
    }
    c->len += (size_t)got;
    c->request[c->len] = '\0';
    if (!c->route && is_whole(c))
        take_request(s, c);
}

/* Head and body of an answer, and how much of it may go now. */
static size_t print_answer(const struct stub_client *c, char **out)
{
    const struct stub_route *r = c->route;
    const char *body = r->body ? r->body : "";
    bool is_endless = r->manner == STUB_FLOODS;
    size_t len, body_at;
    FILE *file = open_memstream(out, &len);

    fprintf(file, "HTTP/1.1 %d x\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\n",
            r->status);
    if (r->status >= 300 && r->status < 400)
        fprintf(file, "Location: %s\r\n", *body ? body : "/elsewhere");
    if (r->manner == STUB_BABBLES)
        for (int i = 0; i < 3000; i++)
            fprintf(file, "X-%d: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", i);
    if (!is_endless)
        fprintf(file, "Content-Length: %zu\r\n", strlen(body));
    fprintf(file, "Connection: close\r\n\r\n");
    fflush(file);
    body_at = len;
    if (is_endless)
        for (int i = 0; i < FLOOD_BYTES; i++)
            fputc(' ', file);
    else
        fputs(body, file);
    fclose(file);
    return r->manner == STUB_CUTS ? body_at + strlen(body) / 2 : len;
}

/* False: it is over. */
static bool write_answer(struct stub_client *c)
{
    char *text;
    size_t len = print_answer(c, &text);
    size_t from = c->route->manner == STUB_FLOODS && c->sent >= len ? len - FLOOD_BYTES : c->sent;
    size_t want = c->route->manner == STUB_DRIPS ? 1 : len - from;
    ssize_t put;

    if (c->route->manner == STUB_DRIPS && clock_ms() < c->due_ms) {
        free(text);
        return true;
    }
    put = send(c->fd, text + from, want, MSG_NOSIGNAL);
    free(text);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR;
    c->sent += (size_t)put;
    c->due_ms = clock_ms() + DRIP_MS;
    return c->route->manner == STUB_FLOODS || c->sent < len;
}

static void serve(struct stub *s, struct stub_client *c, short events)
{
    if (events & (POLLIN | POLLHUP | POLLERR))
        read_request(s, c);
    if (c->fd < 0 || !c->route || c->route->manner == STUB_HANGS)
        return;
    if (c->route->manner == STUB_RESETS || !write_answer(c))
        drop(c);
}

static bool wants_to_write(const struct stub_client *c)
{
    return c->route && c->route->manner != STUB_HANGS && c->route->manner != STUB_DRIPS;
}

static void *run(void *arg)
{
    struct stub *s = arg;
    struct pollfd polls[STUB_MAX_CLIENTS + 2];

    pthread_mutex_lock(&s->lock);
    while (!s->must_stop) {
        polls[0] = (struct pollfd){s->listener, POLLIN, 0};
        polls[1] = (struct pollfd){s->wake[0], POLLIN, 0};
        for (size_t i = 0; i < STUB_MAX_CLIENTS; i++)
            polls[i + 2] = (struct pollfd){
                s->clients[i].fd, (short)(POLLIN | (wants_to_write(&s->clients[i]) ? POLLOUT : 0)),
                0};
        pthread_mutex_unlock(&s->lock);
        poll(polls, STUB_MAX_CLIENTS + 2, DRIP_MS);
        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < STUB_MAX_CLIENTS; i++)
            if (s->clients[i].fd >= 0)
                serve(s, &s->clients[i], polls[i + 2].revents);
        if (polls[0].revents)
            accept_client(s);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

void stub_start(struct stub *s, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int on = 1;

    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; i < STUB_MAX_CLIENTS; i++)
        s->clients[i].fd = -1;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_msg(bind(s->listener, (struct sockaddr *)&address, sizeof address) == 0, "%s",
                  strerror(errno));
    ck_assert_int_eq(listen(s->listener, 64), 0);
    getsockname(s->listener, (struct sockaddr *)&address, &len);
    s->port = ntohs(address.sin_port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
    ck_assert_int_eq(pipe2(s->wake, O_CLOEXEC), 0);
    ck_assert_int_eq(pthread_create(&s->thread, NULL, run, s), 0);
}

void stub_stop(struct stub *s)
{
    pthread_mutex_lock(&s->lock);
    s->must_stop = true;
    pthread_mutex_unlock(&s->lock);
    ck_assert_int_eq(write(s->wake[1], "", 1), 1);
    pthread_join(s->thread, NULL);
    for (size_t i = 0; i < STUB_MAX_CLIENTS; i++)
        if (s->clients[i].fd >= 0)
            close(s->clients[i].fd);
    for (size_t i = 0; i < s->route_count; i++)
        free(s->routes[i].body);
    close(s->listener);
    close(s->wake[0]);
    close(s->wake[1]);
}

void stub_set(struct stub *s, const char *path, enum stub_manner manner, int status,
              const char *body)
{
    struct stub_route *r;

    pthread_mutex_lock(&s->lock);
    r = find_route(s, path);
    if (!r) {
        ck_assert_uint_lt(s->route_count, STUB_MAX_ROUTES);
        r = &s->routes[s->route_count++];
        snprintf(r->path, sizeof r->path, "%s", path);
    }
    free(r->body);
    r->manner = manner;
    r->status = status;
    r->body = body ? strdup(body) : NULL;
    pthread_mutex_unlock(&s->lock);
}

/* {"schema":"...", "references": ...}, with more members before it. */
static char *print_schema(const char *more, const char *schema, const char *references)
{
    char *body, *quoted = reading_quoted(schema);
    size_t len;
    FILE *out = open_memstream(&body, &len);

    fprintf(out, "{%s\"schema\":\"", more);
    for (const char *p = quoted; *p; p++)
        fprintf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
    fprintf(out, "\",\"references\":%s}", references ? references : "[]");
    fclose(out);
    free(quoted);
    return body;
}

void stub_set_schema(struct stub *s, unsigned id, const char *schema, const char *references)
{
    char *body = print_schema("", schema, references), path[60];

    snprintf(path, sizeof path, "/schemas/ids/%u", id);
    stub_set(s, path, STUB_ANSWERS, 200, body);
    free(body);
}

void stub_set_version(struct stub *s, const char *subject, int version, unsigned id,
                      const char *schema, const char *references)
{
    static const char *const queries[] = {"", "?deleted=true"};
    char more[300], path[300], *body;

    snprintf(more, sizeof more, "\"subject\":\"%s\",\"version\":%d,\"id\":%u,", subject, version,
             id);
    body = print_schema(more, schema, references);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/subjects/%s/versions/%d%s", subject, version, queries[i]);
        stub_set(s, path, STUB_ANSWERS, 200, body);
    }
    free(body);
}

unsigned stub_count(struct stub *s, const char *path)
{
    const struct stub_route *r;
    unsigned count;

    pthread_mutex_lock(&s->lock);
    r = path ? find_route(s, path) : NULL;
    count = !path ? s->count : r ? r->count : 0;
    pthread_mutex_unlock(&s->lock);
    return count;
}
