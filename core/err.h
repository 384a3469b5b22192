/* err.h: one error, and what the program must do about it.
 *
 * A function that can fail takes `struct err *err` last, returns 0 or -1 (pointers: NULL) and fills
 * it. `kind` is an order, not a description: skip the record, wait, or stop. Only pipeline/ acts on
 * it (pipeline_fail has the one switch); nobody else logs an error that it also returns.
 *
 * The first error wins: setting an err that is already set changes nothing, so clean-up code may
 * fail without hiding the cause. Levels above put context in front with err_prefix.
 *
 * Lifetime: a plain value on somebody's stack, start it with ERR_INIT. Thread: whoever owns it.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdbool.h>

enum err_kind {
    ERR_NONE,       /* nothing happened */
    ERR_RECORD,     /* this record is bad: dead letter, go on */
    ERR_DEPENDENCY, /* something else is not there now: wait and try again */
    ERR_FATAL, /* configuration, model, permissions or program are wrong: stop with exit_code */
};

/* Exit codes of the program, those of BSD's sysexits(3). */
enum exit_code {
    EXIT_OK = 0,
    EXIT_USAGE = 64,
    EXIT_DATA = 65,
    EXIT_UNAVAILABLE = 69,
    EXIT_INTERNAL = 70,
    EXIT_IO = 74,
    EXIT_AGAIN = 75,
    EXIT_DENIED = 77,
    EXIT_CONFIGURATION = 78,
};

struct err {
    enum err_kind kind;
    int exit_code;  /* what main returns when kind is ERR_FATAL, or when waiting is given up */
    char text[800]; /* one line for a person: what, where, remedy; never a secret or a feature value
                     */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .kind = ERR_NONE                                                                           \
    }

/* Each sets *err unless it is set already, and returns -1 so that `return err_fatal(...)` reads
 * well. */
int err_record(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int err_dependency(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int err_fatal(struct err *err, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text. No effect on an err that is not set. Returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

void err_reset(struct err *err);
bool err_is_set(const struct err *err);

#endif
