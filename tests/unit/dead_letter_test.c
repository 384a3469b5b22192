/* What a dead letter carries: the original untouched, and headers that say where, what and since
 * when (product.md, "Dead letters"; docs/dead-letters.md). */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "producer/dead_letter.h"
#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config config = {.name = (char *)"payments"};
static const struct provenance provenance = {"fraud", "7", "d16e57", "0123456789ab", 3, SCORE_LIVE};
static const uint8_t key[] = {'k', 0, 0xff}, value[] = {0, 0, 0, 0, 9, 'x'};
static const struct record record = {.topic = "in",
                                     .partition = 3,
                                     .offset = 41,
                                     .timestamp_ms = 1385856000000,
                                     .key = {key, sizeof key},
                                     .value = {value, sizeof value}};
static struct dead_parts parts;

static void build(const struct record *r, const struct dead_letter *letter, int64_t limit_bytes)
{
    if (parts.headers)
        rd_kafka_headers_destroy(parts.headers);
    dead_letter_build(&parts, &config, &provenance, r, letter, limit_bytes);
}

static void forget(void)
{
    if (parts.headers)
        rd_kafka_headers_destroy(parts.headers);
}

/* The header at i as "name=value", static buffer. */
static const char *header(size_t i)
{
    static char text[9000];
    const char *name;
    const void *data;
    size_t len;

    if (rd_kafka_header_get_all(parts.headers, i, &name, &data, &len) != 0)
        return NULL;
    if (data)
        snprintf(text, sizeof text, "%s=%.*s", name, (int)len, (const char *)data);
    else
        snprintf(text, sizeof text, "%s is null", name);
    return text;
}

/* The last value of a name, which is the one that readers take; NULL when there is none. */
static const char *last(const char *name)
{
    const void *data;
    size_t len;

    if (rd_kafka_header_get_last(parts.headers, name, &data, &len) != 0)
        return NULL;
    return data; /* librdkafka puts a NUL behind each value */
}

static size_t times(const char *name)
{
    const void *data;
    size_t len, count = 0;

    while (rd_kafka_header_get(parts.headers, count, name, &data, &len) == 0)
        count++;
    return count;
}

static void expect_headers(const char *const *want, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(header(i), want[i]);
    ck_assert_ptr_null(header(count));
}

static size_t size(void)
{
    size_t sum = parts.key.len + parts.value.len;

    for (size_t i = 0; header(i); i++)
        sum += strlen(header(i)) + 10;
    return sum;
}

static struct header text_header(const char *name, const char *text)
{
    return (struct header){name, {(const uint8_t *)text, text ? strlen(text) : 0}};
}

START_TEST(headers_say_where_what_and_since_when)
{
    static const struct dead_letter letter = {
        .fault = FAULT_DECODE_BAD_UNION, .message = "field a, byte 6: no branch 9", .schema_id = 9};
    int64_t before_ms = clock_wall_ms(), first_ms;
    char first_failed[64];

    build(&record, &letter, 0);
    first_ms = strtoll(last("kscore.first_failed"), NULL, 10);
    ck_assert(first_ms >= before_ms && first_ms <= clock_wall_ms());
    snprintf(first_failed, sizeof first_failed, "kscore.first_failed=%lld", (long long)first_ms);
    const char *const want[] = {
        "__connect.errors.topic=in",
        "__connect.errors.partition=3",
        "__connect.errors.offset=41",
        first_failed,
        "kscore.timestamp=1385856000000",
        "__connect.errors.connector.name=payments",
        "__connect.errors.task.id=3",
        "__connect.errors.stage=decode",
        "__connect.errors.class.name=record",
        "__connect.errors.exception.class.name=bad_union",
        "__connect.errors.exception.message=field a, byte 6: no branch 9",
        "kscore.blame=record",
        "kscore.schema_id=9",
        "kscore.model=fraud",
        "kscore.version=7",
        "kscore.digest=d16e57",
        "kscore.run=0123456789ab",
        "kscore.attempt=1",
    };
    expect_headers(want, COUNT(want));
}
END_TEST

START_TEST(a_record_without_a_schema_has_no_header_for_it)
{
    static const struct dead_letter letter = {
        .fault = FAULT_DECODE_BAD_JSON, .message = "", .schema_id = -1};

    build(&record, &letter, 0);
    ck_assert_ptr_null(last("kscore.schema_id"));
    ck_assert_ptr_null(last("kscore.dropped"));
}
END_TEST

START_TEST(key_value_and_headers_are_untouched)
{
    const struct header originals[] = {
        text_header("traceparent", "00-ab"),
        text_header("a", "1"),
        text_header("a", "2"),
        text_header("null", NULL),
        text_header("empty", ""),
        text_header("kscore.model", "x"),
    };
    static const char *const want[] = {"traceparent=00-ab", "a=1",    "a=2",
                                       "null is null",      "empty=", "kscore.model=x"};
    struct dead_letter letter = {.fault = FAULT_DECODE_TRUNCATED,
                                 .message = "",
                                 .schema_id = -1,
                                 .headers = originals,
                                 .header_count = COUNT(originals)};

    build(&record, &letter, 1000000);
    for (size_t i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(header(i), want[i]);
    ck_assert_str_eq(last("kscore.model"), "fraud");
    ck_assert_ptr_eq(parts.key.data, key);
    ck_assert_uint_eq(parts.key.len, sizeof key);
    ck_assert_ptr_eq(parts.value.data, value);
    ck_assert_uint_eq(parts.value.len, sizeof value);
    ck_assert_int_eq(parts.timestamp_ms, record.timestamp_ms);
}
END_TEST

START_TEST(a_record_without_key_stays_without)
{
    static const struct dead_letter letter = {.fault = FAULT_DECODE_TRUNCATED, .message = ""};
    struct record keyless = record;

    keyless.key = (struct slice){NULL, 0};
    build(&keyless, &letter, 0);
    ck_assert_ptr_null(parts.key.data);
}
END_TEST

/* The dead letter is read as an event, and fails again. */
START_TEST(a_second_failure_keeps_the_first_origin_and_replaces_the_error)
{
    const struct header originals[] = {
        text_header("mine", "1"),
        text_header("__connect.errors.topic", "first"),
        text_header("__connect.errors.partition", "8"),
        text_header("__connect.errors.offset", "123"),
        text_header("kscore.first_failed", "1000"),
        text_header("kscore.timestamp", "900"),
        text_header("__connect.errors.stage", "bind"),
        text_header("__connect.errors.exception.class.name", "wrong_type"),
        text_header("__connect.errors.exception.message", "old"),
        text_header("kscore.schema_id", "5"),
        text_header("kscore.dropped", "value"),
        text_header("kscore.attempt", "4"),
    };
    struct dead_letter letter = {.fault = FAULT_DECODE_TRUNCATED,
                                 .message = "new",
                                 .schema_id = -1,
                                 .headers = originals,
                                 .header_count = COUNT(originals)};
    static const char *const once[] = {"__connect.errors.topic",
                                       "__connect.errors.stage",
                                       "__connect.errors.exception.class.name",
                                       "__connect.errors.exception.message",
                                       "kscore.first_failed",
                                       "kscore.attempt"};

    build(&record, &letter, 0);
    ck_assert_str_eq(header(0), "mine=1");
    ck_assert_str_eq(last("__connect.errors.topic"), "first");
    ck_assert_str_eq(last("__connect.errors.partition"), "8");
    ck_assert_str_eq(last("__connect.errors.offset"), "123");
    ck_assert_str_eq(last("kscore.first_failed"), "1000");
    ck_assert_str_eq(last("kscore.timestamp"), "900");
    ck_assert_str_eq(last("__connect.errors.stage"), "decode");
    ck_assert_str_eq(last("__connect.errors.exception.class.name"), "truncated");
    ck_assert_str_eq(last("__connect.errors.exception.message"), "new");
    ck_assert_str_eq(last("kscore.attempt"), "5");
    ck_assert_ptr_null(last("kscore.schema_id"));
    ck_assert_ptr_null(last("kscore.dropped"));
    for (size_t i = 0; i < COUNT(once); i++)
        ck_assert_uint_eq(times(once[i]), 1);
}
END_TEST

/* Kafka Connect's own dead letters have no headers of ours. */
START_TEST(a_dead_letter_of_kafka_connect_gets_what_it_lacks)
{
    const struct header originals[] = {text_header("__connect.errors.topic", "connect"),
                                       text_header("__connect.errors.partition", "2")};
    struct dead_letter letter = {.fault = FAULT_DECODE_TRUNCATED,
                                 .message = "",
                                 .headers = originals,
                                 .header_count = COUNT(originals)};

    build(&record, &letter, 0);
    ck_assert_str_eq(last("__connect.errors.topic"), "connect");
    ck_assert_str_eq(last("__connect.errors.partition"), "2");
    ck_assert_ptr_null(last("__connect.errors.offset")); /* ours would be another topic's */
    ck_assert_ptr_nonnull(last("kscore.first_failed"));
    ck_assert_str_eq(last("kscore.timestamp"), "1385856000000");
    ck_assert_str_eq(last("kscore.attempt"), "1");
}
END_TEST

static const struct {
    const char *old, *want;
} attempts[] = {{"1", "2"}, {"999999", "1000000"}, {"1000000", "1000000"},        {"x", "1"},
                {"", "1"},  {"-3", "1"},           {"99999999999999999999", "1"}, {"1000001", "1"},
                {NULL, "1"}};

START_TEST(attempts_are_counted_and_capped)
{
    struct header original = text_header("kscore.attempt", attempts[_i].old);
    struct dead_letter letter = {
        .fault = FAULT_DECODE_TRUNCATED, .message = "", .headers = &original, .header_count = 1};

    build(&record, &letter, 0);
    ck_assert_str_eq(last("kscore.attempt"), attempts[_i].want);
}
END_TEST

START_TEST(too_large_drops_value_then_headers_then_key)
{
    static const char *const steps[] = {NULL, "value", "value,headers", "value,headers,key"};
    enum { PART = 3000 };
    char *text = mem_alloc(PART + 1, 1);
    struct record large = record;
    struct header original = {"mine", {(uint8_t *)text, PART}};
    struct dead_letter letter = {
        .fault = FAULT_DECODE_TRUNCATED, .message = "", .headers = &original, .header_count = 1};
    int64_t limit_bytes = 20000;

    memset(text, 'x', PART);
    large.key = large.value = (struct slice){(uint8_t *)text, PART};
    for (size_t i = 0; i < COUNT(steps); i++) {
        build(&large, &letter, limit_bytes);
        if (steps[i])
            ck_assert_str_eq(last("kscore.dropped"), steps[i]);
        else
            ck_assert_ptr_null(last("kscore.dropped"));
        ck_assert((parts.value.data != NULL) == (i < 1));
        ck_assert((last("mine") != NULL) == (i < 2));
        ck_assert((parts.key.data != NULL) == (i < 3));
        ck_assert_str_eq(last("__connect.errors.offset"), "41");
        limit_bytes = (int64_t)size(); /* it no longer fits, by the batch's own bytes */
    }
    free(text);
}
END_TEST

/* Everything that a record or a bundle may hold is as long as it can be: a topic takes 8 KiB. */
START_TEST(what_remains_is_under_8_kib)
{
    static const char *const names[] = {"__connect.errors.topic", "__connect.errors.partition",
                                        "__connect.errors.offset", "kscore.first_failed",
                                        "kscore.timestamp"};
    enum { PART = 100000 };
    char *text = mem_alloc(PART + 1, 1);
    struct header originals[COUNT(names)];
    struct provenance named = {text, text, text, text, 0, SCORE_LIVE};
    struct record large = record;
    struct dead_letter letter = {.fault = FAULT_FETCH_TOO_LARGE,
                                 .message = text,
                                 .headers = originals,
                                 .header_count = COUNT(names)};

    memset(text, 'x', PART);
    text[PART] = '\0';
    large.key = large.value = (struct slice){(uint8_t *)text, PART};
    for (size_t i = 0; i < COUNT(names); i++)
        originals[i] = text_header(names[i], i >= (size_t)_i ? text : "first");
    config.name = text;
    dead_letter_build(&parts, &config, &named, &large, &letter, 8192);
    config.name = (char *)"payments";
    ck_assert_str_eq(last("kscore.dropped"), "value,headers,key");
    ck_assert_uint_lt(size(), 8192);
    ck_assert_str_eq(last("__connect.errors.topic"), _i > 0 ? "first" : "in");
    free(text);
}
END_TEST

START_TEST(what_the_broker_refused_goes_with_the_timestamp_of_now)
{
    static const struct {
        struct dead_letter letter;
        bool is_now;
    } cases[] = {
        {{.fault = FAULT_DECODE_TRUNCATED, .message = ""}, false},
        {{.fault = FAULT_PRODUCE_TOO_LARGE, .message = ""}, false},
        {{.fault = FAULT_PRODUCE_REFUSED, .message = ""}, true},
        {{.fault = FAULT_DECODE_TRUNCATED, .message = "", .is_refused = true, .is_minimal = true},
         true}};
    int64_t before_ms = clock_wall_ms();

    for (size_t i = 0; i < COUNT(cases); i++) {
        build(&record, &cases[i].letter, 0);
        ck_assert((parts.timestamp_ms >= before_ms) == cases[i].is_now);
        ck_assert_str_eq(last("kscore.timestamp"), "1385856000000");
    }
    ck_assert_str_eq(last("kscore.dropped"), "value,headers,key");
    ck_assert(!parts.key.data && !parts.value.data);
}
END_TEST

/* Retention would take at once what is as old as its event. */
START_TEST(what_is_not_live_goes_with_the_timestamp_of_now)
{
    struct provenance replayed = provenance;
    struct dead_letter letter = {.fault = FAULT_DECODE_TRUNCATED, .message = ""};
    int64_t before_ms = clock_wall_ms();

    replayed.mode = SCORE_REPLAY;
    dead_letter_build(&parts, &config, &replayed, &record, &letter, 0);
    ck_assert_int_ge(parts.timestamp_ms, before_ms);
    ck_assert_str_eq(last("kscore.timestamp"), "1385856000000");
}
END_TEST

SUITE(dead_letter)
{
    TCase *tcase;

    tcase = CASE("headers", headers_say_where_what_and_since_when,
                 a_record_without_a_schema_has_no_header_for_it,
                 what_the_broker_refused_goes_with_the_timestamp_of_now,
                 what_is_not_live_goes_with_the_timestamp_of_now);
    tcase_add_checked_fixture(tcase, NULL, forget);
    tcase =
        CASE("original", key_value_and_headers_are_untouched, a_record_without_key_stays_without);
    tcase_add_checked_fixture(tcase, NULL, forget);
    tcase = CASE("again", a_second_failure_keeps_the_first_origin_and_replaces_the_error,
                 a_dead_letter_of_kafka_connect_gets_what_it_lacks);
    tcase_add_checked_fixture(tcase, NULL, forget);
    tcase_add_loop_test(tcase, attempts_are_counted_and_capped, 0, COUNT(attempts));
    tcase = CASE("size", too_large_drops_value_then_headers_then_key);
    tcase_add_checked_fixture(tcase, NULL, forget);
    tcase_add_loop_test(tcase, what_remains_is_under_8_kib, 0, 6);
}
