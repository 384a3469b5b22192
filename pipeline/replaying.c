/* replaying.c: what the workers of a replay do together: note how far they are, save it, show it,
 * and keep to the rate. */
#include "core/clock.h"
#include "pipeline/seat.h"

enum { SAVE_MS = 1000, SHOW_MS = 200 };

int replay_save(struct replay *r, struct err *err)
{
    r->saved_ms = clock_ms();
    if (!r->options->state_path)
        return 0;
    r->state.score_bytes = r->files.scores.bytes;
    r->state.dead_bytes = r->files.dead.bytes;
    if (score_files_sync(&r->files, err) != 0)
        return -1;
    return replay_state_save(&r->state, r->options->state_path, err);
}

struct replay_progress replay_progress(const struct replay *r)
{
    return (struct replay_progress){.total = replay_state_total(&r->state),
                                    .passed = replay_state_passed(&r->state),
                                    .passed_before = r->passed_before,
                                    .scored = r->state.scored,
                                    .dead = r->state.dead,
                                    .skipped = r->state.skipped,
                                    .lost = r->lost};
}

static void show(struct replay *r)
{
    struct replay_progress progress;

    if (!r->options->progress || clock_ms() - r->shown_ms < SHOW_MS)
        return;
    r->shown_ms = clock_ms();
    progress = replay_progress(r);
    r->options->progress(r->options->progress_arg, &progress);
}

static void count(struct replay *r, unsigned worker, struct counts now)
{
    const struct counts *before = &r->counts[worker];

    r->state.scored += (int64_t)(now.scored - before->scored);
    r->state.dead += (int64_t)(now.dead - before->dead);
    r->state.skipped += (int64_t)(now.skipped - before->skipped);
    r->counts[worker] = now;
}

/* Under the lock: files and positions change together, or the state would tell of half of it. */
static int note(struct replay *r, struct pipeline *p, size_t retired, struct err *err)
{
    struct seat *s = p->seat;

    if (s->sink && s->sink->keep(s->sink, retired, err) != 0) {
        s->has_failed = true;
        return -1;
    }
    for (size_t i = 0; i < s->part_count; i++) {
        struct replay_part *part = &r->state.parts[s->parts[i]];
        part->next = p->ledger.parts[i].done;
        part->to = reader_window(s->reader, i).to;
        if (part->next > part->to) /* the log was cut short */
            part->to = part->next;
    }
    r->lost += reader_lost(s->reader) - s->lost;
    s->lost = reader_lost(s->reader);
    count(r, p->worker, ledger_total(&p->ledger));
    return 0;
}

int replay_note(struct pipeline *p, size_t retired, struct err *err)
{
    struct replay *r = p->seat->replay;
    bool is_due;
    int result;

    if (p->seat->has_failed)
        return 0;
    pthread_mutex_lock(&r->lock);
    result = note(r, p, retired, err);
    is_due = result == 0 && clock_ms() - r->saved_ms >= SAVE_MS;
    if (is_due)
        result = replay_save(r, err);
    if (result == 0)
        show(r);
    pthread_mutex_unlock(&r->lock);
    return is_due && result == 0 ? ring_check(&p->ring, &p->ledger, err) : result;
}

/* A bucket that fills at the rate, and holds what a tenth of a second gives. */
size_t replay_allow(struct replay *r, size_t cap)
{
    double rate = (double)r->options->rate, most = rate / 10 > 1 ? rate / 10 : 1;
    int64_t now_ms;
    size_t count;

    if (r->options->rate == 0)
        return cap;
    pthread_mutex_lock(&r->lock);
    now_ms = clock_ms();
    r->allowed += rate * (double)(now_ms - r->allowed_ms) / 1000;
    r->allowed_ms = now_ms;
    if (r->allowed > most)
        r->allowed = most;
    count = r->allowed < (double)cap ? (size_t)r->allowed : cap;
    r->allowed -= (double)count;
    pthread_mutex_unlock(&r->lock);
    return count;
}

void replay_give_back(struct replay *r, size_t count)
{
    if (r->options->rate == 0 || count == 0)
        return;
    pthread_mutex_lock(&r->lock);
    r->allowed += (double)count;
    pthread_mutex_unlock(&r->lock);
}
