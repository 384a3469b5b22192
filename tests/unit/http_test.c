/* The server on TCP and on a Unix socket, and the client that asks it. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "http/client.h"
#include "http/page.h"
#include "tests/harness.h"
#include "tests/stub.h"
#include "tests/web.h"

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

    ck_assert_msg(http_ask(asks[_i].is_local ? web.socket : web.address, asks[_i].path,
                           asks[_i].is_order, 5000, &reply, &err) == 0,
                  "%s", err.text);
    ck_assert_uint_eq(reply.status, asks[_i].status);
    ck_assert_msg(strstr(reply.body, asks[_i].body) != NULL, "%s", reply.body);
    ck_assert_uint_eq(reply.len, strlen(reply.body));
    ck_assert_uint_eq(web.orders, asks[_i].status == 202);
    free(reply.body);
}
END_TEST

START_TEST(a_large_answer_comes_whole)
{
    struct http_reply reply;
    struct err err = ERR_INIT;

    ck_assert_int_eq(http_ask(web.address, "/large", false, 5000, &reply, &err), 0);
    ck_assert_uint_eq(reply.len, WEB_LARGE);
    ck_assert_uint_eq(strspn(reply.body, "x"), WEB_LARGE);
    free(reply.body);
}
END_TEST

/* ---- by hand */

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
        int fd = web_connect(web.address);
        web_put(fd, requests[i].request);
        web_take(fd, answer, sizeof answer);
        close(fd);
        ck_assert_msg(strncmp(answer, requests[i].status, 12) == 0, "%s: %s", requests[i].request,
                      answer);
        ck_assert_msg(strstr(answer, "405") == NULL || strstr(answer, "Allow: GET, HEAD"), "%s",
                      answer);
    }
}
END_TEST

START_TEST(a_method_that_is_refused_names_those_that_are_not)
{
    static const struct {
        const char *request, *allow;
    } asked[] = {{"POST /text HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "Allow: GET, HEAD\r\n"},
                 {"GET /order HTTP/1.0\r\n\r\n", "Allow: POST\r\n"}};
    char answer[2048];

    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        int fd = web_connect(web.socket);
        web_put(fd, asked[i].request);
        web_take(fd, answer, sizeof answer);
        close(fd);
        ck_assert_msg(strstr(answer, asked[i].allow) != NULL, "%s", answer);
    }
}
END_TEST

START_TEST(the_page_may_fetch_nothing_from_elsewhere)
{
    char answer[4096];
    int fd = web_connect(web.address);

    web_put(fd, "GET /text HTTP/1.0\r\n\r\n");
    web_take(fd, answer, sizeof answer);
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
        slow[i] = web_connect(web.address);
        web_put(slow[i], "GET /te");
    }
    ck_assert_msg(http_ask(web.address, "/text", false, 5000, &reply, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
    free(reply.body);
    web_put(slow[0], "xt HTTP/1.0\r\n\r\n");
    web_take(slow[0], answer, sizeof answer);
    ck_assert_ptr_nonnull(strstr(answer, "200"));
    for (size_t i = 0; i < MOST - 1; i++)
        close(slow[i]);
}
END_TEST

/* They connect and say nothing, or half of something, or read nothing of a large answer. */
START_TEST(slow_clients_however_many_keep_nobody_waiting)
{
    static const char *const begins[] = {
        "", "GET /te", "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nx"};
    enum { KINDS = sizeof begins / sizeof begins[0], MANY = 40 * KINDS };
    const char *address = _i ? web.socket : web.address;
    int slow[MANY];

    for (size_t i = 0; i < MANY; i++) {
        slow[i] = web_connect(address);
        web_put(slow[i], begins[i % KINDS]);
        if (i % 8 == 7)
            web_expect_answer(address);
    }
    for (size_t i = 0; i < MANY; i++)
        close(slow[i]);
    web_expect_answer(address);
}
END_TEST

/* One letter a second would keep a place for ever. */
START_TEST(who_asks_again_and_again_stays_longer_than_who_is_slow)
{
    enum { SLOW = 64 };
    static const char request[] = "GET /text HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int kept = web_connect(web.address), slow[SLOW];
    char answer[512];

    for (size_t i = 0; i < SLOW; i++) {
        slow[i] = web_connect(web.address);
        web_put(slow[i], "GET /te");
        web_put(kept, request);
        ck_assert_int_gt(recv(kept, answer, sizeof answer, 0), 0);
    }
    close(kept);
    for (size_t i = 0; i < SLOW; i++)
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
        int fd = web_connect(web.address);
        snprintf(cut, sizeof cut, "%.*s", (int)len, whole);
        web_put(fd, cut);
        close(fd);
    }
    ck_assert_msg(http_ask(web.address, "/text", false, 5000, &reply, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
    free(reply.body);
}
END_TEST

/* What a head says it is for, and the status on a loopback address and on all of them. */
static const struct {
    const char *head;
    unsigned loopback, all;
} hosts[] = {
    {"Host: localhost", 200, 200},
    {"Host: 127.0.0.1:9464", 200, 200},
    {"Host: evil.example", 421, 200},
    {"Host: evil.example:9464", 421, 200},
    {"X: none", 200, 200},
};

START_TEST(a_page_of_somebody_elses_name_reads_nothing_on_a_loopback_address)
{
    char everywhere[32], request[200], answer[2048];
    struct http_server *server;

    http_close(web.remote);
    snprintf(everywhere, sizeof everywhere, "%s", strrchr(web.address, ':'));
    server = web.remote = http_listen(_i % 2 ? everywhere : web.address, &web_options, &web.err);
    ck_assert_msg(server != NULL, "%s", web.err.text);
    int fd = web_connect(web.address);
    snprintf(request, sizeof request, "GET /text HTTP/1.0\r\n%s\r\n\r\n", hosts[_i / 2].head);
    web_put(fd, request);
    web_take(fd, answer, sizeof answer);
    close(fd);
    ck_assert_int_eq(atoi(answer + 9), _i % 2 ? hosts[_i / 2].all : hosts[_i / 2].loopback);
}
END_TEST

START_TEST(a_request_of_any_size_has_an_answer_or_its_end)
{
    enum { SIZE = 1 << 20 };
    static const char *const forms[] = {"GET /%s HTTP/1.0\r\n\r\n", "%s /text HTTP/1.0\r\n\r\n",
                                        "GET /text HTTP/1.0\r\nX: %s\r\n\r\n",
                                        "GET /text?%s HTTP/1.0\r\n\r\n",
                                        "GET /text HTTP/%s\r\n\r\n"};
    char *filler = malloc(SIZE + 1), *request = malloc(SIZE + 100), answer[4096];

    memset(filler, 'a', SIZE);
    filler[SIZE] = '\0';
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        int fd = web_connect(web.address);
        int len = snprintf(request, SIZE + 100, forms[i], filler);
        (void)!send(fd, request, (size_t)len, MSG_NOSIGNAL); /* it need not read all */
        web_take(fd, answer, sizeof answer);
        ck_assert_msg(strncmp(answer, "HTTP/1.1 2", 10) != 0, "%s: %s", forms[i], answer);
        close(fd);
        web_expect_answer(web.address);
    }
    free(filler);
    free(request);
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
    ck_assert_int_eq(http_ask(address, "/text", false, 200, &reply, &web.err), -1);
    ck_assert_int_ge(clock_ms() - begin_ms, 150);
    close(fd);
    err_reset(&web.err);
    ck_assert_int_eq(http_ask(address, "/text", false, 200, &reply, &web.err), -1);
    ck_assert_ptr_nonnull(strstr(web.err.text, "refused"));
}
END_TEST

START_TEST(an_answer_that_is_cut_short_is_none)
{
    struct http_reply reply;
    char address[64];
    static struct stub stub;

    stub_start(&stub, 0);
    stub_set(&stub, "/status", STUB_CUTS, 200, "{\"half\":1}");
    snprintf(address, sizeof address, "127.0.0.1:%d", stub.port);
    ck_assert_int_eq(http_ask(address, "/status", false, 5000, &reply, &web.err), -1);
    ck_assert_ptr_nonnull(strstr(web.err.text, "cut short"));
    stub_stop(&stub);
}
END_TEST

SUITE(http)
{
    TCase *tcase = CASE("server", a_large_answer_comes_whole,
                        other_methods_are_refused_and_a_body_is_forgotten,
                        a_method_that_is_refused_names_those_that_are_not,
                        the_page_may_fetch_nothing_from_elsewhere,
                        who_hangs_keeps_nobody_waiting_and_32_may_be_there,
                        who_asks_again_and_again_stays_longer_than_who_is_slow,
                        no_request_however_it_is_damaged_ends_the_server,
                        a_request_of_any_size_has_an_answer_or_its_end);

    tcase_add_checked_fixture(tcase, web_open, web_close);
    tcase_add_loop_test(tcase, what_is_read_is_read_and_orders_are_for_the_socket, 0,
                        sizeof asks / sizeof asks[0]);
    tcase_add_loop_test(tcase, slow_clients_however_many_keep_nobody_waiting, 0, 2);
    tcase_add_loop_test(tcase, a_page_of_somebody_elses_name_reads_nothing_on_a_loopback_address, 0,
                        2 * sizeof hosts / sizeof hosts[0]);
    tcase =
        CASE("client", a_client_gives_up_on_who_never_answers, an_answer_that_is_cut_short_is_none);
    tcase_add_checked_fixture(tcase, web_open, web_close);
}
