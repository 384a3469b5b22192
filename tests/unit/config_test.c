#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/kafka_conf.h"
#include "core/log.h"
#include "tests/harness.h"

/* The least that starts; `more` goes in front, so that lines are counted from it. */
#define LEAST                                                                                      \
    "[kscore]\nname = fraud\n[kafka]\nbootstrap.servers = localhost:9092\n"                        \
    "[consumer]\ntopic = payments\n[model]\npath = m\n[producer]\ntopic = scores\n"                \
    "[dead_letters]\ntopic = dead\n"

static int parse(struct config *config, const char *text, const char *override, struct err *err)
{
    struct config_overrides overrides = {&override, override ? 1 : 0};

    return config_parse(config, "k.ini", text, strlen(text), &overrides, err);
}

static void load(struct config *config, const char *text)
{
    struct err err = ERR_INIT;

    ck_assert_msg(parse(config, text, NULL, &err) == 0, "%s", err.text);
}

static void assert_fails(const char *text, const char *override, enum exit_code code,
                         const char *want)
{
    struct err err = ERR_INIT;
    struct config config;

    ck_assert_msg(parse(&config, text, override, &err) == -1, "accepted: %s", text);
    ck_assert_msg(strstr(err.text, want) != NULL, "got \"%s\", want \"%s\"", err.text, want);
    ck_assert_int_eq(err.exit_code, code);
    ck_assert_int_eq(err.kind, ERR_FATAL);
}

START_TEST(the_least_file_gets_every_default)
{
    struct config c;

    load(&c, LEAST);
    ck_assert_str_eq(c.file, "k.ini");
    ck_assert_str_eq(c.name, "fraud");
    ck_assert_str_eq(config_group(&c), "fraud");
    ck_assert_str_eq(c.instance, "");
    ck_assert_int_eq(c.batch_rows, 1024);
    ck_assert_int_eq(c.batch_wait_ms, 5);
    ck_assert_int_eq(c.commit_ms, 1000);
    ck_assert_int_eq(c.memory_mib, 256);
    ck_assert_int_eq(c.drain_ms, 20000);
    ck_assert_int_eq(c.log_format, 0);
    ck_assert_int_eq(c.log_level, LOG_INFO);
    ck_assert_uint_eq(c.topic_count, 1);
    ck_assert_str_eq(c.topics[0], "payments");
    ck_assert_int_eq(c.format, FORMAT_JSON);
    ck_assert_int_eq(c.framing, CONFIG_FRAMING_NONE);
    ck_assert_int_eq(c.start, START_EARLIEST);
    ck_assert_int_eq(c.on_gap, GAP_RESUME);
    ck_assert_int_eq(c.max_value_kib, 256);
    ck_assert_int_eq(c.max_depth, 64);
    ck_assert_str_eq(c.schema_folder, "");
    ck_assert_str_eq(c.model_path, "m");
    ck_assert_str_eq(c.score_topic, "scores");
    ck_assert_int_eq(c.score_format, FORMAT_JSON);
    ck_assert_str_eq(c.dead_topic, "dead");
    ck_assert_uint_eq(c.kafka.count, 1);
    ck_assert_uint_eq(c.consumer.count + c.producer.count, 0);
    config_release(&c);
}
END_TEST

START_TEST(every_key_of_ours_is_taken)
{
    struct config c;

    load(&c, "[kscore]\nname = a\ninstance = i1\ndelivery = at_least_once\nbatch_rows = 7\n"
             "batch_wait_ms = 8\ncommit_ms = 90\nmemory_mib = 64\ndrain_ms = 100\n"
             "log_format = json\nlog_level = debug\n"
             "[kafka]\nbootstrap.servers = b\n"
             "[consumer]\ntopic = t1, t2 ,t3\nformat = avro\nframing = confluent\nstart = latest\n"
             "on_gap = stop\nmax_value_kib = 1\nmax_depth = 3\n"
             "[schemas]\nfolder = s\n[model]\npath = m/1\n"
             "[producer]\ntopic = out\nformat = avro\nschema_id = 77\n[dead_letters]\ntopic = d\n");
    ck_assert_str_eq(c.instance, "i1");
    ck_assert_int_eq(c.delivery, 0);
    ck_assert_int_eq(c.batch_rows, 7);
    ck_assert_int_eq(c.batch_wait_ms, 8);
    ck_assert_int_eq(c.commit_ms, 90);
    ck_assert_int_eq(c.memory_mib, 64);
    ck_assert_int_eq(c.drain_ms, 100);
    ck_assert_int_eq(c.log_format, 1);
    ck_assert_int_eq(c.log_level, LOG_DEBUG);
    ck_assert_uint_eq(c.topic_count, 3);
    ck_assert_str_eq(c.topics[1], "t2");
    ck_assert_str_eq(c.topics[2], "t3");
    ck_assert_int_eq(c.format, FORMAT_AVRO);
    ck_assert_int_eq(c.framing, CONFIG_FRAMING_CONFLUENT);
    ck_assert_int_eq(c.start, START_LATEST);
    ck_assert_int_eq(c.on_gap, GAP_STOP);
    ck_assert_int_eq(c.max_value_kib, 1);
    ck_assert_int_eq(c.max_depth, 3);
    ck_assert_str_eq(c.schema_folder, "s");
    ck_assert_str_eq(c.model_path, "m/1");
    ck_assert_str_eq(c.score_topic, "out");
    ck_assert_int_eq(c.score_format, FORMAT_AVRO);
    ck_assert_int_eq(c.score_schema_id, 77);
    ck_assert_str_eq(c.dead_topic, "d");
    config_release(&c);
}
END_TEST

START_TEST(librdkafka_keys_go_to_their_clients_verbatim)
{
    struct config c;

    load(&c, LEAST "[consumer]\nsession.timeout.ms = 6000\ngroup.id = other\n"
                   "[producer]\nlinger.ms = 20\n[kafka]\nsecurity.protocol = plaintext\n");
    ck_assert_uint_eq(c.kafka.count, 2);
    ck_assert_str_eq(c.kafka.items[1].name, "security.protocol");
    ck_assert_uint_eq(c.consumer.count, 2);
    ck_assert_str_eq(c.consumer.items[0].value, "6000");
    ck_assert_int_eq(c.consumer.items[0].line, 14);
    ck_assert_uint_eq(c.producer.count, 1);
    ck_assert_str_eq(config_group(&c), "other");
    config_release(&c);
}
END_TEST

static const struct {
    const char *text;
    enum config_start start;
    int64_t ms;
} starts[] = {
    {"earliest", START_EARLIEST, 0},
    {"latest", START_LATEST, 0},
    {"0", START_TIME, 0},
    {"1769860800123", START_TIME, 1769860800123},
    {"2026-01-31T12:00:00Z", START_TIME, 1769860800000},
    {"1970-01-01T00:00:00Z", START_TIME, 0},
};

START_TEST(a_start_is_a_word_or_a_time)
{
    struct config c;
    char text[1000];

    snprintf(text, sizeof text, LEAST "[consumer]\nstart = %s\n", starts[_i].text);
    load(&c, text);
    ck_assert_int_eq(c.start, starts[_i].start);
    ck_assert_int_eq(c.start_ms, starts[_i].ms);
    config_release(&c);
}
END_TEST

START_TEST(values_come_from_the_environment)
{
    struct config c;

    setenv("KSCORE_T", "env", 1);
    setenv("KSCORE_E", "", 1);
    load(&c, LEAST "[kscore]\ninstance = a-${KSCORE_T}${KSCORE_E}-${KSCORE_T}-$${KSCORE_T} $ {x\n");
    ck_assert_str_eq(c.instance, "a-env-env-${KSCORE_T} $ {x");
    config_release(&c);
    unsetenv("KSCORE_T");
    assert_fails(LEAST "[kscore]\ninstance = ${KSCORE_T}\n", NULL, EXIT_CONFIGURATION,
                 "k.ini:14: environment variable KSCORE_T is not set (kscore.instance; write $${ "
                 "for a plain ${)");
}
END_TEST

/* What comes from the environment is not read again: a password may hold ${. */
START_TEST(an_expanded_value_is_not_expanded_again)
{
    struct config c;

    setenv("KSCORE_T", "${KSCORE_T}$${", 1);
    load(&c, LEAST "[kscore]\ninstance = ${KSCORE_T}\n");
    ck_assert_str_eq(c.instance, "${KSCORE_T}$${");
    config_release(&c);
}
END_TEST

START_TEST(a_value_may_be_read_from_a_file)
{
    struct config c;
    char text[1500], folder[256];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    snprintf(text, sizeof text, LEAST "[kafka]\nsasl.password_FILE = %s\n",
             harness_write(folder, "secret", "p w\r\n\n", 6));
    load(&c, text);
    ck_assert_uint_eq(c.kafka.count, 2);
    ck_assert_str_eq(c.kafka.items[1].name, "sasl.password");
    ck_assert_str_eq(c.kafka.items[1].value, "p w");
    config_release(&c);
    assert_fails(LEAST "[kafka]\nsasl.password_FILE = no/such/file\n", NULL, EXIT_IO,
                 "k.ini:14: sasl.password_FILE: no/such/file: No such file");
    snprintf(text, sizeof text, LEAST "[kafka]\nsasl.password = x\nsasl.password_FILE = %s\n",
             harness_write(folder, "secret", "y", 1));
    assert_fails(text, NULL, EXIT_CONFIGURATION,
                 "k.ini:15: sasl.password and sasl.password_FILE are both set");
    snprintf(text, sizeof text, LEAST "[kafka]\nsasl.password_FILE = %s\n",
             harness_write(folder, "secret", "a\0b", 3));
    assert_fails(text, NULL, EXIT_CONFIGURATION, "sasl.password_FILE: holds a NUL byte");
}
END_TEST

START_TEST(the_command_line_wins_over_the_file)
{
    struct err err = ERR_INIT;
    struct config c;

    ck_assert_int_eq(parse(&c, LEAST "[kscore]\ncommit_ms = 50\n", "kscore.commit_ms=60", &err), 0);
    ck_assert_int_eq(c.commit_ms, 60);
    config_release(&c);
    ck_assert_int_eq(parse(&c, LEAST, "consumer.session.timeout.ms=6000", &err), 0);
    ck_assert_str_eq(c.consumer.items[0].name, "session.timeout.ms");
    ck_assert_int_eq(c.consumer.items[0].line, 0);
    config_release(&c);
    ck_assert_int_eq(parse(&c, LEAST, "kscore.instance=a=b", &err), 0);
    ck_assert_str_eq(c.instance, "a=b");
    config_release(&c);
}
END_TEST

START_TEST(a_wrong_override_names_itself)
{
    assert_fails(LEAST, "commit_ms=1", EXIT_USAGE, "-s commit_ms=1: expected section.key=value");
    assert_fails(LEAST, "kscore.commit_ms", EXIT_USAGE, "expected section.key=value");
    assert_fails(LEAST, "kscore.=1", EXIT_USAGE, "expected section.key=value");
    assert_fails(LEAST, "x=a.b", EXIT_USAGE, "expected section.key=value");
    assert_fails(LEAST, ".a=b", EXIT_USAGE, "expected section.key=value");
    assert_fails(LEAST, "kscore.commit_ms=x", EXIT_CONFIGURATION,
                 "-s: kscore.commit_ms must be a whole number from 10 to 60000");
    assert_fails(LEAST, "kscore.commit=1", EXIT_CONFIGURATION,
                 "-s: [kscore] has no key commit; did you mean commit_ms?");
}
END_TEST

static const char *const secrets[] = {"sasl.password",
                                      "ssl.key.password",
                                      "ssl.keystore.password",
                                      "ssl.key.pem",
                                      "sasl.oauthbearer.client.secret",
                                      "sasl.oauthbearer.config",
                                      "basic.auth.user.info",
                                      "bearer.auth.token"};

START_TEST(secrets_are_refused_on_the_command_line_and_not_printed)
{
    struct err err = ERR_INIT;
    struct config config;
    char override[200];

    ck_assert(config_is_secret(secrets[_i]));
    snprintf(override, sizeof override, "kafka.%s=hunter2", secrets[_i]);
    ck_assert_int_eq(parse(&config, LEAST, override, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_USAGE);
    ck_assert_ptr_null(strstr(err.text, "hunter2"));
    ck_assert_ptr_nonnull(strstr(err.text, "_FILE in the file"));
}
END_TEST

START_TEST(what_is_no_secret_is_not_taken_for_one)
{
    ck_assert(!config_is_secret("sasl.username"));
    ck_assert(!config_is_secret("ssl.key.location"));
    ck_assert(!config_is_secret("bootstrap.servers"));
    ck_assert(!config_is_secret("sasl.oauthbearer.token.endpoint.url"));
}
END_TEST

/* A key with a slip is unknown, and what stands behind it may be a password all the same. */
START_TEST(a_misspelt_secret_is_not_printed)
{
    struct err err = ERR_INIT;
    struct config config;

    ck_assert_int_eq(parse(&config, LEAST "[kafka]\nsasl.pasword = hunter2\n", NULL, &err), -1);
    ck_assert_ptr_null(strstr(err.text, "hunter2"));
    ck_assert_ptr_nonnull(strstr(err.text, "did you mean sasl.password?"));
    err_reset(&err);
    ck_assert_int_eq(parse(&config, LEAST, "kafka.sasl.pasword=hunter2", &err), -1);
    ck_assert_ptr_null(strstr(err.text, "hunter2"));
}
END_TEST

static const struct {
    const char *text;
    enum exit_code code;
    const char *want;
} faults[] = {
    {LEAST "[kscore]\nbatch_rows = 0\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.batch_rows must be a whole number from 1 to 65536"},
    {LEAST "[kscore]\nbatch_rows = 65537\n", EXIT_CONFIGURATION, "from 1 to 65536"},
    {LEAST "[kscore]\nbatch_rows = 1e3\n", EXIT_CONFIGURATION, "from 1 to 65536"},
    {LEAST "[kscore]\nbatch_rows =\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.batch_rows must be a whole number from 1 to 65536"},
    {LEAST "[kscore]\nlog_level =\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.log_level is \"\"; it can be: error, warning, info, debug"},
    {LEAST "[kscore]\nlog_level = loud\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.log_level is \"loud\"; it can be: error, warning, info, debug"},
    {LEAST "[kscore]\ndelivery = exactly_once\n", EXIT_CONFIGURATION, "it can be: at_least_once"},
    {LEAST "[kscore]\nbatch_row = 1\n", EXIT_CONFIGURATION,
     "k.ini:14: [kscore] has no key batch_row; did you mean batch_rows?"},
    {LEAST "[kscore]\nxyzzy = 1\n", EXIT_CONFIGURATION, "k.ini:14: [kscore] has no key xyzzy"},
    {LEAST "[consumer]\ntopics = a\n", EXIT_CONFIGURATION,
     "k.ini:14: [consumer] has no key topics; did you mean topic?"},
    {LEAST "[consumers]\ntopic = a\n", EXIT_CONFIGURATION,
     "k.ini:14: no section [consumers]; did you mean [consumer]?"},
    {LEAST "[weather]\na = b\n", EXIT_CONFIGURATION, "k.ini:14: no section [weather]"},
    {LEAST "[model]\nbootstrap.servers = b\n", EXIT_CONFIGURATION,
     "k.ini:14: [model] has no key bootstrap.servers"},
    {LEAST "[producer]\nlinger.mss = 5\n", EXIT_CONFIGURATION,
     "has a key linger.mss; did you mean linger.ms?"},
    {LEAST "[consumer]\npartition.assignment.strategy = cooperative-sticky\n", EXIT_CONFIGURATION,
     "k.ini:14: partition.assignment.strategy can be range or roundrobin"},
    {LEAST "[kafka]\nbootstrap = b\n", EXIT_CONFIGURATION,
     "k.ini:14: neither kscore nor librdkafka"},
    {LEAST "[kafka]\nsocket.timeout.ms = soon\n", EXIT_CONFIGURATION, "k.ini:14: librdkafka: "},
    {LEAST "[consumer]\nstart = yesterday\n", EXIT_CONFIGURATION,
     "k.ini:14: consumer.start is \"yesterday\""},
    {LEAST "[consumer]\nstart = 2026-01-31\n", EXIT_CONFIGURATION, "consumer.start is"},
    {LEAST "[consumer]\nstart = 2026-01-31T12:00:00\n", EXIT_CONFIGURATION, "consumer.start is"},
    {LEAST "[consumer]\nstart = -1\n", EXIT_CONFIGURATION, "consumer.start is"},
    {LEAST "[consumer]\nstart =\n", EXIT_CONFIGURATION, "consumer.start is"},
    {LEAST "[consumer]\nformat = avro\n", EXIT_CONFIGURATION,
     "k.ini:14: format = avro needs [schemas] folder"},
    {LEAST "[consumer]\nframing = confluent\n", EXIT_CONFIGURATION,
     "k.ini:14: framing is confluent for avro and none for json"},
    {LEAST "[producer]\nformat = avro\n", EXIT_CONFIGURATION,
     "k.ini:14: format = avro needs [producer] schema_id"},
    {"[kscore]\nname = a\n", EXIT_CONFIGURATION, "k.ini: topic is missing in [consumer]"},
    {"", EXIT_CONFIGURATION, "k.ini: name is missing in [kscore]"},
    {"[kscore]\nname =\n", EXIT_CONFIGURATION, "k.ini:2: name is missing in [kscore]"},
    {"[kscore]\nname = a\n[consumer]\ntopic = p\n[producer]\ntopic = s\n[dead_letters]\ntopic = "
     "d\n",
     EXIT_CONFIGURATION, "k.ini: path is missing in [model]"},
    {"[kscore]\nname = a\n[consumer]\ntopic = p\n[model]\npath = m\n[dead_letters]\ntopic = d\n",
     EXIT_CONFIGURATION, "k.ini: topic is missing in [producer]"},
    {"[kscore]\nname = a\n[consumer]\ntopic = p\n[model]\npath = m\n[producer]\ntopic = s\n",
     EXIT_CONFIGURATION, "k.ini: topic is missing in [dead_letters]"},
    {"[kscore]\nname = a\n[consumer]\ntopic = p\n[model]\npath = m\n[producer]\ntopic = s\n"
     "[dead_letters]\ntopic = d\n",
     EXIT_CONFIGURATION, "k.ini: bootstrap.servers is missing in [kafka]"},
    {"[kscore]\nname = a\n[consumer]\ntopic = p\n[model]\npath = m\n[producer]\ntopic = s\n"
     "[dead_letters]\ntopic = d\n[kafka]\nbootstrap.servers =\n",
     EXIT_CONFIGURATION, "bootstrap.servers is missing in [kafka]"},
    {LEAST "[kscore]\nname = twice\n", EXIT_CONFIGURATION,
     "k.ini:14: name is already set on line 2"},
    {LEAST "oops\n", EXIT_CONFIGURATION, "k.ini:13: expected [section], name = value"},
};

START_TEST(each_fault_has_file_line_and_words)
{
    assert_fails(faults[_i].text, NULL, faults[_i].code, faults[_i].want);
}
END_TEST

/* Topics, with what is said; NULL: they are fine. A name that starts with ^ would be a pattern to
 * librdkafka, and subscribe to topics nobody named. */
static const struct {
    const char *input, *scores, *dead, *want;
} topics[] = {
    {"a.b_c-D9", "s", "d", NULL},
    {"a,b", "s", "d", NULL},
    {"a,,b", "s", "d", "consumer.topic: \"\" is no name of a topic"},
    {"a,", "s", "d", "consumer.topic: \"\" is no name of a topic"},
    {"^pay.*", "s", "d", "consumer.topic: \"^pay.*\" is no name of a topic"},
    {"a b", "s", "d", "consumer.topic: \"a b\" is no name of a topic"},
    {"..", "s", "d", "consumer.topic: \"..\" is no name of a topic"},
    {"a,b,a", "s", "d", "consumer.topic: a is named twice"},
    {"a", "s/x", "d", "producer.topic: \"s/x\" is no name of a topic"},
    {"a", "s", "d\"", "dead_letters.topic: \"d\"\" is no name of a topic"},
    {"a,s", "s", "d", "s is read and written"},
    {"d", "s", "d", "d is read and written"},
    {"a", "s", "s", "scores and dead letters need a topic each"},
};

START_TEST(topics_are_names_and_lead_nowhere_in_a_circle)
{
    struct err err = ERR_INIT;
    struct config c;
    char text[1000];
    int result;

    snprintf(text, sizeof text,
             "[kscore]\nname = a\n[kafka]\nbootstrap.servers = b\n[model]\npath = m\n"
             "[consumer]\ntopic = %s\n[producer]\ntopic = %s\n[dead_letters]\ntopic = %s\n",
             topics[_i].input, topics[_i].scores, topics[_i].dead);
    result = parse(&c, text, NULL, &err);
    if (!topics[_i].want) {
        ck_assert_msg(result == 0, "%s", err.text);
        config_release(&c);
        return;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_msg(strstr(err.text, topics[_i].want) != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_topic_has_at_most_249_letters)
{
    struct err err = ERR_INIT;
    struct config c;
    char text[1000], name[251];

    memset(name, 'x', sizeof name);
    name[249] = '\0';
    snprintf(text, sizeof text, "producer.topic=%s", name);
    ck_assert_int_eq(parse(&c, LEAST, text, &err), 0);
    config_release(&c);
    name[249] = 'x';
    name[250] = '\0';
    snprintf(text, sizeof text, "producer.topic=%s", name);
    ck_assert_int_eq(parse(&c, LEAST, text, &err), -1);
}
END_TEST

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

START_TEST(owned_keys_are_refused_with_the_remedy)
{
    static const char *const sections[] = {"kafka", "consumer", "producer"};
    char text[1000], want[200];

    for (size_t i = 0; i < 3; i++) {
        snprintf(text, sizeof text, LEAST "[%s]\n%s = 1\n", sections[i], owned[_i]);
        snprintf(want, sizeof want, "k.ini:14: %s is kscore's own: ", owned[_i]);
        assert_fails(text, NULL, EXIT_CONFIGURATION, want);
    }
}
END_TEST

static void digest_of(const char *text, char digest[65])
{
    struct config c;

    load(&c, text);
    ck_assert_uint_eq(strlen(c.digest), 64);
    strcpy(digest, c.digest);
    config_release(&c);
}

START_TEST(the_digest_names_what_is_in_effect)
{
    char first[65], other[65];

    digest_of(LEAST, first);
    digest_of("; a comment\n" LEAST "[kscore]\nbatch_rows = 1024\n", other);
    ck_assert_msg(strcmp(first, other) == 0, "a default written out is another digest");
    digest_of(LEAST "[kscore]\nbatch_rows = 1023\n", other);
    ck_assert_str_ne(first, other);
    digest_of(LEAST "[producer]\nlinger.ms = 6\n", other);
    ck_assert_str_ne(first, other);
}
END_TEST

START_TEST(the_digest_depends_on_no_order_and_no_secret)
{
    char first[65], other[65];

    digest_of(LEAST "[kafka]\nsocket.timeout.ms = 9000\nsasl.password = a\nclient.rack = r\n",
              first);
    digest_of("[dead_letters]\ntopic = dead\n[kafka]\nclient.rack = r\nsocket.timeout.ms = 9000\n"
              "bootstrap.servers = localhost:9092\nsasl.password = b\n[producer]\ntopic = scores\n"
              "[consumer]\ntopic = payments\n[model]\npath = m\n[kscore]\nname = fraud\n",
              other);
    ck_assert_str_eq(first, other);
    digest_of(LEAST "[consumer]\nsocket.timeout.ms = 9000\n[kafka]\nclient.rack = r\n", other);
    ck_assert_str_ne(first, other);
}
END_TEST

START_TEST(a_file_is_loaded_and_a_missing_one_is_io)
{
    struct err err = ERR_INIT;
    struct config c;
    const char *path = harness_write(harness_folder(), "k.ini", LEAST, sizeof LEAST - 1);

    ck_assert_int_eq(config_load(&c, path, NULL, &err), 0);
    ck_assert_str_eq(c.file, path);
    config_release(&c);
    ck_assert_int_eq(config_load(&c, "no/such.ini", NULL, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "no/such.ini: No such file"));
}
END_TEST

START_TEST(a_file_cut_at_every_byte_loads_or_says_one_line)
{
    static const char whole[] =
        LEAST "[kafka]\nsasl.password = ${HOME}\n[consumer]\nstart = latest\nfetch.wait.max.ms=7\n";

    for (size_t len = 0; len < sizeof whole; len += 3) {
        struct err err = ERR_INIT;
        struct config c;
        if (config_parse(&c, "k.ini", whole, len, NULL, &err) == 0)
            config_release(&c);
        else
            ck_assert_mem_eq(err.text, "k.ini:", 6);
    }
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

    load(&c, LEAST "[kscore]\ncommit_ms = 250\nmemory_mib = 128\ninstance = i7\n"
                   "[kafka]\nsocket.timeout.ms = 9000\nlinger.ms = 7\n"
                   "[producer]\nlinger.ms = 8\n[consumer]\nfetch.wait.max.ms = 50\n");
    consumer = kafka_conf_new(&c, KAFKA_CONSUMER, &err);
    producer = kafka_conf_new(&c, KAFKA_PRODUCER, &err);
    ck_assert(consumer && producer);
    ck_assert_str_eq(value_of(consumer, "client.id"), "fraud");
    ck_assert_str_eq(value_of(consumer, "group.id"), "fraud");
    ck_assert_str_eq(value_of(consumer, "group.instance.id"), "i7");
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

SUITE(config)
{
    TCase *loops;

    CASE("values", the_least_file_gets_every_default, every_key_of_ours_is_taken,
         librdkafka_keys_go_to_their_clients_verbatim, a_topic_has_at_most_249_letters,
         a_file_is_loaded_and_a_missing_one_is_io, a_file_cut_at_every_byte_loads_or_says_one_line);
    CASE("environment", values_come_from_the_environment, an_expanded_value_is_not_expanded_again,
         a_value_may_be_read_from_a_file);
    CASE("override", the_command_line_wins_over_the_file, a_wrong_override_names_itself);
    CASE("secrets", what_is_no_secret_is_not_taken_for_one, a_misspelt_secret_is_not_printed);
    CASE("digest", the_digest_names_what_is_in_effect,
         the_digest_depends_on_no_order_and_no_secret);
    CASE("clients", clients_get_presets_then_the_users_keys_then_ours,
         errors_of_the_library_become_orders);
    loops = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loops, a_start_is_a_word_or_a_time, 0, sizeof starts / sizeof starts[0]);
    tcase_add_loop_test(loops, secrets_are_refused_on_the_command_line_and_not_printed, 0,
                        sizeof secrets / sizeof secrets[0]);
    tcase_add_loop_test(loops, each_fault_has_file_line_and_words, 0,
                        sizeof faults / sizeof faults[0]);
    tcase_add_loop_test(loops, topics_are_names_and_lead_nowhere_in_a_circle, 0,
                        sizeof topics / sizeof topics[0]);
    tcase_add_loop_test(loops, owned_keys_are_refused_with_the_remedy, 0,
                        sizeof owned / sizeof owned[0]);
}
