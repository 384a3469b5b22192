/* schema.c: kscore schema. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/configured.h"
#include "cli/contract_view.h"
#include "cli/terminal.h"
#include "core/log.h"
#include "core/text.h"

/* A person waits so long: for the registry, and then for the brokers. */
enum { ANSWER_MS = 10000, MOST_RECORDS = 1000000 };

static const struct cli_option options[] = {
    CONFIGURED_OPTIONS,
    {'n', "sample", "COUNT", "look at the newest COUNT records too (JSON: 1000); 0: at none"},
    {0, "json", NULL, "one JSON object"},
};

struct arguments {
    struct configured configured;
    const char *id;
    int64_t sample; /* -1: not said */
    bool is_json;
};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;

    if (configured_is_option(option))
        return configured_take(&a->configured, option, value);
    if (option && option->letter == 'n')
        return integer_parse(value, strlen(value), 0, MOST_RECORDS, &a->sample);
    if (option) {
        a->is_json = true;
        return true;
    }
    if (a->id)
        return false;
    a->id = value;
    return true;
}

/* JSON says what it holds only by what it holds; Avro has said it in its schemas. */
static size_t sample_count(const struct arguments *a, const struct config *config)
{
    if (a->sample >= 0)
        return (size_t)a->sample;
    return config->format == FORMAT_JSON ? SAMPLE_RECORDS : 0;
}

static void show(const struct arguments *a, const struct contract *contract,
                 const struct sample *sample)
{
    struct paint view = {stdout, terminal_has_colour()};
    json_t *json;

    if (!a->is_json) {
        contract_view_show(&view, contract);
        if (sample)
            contract_view_show_sample(&view, sample);
        return;
    }
    json = contract_view_json(contract);
    json_object_set_new(json, "sample", sample ? contract_view_sample_json(sample) : json_null());
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(json);
}

/* What was found is shown first; then what could not be, or is not well, is the code. */
static int judge(const struct contract *c, const struct sample *sample, struct err *err)
{
    if (err_is_set(&c->trouble))
        *err = c->trouble;
    else if (c->source == CONTRACT_FOLDER && c->schema_count == 0)
        err_fatal(err, EXIT_DATA, "%s holds no schemas", c->where);
    else if (c->usable_count < c->schema_count)
        err_fatal(err, EXIT_DATA, "%zu of %zu schemas cannot be used",
                  c->schema_count - c->usable_count, c->schema_count);
    else if (sample && err_is_set(&sample->trouble))
        *err = sample->trouble;
    else if (sample && sample->dead > 0 && sample->scored == 0)
        err_fatal(err, EXIT_DATA, "none of the newest %llu records can be scored",
                  (unsigned long long)sample->records);
    return err_is_set(err) ? -1 : 0;
}

static int look_at_records(struct sample *sample, const struct contract *c, size_t count,
                           struct err *err)
{
    if (sample_init(sample, c->config, c->bundle, ANSWER_MS, err) != 0)
        return -1;
    if (sample_read(sample, count, ANSWER_MS, err) != 0) {
        sample_release(sample);
        return -1;
    }
    sample_end(sample);
    return 0;
}

static int schema(const struct arguments *a, const struct config *config,
                  const struct bundle *bundle, struct err *err)
{
    struct contract_options o = {
        .config = config, .bundle = bundle, .id = a->id, .timeout_ms = ANSWER_MS};
    size_t count = sample_count(a, config);
    struct contract contract;
    struct sample sample;
    struct err trouble = ERR_INIT;
    bool has_sample;

    if (contract_init(&contract, &o, err) != 0)
        return -1;
    has_sample = count > 0 && look_at_records(&sample, &contract, count, &trouble) == 0;
    show(a, &contract, has_sample ? &sample : NULL);
    if (judge(&contract, has_sample ? &sample : NULL, err) == 0 && err_is_set(&trouble))
        *err = trouble;
    if (has_sample)
        sample_release(&sample);
    contract_release(&contract);
    if (fflush(stdout) != 0 && errno != EPIPE)
        err_fatal(err, EXIT_IO, "standard output: %s", strerror(errno));
    return err_is_set(err) ? -1 : 0;
}

/* Logs are for what is wrong. */
static void set_log(const struct config *config)
{
    log_set_level(config->log_level == LOG_INFO ? LOG_WARNING : (enum log_level)config->log_level);
    log_set_json(config->log_format == 1);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments a = {.sample = -1};
    struct bundle *bundle;
    struct err err = ERR_INIT;
    struct model_options model = {0};
    struct config config;
    int result;

    if (cli_parse(command, argc, argv, take, &a, &err) != 0 ||
        configured_load(&config, command, &a.configured, &err) != 0)
        return cli_fail(command, &err);
    set_log(&config);
    model.rounds = config.rounds;
    result = bundle_load(&bundle, config.model_path, &model, &err);
    if (result == 0) {
        result = schema(&a, &config, bundle, &err);
        bundle_free(bundle);
    } else {
        err_prefix(&err, "[model]");
    }
    config_release(&config);
    return result == 0 ? EXIT_OK : cli_fail(command, &err);
}

const struct cli_command cli_schema = {
    .name = "schema",
    .summary = "show how the model takes its features from each schema, and why not",
    .usage = "kscore schema -c FILE [ID] [-n COUNT] [--json]",
    .help =
        "For every version of the subjects in the registry, every file of the schema folder, or "
        "the one schema of\n"
        "[consumer] schema: each feature of the model, the field it takes, how its value is "
        "converted, and what\n"
        "null becomes; features that are always missing; fields that nobody takes; and where a "
        "schema cannot\n"
        "serve the model, why, with the nearest name. It binds with the code that run binds "
        "with.\n\n"
        "  kscore schema -c kscore.ini                 before a deploy: all versions\n"
        "  kscore schema -c kscore.ini 17              the schema of a dead letter\n"
        "  kscore schema -c kscore.ini -n 1000         and which schemas the newest records "
        "have\n"
        "  kscore schema -c kscore.ini --json | jq -r '.schemas[] | select(.usable | not) | "
        ".why'\n\n"
        "JSON events name no schema: there the newest 1,000 records are looked at, outside of "
        "any group. For each\n"
        "feature: how many had it, missing, wrong_type, unknown_category; and the fields that "
        "nobody takes. Of Avro\n"
        "-n does the same, with the share of each schema.\n\n"
        "ID is a number, or 16 hex digits where events carry fingerprints. What does not "
        "answer within 10 s is\n"
        "not waited for. 0 all can be used, 65 a schema cannot serve the model or is not "
        "there, or no record can\n"
        "be scored, 69 no answer from registry or brokers, 77 permission, 78 configuration.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
