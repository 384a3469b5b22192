/* orders.c: kscore reload, rollback and resume: what a running instance is told. They differ in
 * what they ask for. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/configured.h"
#include "cli/instance.h"

static const struct cli_option options[] = {CONFIGURED_OPTIONS};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    return option && configured_take(arg, option, value);
}

/* What the instance says is printed: 0, or that it takes no such order. */
static int give(const struct config *config, const char *name, struct err *err)
{
    enum { HTTP_ACCEPTED = 202 };
    struct http_reply reply;
    char path[32];

    snprintf(path, sizeof path, "/%s", name);
    if (instance_order(config, path, &reply, err) != 0)
        return -1;
    if (reply.status == HTTP_ACCEPTED)
        fputs(reply.body, stdout);
    else
        err_fatal(err, EXIT_UNAVAILABLE, "%s answers %u: %.200s", config->control_socket,
                  reply.status, reply.body);
    free(reply.body);
    return err_is_set(err) ? -1 : 0;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct configured configured = {0};
    struct err err = ERR_INIT;
    struct config config;

    if (cli_parse(command, argc, argv, take, &configured, &err) != 0 ||
        configured_load(&config, command, &configured, &err) != 0)
        return cli_fail(command, &err);
    give(&config, command->name, &err);
    config_release(&config);
    return err_is_set(&err) ? cli_fail(command, &err) : EXIT_OK;
}

#define OPTIONS .options = options, .option_count = sizeof options / sizeof options[0], .run = run
#define ENDS                                                                                       \
    "The order goes to [control] socket, which only its owner may use. It is taken at once and "   \
    "carried out between\ntwo batches: kscore status says how it went.\n\n"                        \
    "0 taken, 69 nobody answers, 78 configuration, or it has no [control] socket.\n"

const struct cli_command cli_reload = {
    .name = "reload",
    .summary = "have a running instance load its bundle anew",
    .usage = "kscore reload -c FILE",
    .help = "The bundle at [model] path is loaded beside the one that scores, must give what its "
            "golden rows say and serve\nthe schemas in use, and takes over between two batches. "
            "Where it does not, the old one scores on.\n\n"
            "  kscore check -c kscore.ini && kscore reload -c kscore.ini\n"
            "  kscore status -c kscore.ini      model_swapped, or model_refused and why\n\n" ENDS,
    OPTIONS,
};

const struct cli_command cli_rollback = {
    .name = "rollback",
    .summary = "have a running instance score with the bundle before",
    .usage = "kscore rollback -c FILE",
    .help = "The bundle that scored before the last swap is still in memory, and takes over "
            "between two batches. The files\nat [model] path stay as they are: put the old ones "
            "back before the next start.\n\n"
            "  kscore rollback -c kscore.ini\n\n" ENDS,
    OPTIONS,
};

const struct cli_command cli_resume = {
    .name = "resume",
    .summary = "have an open breaker try again now",
    .usage = "kscore resume -c FILE",
    .help = "The breaker opens when too many events become dead letters, and tries again by itself "
            "after\n[dead_letters] breaker_window_s. When the cause is mended, this tries now: up "
            "to breaker_minimum records are\nscored, and sent only when few enough of them are "
            "dead.\n\n"
            "  kscore resume -c kscore.ini\n\n" ENDS,
    OPTIONS,
};
