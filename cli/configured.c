#include "cli/configured.h"

#include <string.h>
#include <unistd.h>

bool configured_is_option(const struct cli_option *option)
{
    return option && (option->letter == 'c' || option->letter == 's');
}

bool configured_take(struct configured *c, const struct cli_option *option, const char *value)
{
    if (option->letter == 'c') {
        c->path = value;
        return true;
    }
    if (c->count == CONFIGURED_MAX_OVERRIDES)
        return false;
    c->items[c->count++] = value;
    return true;
}

int configured_load(struct config *config, const struct cli_command *command,
                    const struct configured *c, struct err *err)
{
    if (!c->path)
        return err_fatal(err, EXIT_USAGE, "-c FILE is missing; see kscore %s --help",
                         command->name);
    return config_load(config, c->path, &(struct config_overrides){c->items, c->count}, err);
}

/* Signals reach the program as such: the only state outside of main's stack. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    if (stop)
        _exit(EXIT_AGAIN); /* the second one means now */
    stop = 1;
}

const volatile sig_atomic_t *configured_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    return &stop;
}
