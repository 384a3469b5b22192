#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/kafka_conf.h"
#include "tests/fixture.h"
#include "tests/harness.h"

static const char *const owned[] = {"enable.auto.commit",
                                    "enable.auto.offset.store",
                                    "auto.commit.interval.ms",
                                    "auto.offset.reset",
                                    "enable.partition.eof",
                                    "isolation.level",
                                    "group.instance.id",
                                    "enable.idempotence",
                                    "acks",
                                    "request.required.acks",
                                    "message.timeout.ms",
                                    "delivery.timeout.ms",
                                    "transactional.id",
                                    "queued.min.messages",
                                    "queued.max.messages.kbytes",
                                    "fetch.queue.backoff.ms",
                                    "fetch.max.bytes",
                                    "queue.buffering.max.messages",
                                    "queue.buffering.max.kbytes",
                                    "partitioner",
                                    "delivery.report.only.error",
                                    "max.in.flight",
                                    "max.in.flight.requests.per.connection",
                                    "retries",
                                    "message.send.max.retries",
                                    "offset.store.method",
                                    "auto.commit.enable",
                                    "enable.gapless.guarantee"};

START_TEST(an_owned_key_is_refused_with_the_remedy)
{
    char why[300], want[200];

    ck_assert(!kafka_conf_check(owned[_i], "1", why, sizeof why));
    snprintf(want, sizeof want, "%s is kscore's own: ", owned[_i]);
    ck_assert_mem_eq(why, want, strlen(want));
    ck_assert_uint_gt(strlen(why), strlen(want));
}
END_TEST

static const char *value_of(rd_kafka_conf_t *conf, const char *name)
{
    static char value[512];
    size_t size = sizeof value;

    ck_assert_msg(rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK, "%s", name);
    return value;
}

START_TEST(clients_get_presets_then_the_users_keys_then_ours)
{
    struct err err = ERR_INIT;
    struct config c;
    rd_kafka_conf_t *consumer, *producer;

    fixture_config(&c, FIXTURE_CONFIG
                   "[kscore]\ncommit_ms = 250\nmemory_mib = 256\nworkers = 2\n"
                   "[kafka]\nsocket.timeout.ms = 9000\nlinger.ms = 7\n"
                   "[producer]\nlinger.ms = 8\n[consumer]\nfetch.wait.max.ms = 50\n");
    consumer = kafka_conf_new(&c, KAFKA_CONSUMER, &err);
    producer = kafka_conf_new(&c, KAFKA_PRODUCER, &err);
    ck_assert(consumer && producer);
    ck_assert_str_eq(value_of(consumer, "client.id"), "fraud");
    ck_assert_str_eq(value_of(consumer, "group.id"), "fraud");
    ck_assert_str_eq(value_of(consumer, "socket.timeout.ms"), "9000");
    ck_assert_str_eq(value_of(consumer, "fetch.wait.max.ms"), "50");
    ck_assert_str_eq(value_of(consumer, "reconnect.backoff.max.ms"), "2000");
    ck_assert_str_eq(value_of(consumer, "auto.commit.interval.ms"), "250");
    ck_assert_str_eq(value_of(consumer, "enable.auto.offset.store"), "false");
    ck_assert_str_eq(value_of(consumer, "enable.partition.eof"), "true");
    ck_assert_str_eq(value_of(consumer, "isolation.level"), "read_committed");
    ck_assert_str_eq(value_of(consumer, "partition.assignment.strategy"), "range");
    ck_assert_str_eq(value_of(consumer, "queued.max.messages.kbytes"), "32768");
    ck_assert_str_eq(value_of(consumer, "fetch.max.bytes"), "8388608");
    ck_assert_str_eq(value_of(producer, "linger.ms"), "8");
    ck_assert_str_eq(value_of(producer, "enable.idempotence"), "true");
    ck_assert_str_eq(value_of(producer, "compression.type"), "lz4");
    ck_assert_str_eq(value_of(producer, "queue.buffering.max.kbytes"), "16384");
    rd_kafka_conf_destroy(consumer);
    rd_kafka_conf_destroy(producer);
    config_release(&c);
}
END_TEST

START_TEST(errors_of_the_library_become_orders)
{
    static const struct {
        rd_kafka_resp_err_t code;
        enum err_kind kind;
        int exit_code;
    } rows[] = {
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_FATAL, EXIT_DENIED},
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ERR_FATAL, EXIT_DENIED},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, ERR_FATAL, EXIT_DENIED},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_FATAL, EXIT_CONFIGURATION},
        {RD_KAFKA_RESP_ERR__TRANSPORT, ERR_DEPENDENCY, EXIT_UNAVAILABLE},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, ERR_DEPENDENCY, EXIT_UNAVAILABLE},
        {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, ERR_DEPENDENCY, EXIT_UNAVAILABLE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = ERR_INIT;
        ck_assert_int_eq(kafka_err(&err, rows[i].code, "topic x"), -1);
        ck_assert_int_eq(err.kind, rows[i].kind);
        ck_assert_int_eq(err.exit_code, rows[i].exit_code);
        ck_assert_mem_eq(err.text, "topic x: ", 9);
    }
}
END_TEST

/* Strategies, and from which librdkafka on they may be set; INT_MAX: never. */
static const struct {
    const char *value;
    int version;
} strategies[] = {
    {"range", 0},
    {"roundrobin", 0},
    {"range,roundrobin", 0},
    {"roundrobin, range", 0},
    {"cooperative-sticky", KAFKA_COOPERATIVE_VERSION},
    {"range,cooperative-sticky", INT_MAX},
    {"cooperative-sticky,range", INT_MAX},
    {"sticky", INT_MAX},
    {"ranges", INT_MAX},
    {",range", INT_MAX},
};

START_TEST(an_assignment_is_taken_where_the_library_keeps_its_promises)
{
    const char *value = strategies[_i].value;
    bool may = rd_kafka_version() >= strategies[_i].version;
    char why[300] = "";

    ck_assert_int_eq(kafka_conf_check("partition.assignment.strategy", value, why, sizeof why),
                     may);
    if (!may)
        ck_assert_msg(strstr(why, strategies[_i].version == INT_MAX ? "can be range, roundrobin"
                                                                    : "needs librdkafka 2.10"),
                      "%s", why);
}
END_TEST

SUITE(kafka_conf)
{
    TCase *loops = harness_case(suite, "keys", NULL, 0);

    CASE("clients", clients_get_presets_then_the_users_keys_then_ours,
         errors_of_the_library_become_orders);
    tcase_add_loop_test(loops, an_assignment_is_taken_where_the_library_keeps_its_promises, 0,
                        sizeof strategies / sizeof strategies[0]);
    tcase_add_loop_test(loops, an_owned_key_is_refused_with_the_remedy, 0,
                        sizeof owned / sizeof owned[0]);
}
