#include "core/kafka_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/errand.h"
#include "core/kafka_trouble.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

/* Keys a user may not set, and what to say. */
static const struct kafka_owned owned[] = {
    {"enable.auto.commit", "kscore commits what is finished; see [kscore] commit_ms"},
    {"enable.auto.offset.store", "kscore stores an offset only when its outcome is acknowledged"},
    {"auto.commit.interval.ms", "use [kscore] commit_ms"},
    {"auto.offset.reset", "use [consumer] start and on_gap"},
    {"enable.partition.eof", "kscore needs it to leave no lag behind transaction markers"},
    {"isolation.level", "kscore reads committed records only"},
    {"group.instance.id", "use [kscore] instance"},
    {"enable.idempotence", "it is always on: no record is lost or reordered by a retry"},
    {"acks", "it is always all: an outcome counts when the brokers have it"},
    {"request.required.acks", "it is always all: an outcome counts when the brokers have it"},
    {"message.timeout.ms", "it is 0, exactly_once: 20000; a slow topic makes kscore wait"},
    {"delivery.timeout.ms", "it is 0, exactly_once: 20000; a slow topic makes kscore wait"},
    {"transactional.id", "it follows from [kscore] name and instance"},
    {"transaction.timeout.ms", "it is always 30000; see [kscore] transaction_ms"},
    {"queued.min.messages", "use [kscore] memory_mib"},
    {"queued.max.messages.kbytes", "use [kscore] memory_mib"},
    {"fetch.queue.backoff.ms", "use [kscore] memory_mib"},
    {"fetch.max.bytes", "use [kscore] memory_mib"},
    {"queue.buffering.max.messages", "use [kscore] memory_mib"},
    {"queue.buffering.max.kbytes", "use [kscore] memory_mib"},
    {"partitioner", "it is always murmur2_random, as Java's clients do it"},
    {"dr_msg_cb", "it is a function in the program"},
    {"delivery.report.only.error", "kscore needs every delivery report"},
    {"max.in.flight", "idempotence sets it"},
    {"max.in.flight.requests.per.connection", "idempotence sets it"},
    {"retries", "idempotence sets it"},
    {"message.send.max.retries", "idempotence sets it"},
    {"offset.store.method", "offsets are kept by the group, on the brokers"},
    {"auto.commit.enable", "kscore commits what is finished; see [kscore] commit_ms"},
    {"enable.gapless.guarantee", "a failed delivery rewinds and sends again"},
};

/* Presets a user may change, by client. Why each: docs/kafka-settings.md. */
static const struct kafka_preset presets[] = {
    {KAFKA_CONSUMER, "max.partition.fetch.bytes", "1048576"},
    {KAFKA_CONSUMER, "fetch.wait.max.ms", "100"},
    {KAFKA_CONSUMER, "fetch.error.backoff.ms", "20"},
    {KAFKA_CONSUMER, "socket.timeout.ms", "20000"},
    {KAFKA_CONSUMER, "reconnect.backoff.max.ms", "2000"},
    {KAFKA_CONSUMER, "topic.metadata.refresh.interval.ms", "60000"},
    {KAFKA_CONSUMER, "log.connection.close", "false"},
    {KAFKA_CONSUMER, "partition.assignment.strategy", "range"},
    {KAFKA_PRODUCER, "linger.ms", "5"},
    {KAFKA_PRODUCER, "compression.type", "lz4"},
    {KAFKA_PRODUCER, "socket.timeout.ms", "20000"},
    {KAFKA_PRODUCER, "reconnect.backoff.max.ms", "2000"},
    {KAFKA_PRODUCER, "topic.metadata.refresh.interval.ms", "60000"},
    {KAFKA_PRODUCER, "log.connection.close", "false"},
};

const struct kafka_preset *kafka_conf_presets(size_t *count)
{
    *count = sizeof presets / sizeof presets[0];
    return presets;
}

const struct kafka_owned *kafka_conf_owned(size_t *count)
{
    *count = sizeof owned / sizeof owned[0];
    return owned;
}

const char *kafka_conf_version(void)
{
    return rd_kafka_version_str();
}

void kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "kscore: %s\n", text);
        abort();
    }
}

bool kafka_conf_is_key(const char *name)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char value[1024];
    size_t size = sizeof value;
    bool is_known = rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK;
    rd_kafka_topic_conf_t *topic = rd_kafka_topic_conf_new();

    size = sizeof value;
    is_known = is_known || rd_kafka_topic_conf_get(topic, name, value, &size) == RD_KAFKA_CONF_OK;
    rd_kafka_topic_conf_destroy(topic);
    rd_kafka_conf_destroy(conf);
    return is_known;
}

/* The key of librdkafka's whose name is nearest, in a buffer, or "". Only the table that it prints
 * for its documentation has all names: aliases, and keys without a default. */
static void nearest_key(const char *name, char *out, size_t cap)
{
    enum { MAX_KEYS = 1000 };
    char *table, *rest, **list = mem_alloc(MAX_KEYS, sizeof *list);
    const char *near;
    size_t size, count = 0;
    FILE *stream = open_memstream(&table, &size);

    rd_kafka_conf_properties_show(stream);
    fclose(stream);
    for (char *line = strtok_r(table, "\n", &rest); line && count < MAX_KEYS;
         line = strtok_r(NULL, "\n", &rest)) {
        size_t len = strcspn(line, " |");
        if (len == 0 || line[len] == '\0' || strspn(line, "-") == len)
            continue;
        line[len] = '\0';
        list[count++] = line;
    }
    near = text_nearest(name, (const char *const *)list, count);
    snprintf(out, cap, "%s%s%s", near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    free(list);
    free(table);
}

/* Incremental assignment is broken in librdkafka before 2.10 (#4381, #4800, #4908). librdkafka
 * itself would refuse other names only when the client is made, without the line. */
static bool check_strategy(const char *value, char *why, size_t cap)
{
    static const char separators[] = ", ";

    if (strcmp(value, "cooperative-sticky") == 0) {
        snprintf(why, cap,
                 "partition.assignment.strategy = %s needs librdkafka 2.10, this is %s: install a "
                 "newer one, or set range",
                 value, rd_kafka_version_str());
        return rd_kafka_version() >= KAFKA_COOPERATIVE_VERSION;
    }
    for (const char *p = value; *p; p += strspn(p, separators)) {
        size_t len = strcspn(p, separators);
        if ((len == 5 && memcmp(p, "range", 5) == 0) ||
            (len == 10 && memcmp(p, "roundrobin", 10) == 0)) {
            p += len;
            continue;
        }
        snprintf(why, cap,
                 "partition.assignment.strategy can be range, roundrobin, both, or "
                 "cooperative-sticky alone, not %s",
                 value);
        return false;
    }
    return true;
}

bool kafka_conf_check(const char *name, const char *value, char *why, size_t cap)
{
    rd_kafka_conf_t *conf;
    char text[256], near[100];
    rd_kafka_conf_res_t result;

    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        if (strcmp(owned[i].name, name) == 0) {
            snprintf(why, cap, "%s is kscore's own: %s", name, owned[i].remedy);
            return false;
        }
    }
    if (strcmp(name, "partition.assignment.strategy") == 0 && !check_strategy(value, why, cap))
        return false;
    /* Seen with 2.0.2 and 2.1.1; 2.2.0 renews tokens. */
    if (strcmp(name, "enable.sasl.oauthbearer.unsecure.jwt") == 0 && strcmp(value, "true") == 0 &&
        rd_kafka_version() < 0x020200ff) {
        snprintf(why, cap, "%s needs librdkafka 2.2: %s crashes when the token is to be renewed",
                 name, rd_kafka_version_str());
        return false;
    }
    conf = rd_kafka_conf_new();
    result = rd_kafka_conf_set(conf, name, value, text, sizeof text);
    rd_kafka_conf_destroy(conf);
    if (result == RD_KAFKA_CONF_OK)
        return true;
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        nearest_key(name, near, sizeof near);
        snprintf(why, cap, "neither kscore nor librdkafka %s has a key %s%s",
                 rd_kafka_version_str(), name, near);
    } else {
        snprintf(why, cap, "librdkafka: %s",
                 config_is_secret(name) ? "bad value of a secret" : text);
    }
    return false;
}

/* A worker's part of memory_mib, shared out: a quarter for the bytes that the consumer has fetched,
 * a quarter for its own cost of each such message (some 200 bytes), an eighth for what the producer
 * has not sent, at most 8 MiB for one fetch answer. The rest is the producer's cost per message
 * (about 300 bytes for 100,000), batches and the model. Before 2.2 a full queue makes librdkafka
 * sleep for 1 s: what fits must last longer than that, else the worker idles (at 100,000 messages:
 * half of the time at 200,000 records/s). Since 2.2 the sleep is a setting. */
static void set_memory(rd_kafka_conf_t *conf, enum kafka_role role, int64_t memory_mib)
{
    enum { MESSAGE_BYTES = 200, MIN_MESSAGES = 100000 /* librdkafka's own */ };
    char value[32];
    int64_t fetch_bytes = memory_mib * (1 << 20) / 16;
    int64_t messages = memory_mib * (1 << 20) / 4 / MESSAGE_BYTES;

    if (role == KAFKA_PRODUCER) {
        snprintf(value, sizeof value, "%lld", (long long)memory_mib * 1024 / 8);
        kafka_conf_set(conf, "queue.buffering.max.kbytes", value);
        kafka_conf_set(conf, "queue.buffering.max.messages", "100000");
        return;
    }
    snprintf(value, sizeof value, "%lld", (long long)memory_mib * 1024 / 4);
    kafka_conf_set(conf, "queued.max.messages.kbytes", value);
    snprintf(value, sizeof value, "%lld",
             (long long)(messages > MIN_MESSAGES ? messages : MIN_MESSAGES));
    kafka_conf_set(conf, "queued.min.messages", value);
    if (kafka_conf_is_key("fetch.queue.backoff.ms"))
        kafka_conf_set(conf, "fetch.queue.backoff.ms", "10");
    snprintf(value, sizeof value, "%lld",
             (long long)(fetch_bytes < 8 << 20 ? fetch_bytes : 8 << 20));
    kafka_conf_set(conf, "fetch.max.bytes", value);
    /* For the producer to raise, in [kafka] too: a consumer takes any size, but librdkafka wants
     * this one below the other. */
    kafka_conf_set(conf, "message.max.bytes", "1000000");
}

static void set_number(rd_kafka_conf_t *conf, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    kafka_conf_set(conf, name, text);
}

static void set_owned(rd_kafka_conf_t *conf, enum kafka_role role, const struct config *config)
{
    bool is_exactly_once = config->delivery == DELIVERY_EXACTLY_ONCE;

    set_memory(conf, role, config->memory_mib / config->workers);
    if (role == KAFKA_PRODUCER) {
        kafka_conf_set(conf, "enable.idempotence", "true");
        set_number(conf, "message.timeout.ms", is_exactly_once ? KAFKA_TRANSACTION_MESSAGE_MS : 0);
        set_number(conf, "transaction.timeout.ms", KAFKA_TRANSACTION_MS);
        kafka_conf_set(conf, "partitioner", "murmur2_random");
        return;
    }
    kafka_conf_set(conf, "group.id", config_group(config));
    kafka_conf_set(conf, "enable.auto.commit", is_exactly_once ? "false" : "true");
    set_number(conf, "auto.commit.interval.ms", config->commit_ms);
    kafka_conf_set(conf, "enable.auto.offset.store", "false");
    kafka_conf_set(conf, "auto.offset.reset", "error");
    kafka_conf_set(conf, "enable.partition.eof", "true");
    kafka_conf_set(conf, "isolation.level", "read_committed");
}

/* What librdkafka says of a file that it cannot read does not name it. */
static int check_file(const struct config *config, const struct kafka_key *key, struct err *err)
{
    static const char *const names[] = {"ssl.ca.location", "ssl.certificate.location",
                                        "ssl.key.location", "ssl.keystore.location",
                                        "ssl.crl.location"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(key->name, names[i]) == 0 && strcmp(key->value, "probe") != 0 &&
            access(key->value, R_OK) != 0)
            return err_fatal(err, EXIT_IO, "%s:%d: %s: %s: %s", config->file, key->line, key->name,
                             key->value, strerror(errno));
    return 0;
}

static int set_users(rd_kafka_conf_t *conf, const struct config *config,
                     const struct kafka_keys *list, struct err *err)
{
    char text[256];

    for (size_t i = 0; i < list->count; i++) {
        const struct kafka_key *key = &list->items[i];
        if (rd_kafka_conf_set(conf, key->name, key->value, text, sizeof text) != RD_KAFKA_CONF_OK)
            return err_fatal(err, EXIT_CONFIGURATION, "%s:%d: librdkafka: %s", config->file,
                             key->line,
                             config_is_secret(key->name) ? "bad value of a secret" : text);
        if (check_file(config, key, err) != 0)
            return -1;
    }
    return 0;
}

rd_kafka_conf_t *kafka_conf_new(const struct config *config, enum kafka_role role, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    kafka_conf_set(conf, "client.id", config->name);
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (presets[i].role == role)
            kafka_conf_set(conf, presets[i].name, presets[i].value);
    if (set_users(conf, config, &config->kafka, err) != 0 ||
        set_users(conf, config, role == KAFKA_CONSUMER ? &config->consumer : &config->producer,
                  err) != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    set_owned(conf, role, config);
    return conf;
}

int kafka_conf_read(const struct config *config, enum kafka_role role, const char *name, char *out,
                    size_t cap, struct err *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(config, role, err);

    *out = '\0';
    if (!conf)
        return -1;
    if (rd_kafka_conf_get(conf, name, out, &cap) != RD_KAFKA_CONF_OK)
        *out = '\0';
    rd_kafka_conf_destroy(conf);
    return 0;
}

/* syslog levels: 0-3 errors, 4 warning, 5-6 info, 7 debug. librdkafka says connection troubles as
 * errors although it recovers by itself: they are warnings here. */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    enum log_level ours = level <= 4 ? LOG_WARNING : level <= 6 ? LOG_INFO : LOG_DEBUG;

    log_event(ours, "kafka", "client=%s facility=%s %.*s", client ? rd_kafka_name(client) : "-",
              facility, ours == LOG_WARNING ? kafka_trouble_len(text) : (int)strlen(text), text);
}

rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err)
{
    char text[256];
    rd_kafka_t *client;

    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_ssl_cert_verify_cb(conf, kafka_trouble_on_certificate);
    client = rd_kafka_new(type, conf, text, sizeof text);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        err_fatal(err, EXIT_CONFIGURATION, "librdkafka: %s%s", text, kafka_trouble_remedy(text));
    }
    return client;
}

int kafka_err(struct err *err, rd_kafka_resp_err_t code, const char *what)
{
    const char *text = rd_kafka_err2str(code);

    switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return err_fatal(err, EXIT_DENIED, "%s: %s", what, text);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return err_fatal(err, EXIT_CONFIGURATION, "%s: %s", what, text);
    default: return err_dependency(err, "%s: %s", what, text);
    }
}

/* A consumer was closed before, or would hang here as it hung there. */
static void destroy(void *client)
{
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void keep_nothing(void *client)
{
    (void)client;
}

bool kafka_client_destroy(rd_kafka_t *client, int timeout_ms)
{
    struct errand *errand;

    if (!client)
        return true;
    errand = errand_new(destroy, keep_nothing, client);
    errand_poll(errand, timeout_ms);
    return errand_free(errand);
}
