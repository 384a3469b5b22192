/* score.c: kscore score. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bar.h"
#include "cli/cli.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/text.h"
#include "pipeline/offline.h"

static const struct cli_option options[] = {
    {'m', "model", "PATH", "a bundle (folder), or a bare model file"},
    {'i', "input-format", "FORMAT", "jsonl (default), csv, avro, or f32le"},
    {0, "columns", "N", "f32le: floats per row; default: the model's features"},
    {'o', "output-format", "FORMAT", "jsonl (default), csv, f32le, or f64le"},
    {0, "output", "WHAT", "prediction (default), margin, or contributions"},
    {0, "rounds", "N", "score with the first N boosting rounds, or up to the best; default: all"},
};

struct arguments {
    const char *file;
    struct offline_options offline;
};

/* Index of value in words, -1 when it is none. */
static int choose(const char *value, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    return -1;
}

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    static const char *const inputs[] = {"jsonl", "csv", "avro", "f32le", NULL};
    static const char *const outputs[] = {"jsonl", "csv", "f32le", "f64le", NULL};
    static const char *const whats[] = {"prediction", "margin", "contributions", NULL};
    struct arguments *a = arg;
    int choice = 0;
    int64_t number;

    if (!option) {
        if (a->file)
            return false;
        a->file = value;
    } else if (strcmp(option->name, "model") == 0) {
        a->offline.model_path = value;
    } else if (strcmp(option->name, "input-format") == 0) {
        choice = choose(value, inputs);
        a->offline.input = (enum offline_input)choice;
    } else if (strcmp(option->name, "output-format") == 0) {
        choice = choose(value, outputs);
        a->offline.output = (enum offline_output)choice;
    } else if (strcmp(option->name, "output") == 0) {
        choice = choose(value, whats);
        a->offline.values = (enum offline_values)choice;
    } else if (strcmp(option->name, "rounds") == 0) {
        return config_parse_rounds(value, &a->offline.rounds);
    } else {
        if (!integer_parse(value, strlen(value), 1, 1000000, &number))
            return false;
        a->offline.columns = (size_t)number;
    }
    return choice >= 0;
}

/* A bar on standard error, five times a second. */
struct bar {
    uint64_t total_bytes; /* 0 = unknown */
    int64_t start_ms, shown_ms;
};

static void show(void *arg, uint64_t bytes, uint64_t rows)
{
    enum { EVERY_MS = 200 };
    struct bar *bar = arg;
    int64_t now_ms = clock_ms();
    double seconds = (double)(now_ms - bar->start_ms) / 1000;
    double share = bar->total_bytes ? (double)bytes / (double)bar->total_bytes : 0;
    char text[80];

    if (now_ms - bar->shown_ms < EVERY_MS)
        return;
    bar->shown_ms = now_ms;
    snprintf(text, sizeof text, "%llu rows, %.0f rows/s", (unsigned long long)rows,
             seconds > 0 ? (double)rows / seconds : 0.0);
    bar_draw(share, text);
}

static FILE *open_input(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;

    if (file && fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        fclose(file);
        errno = EISDIR;
        return NULL;
    }
    return file;
}

static int score(const struct cli_command *command, struct arguments *a, struct err *err)
{
    struct bar bar = {.start_ms = clock_ms()};
    struct offline_counts counts;
    struct stat info;
    int result;

    a->offline.in = a->file && strcmp(a->file, "-") != 0 ? open_input(a->file) : stdin;
    if (!a->offline.in) {
        err_fatal(err, EXIT_IO, "%s: %s", a->file, strerror(errno));
        return cli_fail(command, err);
    }
    a->offline.out = stdout;
    a->offline.errors = stderr;
    if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO)) {
        if (fstat(fileno(a->offline.in), &info) == 0 && S_ISREG(info.st_mode))
            bar.total_bytes = (uint64_t)info.st_size;
        a->offline.progress = show;
        a->offline.progress_arg = &bar;
    }
    result = offline_score(&a->offline, &counts, err);
    if (bar.shown_ms)
        fputc('\n', stderr);
    if (a->offline.in != stdin)
        fclose(a->offline.in);
    if (result != 0)
        return cli_fail(command, err);
    if (counts.bad == 0)
        return EXIT_OK;
    fprintf(stderr, "kscore score: %llu rows scored, %llu %s refused\n",
            (unsigned long long)counts.rows, (unsigned long long)counts.bad,
            a->offline.input == INPUT_AVRO ? "records or blocks" : "lines");
    return EXIT_DATA;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct err err = ERR_INIT;

    if (cli_parse(command, argc, argv, take, &arguments, &err) != 0)
        return cli_fail(command, &err);
    if (!arguments.offline.model_path) {
        err_fatal(&err, EXIT_USAGE, "--model PATH is missing; see kscore score --help");
        return cli_fail(command, &err);
    }
    return score(command, &arguments, &err);
}

const struct cli_command cli_score = {
    .name = "score",
    .summary = "score rows or events from a file or standard input, without Kafka",
    .usage = "kscore score --model PATH [FILE] [OPTIONS]",
    .help =
        "FILE defaults to standard input. A bundle takes events (the fields its model.ini "
        "names), a bare model file\n"
        "takes its own feature names (f0, f1, ... when it stores none).\n\n"
        "  kscore demo --events 1000 > events.jsonl\n"
        "  kscore score --model examples/payments/bundle events.jsonl\n"
        "  kscore score --model examples/payments/bundle -o csv events.jsonl > scores.csv\n"
        "  kscore score --model models/delay-2 -i csv events.csv 2> refused.txt\n"
        "  kscore score --model models/delay-2 -i avro events.avro\n"
        "  kcat -C -b localhost:9092 -t payments -e -q | kscore score --model "
        "examples/payments/bundle\n"
        "  kscore score --model model.ubj -i f32le --output margin -o f32le rows.f32le > "
        "margins.f32le\n\n"
        "jsonl  one event a line in; {\"line\":1,\"score\":0.25,\"decision\":\"watch\"} out\n"
        "csv    the first line names the columns\n"
        "avro   a container file: its own schema is bound to the features; blocks packed with "
        "null, "
        "deflate, snappy;\n"
        "       line is the record's number\n"
        "f32le  rows of little-endian float32, NaN = missing; f64le: the same as float64 "
        "(output only)\n\n"
        "contributions are how much each feature moved the margin (exact TreeSHAP), and the bias: "
        "they add up to it.\n\n"
        "A line that cannot be scored is said on standard error with its number, and left out; "
        "the rest is scored, and\n"
        "the exit code is 65.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
