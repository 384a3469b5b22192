/* config.c: one piece: the table of keys, and what reads, checks and releases a value of each. */
#include "core/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/config_rules.h"
#include "core/config_source.h"
#include "core/ini.h"
#include "core/kafka_conf.h"
#include "core/mem.h"
#include "core/sha256.h"
#include "core/text.h"

enum kind { TEXT, TOPIC, NUMBER, SHARE, CHOICE, TOPICS, PATH, CARRY, NAMES, ROUNDS };

/* One row per key of kscore's own. `choices` of a CHOICE: its words, the value is their index. */
struct key {
    struct config_row row;
    enum kind kind;
    size_t offset; /* into struct config */
    int64_t low, high;
    const char *const *choices;
};

static const char *const deliveries[] = {"at_least_once", "exactly_once", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const formats[] = {"json", "avro", NULL};
static const char *const framings[] = {"none", "confluent", "json-schema", "single-object", NULL};
static const char *const identifications[] = {"https", "none", NULL};
static const char *const switches[] = {"off", "on", NULL};
static const char *const gaps[] = {"resume", "stop", NULL};

#define AT(field) offsetof(struct config, field)

/* clang-format off */
static const struct key keys[] = {
    {{"kscore", "name", "", true}, TEXT, AT(name), 0, 0, NULL},
    {{"kscore", "instance", "", false}, TEXT, AT(instance), 0, 0, NULL},
    {{"kscore", "workers", "1", false}, NUMBER, AT(workers), 1, CONFIG_MAX_WORKERS, NULL},
    {{"kscore", "delivery", "at_least_once", false}, CHOICE, AT(delivery), 0, 0, deliveries},
    {{"kscore", "batch_rows", "1024", false}, NUMBER, AT(batch_rows), 1, 65536, NULL},
    {{"kscore", "batch_wait_ms", "5", false}, NUMBER, AT(batch_wait_ms), 1, 1000, NULL},
    {{"kscore", "commit_ms", "1000", false}, NUMBER, AT(commit_ms), 10, 60000, NULL},
    {{"kscore", "memory_mib", "256", false}, NUMBER, AT(memory_mib), CONFIG_MIN_MEMORY_MIB, 65536,
     NULL},
    {{"kscore", "transaction_rows", "50000", false}, NUMBER, AT(transaction_rows), 1, 100000, NULL},
    {{"kscore", "transaction_ms", "500", false}, NUMBER, AT(transaction_ms), 10, 10000, NULL},
    {{"kscore", "drain_ms", "20000", false}, NUMBER, AT(drain_ms), 100, 600000, NULL},
    {{"kscore", "log_format", "text", false}, CHOICE, AT(log_format), 0, 0, log_formats},
    {{"kscore", "log_level", "info", false}, CHOICE, AT(log_level), 0, 0, log_levels},
    {{"consumer", "topic", "", true}, TOPICS, AT(topics), 0, 0, NULL},
    {{"consumer", "format", "json", false}, CHOICE, AT(format), 0, 0, formats},
    {{"consumer", "framing", "", false}, CHOICE, AT(framing), 0, 0, framings},
    {{"consumer", "schema", "", false}, TEXT, AT(fixed_schema), 0, 0, NULL},
    {{"consumer", "root", "", false}, PATH, AT(root), 0, 0, NULL},
    {{"consumer", "start", "earliest", false}, TEXT, AT(start_text), 0, 0, NULL},
    {{"consumer", "on_gap", "resume", false}, CHOICE, AT(on_gap), 0, 0, gaps},
    {{"consumer", "event_time", "", false}, PATH, AT(event_time), 0, 0, NULL},
    {{"consumer", "max_value_kib", "256", false}, NUMBER, AT(max_value_kib), 1, 65536, NULL},
    {{"consumer", "max_depth", "64", false}, NUMBER, AT(max_depth), 1, 1000, NULL},
    {{"consumer", "unknown_id_wait_ms", "0", false}, NUMBER, AT(unknown_id_wait_ms), 0,
     600000, NULL},
    {{"consumer", "unknown_ids_per_s", "200", false}, NUMBER, AT(unknown_ids_per_s), 1,
     100000, NULL},
    {{"schemas", "folder", "", false}, TEXT, AT(schema_folder), 0, 0, NULL},
    {{"schemas", "registry.url", "", false}, TEXT, AT(registry_url), 0, 0, NULL},
    {{"schemas", "basic.auth.user.info", "", false}, TEXT, AT(registry_user_info), 0, 0, NULL},
    {{"schemas", "bearer.auth.token", "", false}, TEXT, AT(registry_token), 0, 0, NULL},
    {{"schemas", "ssl.ca.location", "", false}, TEXT, AT(registry_ca), 0, 0, NULL},
    {{"schemas", "ssl.certificate.location", "", false}, TEXT, AT(registry_certificate), 0, 0,
     NULL},
    {{"schemas", "ssl.key.location", "", false}, TEXT, AT(registry_key), 0, 0, NULL},
    {{"schemas", "ssl.key.password", "", false}, TEXT, AT(registry_key_password), 0, 0, NULL},
    {{"schemas", "ssl.endpoint.identification.algorithm", "https", false}, CHOICE,
     AT(registry_identification), 0, 0, identifications},
    {{"schemas", "subjects", "", false}, NAMES, AT(subjects), 0, 0, NULL},
    {{"schemas", "cache", "", false}, TEXT, AT(schema_cache), 0, 0, NULL},
    {{"model", "path", "", true}, TEXT, AT(model_path), 0, 0, NULL},
    {{"model", "rounds", "all", false}, ROUNDS, AT(rounds), 0, 0, NULL},
    {{"model", "watch", "off", false}, CHOICE, AT(watch), 0, 0, switches},
    {{"producer", "topic", "", true}, TOPIC, AT(score_topic), 0, 0, NULL},
    {{"producer", "format", "json", false}, CHOICE, AT(score_format), 0, 0, formats},
    {{"producer", "schema_id", "", false}, NUMBER, AT(score_schema_id), 1, 2147483647, NULL},
    {{"producer", "carry", "", false}, CARRY, AT(carry), 0, 0, NULL},
    {{"producer", "headers", "", false}, NAMES, AT(headers), 0, 0, NULL},
    {{"alerts", "topic", "", false}, TOPIC, AT(alert_topic), 0, 0, NULL},
    {{"alerts", "decisions", "", false}, NAMES, AT(alert_decisions), 0, 0, NULL},
    {{"alerts", "max_age_ms", "", false}, NUMBER, AT(alert_max_age_ms), 1, 31536000000, NULL},
    {{"dead_letters", "topic", "", true}, TOPIC, AT(dead_topic), 0, 0, NULL},
    {{"dead_letters", "attempts", "5", false}, NUMBER, AT(dead_attempts), 1, 1000000, NULL},
    {{"dead_letters", "breaker_window_s", "60", false}, NUMBER, AT(breaker_window_s), 1, 3600,
     NULL},
    {{"dead_letters", "breaker_minimum", "100", false}, NUMBER, AT(breaker_minimum), 1, 65536,
     NULL},
    {{"dead_letters", "breaker_share", "0.2", false}, SHARE, AT(breaker_share), 0, 1, NULL},
    {{"journal", "topic", "", false}, TOPIC, AT(journal_topic), 0, 0, NULL},
    {{"downstream", "groups", "", false}, NAMES, AT(downstream), 0, 0, NULL},
    {{"http", "listen", "127.0.0.1:9464", false}, TEXT, AT(http_listen), 0, 0, NULL},
    {{"control", "socket", "", false}, TEXT, AT(control_socket), 0, 0, NULL},
};
/* clang-format on */

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

size_t config_rows(const struct config_row **rows)
{
    static struct config_row copy[KEY_COUNT];

    for (size_t i = 0; i < KEY_COUNT; i++)
        copy[i] = keys[i].row;
    *rows = copy;
    return KEY_COUNT;
}

bool config_is_secret(const char *name)
{
    static const char *const marks[] = {
        "password", "passphrase", "secret", "token", "user.info", "key.pem", "oauthbearer.config"};

    if (strstr(name, "endpoint"))
        return false;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (strstr(name, marks[i]))
            return true;
    return false;
}

/* A file that the client keeps in memory: its name is no secret, what stands in it is. */
static bool names_private_key(const char *name)
{
    return strcmp(name, "ssl.key.location") == 0 || strcmp(name, "ssl.keystore.location") == 0 ||
           strcmp(name, "sasl.kerberos.keytab") == 0;
}

static bool holds_secrets(const struct kafka_keys *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (config_is_secret(list->items[i].name) || names_private_key(list->items[i].name))
            return true;
    return false;
}

bool config_has_secrets(const struct config *c)
{
    return holds_secrets(&c->kafka) || holds_secrets(&c->consumer) || holds_secrets(&c->producer) ||
           *c->registry_user_info || *c->registry_token || *c->registry_key ||
           *c->registry_key_password || config_holds_user(c->registry_url);
}

bool config_holds_user(const char *value)
{
    for (const char *p = value; (p = strstr(p, "://")) != NULL;) {
        p += 3;
        if (p[strcspn(p, "@/,")] == '@')
            return true;
    }
    return false;
}

/* What a reader carries: the file's entries and where an error is. */
struct reader {
    struct config *config;
    struct ini ini;
    struct err *err;
};

/* Values of our keys. */

static int take_number(struct reader *r, const struct key *key, const struct ini_entry *entry,
                       const char *text, int64_t *out)
{
    if (integer_parse(text, strlen(text), key->low, key->high, out))
        return 0;
    return ini_fail(&r->ini, entry, r->err, "%s.%s must be a whole number from %lld to %lld",
                    key->row.section, key->row.name, (long long)key->low, (long long)key->high);
}

static int take_share(struct reader *r, const struct key *key, const struct ini_entry *entry,
                      const char *text, double *out)
{
    size_t len = strlen(text);

    if (len > 0 && number_parse(text, len, out) == len && *out >= (double)key->low &&
        *out <= (double)key->high)
        return 0;
    return ini_fail(&r->ini, entry, r->err, "%s.%s must be a number from %lld to %lld",
                    key->row.section, key->row.name, (long long)key->low, (long long)key->high);
}

static int take_choice(struct reader *r, const struct key *key, const struct ini_entry *entry,
                       const char *text, int64_t *out)
{
    char words[200] = "";

    for (*out = 0; key->choices[*out]; (*out)++) {
        if (strcmp(key->choices[*out], text) == 0)
            return 0;
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", *out ? ", " : "",
                 key->choices[*out]);
    }
    return ini_fail(&r->ini, entry, r->err, "%s.%s is \"%s\"; it can be: %s", key->row.section,
                    key->row.name, text, words);
}

/* Kafka's own rule. A name that starts with ^ would be a pattern to librdkafka. */
static int check_topic(struct reader *r, const struct key *key, const struct ini_entry *entry,
                       const char *name, size_t len)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (len > 0 && len <= 249 && strspn(name, letters) >= len &&
        !(len <= 2 && strncmp(name, "..", len) == 0))
        return 0;
    return ini_fail(&r->ini, entry, r->err,
                    "%s.%s: \"%.*s\" is no name of a topic (1 to 249 of a-z A-Z 0-9 . _ -)",
                    key->row.section, key->row.name, (int)len, name);
}

/* "a, b" into config->topics. */
static int take_topics(struct reader *r, const struct key *key, const struct ini_entry *entry,
                       const char *text)
{
    struct config *c = r->config;

    for (const char *p = text; p;) {
        const char *comma = strchr(p, ','), *word = p;
        size_t len = comma ? (size_t)(comma - p) : strlen(p);
        text_trim(&word, &len);
        if (check_topic(r, key, entry, word, len) != 0)
            return -1;
        for (size_t i = 0; i < c->topic_count; i++)
            if (strlen(c->topics[i]) == len && strncmp(c->topics[i], word, len) == 0)
                return ini_fail(&r->ini, entry, r->err, "consumer.topic: %s is named twice",
                                c->topics[i]);
        c->topics = mem_resize(c->topics, c->topic_count + 1, sizeof *c->topics);
        c->topics[c->topic_count++] = mem_copy_text(word, len);
        p = comma ? comma + 1 : NULL;
    }
    return 0;
}

static int take_path(struct reader *r, const struct key *key, const struct ini_entry *entry,
                     const char *text, struct path *path)
{
    struct err why = ERR_INIT;

    if (path_parse(path, text, strlen(text), &why) == 0)
        return 0;
    return ini_fail(&r->ini, entry, r->err, "%s.%s: %s", key->row.section, key->row.name, why.text);
}

/* Up to the next comma that is not inside brackets: ["a,b"] is one step. */
static const char *end_of_path(const char *text)
{
    for (bool is_inside = false; *text && (is_inside || *text != ','); text++)
        is_inside = *text == '[' || (is_inside && *text != ']');
    return text;
}

/* "a, b.c" into config->carry. */
static int take_carry(struct reader *r, const struct key *key, const struct ini_entry *entry,
                      const char *text)
{
    enum { MAX_CARRY = 64 };
    struct config *c = r->config;

    for (const char *end; text; text = *end ? end + 1 : NULL) {
        const char *word = text;
        size_t len;
        char *copy;
        int result;
        end = end_of_path(text);
        len = (size_t)(end - text);
        text_trim(&word, &len);
        for (size_t i = 0; i < c->carry_count; i++)
            if (strlen(c->carry[i].text) == len && strncmp(c->carry[i].text, word, len) == 0)
                return ini_fail(&r->ini, entry, r->err, "producer.carry: %s is named twice",
                                c->carry[i].text);
        if (c->carry_count == MAX_CARRY)
            return ini_fail(&r->ini, entry, r->err, "producer.carry: more than %d fields",
                            MAX_CARRY);
        c->carry = mem_resize(c->carry, c->carry_count + 1, sizeof *c->carry);
        copy = mem_copy_text(word, len);
        result = take_path(r, key, entry, copy, &c->carry[c->carry_count]);
        free(copy);
        if (result != 0)
            return -1;
        c->carry_count++;
    }
    return 0;
}

bool config_parse_rounds(const char *text, int64_t *rounds)
{
    enum { ALL = 0, BEST = -1, MOST = 1 << 28 };

    *rounds = strcmp(text, "best") == 0 ? BEST : ALL;
    return *rounds == BEST || strcmp(text, "all") == 0 ||
           integer_parse(text, strlen(text), 0, MOST, rounds);
}

static int take_rounds(struct reader *r, const struct key *key, const struct ini_entry *entry,
                       const char *text, int64_t *rounds)
{
    if (config_parse_rounds(text, rounds))
        return 0;
    return ini_fail(&r->ini, entry, r->err, "%s.%s is \"%s\"; it can be: all, best, or a number",
                    key->row.section, key->row.name, text);
}

/* "traceparent, x-id". */
static int take_names(struct reader *r, const struct key *key, const struct ini_entry *entry,
                      const char *text, struct config_names *names)
{
    enum { MAX_NAMES = 64 };

    for (const char *p = text; p;) {
        const char *comma = strchr(p, ','), *word = p;
        size_t len = comma ? (size_t)(comma - p) : strlen(p);
        text_trim(&word, &len);
        if (len == 0 || names->count == MAX_NAMES)
            return ini_fail(&r->ini, entry, r->err, "%s.%s: 1 to %d names, with commas",
                            key->row.section, key->row.name, MAX_NAMES);
        names->items = mem_resize(names->items, names->count + 1, sizeof(char *));
        names->items[names->count++] = mem_copy_text(word, len);
        p = comma ? comma + 1 : NULL;
    }
    return 0;
}

static int take_value(struct reader *r, const struct key *key, const struct ini_entry *entry,
                      const char *text)
{
    void *field = (char *)r->config + key->offset;

    switch (key->kind) {
    case TOPIC:
    case TEXT:
        *(char **)field = mem_copy_text(text, strlen(text));
        return key->kind == TOPIC && (entry || *text)
                   ? check_topic(r, key, entry, text, strlen(text))
                   : 0;
    /* Without an entry the preset is taken, where there is one. */
    case NUMBER: return entry || *text ? take_number(r, key, entry, text, field) : 0;
    case SHARE: return entry || *text ? take_share(r, key, entry, text, field) : 0;
    case CHOICE: return entry || *text ? take_choice(r, key, entry, text, field) : 0;
    case PATH: return entry || *text ? take_path(r, key, entry, text, field) : 0;
    case CARRY: return entry || *text ? take_carry(r, key, entry, text) : 0;
    case NAMES: return entry || *text ? take_names(r, key, entry, text, field) : 0;
    case TOPICS: return take_topics(r, key, entry, text);
    case ROUNDS: return take_rounds(r, key, entry, text, field);
    }
    return 0;
}

static int take_keys(struct reader *r)
{
    int result = 0;

    for (size_t i = 0; i < KEY_COUNT && result == 0; i++) {
        const struct key *key = &keys[i];
        const struct ini_entry *entry = ini_find(&r->ini, key->row.section, key->row.name);
        const char *text = entry ? entry->value : key->row.preset;
        if (key->row.is_required && !*text)
            result = ini_fail(&r->ini, entry, r->err, "%s is missing in [%s]", key->row.name,
                              key->row.section);
        else
            result = take_value(r, key, entry, text);
    }
    return result;
}

/* Keys that are librdkafka's, or wrong. */

static struct kafka_keys *kafka_section(struct config *c, const char *section)
{
    if (strcmp(section, "kafka") == 0)
        return &c->kafka;
    if (strcmp(section, "consumer") == 0)
        return &c->consumer;
    return strcmp(section, "producer") == 0 ? &c->producer : NULL;
}

static int unknown_key(struct reader *r, const struct ini_entry *entry)
{
    const char *names[KEY_COUNT], *near;
    size_t count = 0, in_section = 0;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].row.section, entry->section) == 0) {
            names[count++] = keys[i].row.name;
            in_section++;
        }
    }
    if (in_section == 0) {
        static const char *const sections[] = {"kscore",  "kafka",      "consumer", "schemas",
                                               "model",   "producer",   "alerts",   "dead_letters",
                                               "journal", "downstream", "http",     "control"};
        near = text_nearest(entry->section, sections, sizeof sections / sizeof sections[0]);
        return ini_fail(&r->ini, entry, r->err, "no section [%s]%s%s%s", entry->section,
                        near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
    }
    near = text_nearest(entry->name, names, count);
    return ini_fail(&r->ini, entry, r->err, "[%s] has no key %s%s%s%s", entry->section, entry->name,
                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int sort_entry(struct reader *r, const struct ini_entry *entry)
{
    struct kafka_keys *list = kafka_section(r->config, entry->section);
    char why[300];

    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].row.section, entry->section) == 0 &&
            strcmp(keys[i].row.name, entry->name) == 0)
            return 0;
    if (!list)
        return unknown_key(r, entry);
    /* A dot or a known name makes it librdkafka's; else it is a slip in one of ours. */
    if (!kafka_conf_is_key(entry->name) && !strchr(entry->name, '.') && list != &r->config->kafka)
        return unknown_key(r, entry);
    if (!kafka_conf_check(entry->name, entry->value, why, sizeof why))
        return ini_fail(&r->ini, entry, r->err, "%s", why);
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] =
        (struct kafka_key){mem_copy_text(entry->name, strlen(entry->name)),
                           mem_copy_text(entry->value, strlen(entry->value)), entry->line};
    return 0;
}

const char *kafka_keys_find(const struct kafka_keys *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return list->items[i].value;
    return NULL;
}

static void add_effective(struct kafka_keys *list, const char *section, const char *name,
                          const char *value)
{
    struct kafka_key *key;

    if (config_is_secret(name) || config_holds_user(value))
        return;
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    key = &list->items[list->count++];
    *key = (struct kafka_key){.value = mem_copy_text(value, strlen(value))};
    if (asprintf(&key->name, "%s.%s", section, name) < 0)
        abort();
}

static int by_name(const void *a, const void *b)
{
    const struct kafka_key *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

static void add_section(struct kafka_keys *out, const char *section, const struct kafka_keys *list)
{
    const struct kafka_key **sorted = mem_alloc(list->count + 1, sizeof *sorted);

    for (size_t i = 0; i < list->count; i++)
        sorted[i] = &list->items[i];
    qsort(sorted, list->count, sizeof *sorted, by_name);
    for (size_t i = 0; i < list->count; i++)
        add_effective(out, section, sorted[i]->name, sorted[i]->value);
    free(sorted);
}

/* In an order of its own: every key of ours in the table's, then librdkafka's by name. A default
 * written out, or lines in another order, are the same configuration. */
static void find_effective(struct reader *r)
{
    struct kafka_keys *list = &r->config->effective;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct config_row *row = &keys[i].row;
        const struct ini_entry *entry = ini_find(&r->ini, row->section, row->name);
        add_effective(list, row->section, row->name, entry ? entry->value : row->preset);
    }
    add_section(list, "kafka", &r->config->kafka);
    add_section(list, "consumer", &r->config->consumer);
    add_section(list, "producer", &r->config->producer);
}

static void make_digest(struct config *c)
{
    struct sha256 hash;

    sha256_init(&hash);
    for (size_t i = 0; i < c->effective.count; i++) {
        const struct kafka_key *key = &c->effective.items[i];
        size_t section_len = strcspn(key->name, ".");
        sha256_add(&hash, key->name, section_len);
        sha256_add(&hash, "", 1);
        sha256_add(&hash, key->name + section_len + 1, strlen(key->name + section_len));
        sha256_add(&hash, key->value, strlen(key->value) + 1);
    }
    sha256_hex(&hash, c->digest);
}

static int read_all(struct reader *r, const struct config_overrides *overrides)
{
    if (config_source_resolve(&r->ini, overrides, r->err) != 0)
        return -1;
    for (size_t i = 0; i < r->ini.count; i++)
        if (sort_entry(r, &r->ini.entries[i]) != 0)
            return -1;
    if (take_keys(r) != 0 || config_rules_check(r->config, &r->ini, r->err) != 0)
        return -1;
    find_effective(r);
    make_digest(r->config);
    return 0;
}

static int finish(struct reader *r, const struct config_overrides *overrides)
{
    int result;

    *r->config = (struct config){.file = mem_copy_text(r->ini.file, strlen(r->ini.file))};
    result = read_all(r, overrides);
    if (result != 0)
        config_release(r->config);
    ini_release(&r->ini);
    return result;
}

int config_load(struct config *config, const char *path, const struct config_overrides *overrides,
                struct err *err)
{
    struct reader r = {.config = config, .err = err};

    return ini_load(&r.ini, path, EXIT_CONFIGURATION, err) == 0 ? finish(&r, overrides) : -1;
}

int config_parse(struct config *config, const char *file, const char *text, size_t len,
                 const struct config_overrides *overrides, struct err *err)
{
    struct reader r = {.config = config, .err = err};

    return ini_parse(&r.ini, file, text, len, EXIT_CONFIGURATION, err) == 0 ? finish(&r, overrides)
                                                                            : -1;
}

static void release_keys(struct kafka_keys *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (config_is_secret(list->items[i].name))
            explicit_bzero(list->items[i].value, strlen(list->items[i].value));
        free(list->items[i].name);
        free(list->items[i].value);
    }
    free(list->items);
}

static void release_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void release_names(struct config_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

void config_release(struct config *c)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        void *field = (char *)c + keys[i].offset;
        if (keys[i].kind == TEXT || keys[i].kind == TOPIC)
            release_text(*(char **)field);
        else if (keys[i].kind == PATH)
            path_release(field);
        else if (keys[i].kind == NAMES)
            release_names(field);
    }
    for (size_t i = 0; i < c->topic_count; i++)
        free(c->topics[i]);
    free(c->topics);
    for (size_t i = 0; i < c->carry_count; i++)
        path_release(&c->carry[i]);
    free(c->carry);
    release_keys(&c->kafka);
    release_keys(&c->consumer);
    release_keys(&c->producer);
    release_keys(&c->effective);
    free(c->file);
    *c = (struct config){0};
}

bool config_has_fingerprints(const struct config *c)
{
    return c->format == FORMAT_AVRO && c->framing != CONFIG_FRAMING_CONFLUENT;
}

const char *config_group(const struct config *c)
{
    const char *group = kafka_keys_find(&c->consumer, "group.id");

    if (!group)
        group = kafka_keys_find(&c->kafka, "group.id");
    return group ? group : c->name;
}
