/* replay.h: scores a bounded window of the topics once more, and ends.
 *
 * The pipeline of run, with three parts in place of others: records come from a reader outside of
 * any group (pipeline/seat.h), outcomes go to topics of their own or to a sink (pipeline/sink.h),
 * and finished offsets go into a small state file instead of being committed.
 *
 * Where each partition's window ends is found once, at the start: the last stable offset counts,
 * and what is written meanwhile is not read. Files hold each outcome once however often it was
 * killed; topics at least once.
 */
#ifndef PIPELINE_REPLAY_H
#define PIPELINE_REPLAY_H

#include "consumer/reader.h"
#include "pipeline/compare_sink.h"
#include "pipeline/file_sink.h"
#include "pipeline/pipeline.h"

/* Of all runs on this state. */
struct replay_progress {
    int64_t total, passed; /* offsets in the window, and of them those behind us */
    int64_t passed_before; /* by earlier runs */
    int64_t scored, dead, skipped;
    int64_t lost; /* by this run: offsets that were gone when they were to be read */
};

struct replay_options {
    const struct config *config; /* topics and model are those of the replay */
    const char *build;
    const volatile sig_atomic_t *stop;
    struct reader_range range;
    const char *range_text; /* as it was asked for, one line: a state is of this range only */
    enum score_mode mode;
    enum file_format format;
    const char *score_path, *dead_path; /* NULL: to the configuration's topic */
    const char *state_path;             /* NULL: none, it begins anew after a kill */
    /* Outcomes become fates, and go nowhere else; or NULL. The window is that of the fates,
     * or where they have none yet becomes it. */
    const struct compare_target *compare;
    int64_t rate; /* records per second, all workers; 0: no limit */
    /* Some times a second, by one thread at a time; or NULL. */
    void (*progress)(void *arg, const struct replay_progress *progress);
    void *progress_arg;
};

struct replay_summary {
    struct pipeline_summary run; /* the account of this run alone */
    struct replay_progress all;
    size_t partitions;
    bool is_resumed;
    bool was_finished; /* by an earlier run: nothing was done */
    bool is_stopped;   /* told to, before the end: with a state the same call goes on */
};

/* 0: the window is done, or was before, or it was told to stop and all that was begun is kept
 * (is_stopped). -1: err, fatal; EXIT_AGAIN: not all of it is kept; EXIT_DATA: the state
 * is of another replay; EXIT_IO: a file is there already without a state. */
int replay_run(const struct replay_options *options, struct replay_summary *summary,
               struct err *err);

#endif
