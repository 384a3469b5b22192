/* brokers.c: logs, transactions and the group, as the brokers keep them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/model/world.h"

enum { SESSION_MS = 45000, FIRST_END = 10 };

struct world world;

bool record_is_there(int64_t offset)
{
    return offset % 7 != 3 && offset < OFFSETS - 1;
}

bool record_is_skipped(int64_t offset)
{
    return offset % 5 == 4;
}

bool record_is_bad(int64_t offset)
{
    return offset % 9 == 5;
}

bool record_is_alert(int64_t offset)
{
    return offset % 4 == 1;
}

bool record_is_refused(int64_t offset)
{
    return offset % 13 == 12;
}

bool record_needs_schema(int64_t offset)
{
    return offset % 8 == 6;
}

void world_open(enum plant plant)
{
    memset(&world, 0, sizeof world);
    world.plant = plant;
    world.now_ms = 1000000;
    world.chance = 1;
    world.knows_schema = true;
    for (int64_t i = 0; i < OFFSETS; i++)
        world.values[i] = i;
    for (unsigned i = 0; i < PARTS; i++) {
        world.parts[i].committed = OFFSET_NONE;
        world.parts[i].end = FIRST_END;
        world.parts[i].owner = -1;
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        world.processes[i].number = i;
        world.processes[i].instance = i % MEMBERS;
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        memset(world.transactions[i].offsets, 0xff, sizeof world.transactions[i].offsets);
}

void world_fail(const char *format, ...)
{
    va_list args;

    if (*world.why)
        return;
    va_start(args, format);
    vsnprintf(world.why, sizeof world.why, format, args);
    va_end(args);
}

unsigned world_roll(unsigned sides)
{
    world.chance ^= world.chance << 13;
    world.chance ^= world.chance >> 7;
    world.chance ^= world.chance << 17;
    return (unsigned)(world.chance >> 20) % sides;
}

static bool is_alive(uint32_t identity)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        if (world.processes[i].is_up && world.processes[i].identity == identity)
            return true;
    return false;
}

/* Too old transactions are aborted, their producers fenced; who is silent loses its seat. */
void world_pass(int64_t ms)
{
    world.now_ms += ms;
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct coordinated *t = &world.transactions[i];
        if (t->is_open && world.now_ms - t->begun_ms >= KAFKA_TRANSACTION_MS) {
            brokers_end(t, false);
            t->epoch++;
        }
        if (world.group.seats[i].is_taken && !is_alive(world.group.seats[i].identity) &&
            world.now_ms - world.group.seats[i].seen_ms >= SESSION_MS)
            group_expel(i);
    }
}

/* ---- transactions */

static void open_transaction(struct coordinated *t)
{
    if (t->is_open)
        return;
    t->is_open = true;
    t->begun_ms = world.now_ms;
}

void brokers_add(struct coordinated *t, struct written written)
{
    open_transaction(t);
    if (t->count < OUTCOMES)
        t->outcomes[t->count++] = written;
    else
        world_fail("a transaction of more than %d outcomes", OUTCOMES);
}

static void publish(const struct written *o)
{
    switch ((enum output)o->output) {
    case OUTPUT_SCORES: world.parts[o->part].scores[o->offset]++; break;
    case OUTPUT_ALERTS: world.parts[o->part].alerts[o->offset]++; break;
    case OUTPUT_DEAD: world.parts[o->part].dead[o->offset]++; break;
    case OUTPUT_COUNT: break;
    }
}

void brokers_end(struct coordinated *t, bool is_committed)
{
    for (size_t i = 0; i < t->count && is_committed; i++)
        publish(&t->outcomes[i]);
    for (unsigned i = 0; i < PARTS; i++) {
        if (is_committed && t->offsets[i] != OFFSET_NONE)
            world.parts[i].committed = t->offsets[i];
        t->offsets[i] = OFFSET_NONE;
    }
    t->count = 0;
    t->is_open = t->is_late = false;
}

bool brokers_are_unstable(unsigned part)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (world.transactions[i].is_open && world.transactions[i].offsets[part] != OFFSET_NONE)
            return true;
    return false;
}

/* ---- the group */

void group_rebalance(void)
{
    world.group.is_rebalancing = true;
    for (unsigned i = 0; i < MEMBERS; i++)
        world.group.seats[i].has_joined = false;
}

/* A process that takes its own seat again (a static member) has its partitions at once. */
void group_join(const struct process *process)
{
    struct seat *seat = &world.group.seats[process->instance];
    bool is_static =
        seat->is_taken && seat->identity != process->identity && !world.group.is_rebalancing;

    seat->is_taken = true;
    seat->identity = process->identity;
    seat->seen_ms = world.now_ms;
    if (!is_static)
        group_rebalance();
}

void group_expel(unsigned instance)
{
    if (!world.group.seats[instance].is_taken)
        return;
    world.group.seats[instance].is_taken = false;
    group_rebalance();
}

bool group_knows(const struct process *process)
{
    const struct seat *seat = &world.group.seats[process->instance];

    return seat->is_taken && seat->identity == process->identity;
}

void group_finish(void)
{
    unsigned members[MEMBERS], count = 0;

    for (unsigned i = 0; i < MEMBERS; i++) {
        if (!world.group.seats[i].is_taken)
            continue;
        if (!world.group.seats[i].has_joined)
            return;
        members[count++] = i;
    }
    if (count == 0)
        return;
    world.group.is_rebalancing = false;
    world.group.generation++;
    for (unsigned i = 0; i < PARTS; i++)
        world.parts[i].owner = (int)members[(i + world.group.rotation) % count];
}
