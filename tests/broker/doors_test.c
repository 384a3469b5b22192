/* TLS and logins by librdkafka's keys, at the real broker's doors: those that open, those that are
 * waited for, those that are refused. Whatever is wrong, one line says what. */
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <string.h>

#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/harness.h"

#define TRUST "security.protocol = ssl\nssl.ca.location = @/ca.pem\n"
#define OURS                                                                                       \
    "ssl.certificate.location = @/client.pem\nssl.key.location = @/client.key\n"                   \
    "ssl.key.password = s3cret\n"
#define LOGIN(mechanism, password)                                                                 \
    "security.protocol = sasl_ssl\nssl.ca.location = @/ca.pem\nsasl.username = kscore\n"           \
    "sasl.mechanism = " mechanism "\nsasl.password = " password "\n"
#define TOKENS                                                                                     \
    "security.protocol = sasl_ssl\nssl.ca.location = @/ca.pem\nsasl.mechanism = OAUTHBEARER\n"     \
    "enable.sasl.oauthbearer.unsecure.jwt = true\n"                                                \
    "sasl.oauthbearer.config = principal=kscore\n"

static const struct {
    enum cluster_door door;
    const char *lines;
    int from_version; /* of librdkafka */
} opens[] = {
    {DOOR_TLS, TRUST, 0},
    {DOOR_TLS, "host = 127.0.0.1\n" TRUST "ssl.endpoint.identification.algorithm = none\n", 0},
    {DOOR_EXPIRED, "security.protocol = ssl\nenable.ssl.certificate.verification = false\n", 0},
    {DOOR_MUTUAL, TRUST OURS, 0},
    {DOOR_TLS_PASSWORD, LOGIN("PLAIN", "kscore"), 0},
    {DOOR_TLS_PASSWORD, LOGIN("SCRAM-SHA-256", "kscore"), 0x020601ff},
    {DOOR_TLS_PASSWORD, LOGIN("SCRAM-SHA-512", "kscore"), 0x020601ff},
    {DOOR_TLS_PASSWORD, TOKENS, 0x020200ff},
};

START_TEST(a_door_opens_to_the_right_keys)
{
    struct cluster c;
    struct child k;

    if (rd_kafka_version() < opens[_i].from_version) {
        harness_skip("this librdkafka cannot: see a_door_that_is_shut_ends_the_program");
        return;
    }
    cluster_open(&c, 1);
    cluster_allow_all_but(&c, -1);
    cluster_use_door(&c, opens[_i].door, opens[_i].lines);
    cluster_send_events(&c, 10);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, 10);
    ck_assert_int_eq(child_number(child_stop(&k), "scored"), 10);
    cluster_expect_no_lag(&c);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* What may become right by itself: somebody else's certificate, a port that is not yet that of a
 * broker. */
static const struct {
    enum cluster_door door;
    const char *lines, *want, *also;
} waits[] = {
    {DOOR_TLS, "security.protocol = ssl\nssl.ca.location = @/other.pem\n", "certificate",
     "is not signed by"},
    {DOOR_EXPIRED, TRUST, "certificate", "expired"},
    {DOOR_TLS, "host = 127.0.0.1\n" TRUST, "certificate", "is for another host"},
    {DOOR_MUTUAL, TRUST, "ssl.certificate.location", NULL},
    {DOOR_TLS, "", "security.protocol = plaintext", NULL},
    {DOOR_PASSWORD, "host = 127.0.0.1\n", "security.protocol = plaintext", NULL},
    {DOOR_PLAIN, "host = 127.0.0.1\n" TRUST, "security.protocol = ssl", NULL},
};

enum { WAIT_COUNT = sizeof waits / sizeof waits[0] };

/* Without those that were said before (one that lasts is said again after 10 s) and those of a time
 * when nobody had answered yet: both are there where the machine is slow. */
static int new_waits(struct child *k)
{
    return child_count(k, "event=waiting") - child_count(k, " times before)") -
           child_count(k, "do not say why");
}

START_TEST(a_door_that_does_not_open_is_waited_for_and_one_line_says_why)
{
    struct cluster c;
    struct child k[WAIT_COUNT];

    cluster_open(&c, 1);
    for (int i = 0; i < WAIT_COUNT; i++) {
        cluster_use_door(&c, waits[i].door, waits[i].lines);
        child_run(&k[i], &c);
    }
    for (int i = 0; i < WAIT_COUNT; i++) {
        const char *line = child_wait_line(&k[i], "event=waiting", 1);
        for (int n = 2; strstr(line, "do not say why") && !strstr(line, waits[i].want); n++)
            line = child_wait_line(&k[i], "event=waiting", n);
        ck_assert_msg(strstr(line, waits[i].want) != NULL, "%d: want \"%s\" in: %s", i,
                      waits[i].want, line);
        if (waits[i].also)
            child_wait_line(&k[i], waits[i].also, 1);
    }
    for (int i = 0; i < WAIT_COUNT; i++)
        child_signal(&k[i], SIGTERM);
    for (int i = 0; i < WAIT_COUNT; i++) {
        child_expect_exit(&k[i], 0);
        ck_assert_msg(new_waits(&k[i]) <= 1 && child_count(&k[i], "event=ready") == 0 &&
                          child_count(&k[i], " error event=") == 0,
                      "%d: want one line that waits:\n%s", i, k[i].log);
        child_release(&k[i]);
    }
    cluster_close(&c);
}
END_TEST

static const struct {
    enum cluster_door door;
    const char *lines;
    int code;
    const char *want;
    int below_version; /* of librdkafka, 0: all */
} shut[] = {
    {DOOR_TLS_PASSWORD, LOGIN("PLAIN", "gu3ssed"), 77, "Invalid username or password", 0},
    {DOOR_PASSWORD,
     "host = 127.0.0.1\nsecurity.protocol = sasl_plaintext\nsasl.mechanism = SCRAM-SHA-256\n"
     "sasl.username = kscore\nsasl.password = kscore\n",
     77, "supported mechanisms: PLAIN", 0},
    {DOOR_TLS_PASSWORD, LOGIN("SCRAM-SHA-512", "kscore"), 77, "2.6.1", 0x020601ff},
    {DOOR_TLS_PASSWORD, LOGIN("SCRAM-SHA-512", "gu3ssed"), 77, "SCRAM-SHA-512", 0},
    {DOOR_TLS_PASSWORD, LOGIN("PLAIN", "kscore") "[producer]\nsasl.password = gu3ssed\n", 77,
     "[producer]", 0},
    {DOOR_TLS_PASSWORD, TOKENS, 78, "2.2", 0x020200ff},
    {DOOR_MUTUAL,
     TRUST "ssl.certificate.location = @/client.pem\nssl.key.location = @/client.key\n"
           "ssl.key.password = gu3ssed\n",
     78, "ssl.key.password", 0},
    {DOOR_MUTUAL,
     TRUST "ssl.certificate.location = @/client.pem\nssl.key.location = @/client.key\n", 78,
     "ssl.key.password", 0},
    {DOOR_TLS, "security.protocol = ssl\nssl.ca.location = @/nowhere.pem\n", 74,
     "/nowhere.pem: No such file or directory", 0},
    {DOOR_MUTUAL, TRUST "ssl.certificate.location = @/nowhere.crt\n", 74,
     "/nowhere.crt: No such file or directory", 0},
    {DOOR_MUTUAL, TRUST "ssl.key.location = @/nowhere.key\n", 74,
     "/nowhere.key: No such file or directory", 0},
};

enum { SHUT_COUNT = sizeof shut / sizeof shut[0] };

START_TEST(a_door_that_is_shut_ends_the_program)
{
    struct cluster c;
    struct child k[SHUT_COUNT];

    cluster_open(&c, 1);
    cluster_allow_all_but(&c, -1);
    for (int i = 0; i < SHUT_COUNT; i++) {
        cluster_use_door(&c, shut[i].door, shut[i].lines);
        child_run(&k[i], &c);
    }
    for (int i = 0; i < SHUT_COUNT; i++) {
        if (shut[i].below_version && rd_kafka_version() >= shut[i].below_version) {
            child_release(&k[i]);
            continue;
        }
        child_expect_exit(&k[i], shut[i].code);
        child_expect_complaint(&k[i], shut[i].want);
        ck_assert_int_eq(child_count(&k[i], "gu3ssed"), 0);
        child_release(&k[i]);
    }
    cluster_close(&c);
}
END_TEST

SUITE(doors)
{
    TCase *tcase = CASE("shut", a_door_that_does_not_open_is_waited_for_and_one_line_says_why,
                        a_door_that_is_shut_ends_the_program);

    tcase = harness_case(suite, "open", NULL, 0);
    tcase_add_loop_test(tcase, a_door_opens_to_the_right_keys, 0, sizeof opens / sizeof opens[0]);
}
