/* The server on TCP and on a Unix socket, and the client that asks it. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "http/address.h"
#include "http/client.h"
#include "http/page.h"
#include "http/server.h"
#include "tests/harness.h"

static struct {
    struct http_server *remote, *local;
    char address[64], socket[300];
    _Atomic unsigned orders;
    struct err err;
} world;

static void on_text(void *arg, struct http_answer *answer)
{
    (void)arg;
    http_say(answer, 200, "here it is\n");
}

/* A body that no one packet takes. */
enum { LARGE = 4 << 20 };

static void on_large(void *arg, struct http_answer *answer)
{
    (void)arg;
    *answer = (struct http_answer){200, "text/plain", malloc(LARGE), LARGE};
    ck_assert_ptr_nonnull(answer->body);
    memset(answer->body, 'x', LARGE);
}

static void on_order(void *arg, struct http_answer *answer)
{
    atomic_fetch_add((_Atomic unsigned *)arg, 1);
    http_say(answer, 202, "asked for\n");
}

static const struct http_route routes[] = {
    {"/text", on_text, false}, {"/large", on_large, false}, {"/order", on_order, true}};

static const struct http_options options = {routes, 3, &world.orders};

/* A port that nobody has: one that was just given and is free again. */
static void find_port(void)
{
    struct err err = ERR_INIT;
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    int fd = address_bind("127.0.0.1:0", &err);

    ck_assert_msg(fd >= 0, "%s", err.text);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    snprintf(world.address, sizeof world.address, "127.0.0.1:%d",
             ntohs(((struct sockaddr_in *)&name)->sin_port));
    close(fd);
}

static void open_world(void)
{
    err_reset(&world.err);
    world.orders = 0;
    find_port();
    snprintf(world.socket, sizeof world.socket, "%s/k.sock", harness_folder());
    world.remote = http_listen(world.address, &options, &world.err);
    ck_assert_msg(world.remote != NULL, "%s", world.err.text);
    world.local = http_listen_local(world.socket, &options, &world.err);
    ck_assert_msg(world.local != NULL, "%s", world.err.text);
}

static void close_world(void)
{
    http_close(world.remote);
    http_close(world.local);
}

/* What is asked of whom, and the answer. */
static const struct {
    const char *path;
    bool is_order, is_local;
    unsigned status;
    const char *body; /* it holds */
} asks[] = {
    {"/text", false, false, 200, "here it is"},     {"/text", false, true, 200, "here it is"},
    {"/text?x=1", false, false, 200, "here it is"}, {"/text", true, false, 405, "GET it"},
    {"/text", true, true, 405, "GET it"},           {"/order", true, true, 202, "asked for"},
    {"/order", true, false, 404, "nothing here"},   {"/order", false, true, 405, "POST it"},
    {"/order", false, false, 404, "nothing here"},  {"/none", false, false, 404, "nothing here"},
    {"/", true, true, 404, "nothing here"},         {"/tex", false, true, 404, "nothing here"},
    {"/text/", false, true, 404, "nothing here"},
};

START_TEST(what_is_read_is_read_and_orders_are_for_the_socket)
{
    struct http_reply reply;
    struct err err = ERR_INIT;

    ck_assert_msg(http_ask(asks[_i].is_local ? world.socket : world.address, asks[_i].path,
                           asks[_i].is_order, 5000, &reply, &err) == 0,
                  "%s", err.text);
    ck_assert_uint_eq(reply.status, asks[_i].status);
    ck_assert_msg(strstr(reply.body, asks[_i].body) != NULL, "%s", reply.body);
    ck_assert_uint_eq(reply.len, strlen(reply.body));
    ck_assert_uint_eq(world.orders, asks[_i].status == 202);
    free(reply.body);
}
END_TEST

START_TEST(a_large_answer_comes_whole)
{
    struct http_reply reply;
    struct err err = ERR_INIT;

    ck_assert_int_eq(http_ask(world.address, "/large", false, 5000, &reply, &err), 0);
    ck_assert_uint_eq(reply.len, LARGE);
    ck_assert_uint_eq(strspn(reply.body, "x"), LARGE);
    free(reply.body);
}
END_TEST

/* ---- by hand */

static int connected(void)
{
    struct err err = ERR_INIT;
    int fd = address_connect(world.address, 5000, &err);

    ck_assert_msg(fd >= 0, "%s", err.text);
    return fd;
}

static void put(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All that comes until the server closes, as far as there is room. */
static void take(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t got;

    while (len + 1 < size && (got = recv(fd, out + len, size - 1 - len, 0)) > 0)
        len += (size_t)got;
    out[len] = '\0';
}

START_TEST(other_methods_are_refused_and_a_body_is_forgotten)
{
    static const struct {
        const char *request, *status;
    } requests[] = {
        {"HEAD /text HTTP/1.0\r\n\r\n", "HTTP/1.1 200"},
        {"PUT /text HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 405"},
        {"DELETE /text HTTP/1.0\r\n\r\n", "HTTP/1.1 405"},
        {"POST /order HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 404"},
    };
    char answer[4096];

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        int fd = connected();
        put(fd, requests[i].request);
        take(fd, answer, sizeof answer);
        close(fd);
        ck_assert_msg(strncmp(answer, requests[i].status, 12) == 0, "%s: %s", requests[i].request,
                      answer);
        ck_assert_msg(strstr(answer, "405") == NULL || strstr(answer, "Allow: GET, HEAD"), "%s",
                      answer);
    }
}
END_TEST

START_TEST(the_page_may_fetch_nothing_from_elsewhere)
{
    char answer[4096];
    int fd = connected();

    put(fd, "GET /text HTTP/1.0\r\n\r\n");
    take(fd, answer, sizeof answer);
    close(fd);
    ck_assert_ptr_nonnull(strstr(answer, "Content-Security-Policy: default-src 'none'"));
    ck_assert_ptr_nonnull(strstr(answer, "Cache-Control: no-store"));
    ck_assert_uint_gt(page_len(), 1000);
    ck_assert_uint_eq(strlen(page_html), page_len());
    ck_assert_ptr_null(strstr(page_html, "src=\""));
    ck_assert_ptr_null(strstr(page_html, "innerHTML"));
}
END_TEST

START_TEST(who_hangs_keeps_nobody_waiting_and_32_may_be_there)
{
    enum { MOST = 32 };
    int slow[MOST];
    struct http_reply reply;
    struct err err = ERR_INIT;
    char answer[256];

    for (size_t i = 0; i < MOST - 1; i++) {
        slow[i] = connected();
        put(slow[i], "GET /te");
    }
    ck_assert_msg(http_ask(world.address, "/text", false, 5000, &reply, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
    free(reply.body);
    put(slow[0], "xt HTTP/1.0\r\n\r\n");
    take(slow[0], answer, sizeof answer);
    ck_assert_ptr_nonnull(strstr(answer, "200"));
    for (size_t i = 0; i < MOST - 1; i++)
        close(slow[i]);
}
END_TEST

START_TEST(no_request_however_it_is_damaged_ends_the_server)
{
    static const char whole[] =
        "GET /text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct http_reply reply;
    struct err err = ERR_INIT;

    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char cut[sizeof whole];
        int fd = connected();
        snprintf(cut, sizeof cut, "%.*s", (int)len, whole);
        put(fd, cut);
        close(fd);
    }
    ck_assert_msg(http_ask(world.address, "/text", false, 5000, &reply, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
    free(reply.body);
}
END_TEST

/* ---- addresses and files */

START_TEST(an_address_that_is_taken_is_an_error_in_words)
{
    struct http_server *second = http_listen(world.address, &options, &world.err);

    ck_assert_ptr_null(second);
    ck_assert_int_eq(world.err.kind, ERR_DEPENDENCY);
    ck_assert_ptr_nonnull(strstr(world.err.text, world.address));
    ck_assert_ptr_nonnull(strstr(world.err.text, "in use"));
}
END_TEST

START_TEST(what_is_no_address_is_said)
{
    static const char *const wrong[] = {"", "9464", "127.0.0.1:", "nowhere.invalid:1", "x:y:z"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err = ERR_INIT;
        ck_assert_msg(http_listen(wrong[i], &options, &err) == NULL, "%s", wrong[i]);
        ck_assert_int_eq(err.kind, ERR_DEPENDENCY);
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i]));
    }
}
END_TEST

START_TEST(the_socket_is_its_owners_and_goes_with_the_server)
{
    struct stat file;

    ck_assert_int_eq(stat(world.socket, &file), 0);
    ck_assert_int_eq(file.st_mode & 0777, 0600);
    http_close(world.local);
    world.local = NULL;
    ck_assert_int_eq(stat(world.socket, &file), -1);
}
END_TEST

START_TEST(a_socket_that_a_dead_process_left_is_replaced)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct http_reply reply;
    char path[320];
    struct http_server *server;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(path, sizeof path, "%s.left", world.socket);
    ck_assert_uint_lt(strlen(path), sizeof name.sun_path);
    memcpy(name.sun_path, path, strlen(path));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
    server = http_listen_local(path, &options, &world.err);
    ck_assert_msg(server != NULL, "%s", world.err.text);
    ck_assert_int_eq(http_ask(path, "/text", false, 5000, &reply, &world.err), 0);
    free(reply.body);
    http_close(server);
}
END_TEST

START_TEST(neither_a_living_socket_nor_a_file_is_replaced)
{
    struct stat file;
    const char *path;

    ck_assert_ptr_null(http_listen_local(world.socket, &options, &world.err));
    ck_assert_ptr_nonnull(strstr(world.err.text, "another process listens there"));
    err_reset(&world.err);
    path = harness_write(harness_folder(), "precious", "x", 1);
    ck_assert_ptr_null(http_listen_local(path, &options, &world.err));
    ck_assert_ptr_nonnull(strstr(world.err.text, "no socket"));
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_int_eq(file.st_size, 1);
}
END_TEST

/* Nobody takes its connections, and there is room for no more of them. */
START_TEST(the_socket_of_a_process_that_hangs_is_not_taken_away)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat before, after;
    int hangs = socket(AF_UNIX, SOCK_STREAM, 0), waits[2];

    snprintf(name.sun_path, sizeof name.sun_path, "%.90s.hangs", world.socket);
    ck_assert_int_eq(bind(hangs, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(hangs, 0), 0);
    for (size_t i = 0; i < 2; i++) { /* the second one finds no room */
        waits[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(waits[i], (struct sockaddr *)&name, sizeof name);
    }
    ck_assert_int_eq(stat(name.sun_path, &before), 0);
    ck_assert_ptr_null(http_listen_local(name.sun_path, &options, &world.err));
    ck_assert_ptr_nonnull(strstr(world.err.text, name.sun_path));
    ck_assert_int_eq(stat(name.sun_path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    for (size_t i = 0; i < 2; i++)
        close(waits[i]);
    close(hangs);
}
END_TEST

START_TEST(a_client_gives_up_on_who_never_answers)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct http_reply reply;
    char address[64];
    int64_t begin_ms = clock_ms();

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(name.sin_port));
    ck_assert_int_eq(http_ask(address, "/text", false, 200, &reply, &world.err), -1);
    ck_assert_int_ge(clock_ms() - begin_ms, 150);
    close(fd);
    err_reset(&world.err);
    ck_assert_int_eq(http_ask(address, "/text", false, 200, &reply, &world.err), -1);
    ck_assert_ptr_nonnull(strstr(world.err.text, "refused"));
}
END_TEST

SUITE(http)
{
    TCase *tcase = CASE("server", a_large_answer_comes_whole,
                        other_methods_are_refused_and_a_body_is_forgotten,
                        the_page_may_fetch_nothing_from_elsewhere,
                        who_hangs_keeps_nobody_waiting_and_32_may_be_there,
                        no_request_however_it_is_damaged_ends_the_server,
                        an_address_that_is_taken_is_an_error_in_words, what_is_no_address_is_said,
                        the_socket_is_its_owners_and_goes_with_the_server,
                        a_socket_that_a_dead_process_left_is_replaced,
                        neither_a_living_socket_nor_a_file_is_replaced,
                        the_socket_of_a_process_that_hangs_is_not_taken_away,
                        a_client_gives_up_on_who_never_answers);

    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_loop_test(tcase, what_is_read_is_read_and_orders_are_for_the_socket, 0,
                        sizeof asks / sizeof asks[0]);
}
