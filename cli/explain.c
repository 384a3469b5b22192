/* explain.c: kscore explain. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/configured.h"
#include "cli/explain_view.h"
#include "cli/terminal.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

enum { ANSWER_MS = 10000 };

static const struct cli_option options[] = {
    CONFIGURED_OPTIONS,
    {'m', "model", "PATH", "ask this bundle instead of [model] path"},
    {0, "file", "PATH", "the value is in a file (- is standard input); Kafka is not asked"},
    {0, "mask", NULL, "hide values, keys and the record's own headers"},
    {0, "json", NULL, "one JSON object"},
};

struct arguments {
    struct configured configured;
    const char *words[3]; /* TOPIC PARTITION OFFSET */
    size_t word_count;
    const char *model, *file;
    bool is_masked, is_json;
};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;

    if (!option) {
        if (a->word_count == 3)
            return false;
        a->words[a->word_count++] = value;
    } else if (configured_is_option(option)) {
        return configured_take(&a->configured, option, value);
    } else if (strcmp(option->name, "model") == 0) {
        a->model = value;
    } else if (strcmp(option->name, "file") == 0) {
        a->file = value;
    } else if (strcmp(option->name, "mask") == 0) {
        a->is_masked = true;
    } else {
        a->is_json = true;
    }
    return true;
}

/* ---- the place */

static bool read_place(const char *partition, size_t partition_len, const char *offset,
                       struct explain_options *o)
{
    int64_t number;

    if (!integer_parse(partition, partition_len, 0, INT32_MAX, &number) ||
        !integer_parse(offset, strlen(offset), 0, INT64_MAX - 1, &o->offset))
        return false;
    o->partition = (int32_t)number;
    return true;
}

/* "topic[3]@912", as tail prints it. *topic is new. */
static bool read_word(const char *word, char **topic, struct explain_options *o)
{
    const char *at = strrchr(word, '['), *end = at ? strstr(at, "]@") : NULL;

    if (!end || at == word || !read_place(at + 1, (size_t)(end - at) - 1, end + 2, o))
        return false;
    *topic = mem_copy_text(word, (size_t)(at - word));
    return true;
}

static int find_place(const struct arguments *a, char **topic, struct explain_options *o,
                      struct err *err)
{
    bool is_well = false;

    o->file = a->file;
    if (a->file)
        return a->word_count == 0
                   ? 0
                   : err_fatal(err, EXIT_USAGE, "--file PATH, or TOPIC PARTITION OFFSET, not both");
    if (a->word_count == 1)
        is_well = read_word(a->words[0], topic, o);
    if (a->word_count == 3) {
        *topic = mem_copy_text(a->words[0], strlen(a->words[0]));
        is_well = read_place(a->words[1], strlen(a->words[1]), a->words[2], o);
    }
    o->topic = *topic;
    if (!is_well)
        return err_fatal(err, EXIT_USAGE,
                         "which record? TOPIC PARTITION OFFSET, or 'topic[partition]@offset' as "
                         "kscore tail prints it; see kscore explain --help");
    return 0;
}

/* ---- all */

static void show(const struct arguments *a, const struct explanation *e)
{
    struct explain_view view = {.paint = {stdout, terminal_has_colour()},
                                .is_masked = a->is_masked};
    json_t *json;

    if (!a->is_json) {
        explain_view_show(&view, e);
        return;
    }
    json = explain_view_json(e, a->is_masked);
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(json);
}

static int explain(const struct arguments *a, const struct explain_options *o, struct err *err)
{
    struct explanation e;

    if (explain_init(&e, o, err) != 0)
        return -1;
    show(a, &e);
    if (fflush(stdout) != 0 && errno != EPIPE)
        err_fatal(err, EXIT_IO, "standard output: %s", strerror(errno));
    else if (e.outcome.kind == OUTCOME_WAITING)
        *err = e.schema_trouble;
    else if (explain_is_broken(&e))
        err_fatal(err, EXIT_DATA, "the same bundle published another score for it");
    explain_release(&e);
    return err_is_set(err) ? -1 : 0;
}

static int with_config(const struct arguments *a, const struct cli_command *command,
                       struct explain_options o, struct err *err)
{
    struct model_options model = {0};
    struct bundle *bundle;
    struct config config;
    int result;

    if (configured_load(&config, command, &a->configured, err) != 0)
        return -1;
    log_set_level(LOG_ERROR); /* what is wrong stands in the explanation, or is the error */
    log_set_json(config.log_format == 1);
    model.rounds = config.rounds;
    result = bundle_load(&bundle, a->model ? a->model : config.model_path, &model, err);
    if (result == 0) {
        o.config = &config;
        o.bundle = bundle;
        o.timeout_ms = ANSWER_MS;
        result = explain(a, &o, err);
        bundle_free(bundle);
    } else {
        err_prefix(err, a->model ? "--model" : "[model]");
    }
    config_release(&config);
    return result;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments a = {0};
    struct explain_options o = {0};
    struct err err = ERR_INIT;
    char *topic = NULL;
    int result = -1;

    if (cli_parse(command, argc, argv, take, &a, &err) == 0 &&
        find_place(&a, &topic, &o, &err) == 0)
        result = with_config(&a, command, o, &err);
    free(topic);
    return result == 0 ? EXIT_OK : cli_fail(command, &err);
}

const struct cli_command cli_explain = {
    .name = "explain",
    .summary = "re-run one record and show every step",
    .usage = "kscore explain -c FILE TOPIC PARTITION OFFSET [--model PATH] [--mask] [--json]",
    .help =
        "Reads one record outside of any group, takes it through the code that run has, and shows "
        "each step: the\n"
        "record in hex and as text, frame, schema, each feature with what stands in the event and "
        "the float32 that\n"
        "the model gets, margin, score, decision, what each feature contributed; or why it is a "
        "dead letter, and the\n"
        "byte. Then what was published for it, and whether that is equal bit for bit.\n\n"
        "  kscore explain -c kscore.ini payments 3 912\n"
        "  kscore explain -c kscore.ini 'payments[3]@912'      a place as tail prints it\n"
        "  kscore explain -c kscore.ini payments-dead 0 17     a dead letter: its origin; its own "
        "bytes where that is gone\n"
        "  kscore explain -c kscore.ini payments 3 912 --model fraud-8      what another bundle "
        "says\n"
        "  kscore explain -c kscore.ini payments 3 912 --mask  for a ticket: no value is shown\n"
        "  kscore explain -c kscore.ini --file value.bin       one value, without Kafka\n"
        "  kscore explain -c kscore.ini payments 3 912 --json | jq .published\n\n"
        "Published scores, alerts and dead letters are looked for by topic, partition and offset, "
        "from the record's\n"
        "time on: at most 200,000 records of each topic, 10 s.\n\n"
        "0 explained, 65 there is no such record, or the same bundle published another score, 69 "
        "no answer from\n"
        "brokers or registry, 74 unreadable file, 77 permission, 78 configuration.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
