/* status.c: kscore status. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/configured.h"
#include "cli/instance.h"
#include "cli/status_view.h"
#include "cli/terminal.h"

static const struct cli_option options[] = {
    CONFIGURED_OPTIONS,
    {0, "json", NULL, "the document that /status serves (docs/status.md)"},
};

struct arguments {
    struct configured configured;
    bool is_json;
};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;

    if (configured_is_option(option))
        return configured_take(&a->configured, option, value);
    if (option)
        a->is_json = true;
    return option != NULL;
}

/* As it came, or for a person; then whether it is ready. */
static int show(const struct arguments *a, const struct http_reply *reply, struct err *err)
{
    const struct paint paint = {stdout, terminal_has_colour()};
    json_t *status = json_loadb(reply->body, reply->len, 0, NULL), *instance;

    if (reply->status != 200 || !json_is_object(status)) {
        json_decref(status);
        return err_fatal(err, EXIT_UNAVAILABLE, "what answers there is no kscore");
    }
    if (a->is_json)
        printf("%s\n", reply->body);
    else
        status_view_show(&paint, status);
    instance = json_object_get(status, "kscore");
    if (fflush(stdout) != 0 && errno != EPIPE)
        err_fatal(err, EXIT_IO, "standard output: %s", strerror(errno));
    else if (!json_is_true(json_object_get(instance, "ready")))
        err_fatal(err, EXIT_AGAIN, "not ready: %s",
                  json_string_value(json_object_get(instance, "activity")));
    json_decref(status);
    return err_is_set(err) ? -1 : 0;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments a = {0};
    struct err err = ERR_INIT;
    struct http_reply reply;
    struct config config;

    if (cli_parse(command, argc, argv, take, &a, &err) != 0 ||
        configured_load(&config, command, &a.configured, &err) != 0)
        return cli_fail(command, &err);
    if (instance_ask(&config, "/status", &reply, &err) == 0) {
        show(&a, &reply, &err);
        free(reply.body);
    }
    config_release(&config);
    return err_is_set(&err) ? cli_fail(command, &err) : EXIT_OK;
}

const struct cli_command cli_status = {
    .name = "status",
    .summary = "what a running instance answers to the three questions",
    .usage = "kscore status -c FILE [--json]",
    .help =
        "Asks the instance that runs with this configuration, by [control] socket, else by [http] "
        "listen. First one\n"
        "sentence: healthy, or what is wrong, since when, from which record on, who is to blame, "
        "and which change\n"
        "came just before. Then: did my change cause it? Is it hurting what is downstream? Which "
        "part throws the\n"
        "errors? The page at [http] listen shows the same, with curves.\n\n"
        "  kscore status -c kscore.ini\n"
        "  watch kscore status -c kscore.ini\n"
        "  kscore status -c kscore.ini --json | jq .verdict\n"
        "  kscore explain -c kscore.ini payments 3 912      the line that stands below each "
        "error\n\n"
        "0 ready, 75 it runs and is not ready (starting, waiting, paused, breaker open, draining), "
        "69 nobody answers,\n"
        "78 configuration. Ready is not well: ask .verdict.level, which is ok, warning or bad.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
