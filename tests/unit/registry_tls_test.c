/* A registry behind TLS: openssl's own server, which serves files as answers. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "schemas/registry.h"
#include "tests/harness.h"

struct fixture {
    char folder[300], urls[100], ca[320], certificate[320], key[320], other_ca[320];
    pid_t server;
};

static void make_certificates(const char *folder)
{
    char line[1400];

    snprintf(line, sizeof line,
             "tests/certificates %s > %s/log 2>&1 && mkdir -p %s/www/schemas/ids && "
             "echo '{\"schema\":\"\\\"int\\\"\"}' > %s/www/schemas/ids/7",
             folder, folder, folder, folder);
    ck_assert_msg(system(line) == 0, "see %s/log", folder);
}

/* Waits for the line "ACCEPT host:port" of a server that chose its port. */
static int wait_port(const char *folder)
{
    int64_t until = harness_deadline();
    char path[400], line[200];
    int port = 0;

    snprintf(path, sizeof path, "%s/server.log", folder);
    while (port == 0) {
        FILE *log = fopen(path, "r");
        ck_assert_msg(clock_ms() < until, "%s: no port in time", path);
        while (log && fgets(line, sizeof line, log))
            if (strncmp(line, "ACCEPT ", 7) == 0)
                port = atoi(strrchr(line, ':') + 1);
        if (log)
            fclose(log);
        harness_breathe();
    }
    return port;
}

static void serve(struct fixture *f)
{
    f->server = fork();
    ck_assert_int_ge(f->server, 0);
    if (f->server == 0) {
        char www[320], log[320];
        snprintf(www, sizeof www, "%s/www", f->folder);
        snprintf(log, sizeof log, "%s/server.log", f->folder);
        if (chdir(www) != 0 || !freopen(log, "w", stdout) || !freopen("/dev/null", "r", stdin))
            _exit(1);
        dup2(STDOUT_FILENO, STDERR_FILENO);
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-WWW", "-cert",
               "../server.pem", "-key", "../server.key", "-CAfile", "../ca.pem", "-Verify", "1",
               "-verify_return_error", NULL);
        _exit(127);
    }
    snprintf(f->urls, sizeof f->urls, "https://localhost:%d", wait_port(f->folder));
}

static void path_of(const struct fixture *f, const char *name, char out[320])
{
    snprintf(out, 320, "%s/%s", f->folder, name);
}

static void init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "%s", harness_folder());
    make_certificates(f->folder);
    path_of(f, "ca.pem", f->ca);
    path_of(f, "other.pem", f->other_ca);
    path_of(f, "client.pem", f->certificate);
    path_of(f, "client.key", f->key);
    serve(f);
}

static void release(struct fixture *f)
{
    kill(f->server, SIGKILL);
    waitpid(f->server, NULL, 0);
}

/* What becomes of id 7. words: room for 300. */
static enum schema_answer_kind ask(const struct registry_access *access, char *words)
{
    struct registry_options options = {.access = *access};
    struct schema_source *source;
    struct schema_answer answer;
    enum schema_answer_kind kind;
    struct err err = ERR_INIT;
    int64_t until = harness_deadline();

    ck_assert_msg(registry_new(&source, &options, &err) == 0, "%s", err.text);
    ck_assert_int_eq(source->start(source, &err), 0);
    source->ask(source, 7, clock_ms());
    while (!source->poll(source, &answer)) {
        ck_assert_msg(clock_ms() < until, "no answer in time");
        harness_breathe();
    }
    kind = answer.kind;
    snprintf(words, 300, "%s", answer.words ? answer.words : "");
    schema_answer_release(&answer);
    source->free(source);
    return kind;
}

START_TEST(a_registry_is_trusted_and_trusts_us_by_certificates)
{
    struct registry_access good, access;
    struct fixture f;
    char words[300], host[100];

    init(&f);
    good = (struct registry_access){.urls = f.urls,
                                    .ca_location = f.ca,
                                    .certificate_location = f.certificate,
                                    .key_location = f.key,
                                    .key_password = "s3cret"};
    ck_assert_msg(ask(&good, words) == SCHEMA_FOUND, "%s", words);
    access = good;
    access.ca_location = f.other_ca; /* signed by somebody else */
    ck_assert_int_eq(ask(&access, words), SCHEMA_FAILED);
    ck_assert_msg(strstr(words, "certificate") != NULL, "%s", words);
    access = good;
    access.certificate_location = access.key_location = NULL; /* who are we? */
    ck_assert_int_eq(ask(&access, words), SCHEMA_FAILED);
    access = good;
    access.key_password = "wr0ng";
    ck_assert_int_eq(ask(&access, words), SCHEMA_FAILED);
    ck_assert_ptr_null(strstr(words, "wr0ng"));
    access = good; /* another host than the certificate is for */
    snprintf(host, sizeof host, "https://127.0.0.1:%s", strrchr(f.urls, ':') + 1);
    access.urls = host;
    ck_assert_int_eq(ask(&access, words), SCHEMA_FAILED);
    access.is_any_host = true;
    ck_assert_msg(ask(&access, words) == SCHEMA_FOUND, "%s", words);
    release(&f);
}
END_TEST

SUITE(registry_tls)
{
    CASE("certificates", a_registry_is_trusted_and_trusts_us_by_certificates);
}
