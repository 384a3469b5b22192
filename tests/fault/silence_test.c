/* A reader between two places, of which nothing comes any more: it waits, says why, or ends. */
#include <string.h>

#include "consumer/reader.h"
#include "core/clock.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

/* in[0] from 0 to 20, of which the second half is not there yet. */
static struct reader *open_reader(struct mock *m)
{
    const struct window window = {"in", 0, 0, 20};
    struct err err = ERR_INIT;
    struct reader *reader;

    mock_start(m, NULL, NULL);
    mock_produce_json(m, 0, 0, 10);
    reader = reader_new(&m->config, &err);
    ck_assert_msg(reader != NULL, "%s", err.text);
    ck_assert_msg(reader_add(reader, &window, &err) == 0, "%s", err.text);
    return reader;
}

/* Reads until that many were read, the log holds the text, or it fails. Returns how many. */
static int read_until(struct mock *m, struct reader *reader, int count, const char *text,
                      struct err *err)
{
    int64_t until = harness_deadline();
    struct record record;
    int got = 0;

    while (got < count && !(text && mock_log_count(m, text) > 0)) {
        ssize_t one = reader_poll(reader, &record, 1, 50, err);
        ck_assert_msg(clock_ms() < until, "%d records", got);
        if (one < 0)
            break;
        if (one > 0)
            reader_release(&record, 1);
        got += (int)one;
    }
    return got;
}

START_TEST(a_partition_without_a_leader_is_said_and_waited_for)
{
    struct err err = ERR_INIT;
    struct mock m;
    struct reader *reader = open_reader(&m);
    int got = read_until(&m, reader, 10, NULL, &err);

    rd_kafka_mock_partition_set_leader(m.cluster, "in", 0, -1);
    got += read_until(&m, reader, 99, "for=kafka topic in, partition 0 has no leader", &err);
    rd_kafka_mock_partition_set_leader(m.cluster, "in", 0, MOCK_INPUT);
    mock_produce_json(&m, 0, 10, 20);
    got += read_until(&m, reader, 20 - got, NULL, &err);
    ck_assert_int_eq(got, 20);
    ck_assert(reader_is_done(reader));
    reader_free(reader);
    mock_end(&m);
}
END_TEST

static void forget_topic(struct mock *m, rd_kafka_resp_err_t code)
{
    rd_kafka_mock_topic_set_error(m->cluster, "in", code);
}

START_TEST(a_topic_that_is_missing_for_a_moment_is_waited_for)
{
    struct err err = ERR_INIT;
    struct mock m;
    struct reader *reader = open_reader(&m);
    int got = read_until(&m, reader, 10, NULL, &err);

    rd_kafka_mock_partition_set_leader(m.cluster, "in", 0, -1);
    forget_topic(&m, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    got += read_until(&m, reader, 99, "for=kafka topic in does not exist", &err);
    forget_topic(&m, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_mock_partition_set_leader(m.cluster, "in", 0, MOCK_INPUT);
    mock_produce_json(&m, 0, 10, 20);
    got += read_until(&m, reader, 20 - got, NULL, &err);
    ck_assert_msg(!err_is_set(&err), "%s", err.text);
    ck_assert_int_eq(got, 20);
    reader_free(reader);
    mock_end(&m);
}
END_TEST

START_TEST(a_topic_that_stays_missing_ends_it_with_78)
{
    struct err err = ERR_INIT;
    struct mock m;
    struct reader *reader = open_reader(&m);

    read_until(&m, reader, 10, NULL, &err);
    rd_kafka_mock_partition_set_leader(m.cluster, "in", 0, -1);
    forget_topic(&m, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    read_until(&m, reader, 99, NULL, &err);
    ck_assert_int_eq(err.exit_code, EXIT_CONFIGURATION);
    ck_assert_msg(strstr(err.text, "topic in, partition 0 was deleted while it was read") != NULL,
                  "%s", err.text);
    reader_free(reader);
    mock_end(&m);
}
END_TEST

SUITE(silence)
{
    CASE("leader", a_partition_without_a_leader_is_said_and_waited_for);
    CASE("missing", a_topic_that_is_missing_for_a_moment_is_waited_for,
         a_topic_that_stays_missing_ends_it_with_78);
}
