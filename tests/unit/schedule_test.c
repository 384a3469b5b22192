/* A model of one consumer and its brokers drives the real ledger and ring through random schedules:
 * poll, acknowledge, fail, rewind, park, rebalance, crash. After each step P1's sum holds, and
 * nothing below a stored or committed offset is unfinished; at the end each record has an outcome.
 * A schedule that fails is shrunk to the steps that matter, and printed with its seed. Planted
 * faults show that it finds what it looks for. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/ring.h"
#include "tests/harness.h"

enum { PARTS = 3, OFFSETS = 40, STEPS = 150, SCHEDULES = 3000, BATCH = 6 };

/* What the model does wrong on purpose. */
enum plant {
    PLANT_NONE,
    PLANT_NO_SEEK,        /* a pause ends without a seek */
    PLANT_STORE_POSITION, /* what was taken is stored, not what is finished */
    PLANT_FAILURE_IS_OK,  /* a failed delivery is reported as delivered */
    PLANT_NEWEST_RETIRES, /* the newest finished slot moves done, not the oldest */
    PLANT_COUNT
};

#define OPS(X)                                                                                     \
    X(poll)                                                                                        \
    X(poll_and_park)                                                                               \
    X(acknowledge)                                                                                 \
    X(fail)                                                                                        \
    X(turn)                                                                                        \
    X(unpark)                                                                                      \
    X(fill)                                                                                        \
    X(revoke)                                                                                      \
    X(lose)                                                                                        \
    X(assign)                                                                                      \
    X(crash)

enum op {
#define X(name) OP_##name,
    OPS(X)
#undef X
        OP_COUNT
};

static const char *const op_names[] = {
#define X(name) #name,
    OPS(X)
#undef X
};

struct step {
    uint8_t op, arg;
};

struct schedule {
    struct step steps[STEPS];
    size_t count;
};

/* A record on its way to the output topics. */
struct report {
    struct slot *slot;
    uint32_t part;
    int64_t offset;
};

static struct world {
    enum plant plant;
    struct ledger ledger;
    struct ring ring;
    bool is_assigned, must_rewind, is_full;

    struct {
        int64_t next; /* what the client hands out next */
        bool is_paused;
    } client[PARTS];
    int64_t committed[PARTS];

    unsigned copies[PARTS][OFFSETS]; /* outcomes that arrived */
    unsigned copy_count, excuses;    /* excuses: records given back, or lost in a crash */
    struct report reports[RING_SLOTS * BATCH];
    size_t report_count;
    char why[300]; /* what does not hold */
} w;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Some offsets hold no record, as after compaction; some records are skipped. */
static bool is_record(int64_t offset)
{
    return offset % 7 != 3;
}

static bool is_skipped(int64_t offset)
{
    return offset % 5 == 4;
}

/* ---- what consumer.c, batch.c and steer.c do with ledger and ring */

static void start_process(void)
{
    ledger_init(&w.ledger);
    ring_init(&w.ring);
    for (int32_t i = 0; i < PARTS; i++)
        ledger_add(&w.ledger, "in", i);
    w.is_assigned = w.must_rewind = w.is_full = false;
}

static void end_process(void)
{
    ring_release(&w.ring);
    ledger_release(&w.ledger);
}

static void take(struct slot *slot, uint32_t part, int64_t offset)
{
    struct span *span = slot_add(slot, &w.ledger, part, offset);

    if (is_skipped(offset)) {
        span->skipped++;
        return;
    }
    span->scored++;
    slot->waiting++;
    w.reports[w.report_count++] = (struct report){slot, part, offset};
}

/* One batch from one partition; when parking, its last record parks and is given back. */
static void take_batch(unsigned arg, bool parks)
{
    uint32_t part = arg % PARTS;
    struct slot *slot;
    size_t left = 1 + arg / PARTS % BATCH;

    if (!w.is_assigned || w.client[part].is_paused || w.must_rewind || w.is_full ||
        ring_is_full(&w.ring))
        return;
    slot = ring_open(&w.ring);
    for (; left > 0 && w.client[part].next < OFFSETS; left--) {
        int64_t offset = w.client[part].next++;
        if (!is_record(offset) || !ledger_admit(&w.ledger, part, offset))
            continue;
        if (parks && left == 1) {
            w.ledger.parts[part].is_parked = true;
            ledger_return(&w.ledger, part, offset, 1);
        } else {
            take(slot, part, offset);
        }
    }
    slot->is_open = false;
}

static void report(size_t i, bool ok)
{
    struct report r = w.reports[i];

    w.reports[i] = w.reports[--w.report_count];
    if (ok) {
        w.copies[r.part][r.offset]++;
        w.copy_count++;
    } else {
        w.must_rewind = true;
    }
    slot_acknowledge(r.slot, ok || w.plant == PLANT_FAILURE_IS_OK);
}

static void retire_newest(void)
{
    struct slot *slot = &w.ring.slots[(w.ring.head + w.ring.count + RING_SLOTS - 1) % RING_SLOTS];

    if (w.ring.count == 0 || slot->waiting > 0 || slot->has_failed)
        return;
    for (size_t i = 0; i < slot->span_count; i++)
        if (w.ledger.parts[slot->spans[i].part].epoch == slot->spans[i].epoch)
            w.ledger.parts[slot->spans[i].part].done = slot->spans[i].end;
}

static void store(void)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        struct part *part = &w.ledger.parts[i];
        if (w.plant == PLANT_STORE_POSITION)
            part->done = part->position;
        if (part->is_owned)
            w.committed[i] = part->stored = part->done;
    }
}

static void steer(void)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        enum turn turn = ledger_steer(&w.ledger, i, w.is_full || w.must_rewind);
        if (turn != TURN_NONE)
            w.client[i].is_paused = turn == TURN_PAUSE;
        if (turn == TURN_RESUME && w.plant != PLANT_NO_SEEK)
            w.client[i].next = w.ledger.parts[i].position;
    }
}

static void give_all_back(void)
{
    ring_return_all(&w.ring, &w.ledger);
    w.must_rewind = false;
}

/* One turn of the loop. */
static void turn(void)
{
    if (w.plant == PLANT_NEWEST_RETIRES)
        retire_newest();
    ring_retire(&w.ring, &w.ledger);
    if (w.is_assigned)
        store();
    if (w.must_rewind && w.report_count == 0)
        give_all_back();
    steer();
}

static void report_all(void)
{
    while (w.report_count > 0)
        report(0, true);
}

/* The next owner scores again what has an outcome and is not committed. */
static void excuse_uncommitted(void)
{
    w.excuses += (unsigned)w.report_count;
    for (uint32_t i = 0; i < PARTS; i++)
        for (int64_t k = w.committed[i]; k < OFFSETS; k++)
            w.excuses += w.copies[i][k];
}

static void give_up(bool is_lost)
{
    if (!w.is_assigned)
        return;
    if (is_lost)
        excuse_uncommitted();
    if (!is_lost)
        report_all();
    ring_retire(&w.ring, &w.ledger);
    if (w.report_count == 0)
        give_all_back();
    else
        w.must_rewind = true;
    if (!is_lost)
        store();
    for (uint32_t i = 0; i < PARTS; i++)
        ledger_revoke(&w.ledger, i);
    w.is_assigned = false;
}

static void assign(void)
{
    if (w.is_assigned)
        return;
    for (uint32_t i = 0; i < PARTS; i++) {
        ledger_assign(&w.ledger, i, w.committed[i]);
        w.client[i].next = w.committed[i];
        w.client[i].is_paused = false;
    }
    w.is_assigned = true;
}

/* kill -9: what was on its way arrived or did not. */
static void crash(unsigned arg)
{
    for (size_t i = 0; i < w.report_count; i++) {
        if ((arg >> i % 8 & 1) == 0)
            continue;
        w.copies[w.reports[i].part][w.reports[i].offset]++;
        w.copy_count++;
    }
    w.report_count = 0;
    excuse_uncommitted();
    w.excuses += (unsigned)ledger_total(&w.ledger).returned;
    end_process();
    start_process();
}

static void run_step(struct step step)
{
    switch ((enum op)step.op) {
    case OP_poll: take_batch(step.arg, false); break;
    case OP_poll_and_park: take_batch(step.arg, true); break;
    case OP_acknowledge:
    case OP_fail:
        if (w.report_count > 0)
            report(step.arg % w.report_count, step.op == OP_acknowledge);
        break;
    case OP_turn: turn(); break;
    case OP_unpark: w.ledger.parts[step.arg % PARTS].is_parked = false; break;
    case OP_fill: w.is_full = !w.is_full; break;
    case OP_revoke: give_up(false); break;
    case OP_lose: give_up(true); break;
    case OP_assign: assign(); break;
    case OP_crash: crash(step.arg); break;
    case OP_COUNT: break;
    }
}

/* ---- what must hold */

static bool holds(void)
{
    struct err err = ERR_INIT;

    if (ring_check(&w.ring, &w.ledger, &err) != 0) {
        snprintf(w.why, sizeof w.why, "%.250s", err.text);
        return false;
    }
    for (uint32_t i = 0; i < PARTS; i++) {
        for (int64_t k = 0; k < w.committed[i]; k++) {
            if (!is_record(k) || is_skipped(k) || w.copies[i][k] > 0)
                continue;
            snprintf(w.why, sizeof w.why, "partition %u: %lld is committed, %lld has no outcome", i,
                     (long long)w.committed[i], (long long)k);
            return false;
        }
    }
    return true;
}

/* Nothing fails any more: all records get their outcome in a bounded number of turns. */
static bool finishes(void)
{
    unsigned records = 0;

    w.is_full = false;
    for (unsigned i = 0; i < 20 * OFFSETS; i++) {
        assign();
        for (uint32_t part = 0; part < PARTS; part++)
            w.ledger.parts[part].is_parked = false;
        take_batch(i, false);
        report_all();
        turn();
        if (!holds())
            return false;
    }
    for (uint32_t i = 0; i < PARTS; i++) {
        for (int64_t k = 0; k < OFFSETS; k++)
            records += is_record(k) && !is_skipped(k);
        if (w.committed[i] == OFFSETS)
            continue;
        snprintf(w.why, sizeof w.why, "partition %u stands at %lld", i, (long long)w.committed[i]);
        return false;
    }
    w.excuses += (unsigned)ledger_total(&w.ledger).returned;
    if (w.copy_count - records > w.excuses) {
        snprintf(w.why, sizeof w.why, "%u copies, but only %u were given back",
                 w.copy_count - records, w.excuses);
        return false;
    }
    return true;
}

/* An assertion of ring or ledger ends the schedule, not the test. */
static sigjmp_buf on_assert;

static void jump(int number)
{
    (void)number;
    siglongjmp(on_assert, 1);
}

/* True when everything holds throughout; w.why says what does not. */
static bool runs_well(const struct schedule *s, enum plant plant)
{
    volatile bool is_well = true;

    memset(&w, 0, sizeof w);
    w.plant = plant;
    signal(SIGABRT, jump);
    start_process();
    if (sigsetjmp(on_assert, 1) == 0) {
        for (size_t i = 0; i < s->count && is_well; i++) {
            run_step(s->steps[i]);
            is_well = holds();
        }
        is_well = is_well && finishes();
    } else {
        is_well = false;
        snprintf(w.why, sizeof w.why, "an assertion failed");
    }
    end_process();
    return is_well;
}

static struct schedule random_schedule(uint64_t seed)
{
    /* How often each step comes, of 64: mostly work, now and then trouble. */
    static const uint8_t weights[OP_COUNT] = {16, 2, 16, 2, 14, 4, 2, 2, 2, 3, 1};
    struct schedule s = {.count = STEPS};
    uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15;

    for (size_t i = 0; i < STEPS; i++) {
        unsigned dice = next_random(&state) % 64, op = 0;
        while (op < OP_COUNT - 1 && dice >= weights[op])
            dice -= weights[op++];
        s.steps[i] = (struct step){(uint8_t)op, (uint8_t)next_random(&state)};
    }
    return s;
}

/* Drops runs of steps, long ones first, as long as it still fails. */
static struct schedule shrink(struct schedule s, enum plant plant)
{
    for (size_t len = s.count / 2; len > 0; len = len > 1 ? len / 2 : 0) {
        for (size_t at = 0; at + len <= s.count;) {
            struct schedule less = s;
            memmove(less.steps + at, less.steps + at + len,
                    (s.count - at - len) * sizeof less.steps[0]);
            less.count -= len;
            if (runs_well(&less, plant))
                at += len;
            else
                s = less;
        }
    }
    return s;
}

static void print(const struct schedule *s, char *out, size_t cap)
{
    size_t len = 0;

    *out = '\0';
    for (size_t i = 0; i < s->count && len < cap; i++)
        len += (size_t)snprintf(out + len, cap - len, " %s(%u)", op_names[s->steps[i].op],
                                s->steps[i].arg);
}

/* make test-long asks for more. */
static uint64_t schedule_count(void)
{
    const char *text = getenv("KSCORE_SCHEDULES");

    return text ? strtoull(text, NULL, 10) : SCHEDULES;
}

START_TEST(no_schedule_loses_a_record)
{
    char text[STEPS * 24];

    for (uint64_t seed = 0; seed < schedule_count(); seed++) {
        struct schedule s = random_schedule(seed);
        if (runs_well(&s, PLANT_NONE))
            continue;
        s = shrink(s, PLANT_NONE);
        runs_well(&s, PLANT_NONE);
        print(&s, text, sizeof text);
        ck_abort_msg("seed %llu: %s, by%s", (unsigned long long)seed, w.why, text);
    }
}
END_TEST

/* A model that could not fail would prove nothing. */
START_TEST(planted_faults_are_found_and_shrunk)
{
    char text[STEPS * 24];

    for (uint64_t seed = 0; seed < SCHEDULES; seed++) {
        struct schedule s = random_schedule(seed);
        if (runs_well(&s, (enum plant)_i))
            continue;
        s = shrink(s, (enum plant)_i);
        print(&s, text, sizeof text);
        ck_assert_msg(s.count <= 8, "%zu steps are left:%s", s.count, text);
        ck_assert(!runs_well(&s, (enum plant)_i));
        ck_assert(runs_well(&s, PLANT_NONE));
        return;
    }
    ck_abort_msg("no schedule shows the fault");
}
END_TEST

SUITE(schedule)
{
    TCase *tcase;

    CASE("random", no_schedule_loses_a_record);
    tcase = harness_case(suite, "planted", NULL, 0);
    tcase_add_loop_test(tcase, planted_faults_are_found_and_shrunk, 1, PLANT_COUNT);
}
