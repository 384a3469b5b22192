/* schemas.c: where schemas come from, and what is waited for before the first record is taken. */
#include "pipeline/schemas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/schema_id.h"
#include "pipeline/state.h"
#include "schemas/registry.h"
#include "schemas/schema_fingerprints.h"
#include "schemas/schema_folder.h"

static void say_schema(void *arg, int64_t schema_id, bool usable, const char *text)
{
    struct pipeline *p = arg;
    char id[SCHEMA_ID_TEXT_MAX] = "none";

    if (schema_id != SCHEMA_ID_NONE)
        schema_id_print(id, schema_id, config_has_fingerprints(p->config));
    log_event(usable ? LOG_INFO : LOG_ERROR, usable ? "schema_loaded" : "schema_unusable",
              "id=%s %s", id, text);
    pipeline_note_change(p, "%s id=%s", usable ? "schema_loaded" : "schema_unusable", id);
}

void pipeline_say_schemas(struct pipeline *p)
{
    decoder_report(p->decoder, say_schema, p);
}

static const char *set(const char *text)
{
    return *text ? text : NULL;
}

static struct registry_options options_of(const struct config *c)
{
    return (struct registry_options){
        .access = {.urls = c->registry_url,
                   .user_info = set(c->registry_user_info),
                   .token = set(c->registry_token),
                   .ca_location = set(c->registry_ca),
                   .certificate_location = set(c->registry_certificate),
                   .key_location = set(c->registry_key),
                   .key_password = set(c->registry_key_password),
                   .is_any_host = c->registry_identification == IDENTIFICATION_NONE},
        .cache = c->schema_cache,
        .asks_per_s = (unsigned)c->unknown_ids_per_s};
}

char *schemas_subject(const char *topic)
{
    size_t cap = strlen(topic) + sizeof "-value";
    char *subject = mem_alloc(cap, 1);

    snprintf(subject, cap, "%s-value", topic);
    return subject;
}

size_t schemas_subjects(const struct config *c, char ***subjects)
{
    const struct config_names *named = &c->subjects;
    size_t count = named->count ? named->count : c->topic_count;

    *subjects = mem_alloc(count, sizeof **subjects);
    for (size_t i = 0; i < count; i++)
        (*subjects)[i] = named->count ? mem_copy_text(named->items[i], strlen(named->items[i]))
                                      : schemas_subject(c->topics[i]);
    return count;
}

static int open_registry(const struct config *c, struct schema_source **source, struct err *err)
{
    struct registry_options options = options_of(c);
    char **subjects;
    int result;

    options.subject_count = schemas_subjects(c, &subjects);
    options.subjects = (const char *const *)subjects;
    result = registry_new(source, &options, err);
    for (size_t i = 0; i < options.subject_count; i++)
        free(subjects[i]);
    free(subjects);
    return result;
}

int schemas_open(const struct config *c, struct schema_source **source, struct err *err)
{
    *source = NULL;
    if (c->format != FORMAT_AVRO || c->framing == CONFIG_FRAMING_NONE)
        return 0;
    if (*c->registry_url)
        return open_registry(c, source, err);
    *source = config_has_fingerprints(c) ? schema_fingerprints_new(c->schema_folder)
                                         : schema_folder_new(c->schema_folder);
    return 0;
}

int schemas_decoder(struct decoder **decoder, const struct config *c, struct schema_source *source,
                    const struct features *features, struct err *err)
{
    static const enum event_framing framings[] = {
        [CONFIG_FRAMING_NONE] = FRAMING_NONE,
        [CONFIG_FRAMING_CONFLUENT] = FRAMING_CONFLUENT,
        [CONFIG_FRAMING_JSON_SCHEMA] = FRAMING_JSON_SCHEMA,
        [CONFIG_FRAMING_SINGLE_OBJECT] = FRAMING_SINGLE_OBJECT};
    const struct decoder_options options = {.format =
                                                c->format == FORMAT_AVRO ? EVENT_AVRO : EVENT_JSON,
                                            .framing = framings[c->framing],
                                            .schemas = source,
                                            .schema_file = set(c->fixed_schema),
                                            .root = &c->root,
                                            .carry = c->carry,
                                            .carry_count = c->carry_count,
                                            .event_time = &c->event_time,
                                            .max_value_bytes = (size_t)c->max_value_kib * 1024,
                                            .max_depth = (unsigned)c->max_depth,
                                            .first_wait_ms = c->unknown_id_wait_ms};

    return decoder_new(decoder, &options, features, err) == 0 ? 0 : err_prefix(err, "[schemas]");
}

int schemas_decoder_now(struct decoder **decoder, const struct config *c,
                        const struct features *features, int timeout_ms, struct err *err)
{
    struct schema_source *source;

    *decoder = NULL;
    if (schemas_open(c, &source, err) != 0)
        return err_prefix(err, "[schemas]");
    if (schemas_decoder(decoder, c, source, features, err) != 0) {
        if (source)
            source->free(source);
        return -1;
    }
    if (decoder_await(*decoder, timeout_ms, err) == 0)
        return 0;
    if (err->kind == ERR_DEPENDENCY && decoder_schema_count(*decoder) > 0) {
        err_reset(err);
        return 0;
    }
    decoder_free(*decoder);
    *decoder = NULL;
    return err_prefix(err, "[schemas]");
}

int schemas_learn(struct decoder *decoder, int64_t number, int64_t wait_ms, struct err *err)
{
    enum { LOOK_MS = 2 };
    int64_t start_ms = clock_ms();
    int learnt;

    while ((learnt = decoder_learn(decoder, number, clock_ms(), err)) > 0 &&
           clock_ms() - start_ms < wait_ms)
        nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL);
    if (learnt > 0)
        err_dependency(err, "schema %lld: no answer in time", (long long)number);
    return learnt == 0 ? 0 : -1;
}

int schemas_find_score(const struct config *c, uint32_t *id, struct err *err)
{
    struct registry_options options = options_of(c);
    char *subject;
    int result;

    *id = (uint32_t)c->score_schema_id;
    if (c->score_format != FORMAT_AVRO || c->score_schema_id != 0)
        return 0;
    subject = schemas_subject(c->score_topic);
    result = score_subject_find(&options, subject, id, err);
    if (result == 0)
        log_event(LOG_INFO, "schema_loaded", "id=%u subject=%s of the scores", *id, subject);
    free(subject);
    return result;
}

int schemas_prove_score(const struct config *c, enum score_subject *state, uint32_t *id,
                        struct err *err)
{
    struct registry_options options = options_of(c);
    char *subject = schemas_subject(c->score_topic);
    int result = score_subject_prove(&options, subject, state, id, err);

    free(subject);
    return result;
}

/* A registry that is not there is waited for, unless what it said before is at hand: then parked
 * partitions wait for it. */
static int wait_for_schemas(struct pipeline *p, struct err *err)
{
    enum { TURN_MS = 2000 };

    while (decoder_await(p->decoder, TURN_MS, err) != 0) {
        if (err->kind != ERR_DEPENDENCY)
            return err_prefix(err, "[schemas]");
        measure_waiting(p, "registry", err->text);
        err_reset(err);
        backoff_fail(&p->backoff);
        if (decoder_schema_count(p->decoder) > 0 || !pipeline_pause(p))
            break;
    }
    backoff_reset(&p->backoff);
    pipeline_say_schemas(p);
    return 0;
}

int pipeline_open_decoder(struct pipeline *p, struct err *err)
{
    struct schema_source *seat = NULL;

    if (p->shared->schemas)
        seat = schema_share_seat(p->shared->schemas, p->worker);
    if (schemas_decoder(&p->decoder, p->config, seat, &p->bundle->features, err) != 0)
        return -1;
    return wait_for_schemas(p, err);
}
