/* comparing.h: the options of kscore replay that compare, and their run. */
#ifndef CLI_COMPARING_H
#define CLI_COMPARING_H

#include "cli/cli.h"
#include "pipeline/compare.h"

#define COMPARING_OPTIONS                                                                          \
    {0, "compare", NULL, "write nothing: hold the scores against those that are published"},       \
        {0, "against", "PATH", "the same against what this bundle gives, instead"},                \
        {0, "tolerance", "N", "scores that differ by no more are taken as equal; default: 0"},     \
        {0, "published-by", "DIGEST", "only what bundles of a digest that begins so published"},   \
    {                                                                                              \
        0, "published-from", "WHERE", "where reading what is published begins; default: earliest"  \
    }

struct comparing {
    bool is_on;
    const char *against, *digest;
    double tolerance;
    struct reader_place from;
    const char *option; /* the last of those that need --compare, or NULL */
};

bool comparing_is_option(const struct cli_option *option);
/* As cli_parse's take. */
bool comparing_take(struct comparing *comparing, const struct cli_option *option,
                    const char *value);

/* What was asked for makes sense; EXIT_USAGE. */
int comparing_check(const struct comparing *comparing, struct err *err);

/* Prints what it came to, and the account. replay: of here; against: the configuration with the
 * other bundle, or NULL. Returns the exit code: EXIT_DATA also when they differ, or when there is
 * nothing to compare. */
int comparing_run(const struct comparing *comparing, const struct replay_options *replay,
                  const struct config *against, bool is_json);

#endif
