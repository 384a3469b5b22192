/* observer.h: a thread that looks at a running instance once a second and keeps what a moment
 * cannot show: how things were before, how far the logs and those who read the scores are.
 *
 * Its answers are whole documents: /metrics, /status, health. Memory is bounded: an hour of
 * samples, the journal's entries.
 *
 * Owns its thread, borrows what observer_options names. observer_new and _free on one thread;
 * the rest from any.
 */
#ifndef PIPELINE_OBSERVER_H
#define PIPELINE_OBSERVER_H

#include <stdbool.h>

#include "core/config.h"
#include "core/journal.h"
#include "core/metrics.h"

struct observer_options {
    const struct config *config;
    const char *build;
    struct board *board;
    struct journal *journal;
    struct journaling *journaling; /* pipeline/journaling.h, or NULL */
};

struct observer;

struct observer *observer_new(const struct observer_options *options);
void observer_free(struct observer *observer); /* or NULL; waits for its thread */

/* The table of metrics, for its page and its test: up to cap rows; returns how many there are. */
struct metric_row {
    const char *name, *type, *labels, *help; /* labels: "topic, partition" */
};
size_t observer_metric_rows(struct metric_row *rows, size_t cap);

/* Prometheus' text format, docs/metrics.md. From malloc. */
char *observer_metrics(struct observer *observer);

/* JSON, docs/status.md. From malloc. */
char *observer_status(struct observer *observer);

/* A line for people, from malloc, and whether it is so. Healthy: every loop turns, and no partition
 * with lag stands still without a known cause. Ready: it takes events. */
bool observer_is_healthy(struct observer *observer, char **why);
bool observer_is_ready(struct observer *observer, char **why);

#endif
