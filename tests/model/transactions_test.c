/* The real pipeline with delivery = exactly_once, in a world that may do anything: processes of one
 * group, two of them by mistake with the same instance, brokers that answer late, wrongly or not,
 * and deaths at any call. After every turn each outcome is seen exactly where its offset is
 * committed, P1's sum holds, and when nothing fails any more all is committed. A schedule that
 * fails is shrunk, and printed with its seed; planted faults show that it finds what it looks for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "tests/harness.h"
#include "tests/model/schedule.h"

enum { SCHEDULES = 1000 };

/* make test-long asks for more; KSCORE_SEED for one, with all that is logged. */
static uint64_t number(const char *name, uint64_t preset)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : preset;
}

static void quiet(void)
{
    log_set_level(LOG_ERROR);
    if (!getenv("KSCORE_SEED")) /* breakers open by the thousand */
        ck_assert_ptr_nonnull(freopen("/dev/null", "a", stderr));
}

START_TEST(no_schedule_loses_or_doubles_an_outcome)
{
    static char text[SCHEDULE_TEXT_MAX];
    uint64_t first = number("KSCORE_SEED", 0);
    uint64_t count = getenv("KSCORE_SEED") ? 1 : number("KSCORE_SCHEDULES", SCHEDULES);

    for (uint64_t seed = first; seed < first + count; seed++) {
        struct schedule s = schedule_random(seed);
        if (schedule_runs(&s, PLANT_none))
            continue;
        s = schedule_shrink(s, PLANT_none);
        schedule_print(&s, text);
        if (getenv("KSCORE_SEED")) {
            log_set_level(LOG_DEBUG);
            schedule_runs(&s, PLANT_none);
        }
        ck_abort_msg("seed %llu: %s, by%s", (unsigned long long)seed, world.why, text);
    }
}
END_TEST

/* A model that could not fail would prove nothing. */
START_TEST(planted_faults_are_found_and_shrunk)
{
    static char text[SCHEDULE_TEXT_MAX];
    enum plant plant = (enum plant)_i;

    for (uint64_t seed = 0; seed < SCHEDULES; seed++) {
        struct schedule s = schedule_random(seed);
        if (schedule_runs(&s, plant))
            continue;
        s = schedule_shrink(s, plant);
        schedule_print(&s, text);
        if (getenv("KSCORE_SHOW"))
            printf("%d: seed %llu: %s, by%s\n", _i, (unsigned long long)seed, world.why, text);
        ck_assert_msg(s.count <= 16, "%zu steps are left:%s", s.count, text);
        ck_assert_msg(schedule_runs(&s, PLANT_none), "%s, without the plant, by%s", world.why,
                      text);
        return;
    }
    ck_abort_msg("no schedule shows the fault");
}
END_TEST

/* Somebody else has begun with our transactional.id; met in a turn, or in a rebalance. */
START_TEST(a_second_process_with_our_id_ends_this_one)
{
    struct process *process = &world.processes[0];

    world_open(PLANT_none);
    process_start(0);
    for (int i = 0; i < 100 && producer_in_flight(process->pipeline.producer) == 0; i++)
        process_turn(0);
    world.transactions[0].epoch++;
    if (_i == 1)
        group_rebalance();
    for (int i = 0; i < 100; i++)
        process_turn(0);
    ck_assert_msg(!process->is_up, "it goes on");
    ck_assert_int_eq(process->err.exit_code, EXIT_AGAIN);
    ck_assert_ptr_nonnull(strstr(process->err.text, "another process runs"));
    world.now_ms = 0;
}
END_TEST

/* Committed, but the answer is lost; before the member has left, retention passes what it had. */
START_TEST(a_gap_commits_nothing_while_a_commit_is_in_doubt)
{
    struct process *process = &world.processes[0];

    world_open(PLANT_none);
    process_start(0);
    process->upsets[CALL_COMMIT] = UPSET_DEAD_DONE;
    for (int i = 0; i < 1000 && process->pipeline.transaction.state != TRANSACTION_DEAD; i++)
        process_turn(0);
    ck_assert_int_eq(process->pipeline.transaction.state, TRANSACTION_DEAD);
    for (int i = 0; i < PARTS; i++)
        world.parts[i].low++;
    world_pass(600); /* its back-off is over: it reads */
    for (int i = 0; i < 10; i++)
        process_turn(0);
    ck_assert_msg(world_holds() && world_finishes(), "%s", world.why);
    process_kill(0);
    world.now_ms = 0;
}
END_TEST

/* The last offset of the log holds no record: a transaction of its own commits it. */
START_TEST(a_trouble_with_an_end_is_over_when_the_end_is_committed)
{
    struct process *process = &world.processes[0];

    world_open(PLANT_none);
    for (int i = 0; i < PARTS; i++)
        world.parts[i].end = i == 0 ? OFFSETS : 0;
    process_start(0);
    for (int i = 0; i < 10000 && world.parts[0].committed < OFFSETS - 1; i++)
        process_turn(0);
    process->upsets[CALL_COMMIT] = UPSET_ABORT;
    for (int i = 0; i < 10000 && world.parts[0].committed < OFFSETS; i++)
        process_turn(0);
    ck_assert_int_eq(world.parts[0].committed, OFFSETS);
    ck_assert_int_eq(process->upsets[CALL_COMMIT], UPSET_NONE);
    ck_assert(process->pipeline.wait.since_ms != 0);
    ck_assert(!wait_is_on(&process->pipeline.wait));
    process_kill(0);
    world.now_ms = 0;
}
END_TEST

SUITE(transactions)
{
    TCase *tcase;

    tcase = CASE("random", no_schedule_loses_or_doubles_an_outcome);
    tcase_add_checked_fixture(tcase, quiet, NULL);
    tcase = harness_case(suite, "fenced", NULL, 0);
    tcase_add_checked_fixture(tcase, quiet, NULL);
    tcase_add_loop_test(tcase, a_second_process_with_our_id_ends_this_one, 0, 2);
    tcase = CASE("doubt", a_gap_commits_nothing_while_a_commit_is_in_doubt);
    tcase_add_checked_fixture(tcase, quiet, NULL);
    tcase = CASE("waiting", a_trouble_with_an_end_is_over_when_the_end_is_committed);
    tcase_add_checked_fixture(tcase, quiet, NULL);
    tcase = harness_case(suite, "planted", NULL, 0);
    tcase_add_checked_fixture(tcase, quiet, NULL);
    tcase_add_loop_test(tcase, planted_faults_are_found_and_shrunk, 1, PLANT_COUNT);
}
