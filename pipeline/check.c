#include "pipeline/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/checks.h"

enum {
    CONFIGURATION,
    SECRETS,
    MODEL,
    CACHE,
    BROKERS,
    INPUT,
    OUTPUT,
    SIZES,
    TRANSACTIONS,
    GROUP,
    START,
    REGISTRY,
    SCHEMAS,
    EVENTS
};

#define NEEDS(check) (1u << (check))

/* The order is that of docs/check.md: what is cheap and what others rest on comes first. */
static const struct check table[] = {
    [CONFIGURATION] = {"configuration", 0, check_configuration},
    [SECRETS] = {"secrets", NEEDS(CONFIGURATION), check_secrets},
    [MODEL] = {"model", NEEDS(CONFIGURATION), check_model},
    [CACHE] = {"cache", NEEDS(CONFIGURATION), check_cache},
    [BROKERS] = {"brokers", NEEDS(CONFIGURATION), check_brokers},
    [INPUT] = {"input", NEEDS(BROKERS), check_input},
    [OUTPUT] = {"output", NEEDS(BROKERS), check_output},
    [SIZES] = {"sizes", NEEDS(BROKERS), check_sizes},
    [TRANSACTIONS] = {"transactions", NEEDS(BROKERS), check_transactions},
    [GROUP] = {"group", NEEDS(BROKERS), check_group},
    [START] = {"start", NEEDS(INPUT) | NEEDS(GROUP), check_start},
    [REGISTRY] = {"registry", NEEDS(CONFIGURATION), check_registry},
    [SCHEMAS] = {"schemas", NEEDS(MODEL), check_schemas},
    [EVENTS] = {"events", NEEDS(INPUT) | NEEDS(SCHEMAS), check_events},
};

const char *check_result_word(enum check_result result)
{
    static const char *const words[] = {[CHECK_PROVEN] = "proven",
                                        [CHECK_REMARK] = "remark",
                                        [CHECK_NOT_PROVEN] = "not proven",
                                        [CHECK_FAILED] = "failed",
                                        [CHECK_SKIPPED] = "skipped"};

    return words[result];
}

size_t check_names(const char *names[], size_t cap)
{
    size_t count = sizeof table / sizeof table[0];

    for (size_t i = 0; i < count && i < cap; i++)
        names[i] = table[i].name;
    return count;
}

static void say(struct checker *c, const struct check_line *line)
{
    c->summary->counts[line->result]++;
    if (line->result == CHECK_FAILED && c->summary->exit_code == EXIT_OK)
        c->summary->exit_code = line->exit_code;
    c->options->say(c->options->arg, line);
}

void check_say(struct checker *c, enum check_result result, const char *format, ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(c, &(struct check_line){c->now->name, result, text, 0});
}

void check_fail(struct checker *c, const struct err *err)
{
    say(c, &(struct check_line){c->now->name, CHECK_FAILED, err->text, err->exit_code});
}

/* The first of those that the check rests on which is bad, or NULL. */
static const char *missing(const struct checker *c, const struct check *list, unsigned needs)
{
    for (size_t i = 0; needs >> i; i++)
        if (needs & c->bad & 1u << i)
            return list[i].name;
    return NULL;
}

void checks_run(struct checker *c, const struct check *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t failed = c->summary->counts[CHECK_FAILED];
        const char *why = missing(c, list, list[i].needs);
        c->now = &list[i];
        if (why)
            check_say(c, CHECK_SKIPPED, "it rests on %s", why);
        else
            list[i].run(c);
        if (why || c->summary->counts[CHECK_FAILED] > failed)
            c->bad |= 1u << i;
    }
}

void check_run(const struct check_options *options, struct check_summary *summary)
{
    struct checker c = {.options = options, .config = options->config, .summary = summary};

    *summary = (struct check_summary){0};
    checks_run(&c, table, sizeof table / sizeof table[0]);
    bundle_free(c.bundle);
    probe_free(c.probe);
    free(c.inputs);
}
