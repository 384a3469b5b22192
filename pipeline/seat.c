#include "pipeline/seat.h"

#include <stdlib.h>
#include <time.h>

#include "core/mem.h"
#include "pipeline/redriving.h"

static void take_share(struct seat *s, unsigned worker)
{
    const struct replay_state *state = &s->replay->state;

    s->parts = mem_alloc(state->part_count + 1, sizeof *s->parts);
    for (size_t i = 0; i < state->part_count; i++)
        if (state->parts[i].worker == worker)
            s->parts[s->part_count++] = i;
}

static int read_share(struct pipeline *p, struct err *err)
{
    struct seat *s = p->seat;

    for (size_t i = 0; i < s->part_count; i++) {
        const struct replay_part *part = &s->replay->state.parts[s->parts[i]];
        const struct window window = {part->topic, part->partition, part->next, part->to};
        uint32_t index = ledger_add(&p->ledger, part->topic, part->partition);
        ledger_assign(&p->ledger, index, part->next);
        if (reader_add(s->reader, &window, err) != 0)
            return -1;
    }
    return 0;
}

int seat_open(struct pipeline *p, struct err *err)
{
    struct replay *replay = p->shared->replay;
    struct seat *s = p->seat = mem_alloc(1, sizeof *s);

    s->replay = replay;
    s->reader = reader_new(p->config, err);
    if (!s->reader)
        return -1;
    take_share(s, p->worker);
    if (replay->redrive)
        s->sink = replay->redrive->options->is_dry ? redrive_sink_new() : NULL;
    else if (replay->options->compare)
        s->sink = compare_sink_new(replay->options->compare, p->config, &p->provenance, s->parts);
    else if (replay->files.scores.path || replay->files.dead.path)
        s->sink = file_sink_new(&replay->files, p->config, &p->provenance);
    return read_share(p, err);
}

/* A redrive may end sooner. */
static int64_t end_of(const struct seat *s, size_t part)
{
    const struct redrive *redrive = s->replay->redrive;
    int64_t to = reader_window(s->reader, part).to;
    int64_t stop = redrive ? redrive->parts[s->parts[part]].stop : INT64_MAX;

    return stop < to ? stop : to;
}

/* Where the reader is past the end, the end is what comes next: pipeline_take_ends takes it when
 * nothing before it is in flight. */
static void take_ends(struct pipeline *p)
{
    for (size_t i = 0; i < p->seat->part_count; i++) {
        struct part *part = &p->ledger.parts[i];
        if (reader_is_past(p->seat->reader, i) && !part->is_paused && !part->is_ahead)
            part->end = end_of(p->seat, i);
    }
}

ssize_t seat_poll(struct pipeline *p, struct record *records, size_t cap, int timeout_ms,
                  struct err *err)
{
    struct seat *s = p->seat;
    size_t most = replay_allow(s->replay, cap);
    ssize_t got = 0;

    if (most == 0) {
        nanosleep(&(struct timespec){0, timeout_ms * 1000000L}, NULL);
        return 0;
    }
    got = reader_poll(s->reader, records, most, timeout_ms, err);
    replay_give_back(s->replay, got > 0 ? most - (size_t)got : most);
    if (p->config->on_gap == GAP_STOP && reader_lost(s->reader) > 0) {
        if (got > 0)
            reader_release(records, (size_t)got);
        return err_fatal(err, EXIT_DATA,
                         "on_gap = stop, and %lld offsets are gone; event=gap says "
                         "where",
                         (long long)reader_lost(s->reader));
    }
    if (got > 0 && s->replay->redrive && !p->is_all_paused) /* else they are only let go of */
        got = (ssize_t)redrive_pick(p, records, (size_t)got);
    take_ends(p);
    return got;
}

void seat_steer(struct pipeline *p, bool pause_all)
{
    for (size_t i = 0; i < p->seat->part_count; i++) {
        enum turn turn = ledger_steer(&p->ledger, (uint32_t)i, pause_all);
        if (turn == TURN_PAUSE)
            reader_stop(p->seat->reader, i);
        else if (turn == TURN_RESUME)
            reader_seek(p->seat->reader, i, p->ledger.parts[i].position);
    }
}

bool seat_is_over(struct pipeline *p)
{
    if (p->has_unsent)
        return false;
    for (size_t i = 0; i < p->seat->part_count; i++)
        if (p->ledger.parts[i].done < end_of(p->seat, i))
            return false;
    return true;
}

void seat_close(struct pipeline *p)
{
    struct seat *s = p->seat;

    if (!s)
        return;
    if (s->sink)
        s->sink->free(s->sink);
    reader_free(s->reader);
    free(s->parts);
    free(s);
    p->seat = NULL;
}

/* ---- finished offsets */

static int open(struct pipeline *p, struct err *err)
{
    (void)p, (void)err;
    return 0;
}

static int step(struct pipeline *p, struct err *err)
{
    size_t retired = pipeline_retire(p);

    pipeline_take_ends(p);
    return replay_note(p, retired, err);
}

/* What a sink holds waits for reports, too: it must not grow with them. */
static bool can_send(const struct pipeline *p)
{
    return !p->seat->sink || producer_in_flight(p->producer) == 0 ||
           !p->seat->sink->is_full(p->seat->sink);
}

static bool is_idle(const struct pipeline *p)
{
    return producer_in_flight(p->producer) == 0;
}

static void settle(struct pipeline *p, bool must_undo, int64_t deadline_ms)
{
    if (must_undo)
        return;
    pipeline_await_reports(p, deadline_ms);
    p->ends_checked_ms = 0;
    step(p, &p->transaction.err);
}

const struct commit commit_replay = {open, step, can_send, is_idle, settle};
