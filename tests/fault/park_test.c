/* A schema that cannot be read now parks its partition; the others go on, nothing is dead-lettered.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"

/* With schemas in the fixture's folder. */
static void start(struct mock *m)
{
    mock_start_avro(m, "folder = schemas");
    free(m->config.schema_folder);
    m->config.schema_folder = file_join(m->folder, "schemas");
}

START_TEST(a_partition_waits_for_its_schema_and_the_other_goes_on)
{
    char loop[400], schema[400];
    struct mock m;

    start(&m);
    mock_run(&m);
    mock_wait_ready(&m);
    /* A link to itself cannot be opened (ELOOP), as root neither: there, but not now. */
    snprintf(loop, sizeof loop, "%s/schemas/2.avsc", m.folder);
    snprintf(schema, sizeof schema, "%s/schemas/1.avsc", m.folder);
    ck_assert_int_eq(symlink(loop, loop), 0);
    mock_produce_avro(&m, 0, 1, 10);
    mock_produce_avro(&m, 0, 2, 10);
    mock_produce_avro(&m, 0, 1, 10);
    mock_produce_avro(&m, 1, 1, 40);
    mock_wait_outcomes(&m, 50);
    rd_kafka_poll(m.client, 500);
    ck_assert_uint_eq(m.progress.scored, 50);
    ck_assert_int_eq(unlink(loop), 0);
    ck_assert_int_eq(link(schema, loop), 0);
    mock_wait_outcomes(&m, 70);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_eq(m.summary.dead, 0);
    ck_assert_uint_eq(m.summary.scored, 70);
    ck_assert_uint_gt(m.summary.returned, 0);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 70), 0);
    ck_assert_int_eq(mock_committed(&m, 0), 30);
    mock_end(&m);
}
END_TEST

/* Standard error becomes a pipe that is full: whoever logs waits. Returns the end to drain. */
static int block_log(void)
{
    char zeros[4096] = {0};
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    while (write(ends[1], zeros, sizeof zeros) > 0)
        continue;
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
    fflush(stderr);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
    return ends[0];
}

static void unblock_log(const struct mock *m, int drain)
{
    char bytes[4096];
    int log = open(m->log, O_WRONLY | O_APPEND);

    ck_assert_int_ge(dup2(log, STDERR_FILENO), 0);
    while (read(drain, bytes, sizeof bytes) > 0)
        continue;
    close(log);
}

/* The loop stands still between the park and the pause, longer than the park's back-off. */
START_TEST(a_park_that_ends_before_the_client_is_paused_loses_nothing)
{
    char loop[400], schema[400];
    struct mock m;
    int drain;

    start(&m);
    snprintf(loop, sizeof loop, "%s/schemas/2.avsc", m.folder);
    snprintf(schema, sizeof schema, "%s/schemas/1.avsc", m.folder);
    mock_produce_avro(&m, 0, 1, 5);
    mock_run(&m);
    mock_wait_outcomes(&m, 5);
    ck_assert_int_eq(symlink(loop, loop), 0);
    drain = block_log();
    mock_produce_avro(&m, 0, 2, 5);
    rd_kafka_poll(m.client, 2000); /* an answer about a schema is kept for 1 s */
    ck_assert_int_eq(unlink(loop), 0);
    ck_assert_int_eq(link(schema, loop), 0);
    unblock_log(&m, drain);
    mock_produce_avro(&m, 0, 1, 5);
    mock_wait_outcomes(&m, 15);
    mock_stop(&m);
    ck_assert_msg(m.result == 0, "%s", m.err.text);
    ck_assert_uint_gt(m.summary.returned, 0);
    ck_assert_uint_eq(mock_expect_outcomes(&m, 15), 0);
    mock_end(&m);
}
END_TEST

START_TEST(an_id_that_no_schema_has_costs_a_dead_letter_each)
{
    struct mock m;

    start(&m);
    mock_produce_avro(&m, 0, 1, 5);
    mock_produce_avro(&m, 0, 9, 5);
    mock_produce_avro(&m, 0, 1, 5);
    mock_run(&m);
    mock_wait_outcomes(&m, 15);
    mock_stop(&m);
    ck_assert_uint_eq(m.summary.scored, 10);
    ck_assert_uint_eq(m.summary.dead, 5);
    ck_assert_uint_eq(m.summary.faults[FAULT_SCHEMA_UNKNOWN_ID].count, 5);
    ck_assert_int_eq(m.summary.faults[FAULT_SCHEMA_UNKNOWN_ID].first_offset, 5);
    mock_end(&m);
}
END_TEST

SUITE(park)
{
    CASE("schema", a_partition_waits_for_its_schema_and_the_other_goes_on,
         a_park_that_ends_before_the_client_is_paused_loses_nothing,
         an_id_that_no_schema_has_costs_a_dead_letter_each);
}
