#include "core/config_rules.h"

#include <string.h>

#include "core/clock.h"
#include "core/text.h"

struct rules {
    struct config *config;
    const struct ini *ini;
    struct err *err;
};

static int check_delivery(const struct rules *r)
{
    if (r->config->delivery == DELIVERY_EXACTLY_ONCE && !*r->config->instance)
        return ini_fail(r->ini, ini_find(r->ini, "kscore", "delivery"), r->err,
                        "delivery = exactly_once needs [kscore] instance, a name of this process "
                        "that is unique in the group: it is part of the transactional.id");
    return 0;
}

static int check_start(const struct rules *r)
{
    struct config *c = r->config;
    int64_t ms;

    if (strcmp(c->start_text, "earliest") == 0) {
        c->start = START_EARLIEST;
    } else if (strcmp(c->start_text, "latest") == 0) {
        c->start = START_LATEST;
    } else if (integer_parse(c->start_text, strlen(c->start_text), 0, INT64_MAX, &ms) ||
               clock_parse(c->start_text, &ms)) {
        c->start = START_TIME;
        c->start_ms = ms;
    } else {
        return ini_fail(r->ini, ini_find(r->ini, "consumer", "start"), r->err,
                        "consumer.start is \"%s\"; it can be earliest, latest, a time such as "
                        "2026-01-31T12:00:00Z, or milliseconds since 1970",
                        c->start_text);
    }
    return 0;
}

/* Where schemas come from, and who we are there. */
static int check_schemas(const struct rules *r)
{
    struct config *c = r->config;
    const struct ini_entry *url = ini_find(r->ini, "schemas", "registry.url");
    bool has_user = *c->registry_user_info, has_token = *c->registry_token;
    bool is_named = c->format == FORMAT_AVRO && c->framing != CONFIG_FRAMING_NONE;

    if (is_named && !*c->schema_folder && !*c->registry_url)
        return ini_fail(r->ini, ini_find(r->ini, "consumer", "format"), r->err,
                        "format = avro needs [schemas] folder, a folder of <id>.avsc files, or "
                        "registry.url");
    if (is_named && c->framing == CONFIG_FRAMING_SINGLE_OBJECT && !*c->schema_folder)
        return ini_fail(r->ini, ini_find(r->ini, "consumer", "framing"), r->err,
                        "framing = single-object needs [schemas] folder: a registry knows no "
                        "fingerprints");
    if (*c->schema_folder && *c->registry_url)
        return ini_fail(r->ini, url, r->err,
                        "[schemas] folder and registry.url: schemas come from one of them");
    if ((has_user && has_token) || (config_holds_user(c->registry_url) && (has_user || has_token)))
        return ini_fail(r->ini, url, r->err,
                        "[schemas] one login of registry.url, basic.auth.user.info and "
                        "bearer.auth.token");
    return 0;
}

/* Which framings fit the format. */
static int check_framing(const struct rules *r)
{
    struct config *c = r->config;
    bool is_avro = c->format == FORMAT_AVRO;
    const struct ini_entry *entry = ini_find(r->ini, "consumer", "framing");

    if (!entry)
        c->framing = is_avro && !*c->fixed_schema ? CONFIG_FRAMING_CONFLUENT : CONFIG_FRAMING_NONE;
    if (!is_avro && c->framing != CONFIG_FRAMING_NONE && c->framing != CONFIG_FRAMING_JSON_SCHEMA)
        return ini_fail(r->ini, entry, r->err, "framing is none or json-schema for json");
    if (is_avro && c->framing == CONFIG_FRAMING_JSON_SCHEMA)
        return ini_fail(r->ini, entry, r->err,
                        "framing is confluent, single-object or none for avro");
    if (is_avro && c->framing == CONFIG_FRAMING_NONE && !*c->fixed_schema)
        return ini_fail(r->ini, entry, r->err,
                        "framing = none for avro needs [consumer] schema, the file of the one "
                        "schema that all events have");
    if (is_avro && *c->fixed_schema && c->framing != CONFIG_FRAMING_NONE)
        return ini_fail(r->ini, ini_find(r->ini, "consumer", "schema"), r->err,
                        "schema is for framing = none; with other framings each event names its "
                        "own");
    return 0;
}

/* A worker needs the least that memory_mib may be: 100,000 fetched messages, a full send queue. */
static int check_workers(const struct rules *r)
{
    struct config *c = r->config;

    if (c->memory_mib < c->workers * CONFIG_MIN_MEMORY_MIB)
        return ini_fail(r->ini, ini_find(r->ini, "kscore", "workers"), r->err,
                        "workers = %lld need memory_mib of at least %lld, %d for each",
                        (long long)c->workers, (long long)c->workers * CONFIG_MIN_MEMORY_MIB,
                        CONFIG_MIN_MEMORY_MIB);
    return 0;
}

/* Topic and decisions go together; the rest is nothing without them. */
static int check_alerts(const struct rules *r)
{
    static const char *const names[] = {"topic", "decisions"};
    const struct config *c = r->config;
    bool is_there[] = {*c->alert_topic != '\0', c->alert_decisions.count > 0};

    for (size_t i = 0; i < 2; i++)
        if (!is_there[i] && (is_there[!i] || c->alert_max_age_ms))
            return ini_fail(r->ini, NULL, r->err, "%s is missing in [alerts]", names[i]);
    return 0;
}

/* What is written must not come back as events, nor get mixed up. */
static int check_topics(const struct rules *r)
{
    const struct config *c = r->config;
    const char *const written[] = {c->score_topic, c->dead_topic, c->alert_topic};
    static const char *const sections[] = {"producer", "dead_letters", "alerts"};

    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < c->topic_count; k++)
            if (strcmp(c->topics[k], written[i]) == 0)
                return ini_fail(
                    r->ini, ini_find(r->ini, "consumer", "topic"), r->err,
                    "%s is read and written: what goes to [%s] topic would come back as events",
                    c->topics[k], sections[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(written[k], written[i]) == 0)
                return ini_fail(r->ini, ini_find(r->ini, sections[i], "topic"), r->err,
                                "[%s] topic is that of [%s]: they need one each", sections[i],
                                sections[k]);
    }
    return 0;
}

int config_rules_check(struct config *config, const struct ini *ini, struct err *err)
{
    struct rules rules = {config, ini, err}, *r = &rules;
    const struct config *c = config;
    const char *servers = kafka_keys_find(&c->kafka, "bootstrap.servers");

    if (!servers || !*servers)
        return ini_fail(r->ini, ini_find(r->ini, "kafka", "bootstrap.servers"), r->err,
                        "bootstrap.servers is missing in [kafka]");
    if (check_delivery(r) != 0 || check_workers(r) != 0 || check_framing(r) != 0 ||
        check_schemas(r) != 0)
        return -1;
    if (c->score_format == FORMAT_AVRO && c->score_schema_id == 0 && !*c->registry_url)
        return ini_fail(
            r->ini, ini_find(r->ini, "producer", "format"), r->err,
            "format = avro needs [producer] schema_id, the id under which schemas/score.avsc is "
            "known to readers, or [schemas] registry.url to register it");
    return check_alerts(r) == 0 && check_topics(r) == 0 ? check_start(r) : -1;
}
