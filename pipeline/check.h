/* check.h: proves what can be proven before a deploy: `kscore check`.
 *
 * A list of checks in a fixed order (check.c has the table). Each says one or more lines; those
 * that rest on one that failed are skipped, all others run, so that one call shows everything that
 * must be changed. The exit code is that of the first failure in that order, and the one that `run`
 * would end with; what `run` would wait for is EXIT_UNAVAILABLE.
 *
 * Nothing is changed that others could see: no group is joined, nothing is committed, no topic and
 * no schema is made, no record is written. What cannot be proven that way is said to be not proven.
 * Every question has a deadline: it never waits for ever.
 */
#ifndef PIPELINE_CHECK_H
#define PIPELINE_CHECK_H

#include <stddef.h>

#include "core/config.h"
#include "core/err.h"

enum check_result {
    CHECK_PROVEN,
    CHECK_REMARK,     /* true, and worth a thought */
    CHECK_NOT_PROVEN, /* it may be well or not; the text says why it is not known */
    CHECK_FAILED,     /* the text says what to change; exit_code */
    CHECK_SKIPPED,    /* it rests on a check that failed */
    CHECK_RESULT_COUNT
};

/* "proven", "remark", "not proven", "failed", "skipped"; static. */
const char *check_result_word(enum check_result result);

struct check_line {
    const char *check; /* one word: "brokers" */
    enum check_result result;
    const char *text; /* one line */
    int exit_code;    /* of FAILED, else 0 */
};

struct check_options {
    const char *path;               /* of the configuration */
    const struct config *config;    /* NULL: it cannot be read */
    const struct err *config_error; /* and why */
    void *arg;
    void (*say)(void *arg, const struct check_line *line); /* as each is known; borrowed */
};

struct check_summary {
    size_t counts[CHECK_RESULT_COUNT];
    int exit_code;
};

/* Names of the checks in their order, for docs/check.md and its test. Static. */
size_t check_names(const char *names[], size_t cap);

void check_run(const struct check_options *options, struct check_summary *summary);

#endif
