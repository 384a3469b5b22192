/* check_schemas.c: schemas against the model, and what the newest events are like. */
#include <stdio.h>
#include <string.h>

#include "pipeline/checks.h"
#include "pipeline/contract.h"
#include "pipeline/sample.h"
#include "pipeline/schemas.h"

/* The schema of Avro scores. Registering it is writing: only what would be asked is asked. */
void check_registry(struct checker *c)
{
    const struct config *config = c->config;
    struct err err = ERR_INIT;
    enum score_subject state;
    uint32_t id;

    if (config->score_format != FORMAT_AVRO || config->score_schema_id != 0)
        return;
    if (schemas_prove_score(config, &state, &id, &err) != 0) {
        err_prefix(&err, "[schemas]");
        check_fail(c, &err);
    } else if (state == SCORE_SUBJECT_HAS_IT) {
        check_say(c, CHECK_PROVEN, "%s-value has the schema of scores, id %u", config->score_topic,
                  id);
    } else {
        check_say(c, CHECK_NOT_PROVEN,
                  "%s-value: run would register the schema of scores%s; whether it may shows then "
                  "only",
                  config->score_topic,
                  state == SCORE_SUBJECT_FITS ? ", which fits the versions that are there" : "");
    }
}

/* As the schemas are, not as the cache has them; and what is not there is not made. */
static struct config without_cache(const struct checker *c)
{
    static char none[] = "";
    struct config config = *c->config;

    config.schema_cache = none;
    return config;
}

/* ---- schemas against the model */

/* "payments-value version 3 (id 7)", "id 7", "old.avsc". */
static const char *name_of(const struct contract_schema *s, char name[400])
{
    if (s->subject)
        snprintf(name, 400, "%.300s version %lld (id %s)", s->subject, (long long)s->version,
                 s->id);
    else if (s->file)
        snprintf(name, 400, "%.390s", s->file);
    else
        snprintf(name, 400, "id %s", s->id);
    return name;
}

/* What producers write by now, as far as that can be told: the last version of a subject, the
 * highest id of a folder; a fingerprint tells nothing, each may be in use. */
static bool is_newest(const struct contract *contract, size_t i)
{
    const struct contract_schema *s = &contract->schemas[i], *next = s + 1;

    return i + 1 == contract->schema_count || config_has_fingerprints(contract->config) ||
           (s->subject && next->subject && strcmp(s->subject, next->subject) != 0);
}

static void judge_schema(struct checker *c, const struct contract *contract, size_t i)
{
    const struct contract_schema *s = &contract->schemas[i];
    const struct features *features = &c->bundle->features;
    struct err err = ERR_INIT;
    char name[400];

    if (!s->is_usable && is_newest(contract, i)) {
        err_fatal(&err, EXIT_DATA, "%s: %s", name_of(s, name), s->why);
        check_fail(c, &err);
    } else if (!s->is_usable) {
        check_say(c, CHECK_REMARK, "%s: events of this older schema become dead letters: %s",
                  name_of(s, name), s->why);
    }
    for (size_t f = 0; s->is_usable && is_newest(contract, i) && f < features->count; f++)
        if (s->binding->items[f].kind == BOUND_MISSING)
            check_say(c, CHECK_REMARK, "%s: feature %s is missing in every event: %s",
                      name_of(s, name), features->items[f].name, s->binding->items[f].why);
}

static void judge_contract(struct checker *c, const struct contract *contract)
{
    if (contract->source == CONTRACT_NONE)
        return;
    if (err_is_set(&contract->trouble)) {
        struct err err = contract->trouble;
        err_prefix(&err, "[schemas]");
        check_fail(c, &err);
        return;
    }
    for (size_t i = 0; i < contract->subject_count; i++)
        if (contract->subjects[i].version_count == 0)
            check_say(c, CHECK_NOT_PROVEN, "%s: subject %s has no version yet", contract->where,
                      contract->subjects[i].name);
    for (size_t i = 0; i < contract->schema_count; i++)
        judge_schema(c, contract, i);
    if (contract->usable_count > 0)
        check_say(c, CHECK_PROVEN, "%s: %zu of %zu schemas serve the model", contract->where,
                  contract->usable_count, contract->schema_count);
    else if (contract->source == CONTRACT_FOLDER && contract->schema_count == 0)
        check_say(c, CHECK_NOT_PROVEN, "%s: it holds no schema", contract->where);
}

void check_schemas(struct checker *c)
{
    const struct config config = without_cache(c);
    struct contract_options options = {
        .config = &config, .bundle = c->bundle, .timeout_ms = CHECK_ASK_MS};
    struct contract contract;
    struct err err = ERR_INIT;

    if (contract_init(&contract, &options, &err) != 0) {
        check_fail(c, &err);
        return;
    }
    judge_contract(c, &contract);
    contract_release(&contract);
}

/* ---- the newest events */

static const struct fault_tally *worst_of(const struct sample *s, enum fault *fault)
{
    *fault = FAULT_NONE;
    for (int i = 0; i < FAULT_COUNT; i++)
        if (s->faults[i].count > s->faults[*fault].count)
            *fault = (enum fault)i;
    return &s->faults[*fault];
}

/* More dead letters than this are no accident: the events are not those of the model. */
static bool is_too_dead(const struct sample *s)
{
    return s->dead * 5 > s->records; /* 20 %, [dead_letters] breaker_share's default */
}

/* A required feature that no event has, and a field that may be it now: "; is it hour_utc now?" */
static void print_guess(const struct checker *c, const struct sample *s, char out[300])
{
    *out = '\0';
    for (size_t i = 0; i < c->bundle->features.count && !*out; i++)
        if (c->bundle->features.items[i].required && s->features[i].present == 0 &&
            s->features[i].nearest)
            snprintf(out, 300, "; is it %.250s now?", s->features[i].nearest);
}

static void say_dead(struct checker *c, const struct sample *s)
{
    enum fault fault;
    const struct fault_tally *worst = worst_of(s, &fault);
    struct err err = ERR_INIT;
    char text[700], guess[300];

    print_guess(c, s, guess);
    snprintf(
        text, sizeof text,
        "%llu of the newest %llu events would become dead letters, %llu of them %s/%s: %s%s (%s "
        "[%d] offset %lld)",
        (unsigned long long)s->dead, (unsigned long long)s->records,
        (unsigned long long)worst->count, fault_stage(fault), fault_reason(fault), worst->message,
        guess, worst->topic, worst->first_partition, (long long)worst->first_offset);
    if (is_too_dead(s)) {
        err_fatal(&err, EXIT_DATA, "%s", text);
        check_fail(c, &err);
    } else {
        check_say(c, CHECK_REMARK, "%s", text);
    }
}

/* Each optional feature that no event has: nothing dies of it, and each score may be wrong. */
static void say_absent(struct checker *c, const struct sample *s)
{
    const struct features *features = &c->bundle->features;

    for (size_t i = 0; i < features->count && s->events > 0; i++) {
        const struct sample_feature *f = &s->features[i];
        if (!features->items[i].required && f->present == 0 && f->missing == s->events)
            check_say(c, CHECK_REMARK,
                      "feature %s (%s%s) is in none of %llu events, it is scored as missing%s%s%s",
                      features->items[i].name, features->items[i].paths[0].text,
                      features->items[i].path_count > 1 ? " | ..." : "",
                      (unsigned long long)s->events, f->nearest ? "; is it " : "",
                      f->nearest ? f->nearest : "", f->nearest ? " now?" : "");
    }
}

static void judge_sample(struct checker *c, const struct sample *s)
{
    if (s->records == 0) {
        check_say(c, CHECK_NOT_PROVEN,
                  "the topic is empty: no event shows whether producers send what the model takes");
        return;
    }
    if (s->waiting > 0)
        check_say(c, CHECK_NOT_PROVEN, "%llu of the newest %llu events wait for their schema: %s",
                  (unsigned long long)s->waiting, (unsigned long long)s->records, s->trouble.text);
    if (s->dead > 0)
        say_dead(c, s);
    say_absent(c, s);
    if (s->no_event_time > 0)
        check_say(c, CHECK_REMARK, "event_time: %llu of %llu scored events have none at %s",
                  (unsigned long long)s->no_event_time, (unsigned long long)s->scored,
                  c->config->event_time.text);
    if (!is_too_dead(s))
        check_say(c, CHECK_PROVEN, "%llu of the newest %llu would be scored, %llu skipped",
                  (unsigned long long)s->scored, (unsigned long long)s->records,
                  (unsigned long long)s->skipped);
}

void check_events(struct checker *c)
{
    const struct config config = without_cache(c);
    struct sample sample;
    struct err err = ERR_INIT;

    if (sample_init(&sample, &config, c->bundle, CHECK_ASK_MS, &err) != 0) {
        check_fail(c, &err);
        return;
    }
    if (sample_read(&sample, SAMPLE_RECORDS, CHECK_ASK_MS, &err) == 0) {
        sample_end(&sample);
        judge_sample(c, &sample);
    } else {
        check_fail(c, &err);
    }
    sample_release(&sample);
}
