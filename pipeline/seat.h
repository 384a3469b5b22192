/* seat.h: what a worker has when it replays, in place of the consumer and the group: a reader, its
 * share of the partitions, and where outcomes go that go to no topic.
 *
 *   struct replay   of all workers: the window, how far each partition is, the files; one lock
 *   struct seat     of one worker
 *
 * A partition's number is the same in the reader and in the ledger. It is over when it is done up
 * to its window's end: with its last record, or, where transaction markers, aborted records or
 * compacted ones follow, when the reader has passed the end and nothing is in flight.
 */
#ifndef PIPELINE_SEAT_H
#define PIPELINE_SEAT_H

#include <pthread.h>

#include "pipeline/replay.h"
#include "pipeline/replay_state.h"
#include "pipeline/state.h"

struct replay {
    const struct replay_options *options;
    struct redrive *redrive; /* pipeline/redriving.h: dead letters; NULL: a replay */
    struct config config;    /* theirs, less what a replay does not do */
    bool needs_topics;       /* some outcome goes to one */
    pthread_mutex_t lock;    /* of all below */
    struct replay_state state;
    size_t worker_count;                      /* as many as there is work for */
    struct counts counts[CONFIG_MAX_WORKERS]; /* of this run */
    int64_t passed_before;                    /* by earlier runs */
    int64_t lost;                             /* offsets that were gone */
    bool is_open;                             /* there is a window; not when told to stop before */
    bool is_resumed, was_finished;
    struct score_files files;
    int64_t saved_ms, shown_ms;
    double allowed; /* records that may be read now, see rate */
    int64_t allowed_ms;
};

struct seat {
    struct replay *replay;
    struct reader *reader;
    struct sink *sink; /* NULL: all goes to topics */
    size_t *parts;     /* part_count: their places in the replay's state */
    size_t part_count;
    int64_t lost;    /* of the replay's */
    bool has_failed; /* what is done was not kept: nothing may be noted any more */
};

/* replay.c */
/* Before the workers, on one thread: the window, who reads what, the files. 0 also when told to
 * stop. */
int replay_open(struct replay *replay, const struct shared *shared, struct err *err);

/* Asks until it is answered; a dependency is waited for. 1: told to stop meanwhile. */
int replay_wait(const struct shared *shared, int (*ask)(void *arg, struct err *err), void *arg,
                struct err *err);
/* Each partition of the state that has something left becomes one worker's. */
void replay_share_out(struct replay *replay);

/* replaying.c */
/* Notes what the worker has done, `retired` batches more; saves and shows what is due. -1: err. */
int replay_note(struct pipeline *p, size_t retired, struct err *err);

/* Files and state: durable. Under the lock, or alone. EXIT_IO. */
int replay_save(struct replay *replay, struct err *err);
struct replay_progress replay_progress(const struct replay *replay);

/* How many records may be read now, at most `cap`; what was not is given back. */
size_t replay_allow(struct replay *replay, size_t cap);
void replay_give_back(struct replay *replay, size_t count);

/* seat.c */
int seat_open(struct pipeline *p, struct err *err);
ssize_t seat_poll(struct pipeline *p, struct record *records, size_t cap, int timeout_ms,
                  struct err *err);
void seat_steer(struct pipeline *p, bool pause_all);
bool seat_is_over(struct pipeline *p);
void seat_close(struct pipeline *p);

/* pipeline/commit.h for replay. */
extern const struct commit commit_replay;

#endif
