/* state.h: struct pipeline, shared by the files of this folder.
 *
 *   workers.c   as many of them as are configured
 *   shared.c    what they share: the model, the source of schemas
 *   lifecycle.c, changeover.c  another model in its place
 *   start.c     before the first record: brokers
 *   schemas.c   before the first record: schemas
 *   batch.c     poll -> rows -> scores
 *   sending.c   outcomes -> sent
 *   alerts.c    which scores are alerts
 *   steer.c     waiting: parks, a full ring, rewinds, back-off, an open breaker
 *   breaking.c  what the breaker judges (breaker.h), gives back and says
 *   watching.c  what looks wrong without an error, for the log
 *   wait.c      when a trouble begins, lasts and is over, for the log
 *   refusals.c  what the brokers refused, and the search for the record
 *   at_least_once.c, exactly_once.c  how finished offsets are committed (commit.h)
 *   measure.c   what is counted for those who watch (measure.h)
 *   pipeline.c  the loop, and the one switch
 *   close.c     the way out, every step with a deadline
 *   seat.c, replay.c  what replay has in place of consumer and commits (seat.h)
 *   compare.c  two replays, or one and what is published, joined (compare.h)
 *   redrive.c, redriving.c, redrive_*.c  dead letters, on a replay's reader (redriving.h)
 */
#ifndef PIPELINE_STATE_H
#define PIPELINE_STATE_H

#include <stdbool.h>

#include "consumer/consumer.h"
#include "consumer/ring.h"
#include "pipeline/backoff.h"
#include "pipeline/breaker.h"
#include "pipeline/changeover.h"
#include "pipeline/commit.h"
#include "pipeline/measure.h"
#include "pipeline/pipeline.h"
#include "pipeline/refusals.h"
#include "pipeline/shared.h"
#include "pipeline/wait.h"
#include "producer/producer.h"
#include "schemas/decoder.h"
#include "scoring/bundle.h"
#include "scoring/watch.h"

/* One poll: its records, what became of each, and the rows of those that are scored. */
struct batch {
    struct record *records;
    struct outcome *outcomes;
    int64_t *schema_ids;
    uint32_t *rows;          /* of the matrix, for scored ones */
    size_t count, cap;       /* count: without has_unsent, what a try of the breaker holds */
    struct carried *carried; /* cap x carry_count: what goes along in the score */
    size_t carry_count;
    int64_t *event_times; /* of scored ones; NULL: those of the records */
    int64_t *origins;     /* offsets that outcomes name, of a redrive; NULL: the records' own */
    size_t row_count;
    size_t next;       /* first record that is not sent yet */
    bool owes_alert;   /* its score is sent, its alert is not yet */
    struct slot *slot; /* in the ring, from admission on */

    struct room room; /* of the bundle in use */
};

/* The transaction that is open, or ends (exactly_once.c). */
struct transaction {
    enum {
        TRANSACTION_NONE,
        TRANSACTION_OPEN,       /* batches are sent */
        TRANSACTION_ENDING,     /* waits for reports, then sends the offsets */
        TRANSACTION_COMMITTING, /* its outcome is the coordinator's */
        TRANSACTION_ABORTING,
        TRANSACTION_DEAD,    /* librdkafka gave its producer up */
        TRANSACTION_ASKING,  /* fenced: a new producer may begin when all is taken over anew */
        TRANSACTION_INITIAL, /* a new producer */
    } state;
    int64_t begun_ms; /* 0 when none is open */
    int64_t ending_ms, ended_ms;
    int64_t aborting_ms;    /* since when, 0: not */
    uint64_t rows;          /* records it may hold: fewer where brokers are slow; 0: none is made */
    bool was_late;          /* one was, and nothing was committed since */
    bool is_fenced;         /* and that nothing was committed since */
    bool must_ask;          /* only the group knows what is committed */
    uint32_t epoch;         /* ASKING: the ledger's before */
    struct offset *offsets; /* count, of cap: what is committed */
    size_t count, cap;
    uint64_t commits;
    struct err err;     /* what settling met: the next step's */
    struct err refused; /* why offsets were not taken, and none were since */
};

/* What may be the cause of what comes behind it. */
struct change {
    char text[160];
    int64_t at_ms;
};

struct pipeline {
    const struct shared *shared;
    unsigned worker;
    const struct config *config; /* the shared ones */
    const struct bundle *bundle; /* in use, as are these */
    struct alerts alerts;
    unsigned model_count; /* bundles that it has had, the one in use is the last */
    unsigned phase;       /* of the changeover, last taken part in */
    struct pipeline_summary *summary;
    struct measures measures;
    struct counts published; /* what the progress has of it */

    struct ledger ledger;
    struct ring ring;
    uint64_t stale_count; /* alerts withheld, as they are met */
    struct decoder *decoder;
    struct consumer *consumer;
    struct seat *seat;         /* of a replay, in place of the consumer; else NULL */
    struct producer *producer; /* NULL: a replay into files alone */
    struct provenance provenance;
    bool is_open;             /* the loop may turn */
    uint32_t profile_windows; /* judged when what is usual was kept last */
    struct batch batch;
    struct watch *watch; /* watching.h; NULL in a replay */
    int64_t profile_ms;  /* when what is usual was kept last (clock_ms) */
    const struct commit *commit;
    struct transaction transaction; /* of exactly_once */
    bool has_unsent;                /* the batch waits to be sent, or to be sent to its end */

    bool has_heard;         /* an outcome was acknowledged since the last turn */
    bool must_rewind;       /* a delivery failed */
    bool must_shrink;       /* one of them for its size: the topics' limits may be lower now */
    struct backoff backoff; /* of all partitions */
    struct wait wait;
    int64_t full_since_ms; /* 0: there is room */
    bool is_full_paused, is_all_paused;

    struct refusals refusals;

    struct breaker breaker;
    char why[METRICS_TEXT]; /* it opened, one line */
    struct change change;   /* the last one */
    unsigned resumes_seen;

    int64_t ends_checked_ms;
    uint64_t commits_seen;
    bool is_behind;      /* the last poll was full */
    int64_t assigned_ms; /* the first time, 0 before: ready from then on */
    int64_t revoked_ms;  /* the last revocation that no assignment has followed yet, 0: none */
    int64_t stop_ms;     /* when stopping began, 0 before */
    int64_t close_ms;    /* when the last report may come, 0 before closing */
};

/* The one switch: what a failure means for all partitions. 0: it is being waited for, go on; err is
 * reset. -1: stop with err. (What one partition waits for is its schema: pipeline_park.) */
int pipeline_fail(struct pipeline *p, struct err *err);

/* pipeline.c: one worker, on the caller's thread; as pipeline_run. */
int pipeline_work(const struct shared *shared, unsigned worker, struct pipeline_summary *summary,
                  struct err *err);
/* What it is made of: init, start, turns until it is done or one fails (-1, err), close. */
void pipeline_init(struct pipeline *p, const struct shared *shared, unsigned worker,
                   struct pipeline_summary *summary);
int pipeline_turn(struct pipeline *p, struct err *err);
/* Stopping, and nothing left to wait for, or no time. */
bool pipeline_is_done(struct pipeline *p);

/* Until nothing is in flight, a delivery has failed, or the deadline. */
void pipeline_await_reports(struct pipeline *p, int64_t deadline_ms);

/* The oldest slots that are finished leave the ring; how many. */
size_t pipeline_retire(struct pipeline *p);
/* At a partition's end with nothing of it in flight the end itself is done: transaction markers
 * leave no lag. Looks every 100 ms. True when something is done that was not. */
bool pipeline_take_ends(struct pipeline *p);

/* start.c */
int pipeline_start(struct pipeline *p, struct err *err);
/* Waits until what all wait for may be tried again. False: told to stop. */
bool pipeline_pause(struct pipeline *p);

/* schemas.c: the decoder; waits for the schemas that a registry has. */
int pipeline_open_decoder(struct pipeline *p, struct err *err);
/* A line for each schema learnt since the last call. */
void pipeline_say_schemas(struct pipeline *p);

/* batch.c */
void batch_init(struct batch *batch, const struct config *config, const struct bundle *bundle);
void batch_release(struct batch *batch);
void room_init(struct room *room, const struct config *config, const struct bundle *bundle);
void room_release(struct room *room);
/* What the row of a scored record gave. */
static inline const double *batch_outputs(const struct pipeline *p, size_t i)
{
    const struct batch *b = &p->batch;

    return bundle_outputs(p->bundle, b->room.margins, b->room.scores, b->rows[i]);
}
/* Takes one poll into the batch: 1 it waits to be sent, 0 nothing came, -1 err. */
int batch_take(struct pipeline *p, struct err *err);
/* While all partitions are paused: keeps the group member alive, and lets go of what still comes;
 * the seek at the end of the pause brings it again. 0, or -1 err. */
int batch_discard(struct pipeline *p, struct err *err);

/* sending.c */
/* Every header of the record: *count, -1 when they cannot be read. New, with room for
 * REDRIVE_ADDED more. */
struct header *batch_headers(const struct record *record, ssize_t *count);
/* Sends what it can; true when all of it is sent and released. */
bool batch_send(struct pipeline *p, struct err *err);
/* Some of its outcomes are sent and some are not: to commit now would tear it apart. */
bool batch_is_begun(const struct pipeline *p);
/* Lets go of the messages of a batch that is given back, or of none; its spans are the ring's to
 * return. */
void batch_drop(struct pipeline *p);

/* steer.c */
/* One partition waits for the schema parked_id; those whose time has come ask for it again. why
 * NULL: it is being asked for, and looked at each turn. */
void pipeline_park(struct pipeline *p, uint32_t index, const char *why);
void pipeline_unpark(struct pipeline *p);
void pipeline_rewind(struct pipeline *p);
void pipeline_steer(struct pipeline *p);
bool pipeline_can_take(const struct pipeline *p);
bool pipeline_can_send(const struct pipeline *p);
producer_report pipeline_on_report;
bool pipeline_on_revoking(void *arg, bool is_lost);
void pipeline_on_assigned(void *arg);

/* breaking.c */
/* Notes the last thing that may be a cause. */
void pipeline_note_change(struct pipeline *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Whether the batch, which is in the ring, may be sent. False: it was given back. */
bool pipeline_judge(struct pipeline *p);
/* Record i was judged, and is dead after all. */
void pipeline_bury(struct pipeline *p, size_t i, enum fault fault);
/* Once a turn: an open breaker may try again. */
void pipeline_look_at_breaker(struct pipeline *p);

/* close.c */
int pipeline_close(struct pipeline *p, struct err *err);

#endif
