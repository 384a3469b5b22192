/* configured.h: what the commands with -c FILE share: its options, and ending by a signal. */
#ifndef CLI_CONFIGURED_H
#define CLI_CONFIGURED_H

#include <signal.h>

#include "cli/cli.h"
#include "core/config.h"

enum { CONFIGURED_MAX_OVERRIDES = 64 };

/* For a command's table of options. */
#define CONFIGURED_OPTIONS                                                                         \
    {'c', "config", "FILE", "configuration; config.example.ini is its manual"},                    \
    {                                                                                              \
        's', "set", "SECTION.KEY=VALUE", "override one key, not a secret; may be repeated"         \
    }

struct configured {
    const char *path;
    const char *items[CONFIGURED_MAX_OVERRIDES];
    size_t count;
};

/* Takes one of the two options; false as cli_parse's take. */
bool configured_take(struct configured *configured, const struct cli_option *option,
                     const char *value);
bool configured_is_option(const struct cli_option *option);

/* As config_load; EXIT_USAGE when -c is missing. */
int configured_load(struct config *config, const struct cli_command *command,
                    const struct configured *configured, struct err *err);

/* SIGTERM and SIGINT set the flag that is returned, a second one, at least
 * 200 ms later, exits now with EXIT_AGAIN; SIGPIPE
 * and SIGHUP are ignored. */
const volatile sig_atomic_t *configured_catch_signals(void);

/* After that: each SIGHUP adds one to *count. */
void configured_count_hangups(_Atomic unsigned *count);

#endif
