/* What headers of dead letters say, system by system; hostile ones say nothing. */
#include "core/letter.h"

#include <string.h>

#include "tests/harness.h"

#define H(name, text)                                                                              \
    {                                                                                              \
        name,                                                                                      \
        {                                                                                          \
            (const uint8_t *)(text), sizeof(text) - 1                                              \
        }                                                                                          \
    }
#define CONNECT_PLACE                                                                              \
    H("__connect.errors.topic", "in"), H("__connect.errors.partition", "2"),                       \
        H("__connect.errors.offset", "9")
#define SPRING_PLACE                                                                               \
    H("kafka_dlt-original-topic", "in"), H("kafka_dlt-original-partition", "\0\0\0\2"),            \
        H("kafka_dlt-original-offset", "\0\0\0\0\0\0\0\x09")
#define KSCORE_ERROR                                                                               \
    H("__connect.errors.stage", "bind"), H("__connect.errors.class.name", "record"),               \
        H("__connect.errors.exception.class.name", "missing_field"), H("kscore.blame", "record"),  \
        H("kscore.schema_id", "7"), H("kscore.model", "fraud"), H("kscore.attempt", "3"),          \
        H("kscore.first_failed", "1000"), H("kscore.timestamp", "500")

enum { MOST = 20 };

static const struct {
    const char *what;
    struct header headers[MOST];
    enum letter_dialect dialect;
    const char *topic, *stage, *reason, *blame; /* topic "": no origin; NULL: not told */
    int64_t timestamp_ms, failed_ms, attempts;
    bool is_without_value;
} letters[] = {
    {"kscore's",
     {CONNECT_PLACE, KSCORE_ERROR},
     LETTER_KSCORE,
     "in",
     "bind",
     "missing_field",
     "record",
     500,
     1000,
     3,
     false},
    {"one that lost its value",
     {CONNECT_PLACE, KSCORE_ERROR, H("kscore.dropped", "value,headers")},
     LETTER_KSCORE,
     "in",
     "bind",
     "missing_field",
     "record",
     500,
     1000,
     3,
     true},
    {"one that lost headers only",
     {CONNECT_PLACE, KSCORE_ERROR, H("kscore.dropped", "headers")},
     LETTER_KSCORE,
     "in",
     "bind",
     "missing_field",
     "record",
     500,
     1000,
     3,
     false},
    {"Connect's",
     {CONNECT_PLACE, H("__connect.errors.stage", "VALUE_CONVERTER"),
      H("__connect.errors.class.name", "org.Json"),
      H("__connect.errors.exception.class.name", "org.DataException")},
     LETTER_CONNECT,
     "in",
     "VALUE_CONVERTER",
     "org.DataException",
     NULL,
     -1,
     -1,
     1,
     false},
    {"Streams'",
     {H("__streams.errors.exception", "org.Ex"), H("__streams.errors.stacktrace", "at"),
      H("__streams.errors.topic", "in"), H("__streams.errors.partition", "2"),
      H("__streams.errors.offset", "9")},
     LETTER_STREAMS,
     "in",
     NULL,
     "org.Ex",
     NULL,
     -1,
     -1,
     1,
     false},
    {"a share group's",
     {H("__dlq.errors.topic", "in"), H("__dlq.errors.partition", "2"),
      H("__dlq.errors.offset", "9"), H("__dlq.errors.delivery.count", "5"),
      H("__dlq.errors.message", "Offset rejected by client.")},
     LETTER_SHARE,
     "in",
     NULL,
     "Offset rejected by client.",
     NULL,
     -1,
     -1,
     1,
     false},
    {"Spring's",
     {SPRING_PLACE, H("kafka_dlt-original-timestamp", "\0\0\0\0\0\0\1\0"),
      H("kafka_dlt-exception-fqcn", "java.Ex")},
     LETTER_SPRING,
     "in",
     NULL,
     "java.Ex",
     NULL,
     256,
     -1,
     1,
     false},
    {"Spring's behind a retry topic: the first origin, the last reason",
     {SPRING_PLACE, H("kafka_dlt-exception-fqcn", "one"),
      H("kafka_dlt-original-topic", "in-retry-0"), H("kafka_dlt-original-partition", "\0\0\0\0"),
      H("kafka_dlt-original-offset", "\0\0\0\0\0\0\0\1"), H("kafka_dlt-exception-fqcn", "two")},
     LETTER_SPRING,
     "in",
     NULL,
     "two",
     NULL,
     -1,
     -1,
     1,
     false},
    {"SmallRye's",
     {H("dead-letter-topic", "in"), H("dead-letter-partition", "2"), H("dead-letter-offset", "9"),
      H("dead-letter-reason", "boom")},
     LETTER_SMALLRYE,
     "in",
     NULL,
     "boom",
     NULL,
     -1,
     -1,
     1,
     false},
    {"ours, sent back, and Spring could not either: the first origin, one attempt more",
     {CONNECT_PLACE, KSCORE_ERROR, H("kafka_dlt-original-topic", "in"),
      H("kafka_dlt-original-partition", "\0\0\0\0"),
      H("kafka_dlt-original-offset", "\0\0\0\0\0\0\0\x4d"),
      H("kafka_dlt-exception-fqcn", "java.Ex")},
     LETTER_SPRING,
     "in",
     NULL,
     "java.Ex",
     NULL,
     500,
     1000,
     4,
     false},
    {"Spring's that failed here again: the origin that was kept, our count",
     {SPRING_PLACE, CONNECT_PLACE, KSCORE_ERROR},
     LETTER_KSCORE,
     "in",
     "bind",
     "missing_field",
     "record",
     500,
     1000,
     3,
     false},
    {"ours, sent back, and Connect could not either",
     {CONNECT_PLACE, KSCORE_ERROR, CONNECT_PLACE, H("__connect.errors.class.name", "org.Json")},
     LETTER_CONNECT,
     "in",
     "bind",
     "missing_field",
     NULL,
     500,
     1000,
     4,
     false},
    {"no origin without an offset",
     {H("__connect.errors.topic", "in"), H("__connect.errors.partition", "2")},
     LETTER_CONNECT,
     "",
     NULL,
     NULL,
     NULL,
     -1,
     -1,
     1,
     false},
    {"no origin with a text for a number",
     {H("__connect.errors.topic", "in"), H("__connect.errors.partition", "two"),
      H("__connect.errors.offset", "9")},
     LETTER_CONNECT,
     "",
     NULL,
     NULL,
     NULL,
     -1,
     -1,
     1,
     false},
    {"no origin at a negative offset",
     {H("kafka_dlt-original-topic", "in"), H("kafka_dlt-original-partition", "\0\0\0\2"),
      H("kafka_dlt-original-offset", "\xff\xff\xff\xff\xff\xff\xff\xff")},
     LETTER_SPRING,
     "",
     NULL,
     NULL,
     NULL,
     -1,
     -1,
     1,
     false},
    {"no origin with a number of another size",
     {H("kafka_dlt-original-topic", "in"), H("kafka_dlt-original-partition", "\0\0\2"),
      H("kafka_dlt-original-offset", "\0\0\0\0\0\0\0\x09")},
     LETTER_SPRING,
     "",
     NULL,
     NULL,
     NULL,
     -1,
     -1,
     1,
     false},
    {"no origin in a topic with a NUL",
     {H("__connect.errors.topic", "i\0n"), H("__connect.errors.partition", "2"),
      H("__connect.errors.offset", "9")},
     LETTER_CONNECT,
     "",
     NULL,
     NULL,
     NULL,
     -1,
     -1,
     1,
     false},
    {"no origin with null headers",
     {{"dead-letter-topic", {NULL, 0}},
      {"dead-letter-partition", {NULL, 0}},
      {"dead-letter-offset", {NULL, 0}}},
     LETTER_SMALLRYE,
     "",
     NULL,
     NULL,
     NULL,
     -1,
     -1,
     1,
     false},
    {"counts that are none count as none",
     {CONNECT_PLACE, H("__connect.errors.class.name", "record"), H("kscore.blame", "x"),
      H("kscore.attempt", "many"), H("kscore.first_failed", "-1"),
      H("kscore.timestamp", "9223372036854775807")},
     LETTER_KSCORE,
     "in",
     NULL,
     NULL,
     "x",
     -1,
     -1,
     1,
     false},
};

static size_t count_of(const struct header *headers)
{
    size_t count = 0;

    while (count < MOST && headers[count].name)
        count++;
    return count;
}

static void expect_text(struct slice got, const char *want, const char *what)
{
    ck_assert_msg(want ? got.data && slice_equals(got, want, strlen(want)) : !got.data,
                  "%s: %.*s, not %s", what, (int)got.len, (const char *)got.data,
                  want ? want : "nothing");
}

START_TEST(each_system_is_read)
{
    const char *what = letters[_i].what;
    const struct header *headers = letters[_i].headers;
    struct letter l;

    ck_assert(letter_read(&l, headers, count_of(headers)));
    ck_assert_msg(l.dialect == letters[_i].dialect, "%s: dialect %d", what, l.dialect);
    ck_assert_msg(slice_equals(l.topic, letters[_i].topic, strlen(letters[_i].topic)), "%s", what);
    if (l.topic.len > 0) {
        ck_assert_int_eq(l.partition, 2);
        ck_assert_int_eq(l.offset, 9);
    }
    expect_text(l.stage, letters[_i].stage, what);
    expect_text(l.reason, letters[_i].reason, what);
    expect_text(l.blame, letters[_i].blame, what);
    ck_assert_int_eq(l.timestamp_ms, letters[_i].timestamp_ms);
    ck_assert_int_eq(l.failed_ms, letters[_i].failed_ms);
    ck_assert_int_eq(l.attempts, letters[_i].attempts);
    ck_assert_int_eq(l.is_without_value, letters[_i].is_without_value);
}
END_TEST

START_TEST(what_no_system_wrote_is_no_letter)
{
    static const struct header headers[] = {H("traceparent", "00"), H("kscore.attempt", "1"),
                                            H("__connect.errors.topics", "in")};
    struct letter l;

    ck_assert(!letter_read(&l, headers, 3));
    ck_assert(!letter_read(&l, NULL, 0));
}
END_TEST

SUITE(letter)
{
    TCase *table = harness_case(suite, "systems", NULL, 0);

    tcase_add_loop_test(table, each_system_is_read, 0, sizeof letters / sizeof letters[0]);
    CASE("none", what_no_system_wrote_is_no_letter);
}
