/* The brokers come back with another password, another certificate: kscore waits and does not end,
 * and goes on when its own are good again. */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/broker/child.h"
#include "tests/broker/cluster.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

/* What is behind the doors: kscore's password there, and the certificate of DOOR_TLS. */
static void restart_broker(const char *password, const char *certificate)
{
    char line[800];

    snprintf(line, sizeof line,
             "cd \"$KSCORE_BROKER\" && sed -i -E 's/(user_kscore=)\"[^\"]*\"/\\1\"%s\"/; "
             "s|(listener.name.ssl.ssl.keystore.location=.*/)[^/]*|\\1%s|' server.properties && "
             "cd - > /dev/null && tests/kafka stop \"$KSCORE_BROKER\" && "
             "tests/kafka start \"$KSCORE_BROKER\" 0 > /dev/null",
             password, certificate);
    ck_assert_msg(system(line) == 0, "%s", line);
}

/* Also when the test died. */
static void restore(void)
{
    if (system("grep -q 'user_kscore=\"kscore\"' \"$KSCORE_BROKER/server.properties\"") != 0)
        restart_broker("kscore", "server.both");
}

/* Its clients would say on standard error that the broker is away. */
static void open_quietly(struct cluster *c)
{
    cluster_open(c, 1);
    rd_kafka_set_log_level(c->producer, 0);
    rd_kafka_set_log_level(c->watcher, 0);
}

static void expect_all_done(struct cluster *c, struct child *k)
{
    static const int64_t floor[CLUSTER_MAX_PARTITIONS];
    int64_t until = harness_deadline();

    cluster_send_events(c, 10);
    for (; cluster_lag(c) > 0; harness_breathe())
        ck_assert_msg(clock_ms() < until, "a lag of %lld is left:\n%s", (long long)cluster_lag(c),
                      k->log);
    ck_assert_int_eq(child_number(child_stop(k), "dead"), 0);
    expect_outcomes(c, &(struct account){.floor = floor});
    child_release(k);
    cluster_close(c);
}

START_TEST(a_password_or_certificate_that_is_wrong_after_a_restart_is_waited_for)
{
    struct cluster login, trust;
    struct child k, t;

    open_quietly(&login);
    open_quietly(&trust);
    cluster_allow_all_but(&login, -1);
    cluster_use_door(&login, DOOR_TLS_PASSWORD,
                     "security.protocol = sasl_ssl\nssl.ca.location = @/ca.pem\n"
                     "sasl.mechanism = PLAIN\nsasl.username = kscore\nsasl.password = kscore\n");
    cluster_use_door(&trust, DOOR_TLS, "security.protocol = ssl\nssl.ca.location = @/ca.pem\n");
    child_run(&k, &login);
    child_run(&t, &trust);
    cluster_send_events(&login, 10);
    cluster_send_events(&trust, 10);
    cluster_wait_outcomes(&login, 10);
    cluster_wait_outcomes(&trust, 10);
    restart_broker("changed", "expired.both");
    cluster_send_events(&login, 10);
    cluster_send_events(&trust, 10);
    child_wait_line(&k, "event=waiting for=kafka consumer: Local: Authentication failure", 1);
    child_wait_line(&t, "it has expired", 1);
    ck_assert_int_le(cluster_committed(&login, 0), 10);
    ck_assert_int_le(cluster_committed(&trust, 0), 10);
    restart_broker("kscore", "server.both");
    expect_all_done(&login, &k);
    expect_all_done(&trust, &t);
}
END_TEST

SUITE(rotation)
{
    TCase *tcase =
        CASE("restart", a_password_or_certificate_that_is_wrong_after_a_restart_is_waited_for);

    tcase_set_timeout(tcase, 180 * harness_slowness());
    tcase_add_unchecked_fixture(tcase, NULL, restore);
}
