/* A schema registry that is down, slow or wrong: partitions wait, nothing is dead-lettered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/fault/mock.h"
#include "tests/harness.h"
#include "tests/stub.h"

#define SCHEMA                                                                                     \
    "{'type':'record','name':'Event','fields':[{'name':'x','type':'double'},{'name':'note',"       \
    "'type':'string'}]}"

struct fixture {
    struct stub stub;
    struct mock mock;
    int port;
};

/* A registry that knows schema 1, as the topic's only version. */
static void serve(struct fixture *f)
{
    stub_start(&f->stub, f->port);
    f->port = f->stub.port;
    stub_set(&f->stub, "/subjects/in-value/versions", STUB_ANSWERS, 200, "[1]");
    stub_set_version(&f->stub, "in-value", 1, 1, SCHEMA, NULL);
    stub_set_schema(&f->stub, 1, SCHEMA, NULL);
}

static void init(struct fixture *f, bool with_cache)
{
    char lines[800];
    size_t len;

    memset(f, 0, sizeof *f);
    serve(f);
    len = (size_t)snprintf(lines, sizeof lines, "registry.url = %s\n", f->stub.url);
    if (with_cache)
        snprintf(lines + len, sizeof lines - len, "cache = %s\n", harness_folder());
    mock_start_avro(&f->mock, lines);
}

static void release(struct fixture *f)
{
    ck_assert_msg(f->mock.result == 0, "%s", f->mock.err.text);
    mock_end(&f->mock);
    stub_stop(&f->stub);
}

static void run(struct fixture *f)
{
    f->mock.stop = 0;
    mock_run(&f->mock);
    mock_wait_ready(&f->mock);
}

static void expect_recovery(const struct mock *m, int64_t since_ms)
{
    int64_t took_ms = clock_ms() - since_ms;

    ck_assert_msg(took_ms < 5000 * harness_slowness(), "recovery took %lld ms", (long long)took_ms);
    ck_assert_uint_eq(m->progress.dead, 0);
}

START_TEST(a_partition_waits_for_the_registry_and_the_other_goes_on)
{
    struct fixture f;
    struct mock *m = &f.mock;
    int64_t back_ms;

    init(&f, false);
    run(&f);
    mock_produce_avro(m, 0, 1, 10);
    mock_wait_outcomes(m, 10);
    stub_stop(&f.stub);
    mock_produce_avro(m, 0, 2, 10);
    mock_produce_avro(m, 0, 1, 10);
    mock_produce_avro(m, 1, 1, 40);
    mock_wait_outcomes(m, 50);
    mock_wait_log(m, "event=parked topic=in partition=0 schema=2", 1);
    ck_assert_uint_eq(m->progress.scored, 50);
    serve(&f);
    stub_set_schema(&f.stub, 2, SCHEMA, NULL);
    back_ms = clock_ms();
    mock_wait_outcomes(m, 70);
    expect_recovery(m, back_ms);
    mock_stop(m);
    ck_assert_uint_eq(m->summary.dead, 0);
    ck_assert_uint_gt(m->summary.returned, 0);
    ck_assert_uint_eq(mock_expect_outcomes(m, 70), 0);
    ck_assert_int_eq(mock_committed(m, 0), 30);
    release(&f);
}
END_TEST

static const struct {
    enum stub_manner manner;
    int status;
    const char *body;
} troubles[] = {{STUB_ANSWERS, 503, ""},
                {STUB_ANSWERS, 401, ""},
                {STUB_ANSWERS, 404, "no such page"},
                {STUB_ANSWERS, 200, "<html>"},
                {STUB_HANGS, 200, ""}};

START_TEST(a_registry_that_answers_nonsense_is_waited_for)
{
    struct fixture f;
    struct mock *m = &f.mock;
    int64_t back_ms;

    init(&f, false);
    stub_set(&f.stub, "/schemas/ids/2", troubles[_i].manner, troubles[_i].status,
             troubles[_i].body);
    run(&f);
    mock_produce_avro(m, 0, 2, 10);
    mock_produce_avro(m, 1, 1, 10);
    mock_wait_outcomes(m, 10);
    mock_wait_log(m, "event=parked topic=in partition=0 schema=2", 1);
    ck_assert_uint_eq(m->progress.scored, 10);
    stub_set_schema(&f.stub, 2, SCHEMA, NULL);
    back_ms = clock_ms();
    mock_wait_outcomes(m, 20);
    if (troubles[_i].manner == STUB_ANSWERS)
        expect_recovery(m, back_ms);
    mock_stop(m);
    ck_assert_uint_eq(m->summary.dead, 0);
    ck_assert_uint_eq(mock_expect_outcomes(m, 20), 0);
    release(&f);
}
END_TEST

static void wait_asked(struct fixture *f, const char *path, unsigned count)
{
    int64_t until = harness_deadline();

    while (stub_count(&f->stub, path) < count) {
        ck_assert_msg(clock_ms() < until, "not asked for in time");
        harness_breathe();
    }
}

/* Eight times are enough for the back-off to grow to its most: 100, 200, ... 1600, 2000 ms. */
START_TEST(an_id_is_asked_for_again_with_back_off_of_at_most_2_s)
{
    enum { ASKS = 8 };
    struct fixture f;
    struct mock *m = &f.mock;
    int64_t at_ms, gap_ms = 0, longest_ms = 0;

    init(&f, false);
    stub_set(&f.stub, "/schemas/ids/2", STUB_ANSWERS, 503, "");
    run(&f);
    mock_produce_avro(m, 0, 2, 1);
    wait_asked(&f, "/schemas/ids/2", 1);
    at_ms = clock_ms();
    for (unsigned n = 2; n <= ASKS; n++) {
        wait_asked(&f, "/schemas/ids/2", n);
        gap_ms = clock_ms() - at_ms;
        at_ms += gap_ms;
        longest_ms = gap_ms > longest_ms ? gap_ms : longest_ms;
    }
    printf("asked again after %lld ms at most\n", (long long)longest_ms);
    ck_assert_int_ge(gap_ms, 950);
    ck_assert_int_le(longest_ms, 2000 + 200 * harness_slowness());
    stub_set_schema(&f.stub, 2, SCHEMA, NULL);
    mock_wait_outcomes(m, 1);
    expect_recovery(m, at_ms);
    mock_stop(m);
    release(&f);
}
END_TEST

START_TEST(a_restart_without_the_registry_scores_what_was_known)
{
    struct fixture f;
    struct mock *m = &f.mock;

    init(&f, true);
    run(&f);
    stub_set_schema(&f.stub, 2, SCHEMA, NULL);
    mock_produce_avro(m, 0, 2, 10);
    mock_wait_outcomes(m, 10);
    mock_stop(m);
    stub_stop(&f.stub);
    m->progress = (struct pipeline_progress){0};
    run(&f);
    mock_produce_avro(m, 0, 1, 10);
    mock_produce_avro(m, 1, 2, 10);
    mock_wait_outcomes(m, 20);
    mock_produce_avro(m, 1, 3, 1);
    mock_wait_log(m, "event=parked topic=in partition=1 schema=3", 1);
    mock_produce_avro(m, 0, 2, 10);
    mock_wait_outcomes(m, 30);
    mock_stop(m);
    ck_assert_uint_eq(m->summary.dead, 0);
    serve(&f);
    release(&f);
}
END_TEST

START_TEST(a_start_without_registry_and_cache_waits)
{
    struct fixture f;
    struct mock *m = &f.mock;

    init(&f, false);
    stub_stop(&f.stub);
    mock_produce_avro(m, 0, 1, 10);
    mock_run(m);
    mock_wait_log(m, "event=waiting for=registry", 1);
    ck_assert(!m->progress.ready_workers);
    serve(&f);
    mock_wait_outcomes(m, 10);
    mock_stop(m);
    release(&f);
}
END_TEST

/* RecordNameStrategy: a topic's schemas are under other names. */
START_TEST(the_subjects_that_are_named_are_known_before_the_first_record)
{
    struct fixture f;
    struct mock *m = &f.mock;
    char lines[200];

    memset(&f, 0, sizeof f);
    serve(&f);
    stub_set(&f.stub, "/subjects/com.example.E/versions", STUB_ANSWERS, 200, "[3]");
    stub_set_version(&f.stub, "com.example.E", 3, 1, SCHEMA, NULL);
    snprintf(lines, sizeof lines, "registry.url = %s\nsubjects = com.example.E , none\n",
             f.stub.url);
    mock_start_avro(m, lines);
    run(&f);
    mock_wait_log(m, "event=schema_loaded id=1", 1);
    ck_assert_uint_eq(stub_count(&f.stub, "/subjects/in-value/versions"), 0);
    mock_produce_avro(m, 0, 1, 10);
    mock_wait_outcomes(m, 10);
    ck_assert_uint_eq(stub_count(&f.stub, "/schemas/ids/1"), 0);
    mock_stop(m);
    release(&f);
}
END_TEST

START_TEST(a_start_that_the_registry_does_not_let_in_ends_with_77)
{
    struct fixture f;
    struct mock *m = &f.mock;

    init(&f, false);
    stub_set(&f.stub, "/subjects/in-value/versions", STUB_ANSWERS, 401, "{\"message\":\"who?\"}");
    mock_run(m);
    pthread_join(m->thread, NULL);
    m->is_running = false;
    ck_assert_int_eq(m->result, -1);
    ck_assert_int_eq(m->err.exit_code, EXIT_DENIED);
    ck_assert_ptr_nonnull(strstr(m->err.text, "[schemas]: registry http://127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(m->err.text, "HTTP 401: who?"));
    m->result = 0;
    release(&f);
}
END_TEST

/* A partition that waits for one id does not keep the others of its poll from being asked for. */
START_TEST(unknown_ids_of_one_poll_are_asked_for_together)
{
    static const char unknown[] = "{\"error_code\":40403}";
    struct fixture f;
    struct mock *m = &f.mock;

    init(&f, false);
    stub_set(&f.stub, "/schemas/ids/900", STUB_HANGS, 200, "");
    stub_set(&f.stub, "/schemas/ids/901", STUB_ANSWERS, 404, unknown);
    stub_set(&f.stub, "/schemas/ids/902", STUB_ANSWERS, 404, unknown);
    for (uint32_t id = 900; id <= 902; id++)
        mock_produce_avro(m, 0, id, 1);
    run(&f);
    wait_asked(&f, "/schemas/ids/901", 1);
    wait_asked(&f, "/schemas/ids/902", 1);
    ck_assert_uint_eq(m->progress.dead, 0);
    stub_set(&f.stub, "/schemas/ids/900", STUB_ANSWERS, 404, unknown);
    mock_wait_outcomes(m, 3);
    mock_stop(m);
    ck_assert_uint_eq(m->summary.dead, 3);
    release(&f);
}
END_TEST

/* More than two seconds' worth of the cap; each is asked for once, those of a poll together. */
START_TEST(many_unknown_ids_cost_a_dead_letter_and_a_request_each)
{
    enum { IDS = 500 };
    struct fixture f;
    struct mock *m = &f.mock;
    unsigned before;

    init(&f, false);
    run(&f);
    before = stub_count(&f.stub, NULL);
    for (uint32_t id = 0; id < IDS; id++)
        mock_produce_avro(m, (int32_t)id % 2, 1000 + id, 1);
    mock_produce_avro(m, 0, 1, 10);
    mock_produce_avro(m, 1, 1, 10);
    mock_wait_outcomes(m, IDS + 20);
    mock_stop(m);
    ck_assert_uint_eq(m->summary.faults[FAULT_SCHEMA_UNKNOWN_ID].count, IDS);
    ck_assert_uint_eq(m->summary.dead, IDS);
    ck_assert_uint_eq(m->summary.scored, 20);
    ck_assert_uint_eq(stub_count(&f.stub, NULL) - before, IDS);
    ck_assert_uint_eq(mock_expect_outcomes(m, IDS + 20), 0);
    release(&f);
}
END_TEST

SUITE(registry_outage)
{
    TCase *loops = harness_case(suite, "nonsense", NULL, 0);

    tcase_add_loop_test(loops, a_registry_that_answers_nonsense_is_waited_for, 0,
                        sizeof troubles / sizeof troubles[0]);
    CASE("outage", a_partition_waits_for_the_registry_and_the_other_goes_on,
         an_id_is_asked_for_again_with_back_off_of_at_most_2_s,
         a_restart_without_the_registry_scores_what_was_known);
    CASE("start", a_start_without_registry_and_cache_waits,
         the_subjects_that_are_named_are_known_before_the_first_record,
         a_start_that_the_registry_does_not_let_in_ends_with_77);
    CASE("unknown", unknown_ids_of_one_poll_are_asked_for_together,
         many_unknown_ids_cost_a_dead_letter_and_a_request_each);
}
