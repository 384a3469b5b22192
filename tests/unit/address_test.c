/* Where the server listens: TCP addresses of both families, files, and the names it goes by. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/address.h"
#include "http/host.h"
#include "tests/harness.h"
#include "tests/web.h"

static bool has_v6(void)
{
    struct err err = ERR_INIT;
    int fd = address_listen("[::1]:0", &err);

    if (fd >= 0)
        close(fd);
    else
        harness_skip("no IPv6");
    return fd >= 0;
}

START_TEST(a_port_alone_is_all_addresses_of_both_families)
{
    char v6[64], everywhere[32];
    struct http_server *server;

    if (!has_v6())
        return;
    web_find_port();
    snprintf(everywhere, sizeof everywhere, "%s", strrchr(web.address, ':'));
    snprintf(v6, sizeof v6, "[::1]%s", everywhere);
    server = http_listen(everywhere, &web_options, &web.err);
    ck_assert_msg(server != NULL, "%s", web.err.text);
    web_expect_answer(web.address);
    web_expect_answer(v6);
    web_expect_answer(everywhere);
    http_close(server);
}
END_TEST

START_TEST(a_port_that_is_taken_in_one_family_is_taken)
{
    char v6[64];
    struct http_server *first;

    if (!has_v6())
        return;
    web_find_port();
    snprintf(v6, sizeof v6, "[::1]%s", strrchr(web.address, ':'));
    first = http_listen(v6, &web_options, &web.err);
    ck_assert_msg(first != NULL, "%s", web.err.text);
    ck_assert_ptr_null(http_listen(strrchr(web.address, ':'), &web_options, &web.err));
    ck_assert_ptr_nonnull(strstr(web.err.text, "in use"));
    http_close(first);
}
END_TEST

START_TEST(an_address_that_is_taken_is_an_error_in_words)
{
    struct http_server *second = http_listen(web.address, &web_options, &web.err);

    ck_assert_ptr_null(second);
    ck_assert_int_eq(web.err.kind, ERR_DEPENDENCY);
    ck_assert_ptr_nonnull(strstr(web.err.text, web.address));
    ck_assert_ptr_nonnull(strstr(web.err.text, "in use"));
}
END_TEST

START_TEST(what_is_no_address_is_said)
{
    static const char *const wrong[] = {"", "9464", "127.0.0.1:", "nowhere.invalid:1", "x:y:z"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err = ERR_INIT;
        ck_assert_msg(http_listen(wrong[i], &web_options, &err) == NULL, "%s", wrong[i]);
        ck_assert_int_eq(err.kind, ERR_DEPENDENCY);
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i]));
    }
}
END_TEST

START_TEST(the_socket_is_its_owners_and_goes_with_the_server)
{
    struct stat file;

    ck_assert_int_eq(stat(web.socket, &file), 0);
    ck_assert_int_eq(file.st_mode & 0777, 0600);
    http_close(web.local);
    web.local = NULL;
    ck_assert_int_eq(stat(web.socket, &file), -1);
}
END_TEST

/* A file as who crashed leaves it. */
static void leave_socket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    ck_assert_uint_lt(strlen(path), sizeof name.sun_path);
    memcpy(name.sun_path, path, strlen(path));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
}

START_TEST(a_socket_that_a_dead_process_left_is_replaced)
{
    struct http_server *server;
    char path[320];

    snprintf(path, sizeof path, "%s.left", web.socket);
    leave_socket(path);
    server = http_listen_local(path, &web_options, &web.err);
    ck_assert_msg(server != NULL, "%s", web.err.text);
    web_expect_answer(path);
    http_close(server);
}
END_TEST

struct rival {
    pthread_t thread;
    pthread_barrier_t *start;
    const char *path;
    struct http_server *server;
    struct err err;
};

static void *compete(void *arg)
{
    struct rival *r = arg;

    pthread_barrier_wait(r->start);
    r->server = http_listen_local(r->path, &web_options, &r->err);
    return NULL;
}

START_TEST(of_many_that_start_at_once_one_has_the_socket)
{
    enum { RIVALS = 6, ROUNDS = 60 };
    struct rival rivals[RIVALS];
    pthread_barrier_t start;
    char path[320];

    snprintf(path, sizeof path, "%s.at-once", web.socket);
    pthread_barrier_init(&start, NULL, RIVALS);
    for (int round = 0; round < ROUNDS; round++) {
        struct http_server *owner = NULL;
        leave_socket(path);
        for (size_t i = 0; i < RIVALS; i++) {
            rivals[i] = (struct rival){.start = &start, .path = path};
            ck_assert_int_eq(pthread_create(&rivals[i].thread, NULL, compete, &rivals[i]), 0);
        }
        for (size_t i = 0; i < RIVALS; i++) {
            pthread_join(rivals[i].thread, NULL);
            ck_assert_msg(!rivals[i].server || !owner, "round %d: two have it", round);
            ck_assert_msg(rivals[i].server ||
                              strstr(rivals[i].err.text, "another process listens there"),
                          "round %d: %s", round, rivals[i].err.text);
            if (rivals[i].server)
                owner = rivals[i].server;
        }
        web_expect_answer(path);
        http_close(owner);
    }
    pthread_barrier_destroy(&start);
}
END_TEST

/* Somebody removed the file, so that the second one found room. */
START_TEST(who_ends_leaves_the_socket_of_another_alone)
{
    struct http_server *second;
    struct stat file;

    ck_assert_int_eq(unlink(web.socket), 0);
    second = http_listen_local(web.socket, &web_options, &web.err);
    ck_assert_msg(second != NULL, "%s", web.err.text);
    http_close(web.local);
    web.local = NULL;
    web_expect_answer(web.socket);
    http_close(second);
    ck_assert_int_eq(stat(web.socket, &file), -1);
}
END_TEST

START_TEST(neither_a_living_socket_nor_a_file_is_replaced)
{
    struct stat file;
    const char *path;

    ck_assert_ptr_null(http_listen_local(web.socket, &web_options, &web.err));
    ck_assert_ptr_nonnull(strstr(web.err.text, "another process listens there"));
    err_reset(&web.err);
    path = harness_write(harness_folder(), "precious", "x", 1);
    ck_assert_ptr_null(http_listen_local(path, &web_options, &web.err));
    ck_assert_ptr_nonnull(strstr(web.err.text, "no socket"));
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

    snprintf(name.sun_path, sizeof name.sun_path, "%.90s.hangs", web.socket);
    ck_assert_int_eq(bind(hangs, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(hangs, 0), 0);
    for (size_t i = 0; i < 2; i++) { /* the second one finds no room */
        waits[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(waits[i], (struct sockaddr *)&name, sizeof name);
    }
    ck_assert_int_eq(stat(name.sun_path, &before), 0);
    ck_assert_ptr_null(http_listen_local(name.sun_path, &web_options, &web.err));
    ck_assert_ptr_nonnull(strstr(web.err.text, name.sun_path));
    ck_assert_int_eq(stat(name.sun_path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    for (size_t i = 0; i < 2; i++)
        close(waits[i]);
    close(hangs);
}
END_TEST

static const struct {
    const char *host;
    bool is_local;
} names[] = {
    {NULL, true},
    {"", true},
    {"localhost", true},
    {"LocalHost:9464", true},
    {"kscore.localhost:1", true},
    {"127.0.0.1", true},
    {"10.1.2.3:9464", true},
    {"[::1]:9464", true},
    {"[::1]", true},
    {"[fe80::1]:9464", true},
    {"evil.example", false},
    {"evil.example:9464", false},
    {"localhost.evil.example", false},
    {"notlocalhost", false},
    {"127.0.0.1.evil.example", false},
    {"[::1", false},
    {"[evil.example]", false},
    {"::1", false},
    {":9464", false},
};

START_TEST(names_of_this_host_are_told_from_those_of_others)
{
    char long_name[400];

    ck_assert_msg(host_is_local(names[_i].host) == names[_i].is_local, "%s", names[_i].host);
    memset(long_name, '1', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    ck_assert(!host_is_local(long_name));
}
END_TEST

SUITE(address)
{
    TCase *tcp = CASE("tcp", an_address_that_is_taken_is_an_error_in_words,
                      what_is_no_address_is_said, a_port_alone_is_all_addresses_of_both_families,
                      a_port_that_is_taken_in_one_family_is_taken);
    TCase *file = CASE("file", the_socket_is_its_owners_and_goes_with_the_server,
                       a_socket_that_a_dead_process_left_is_replaced,
                       neither_a_living_socket_nor_a_file_is_replaced,
                       the_socket_of_a_process_that_hangs_is_not_taken_away,
                       of_many_that_start_at_once_one_has_the_socket,
                       who_ends_leaves_the_socket_of_another_alone);

    tcase_add_checked_fixture(tcp, web_open, web_close);
    tcase_add_checked_fixture(file, web_open, web_close);
    tcase_add_loop_test(harness_case(suite, "host", NULL, 0),
                        names_of_this_host_are_told_from_those_of_others, 0,
                        sizeof names / sizeof names[0]);
}
