/* served.h: what a kscore that runs says of itself, asked at its control socket, again and again
 * until it is so or a deadline is over. */
#ifndef TESTS_BROKER_SERVED_H
#define TESTS_BROKER_SERVED_H

#include <jansson.h>
#include <stdbool.h>

#include "tests/broker/child.h"

/* The -s item that gives it a control socket in its cluster's folder. Static buffer. */
const char *served_socket(const struct cluster *cluster);

/* GET path; "" while nobody answers. The caller frees. */
char *served_ask(const struct cluster *cluster, const char *path);

typedef bool served_test(const json_t *status, void *arg);

/* Waits until test says so of /status, and returns that; json_decref it. */
json_t *served_wait(struct child *child, const struct cluster *cluster, served_test *test,
                    void *arg);

/* A value by member names with dots: "downstream.groups.0.lag". NULL: there is none. */
const json_t *served_find(const json_t *status, const char *path);

/* Waits until that number is in low..high. */
void served_wait_number(struct child *child, const struct cluster *cluster, const char *path,
                        int64_t low, int64_t high);

#endif
