/* A configuration as it is read. One piece: tables of what is taken and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/kafka_conf.h"
#include "core/log.h"
#include "tests/fixture.h"
#include "tests/harness.h"

START_TEST(the_least_file_gets_every_default)
{
    struct config c;

    fixture_config(&c, FIXTURE_CONFIG);
    ck_assert_str_eq(c.file, "k.ini");
    ck_assert_str_eq(c.name, "fraud");
    ck_assert_str_eq(config_group(&c), "fraud");
    ck_assert_str_eq(c.instance, "");
    ck_assert_int_eq(c.workers, 1);
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
    ck_assert_int_eq(c.rounds, 0);
    ck_assert_str_eq(c.score_topic, "scores");
    ck_assert_int_eq(c.score_format, FORMAT_JSON);
    ck_assert_str_eq(c.dead_topic, "dead");
    ck_assert_str_eq(c.alert_topic, "");
    ck_assert_int_eq(c.alert_max_age_ms, 0);
    ck_assert_int_eq(c.breaker_window_s, 60);
    ck_assert_int_eq(c.breaker_minimum, 100);
    ck_assert_double_eq(c.breaker_share, 0.2);
    ck_assert_uint_eq(c.kafka.count, 1);
    ck_assert_uint_eq(c.consumer.count + c.producer.count, 0);
    config_release(&c);
}
END_TEST

START_TEST(every_key_of_ours_is_taken)
{
    struct config c;

    fixture_config(
        &c,
        "[kscore]\nname = a\ninstance = i1\nworkers = 2\ndelivery = at_least_once\nbatch_rows = 7\n"
        "batch_wait_ms = 8\ncommit_ms = 90\nmemory_mib = 128\ndrain_ms = 100\n"
        "log_format = json\nlog_level = debug\n"
        "[kafka]\nbootstrap.servers = b\n"
        "[consumer]\ntopic = t1, t2 ,t3\nformat = avro\nframing = confluent\nstart = latest\n"
        "on_gap = stop\nmax_value_kib = 1\nmax_depth = 3\n"
        "[schemas]\nfolder = s\n[model]\npath = m/1\nrounds = 12\n"
        "[producer]\ntopic = out\nformat = avro\nschema_id = 77\n[dead_letters]\ntopic = d\n"
        "breaker_window_s = 9\nbreaker_minimum = 10\nbreaker_share = 0.25\n"
        "[alerts]\ntopic = e\ndecisions = block , very late\nmax_age_ms = 60000\n");
    ck_assert_str_eq(c.instance, "i1");
    ck_assert_int_eq(c.delivery, 0);
    ck_assert_int_eq(c.batch_rows, 7);
    ck_assert_int_eq(c.batch_wait_ms, 8);
    ck_assert_int_eq(c.commit_ms, 90);
    ck_assert_int_eq(c.workers, 2);
    ck_assert_int_eq(c.memory_mib, 128);
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
    ck_assert_int_eq(c.rounds, 12);
    ck_assert_str_eq(c.score_topic, "out");
    ck_assert_int_eq(c.score_format, FORMAT_AVRO);
    ck_assert_int_eq(c.score_schema_id, 77);
    ck_assert_str_eq(c.dead_topic, "d");
    ck_assert_int_eq(c.breaker_window_s, 9);
    ck_assert_int_eq(c.breaker_minimum, 10);
    ck_assert_double_eq(c.breaker_share, 0.25);
    ck_assert_str_eq(c.alert_topic, "e");
    ck_assert_uint_eq(c.alert_decisions.count, 2);
    ck_assert_str_eq(c.alert_decisions.items[0], "block");
    ck_assert_str_eq(c.alert_decisions.items[1], "very late");
    ck_assert_int_eq(c.alert_max_age_ms, 60000);
    config_release(&c);
}
END_TEST

/* [consumer] as text, framing, ids are fingerprints */
static const struct {
    const char *text;
    enum config_framing framing;
    bool has_fingerprints;
} framings[] = {
    {"[consumer]\nformat = json\n", CONFIG_FRAMING_NONE, false},
    {"[consumer]\nframing = json-schema\n", CONFIG_FRAMING_JSON_SCHEMA, false},
    {"[consumer]\nformat = avro\n[schemas]\nfolder = s\n", CONFIG_FRAMING_CONFLUENT, false},
    {"[consumer]\nformat = avro\nschema = e.avsc\n", CONFIG_FRAMING_NONE, true},
    {"[consumer]\nformat = avro\nframing = single-object\n[schemas]\nfolder = s\n",
     CONFIG_FRAMING_SINGLE_OBJECT, true},
};

START_TEST(paths_into_the_event_are_read)
{
    struct config c;

    fixture_config(&c, FIXTURE_CONFIG "[consumer]\nroot = payload.after\nevent_time = ts\n"
                                      "[producer]\ncarry = id , customer.id,m[\"a,b\"],l[1]\n"
                                      "headers = traceparent , x\n");
    ck_assert_uint_eq(c.headers.count, 2);
    ck_assert_str_eq(c.headers.items[0], "traceparent");
    ck_assert_str_eq(c.headers.items[1], "x");
    ck_assert_uint_eq(c.root.step_count, 2);
    ck_assert_str_eq(c.event_time.text, "ts");
    ck_assert_uint_eq(c.carry_count, 4);
    ck_assert_str_eq(c.carry[0].text, "id");
    ck_assert_uint_eq(c.carry[1].step_count, 2);
    ck_assert_str_eq(c.carry[2].text, "m[\"a,b\"]");
    ck_assert_str_eq(c.carry[3].text, "l[1]");
    config_release(&c);
    fixture_config(&c, FIXTURE_CONFIG);
    ck_assert_uint_eq(c.root.step_count + c.event_time.step_count + c.carry_count, 0);
    config_release(&c);
}
END_TEST

START_TEST(framing_follows_format_and_schema)
{
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
        struct config c;
        char text[500];
        snprintf(text, sizeof text, "%s%s", FIXTURE_CONFIG, framings[i].text);
        fixture_config(&c, text);
        ck_assert_int_eq(c.framing, framings[i].framing);
        ck_assert_int_eq(config_has_fingerprints(&c), framings[i].has_fingerprints);
        config_release(&c);
    }
}
END_TEST

START_TEST(librdkafka_keys_go_to_their_clients_verbatim)
{
    struct config c;

    fixture_config(&c, FIXTURE_CONFIG
                   "[consumer]\nsession.timeout.ms = 6000\ngroup.id = other\n"
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

    snprintf(text, sizeof text, FIXTURE_CONFIG "[consumer]\nstart = %s\n", starts[_i].text);
    fixture_config(&c, text);
    ck_assert_int_eq(c.start, starts[_i].start);
    ck_assert_int_eq(c.start_ms, starts[_i].ms);
    config_release(&c);
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

static const struct {
    const char *lines;
    bool has;
} holders[] = {
    {"", false},
    {"[kafka]\nsasl.username = u\nssl.ca.location = /dev/null\n", false},
    {"[kafka]\nsasl.password = p\n", true},
    {"[producer]\nssl.key.password = p\n", true},
    {"[kafka]\nssl.key.location = /dev/null\n", true},
    {"[consumer]\nssl.keystore.location = /dev/null\n", true},
    {"[kafka]\nsasl.kerberos.keytab = /dev/null\n", true},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = http://a\n", false},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = http://u:p@a\n", true},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = http://a\nbearer.auth.token = t\n",
     true},
    {"[consumer]\nformat = avro\n[schemas]\nregistry.url = https://a\nssl.key.location = k\n",
     true},
};

/* Also a key that is only read from a file: then it lies in memory. */
START_TEST(who_has_a_secret_in_memory_is_known)
{
    char text[1000];
    struct config c;

    snprintf(text, sizeof text, FIXTURE_CONFIG "%s", holders[_i].lines);
    fixture_config(&c, text);
    ck_assert_int_eq(config_has_secrets(&c), holders[_i].has);
    config_release(&c);
}
END_TEST

/* A key with a slip is unknown, and what stands behind it may be a password all the same. */
START_TEST(a_misspelt_secret_is_not_printed)
{
    struct err err = ERR_INIT;
    struct config config;

    ck_assert_int_eq(fixture_config_parse(
                         &config, FIXTURE_CONFIG "[kafka]\nsasl.pasword = hunter2\n", NULL, &err),
                     -1);
    ck_assert_ptr_null(strstr(err.text, "hunter2"));
    ck_assert_ptr_nonnull(strstr(err.text, "did you mean sasl.password?"));
    err_reset(&err);
    ck_assert_int_eq(
        fixture_config_parse(&config, FIXTURE_CONFIG, "kafka.sasl.pasword=hunter2", &err), -1);
    ck_assert_ptr_null(strstr(err.text, "hunter2"));
}
END_TEST

static const struct {
    const char *text;
    enum exit_code code;
    const char *want;
} faults[] = {
    {FIXTURE_CONFIG "[kscore]\nbatch_rows = 0\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.batch_rows must be a whole number from 1 to 65536"},
    {FIXTURE_CONFIG "[kscore]\nbatch_rows = 65537\n", EXIT_CONFIGURATION, "from 1 to 65536"},
    {FIXTURE_CONFIG "[kscore]\nbatch_rows = 1e3\n", EXIT_CONFIGURATION, "from 1 to 65536"},
    {FIXTURE_CONFIG "[kscore]\nbatch_rows =\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.batch_rows must be a whole number from 1 to 65536"},
    {FIXTURE_CONFIG "[kscore]\nlog_level =\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.log_level is \"\"; it can be: error, warning, info, debug"},
    {FIXTURE_CONFIG "[kscore]\nlog_level = loud\n", EXIT_CONFIGURATION,
     "k.ini:14: kscore.log_level is \"loud\"; it can be: error, warning, info, debug"},
    {FIXTURE_CONFIG "[kscore]\ndelivery = exactly_once\n", EXIT_CONFIGURATION,
     "k.ini:14: delivery = exactly_once needs [kscore] instance"},
    {FIXTURE_CONFIG "[kscore]\ndelivery = at_most_once\n", EXIT_CONFIGURATION,
     "it can be: at_least_once"},
    {FIXTURE_CONFIG "[kscore]\nbatch_row = 1\n", EXIT_CONFIGURATION,
     "k.ini:14: [kscore] has no key batch_row; did you mean batch_rows?"},
    {FIXTURE_CONFIG "[kscore]\nxyzzy = 1\n", EXIT_CONFIGURATION,
     "k.ini:14: [kscore] has no key xyzzy"},
    {FIXTURE_CONFIG "[consumer]\ntopics = a\n", EXIT_CONFIGURATION,
     "k.ini:14: [consumer] has no key topics; did you mean topic?"},
    {FIXTURE_CONFIG "[consumers]\ntopic = a\n", EXIT_CONFIGURATION,
     "k.ini:14: no section [consumers]; did you mean [consumer]?"},
    {FIXTURE_CONFIG "[kscore]\nworkers = 5\n", EXIT_CONFIGURATION,
     "k.ini:14: workers = 5 need memory_mib of at least 320, 64 for each"},
    {FIXTURE_CONFIG "[kscore]\nworkers = 0\n", EXIT_CONFIGURATION, "k.ini:14: "},
    {FIXTURE_CONFIG "[weather]\na = b\n", EXIT_CONFIGURATION, "k.ini:14: no section [weather]"},
    {FIXTURE_CONFIG "[model]\nbootstrap.servers = b\n", EXIT_CONFIGURATION,
     "k.ini:14: [model] has no key bootstrap.servers"},
    {FIXTURE_CONFIG "[model]\nrounds = -1\n", EXIT_CONFIGURATION,
     "k.ini:14: model.rounds is \"-1\"; it can be: all, best, or a number"},
    {FIXTURE_CONFIG "[producer]\nlinger.mss = 5\n", EXIT_CONFIGURATION,
     "has a key linger.mss; did you mean linger.ms?"},
    {FIXTURE_CONFIG "[consumer]\npartition.assignment.strategy = sticky\n", EXIT_CONFIGURATION,
     "k.ini:14: partition.assignment.strategy can be range, roundrobin, both, or"},
    {FIXTURE_CONFIG "[kafka]\nbootstrap = b\n", EXIT_CONFIGURATION,
     "k.ini:14: neither kscore nor librdkafka"},
    {FIXTURE_CONFIG "[kafka]\nsocket.timeout.ms = soon\n", EXIT_CONFIGURATION,
     "k.ini:14: librdkafka: "},
    {FIXTURE_CONFIG "[consumer]\nstart = yesterday\n", EXIT_CONFIGURATION,
     "k.ini:14: consumer.start is \"yesterday\""},
    {FIXTURE_CONFIG "[consumer]\nstart = 2026-01-31\n", EXIT_CONFIGURATION, "consumer.start is"},
    {FIXTURE_CONFIG "[consumer]\nstart = 2026-01-31T12:00:00\n", EXIT_CONFIGURATION,
     "consumer.start is"},
    {FIXTURE_CONFIG "[consumer]\nstart = -1\n", EXIT_CONFIGURATION, "consumer.start is"},
    {FIXTURE_CONFIG "[consumer]\nstart =\n", EXIT_CONFIGURATION, "consumer.start is"},
    {FIXTURE_CONFIG "[consumer]\nformat = avro\n", EXIT_CONFIGURATION,
     "k.ini:14: format = avro needs [schemas] folder"},
    {FIXTURE_CONFIG "[consumer]\nformat = avro\n[schemas]\ncache = c\n", EXIT_CONFIGURATION,
     "k.ini:14: format = avro needs [schemas] folder, a folder of <id>.avsc files, or "
     "registry.url"},
    {FIXTURE_CONFIG "[schemas]\nfolder = s\nregistry.url = http://r\n", EXIT_CONFIGURATION,
     "k.ini:15: [schemas] folder and registry.url: schemas come from one of them"},
    {FIXTURE_CONFIG "[schemas]\nregistry.url = http://a:b@r\nbasic.auth.user.info = a:b\n",
     EXIT_CONFIGURATION, "k.ini:14: [schemas] one login of registry.url"},
    {FIXTURE_CONFIG "[schemas]\nregistry.url = http://q, https://a:b@r/\nbearer.auth.token = t\n",
     EXIT_CONFIGURATION, "k.ini:14: [schemas] one login of registry.url"},
    {FIXTURE_CONFIG "[schemas]\nbasic.auth.user.info = a:b\nbearer.auth.token = t\n",
     EXIT_CONFIGURATION, "[schemas] one login of registry.url"},
    {FIXTURE_CONFIG "[schemas]\nssl.endpoint.identification.algorithm = https2\n",
     EXIT_CONFIGURATION, "schemas.ssl.endpoint.identification.algorithm is \"https2\""},
    {FIXTURE_CONFIG "[schemas]\nregistry.ur = http://r\n", EXIT_CONFIGURATION,
     "k.ini:14: [schemas] has no key registry.ur; did you mean registry.url?"},
    {FIXTURE_CONFIG "[consumer]\nframing = confluent\n", EXIT_CONFIGURATION,
     "k.ini:14: framing is none or json-schema for json"},
    {FIXTURE_CONFIG "[consumer]\nroot = a..b\n", EXIT_CONFIGURATION,
     "k.ini:14: consumer.root: \"a..b\" is not a path"},
    {FIXTURE_CONFIG "[consumer]\nevent_time =\n", EXIT_CONFIGURATION,
     "k.ini:14: consumer.event_time: \"\" is not a path"},
    {FIXTURE_CONFIG "[schemas]\nsubjects =\n", EXIT_CONFIGURATION,
     "k.ini:14: schemas.subjects: 1 to 64 names, with commas"},
    {FIXTURE_CONFIG "[producer]\nheaders = a,,b\n", EXIT_CONFIGURATION,
     "k.ini:14: producer.headers: 1 to 64 names, with commas"},
    {FIXTURE_CONFIG "[producer]\ncarry = a,,b\n", EXIT_CONFIGURATION,
     "k.ini:14: producer.carry: \"\" is not a path"},
    {FIXTURE_CONFIG "[producer]\ncarry = a, b, a\n", EXIT_CONFIGURATION,
     "k.ini:14: producer.carry: a is named twice"},
    {FIXTURE_CONFIG "[consumer]\nframing = glue\n", EXIT_CONFIGURATION,
     "k.ini:14: consumer.framing is \"glue\"; it can be: none, confluent, json-schema, "
     "single-object"},
    {FIXTURE_CONFIG "[consumer]\nformat = avro\nframing = json-schema\n", EXIT_CONFIGURATION,
     "k.ini:15: framing is confluent, single-object or none for avro"},
    {FIXTURE_CONFIG "[consumer]\nformat = avro\nframing = none\n", EXIT_CONFIGURATION,
     "k.ini:15: framing = none for avro needs [consumer] schema"},
    {FIXTURE_CONFIG "[consumer]\nformat = avro\nschema = e.avsc\nframing = confluent\n",
     EXIT_CONFIGURATION, "k.ini:15: schema is for framing = none"},
    {FIXTURE_CONFIG "[consumer]\nformat = avro\nframing = single-object\n", EXIT_CONFIGURATION,
     "k.ini:14: format = avro needs [schemas] folder"},
    {FIXTURE_CONFIG "[producer]\nformat = avro\n", EXIT_CONFIGURATION,
     "k.ini:14: format = avro needs [producer] schema_id"},
    {FIXTURE_CONFIG "[alerts]\ntopic = e\n", EXIT_CONFIGURATION,
     "k.ini: decisions is missing in [alerts]"},
    {FIXTURE_CONFIG "[alerts]\ndecisions = high\n", EXIT_CONFIGURATION,
     "k.ini: topic is missing in [alerts]"},
    {FIXTURE_CONFIG "breaker_share = 1.01\n", EXIT_CONFIGURATION,
     "k.ini:13: dead_letters.breaker_share must be a number from 0 to 1"},
    {FIXTURE_CONFIG "breaker_share = -0.1\n", EXIT_CONFIGURATION, "from 0 to 1"},
    {FIXTURE_CONFIG "breaker_share = 20 %\n", EXIT_CONFIGURATION, "from 0 to 1"},
    {FIXTURE_CONFIG "breaker_share =\n", EXIT_CONFIGURATION, "from 0 to 1"},
    {FIXTURE_CONFIG "breaker_minimum = 0\n", EXIT_CONFIGURATION, "from 1 to 65536"},
    {FIXTURE_CONFIG "[alerts]\nmax_age_ms = 5\n", EXIT_CONFIGURATION,
     "k.ini: topic is missing in [alerts]"},
    {FIXTURE_CONFIG "[alerts]\ntopic = e\ndecisions = a,\n", EXIT_CONFIGURATION,
     "k.ini:15: alerts.decisions: 1 to 64 names, with commas"},
    {FIXTURE_CONFIG "[alerts]\ntopic = e\ndecisions = a\nmax_age_ms = 0\n", EXIT_CONFIGURATION,
     "k.ini:16: alerts.max_age_ms must be a whole number from 1 to 31536000000"},
    {FIXTURE_CONFIG "[alert]\ntopic = e\n", EXIT_CONFIGURATION,
     "k.ini:14: no section [alert]; did you mean [alerts]?"},
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
    {FIXTURE_CONFIG "[kscore]\nname = twice\n", EXIT_CONFIGURATION,
     "k.ini:14: name is already set on line 2"},
    {FIXTURE_CONFIG "oops\n", EXIT_CONFIGURATION, "k.ini:13: expected [section], name = value"},
};

START_TEST(each_fault_has_file_line_and_words)
{
    fixture_config_fails(faults[_i].text, NULL, faults[_i].code, faults[_i].want);
}
END_TEST

/* Topics, with what is said; NULL: they are fine, and no alerts. A name that starts with ^ would be
 * a pattern to librdkafka, and subscribe to topics nobody named. */
static const struct {
    const char *input, *scores, *dead, *want, *alerts;
} topics[] = {
    {"a.b_c-D9", "s", "d", NULL, NULL},
    {"a,b", "s", "d", NULL, NULL},
    {"a,,b", "s", "d", "consumer.topic: \"\" is no name of a topic", NULL},
    {"a,", "s", "d", "consumer.topic: \"\" is no name of a topic", NULL},
    {"^pay.*", "s", "d", "consumer.topic: \"^pay.*\" is no name of a topic", NULL},
    {"a b", "s", "d", "consumer.topic: \"a b\" is no name of a topic", NULL},
    {"..", "s", "d", "consumer.topic: \"..\" is no name of a topic", NULL},
    {"a,b,a", "s", "d", "consumer.topic: a is named twice", NULL},
    {"a", "s/x", "d", "producer.topic: \"s/x\" is no name of a topic", NULL},
    {"a", "s", "d\"", "dead_letters.topic: \"d\"\" is no name of a topic", NULL},
    {"a,s", "s", "d", "s is read and written", NULL},
    {"d", "s", "d", "d is read and written", NULL},
    {"a", "s", "s", "[dead_letters] topic is that of [producer]: they need one each", NULL},
    {"a", "s", "d", NULL, "e"},
    {"a", "s", "d", "alerts.topic: \"\" is no name of a topic", ""},
    {"a,e", "s", "d", "e is read and written: what goes to [alerts] topic", "e"},
    {"a", "s", "d", "[alerts] topic is that of [producer]", "s"},
    {"a", "s", "d", "[alerts] topic is that of [dead_letters]", "d"},
};

START_TEST(topics_are_names_and_lead_nowhere_in_a_circle)
{
    struct err err = ERR_INIT;
    struct config c;
    char text[1000];
    int result;

    snprintf(text, sizeof text,
             "[kscore]\nname = a\n[kafka]\nbootstrap.servers = b\n[model]\npath = m\n"
             "[consumer]\ntopic = %s\n[producer]\ntopic = %s\n[dead_letters]\ntopic = %s\n"
             "%s%s\n",
             topics[_i].input, topics[_i].scores, topics[_i].dead,
             topics[_i].alerts ? "[alerts]\ndecisions = d\ntopic = " : "",
             topics[_i].alerts ? topics[_i].alerts : "");
    result = fixture_config_parse(&c, text, NULL, &err);
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
    ck_assert_int_eq(fixture_config_parse(&c, FIXTURE_CONFIG, text, &err), 0);
    config_release(&c);
    name[249] = 'x';
    name[250] = '\0';
    snprintf(text, sizeof text, "producer.topic=%s", name);
    ck_assert_int_eq(fixture_config_parse(&c, FIXTURE_CONFIG, text, &err), -1);
}
END_TEST

static void digest_of(const char *text, char digest[65])
{
    struct config c;

    fixture_config(&c, text);
    ck_assert_uint_eq(strlen(c.digest), 64);
    strcpy(digest, c.digest);
    config_release(&c);
}

START_TEST(the_digest_names_what_is_in_effect)
{
    char first[65], other[65];

    digest_of(FIXTURE_CONFIG, first);
    digest_of("; a comment\n" FIXTURE_CONFIG "[kscore]\nbatch_rows = 1024\n", other);
    ck_assert_msg(strcmp(first, other) == 0, "a default written out is another digest");
    digest_of(FIXTURE_CONFIG "[kscore]\nbatch_rows = 1023\n", other);
    ck_assert_str_ne(first, other);
    digest_of(FIXTURE_CONFIG "[producer]\nlinger.ms = 6\n", other);
    ck_assert_str_ne(first, other);
}
END_TEST

START_TEST(the_digest_depends_on_no_order_and_no_secret)
{
    char first[65], other[65];

    digest_of(FIXTURE_CONFIG
              "[kafka]\nsocket.timeout.ms = 9000\nsasl.password = a\nclient.rack = r\n",
              first);
    digest_of("[dead_letters]\ntopic = dead\n[kafka]\nclient.rack = r\nsocket.timeout.ms = 9000\n"
              "bootstrap.servers = localhost:9092\nsasl.password = b\n[producer]\ntopic = scores\n"
              "[consumer]\ntopic = payments\n[model]\npath = m\n[kscore]\nname = fraud\n",
              other);
    ck_assert_str_eq(first, other);
    digest_of(FIXTURE_CONFIG "[consumer]\nsocket.timeout.ms = 9000\n[kafka]\nclient.rack = r\n",
              other);
    ck_assert_str_ne(first, other);
}
END_TEST

START_TEST(a_file_is_loaded_and_a_missing_one_is_io)
{
    struct err err = ERR_INIT;
    struct config c;
    const char *path =
        harness_write(harness_folder(), "k.ini", FIXTURE_CONFIG, sizeof FIXTURE_CONFIG - 1);

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
    static const char whole[] = FIXTURE_CONFIG
        "[kafka]\nsasl.password = ${HOME}\n[consumer]\nstart = latest\nfetch.wait.max.ms=7\n";

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

START_TEST(rounds_are_all_the_best_or_a_number)
{
    static const struct {
        const char *text;
        int64_t rounds;
        bool is_good;
    } cases[] = {
        {"all", 0, true},   {"0", 0, true},
        {"best", -1, true}, {"1", 1, true},
        {"999", 999, true}, {"-1", 0, false},
        {"", 0, false},     {"Best", 0, false},
        {"1.5", 0, false},  {"999999999999", 0, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t rounds;
        ck_assert_msg(config_parse_rounds(cases[i].text, &rounds) == cases[i].is_good, "%s",
                      cases[i].text);
        if (cases[i].is_good)
            ck_assert_int_eq(rounds, cases[i].rounds);
    }
}
END_TEST

SUITE(config)
{
    TCase *loops;

    CASE("values", the_least_file_gets_every_default, every_key_of_ours_is_taken,
         librdkafka_keys_go_to_their_clients_verbatim, framing_follows_format_and_schema,
         paths_into_the_event_are_read, a_topic_has_at_most_249_letters,
         a_file_is_loaded_and_a_missing_one_is_io, rounds_are_all_the_best_or_a_number,
         a_file_cut_at_every_byte_loads_or_says_one_line);
    CASE("secrets", what_is_no_secret_is_not_taken_for_one, a_misspelt_secret_is_not_printed);
    CASE("digest", the_digest_names_what_is_in_effect,
         the_digest_depends_on_no_order_and_no_secret);
    loops = harness_case(suite, "tables", NULL, 0);
    tcase_add_loop_test(loops, a_start_is_a_word_or_a_time, 0, sizeof starts / sizeof starts[0]);
    tcase_add_loop_test(loops, who_has_a_secret_in_memory_is_known, 0,
                        sizeof holders / sizeof holders[0]);
    tcase_add_loop_test(loops, each_fault_has_file_line_and_words, 0,
                        sizeof faults / sizeof faults[0]);
    tcase_add_loop_test(loops, topics_are_names_and_lead_nowhere_in_a_circle, 0,
                        sizeof topics / sizeof topics[0]);
}
