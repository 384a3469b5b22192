#include "cli/configured.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/clock.h"

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

/* Secrets live in librdkafka's and libcurl's memory: no core file, and no look from another process
 * of the same user at memory or environment. Root still may. A leak check by ptrace could not. */
static void forbid_dumps(void)
{
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

int configured_load(struct config *config, const struct cli_command *command,
                    const struct configured *c, struct err *err)
{
    if (!c->path)
        return err_fatal(err, EXIT_USAGE, "-c FILE is missing; see kscore %s --help",
                         command->name);
    if (config_load(config, c->path, &(struct config_overrides){c->items, c->count}, err) != 0)
        return -1;
    if (config_has_secrets(config))
        forbid_dumps();
    return 0;
}

/* Signals reach the program as such: the only state outside of main's stack. */
static volatile sig_atomic_t stop;
static volatile int64_t stop_ms;
static _Atomic unsigned *hangups;

/* The second one means now. But coreutils' timeout, and whoever else signals a process and its
 * group, sends one order as two signals, some microseconds apart. */
static void on_signal(int number)
{
    enum { ONE_ORDER_MS = 200 };

    (void)number;
    if (stop && clock_ms() - stop_ms >= ONE_ORDER_MS)
        _exit(EXIT_AGAIN);
    if (stop)
        return;
    stop_ms = clock_ms();
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

static void on_hangup(int number)
{
    (void)number;
    atomic_fetch_add(hangups, 1);
}

void configured_count_hangups(_Atomic unsigned *count)
{
    struct sigaction action = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};

    hangups = count;
    sigaction(SIGHUP, &action, NULL);
}
