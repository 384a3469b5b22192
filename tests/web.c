#include "tests/web.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "http/address.h"
#include "http/client.h"
#include "tests/harness.h"

struct web web;

static void on_text(void *arg, struct http_answer *answer)
{
    (void)arg;
    http_say(answer, 200, "here it is\n");
}

static void on_large(void *arg, struct http_answer *answer)
{
    (void)arg;
    *answer = (struct http_answer){200, "text/plain", malloc(WEB_LARGE), WEB_LARGE, NULL};
    ck_assert_ptr_nonnull(answer->body);
    memset(answer->body, 'x', WEB_LARGE);
}

static void on_order(void *arg, struct http_answer *answer)
{
    atomic_fetch_add((_Atomic unsigned *)arg, 1);
    http_say(answer, 202, "asked for\n");
}

static const struct http_route routes[] = {
    {"/text", on_text, false}, {"/large", on_large, false}, {"/order", on_order, true}};

const struct http_options web_options = {routes, 3, &web.orders};

void web_find_port(void)
{
    struct err err = ERR_INIT;
    struct sockaddr_in name = {0};
    socklen_t len = sizeof name;
    int fd = address_listen("127.0.0.1:0", &err);

    ck_assert_msg(fd >= 0, "%s", err.text);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    snprintf(web.address, sizeof web.address, "127.0.0.1:%d", ntohs(name.sin_port));
    close(fd);
}

void web_open(void)
{
    err_reset(&web.err);
    web.orders = 0;
    web_find_port();
    snprintf(web.socket, sizeof web.socket, "%s/k.sock", harness_folder());
    web.remote = http_listen(web.address, &web_options, &web.err);
    ck_assert_msg(web.remote != NULL, "%s", web.err.text);
    web.local = http_listen_local(web.socket, &web_options, &web.err);
    ck_assert_msg(web.local != NULL, "%s", web.err.text);
}

void web_close(void)
{
    http_close(web.remote);
    http_close(web.local);
}

int web_connect(const char *address)
{
    struct err err = ERR_INIT;
    int fd = address_connect(address, 5000, &err);

    ck_assert_msg(fd >= 0, "%s", err.text);
    return fd;
}

void web_put(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

void web_take(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t got;

    while (len + 1 < size && (got = recv(fd, out + len, size - 1 - len, 0)) > 0)
        len += (size_t)got;
    out[len] = '\0';
}

void web_expect_answer(const char *address)
{
    struct http_reply reply;
    struct err err = ERR_INIT;
    int64_t begin_ms = clock_ms();
    int most_ms = (int)(1000 * harness_slowness());

    ck_assert_msg(http_ask(address, "/text", false, most_ms, &reply, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
    ck_assert_int_le(clock_ms() - begin_ms, most_ms);
    free(reply.body);
}
