/* The five rules of consumer/README.md, one by one; tests/unit/schedule_test.c mixes them. */
#include <string.h>

#include "consumer/ring.h"
#include "tests/harness.h"

static struct ledger ledger;
static struct ring ring;

/* Partitions 0 and 1 of one topic, ours from offset 100. */
static void open_ring(void)
{
    ledger_init(&ledger);
    ring_init(&ring);
    for (int32_t i = 0; i < 2; i++)
        ledger_assign(&ledger, ledger_add(&ledger, "in", i), 100);
}

static void check(void)
{
    struct err err = ERR_INIT;

    ck_assert_msg(ring_check(&ring, &ledger, &err) == 0, "%s", err.text);
}

static void close_ring(void)
{
    check();
    ring_release(&ring);
    ledger_release(&ledger);
}

static void add_record(struct slot *slot, uint32_t part)
{
    int64_t offset = ledger.parts[part].position;

    ck_assert(ledger_admit(&ledger, part, offset));
    slot_add(slot, &ledger, part, offset)->scored++;
    slot->waiting++;
}

/* A slot with `count` scored records of a partition, sent and not yet acknowledged. */
static struct slot *send(uint32_t part, int count)
{
    struct slot *slot = ring_open(&ring);

    for (int i = 0; i < count; i++)
        add_record(slot, part);
    slot->is_open = false;
    return slot;
}

static void acknowledge(struct slot *slot)
{
    while (slot->waiting > 0)
        slot_acknowledge(slot, true);
}

static int64_t done(uint32_t part)
{
    return ledger.parts[part].done;
}

START_TEST(a_slot_retires_when_all_of_it_is_acknowledged)
{
    struct slot *slot = send(0, 3);

    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(ring_retire(&ring, &ledger), 0);
        ck_assert_int_eq(done(0), 100);
        slot_acknowledge(slot, true);
    }
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 1);
    ck_assert_int_eq(done(0), 103);
    ck_assert_uint_eq(ledger.parts[0].counts.scored, 3);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 0);
}
END_TEST

START_TEST(base_waits_for_the_oldest)
{
    struct slot *slots[3];

    for (int i = 0; i < 3; i++)
        slots[i] = send(i % 2, 2);
    acknowledge(slots[2]);
    acknowledge(slots[1]);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 0);
    ck_assert_int_eq(done(0), 100);
    ck_assert_int_eq(done(1), 100);
    acknowledge(slots[0]);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 3);
    ck_assert_int_eq(done(0), 104);
    ck_assert_int_eq(done(1), 102);
}
END_TEST

START_TEST(a_slot_that_is_still_being_sent_does_not_retire)
{
    struct slot *slot = ring_open(&ring);

    add_record(slot, 0);
    acknowledge(slot);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 0);
    slot->is_open = false;
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 1);
}
END_TEST

START_TEST(a_failed_delivery_blocks_its_slot_and_all_behind_it)
{
    struct slot *slots[3];

    for (int i = 0; i < 3; i++)
        slots[i] = send(0, 2);
    acknowledge(slots[0]);
    slot_acknowledge(slots[1], false);
    slot_acknowledge(slots[1], true);
    acknowledge(slots[2]);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 1);
    ck_assert_int_eq(done(0), 102);
    ring_return_all(&ring, &ledger);
    ck_assert_uint_eq(ring.count, 0);
    ck_assert_int_eq(ledger.parts[0].position, 102);
    ck_assert_uint_eq(ledger.parts[0].counts.returned, 4);
    ck_assert_int_eq(done(0), 102);
}
END_TEST

/* While older ones are on their way. */
START_TEST(the_newest_slot_is_given_back_alone)
{
    struct slot *sent = send(0, 2), *unsent = ring_open(&ring);

    add_record(unsent, 0);
    unsent->waiting = 0;
    ring_return_last(&ring, &ledger);
    ck_assert_uint_eq(ring.count, 1);
    ck_assert_int_eq(ledger.parts[0].position, 102);
    ck_assert_uint_eq(ledger.parts[0].counts.returned, 1);
    check();
    acknowledge(sent);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 1);
    ck_assert_int_eq(done(0), 102);
    check();
}
END_TEST

START_TEST(a_slot_counts_each_outcome_and_each_partition)
{
    struct slot *slot = ring_open(&ring);
    static const struct {
        uint32_t part;
        int64_t offset;
    } records[] = {{0, 100}, {0, 101}, {1, 100}, {0, 110}, {1, 107}, {1, 108}};
    int64_t lowest;

    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        ck_assert(ledger_admit(&ledger, records[i].part, records[i].offset));
        struct span *span = slot_add(slot, &ledger, records[i].part, records[i].offset);
        span->scored += i % 3 == 0;
        span->dead += i % 3 == 1;
        span->skipped += i % 3 == 2;
        check();
    }
    slot->is_open = false;
    ck_assert_uint_eq(slot->span_count, 2);
    ck_assert_uint_eq(ring_in_flight(&ring, &ledger, 0, &lowest), 3);
    ck_assert_int_eq(lowest, 100);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 1);
    ck_assert_int_eq(done(0), 111);
    ck_assert_int_eq(done(1), 109);
    ck_assert_uint_eq(ledger_total(&ledger).scored, 2);
    ck_assert_uint_eq(ledger_total(&ledger).dead, 2);
    ck_assert_uint_eq(ledger_total(&ledger).skipped, 2);
    ck_assert_uint_eq(ring_in_flight(&ring, &ledger, 0, &lowest), 0);
    ck_assert_int_eq(lowest, OFFSET_NONE);
}
END_TEST

/* The reports of a lost partition come after it is ours again, from an earlier offset. */
START_TEST(a_late_report_of_an_earlier_assignment_moves_nothing)
{
    struct slot *slot = send(0, 5);

    ledger_revoke(&ledger, 0);
    check();
    ledger_assign(&ledger, 0, 100);
    ledger_assign(&ledger, 1, 100);
    send(0, 1);
    check();
    acknowledge(slot);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 1);
    ck_assert_int_eq(done(0), 100);
    ck_assert_uint_eq(ledger.parts[0].counts.scored, 5);
    check();
}
END_TEST

START_TEST(what_an_earlier_assignment_gives_back_moves_no_position)
{
    send(0, 5);
    ledger_revoke(&ledger, 0);
    ledger_assign(&ledger, 0, 103);
    ring.slots[ring.head].waiting = 0;
    ring_return_all(&ring, &ledger);
    ck_assert_int_eq(ledger.parts[0].position, 103);
    ck_assert_uint_eq(ledger.parts[0].counts.returned, 5);
}
END_TEST

START_TEST(the_ring_goes_round_and_is_full_at_its_end)
{
    struct slot *slots[RING_SLOTS];

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < RING_SLOTS - 10; i++)
            acknowledge(send(0, 1));
        ck_assert_uint_eq(ring_retire(&ring, &ledger), RING_SLOTS - 10);
        check();
    }
    for (int i = 0; i < RING_SLOTS; i++) {
        ck_assert(!ring_is_full(&ring));
        slots[i] = send(1, 1);
    }
    ck_assert(ring_is_full(&ring));
    acknowledge(slots[0]);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), 1);
    ck_assert(!ring_is_full(&ring));
    for (int i = 1; i < RING_SLOTS; i++)
        acknowledge(slots[i]);
    ck_assert_uint_eq(ring_retire(&ring, &ledger), RING_SLOTS - 1);
    ck_assert_int_eq(done(1), 100 + RING_SLOTS);
}
END_TEST

/* The account must not only hold, it must be able to break. */
static const struct {
    const char *what, *text;
    size_t field; /* of struct part, an int64 or uint64 that is wrong by one */
} breaches[] = {
    {"a record counted twice", "P1 is broken on in [0]: consumed 4 is not scored 2",
     offsetof(struct part, counts.consumed)},
    {"an outcome too many", "P1 is broken on in [0]: consumed 3 is not scored 3",
     offsetof(struct part, counts.scored)},
    {"done before it is finished",
     "P2 is broken on in [0]: stored 102, done 103, lowest unfinished 102",
     offsetof(struct part, done)},
    {"stored before it is done",
     "P2 is broken on in [0]: stored 103, done 102, lowest unfinished 102",
     offsetof(struct part, stored)},
};

START_TEST(the_check_names_the_partition_and_its_account)
{
    struct err err = ERR_INIT;
    int64_t *field = (int64_t *)((char *)&ledger.parts[0] + breaches[_i].field);

    acknowledge(send(0, 2));
    ring_retire(&ring, &ledger);
    send(0, 1);
    ledger.parts[0].stored = done(0);
    check();
    ++*field;
    ck_assert_int_eq(ring_check(&ring, &ledger, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_INTERNAL);
    ck_assert_msg(strstr(err.text, breaches[_i].text) != NULL, "%s: %s", breaches[_i].what,
                  err.text);
    --*field;
}
END_TEST

SUITE(ring)
{
    TCase *tcase;

    tcase = CASE("retire", a_slot_retires_when_all_of_it_is_acknowledged, base_waits_for_the_oldest,
                 a_slot_that_is_still_being_sent_does_not_retire,
                 a_slot_counts_each_outcome_and_each_partition,
                 the_ring_goes_round_and_is_full_at_its_end);
    tcase_add_checked_fixture(tcase, open_ring, close_ring);
    tcase = CASE("return", a_failed_delivery_blocks_its_slot_and_all_behind_it,
                 the_newest_slot_is_given_back_alone);
    tcase_add_checked_fixture(tcase, open_ring, close_ring);
    tcase = CASE("epochs", a_late_report_of_an_earlier_assignment_moves_nothing,
                 what_an_earlier_assignment_gives_back_moves_no_position);
    tcase_add_checked_fixture(tcase, open_ring, close_ring);
    tcase = harness_case(suite, "check", NULL, 0);
    tcase_add_checked_fixture(tcase, open_ring, close_ring);
    tcase_add_loop_test(tcase, the_check_names_the_partition_and_its_account, 0,
                        sizeof breaches / sizeof breaches[0]);
}
