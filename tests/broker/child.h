/* child.h: the real binary as a process: kscore beside the test binary, its log in a file.
 *
 * It dies with the test. Every wait has a deadline, and a failure shows how the log ends.
 */
#ifndef TESTS_BROKER_CHILD_H
#define TESTS_BROKER_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "tests/broker/cluster.h"

struct child {
    pid_t pid;
    char path[400]; /* of the log */
    char *log;      /* as read last; NUL at its end */
    int code;       /* -1 while it runs; 128 + signal when killed */
};

/* kscore (or $KSCORE_BINARY beside it) WORDS...; its output goes into a file in folder. words end
 * with NULL. */
void child_exec(struct child *child, const char *folder, const char *const *words);

/* kscore run -c the cluster's configuration -s ITEM for each item, NULL-terminated. */
void child_start(struct child *child, struct cluster *cluster, const char *const *items);
#define child_run(child, cluster, ...)                                                             \
    child_start(child, cluster, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* kscore COMMAND -c the cluster's configuration WORDS..., NULL-terminated. */
void child_command(struct child *child, struct cluster *cluster, const char *command,
                   const char *const *words);

/* Waits until the log holds text for the nth time (1 = once). Returns that line, in a
 * buffer of its own per call (4 of them). */
const char *child_wait_line(struct child *child, const char *text, int nth);

/* Sends events until the log holds text. */
void child_send_until(struct child *child, struct cluster *cluster, const char *text);

/* How often text is in the log now. */
int child_count(struct child *child, const char *text);

/* The number behind `name=` in a line of the log. */
int64_t child_number(const char *line, const char *name);

void child_signal(struct child *child, int number);

/* Whether it runs; takes note of its end. */
bool child_is_running(struct child *child);

/* Waits for its end, and checks the exit code (128 + signal). */
void child_expect_exit(struct child *child, int code);

/* It failed with exactly one line that complains, and text is in it. Returns that line. */
const char *child_expect_complaint(struct child *child, const char *text);

/* SIGTERM, and exit 0. Checks the sum of P1 in the last line, which is event=stopped. Returns that
 * line. */
const char *child_stop(struct child *child);

/* Stops both: each record has one outcome, and no partition a lag. Releases them, and closes the
 * cluster. */
void child_finish_pair(struct cluster *cluster, struct child *a, struct child *b);

/* A crash: SIGKILL, which it must still be there for; releases it. */
void child_kill(struct child *child);

/* Frees; kills it when it runs. */
void child_release(struct child *child);

#endif
