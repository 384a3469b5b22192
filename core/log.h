/* log.h: one line per happening on standard error, text or JSON, never on the hot path.
 *
 *   log_event(LOG_INFO, "model_loaded", "name=%s version=%s", name, version);
 *
 * prints  2026-01-02T03:04:05.678Z info event=model_loaded name=delay version=2
 * or      {"ts":"...","level":"info","event":"model_loaded","msg":"name=delay version=2"}
 *
 * The events are a closed list (log.c, held by a test). A line that repeats (same event and text;
 * for those that a lasting trouble brings again and again, but for its numbers) within 10 s is
 * counted and said once. Feature values and secrets never go in. Any thread may log:
 * a mutex keeps lines whole. Where several workers run, each line says which (worker=1); what all
 * of them say is said once. The settings are the one process-wide state of the program, set once
 * in cli/; a worker's number is its thread's.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
void log_set_json(bool json);
bool log_is_on(enum log_level level);

/* One line as it was said, before the level and repetition keep it back. */
struct log_line {
    enum log_level level;
    const char *event; /* static */
    const char *text;
    int worker; /* -1: none */
};

/* Hears every line of the closed list, on the thread that says it, one at a time; must not log. Set
 * before other threads run. Behind log_set_tap(NULL, NULL) it is called no more: a client of Kafka
 * that did not end in time may still log. */
typedef void log_tap(void *arg, const struct log_line *line);
void log_set_tap(log_tap *tap, void *arg);

/* Lines of this thread say which worker they are from; -1: none. */
void log_set_worker(int number);

/* event must be in the closed list; format gives `key=value` words or a sentence. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The closed list, NULL-terminated, for the documentation and its test. */
const char *const *log_events(void);

#endif
