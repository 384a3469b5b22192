#include "core/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/hash.h"
#include "core/text.h"

enum { TEXT_MAX = 2048, RECENT = 1024, REPEAT_MS = 10000 };

/* The closed list; docs/log-events.md says what each means. A test holds it against the page and
 * against every log_event in the sources: a line that is said for the first time at 3 a.m. must not
 * abort the program. */
static const char *const events[] = {"starting",
                                     "model_loaded",
                                     "schema_loaded",
                                     "schema_unusable",
                                     "cache_failed",
                                     "connecting",
                                     "waiting",
                                     "ready",
                                     "assigned",
                                     "revoked",
                                     "gap",
                                     "parked",
                                     "unparked",
                                     "delivery_failed",
                                     "rewound",
                                     "refused",
                                     "stopping",
                                     "stopped",
                                     "failed",
                                     "kafka",
                                     "commit_failed",
                                     "full",
                                     "dead_letter",
                                     "stale_alert",
                                     "recovered",
                                     "breaker_open",
                                     "breaker_half_open",
                                     "breaker_closed",
                                     "suspect",
                                     "suspect_over",
                                     "changed",
                                     "first_dead_letter",
                                     "http",
                                     "model_refused",
                                     "model_swapped",
                                     "model_unchanged",
                                     "model_rolled_back",
                                     "model_first_offset",
                                     NULL};

/* These come back as long as their cause lasts, with other numbers each time: lines that differ in
 * nothing else are the same. */
static const char *const recurring[] = {"kafka", "rewound", "refused", "full", NULL};

static struct {
    pthread_mutex_t lock;
    enum log_level level;
    bool is_json;
    log_tap *_Atomic tap; /* for whoever asks whether there is one; it is called under the lock */
    void *tap_arg;
    /* What was said lately, so that the same line is counted and not repeated. */
    struct recent {
        uint64_t hash;
        int64_t said_ms;
        unsigned repeats;
    } recent[RECENT];
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

static _Thread_local int worker = -1;

const char *const *log_events(void)
{
    return events;
}

void log_set_level(enum log_level level)
{
    logger.level = level;
}

void log_set_json(bool json)
{
    logger.is_json = json;
}

void log_set_tap(log_tap *tap, void *arg)
{
    pthread_mutex_lock(&logger.lock);
    logger.tap_arg = arg;
    logger.tap = tap;
    pthread_mutex_unlock(&logger.lock);
}

void log_set_worker(int number)
{
    worker = number;
}

bool log_is_on(enum log_level level)
{
    return level <= logger.level;
}

static bool is_recurring(const char *event)
{
    for (size_t i = 0; recurring[i]; i++)
        if (strcmp(recurring[i], event) == 0)
            return true;
    return false;
}

static uint64_t hash_text(const char *event, const char *text)
{
    bool with_digits = !is_recurring(event);
    uint64_t h = hash_add(HASH_START, event, strlen(event));

    for (; *text; text++)
        if (with_digits || *text < '0' || *text > '9')
            h = hash_add(h, text, 1);
    return h;
}

/* Whether to say it now; *repeats = how often it was kept back since it was last said. */
static bool is_due(uint64_t hash, int64_t now_ms, unsigned *repeats)
{
    struct recent *oldest = &logger.recent[0];

    *repeats = 0;
    for (int i = 0; i < RECENT; i++) {
        struct recent *r = &logger.recent[i];
        if (r->hash == hash && r->said_ms != 0) {
            if (now_ms - r->said_ms < REPEAT_MS) {
                r->repeats++;
                return false;
            }
            *repeats = r->repeats;
            *r = (struct recent){hash, now_ms, 0};
            return true;
        }
        if (r->said_ms < oldest->said_ms)
            oldest = r;
    }
    *oldest = (struct recent){hash, now_ms, 0};
    return true;
}

static void write_line(enum log_level level, const char *event, const char *text, unsigned repeats)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    static char quoted[JSON_STRING_MAX(TEXT_MAX) + 1]; /* under the lock */
    struct timespec now;
    struct tm utc;
    char stamp[32], again[48] = "", whose[32] = "";

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    if (logger.is_json) {
        if (repeats)
            snprintf(again, sizeof again, ",\"repeated\":%u", repeats);
        if (worker >= 0)
            snprintf(whose, sizeof whose, ",\"worker\":%d", worker);
        quoted[json_string_print(quoted, text, strlen(text))] = '\0';
        fprintf(stderr, "{\"ts\":\"%s.%03ldZ\",\"level\":\"%s\",\"event\":\"%s\"%s,\"msg\":%s%s}\n",
                stamp, now.tv_nsec / 1000000, names[level], event, whose, quoted, again);
        return;
    }
    if (repeats)
        snprintf(again, sizeof again, " (and %u times before)", repeats);
    if (worker >= 0)
        snprintf(whose, sizeof whose, " worker=%d", worker);
    fprintf(stderr, "%s.%03ldZ %s event=%s%s %s%s\n", stamp, now.tv_nsec / 1000000, names[level],
            event, whose, text, again);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char text[TEXT_MAX];
    struct timespec now;
    unsigned repeats;
    va_list args;

    if (!log_is_on(level) && !logger.tap)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    clock_gettime(CLOCK_MONOTONIC, &now);
    pthread_mutex_lock(&logger.lock);
    if (logger.tap)
        logger.tap(logger.tap_arg, &(struct log_line){level, event, text, worker});
    if (log_is_on(level) &&
        is_due(hash_text(event, text), now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1, &repeats))
        write_line(level, event, text, repeats);
    pthread_mutex_unlock(&logger.lock);
}
