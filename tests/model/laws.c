/* laws.c: what must hold, whatever happens. */
#include <stdio.h>
#include <string.h>

#include "tests/model/world.h"

static bool has_outcome(int64_t offset)
{
    return record_is_there(offset) && !record_is_skipped(offset);
}

/* Outcomes and offsets are one: what is below the committed offset is seen once, the rest
 * not at all. */
static void check_offset(unsigned part, int64_t offset)
{
    unsigned scores = world.parts[part].scores[offset], dead = world.parts[part].dead[offset];
    unsigned alerts = world.parts[part].alerts[offset];
    bool is_due = offset < world.parts[part].committed && has_outcome(offset) &&
                  !world.parts[part].is_gone[offset];

    if (scores + dead != is_due)
        world_fail("[%u] is committed up to %lld; of offset %lld are seen %u scores, %u dead "
                   "letters",
                   part, (long long)world.parts[part].committed, (long long)offset, scores, dead);
    if (alerts != (record_is_alert(offset) ? scores : 0))
        world_fail("[%u] offset %lld: %u scores, %u alerts", part, (long long)offset, scores,
                   alerts);
    if (scores > 0 && (record_is_bad(offset) || record_is_refused(offset)))
        world_fail("[%u] offset %lld has a score", part, (long long)offset);
}

static void check_process(const struct process *process)
{
    const struct pipeline *p = &process->pipeline;
    struct err err = ERR_INIT;

    if (ring_check(&p->ring, &p->ledger, &err) != 0)
        world_fail("process %u: %.300s", process->number, err.text);
    for (size_t i = 0; i < p->ledger.count; i++) {
        const struct part *part = &p->ledger.parts[i];
        if (part->is_owned && (part->committed > part->done ||
                               (part->stored != OFFSET_NONE && part->committed > part->stored)))
            world_fail("process %u: [%d] committed %lld, stored %lld, done %lld", process->number,
                       part->partition, (long long)part->committed, (long long)part->stored,
                       (long long)part->done);
    }
}

bool world_holds(void)
{
    for (unsigned i = 0; i < PARTS; i++)
        for (int64_t k = 0; k < OFFSETS; k++)
            check_offset(i, k);
    for (unsigned i = 0; i < PROCESSES; i++)
        if (world.processes[i].is_up)
            check_process(&world.processes[i]);
    return *world.why == '\0';
}

static bool is_all_committed(void)
{
    for (unsigned i = 0; i < PARTS; i++)
        if (world.parts[i].committed != OFFSETS)
            return false;
    return true;
}

static void calm(void)
{
    world.is_calm = true;
    world.knows_schema = true;
    for (unsigned i = 0; i < PARTS; i++)
        world.parts[i].end = OFFSETS;
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct process *p = &world.processes[i];
        p->is_cut = p->is_slow = false;
        memset(p->upsets, 0, sizeof p->upsets);
        p->doom = 0;
    }
}

bool world_finishes(void)
{
    enum { ENOUGH_MS = 120000 };
    int64_t deadline_ms = world.now_ms + ENOUGH_MS;

    calm();
    while (!is_all_committed() && world_holds()) {
        if (world.now_ms >= deadline_ms) {
            world_fail("nothing fails any more, and after %d s it is committed up to %lld, %lld, "
                       "%lld of %d",
                       ENOUGH_MS / 1000, (long long)world.parts[0].committed,
                       (long long)world.parts[1].committed, (long long)world.parts[2].committed,
                       OFFSETS);
            break;
        }
        for (unsigned i = 0; i < PROCESSES; i++) {
            if (i < MEMBERS)
                process_start(i);
            process_turn(i);
        }
        world_pass(1);
    }
    return world_holds();
}
