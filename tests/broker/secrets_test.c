/* Secrets are said nowhere: not in the log at its most talkative, not in what a wrong configuration
 * is answered, not in the process list, not in a dump. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/harness.h"

enum { CODED_MAX = 200 };

/* base64 of text behind `shift` bytes of something, without the ends that depend on neighbours. */
static void encode(const char *text, size_t shift, char out[CODED_MAX])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t bits = strlen(text) * 8, len = 0;

    for (size_t at = (6 - shift * 8 % 6) % 6; at + 6 <= bits; at += 6) {
        unsigned two = (unsigned)(unsigned char)text[at / 8] << 8 | (unsigned char)text[at / 8 + 1];
        out[len++] = letters[two >> (10 - at % 8) & 63];
    }
    out[len] = '\0';
}

static void expect_silence(const char *log, const char *secret)
{
    char coded[CODED_MAX];

    ck_assert_msg(strstr(log, secret) == NULL, "%s is said:\n%s", secret, log);
    for (size_t shift = 0; shift < 3; shift++) {
        encode(secret, shift, coded);
        ck_assert_msg(strstr(log, coded) == NULL, "%s is said in base64, %s:\n%s", secret, coded,
                      log);
    }
}

static void expect_silent_process(const struct child *k, const char *secret)
{
    char path[40], line[4000] = "";
    FILE *file;
    size_t len;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)k->pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    len = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\0')
            line[i] = ' ';
    ck_assert_msg(strstr(line, "run -c") != NULL, "%s", line);
    expect_silence(line, secret);
}

#define TALK "debug = all\nssl.ca.location = @/ca.pem\n"
#define LOGIN TALK "security.protocol = sasl_ssl\nsasl.mechanism = PLAIN\nsasl.username = keeper\n"
#define CERTIFICATE                                                                                \
    TALK "security.protocol = ssl\nssl.certificate.location = @/client.pem\n"                      \
         "ssl.key.location = @/client.key\n"
#define REGISTRY                                                                                   \
    "host = 127.0.0.1\ndebug = all\n[consumer]\nformat = avro\n"                                   \
    "[schemas]\nregistry.url = http://127.0.0.1:1\n"

/* The variable SECRET holds the secret, as does the file that SECRET_FILE names. Passwords that are
 * right get as far as what keeper may not do. */
static const struct {
    enum cluster_door door;
    const char *lines, *secret, *until;
} talks[] = {
    {DOOR_TLS_PASSWORD, LOGIN "sasl.password = ${SECRET}\n", "kscore-pa55", "Topic authorization"},
    {DOOR_TLS_PASSWORD, LOGIN "sasl.password_FILE = ${SECRET_FILE}\n", "kscore-pa55",
     "Topic authorization"},
    {DOOR_TLS_PASSWORD, LOGIN "sasl.password = kscore-pa55\n", "kscore-pa55",
     "Topic authorization"},
    {DOOR_TLS_PASSWORD, LOGIN "sasl.password = ${SECRET}\n", "wr0ng-pa55", "event=failed"},
    {DOOR_TLS_PASSWORD, LOGIN "sasl.password = ${SECRET}\nsasl.mechanisms = SCRAM-SHA-512\n",
     "kscore-pa55", "event=failed"},
    {DOOR_MUTUAL, CERTIFICATE "ssl.key.password_FILE = ${SECRET_FILE}\n", "s3cret", "event=ready"},
    {DOOR_MUTUAL, CERTIFICATE "ssl.key.password = ${SECRET}\n", "wr0ng-pa55", "event=failed"},
    {DOOR_PLAIN, REGISTRY "basic.auth.user.info = fraud:${SECRET}\n", "kscore-pa55",
     "event=waiting"},
    {DOOR_PLAIN, REGISTRY "bearer.auth.token_FILE = ${SECRET_FILE}\n", "t0ken-of-ours",
     "event=waiting"},
};

enum { TALK_COUNT = sizeof talks / sizeof talks[0] };

START_TEST(the_most_talkative_log_holds_no_secret)
{
    struct cluster c;
    struct child k[TALK_COUNT];
    char name[40];

    cluster_open(&c, 1);
    cluster_allow_all_but(&c, -1);
    for (int i = 0; i < TALK_COUNT; i++) {
        /* a file of its own: the one before may still be reading */
        snprintf(name, sizeof name, "%s-%d", talks[i].secret, i);
        setenv("SECRET", talks[i].secret, 1);
        setenv("SECRET_FILE",
               harness_write(c.folder, name, talks[i].secret, strlen(talks[i].secret)), 1);
        cluster_use_door(&c, talks[i].door, talks[i].lines);
        child_run(&k[i], &c, "kscore.log_level=debug");
    }
    for (int i = 0; i < TALK_COUNT; i++) {
        child_wait_line(&k[i], talks[i].until, 1);
        if (strcmp(talks[i].until, "event=ready") == 0 ||
            strcmp(talks[i].until, "event=waiting") == 0) /* the others are about to end */
            expect_silent_process(&k[i], talks[i].secret);
        expect_silence(k[i].log, talks[i].secret);
        child_release(&k[i]);
    }
    cluster_close(&c);
}
END_TEST

/* A slip beside a secret: what is said names the place, not the value. */
static const struct {
    const char *line, *option, *want;
} slips[] = {
    {"[kafka]\nsasl.pasword = h!dden-pa55", NULL, "sasl.pasword"},
    {"[schemas]\nsasl.password = h!dden-pa55", NULL, "sasl.password"},
    {"[kscore]\npassword = h!dden-pa55", NULL, "password"},
    {"[model]\nssl.key.password = h!dden-pa55", NULL, "ssl.key.password"},
    {"[kafka]\nsasl.password h!dden-pa55", NULL, ":6"},
    {"[kafka]\nsasl.password = x\nsasl.password = h!dden-pa55", NULL, "sasl.password"},
    {"[kafka]\nsasl.password = ${h!dden-pa55}", NULL, "sasl.password"},
    {"[kafka]\nsasl.password_FILE = h!dden-pa55", NULL, "sasl.password"},
    {"[kafka]\nsecurity.protocol = ssl\nssl.key.pem = h!dden-pa55", NULL, "ssl.key.pem"},
    {"[kafka]\nsasl.oauthbearer.config = h!dden-pa55\nsasl.mechanism = OAUTHBEARER\n"
     "security.protocol = sasl_plaintext",
     NULL, NULL},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = https://u:h!dden-pa55@127.0.0.1:1", NULL,
     "for=registry"},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = ftp://u:h!dden-pa55@127.0.0.1:1", NULL,
     "registry"},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = http://127.0.0.1:1\n"
     "basic.auth.user.info = h!dden-pa55",
     NULL, "registry"},
    {"", "kafka.sasl.password=h!dden-pa55", "sasl.password"},
    {"", "kafka.sasl.pasword=h!dden-pa55", "sasl.pasword"},
    {"", "kafka.sasl.password:h!dden-pa55", "section.key=value"},
    {"", "kafka.sasl.password h!dden-pa55", "section.key=value"},
    {"", "sasl.password=h!dden-pa55", "sasl.password"},
    {"", "schemas.basic.auth.user.info=u:h!dden-pa55", "user.info"},
    {"", "schemas.registry.url=http://u:h!dden-pa55@127.0.0.1:1", "registry.url"},
};

START_TEST(what_is_said_of_a_slip_beside_a_secret_does_not_hold_it)
{
    struct cluster c;
    struct child k;
    char text[1000];

    cluster_open(&c, 1);
    snprintf(text, sizeof text,
             "[kafka]\nbootstrap.servers = 127.0.0.1:1\n[kscore]\nname = x\n%s\n[consumer]\n"
             "topic = a\n[model]\npath = %s\n[producer]\ntopic = b\n[dead_letters]\ntopic = c\n",
             slips[_i].line, c.folder);
    snprintf(c.config, sizeof c.config, "%s",
             harness_write(c.folder, "slip.ini", text, strlen(text)));
    child_start(&k, &c,
                slips[_i].option ? (const char *const[]){slips[_i].option, NULL}
                                 : (const char *const[]){"kscore.log_level=debug", NULL});
    child_wait_line(&k, slips[_i].want ? slips[_i].want : "event=waiting", 1);
    expect_silence(k.log, "h!dden-pa55");
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* Whether SIGABRT makes it leave one. */
static bool leaves_dump(struct cluster *c)
{
    struct child k;
    int status;

    child_run(&k, c);
    child_wait_line(&k, "event=ready", 1);
    child_signal(&k, SIGABRT);
    ck_assert_int_eq(waitpid(k.pid, &status, 0), k.pid);
    k.code = 128 + SIGABRT;
    child_release(&k);
    ck_assert(WIFSIGNALED(status));
    return WCOREDUMP(status);
}

START_TEST(a_process_with_secrets_leaves_no_dump)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    struct cluster c;

    cluster_open(&c, 1);
    cluster_allow_all_but(&c, -1);
    ck_assert_int_eq(chdir(c.folder), 0); /* here folders are called core */
    if (setrlimit(RLIMIT_CORE, &all) != 0 || !leaves_dump(&c)) {
        harness_skip("this system writes no core files");
    } else {
        cluster_use_password(&c, "kscore");
        ck_assert(!leaves_dump(&c));
    }
    cluster_close(&c);
}
END_TEST

SUITE(secrets)
{
    TCase *tcase = CASE("said", the_most_talkative_log_holds_no_secret);

    tcase_add_loop_test(tcase, what_is_said_of_a_slip_beside_a_secret_does_not_hold_it, 0,
                        sizeof slips / sizeof slips[0]);
    CASE("dump", a_process_with_secrets_leaves_no_dump);
}
