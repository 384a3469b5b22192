/* checks.h: what the files of `kscore check` share: the list's rows, what one check leaves for the
 * next, and how lines are said.
 *
 *   check.c          the table, and the order of things
 *   check_local.c    files: configuration, secrets, model, cache
 *   check_kafka.c    brokers, topics, permissions, sizes
 *   check_group.c    the group, and where reading would start
 *   check_schemas.c  registry, schemas against the model, the newest events
 *
 * A check says at least one line, or none when there is nothing of its kind in the configuration.
 */
#ifndef PIPELINE_CHECKS_H
#define PIPELINE_CHECKS_H

#include <stdbool.h>

#include "consumer/probe.h"
#include "pipeline/check.h"
#include "producer/producer.h"
#include "scoring/bundle.h"

enum { CHECK_ASK_MS = 3000 }; /* one question */

struct checker;

struct check {
    const char *name;
    unsigned needs; /* bits: 1u << index of checks before it */
    void (*run)(struct checker *checker);
};

struct checker {
    const struct check_options *options;
    const struct config *config;
    struct check_summary *summary;
    const struct check *now; /* running */
    unsigned bad;            /* bits of those that failed or were skipped */

    struct bundle *bundle;      /* of the check "model" */
    struct probe *probe;        /* of "brokers" */
    struct kafka_topic *inputs; /* of "input": topic_count; no partitions: it is not there */
    struct producer_topic outputs[PROVEN_COUNT]; /* of "output" */
    size_t output_count;
    struct err group_error; /* of "input": the group is denied */
    bool is_group_proven;   /* of "input": it is not */
};

/* Runs a table in its order. */
void checks_run(struct checker *checker, const struct check *list, size_t count);

/* A line of the running check. */
void check_say(struct checker *checker, enum check_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void check_fail(struct checker *checker, const struct err *err);

/* check_local.c */
void check_configuration(struct checker *checker);
void check_secrets(struct checker *checker);
void check_model(struct checker *checker);
void check_cache(struct checker *checker);

/* check_kafka.c */
void check_brokers(struct checker *checker);
void check_input(struct checker *checker);
void check_output(struct checker *checker);
void check_sizes(struct checker *checker);
void check_transactions(struct checker *checker);

/* check_group.c */
void check_group(struct checker *checker);
void check_start(struct checker *checker);

/* check_schemas.c */
void check_registry(struct checker *checker);
void check_schemas(struct checker *checker);
void check_events(struct checker *checker);

#endif
