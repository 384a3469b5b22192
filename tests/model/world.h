/* world.h: everything around a few pipelines that is not kscore: brokers, a group, clients, time.
 *
 * The pipelines are the real ones (pipeline.c, batch.c, steer.c, exactly_once.c, ledger, ring); in
 * the place of consumer/consumer.h, producer/producer.h and producer/transaction.h the runner is
 * linked with clients.c and member.c, which speak to the brokers of brokers.c, and in the place of
 * decoder and model with scorer.c. Time is the world's and passes only where somebody waits.
 *
 * What happens is said by a schedule's steps alone: chance inside of a step comes from the step's
 * own argument, so that a schedule means the same when steps before it are left out.
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include <setjmp.h>
#include <signal.h>

#include "core/kafka_conf.h"
#include "pipeline/state.h"

enum { PARTS = 3, OFFSETS = 36, MEMBERS = 3, PROCESSES = 4, QUEUE = 5, OUTCOMES = 512, BATCH = 4 };

/* What is wrong on purpose: in the program, or in what it relies on. */
#define PLANTS(X)                                                                                  \
    X(none)                                                                                        \
    X(unacknowledged_offsets) /* those of what is on its way are sent, too */                      \
    X(parked_tail)            /* those of a parked partition reach one record too far */           \
    X(early_retirement)       /* slots leave the ring before their transaction is committed */     \
    X(doubt_without_asking)   /* a commit without an answer is taken for failed */                 \
    X(rewind_without_abort)                                                                        \
    X(lost_partition) /* offsets go without the member's generation */                             \
    X(torn_batch)     /* the transaction ends in the middle of a batch */                          \
    X(unstable_start) /* a new owner does not wait for transactions that are not over */           \
    X(hoped_commit)   /* a commit that timed out is taken for done */                              \
    X(no_seek)        /* a pause ends without a seek */                                            \
    X(kind_reports)   /* a failed delivery is reported as delivered */                             \
    X(forgotten_try)  /* what a half-open breaker holds is taken for sent */                       \
    X(short_return)   /* an open breaker gives back one record too few */

enum plant {
#define X(name) PLANT_##name,
    PLANTS(X)
#undef X
        PLANT_COUNT
};

enum call { CALL_COMMIT, CALL_OFFSETS, CALL_ABORT, CALL_INIT, CALL_COUNT };

/* What becomes of the next call of a kind. DONE: the brokers did it, the answer is lost.
 * LATE: the request is on its way, and may come to pass. */
enum upset {
    UPSET_NONE,
    UPSET_AGAIN,
    UPSET_AGAIN_DONE,
    UPSET_AGAIN_LATE,
    UPSET_ABORT,
    UPSET_ABORT_DONE,
    UPSET_DEAD,
    UPSET_DEAD_DONE,
    UPSET_DEAD_LATE,
    UPSET_COUNT
};

/* An outcome as the brokers have it. */
struct written {
    uint8_t part, offset, output; /* enum output */
};

/* Of one transactional id, as its coordinator sees it. */
struct coordinated {
    uint32_t epoch;
    bool is_open, is_late; /* late: the request to commit is on its way */
    int64_t begun_ms;
    struct written outcomes[OUTCOMES];
    size_t count;
    int64_t offsets[PARTS]; /* OFFSET_NONE: not among them */
};

struct seat {
    bool is_taken;
    bool has_joined;   /* in a rebalance: this member has given its partitions up */
    uint32_t identity; /* of the member that has it */
    int64_t seen_ms;
};

struct process {
    unsigned number, instance; /* the last one has the instance of the first */
    bool is_up;
    uint32_t identity;
    bool is_cut;  /* the brokers do not answer it */
    bool is_slow; /* its records arrive by steps of their own */
    enum upset upsets[CALL_COUNT];
    unsigned doom; /* it dies at its n-th call from now on, 0: it does not */
    bool is_dead;
    volatile sig_atomic_t stop;
    struct err err; /* what it ended with */
    struct config config;
    struct shared shared;
    struct pipeline_options options;
    struct pipeline_summary summary;
    struct pipeline pipeline;
};

struct world {
    enum plant plant;
    int64_t now_ms;
    uint64_t chance;
    unsigned calls; /* in this step */
    uint32_t identities;
    struct process processes[PROCESSES];
    bool knows_schema;
    bool is_calm; /* nothing fails any more */
    sigjmp_buf death;
    int64_t values[OFFSETS]; /* of the records: their offsets */
    char why[400];           /* the first thing that does not hold, "" when all does */

    struct {
        int64_t low, end, committed; /* committed: OFFSET_NONE before the first */
        uint8_t scores[OFFSETS], alerts[OFFSETS], dead[OFFSETS]; /* as read_committed sees them */
        bool is_gone[OFFSETS]; /* told as a gap, without an outcome */
        int owner;             /* -1: nobody */
    } parts[PARTS];
    struct coordinated transactions[MEMBERS];
    struct {
        uint32_t generation;
        bool is_rebalancing;
        unsigned rotation;
        struct seat seats[MEMBERS];
    } group;
};

extern struct world world;

/* The records, by their offsets: some hold none, as after compaction. */
bool record_is_there(int64_t offset);
bool record_is_skipped(int64_t offset);
bool record_is_bad(int64_t offset);
bool record_is_alert(int64_t offset);
bool record_is_refused(int64_t offset); /* its score, by the brokers */
bool record_needs_schema(int64_t offset);

/* brokers.c */
void world_open(enum plant plant);
void world_pass(int64_t ms);
unsigned world_roll(unsigned sides);
/* Notes what does not hold; only the first counts. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void brokers_add(struct coordinated *transaction, struct written written);
void brokers_end(struct coordinated *transaction, bool is_committed);
/* Somebody's transaction has offsets of the partition, and is not over. */
bool brokers_are_unstable(unsigned part);
void group_rebalance(void);
void group_join(const struct process *process);
void group_expel(unsigned instance);
/* The process is the one that has its seat. */
bool group_knows(const struct process *process);
/* All gave their partitions up: they are given out anew. */
void group_finish(void);

/* clients.c: a call of this process reaches the world. True: it died before, and reaches nobody;
 * its next poll (where it owns nothing that nobody else frees) does not return. */
bool process_is_dead(struct process *process);
void process_polls(struct process *process);
/* Up to count records of its queue reach the brokers; or one of them fails. */
void producer_deliver(struct producer *producer, size_t count);
void producer_fail_one(struct producer *producer);
void producer_lose(struct producer *producer);

/* process.c */
void process_start(unsigned number);
/* One turn of its loop, or its end; nothing when it is down. */
void process_turn(unsigned number);
/* kill -9 */
void process_kill(unsigned number);

/* laws.c: what must hold after each step, into world.why. False: it does not. */
bool world_holds(void);
/* Nothing fails any more: within two minutes all is committed. */
bool world_finishes(void);

#endif
