#include "cli/cli.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

static const struct cli_command *const commands[] = {
    &cli_demo,   &cli_run,  &cli_check,   &cli_status, &cli_reload,  &cli_rollback, &cli_resume,
    &cli_schema, &cli_tail, &cli_explain, &cli_replay, &cli_redrive, &cli_score,    &cli_model};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_overview(FILE *out)
{
    fprintf(out, "kscore scores a Kafka topic with a machine-learning model.\n\n"
                 "usage: kscore COMMAND [OPTIONS]        kscore COMMAND --help shows examples\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n  --help, --version\n\n"
                 "Start with: kscore demo\n"
                 "Exit codes: 0 well, 64 usage, 65 data or model, 69 unavailable, 70 internal, 74 "
                 "input or output,\n"
                 "            75 try again, 77 permission, 78 configuration\n");
}

static void print_help(const struct cli_command *command)
{
    printf("usage: %s\n\n%s.\n\n", command->usage, command->summary);
    for (size_t i = 0; i < command->option_count; i++) {
        const struct cli_option *o = &command->options[i];
        char left[64], letter[8] = "    ";
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
                 o->arg ? o->arg : "");
        printf("  %-28s %s\n", left, o->help);
    }
    printf("  %-28s %s\n", "-h, --help", "show this");
    printf("\n%s", command->help);
}

int cli_fail(const struct cli_command *command, const struct err *err)
{
    fprintf(stderr, "kscore %s: %s\n", command->name, err->text);
    return err->exit_code;
}

static const struct cli_option *find_option(const struct cli_command *command, const char *word,
                                            size_t len, bool is_long)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const struct cli_option *o = &command->options[i];
        if (is_long ? strlen(o->name) == len && memcmp(o->name, word, len) == 0
                    : o->letter != 0 && o->letter == *word)
            return o;
    }
    return NULL;
}

static int unknown_option(const struct cli_command *command, const char *word, struct err *err)
{
    const char *names[CLI_OPTIONS_MAX], *near;
    size_t count = 0;

    assert(command->option_count <= CLI_OPTIONS_MAX);
    for (size_t i = 0; i < command->option_count; i++)
        names[count++] = command->options[i].name;
    near = text_nearest(word + strspn(word, "-"), names, count);
    return err_fatal(err, EXIT_USAGE, "no option %s%s%s%s; see kscore %s --help", word,
                     near ? "; did you mean --" : "", near ? near : "", near ? "?" : "",
                     command->name);
}

int cli_parse(const struct cli_command *command, int argc, char **argv,
              bool (*take)(void *arg, const struct cli_option *option, const char *value),
              void *arg, struct err *err)
{
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *value = NULL;
        bool is_long = strncmp(word, "--", 2) == 0;
        const struct cli_option *option;
        if (*word != '-' || !word[1]) {
            if (!take(arg, NULL, word))
                return err_fatal(err, EXIT_USAGE, "one word too many: %s; see kscore %s --help",
                                 word, command->name);
            continue;
        }
        option =
            find_option(command, word + 1 + is_long, is_long ? strcspn(word + 2, "=") : 1, is_long);
        if (!option)
            return unknown_option(command, word, err);
        if (is_long && strchr(word, '='))
            value = strchr(word, '=') + 1;
        else if (!is_long && word[2])
            value = word + 2;
        else if (option->arg && i + 1 < argc)
            value = argv[++i];
        if ((option->arg != NULL) != (value != NULL))
            return err_fatal(err, EXIT_USAGE, "--%s takes %s; see kscore %s --help", option->name,
                             option->arg ? option->arg : "no value", command->name);
        if (!take(arg, option, value))
            return err_fatal(err, EXIT_USAGE, "--%s does not take %s: %s; see kscore %s --help",
                             option->name, value ? value : "this", option->help, command->name);
    }
    return 0;
}

/* In quotes where a shell would see more than a word. */
static void print_word(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_=+:,./@%";

    if (*word && word[strspn(word, plain)] == '\0') {
        fprintf(out, " %s", word);
        return;
    }
    fputs(" '", out);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, out);
    fputc('\'', out);
}

char *cli_command_line(const struct cli_command *command, int argc, char **argv)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "kscore %s", command->name);
    for (int i = 0; i < argc; i++)
        print_word(out, argv[i]);
    fclose(out);
    return text;
}

static bool is_help_option(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (is_help_option(argv[i]))
            return true;
    return false;
}

static int unknown_command(const char *word)
{
    const char *names[COMMAND_COUNT], *near;

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    near = text_nearest(word, names, COMMAND_COUNT);
    fprintf(stderr, "kscore: no command %s%s%s%s; kscore --help lists them\n", word,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return EXIT_USAGE;
}

static const struct cli_command *find_command(const char *word)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(word, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

/* Of a command, or NULL: of all. */
static int help(const char *word)
{
    const struct cli_command *command = word ? find_command(word) : NULL;

    if (word && !command)
        return unknown_command(word);
    if (command)
        print_help(command);
    else
        print_overview(stdout);
    return EXIT_OK;
}

int cli_main(int argc, char **argv)
{
    const struct cli_command *command;

    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        cli_print_version();
        return EXIT_OK;
    }
    if (strcmp(argv[1], "help") == 0 || is_help_option(argv[1]))
        return help(argc > 2 && !is_help_option(argv[2]) ? argv[2] : NULL);
    command = find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    if (asks_for_help(argc - 2, argv + 2))
        return help(argv[1]);
    return command->run(command, argc - 2, argv + 2);
}
