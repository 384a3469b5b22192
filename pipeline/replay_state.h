/* replay_state.h: how far a replay is, in a small file, so that a run after a kill goes on with it.
 *
 *   [replay]
 *   version = 1
 *   job     = what is replayed, from where to where: of another job the state is refused
 *   run, digest         of build and configuration, and of the bundle: the same
 *   scored, dead, skipped, score_bytes, dead_bytes
 *   finished = 0
 *   partitions = 1
 *   [partitions]
 *   payments/0 = 0 812 1000      its window's first offset, the next one, and the end
 *
 * Written beside it, then renamed: it is always whole. What the files hold beyond score_bytes and
 * dead_bytes is not known to it. Owns its texts.
 */
#ifndef PIPELINE_REPLAY_STATE_H
#define PIPELINE_REPLAY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct replay_part {
    char *topic;
    int32_t partition;
    int64_t from, next, to; /* from <= next <= to */
    size_t worker;          /* that reads it; not saved */
};

struct replay_state {
    char *job, *run, *digest;
    int64_t scored, dead, skipped;
    int64_t score_bytes, dead_bytes;
    int64_t is_finished;
    struct replay_part *parts;
    size_t part_count, part_cap;
};

/* 1: there is no such file, and the state is empty. EXIT_IO, EXIT_DATA it is damaged. */
int replay_state_load(struct replay_state *state, const char *path, struct err *err);

/* After a crash of the machine it is this one, or the one before. EXIT_IO. */
int replay_state_save(const struct replay_state *state, const char *path, struct err *err);

/* Copies the topic. */
void replay_state_add(struct replay_state *state, const struct replay_part *part);

/* Offsets in the window, and of them those behind `next`: of all partitions. */
int64_t replay_state_total(const struct replay_state *state);
int64_t replay_state_passed(const struct replay_state *state);

void replay_state_release(struct replay_state *state);

#endif
