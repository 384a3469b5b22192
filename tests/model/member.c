/* member.c: consumer/consumer.h for the world's group: consumer.c and assignment.c without
 * librdkafka. The order of what a poll does is theirs. */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/model/world.h"

enum { RETRY_MS = 1000 };

struct consumer {
    struct process *process;
    struct ledger *ledger;
    struct consumer_hooks hooks;
    uint32_t generation; /* of the assignment that it has, or waits for; 0: none */
    bool is_subscribed, has_assignment, must_take;
    bool is_offered, must_retry, must_reassign, must_ask;
    int64_t retry_ms;
    struct {
        int64_t next;
        bool is_paused;
    } at[PARTS];
};

struct consumer *consumer_new(const struct config *config, unsigned worker, struct ledger *ledger,
                              const struct consumer_hooks *hooks, struct err *err)
{
    struct consumer *c = mem_alloc(1, sizeof *c);

    (void)config, (void)err;
    *c = (struct consumer){.process = &world.processes[worker], .ledger = ledger, .hooks = *hooks};
    return c;
}

int consumer_check(struct consumer *c, int timeout_ms, struct err *err)
{
    (void)c, (void)timeout_ms, (void)err;
    return 0;
}

int consumer_subscribe(struct consumer *c, struct err *err)
{
    (void)err;
    c->is_subscribed = true;
    group_join(c->process);
    if (!world.group.is_rebalancing) {
        c->generation = world.group.generation;
        c->must_take = true;
    }
    return 0;
}

/* ---- assignments */

static bool give_up(struct consumer *c, bool is_lost)
{
    bool is_settled = c->hooks.revoking(c->hooks.arg, is_lost);

    for (uint32_t i = 0; i < c->ledger->count; i++)
        ledger_revoke(c->ledger, i);
    c->has_assignment = c->must_ask = false;
    return is_settled;
}

static bool is_ours(const struct consumer *c, unsigned part)
{
    return world.parts[part].owner == (int)c->process->instance;
}

static void retry_later(struct consumer *c)
{
    c->is_offered = c->must_retry = true;
    c->retry_ms = world.now_ms + RETRY_MS;
}

/* A plain commit is taken from a member of this generation. What it passes over must be gone. */
static bool commit(const struct consumer *c, unsigned part, int64_t offset)
{
    int64_t *committed = &world.parts[part].committed;

    if (!group_knows(c->process) || c->generation != world.group.generation || c->process->is_cut)
        return false;
    for (int64_t k = *committed < 0 ? 0 : *committed; k < offset && k < world.parts[part].low; k++)
        world.parts[part].is_gone[k] = true;
    *committed = offset;
    return true;
}

static void take(struct consumer *c, const int64_t offsets[PARTS])
{
    for (unsigned i = 0; i < PARTS; i++) {
        if (!is_ours(c, i))
            continue;
        ledger_assign(c->ledger, ledger_add(c->ledger, "in", (int32_t)i), offsets[i]);
        c->at[i].next = offsets[i];
        c->at[i].is_paused = false;
    }
    if (c->has_assignment)
        world_fail("assigned twice");
    c->has_assignment = true;
    c->must_take = c->must_retry = c->must_ask = false;
    c->hooks.assigned(c->hooks.arg);
}

/* What was never committed begins at the log's start. */
static void on_assign(struct consumer *c)
{
    int64_t offsets[PARTS] = {0};

    c->must_take = c->is_offered = false;
    for (unsigned i = 0; i < PARTS; i++) {
        if (!is_ours(c, i))
            continue;
        if (brokers_are_unstable(i) && world.plant != PLANT_unstable_start) {
            retry_later(c);
            return;
        }
        offsets[i] = world.parts[i].committed;
        if (offsets[i] != OFFSET_NONE)
            continue;
        offsets[i] = world.parts[i].low;
        if (!commit(c, i, offsets[i])) {
            retry_later(c);
            return;
        }
    }
    take(c, offsets);
}

/* A position below the log: everything is assigned anew. */
static void reassign(struct consumer *c)
{
    int64_t offsets[PARTS] = {0};
    bool is_well;

    c->must_reassign = false;
    if (!c->has_assignment || c->must_ask)
        return;
    is_well = give_up(c, false);
    for (unsigned i = 0; i < PARTS && is_well; i++) {
        const struct part *part;
        if (!is_ours(c, i))
            continue;
        part = &c->ledger->parts[ledger_find(c->ledger, "in", (int32_t)i)];
        offsets[i] = part->done < world.parts[i].low ? world.parts[i].low : part->done;
        is_well = commit(c, i, offsets[i]);
    }
    if (is_well)
        take(c, offsets);
    else
        retry_later(c);
}

/* It does not know yet that the group has moved on; it hears of that behind it. */
static void retry(struct consumer *c)
{
    bool is_all = c->must_ask && c->has_assignment;

    c->must_retry = c->must_ask = false;
    if (is_all)
        give_up(c, false);
    if (!is_all && !c->is_offered)
        return;
    if (c->process->is_cut)
        retry_later(c);
    else
        on_assign(c);
}

/* A second process has our instance. */
static int fence(struct err *err)
{
    return err_fatal(err, EXIT_AGAIN, "fenced");
}

/* What the group has to say, in a poll. */
static void meet_group(struct consumer *c)
{
    struct seat *seat = &world.group.seats[c->process->instance];

    seat->seen_ms = world.now_ms;
    if (!group_knows(c->process)) {
        if (c->has_assignment)
            give_up(c, true);
        c->must_take = c->is_offered = false;
        group_join(c->process);
    }
    if (world.group.is_rebalancing && !seat->has_joined) {
        if (c->has_assignment)
            give_up(c, false);
        seat->has_joined = true;
        c->must_take = c->is_offered = false;
        c->generation = 0;
        group_finish();
    }
    if (!world.group.is_rebalancing && c->generation != world.group.generation) {
        c->generation = world.group.generation;
        c->must_take = true;
    }
    if (c->must_take)
        on_assign(c);
}

/* ---- records */

static void see_end(struct consumer *c, unsigned part)
{
    uint32_t index = ledger_find(c->ledger, "in", (int32_t)part);

    if (!c->ledger->parts[index].is_paused)
        c->ledger->parts[index].end = c->ledger->parts[index].seen_end = world.parts[part].end;
}

/* Offsets without a record are passed over. Returns how many it took. */
static size_t fetch(struct consumer *c, unsigned part, struct record *records, size_t cap)
{
    uint32_t index = ledger_find(c->ledger, "in", (int32_t)part);
    size_t count = 0;

    if (index == LEDGER_NO_PART || !c->ledger->parts[index].is_owned || c->at[part].is_paused)
        return 0;
    if (c->at[part].next < world.parts[part].low) {
        c->must_reassign = true;
        return 0;
    }
    while (count < cap && c->at[part].next < world.parts[part].end) {
        int64_t offset = c->at[part].next++;
        const int64_t *value = &world.values[offset];
        if (!record_is_there(offset))
            continue;
        records[count++] = (struct record){
            .value = {record_is_skipped(offset) ? NULL : (const uint8_t *)value, sizeof *value},
            .offset = offset,
            .timestamp_ms = 1,
            .part = index,
            .partition = (int32_t)part,
            .topic = "in"};
    }
    if (count < cap && c->at[part].next == world.parts[part].end)
        see_end(c, part);
    return count;
}

ssize_t consumer_poll(struct consumer *c, struct record *records, size_t cap, int timeout_ms,
                      struct err *err)
{
    const struct seat *seat = &world.group.seats[c->process->instance];
    uint32_t epoch;
    size_t count = 0;
    unsigned first = world_roll(PARTS);

    process_polls(c->process);
    if (seat->is_taken && !c->process->is_cut && seat->identity != c->process->identity)
        return fence(err);
    if (c->must_reassign)
        reassign(c);
    if (c->must_retry && world.now_ms >= c->retry_ms)
        retry(c);
    epoch = c->ledger->epoch;
    if (!c->process->is_cut)
        meet_group(c);
    for (unsigned i = 0; i < PARTS && !c->process->is_cut; i++)
        count += fetch(c, (first + i) % PARTS, records + count,
                       (cap - count) < 1 ? 0 : 1 + world_roll((unsigned)(cap - count)));
    if (count == 0)
        world_pass(timeout_ms);
    if (c->ledger->epoch == epoch)
        return (ssize_t)count;
    for (size_t i = 0; i < count; i++) /* as in consumer.c: an assignment came in this poll */
        ledger_let_go(c->ledger, records[i].part);
    return 0;
}

void consumer_release(const struct record *records, size_t count)
{
    (void)records, (void)count;
}

ssize_t consumer_headers(const struct record *record, struct header *headers, size_t cap)
{
    (void)record, (void)headers, (void)cap;
    return 0;
}

void consumer_steer(struct consumer *c, bool pause_all)
{
    for (size_t i = 0; i < c->ledger->count; i++) {
        const struct part *part = &c->ledger->parts[i];
        enum turn turn = ledger_steer(c->ledger, (uint32_t)i, pause_all);
        if (turn == TURN_NONE)
            continue;
        c->at[part->partition].is_paused = turn == TURN_PAUSE;
        if (turn == TURN_RESUME && world.plant != PLANT_no_seek)
            c->at[part->partition].next = part->position;
    }
}

void consumer_store(struct consumer *c)
{
    (void)c; /* the transactions commit */
}

struct slice consumer_member(struct consumer *c)
{
    const uint32_t who[] = {c->process->instance, c->process->identity, c->generation};

    return (struct slice){(const uint8_t *)mem_copy_text((const char *)who, sizeof who),
                          sizeof who};
}

void consumer_ask(struct consumer *c)
{
    c->must_retry = c->must_ask = true;
    c->retry_ms = 0;
}

bool consumer_has_more(const struct consumer *c)
{
    for (size_t i = 0; i < c->ledger->count; i++) {
        const struct part *part = &c->ledger->parts[i];
        if (part->is_owned && !part->is_parked && !part_is_at_end(part))
            return true;
    }
    return false;
}

bool consumer_is_asking(const struct consumer *c)
{
    return c->is_offered;
}

const char *consumer_throttler(const struct consumer *c)
{
    (void)c;
    return NULL;
}

uint64_t consumer_commit_count(const struct consumer *c)
{
    (void)c;
    return 0;
}

/* A static member does not leave: its session runs out. */
int consumer_close(struct consumer *c, int timeout_ms, struct err *err)
{
    (void)timeout_ms, (void)err;
    if (!c)
        return 0;
    if (c->has_assignment)
        give_up(c, !group_knows(c->process));
    if (!c->process->is_cut && group_knows(c->process) && world_roll(2))
        group_expel(c->process->instance);
    free(c);
    return 0;
}

void consumer_abandon(struct consumer *c)
{
    free(c);
}
