#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "tests/harness.h"

/* The library's clock, moved on by the tests: ten seconds pass without a sleep. */
static time_t jumped_s;

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);

    if (id == CLOCK_MONOTONIC)
        now->tv_sec += jumped_s;
    return result;
}

static FILE *captured;

/* Standard error goes to a file; each test runs in a child of its own. */
static void capture(void)
{
    captured = tmpfile();
    ck_assert_ptr_nonnull(captured);
    ck_assert_int_ge(dup2(fileno(captured), STDERR_FILENO), 0);
}

static const char *line(int number)
{
    static char text[20000];

    fflush(stderr);
    rewind(captured);
    for (int i = 0; i <= number; i++)
        if (!fgets(text, sizeof text, captured))
            return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* ---- the tap */

static _Atomic int hearing;

/* Long enough that whoever takes it away comes in between. */
static void hear(void *arg, const struct log_line *said)
{
    (void)said;
    hearing++;
    sched_yield();
    ck_assert_ptr_eq(arg, &hearing);
    hearing--;
}

static void *chatter(void *arg)
{
    while (!atomic_load((_Atomic bool *)arg))
        log_event(LOG_INFO, "kafka", "from a thread that nobody waits for");
    return NULL;
}

START_TEST(a_tap_that_was_taken_away_is_called_no_more)
{
    _Atomic bool must_end = false;
    pthread_t thread;

    log_set_level(LOG_ERROR);
    ck_assert_int_eq(pthread_create(&thread, NULL, chatter, &must_end), 0);
    for (int i = 0; i < 2000; i++) {
        log_set_tap(hear, &hearing);
        sched_yield();
        log_set_tap(NULL, NULL);
        ck_assert_int_eq(hearing, 0);
    }
    atomic_store(&must_end, true);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(a_text_line_has_stamp_level_event_and_words)
{
    const char *text;

    capture();
    log_event(LOG_WARNING, "waiting", "for=%s", "brokers");
    text = line(0);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strcspn(text, "T"), 10);
    ck_assert_int_eq(text[23], 'Z');
    ck_assert_str_eq(text + 24, " warning event=waiting for=brokers");
    ck_assert_ptr_null(line(1));
}
END_TEST

START_TEST(a_json_line_reads_back_whatever_the_text)
{
    json_t *root;
    const char *event, *level, *msg, *ts;

    capture();
    log_set_json(true);
    log_event(LOG_ERROR, "failed", "a \"quote\" \\ tab\t esc\x1b line\nend \xff \xc3\xa9");
    root = json_loads(line(0), 0, NULL);
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(json_unpack(root, "{s:s,s:s,s:s,s:s}", "ts", &ts, "level", &level, "event",
                                 &event, "msg", &msg),
                     0);
    ck_assert_str_eq(event, "failed");
    ck_assert_str_eq(level, "error");
    ck_assert_str_eq(msg, "a \"quote\" \\ tab\t esc\x1b line end \xef\xbf\xbd \xc3\xa9");
    ck_assert_uint_eq(strlen(ts), 24);
    json_decref(root);
}
END_TEST

START_TEST(every_line_stays_one_line)
{
    capture();
    log_event(LOG_INFO, "kafka", "first\r\nsecond");
    ck_assert_ptr_nonnull(strstr(line(0), "first  second"));
    ck_assert_ptr_null(line(1));
}
END_TEST

START_TEST(long_texts_are_cut)
{
    char text[5000];

    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    capture();
    log_set_json(true);
    log_event(LOG_INFO, "kafka", "%s", text);
    json_t *root = json_loads(line(0), 0, NULL);
    ck_assert_ptr_nonnull(root);
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(root, "msg"))), 2047);
    json_decref(root);
}
END_TEST

START_TEST(a_worker_signs_its_lines_and_what_two_of_them_say_is_said_once)
{
    json_t *root;

    capture();
    log_set_worker(1);
    log_event(LOG_INFO, "ready", "name=a");
    ck_assert_str_eq(line(0) + 24, " info event=ready worker=1 name=a");
    log_set_worker(2);
    log_event(LOG_INFO, "ready", "name=a");
    log_set_json(true);
    log_event(LOG_INFO, "ready", "name=b");
    root = json_loads(line(1), 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "worker")), 2);
    json_decref(root);
    ck_assert_ptr_null(line(2));
}
END_TEST

START_TEST(levels_below_the_set_one_are_silent)
{
    capture();
    ck_assert(log_is_on(LOG_INFO) && !log_is_on(LOG_DEBUG));
    log_event(LOG_DEBUG, "kafka", "quiet");
    log_set_level(LOG_ERROR);
    log_event(LOG_WARNING, "kafka", "quiet");
    log_event(LOG_ERROR, "kafka", "loud");
    ck_assert_ptr_nonnull(strstr(line(0), "loud"));
    ck_assert_ptr_null(line(1));
}
END_TEST

START_TEST(repeated_lines_are_counted_and_said_once)
{
    capture();
    for (int i = 0; i < 5; i++)
        log_event(LOG_INFO, "waiting", "for=brokers");
    log_event(LOG_INFO, "waiting", "for=schemas");
    ck_assert_ptr_nonnull(strstr(line(0), "for=brokers"));
    ck_assert_ptr_nonnull(strstr(line(1), "for=schemas"));
    ck_assert_ptr_null(line(2));
    jumped_s += 11;
    log_event(LOG_INFO, "waiting", "for=brokers");
    ck_assert_ptr_nonnull(strstr(line(2), "for=brokers (and 4 times before)"));
    ck_assert_ptr_null(line(3));
    jumped_s += 11;
    log_event(LOG_INFO, "waiting", "for=brokers");
    ck_assert_ptr_null(strstr(line(3), "times before"));
}
END_TEST

START_TEST(each_of_many_lines_that_take_turns_is_said_once)
{
    enum { PARTITIONS = 1000 };

    capture();
    for (int i = 0; i < 3 * PARTITIONS; i++)
        log_event(LOG_WARNING, "parked", "topic=in partition=%d schema=7", i % PARTITIONS);
    ck_assert_ptr_nonnull(strstr(line(PARTITIONS - 1), "partition=999 "));
    ck_assert_ptr_null(line(PARTITIONS));
}
END_TEST

START_TEST(a_lasting_trouble_is_the_same_line_whatever_its_numbers)
{
    capture();
    for (int i = 0; i < 50; i++) {
        log_event(LOG_WARNING, "rewound", "returned=%d suspects=0", i);
        log_event(LOG_WARNING, "kafka", "b:9092/1: refused (after %dms in state CONNECT)", i);
        log_event(LOG_WARNING, "assigned", "partitions=%d", i % 2);
    }
    ck_assert_ptr_nonnull(strstr(line(0), "returned=0 "));
    ck_assert_ptr_nonnull(strstr(line(1), "after 0ms"));
    ck_assert_ptr_nonnull(strstr(line(3), "partitions=1"));
    ck_assert_ptr_null(line(4));
}
END_TEST

START_TEST(repeats_are_a_number_in_json)
{
    capture();
    log_set_json(true);
    for (int i = 0; i < 3; i++)
        log_event(LOG_INFO, "waiting", "for=brokers");
    jumped_s += 11;
    log_event(LOG_INFO, "waiting", "for=brokers");
    json_t *root = json_loads(line(1), 0, NULL);
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "repeated")), 2);
    json_decref(root);
}
END_TEST

START_TEST(the_list_has_no_event_twice)
{
    const char *const *events = log_events();

    for (size_t i = 0; events[i]; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(events[i], events[k]);
}
END_TEST

SUITE(log)
{
    CASE("lines", a_text_line_has_stamp_level_event_and_words,
         a_json_line_reads_back_whatever_the_text, every_line_stays_one_line, long_texts_are_cut,
         a_worker_signs_its_lines_and_what_two_of_them_say_is_said_once,
         levels_below_the_set_one_are_silent);
    CASE("repeats", repeated_lines_are_counted_and_said_once,
         each_of_many_lines_that_take_turns_is_said_once,
         a_lasting_trouble_is_the_same_line_whatever_its_numbers, repeats_are_a_number_in_json);
    CASE("tap", a_tap_that_was_taken_away_is_called_no_more);
    CASE("list", the_list_has_no_event_twice);
}
