/* check.c: kscore check. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/configured.h"
#include "cli/terminal.h"
#include "core/log.h"
#include "core/text.h"
#include "pipeline/check.h"

static const struct cli_option options[] = {
    CONFIGURED_OPTIONS,
    {0, "json", NULL, "one JSON object"},
};

struct arguments {
    struct configured configured;
    bool is_json;
};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;

    if (!option)
        return false;
    if (configured_is_option(option))
        return configured_take(&a->configured, option, value);
    a->is_json = true;
    return true;
}

/* ---- text */

/* Words of others (a registry's, a broker's) get no control of the terminal. */
static void print_visible(const char *text)
{
    char line[VISIBLE_MAX(1000)];
    size_t len = strlen(text);

    len = visible_print(line, text, len < 1000 ? len : 1000);
    fwrite(line, 1, len, stdout);
    putchar('\n');
}

static void say_text(void *arg, const struct check_line *line)
{
    static const char *const colours[CHECK_RESULT_COUNT] = {
        [CHECK_PROVEN] = "32", [CHECK_REMARK] = "33",  [CHECK_NOT_PROVEN] = "33",
        [CHECK_FAILED] = "31", [CHECK_SKIPPED] = "90",
    };
    const char *word = check_result_word(line->result);

    if (*(const bool *)arg)
        printf("\033[%sm%-10s\033[0m  %-13s  ", colours[line->result], word, line->check);
    else
        printf("%-10s  %-13s  ", word, line->check);
    print_visible(line->text);
    fflush(stdout);
}

static void print_verdict(const struct check_summary *s)
{
    const char *comma = "";

    printf("\n%s: ", s->exit_code == EXIT_OK ? "ready" : "not ready");
    for (int i = 0; i < CHECK_RESULT_COUNT; i++) {
        if (s->counts[i] == 0)
            continue;
        printf("%s%zu %s", comma, s->counts[i], check_result_word((enum check_result)i));
        comma = ", ";
    }
    printf("; exit code %d\n", s->exit_code);
}

/* ---- JSON */

static void say_json(void *arg, const struct check_line *line)
{
    char text[3 * 1000 + 1];
    size_t len = strlen(line->text);

    text[utf8_repair(text, line->text, len < 1000 ? len : 1000)] = '\0';
    json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:i}", "check", line->check, "result",
                                         check_result_word(line->result), "text", text, "exit",
                                         line->exit_code));
}

static void print_json(json_t *lines, const struct check_summary *s)
{
    json_t *counts = json_object(),
           *all = json_pack("{s:b,s:i,s:o,s:o}", "ready", s->exit_code == EXIT_OK, "exit",
                            s->exit_code, "counts", counts, "checks", lines);

    for (int i = 0; i < CHECK_RESULT_COUNT; i++)
        json_object_set_new(counts, check_result_word((enum check_result)i),
                            json_integer((json_int_t)s->counts[i]));
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(all);
}

static int check(const struct check_options *what, bool is_json)
{
    struct check_options o = *what;
    bool has_colour = terminal_has_colour();
    struct check_summary summary;
    json_t *lines;

    if (!is_json) {
        o.arg = &has_colour;
        o.say = say_text;
        check_run(&o, &summary);
        print_verdict(&summary);
    } else {
        o.arg = lines = json_array();
        o.say = say_json;
        check_run(&o, &summary);
        print_json(lines, &summary);
    }
    return summary.exit_code;
}

/* What librdkafka says of its connections comes out as a check's line; all of it when a level is
 * asked for. */
static void set_log(const struct config *config)
{
    bool is_asked_for = config && config->log_level != LOG_INFO;

    log_set_level(is_asked_for ? (enum log_level)config->log_level : LOG_ERROR);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments a = {0};
    struct err err = ERR_INIT;
    struct config config;
    struct check_options o = {.config_error = &err};
    int code;

    if (cli_parse(command, argc, argv, take, &a, &err) != 0)
        return cli_fail(command, &err);
    if (configured_load(&config, command, &a.configured, &err) == 0)
        o.config = &config;
    else if (err.exit_code == EXIT_USAGE)
        return cli_fail(command, &err);
    set_log(o.config);
    o.path = a.configured.path;
    code = check(&o, a.is_json);
    if (o.config)
        config_release(&config);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        err_reset(&err);
        err_fatal(&err, EXIT_IO, "standard output: %s", strerror(errno));
        return cli_fail(command, &err);
    }
    return code;
}

const struct cli_command cli_check = {
    .name = "check",
    .summary = "prove what can be proven before a deploy",
    .usage = "kscore check -c FILE [-s SECTION.KEY=VALUE ...] [--json]",
    .help =
        "Run it where run will run, as the user that run will be: in a deploy, before the old one "
        "is stopped.\n\n"
        "  kscore check -c kscore.ini\n"
        "  kscore check -c kscore.ini -s model.path=models/fraud-8      a new bundle against the "
        "topic as it is\n"
        "  kscore check -c kscore.ini --json | jq -r '.checks[] | "
        "select(.result==\"failed\").text'\n"
        "  kscore check -c kscore.ini && systemctl restart kscore\n"
        "  kscore check -c kscore.ini -s kscore.log_level=warning       and what librdkafka says "
        "meanwhile\n\n"
        "A line for each thing looked at:\n"
        "proven      it is so\n"
        "remark      it is so, and may not be what was meant\n"
        "not proven  it could not be seen without changing something, or without a permission that "
        "run does not need\n"
        "failed      it must be changed; the line says where\n"
        "skipped     it rests on a check that failed\n\n"
        "All checks run, whatever failed before. Nothing is changed: no group is joined, nothing "
        "is "
        "committed, no record\n"
        "is written, no topic and no schema is made. It never waits for ever: what does not answer "
        "within seconds is 69.\n\n"
        "Exit codes: 0 nothing failed; else that of the first failure in the order of the lines: "
        "65 "
        "model, events or\n"
        "offsets, 69 brokers or registry do not answer (run would wait), 74 a file, 77 permission "
        "or "
        "login, 78 configuration\n"
        "or topic. docs/check.md lists the checks.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
