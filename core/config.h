/* config.h: the configuration of one kscore process, read once.
 *
 * One table (config.c) lists every key of kscore's own with its section, kind, default and limits;
 * the reader, the error messages and the test of config.example.ini all use it. Keys that the table
 * does not have are librdkafka's when they stand in [kafka], [consumer] or [producer]
 * (core/kafka_conf.h), and errors elsewhere.
 *
 * Values: ${NAME} is replaced from the environment ($${ is a plain ${), key_FILE reads the value
 * from a file, and
 * `-s section.key=value` wins over the file, except for secrets.
 *
 * Owns all its texts, immutable after load, any thread may read.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/feature.h"

enum { CONFIG_MAX_WORKERS = 256, CONFIG_MIN_MEMORY_MIB = 64 /* of a worker */ };

enum config_delivery { DELIVERY_AT_LEAST_ONCE, DELIVERY_EXACTLY_ONCE };
enum config_start { START_EARLIEST, START_LATEST, START_TIME };
enum config_gap { GAP_RESUME, GAP_STOP };
enum config_format { FORMAT_JSON, FORMAT_AVRO };
enum config_framing {
    CONFIG_FRAMING_NONE,
    CONFIG_FRAMING_CONFLUENT,
    CONFIG_FRAMING_JSON_SCHEMA,
    CONFIG_FRAMING_SINGLE_OBJECT
};
enum config_identification { IDENTIFICATION_HTTPS, IDENTIFICATION_NONE };

/* A librdkafka key, verbatim. */
struct kafka_key {
    char *name;
    char *value;
    int line; /* in the file, 0 = from the command line */
};

struct kafka_keys {
    struct kafka_key *items;
    size_t count;
};

/* A value that is a list: "a, b". */
struct config_names {
    char **items;
    size_t count;
};

/* The value of a key, NULL when it is not set. */
const char *kafka_keys_find(const struct kafka_keys *list, const char *name);

struct config {
    char *file;

    char *name;     /* group.id and client.id unless those are set */
    char *instance; /* "" = none */
    int64_t workers;
    int64_t delivery; /* enum config_delivery */
    int64_t transaction_rows, transaction_ms;
    int64_t batch_rows, batch_wait_ms, commit_ms, memory_mib, drain_ms;
    int64_t log_format; /* 0 text, 1 json */
    int64_t log_level;  /* enum log_level */

    struct kafka_keys kafka, consumer, producer;

    char **topics; /* [consumer] topic */
    size_t topic_count;
    int64_t format, framing; /* enum config_format, config_framing */
    char *fixed_schema;      /* [consumer] schema: a file, "" = none */
    struct path root;        /* of the event in its envelope; without steps: none */
    struct path event_time;  /* without steps: the record's time */
    char *start_text;
    enum config_start start;
    int64_t start_ms; /* START_TIME: since 1970 UTC */
    int64_t on_gap;   /* enum config_gap */
    int64_t max_value_kib, max_depth;

    int64_t unknown_id_wait_ms, unknown_ids_per_s;

    char *schema_folder; /* "" = none, as all below */
    char *registry_url;  /* with commas */
    char *registry_user_info, *registry_token;
    char *registry_ca, *registry_certificate, *registry_key, *registry_key_password;
    int64_t registry_identification; /* enum config_identification */
    struct config_names subjects;    /* of events, instead of <topic>-value; none: those */
    char *schema_cache;
    char *model_path;
    int64_t watch;  /* 0 off, 1 on: a bundle that changes is loaded */
    int64_t rounds; /* of boosting: 0 all, -1 up to the best one, else so many */

    char *score_topic;
    struct path *carry; /* carry_count */
    size_t carry_count;
    struct config_names headers; /* passed on from record to score */
    int64_t score_format;        /* enum config_format */
    int64_t score_schema_id;

    char *alert_topic; /* "" = no alerts */
    struct config_names alert_decisions;
    int64_t alert_max_age_ms; /* 0 = any age */

    char *dead_topic;
    int64_t dead_attempts; /* of a record, then it is left alone */
    int64_t breaker_window_s, breaker_minimum;
    double breaker_share; /* 0 to 1; 1: no breaker */

    char *journal_topic;            /* "" = none */
    struct config_names downstream; /* consumer groups whose lag is watched */
    char *http_listen;              /* host:port, "" = not */
    char *control_socket;           /* a path, "" = none */

    struct kafka_keys
        effective;   /* every key in effect, "section.key", and its value, but secrets */
    char digest[65]; /* SHA-256 over them */
};

/* One `-s section.key=value`, as typed. */
struct config_overrides {
    const char *const *items;
    size_t count;
};

/* Errors: EXIT_IO unreadable file, EXIT_CONFIGURATION "file:line: ..." with the nearest key. A
 * failed load leaves nothing behind. */
int config_load(struct config *config, const char *path, const struct config_overrides *overrides,
                struct err *err);

/* The same from text; file is the name for messages. */
int config_parse(struct config *config, const char *file, const char *text, size_t len,
                 const struct config_overrides *overrides, struct err *err);
void config_release(struct config *config);

/* Events are Avro that names its schema by fingerprint, or not at all: schema ids are fingerprints.
 */
bool config_has_fingerprints(const struct config *config);

/* The group.id in effect. Static as the config. */
const char *config_group(const struct config *config);

/* "all", "best" or a number of rounds, as in `rounds` above; false: none of these. */
bool config_parse_rounds(const char *text, int64_t *rounds);

/* A key whose value must never be printed: passwords, tokens, private keys. */
bool config_is_secret(const char *name);

/* Anything in it is one, or it names a private key that is read into memory. */
bool config_has_secrets(const struct config *config);

/* A URL, or a list of them, with a user or password in it. */
bool config_holds_user(const char *value);

/* A row of the table, as documentation and its test see it. */
struct config_row {
    const char *section, *name, *preset; /* preset "" = none */
    bool is_required;
};

/* The table; returns how many rows. Call from one thread. */
size_t config_rows(const struct config_row **rows);

#endif
