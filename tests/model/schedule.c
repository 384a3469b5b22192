#include "tests/model/schedule.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often each comes, of all: mostly work, now and then trouble. */
#define OPS(X)                                                                                     \
    X(start, 5)                                                                                    \
    X(turn, 60)                                                                                    \
    X(deliver, 12)                                                                                 \
    X(fail, 2)                                                                                     \
    X(upset, 7)                                                                                    \
    X(arrive, 4)                                                                                   \
    X(slow, 5)                                                                                     \
    X(cut, 2)                                                                                      \
    X(wait, 8)                                                                                     \
    X(feed, 6)                                                                                     \
    X(retain, 1)                                                                                   \
    X(schema, 4)                                                                                   \
    X(rebalance, 3)                                                                                \
    X(expel, 4)                                                                                    \
    X(kill, 2)                                                                                     \
    X(doom, 3)                                                                                     \
    X(stop, 2)

enum op {
#define X(name, weight) OP_##name,
    OPS(X)
#undef X
        OP_COUNT
};

static const char *const op_names[] = {
#define X(name, weight) #name,
    OPS(X)
#undef X
};

static const unsigned weights[] = {
#define X(name, weight) weight,
    OPS(X)
#undef X
};

static const char *const upset_names[] = {"again",      "again_done", "again_late", "abort",
                                          "abort_done", "dead",       "dead_done",  "dead_late"};
/* Most trouble with the one that decides. */
static const enum call calls[] = {CALL_COMMIT, CALL_OFFSETS, CALL_COMMIT, CALL_ABORT, CALL_INIT};
static const char *const call_names[] = {"commit", "offsets", "abort", "init"};

static const int waits_ms[] = {60, 600, 6000, 16000, 31000};

enum {
    WAITS = sizeof waits_ms / sizeof *waits_ms,
    UPSETS = UPSET_COUNT - 1,
    CALLS = sizeof calls / sizeof *calls,
};

/* An argument is a process, an instance or a partition, and something more. */
static unsigned first_of(struct event step)
{
    return step.arg % PROCESSES;
}

static unsigned rest_of(struct event step)
{
    return step.arg / PROCESSES;
}

/* ---- steps */

static void turn(unsigned number, unsigned count)
{
    for (unsigned i = 0; i < count && world_holds(); i++)
        process_turn(number);
}

static void feed(unsigned part, unsigned count)
{
    int64_t *end = &world.parts[part].end;

    *end = *end + count < OFFSETS ? *end + count : OFFSETS;
}

static void retain(unsigned part, unsigned count)
{
    int64_t *low = &world.parts[part].low, end = world.parts[part].end;

    *low = *low + count < end ? *low + count : end;
}

static void run_step(struct event step)
{
    unsigned n = first_of(step), rest = rest_of(step);
    struct process *process = &world.processes[n];

    world.chance = ((uint64_t)step.arg << 8 | step.op | 1 << 16) * 0x9e3779b97f4a7c15;
    switch ((enum op)step.op) {
    case OP_start: process_start(n); break;
    case OP_turn: turn(n, 1 + rest % 5); break;
    case OP_deliver:
        if (process->is_up)
            producer_deliver(process->pipeline.producer, 1 + rest % QUEUE);
        break;
    case OP_fail:
        if (process->is_up)
            producer_fail_one(process->pipeline.producer);
        break;
    case OP_upset:
        process->upsets[calls[rest / UPSETS % CALLS]] = (enum upset)(1 + rest % UPSETS);
        break;
    case OP_arrive:
        if (world.transactions[n % MEMBERS].is_late)
            brokers_end(&world.transactions[n % MEMBERS], true);
        break;
    case OP_slow: process->is_slow = !process->is_slow; break;
    case OP_cut: process->is_cut = !process->is_cut; break;
    case OP_wait: world_pass(waits_ms[rest % WAITS]); break;
    case OP_feed: feed(n % PARTS, 1 + rest % 10); break;
    case OP_retain: retain(n % PARTS, 1 + rest % 10); break;
    case OP_schema: world.knows_schema = !world.knows_schema; break;
    case OP_rebalance:
        world.group.rotation = n;
        group_rebalance();
        break;
    case OP_expel: group_expel(n % MEMBERS); break;
    case OP_kill: process_kill(n); break;
    case OP_doom: process->doom = 1 + rest % 20; break;
    case OP_stop: process->stop = 1; break;
    case OP_COUNT: break;
    }
}

/* An assertion of the program ends the schedule, not the test. */
static sigjmp_buf on_assert;

static void jump(int number)
{
    (void)number;
    siglongjmp(on_assert, 1);
}

bool schedule_runs(const struct schedule *s, enum plant plant)
{
    world_open(plant);
    signal(SIGABRT, jump);
    if (sigsetjmp(on_assert, 1) == 0) {
        for (size_t i = 0; i < s->count && world_holds(); i++)
            run_step(s->steps[i]);
        if (world_holds())
            world_finishes();
    } else {
        world_fail("an assertion failed");
    }
    for (unsigned i = 0; i < PROCESSES; i++)
        process_kill(i);
    world.now_ms = 0; /* Check's clock goes on */
    return *world.why == '\0';
}

/* ---- schedules */

static unsigned pick(unsigned dice)
{
    unsigned op = 0;

    while (dice >= weights[op])
        dice -= weights[op++];
    return op;
}

struct schedule schedule_random(uint64_t seed)
{
    struct schedule s = {.steps = {{OP_start, 0}, {OP_start, 1}}, .count = STEPS};
    unsigned sum = 0;

    for (unsigned i = 0; i < OP_COUNT; i++)
        sum += weights[i];
    world.chance = (seed + 1) * 0x9e3779b97f4a7c15;
    world_roll(2);
    for (size_t i = 2; i < STEPS; i++) {
        unsigned op = pick(world_roll(sum));
        s.steps[i] = (struct event){(uint8_t)op, (uint8_t)world_roll(256)};
    }
    return s;
}

/* Long runs of steps first. */
static void drop_steps(struct schedule *s, enum plant plant)
{
    for (size_t len = s->count / 2; len > 0; len = len > 1 ? len / 2 : 0) {
        for (size_t at = 0; at + len <= s->count;) {
            struct schedule less = *s;
            memmove(less.steps + at, less.steps + at + len,
                    (s->count - at - len) * sizeof less.steps[0]);
            less.count -= len;
            if (schedule_runs(&less, plant))
                at++;
            else
                *s = less;
        }
    }
}

static void make_small(struct schedule *s, enum plant plant)
{
    for (size_t i = 0; i < s->count; i++) {
        struct schedule less = *s;
        while (less.steps[i].arg >= PROCESSES) {
            less.steps[i].arg -= PROCESSES;
            if (schedule_runs(&less, plant))
                break;
            *s = less;
        }
    }
}

struct schedule schedule_shrink(struct schedule s, enum plant plant)
{
    size_t before;

    do {
        before = s.count;
        drop_steps(&s, plant);
        make_small(&s, plant);
    } while (s.count < before);
    schedule_runs(&s, plant);
    return s;
}

static int print_step(struct event step, char *out, size_t cap)
{
    const char *name = op_names[step.op];
    unsigned n = first_of(step), rest = rest_of(step);

    switch ((enum op)step.op) {
    case OP_turn: return snprintf(out, cap, " %s(%u x%u)", name, n, 1 + rest % 5);
    case OP_deliver: return snprintf(out, cap, " %s(%u x%u)", name, n, 1 + rest % QUEUE);
    case OP_upset:
        return snprintf(out, cap, " %s(%u %s %s)", name, n,
                        call_names[calls[rest / UPSETS % CALLS]], upset_names[rest % UPSETS]);
    case OP_wait: return snprintf(out, cap, " %s(%d ms)", name, waits_ms[rest % WAITS]);
    case OP_feed:
    case OP_retain: return snprintf(out, cap, " %s([%u] +%u)", name, n % PARTS, 1 + rest % 10);
    case OP_doom: return snprintf(out, cap, " %s(%u in %u)", name, n, 1 + rest % 20);
    case OP_schema: return snprintf(out, cap, " %s", name);
    case OP_arrive:
    case OP_expel: return snprintf(out, cap, " %s(%u)", name, n % MEMBERS);
    default: return snprintf(out, cap, " %s(%u)", name, n);
    }
}

void schedule_print(const struct schedule *s, char out[SCHEDULE_TEXT_MAX])
{
    size_t len = 0;

    *out = '\0';
    for (size_t i = 0; i < s->count; i++)
        len += (size_t)print_step(s->steps[i], out + len, SCHEDULE_TEXT_MAX - len);
}
