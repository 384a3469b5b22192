/* redrive_notes.c: finished letters are noted in Kafka. */
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/redriving.h"

enum { NOTE_MS = 1000, WRITE_MS = 2000 };

/* For tools that show the group's lag: what a redrive of everything has passed. */
static int64_t committed_of(const struct redrive_part *part)
{
    int64_t offset = 0;

    for (size_t i = 0; i < part->notes.count; i++) {
        const struct selection *s = &part->notes.items[i].selection;
        if (selection_is_all(s) && part->notes.items[i].offset > offset)
            offset = part->notes.items[i].offset;
    }
    return offset;
}

static void free_texts(struct bookmark *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].text);
    free(items);
}

/* Those that moved; which: their parts. */
static size_t collect(struct pipeline *p, struct bookmark *items, size_t *which)
{
    struct redrive *d = redrive_of(p);
    size_t count = 0;

    for (size_t i = 0; i < p->seat->part_count; i++) {
        struct redrive_part *part = redrive_part_of(p, i);
        const struct part *place = &p->ledger.parts[i];
        if (place->done <= part->noted)
            continue;
        notes_of(&part->notes, d->options->selection)->offset = place->done;
        items[count] = (struct bookmark){place->topic, place->partition, committed_of(part),
                                         mem_alloc(NOTES_TEXT_MAX + 1, 1)};
        notes_print(&part->notes, items[count].text); /* it fits: redrive_open has seen to it */
        which[count++] = i;
    }
    return count;
}

/* ---- whose they are */

/* What is noted in Kafka, against what this redrive noted last, or was about to. */
static int compare(struct replay *r, const struct bookmark *item, struct redrive_part *part,
                   struct err *err)
{
    struct notes there = {0};
    int result = 0;

    if (item->text && *item->text)
        notes_parse(&there, item->text);
    for (size_t i = 0; result == 0 && i < there.count; i++) {
        const struct note *n = &there.items[i];
        if (n->offset > notes_of(&part->notes, &n->selection)->offset)
            result = err_fatal(err, EXIT_AGAIN,
                               "cut off from group %s for too long: another redrive went on "
                               "meanwhile",
                               r->redrive->group);
    }
    notes_release(&there);
    return result;
}

static int compare_all(struct replay *r, int timeout_ms, struct err *err)
{
    size_t count = r->redrive->part_count;
    struct bookmark *items = mem_alloc(count, sizeof *items);
    int result;

    for (size_t i = 0; i < count; i++)
        items[i] =
            (struct bookmark){r->state.parts[i].topic, r->state.parts[i].partition, -1, NULL};
    result = bookmarks_read(r->redrive->bookmarks, items, count, timeout_ms, err);
    for (size_t i = 0; result == 0 && i < count; i++)
        result = compare(r, &items[i], &r->redrive->parts[i], err);
    free_texts(items, count);
    return result;
}

static int hold(struct replay *r, int timeout_ms, struct err *err)
{
    struct redrive *d = r->redrive;
    int result = bookmarks_hold(d->bookmarks, d->options->topic, timeout_ms, err);

    d->has_lost = d->has_lost || result != 0;
    if (result < 0)
        return err_prefix(err, "redrive");
    if (d->has_lost && compare_all(r, timeout_ms, err) != 0)
        return -1;
    d->has_lost = false;
    return 0;
}

/* 0: Kafka has them all. */
static int note(struct pipeline *p, int timeout_ms, struct err *err)
{
    struct redrive *d = redrive_of(p);
    struct bookmark *items;
    size_t *which, count;
    int result = 0;

    if (!d->bookmarks)
        return 0;
    if (hold(p->seat->replay, timeout_ms, err) != 0)
        return -1;
    items = mem_alloc(d->part_count + 1, sizeof *items);
    which = mem_alloc(d->part_count + 1, sizeof *which);
    count = collect(p, items, which);
    if (count > 0)
        result = bookmarks_write(d->bookmarks, items, count, timeout_ms, err);
    for (size_t i = 0; result == 0 && i < count; i++)
        redrive_part_of(p, which[i])->noted = p->ledger.parts[which[i]].done;
    free_texts(items, count);
    free(which);
    return result;
}

/* ---- as a way to commit */

static int open(struct pipeline *p, struct err *err)
{
    (void)p, (void)err;
    return 0;
}

static void move_done(struct pipeline *p)
{
    pipeline_retire(p);
    pipeline_take_ends(p);
}

static int step(struct pipeline *p, struct err *err)
{
    move_done(p);
    if (clock_ms() - redrive_of(p)->noted_ms < NOTE_MS)
        return 0;
    redrive_of(p)->noted_ms = clock_ms();
    if (ring_check(&p->ring, &p->ledger, err) != 0)
        return -1;
    return note(p, WRITE_MS, err);
}

static bool can_send(const struct pipeline *p)
{
    return !redrive_of(p)->has_lost;
}

static bool is_idle(const struct pipeline *p)
{
    return producer_in_flight(p->producer) == 0;
}

/* Tried until there is no time. */
static void note_last(struct pipeline *p, int64_t deadline_ms)
{
    struct err err = ERR_INIT;

    while (note(p, WRITE_MS, &err) != 0) {
        if (err.kind == ERR_FATAL || clock_ms() >= deadline_ms) {
            err_fatal(&p->transaction.err, EXIT_AGAIN,
                      "what was done last could not be noted (%s): the next redrive does it again",
                      err.text);
            return;
        }
        err_reset(&err);
        backoff_fail(&p->backoff);
        backoff_sleep(&p->backoff);
    }
}

static void settle(struct pipeline *p, bool must_undo, int64_t deadline_ms)
{
    if (must_undo)
        return;
    pipeline_await_reports(p, deadline_ms);
    p->ends_checked_ms = 0;
    move_done(p);
    redrive_of(p)->is_over = seat_is_over(p);
    note_last(p, deadline_ms);
}

const struct commit commit_redrive = {open, step, can_send, is_idle, settle};
