/* run.c: kscore run. */
#include "cli/account.h"
#include "cli/cli.h"
#include "cli/configured.h"
#include "cli/serve.h"
#include "core/log.h"
#include "pipeline/pipeline.h"

static const struct cli_option options[] = {CONFIGURED_OPTIONS};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    return option && configured_take(arg, option, value);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct configured configured = {0};
    struct err err = ERR_INIT;
    struct config config;
    static struct pipeline_summary summary;
    static struct pipeline_orders orders;
    struct pipeline_options how;
    struct serve *serve;
    int code = EXIT_OK;

    if (cli_parse(command, argc, argv, take, &configured, &err) != 0 ||
        configured_load(&config, command, &configured, &err) != 0)
        return cli_fail(command, &err);
    log_set_level((enum log_level)config.log_level);
    log_set_json(config.log_format == 1);
    how = (struct pipeline_options){.config = &config,
                                    .build = cli_build(),
                                    .stop = configured_catch_signals(),
                                    .orders = &orders};
    configured_count_hangups(&orders.reload);
    serve = serve_open(&config, &how);
    if (pipeline_run(&how, &summary, &err) != 0) {
        log_event(LOG_ERROR, "failed", "exit=%d %s", err.exit_code, err.text);
        code = err.exit_code;
    }
    serve_close(serve);
    account_say(&summary, *config.alert_topic, code, "");
    config_release(&config);
    return code;
}

const struct cli_command cli_run = {
    .name = "run",
    .summary = "score a topic live, until SIGTERM or SIGINT",
    .usage = "kscore run -c FILE [-s SECTION.KEY=VALUE ...]",
    .help =
        "Reads events from [consumer] topic, scores them with [model] path, publishes scores to "
        "[producer] topic\n"
        "and what cannot be scored to [dead_letters] topic. An offset is committed only when the "
        "brokers have\n"
        "acknowledged the outcome of every record before it. The least that a configuration "
        "needs:\n\n"
        "  [kscore]\n"
        "  name = fraud\n"
        "  [kafka]\n"
        "  bootstrap.servers = localhost:9092\n"
        "  [consumer]\n"
        "  topic = payments\n"
        "  format = json\n"
        "  [model]\n"
        "  path = examples/payments/bundle\n"
        "  [producer]\n"
        "  topic = fraud-scores\n"
        "  [dead_letters]\n"
        "  topic = payments-dead\n\n"
        "  kscore run -c kscore.ini\n"
        "  kscore run -c kscore.ini -s consumer.start=2026-01-31T12:00:00Z    a first start from "
        "then on\n"
        "  kscore run -c kscore.ini -s kscore.log_format=json 2>>kscore.log\n"
        "  kill -TERM PID    finishes what is in flight (at most drain_ms, and 8 s where brokers "
        "hang), commits,\n                    exits 0, or 75 where it could not commit; a second "
        "one exits now\n"
        "  kill -HUP PID     loads the bundle that [model] path names now, and scores with it from "
        "the "
        "next batch on;\n                    one that fails is refused, the old one stays "
        "(docs/reload.md)\n\n"
        "Logs go to standard error, one line each, with event=... : assigned (from which offsets), "
        "ready,\n"
        "model_swapped or model_refused, waiting (for what), dead_letter (stage, reason, blame and "
        "place),\n"
        "and at the end stopped, with consumed = scored + dead + skipped + returned + "
        "in_flight.\n\n"
        "It waits for brokers that are not there. It exits when something must be changed: 65 "
        "model or data,\n"
        "74 a file, 75 try again (fenced, or stopped before all was committed), 77 permission, 78 "
        "configuration\n"
        "or a topic that is missing; 70 is a bug of kscore.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
