/* start.c: everything that is proven before the first record is taken. A dependency that is not
 * there is waited for; everything else that is wrong ends the program with its code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/sha256.h"
#include "pipeline/golden_events.h"
#include "pipeline/state.h"

static void make_run(struct pipeline *p)
{
    char hex[SHA256_HEX + 1];
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, p->options->build, strlen(p->options->build));
    sha256_add(&hash, p->config->digest, SHA256_HEX);
    sha256_hex(&hash, hex);
    snprintf(p->run, sizeof p->run, "%.12s", hex);
}

static int load_model(struct pipeline *p, struct err *err)
{
    if (bundle_load(&p->bundle, p->config->model_path, err) != 0 ||
        golden_events_run(p->bundle, err) != 0)
        return err_prefix(err, "[model]");
    if (model_output_count(p->bundle->model) != 1)
        return err_fatal(err, EXIT_DATA, "[model] %s: %zu outputs per row; one is published",
                         p->config->model_path, model_output_count(p->bundle->model));
    log_event(LOG_INFO, "model_loaded", "name=%s version=%s digest=%.12s goldens=%zu %s",
              p->bundle->name, p->bundle->version, p->bundle->digest, p->bundle->golden_count,
              model_summary(p->bundle->model));
    return 0;
}

static void say_schema(void *arg, int64_t schema_id, bool usable, const char *text)
{
    const struct pipeline *p = arg;
    char id[SCHEMA_ID_TEXT_MAX] = "none";

    if (schema_id != SCHEMA_ID_NONE)
        schema_id_print(id, schema_id, config_has_fingerprints(p->config));
    log_event(usable ? LOG_INFO : LOG_ERROR, usable ? "schema_loaded" : "schema_unusable",
              "id=%s %s", id, text);
}

void pipeline_say_schemas(struct pipeline *p)
{
    decoder_report(p->decoder, say_schema, p);
}

static int open_decoder(struct pipeline *p, struct err *err)
{
    static const enum event_framing framings[] = {
        [CONFIG_FRAMING_NONE] = FRAMING_NONE,
        [CONFIG_FRAMING_CONFLUENT] = FRAMING_CONFLUENT,
        [CONFIG_FRAMING_JSON_SCHEMA] = FRAMING_JSON_SCHEMA,
        [CONFIG_FRAMING_SINGLE_OBJECT] = FRAMING_SINGLE_OBJECT};
    const struct config *c = p->config;
    struct decoder_options options = {.format = c->format == FORMAT_AVRO ? EVENT_AVRO : EVENT_JSON,
                                      .framing = framings[c->framing],
                                      .schema_folder = *c->schema_folder ? c->schema_folder : NULL,
                                      .schema_file = *c->fixed_schema ? c->fixed_schema : NULL,
                                      .root = &c->root,
                                      .carry = c->carry,
                                      .carry_count = c->carry_count,
                                      .event_time = &c->event_time,
                                      .max_value_bytes = (size_t)c->max_value_kib * 1024,
                                      .max_depth = (unsigned)c->max_depth};

    if (decoder_new(&p->decoder, &options, &p->bundle->features, err) != 0)
        return err_prefix(err, "[schemas]");
    pipeline_say_schemas(p);
    return 0;
}

/* Waits for the brokers in turns of 2 s, until told to stop. The first trouble is said, and then
 * what changes. */
static int wait_for_topics(struct pipeline *p, struct producer_limits *limits, struct err *err)
{
    enum { TURN_MS = 2000 };
    bool is_proven;

    log_event(LOG_INFO, "connecting", "input, output and dead-letter topics");
    for (;;) {
        if (consumer_check(p->consumer, TURN_MS, err) == 0 &&
            producer_check(p->config, TURN_MS, limits, &is_proven, err) == 0)
            break;
        if (pipeline_fail(p, LEDGER_NO_PART, err) != 0)
            return -1;
        if (*p->options->stop)
            return 0;
        int64_t pause_ms = p->wait_until_ms - clock_ms();
        nanosleep(&(struct timespec){pause_ms / 1000, pause_ms % 1000 * 1000000}, NULL);
    }
    p->tries = 0;
    p->wait_until_ms = 0;
    if (!is_proven)
        log_event(LOG_INFO, "connecting",
                  "permission to write is not proven: the topics' size limits are unknown");
    return 0;
}

static int open_clients(struct pipeline *p, struct err *err)
{
    struct consumer_hooks hooks = {p, pipeline_on_revoking, pipeline_on_assigned};
    struct provenance provenance = {p->bundle->name, p->bundle->version, p->bundle->digest, p->run};
    struct producer_limits limits = {1, 0, 0};

    p->consumer = consumer_new(p->config, &p->ledger, &hooks, err);
    if (!p->consumer || wait_for_topics(p, &limits, err) != 0)
        return -1;
    p->producer = producer_new(p->config, &limits, pipeline_on_report, p, err);
    if (!p->producer)
        return -1;
    producer_set_provenance(p->producer, &provenance);
    return *p->options->stop ? 0 : consumer_subscribe(p->consumer, err);
}

int pipeline_start(struct pipeline *p, struct err *err)
{
    make_run(p);
    log_event(LOG_INFO, "starting", "name=%s config=%s run=%s build=%s", p->config->name,
              p->config->file, p->run, p->options->build);
    if (load_model(p, err) != 0 || open_decoder(p, err) != 0)
        return -1;
    batch_init(&p->batch, p->config, p->bundle);
    return open_clients(p, err);
}
