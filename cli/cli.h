/* cli.h: commands: options in, exit code out. One file per command; the table in cli.c lists them.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

enum { CLI_OPTIONS_MAX = 40 };

/* An option of a command; the table both parses and prints the help. */
struct cli_option {
    char letter;      /* 0 = only the long name */
    const char *name; /* without the dashes */
    const char *arg;  /* what its argument is called; NULL = a flag */
    const char *help; /* one line */
};

struct cli_command {
    const char *name;
    const char *summary; /* one line in the list of commands */
    const char *usage;   /* "kscore run -c FILE [-s section.key=value ...]" */
    const char *help;    /* teaches, by examples to paste */
    const struct cli_option *options;
    size_t option_count; /* at most CLI_OPTIONS_MAX */
    int (*run)(const struct cli_command *command, int argc, char **argv);
};

extern const struct cli_command cli_run, cli_check, cli_schema, cli_tail, cli_explain, cli_replay,
    cli_redrive, cli_score, cli_model, cli_demo, cli_status, cli_resume, cli_rollback, cli_reload;

int cli_main(int argc, char **argv);

/* Walks through argv. Calls take(arg, option, value) for each option, take(arg, NULL, word) for
 * each other word; take returns false to refuse. 0, or -1 with EXIT_USAGE. */
int cli_parse(const struct cli_command *command, int argc, char **argv,
              bool (*take)(void *arg, const struct cli_option *option, const char *value),
              void *arg, struct err *err);

/* The command as a shell takes it; the caller frees it. */
char *cli_command_line(const struct cli_command *command, int argc, char **argv);

/* "kscore run: TEXT" on standard error; returns the error's exit code. */
int cli_fail(const struct cli_command *command, const struct err *err);

/* Text of `kscore --version`, and the build alone. */
void cli_print_version(void);
const char *cli_build(void);

#endif
