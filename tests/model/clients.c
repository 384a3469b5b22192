/* clients.c: producer/producer.h and producer/transaction.h for the world's brokers, in one piece:
 * records and transactions are of one client. What librdkafka does in each case: docs/delivery.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "producer/transaction.h"
#include "tests/model/world.h"

struct message {
    void *tag;
    struct written written;
    bool is_answered;
    enum delivery delivery;
};

struct producer {
    struct process *process;
    struct coordinated *transaction; /* of its id, at the brokers */
    producer_report *report;
    void *arg;
    struct message queue[QUEUE];
    size_t count;
    uint32_t epoch;
    bool can_begin, is_open;
    bool has_added;          /* the brokers know of the transaction */
    bool has_failed;         /* it can only be aborted */
    bool is_out_of_sequence; /* after a refused record the next transaction fails, too */
    bool is_dead;
    bool is_in_doubt;   /* what was aborted may have been written without an answer */
    bool is_committing; /* the call was made, its answer is not there: nothing else may be called */

    /* Offsets on their way: they arrive, and are answered, when that is asked for. */
    bool is_sending;
    struct offset sent[PARTS];
    size_t sent_count;
    uint32_t member[3]; /* who sent them: consumer_member's */
};

bool process_is_dead(struct process *process)
{
    enum { ENOUGH = 100000 };

    if (++world.calls > ENOUGH) {
        world_fail("process %u calls without end", process->number);
        process->is_dead = true;
    }
    if (process->doom > 0 && --process->doom == 0)
        process->is_dead = true;
    return process->is_dead;
}

void process_polls(struct process *process)
{
    if (process_is_dead(process))
        siglongjmp(world.death, 1);
}

/* ---- records */

static bool is_fenced(const struct producer *p)
{
    return p->epoch != p->transaction->epoch;
}

static void answer(struct message *m, enum delivery delivery)
{
    m->is_answered = true;
    m->delivery = delivery;
}

/* The batch that it is in fails with it. */
static void refuse(struct producer *p, const struct message *culprit)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->queue[i].is_answered && p->queue[i].written.output == culprit->written.output)
            answer(&p->queue[i], DELIVERY_REFUSED);
    p->has_failed = p->is_out_of_sequence = true;
}

static void deliver(struct producer *p, struct message *m)
{
    if (is_fenced(p)) {
        p->is_dead = true;
        answer(m, DELIVERY_FAILED);
    } else if (p->is_out_of_sequence || p->has_failed) {
        p->is_out_of_sequence = p->is_out_of_sequence && p->has_failed;
        p->has_failed = true;
        answer(m, DELIVERY_FAILED);
    } else if (m->written.output == OUTPUT_SCORES && record_is_refused(m->written.offset)) {
        refuse(p, m);
    } else {
        brokers_add(p->transaction, m->written);
        p->has_added = true;
        answer(m, DELIVERY_OK);
    }
}

void producer_deliver(struct producer *p, size_t count)
{
    for (size_t i = 0; i < p->count && count > 0 && !p->process->is_cut && !p->is_dead; i++) {
        if (p->queue[i].is_answered)
            continue;
        deliver(p, &p->queue[i]);
        count--;
    }
}

/* It may have arrived all the same. */
void producer_fail_one(struct producer *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->queue[i].is_answered)
            continue;
        if (!is_fenced(p) && world_roll(2)) {
            brokers_add(p->transaction, p->queue[i].written);
            p->has_added = true;
        }
        p->has_failed = world.plant != PLANT_rewind_without_abort;
        answer(&p->queue[i], DELIVERY_FAILED);
        return;
    }
}

static int report(struct producer *p)
{
    size_t kept = 0, count = p->count;

    for (size_t i = 0; i < count; i++) {
        struct message m = p->queue[i];
        if (!m.is_answered) {
            p->queue[kept++] = m;
            continue;
        }
        if (world.plant == PLANT_kind_reports && m.delivery == DELIVERY_FAILED) {
            m.delivery = DELIVERY_OK;
            p->has_failed = false;
        }
        p->report(p->arg, m.tag, m.delivery, "scores: failed");
    }
    p->count = kept;
    return (int)(count - kept);
}

static enum sent enqueue(struct producer *p, const struct record *record, enum output output,
                         void *tag, struct err *err)
{
    if (process_is_dead(p->process))
        return SENT_FULL;
    if (!p->is_open)
        world_fail("a record is sent without a transaction");
    if (p->is_dead) {
        err_dependency(err, "scores: fatal");
        return SENT_FAILED;
    }
    if (p->count == QUEUE)
        return SENT_FULL;
    p->queue[p->count++] = (struct message){
        .tag = tag,
        .written = {(uint8_t)record->partition, (uint8_t)record->offset, (uint8_t)output}};
    return SENT_OK;
}

void producer_set_provenance(struct producer *p, const struct provenance *provenance,
                             int32_t schema_id)
{
    (void)p, (void)provenance, (void)schema_id;
}

enum sent producer_send_score(struct producer *p, const struct record *record,
                              const struct score *score, void *tag, struct err *err)
{
    (void)score;
    return enqueue(p, record, OUTPUT_SCORES, tag, err);
}

enum sent producer_send_alert(struct producer *p, const struct record *record,
                              const struct score *score, void *tag, struct err *err)
{
    (void)score;
    return enqueue(p, record, OUTPUT_ALERTS, tag, err);
}

enum sent producer_send_dead(struct producer *p, const struct record *record,
                             const struct dead_letter *letter, void *tag, struct err *err)
{
    (void)letter;
    return enqueue(p, record, OUTPUT_DEAD, tag, err);
}

/* Nothing is redriven here. */
enum sent producer_send_back(struct producer *p, const struct record *record,
                             const struct returned *returned, void *tag, struct err *err)
{
    (void)p, (void)record, (void)returned, (void)tag, (void)err;
    return SENT_FULL;
}

int producer_poll(struct producer *p, int timeout_ms)
{
    process_polls(p->process);
    world_pass(timeout_ms);
    return report(p);
}

bool producer_flush(struct producer *p, int timeout_ms)
{
    process_polls(p->process);
    if (!p->process->is_slow)
        producer_deliver(p, QUEUE);
    report(p);
    if (p->count > 0)
        world_pass(timeout_ms);
    return p->count == 0;
}

size_t producer_in_flight(const struct producer *p)
{
    return p->count;
}

/* What is dropped on its way may arrive. */
void producer_drop(struct producer *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->queue[i].is_answered)
            continue;
        if (!is_fenced(p) && p->is_open && world_roll(4) == 0) {
            brokers_add(p->transaction, p->queue[i].written);
            p->has_added = true;
        }
        answer(&p->queue[i], DELIVERY_DROPPED);
    }
}

/* ---- transactions */

/* The upset of this call; a process that is cut off sees only time-outs. */
static enum upset upset_of(struct producer *p, enum call call)
{
    enum upset upset = p->process->upsets[call];

    if (process_is_dead(p->process) || p->process->is_cut)
        return UPSET_AGAIN;
    p->process->upsets[call] = UPSET_NONE;
    return upset;
}

static bool is_done(enum upset upset)
{
    return upset == UPSET_NONE || upset == UPSET_AGAIN_DONE || upset == UPSET_ABORT_DONE ||
           upset == UPSET_DEAD_DONE;
}

static enum transacted say(struct producer *p, enum upset upset, int timeout_ms, struct err *err)
{
    static const enum transacted said[UPSET_COUNT] = {
        [UPSET_NONE] = TRANSACTED,           [UPSET_AGAIN] = TRANSACT_AGAIN,
        [UPSET_AGAIN_DONE] = TRANSACT_AGAIN, [UPSET_AGAIN_LATE] = TRANSACT_AGAIN,
        [UPSET_ABORT] = TRANSACT_ABORT,      [UPSET_ABORT_DONE] = TRANSACT_ABORT,
        [UPSET_DEAD] = TRANSACT_DEAD,        [UPSET_DEAD_DONE] = TRANSACT_DEAD,
        [UPSET_DEAD_LATE] = TRANSACT_DEAD};

    if (said[upset] == TRANSACTED)
        return TRANSACTED;
    if (said[upset] == TRANSACT_AGAIN)
        world_pass(timeout_ms);
    p->has_failed = p->has_failed || said[upset] == TRANSACT_ABORT;
    p->is_dead = p->is_dead || said[upset] == TRANSACT_DEAD;
    err_dependency(err, "upset %d", (int)upset);
    return said[upset];
}

/* What a call finds before it reaches anybody. */
static bool is_refused(struct producer *p, bool is_commit, enum transacted *said, struct err *err)
{
    *said = TRANSACT_DEAD;
    if (!p->is_open)
        world_fail("a call about a transaction that is not open");
    if (p->is_sending)
        world_fail("something else is called while offsets are on their way");
    if (p->is_committing && !is_commit && !p->has_failed)
        world_fail("something else is called while a commit has no answer");
    if (!p->is_dead && (!is_fenced(p) || p->process->is_cut))
        return false;
    if (is_fenced(p))
        *said = TRANSACT_FENCED;
    p->is_dead = true;
    err_dependency(err, "fatal");
    return true;
}

enum transacted producer_init_transactions(struct producer *p, int timeout_ms, struct err *err)
{
    enum upset upset;

    process_polls(p->process); /* before the first assignment there is no other poll */
    upset = upset_of(p, CALL_INIT);
    if (p->is_dead)
        return say(p, UPSET_DEAD, timeout_ms, err);
    if (upset == UPSET_ABORT || upset == UPSET_ABORT_DONE)
        upset = UPSET_AGAIN;
    if (is_done(upset)) {
        brokers_end(p->transaction, false);
        p->epoch = ++p->transaction->epoch;
    }
    p->can_begin = upset == UPSET_NONE;
    return say(p, upset, timeout_ms, err);
}

bool producer_can_begin(const struct producer *p)
{
    return p->can_begin;
}

bool producer_is_in_doubt(const struct producer *p)
{
    return p->is_in_doubt;
}

enum transacted producer_begin(struct producer *p, struct err *err)
{
    if (process_is_dead(p->process))
        return say(p, UPSET_AGAIN, 0, err);
    if (!p->can_begin || p->is_open)
        world_fail("a transaction is begun where none can be");
    if (p->is_in_doubt)
        world_fail("records are numbered as those that may have been written");
    if (p->is_dead)
        return say(p, UPSET_DEAD, 0, err);
    p->is_open = true;
    p->has_added = p->has_failed = p->is_committing = false;
    return TRANSACTED;
}

static bool is_member(const uint32_t who[3])
{
    return world.group.seats[who[0]].is_taken && world.group.seats[who[0]].identity == who[1] &&
           world.group.generation == who[2];
}

/* Where the plants that send the wrong offsets are. */
static int64_t offset_to_send(const struct producer *p, const struct offset *offset)
{
    const struct ledger *ledger = &p->process->pipeline.ledger;
    const struct part *part = &ledger->parts[ledger_find(ledger, "in", offset->partition)];

    if (world.plant == PLANT_unacknowledged_offsets)
        return part->position;
    if (world.plant == PLANT_parked_tail && part->is_parked)
        return part->position + 1;
    return offset->offset;
}

void producer_send_offsets(struct producer *p, const struct offset *offsets, size_t count,
                           struct slice member)
{
    if (!p->is_open || p->is_committing || p->is_sending)
        world_fail("offsets are sent where none can be");
    p->is_sending = true;
    p->sent_count = count;
    for (size_t i = 0; i < count; i++) {
        p->sent[i] = offsets[i];
        p->sent[i].offset = offset_to_send(p, &offsets[i]);
    }
    memcpy(p->member, member.data, sizeof p->member);
}

bool producer_is_sending_offsets(const struct producer *p)
{
    return p->is_sending;
}

/* They reach the brokers. */
static void add_offsets(struct producer *p)
{
    for (size_t i = 0; i < p->sent_count; i++) {
        if (!p->transaction->is_open)
            p->transaction->begun_ms = world.now_ms;
        p->transaction->is_open = p->has_added = true;
        p->transaction->offsets[p->sent[i].partition] = p->sent[i].offset;
    }
}

/* Nobody asks any more. */
static void arrive(struct producer *p)
{
    if (p->is_sending && is_member(p->member) && !is_fenced(p) && world_roll(2))
        add_offsets(p);
    p->is_sending = false;
}

/* LATE: no answer yet. The others are answers, AGAIN is one that was lost. */
enum transacted producer_await_offsets(struct producer *p, int timeout_ms, struct err *err)
{
    enum upset upset = upset_of(p, CALL_OFFSETS);
    enum transacted said;

    if (!p->is_sending)
        world_fail("offsets are waited for that were not sent");
    if (p->process->is_cut || p->process->is_dead || upset == UPSET_AGAIN_LATE)
        return say(p, UPSET_AGAIN, timeout_ms, err);
    p->is_sending = false;
    if (is_refused(p, false, &said, err))
        return said;
    if (p->has_failed || (!is_member(p->member) && world.plant != PLANT_lost_partition))
        return say(p, UPSET_ABORT, 0, err);
    if (is_done(upset))
        add_offsets(p);
    return say(p, upset, timeout_ms, err);
}

static void close_transaction(struct producer *p)
{
    p->is_open = p->is_committing = p->has_added = false;
}

enum transacted producer_commit(struct producer *p, int timeout_ms, struct err *err)
{
    enum upset upset = upset_of(p, CALL_COMMIT);
    enum transacted said;

    if (is_refused(p, true, &said, err))
        return said;
    if (p->count > 0)
        world_fail("a commit while records are on their way");
    if (p->has_failed)
        return say(p, UPSET_ABORT, 0, err);
    p->is_committing = true;
    if (p->has_added && !p->process->is_cut && !p->process->is_dead) {
        bool is_late = upset == UPSET_AGAIN_LATE || upset == UPSET_DEAD_LATE;
        if (p->transaction->is_open && is_done(upset))
            brokers_end(p->transaction, true);
        else
            p->transaction->is_late =
                p->transaction->is_late || (p->transaction->is_open && is_late);
    }
    if (world.plant == PLANT_hoped_commit && upset == UPSET_AGAIN) {
        brokers_end(p->transaction, false);
        upset = UPSET_NONE;
    }
    said = say(p, upset, timeout_ms, err);
    if (said == TRANSACTED)
        close_transaction(p);
    return said;
}

/* The brokers take an abort only for what they have not committed. */
enum transacted producer_abort(struct producer *p, int timeout_ms, struct err *err)
{
    enum upset upset;
    enum transacted said;

    if (p->is_sending && (p->process->is_cut || p->process->is_dead || world_roll(3) == 0))
        return say(p, UPSET_AGAIN, timeout_ms, err);
    upset = upset_of(p, CALL_ABORT);
    arrive(p);
    if (is_refused(p, false, &said, err))
        return said;
    p->is_in_doubt = p->is_in_doubt || p->count > 0;
    producer_drop(p);
    report(p);
    if (upset == UPSET_ABORT || upset == UPSET_ABORT_DONE)
        upset = UPSET_AGAIN;
    if (p->is_committing && !p->transaction->is_open && p->has_added)
        return say(p, UPSET_DEAD, timeout_ms, err);
    if (is_done(upset)) {
        brokers_end(p->transaction, false);
        p->has_added = false;
    }
    said = say(p, upset, timeout_ms, err);
    if (said == TRANSACTED) {
        close_transaction(p);
        p->has_failed = false;
    }
    return said;
}

/* ---- its life */

static void open_client(struct producer *p)
{
    struct process *process = p->process;

    *p = (struct producer){.process = process,
                           .transaction = &world.transactions[process->instance],
                           .report = p->report,
                           .arg = p->arg};
}

struct producer *producer_new(const struct producer_options *options, struct err *err)
{
    struct producer *p = mem_alloc(1, sizeof *p);
    struct pipeline *pipeline = options->arg;

    (void)err;
    p->process = &world.processes[pipeline->worker];
    p->report = options->report;
    p->arg = options->arg;
    open_client(p);
    return p;
}

void producer_renew(struct producer *p, const char *why)
{
    (void)why;
    if (p->count > 0)
        world_fail("a client is replaced while records are on their way");
    /* Offsets on their way are left behind, where an abort did not end: they are of the old epoch,
     * and either in the transaction that the new client's init aborts, or refused after it. */
    p->is_sending = false;
    open_client(p);
}

void producer_refresh(struct producer *p, struct err *why)
{
    (void)p, (void)why;
}

const char *producer_throttler(const struct producer *p)
{
    (void)p;
    return NULL;
}

bool producer_shrink(struct producer *p)
{
    (void)p;
    return false;
}

/* The process dies: what is on its way may arrive. */
void producer_lose(struct producer *p)
{
    if (!p)
        return;
    producer_drop(p);
    arrive(p);
    free(p);
}

void producer_close(struct producer *p)
{
    producer_lose(p);
}

int producer_check(const struct config *config, int timeout_ms, struct producer_limits *limits,
                   bool *is_proven, struct err *err)
{
    (void)config, (void)timeout_ms, (void)limits, (void)err;
    *is_proven = true;
    return 0;
}
