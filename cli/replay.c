/* replay.c: kscore replay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/account.h"
#include "cli/bar.h"
#include "cli/cli.h"
#include "cli/comparing.h"
#include "cli/configured.h"
#include "cli/place.h"
#include "cli/replay_view.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/replay.h"

enum { MAX_RATE = 1000000000 };

static const struct cli_option options[] = {
    CONFIGURED_OPTIONS,
    {0, "from", "WHERE", PLACE_HELP},
    {0, "to", "WHERE", "the same, and not read any more; default: latest, as it is at the start"},
    {'p', "partition", "N", "only this partition, from 0"},
    {'o', "output", "FILE", "scores go into this file"},
    {0, "output-format", "FORMAT", "jsonl, csv or avro; default: as FILE ends, else jsonl"},
    {0, "output-topic", "NAME", "scores go to this topic"},
    {0, "correct", NULL, "scores go to the live topic, as corrections"},
    {0, "dead", "FILE", "dead letters go into this file; default with -o: FILE.dead.jsonl"},
    {0, "dead-topic", "NAME", "dead letters go to this topic"},
    {0, "model", "PATH", "another bundle than [model] path"},
    COMPARING_OPTIONS,
    {0, "rate", "N", "at most so many records per second"},
    {0, "state", "FILE", "how far it is, to go on after a kill; default with -o: FILE.state"},
    {0, "json", NULL, "the summary as JSON"},
};

struct arguments {
    struct configured configured;
    struct comparing compare;
    struct reader_place from, to;
    const char *from_text, *to_text;
    int64_t partition, rate;
    const char *file, *topic, *dead_file, *dead_topic, *state, *model;
    char *line; /* all of them, as a command */
    int format; /* enum file_format, -1: as the file ends */
    bool is_correction, is_json;
};

/* Index of value in the formats' names, -1 when it is none. */
static int find_format(const char *value)
{
    static const char *const names[] = {"jsonl", "csv", "avro"}; /* by enum file_format */

    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], value) == 0)
            return i;
    return -1;
}

static bool take_number(const char *value, int64_t low, int64_t high, int64_t *number)
{
    return integer_parse(value, strlen(value), low, high, number);
}

/* A state is one line a fact. */
static bool take_name(const char *value, const char **name)
{
    *name = value;
    return *value && !strpbrk(value, "\r\n");
}

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;
    const struct {
        const char *name, **field;
    } names[] = {{"output", &a->file},    {"output-topic", &a->topic},
                 {"dead", &a->dead_file}, {"dead-topic", &a->dead_topic},
                 {"state", &a->state},    {"model", &a->model}};

    if (!option)
        return false;
    if (configured_is_option(option))
        return configured_take(&a->configured, option, value);
    if (comparing_is_option(option))
        return comparing_take(&a->compare, option, value);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(option->name, names[i].name) == 0)
            return take_name(value, names[i].field);
    if (strcmp(option->name, "from") == 0)
        return place_parse(a->from_text = value, &a->from);
    if (strcmp(option->name, "to") == 0)
        return place_parse(a->to_text = value, &a->to);
    if (option->letter == 'p')
        return take_number(value, 0, INT32_MAX, &a->partition);
    if (strcmp(option->name, "rate") == 0)
        return take_number(value, 1, MAX_RATE, &a->rate);
    if (strcmp(option->name, "output-format") == 0)
        return (a->format = find_format(value)) >= 0;
    if (strcmp(option->name, "correct") == 0)
        a->is_correction = true;
    else
        a->is_json = true;
    return true;
}

/* ---- what was asked for makes sense */

static bool is_same(const char *one, const char *other)
{
    return one && other && strcmp(one, other) == 0;
}

static int check_outputs(const struct arguments *a, struct err *err)
{
    if ((a->file != NULL) + (a->topic != NULL) + a->is_correction != 1)
        return err_fatal(err, EXIT_USAGE,
                         "scores go into a file (-o FILE), to a topic of their own (--output-topic "
                         "NAME), to the live one (--correct) or nowhere (--compare): name one of "
                         "them");
    if (is_same(a->file, a->dead_file) || is_same(a->file, a->state) ||
        is_same(a->dead_file, a->state))
        return err_fatal(err, EXIT_USAGE, "scores, dead letters and the state: a file each");
    if (a->dead_file && a->dead_topic)
        return err_fatal(err, EXIT_USAGE, "--dead and --dead-topic: one of them");
    if (!a->file && !a->dead_file && !a->dead_topic)
        return err_fatal(err, EXIT_USAGE,
                         "where do dead letters go? --dead FILE or --dead-topic NAME");
    if (!a->file && a->format >= 0)
        return err_fatal(err, EXIT_USAGE, "--output-format is that of -o FILE");
    return 0;
}

static int check_words(const struct arguments *a, struct err *err)
{
    if (!a->from_text)
        return err_fatal(err, EXIT_USAGE, "--from WHERE is missing; see kscore replay --help");
    if (comparing_check(&a->compare, err) != 0)
        return -1;
    if (!a->compare.is_on)
        return check_outputs(a, err);
    if (a->file || a->topic || a->is_correction || a->dead_file || a->dead_topic || a->state ||
        a->format >= 0)
        return err_fatal(err, EXIT_USAGE,
                         "--compare writes nothing and has no state: no output, no --dead, no "
                         "--state");
    return 0;
}

/* Whose live topic that is, NULL: nobody's. */
static const char *owner_of(const struct config *live, const char *name)
{
    const struct {
        const char *section, *topic;
    } written[] = {{"[producer]", live->score_topic},
                   {"[dead_letters]", live->dead_topic},
                   {"[alerts]", live->alert_topic}};

    for (size_t i = 0; i < live->topic_count; i++)
        if (strcmp(name, live->topics[i]) == 0)
            return "[consumer]";
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
        if (is_same(name, written[i].topic))
            return written[i].section;
    return NULL;
}

/* Nobody who reads what run writes is to meet what a replay writes, nor does run. */
static int refuse_live(const struct config *live, const char *option, const char *name,
                       struct err *err)
{
    const char *section = name ? owner_of(live, name) : NULL;

    if (!section)
        return 0;
    return err_fatal(err, EXIT_USAGE, "%s %s is the live topic of %s: a replay needs its own%s",
                     option, name, section,
                     is_same(option, "--output-topic") && is_same(section, "[producer]")
                         ? ", or --correct to correct what is published"
                         : "");
}

static int check_topics(const struct arguments *a, const struct config *live, struct err *err)
{
    if (refuse_live(live, "--output-topic", a->topic, err) != 0 ||
        refuse_live(live, "--dead-topic", a->dead_topic, err) != 0)
        return -1;
    if (is_same(a->topic, a->dead_topic))
        return err_fatal(err, EXIT_USAGE, "%s takes scores or dead letters, not both", a->topic);
    return 0;
}

/* -s may name other topics, but run is not started with it: what the file says is live, too. A file
 * that says nothing whole without -s is not asked. */
static int check_file(const struct arguments *a, const struct cli_command *command,
                      const struct config *with, struct err *err)
{
    struct configured alone = {.path = a->configured.path};
    struct err ignored = ERR_INIT;
    struct config file;
    int result;

    if (configured_load(&file, command, &alone, &ignored) != 0)
        return 0;
    result = check_topics(a, &file, err);
    if (result == 0 && a->is_correction && !is_same(with->score_topic, file.score_topic))
        result = refuse_live(&file, "--correct: -s producer.topic", with->score_topic, err);
    config_release(&file);
    return result;
}

/* ---- the configuration of a replay: that of the file, with other topics and another model */

static char *join(const char *head, const char *tail)
{
    size_t cap = strlen(head) + strlen(tail) + 1;
    char *text = mem_alloc(cap, 1);

    snprintf(text, cap, "%s%s", head, tail);
    return text;
}

/* Through the same door as -s, so that `run` in the scores tells it from live. */
static int load(struct config *config, const struct cli_command *command, const struct arguments *a,
                const char *model, struct err *err)
{
    struct configured c = a->configured;
    const struct {
        const char *key, *value;
    } overrides[] = {{"model.path=", model},
                     {"producer.topic=", a->topic},
                     {"dead_letters.topic=", a->dead_topic}};
    enum { COUNT = sizeof overrides / sizeof overrides[0] };
    char *texts[COUNT] = {NULL};
    int result;

    if (configured_load(config, command, &c, err) != 0)
        return -1;
    result = check_topics(a, config, err) == 0 ? check_file(a, command, config, err) : -1;
    config_release(config);
    if (result != 0)
        return -1;
    for (size_t i = 0; i < COUNT; i++) {
        if (!overrides[i].value)
            continue;
        if (c.count == CONFIGURED_MAX_OVERRIDES)
            result = err_fatal(err, EXIT_USAGE, "more than %d times -s", CONFIGURED_MAX_OVERRIDES);
        else
            c.items[c.count++] = texts[i] = join(overrides[i].key, overrides[i].value);
    }
    result = result == 0 ? configured_load(config, command, &c, err) : -1;
    for (size_t i = 0; i < COUNT; i++)
        free(texts[i]);
    return result;
}

/* ---- progress */

struct progress {
    int64_t start_ms, passed;
};

static void draw(void *arg, const struct replay_progress *p)
{
    struct progress *progress = arg;
    int64_t now_ms = clock_ms();
    double seconds;
    double rate;
    int64_t left;
    char text[100];

    if (p->passed < progress->passed) /* the other bundle's turn */
        progress->start_ms = now_ms;
    progress->passed = p->passed;
    seconds = (double)(now_ms - progress->start_ms) / 1000;
    rate = seconds > 0 ? (double)(p->passed - p->passed_before) / seconds : 0;
    left = rate > 0 ? (int64_t)((double)(p->total - p->passed) / rate) : 0;
    snprintf(text, sizeof text, "%.0f offsets/s, %lld:%02lld left, %lld dead", rate,
             (long long)left / 60, (long long)left % 60, (long long)p->dead);
    bar_draw(p->total > 0 ? (double)p->passed / (double)p->total : 1, text);
}

/* ---- all */

static enum file_format format_of(const struct arguments *a)
{
    const char *dot = a->file ? strrchr(a->file, '.') : NULL;
    int by_name = dot ? find_format(dot + 1) : -1;

    return (enum file_format)(a->format >= 0 ? a->format : by_name >= 0 ? by_name : FILE_JSONL);
}

/* Texts of its own, as long as the replay takes. */
struct names {
    char *dead, *state, *range;
};

static struct names names_of(const struct arguments *a)
{
    const char *to = a->to_text ? a->to_text : "latest";
    size_t cap = strlen(a->from_text) + strlen(to) + 60;
    struct names n = {.range = mem_alloc(cap, 1)};

    n.dead = a->dead_file                ? join(a->dead_file, "")
             : a->dead_topic || !a->file ? NULL
                                         : join(a->file, ".dead.jsonl");
    n.state = a->state ? join(a->state, "") : a->file ? join(a->file, ".state") : NULL;
    if (a->partition < 0)
        snprintf(n.range, cap, "from %s to %s", a->from_text, to);
    else
        snprintf(n.range, cap, "from %s to %s of partition %lld", a->from_text, to,
                 (long long)a->partition);
    return n;
}

/* How it goes on, NULL where nothing is left; the caller frees it. */
static char *stopped_text(const struct arguments *a, const struct replay_summary *s,
                          const struct names *names)
{
    if (!s->is_stopped)
        return NULL;
    return names->state ? join("to go on: ", a->line)
                        : join("without --state the next run begins anew", "");
}

/* A script that saw exit 0 alone would take a stop for the end. */
static void say_end(const struct replay_view *v, int code)
{
    char *rest = v->stopped ? join(" complete=no stopped; ", v->stopped)
                            : join(" complete=", v->is_finished ? "yes" : "no");

    account_say(&v->summary->run, false, code, rest);
    free(rest);
}

static int compare(const struct cli_command *command, const struct arguments *a,
                   const struct replay_options *o)
{
    const char *path = a->compare.against;
    struct err err = ERR_INIT;
    struct config against;
    int code;

    if (path && load(&against, command, a, path, &err) != 0)
        return cli_fail(command, &err);
    code = comparing_run(&a->compare, o, path ? &against : NULL, a->is_json);
    if (path)
        config_release(&against);
    return code;
}

static int replay(const struct arguments *a, const struct replay_options *o,
                  const struct names *names)
{
    int64_t start_ms = clock_ms();
    struct replay_summary *summary = mem_alloc(1, sizeof *summary);
    struct err err = ERR_INIT;
    int result = replay_run(o, summary, &err), code = result == 0 ? EXIT_OK : err.exit_code;
    struct replay_view view = {.summary = summary,
                               .scores = a->file ? a->file : o->config->score_topic,
                               .dead = names->dead ? names->dead : o->config->dead_topic,
                               .is_finished = result == 0 && !summary->is_stopped,
                               .stopped = stopped_text(a, summary, names),
                               .seconds = (double)(clock_ms() - start_ms) / 1000};

    if (o->progress)
        bar_clear();
    if (result != 0)
        log_event(LOG_ERROR, "failed", "exit=%d %s", code, err.text);
    say_end(&view, code);
    if (result == 0 || summary->partitions > 0) /* there is something to tell */
        (a->is_json ? replay_view_print_json : replay_view_print)(&view);
    free(view.stopped);
    free(summary);
    return code;
}

static int work(const struct cli_command *command, const struct arguments *a,
                const struct config *config)
{
    struct progress progress = {.start_ms = clock_ms()};
    struct names names = names_of(a);
    struct replay_options o = {
        .config = config,
        .build = cli_build(),
        .stop = configured_catch_signals(),
        .range = {.partition = (int32_t)a->partition, .from = a->from, .to = a->to},
        .range_text = names.range,
        .mode = a->is_correction ? SCORE_CORRECTION : SCORE_REPLAY,
        .format = format_of(a),
        .score_path = a->file,
        .dead_path = names.dead,
        .state_path = names.state,
        .rate = a->rate,
        .progress = isatty(STDERR_FILENO) ? draw : NULL,
        .progress_arg = &progress};
    int code = a->compare.is_on ? compare(command, a, &o) : replay(a, &o, &names);

    free(names.dead);
    free(names.state);
    free(names.range);
    return code;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments a = {.partition = -1, .format = -1, .to = {PLACE_END, 0}};
    struct err err = ERR_INIT;
    struct config config;
    int code;

    if (cli_parse(command, argc, argv, take, &a, &err) != 0 || check_words(&a, &err) != 0 ||
        load(&config, command, &a, a.model, &err) != 0)
        return cli_fail(command, &err);
    log_set_level((enum log_level)config.log_level);
    log_set_json(config.log_format == 1);
    a.line = cli_command_line(command, argc, argv);
    code = work(command, &a, &config);
    free(a.line);
    config_release(&config);
    return code;
}

const struct cli_command cli_replay = {
    .name = "replay",
    .summary = "score a window of the past once more, into files or topics of its own",
    .usage = "kscore replay -c FILE --from WHERE [--to WHERE] -o FILE | --output-topic NAME | "
             "--correct | --compare | --against PATH",
    .help =
        "Reads [consumer] topic between two places, outside of any group: nothing is committed, "
        "nobody is disturbed.\n"
        "Where the window ends is fixed at the start. Scores say \"mode\":\"replay\"; no alerts "
        "are "
        "sent.\n\n"
        "  kscore replay -c kscore.ini --from 2h -o scores.jsonl\n"
        "  kscore replay -c kscore.ini --from 2026-01-31T12:00:00Z --to 2026-01-31T13:00:00Z "
        "--model models/new -o new.csv\n"
        "  kscore replay -c kscore.ini --from 812 --to 900 -p 3 -o part.avro\n"
        "  kscore replay -c kscore.ini --from earliest --output-topic rescored --dead dead.jsonl "
        "--state rescored.state\n"
        "  kscore replay -c kscore.ini --from 2h --correct --dead dead.jsonl    into the live "
        "topic, \"mode\":\"correction\"\n"
        "  kscore replay -c kscore.ini --from 1d --to 10m --compare             does it score as "
        "it did?\n"
        "  kscore replay -c kscore.ini --from 1d --model models/new --compare   what would "
        "change?\n"
        "  kscore replay -c kscore.ini --from 1d --model models/new --against models/old\n\n"
        "After a kill, or Ctrl-C, the same command goes on from its state: files hold each outcome "
        "once, topics at\n"
        "least once. [kscore] workers share the partitions; a file has each partition's scores in "
        "order of offset.\n"
        "Time stamps of what goes to topics are now. See docs/replay.md; for --compare "
        "docs/compare.md.\n\n"
        "0 done, also with dead letters, or stopped: then the last line says complete=no and how "
        "to "
        "go on; 75 stopped,\n"
        "and not all was kept, or compared; 65 model, a state of another replay, or the two that "
        "are compared differ;\n"
        "74 a file, or it is there already; 77 permission; 78 configuration or a topic that is "
        "missing.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
