/* tail.c: kscore tail. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/configured.h"
#include "cli/place.h"
#include "cli/tail_view.h"
#include "cli/terminal.h"
#include "core/log.h"
#include "core/text.h"

enum { LAST = 10, MAX_COUNT = 1000000000 };

static const struct cli_option options[] = {
    CONFIGURED_OPTIONS,
    {0, "from", "WHERE", PLACE_HELP},
    {'n', "count", "COUNT", "from 1: the last of each partition, with --from the first"},
    {'f', "follow", NULL, "go on when the end is reached, until Ctrl-C"},
    {'p', "partition", "N", "only this partition, from 0"},
    {0, "json", NULL, "one JSON object a line"},
};

/* By enum tail_topic. */
static const char *const topic_words[] = {"scores", "dead", "alerts", "events"};

struct arguments {
    struct configured configured;
    const char *topic;
    bool has_from, follows, is_json;
    struct reader_place from;
    int64_t count, partition;
};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;

    if (!option) {
        bool is_first = !a->topic;
        a->topic = value;
        return is_first;
    }
    if (configured_is_option(option))
        return configured_take(&a->configured, option, value);
    if (strcmp(option->name, "from") == 0)
        return a->has_from = place_parse(value, &a->from);
    if (option->letter == 'n')
        return integer_parse(value, strlen(value), 1, MAX_COUNT, &a->count);
    if (option->letter == 'p')
        return integer_parse(value, strlen(value), 0, INT32_MAX, &a->partition);
    if (option->letter == 'f')
        a->follows = true;
    else
        a->is_json = true;
    return true;
}

static int find_topic(const char *word, enum tail_topic *topic, struct err *err)
{
    enum { COUNT = sizeof topic_words / sizeof topic_words[0] };
    const char *near;

    for (int i = 0; i < COUNT; i++) {
        *topic = (enum tail_topic)i;
        if (!word || strcmp(word, topic_words[i]) == 0)
            return 0;
    }
    near = text_nearest(word, topic_words, COUNT);
    return err_fatal(err, EXIT_USAGE, "there is scores, dead, alerts and events, not %s%s%s%s",
                     word, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Without --from: the last few, and on, unless it was said how many. With it: to the end, unless
 * there is none to come to. */
static struct reader_range range_of(const struct arguments *a)
{
    static const struct reader_place end = {PLACE_END, 0}, never = {PLACE_NEVER, 0};
    struct reader_range range = {.partition = (int32_t)a->partition};

    if (a->has_from) {
        range.from = a->from;
        range.to = a->follows || a->from.kind == PLACE_END ? never : end;
        range.count = a->count;
    } else {
        range.from = (struct reader_place){PLACE_END, a->count ? a->count : LAST};
        range.to = a->follows || !a->count ? never : end;
    }
    return range;
}

struct output {
    struct tail_view view;
    int error; /* errno of the write that failed, or 0 */
};

static bool show(void *arg, const struct tail_item *item)
{
    struct output *output = arg;
    struct tail_view *view = &output->view;

    view->width = view->is_json ? 0 : terminal_width();
    errno = 0;
    tail_view_show(view, item);
    if (ferror(view->out))
        output->error = errno;
    return !ferror(view->out);
}

static bool flush(void *arg)
{
    struct output *output = arg;

    if (output->error == 0 && fflush(output->view.out) != 0)
        output->error = errno;
    return output->error == 0;
}

/* Logs are for what is wrong: the lines are what was asked for. */
static void set_log(const struct config *config)
{
    log_set_level(config->log_level == LOG_INFO ? LOG_WARNING : (enum log_level)config->log_level);
    log_set_json(config->log_format == 1);
}

static int tail(const struct arguments *a, const struct config *config, struct err *err)
{
    struct output output = {.view = {.out = stdout, .is_json = a->is_json}};
    struct tail_options o = {.config = config,
                             .range = range_of(a),
                             .stop = configured_catch_signals(),
                             .arg = &output,
                             .take = show,
                             .pause = flush};

    if (find_topic(a->topic, &o.topic, err) != 0)
        return -1;
    output.view.topic = o.topic;
    output.view.has_colour = terminal_has_colour() && !a->is_json;
    set_log(config);
    if (tail_run(&o, err) != 0)
        return -1;
    /* `kscore tail | head` has seen enough. */
    if (output.error != 0 && output.error != EPIPE)
        return err_fatal(err, EXIT_IO, "standard output: %s", strerror(output.error));
    return 0;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments a = {.partition = -1};
    struct err err = ERR_INIT;
    struct config config;
    int result;

    if (cli_parse(command, argc, argv, take, &a, &err) != 0 ||
        configured_load(&config, command, &a.configured, &err) != 0)
        return cli_fail(command, &err);
    result = tail(&a, &config, &err);
    config_release(&config);
    return result == 0 ? EXIT_OK : cli_fail(command, &err);
}

const struct cli_command cli_tail = {
    .name = "tail",
    .summary = "show the scores, dead letters, alerts or events as readable lines",
    .usage = "kscore tail -c FILE [scores|dead|alerts|events] [--from WHERE] [-n COUNT] [-f]",
    .help =
        "Reads the topics of the configuration outside of any group: nothing is committed, nobody "
        "is "
        "disturbed.\n"
        "scores (the default), dead, alerts and events are the topics of [producer], "
        "[dead_letters],\n"
        "[alerts] and [consumer].\n\n"
        "  kscore tail -c kscore.ini                           the last 10 of each partition, then "
        "live\n"
        "  kscore tail -c kscore.ini dead --from 15m           what died in the last 15 minutes\n"
        "  kscore tail -c kscore.ini dead --from 2026-01-31T12:00:00Z --json | jq -r .reason | "
        "sort | uniq -c\n"
        "  kscore tail -c kscore.ini events -p 3 --from 912 -n 1    one record\n"
        "  kscore tail -c kscore.ini scores -n 5               the last 5 of each partition\n\n"
        "scores  time, place, key, score, decision, model, version, <- the event it is the score "
        "of; so are alerts\n"
        "dead    time, place of the event, stage/reason, blame, message | the value's first bytes\n"
        "events  time, place, key, value: JSON, and Avro by its writer's schema as JSON, whole "
        "envelopes; those\n"
        "        whose [consumer] root is null are marked: skipped; cut to the terminal's width\n\n"
        "A place is topic[partition]@offset; times are the records', UTC. Control characters of "
        "values are escaped.\n"
        "It stops at the end with --from or -n, unless -f says to go on. It waits for brokers "
        "that are not there;\n"
        "77 permission, 78 a topic that is missing. Ctrl-C ends it with 0.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
