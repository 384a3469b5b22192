/* redriving.h: a redrive at work: what it is in the loop, in redriving.c, redrive_origin.c and
 * redrive_notes.c.
 *
 *   redrive_pick    each letter that was read is judged and counted, the first time it comes;
 *                   behind the limit nothing is taken
 *   redrive_judge   it takes its origin's topic, partition and time, or is skipped
 *   commit_redrive  what is acknowledged is noted
 *
 * One worker: a limit is exact, and notes have one writer. Thread: the worker's.
 */
#ifndef PIPELINE_REDRIVING_H
#define PIPELINE_REDRIVING_H

#include "consumer/bookmark.h"
#include "pipeline/origin.h"
#include "pipeline/redrive.h"
#include "pipeline/seat.h"

/* A partition of letters; its number is that of the replay's state. */
struct redrive_part {
    struct notes notes;
    int64_t noted; /* our note in Kafka says this */
    int64_t seen;  /* letters below were counted */
    int64_t stop;  /* nothing from here on is taken: the limit */
};

struct redrive {
    const struct redrive_options *options;
    struct redrive_summary *summary;
    int32_t *partitions; /* of each [consumer] topic */
    struct redrive_part *parts;
    size_t part_count;
    struct bookmarks *bookmarks; /* NULL: dry */
    char group[300];
    int64_t noted_ms;
    bool has_lost;              /* the group: another redrive may be at work, or have been */
    struct original *originals; /* redrive_origin.c: original_count */
    size_t original_count, original_cap, original_bytes;
    bool is_over; /* the end was reached, or the limit */
};

/* The redrive that p is, or NULL. */
static inline struct redrive *redrive_of(const struct pipeline *p)
{
    return p->seat ? p->seat->replay->redrive : NULL;
}

/* Outcomes that say scored are letters to be sent back: there are no rows. */
static inline bool redrive_sends_back(const struct pipeline *p)
{
    return redrive_of(p) && redrive_of(p)->options->is_to_origin;
}

/* Of a partition by its number in the ledger. */
struct redrive_part *redrive_part_of(const struct pipeline *p, size_t part);

/* redrive.c: before the first letter; as replay_open. */
int redrive_open(struct replay *replay, const struct shared *shared, struct err *err);

/* redriving.c */
/* Keeps what may be taken, releases the rest; how many. */
size_t redrive_pick(struct pipeline *p, struct record *records, size_t got);

/* True: the outcome is decided, left out, or to be sent back unread. False: it is for the decoder.
 * The record has its origin's topic, partition and time now, and *offset is that of the origin. */
bool redrive_judge(struct pipeline *p, struct record *record, int64_t *offset,
                   struct outcome *outcome);

/* Of a letter that is sent back: its headers, count with room for REDRIVE_ADDED more, lose and gain
 * what counts its attempts and names its origin; texts live in the buffer. Returns how many. */
enum { REDRIVE_ADDED = 5, REDRIVE_BUFFER = 100 };
size_t redrive_address(const struct record *r, struct header *headers, size_t count,
                       char buffer[REDRIVE_BUFFER]);

/* The origin's partition; -1: its topic has not as many, the key chooses. */
int32_t redrive_partition(const struct pipeline *p, const struct record *r);

/* Takes what a dry redrive makes, and forgets it. New. */
struct sink *redrive_sink_new(void);

/* redrive_origin.c: records whose letters came without their value, read from their origin. They
 * stay until the next batch is picked. */
struct original {
    uint32_t part; /* of the letter */
    int64_t offset;
    struct explain_record record;
};
enum { REDRIVE_ORIGINAL_BYTES = 16 << 20 }; /* a batch that has more is cut */

/* LEFT_COUNT: it was found, or before; else why not. LEFT_NO_LETTER: no answer, and the log says
 * so. */
enum left redrive_fetch(const struct pipeline *p, const struct record *r,
                        const struct letter *letter);
/* NULL: it was not fetched. */
const struct original *redrive_original(const struct redrive *d, const struct record *r);
void redrive_forget(struct redrive *d);

/* redrive_notes.c: once a second, and at the end. */
extern const struct commit commit_redrive;

#endif
