/* redrive.c: kscore redrive. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/configured.h"
#include "cli/place.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/redrive.h"

enum { MAX_COUNT = 1000000000 };

#define TIME_HELP "2026-01-31T12:00:00Z, or 2h: that long ago"

static const struct cli_option options[] = {
    CONFIGURED_OPTIONS,
    {0, "go", NULL, "do it; without this it is tried, and nothing is sent"},
    {0, "to-origin", NULL, "send them back to the topic that they came from, unscored"},
    {0, "topic", "NAME", "where the dead letters lie; default: [dead_letters] topic"},
    {0, "reason", "TEXT", "only of this reason; the next five, too, may be repeated"},
    {0, "stage", "TEXT", "only of this stage"},
    {0, "blame", "TEXT", "only with this blame"},
    {0, "schema", "ID", "only of this schema id"},
    {0, "model", "NAME", "only those that this model could not score"},
    {0, "origin", "NAME", "only from this topic; default: all of [consumer] topic"},
    {'p', "partition", "N", "only from this partition of their origin"},
    {0, "since", "WHEN", "only those that failed then or later: " TIME_HELP},
    {0, "until", "WHEN", "only those that failed before"},
    {0, "limit", "N", "stop after so many"},
    {0, "rate", "N", "read at most so many letters per second"},
};

struct arguments {
    struct configured configured;
    struct selection selection;
    const char *topic;
    int64_t limit, rate;
    bool is_go, is_to_origin;
    char *line; /* all of them, as a command */
};

static bool take_time(const char *value, int64_t *ms)
{
    struct reader_place place;

    if (!place_parse(value, &place) || place.kind != PLACE_TIME)
        return false;
    *ms = place.at;
    return true;
}

static bool take_count(const char *value, int64_t *count)
{
    return integer_parse(value, strlen(value), 1, MAX_COUNT, count);
}

static bool take_word(struct selection *s, enum selection_field field, const char *value)
{
    if (!*value)
        return false;
    selection_add(s, field, value);
    return true;
}

static bool take_partition(struct selection *s, const char *value)
{
    int64_t partition;

    if (!integer_parse(value, strlen(value), 0, INT32_MAX, &partition))
        return false;
    s->partition = (int32_t)partition;
    return true;
}

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    static const struct {
        const char *name;
        enum selection_field field;
    } fields[] = {{"reason", SELECT_REASON}, {"stage", SELECT_STAGE}, {"blame", SELECT_BLAME},
                  {"schema", SELECT_SCHEMA}, {"model", SELECT_MODEL}, {"origin", SELECT_TOPIC}};
    struct arguments *a = arg;

    if (!option)
        return false;
    if (configured_is_option(option))
        return configured_take(&a->configured, option, value);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(option->name, fields[i].name) == 0)
            return take_word(&a->selection, fields[i].field, value);
    if (option->letter == 'p')
        return take_partition(&a->selection, value);
    if (strcmp(option->name, "topic") == 0)
        return *(a->topic = value) != '\0';
    if (strcmp(option->name, "since") == 0)
        return take_time(value, &a->selection.since_ms);
    if (strcmp(option->name, "until") == 0)
        return take_time(value, &a->selection.until_ms);
    if (strcmp(option->name, "limit") == 0)
        return take_count(value, &a->limit);
    if (strcmp(option->name, "rate") == 0)
        return take_count(value, &a->rate);
    if (strcmp(option->name, "go") == 0)
        a->is_go = true;
    else
        a->is_to_origin = true;
    return true;
}

/* ---- what was asked for makes sense */

static bool is_listed(const struct config *c, const char *topic)
{
    for (size_t i = 0; i < c->topic_count; i++)
        if (strcmp(c->topics[i], topic) == 0)
            return true;
    return false;
}

/* What is read is not to be what is written: but for the topic of dead letters, whose window ends
 * where it ended at the start. */
static int check_topics(struct arguments *a, const struct config *c, struct err *err)
{
    const struct selection_words *origins = &a->selection.fields[SELECT_TOPIC];

    if (!a->topic)
        a->topic = c->dead_topic;
    if (is_listed(c, a->topic))
        return err_fatal(err, EXIT_USAGE, "%s is a [consumer] topic: events lie there", a->topic);
    if (strcmp(a->topic, c->score_topic) == 0 || strcmp(a->topic, c->alert_topic) == 0)
        return err_fatal(err, EXIT_USAGE, "scores lie in %s, not dead letters", a->topic);
    for (size_t i = 0; i < origins->count; i++)
        if (!is_listed(c, origins->items[i]))
            return err_fatal(err, EXIT_USAGE, "--origin %s is not in [consumer] topic",
                             origins->items[i]);
    for (size_t i = 0, all = origins->count == 0 ? c->topic_count : 0; i < all; i++)
        selection_add(&a->selection, SELECT_TOPIC, c->topics[i]);
    a->selection.attempts = c->dead_attempts;
    return 0;
}

/* ---- what was done */

static void print_visible(const char *text)
{
    char *out = mem_alloc(VISIBLE_MAX(strlen(text)) + 1, 1);

    fwrite(out, 1, visible_print(out, text, strlen(text)), stdout);
    free(out);
}

static void print_tallies(const struct redrive_summary *s)
{
    for (size_t i = 0; i < s->tally_count; i++) {
        const struct redrive_tally *t = &s->tallies[i];
        printf("%10" PRIu64 "  ", t->count);
        print_visible(t->stage);
        fputs(*t->stage ? "/" : "", stdout);
        print_visible(*t->reason ? t->reason : "no reason is told");
        fputs(*t->blame ? ", blame " : "", stdout);
        print_visible(t->blame);
        putchar('\n');
    }
}

static void print_left(const struct redrive_summary *s)
{
    static const char *const why[LEFT_COUNT] = {
        "no dead letters, or without their origin",
        "from topics that [consumer] topic has not",
        "done by a redrive before",
        "not selected",
        "failed [dead_letters] attempts times",
        "came without their value, which is gone from their origin",
        "came without their value, and another record "
        "stands at their origin",
        "came without their value, and their origin may "
        "not be read",
        "have no value"};

    for (int i = 0; i < LEFT_COUNT; i++)
        if (s->left[i] > 0)
            printf("%10" PRIu64 "  left alone: %s\n", s->left[i], why[i]);
}

/* What becomes of those that are meant; a dry run stops before it is sent. */
static void print_result(const struct arguments *a, const struct redrive_summary *s)
{
    const struct pipeline_summary *r = &s->run;
    const char *done = a->is_to_origin ? "sent back" : "scored";
    uint64_t skipped_events = r->skipped; /* with those that were left alone */

    for (int i = 0; i < LEFT_COUNT; i++)
        skipped_events -= skipped_events < s->left[i] ? skipped_events : s->left[i];
    if (a->is_go)
        printf("%" PRIu64 " %s, %" PRIu64 " dead letters again", r->scored, done, r->dead);
    else
        printf("dry run: %" PRIu64 " would be %s, %" PRIu64 " would be dead letters again",
               r->scored, done, r->dead);
    if (skipped_events > 0)
        printf(", %" PRIu64 " are to be skipped", skipped_events);
    printf("%s%s\n", s->is_cut ? "; the limit" : "", a->is_go ? "" : "; --go does it");
}

static void print_faults(const struct pipeline_summary *s)
{
    for (int f = 1; f < FAULT_COUNT; f++) {
        const struct fault_tally *t = &s->faults[f];
        if (t->count > 0)
            printf("%10" PRIu64 "  again %s/%s, first %s[%d]@%lld: %s\n", t->count,
                   fault_stage((enum fault)f), fault_reason((enum fault)f), t->topic,
                   t->first_partition, (long long)t->first_offset, t->message);
    }
}

static void print_summary(const struct arguments *a, const struct redrive_summary *s)
{
    printf("%s: %zu partitions, %" PRIu64 " dead letters selected\n", a->topic, s->partitions,
           s->selected);
    print_tallies(s);
    if (s->fetched > 0)
        printf("%10" PRIu64 "  of them came without their value: it is read from their origin\n",
               s->fetched);
    print_left(s);
    print_result(a, s);
    print_faults(&s->run);
    if (s->is_stopped)
        printf("stopped, not complete: %s%s\n", a->is_go ? "to go on: " : "nothing was done",
               a->is_go ? a->line : "");
}

static int redrive(const struct arguments *a, const struct config *config, struct err *err)
{
    struct redrive_summary *summary = mem_alloc(1, sizeof *summary);
    struct redrive_options o = {.config = config,
                                .build = cli_build(),
                                .stop = configured_catch_signals(),
                                .topic = a->topic,
                                .selection = &a->selection,
                                .is_dry = !a->is_go,
                                .is_to_origin = a->is_to_origin,
                                .limit = a->limit,
                                .rate = a->rate};
    int result = redrive_run(&o, summary, err);

    if (result != 0)
        log_event(LOG_ERROR, "failed", "exit=%d %s", err->exit_code, err->text);
    print_summary(a, summary);
    free(summary);
    return result;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments a = {.topic = NULL};
    struct err err = ERR_INIT;
    struct config config;
    int result;

    selection_init(&a.selection, 0);
    if (cli_parse(command, argc, argv, take, &a, &err) != 0 ||
        configured_load(&config, command, &a.configured, &err) != 0) {
        selection_release(&a.selection);
        return cli_fail(command, &err);
    }
    log_set_level((enum log_level)config.log_level);
    log_set_json(config.log_format == 1);
    a.line = cli_command_line(command, argc, argv);
    if (check_topics(&a, &config, &err) != 0)
        result = cli_fail(command, &err);
    else
        result = redrive(&a, &config, &err) == 0 ? EXIT_OK : err.exit_code;
    free(a.line);
    selection_release(&a.selection);
    config_release(&config);
    return result;
}

const struct cli_command cli_redrive = {
    .name = "redrive",
    .summary = "score dead letters once more, or send them back",
    .usage = "kscore redrive -c FILE [--go] [--to-origin] [--reason TEXT ...]",
    .help =
        "Reads the dead letters that lie in the topic now. Each is scored as what it was: its "
        "score names its origin.\n"
        "What fails again becomes a dead letter again, with one attempt more; after [dead_letters] "
        "attempts it is left\n"
        "alone. Without --go it is a dry run: everything but sending, and a count by reason.\n\n"
        "  kscore redrive -c kscore.ini                                what would become of them\n"
        "  kscore redrive -c kscore.ini --reason unknown_schema_id --go    the schema is there "
        "now\n"
        "  kscore redrive -c kscore.ini --stage bind --since 2h --limit 10 --go\n"
        "  kscore redrive -c kscore.ini --to-origin --go               run scores them, with new "
        "offsets\n"
        "  kscore redrive -c kscore.ini --topic payments-dlt           another system's: Connect, "
        "Streams, Spring, ...\n\n"
        "What is done is noted in Kafka, in the group <group>-redrive: no redrive does it again, "
        "whatever it selects.\n"
        "See docs/redrive.md.\n\n"
        "0 done, also with dead letters, or stopped: then the last line says so and how to go on; "
        "75 another redrive is\n"
        "at work, or not all was noted; 65 model, or no room for a note; 77 permission; 78 "
        "configuration or a topic that\nis missing.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
