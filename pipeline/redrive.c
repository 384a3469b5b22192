#include "pipeline/redrive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/redriving.h"

enum { ASK_MS = 2000 };

/* ---- before the first letter */

/* What is asked for, one after the other; what was answered stays. */
struct find {
    struct redrive *redrive;
    const struct config *config;
    struct reader *reader;
    size_t topics;            /* of which the partitions are known */
    struct bookmark *letters; /* count, made when the window is known */
    size_t count;
    bool has_window;
};

static int find_window(struct find *f, struct err *err)
{
    const struct reader_range all = {-1, {PLACE_START, 0}, {PLACE_END, 0}, 0};
    const char *topic = f->redrive->options->topic;

    if (reader_find(f->reader, &topic, 1, &all, ASK_MS, err) != 0)
        return -1;
    f->has_window = true;
    f->count = reader_window_count(f->reader);
    f->letters = mem_alloc(f->count, sizeof *f->letters);
    for (size_t i = 0; i < f->count; i++) {
        struct window w = reader_window(f->reader, i);
        f->letters[i] = (struct bookmark){w.topic, w.partition, -1, NULL};
    }
    return 0;
}

static int find_all(void *arg, struct err *err)
{
    struct find *f = arg;
    struct redrive *d = f->redrive;

    if (!f->has_window && find_window(f, err) != 0)
        return -1;
    if (!d->options->is_dry && bookmarks_hold(d->bookmarks, d->options->topic, ASK_MS, err) < 0)
        return err_prefix(err, "redrive");
    for (; f->topics < f->config->topic_count; f->topics++)
        if (reader_partitions(f->reader, f->config->topics[f->topics], ASK_MS,
                              &d->partitions[f->topics], err) != 0)
            return -1;
    return bookmarks_read(d->bookmarks, f->letters, f->count, ASK_MS, err);
}

/* What was noted of a log that was made anew meanwhile says nothing of this one. */
static void drop_notes_beyond(struct notes *notes, const struct window *w)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->items[i].offset <= w->to)
            continue;
        log_event(LOG_WARNING, "gap",
                  "topic=%s partition=%d from=%lld to=%lld redriven letters are not there: the "
                  "topic was made anew",
                  w->topic, w->partition, (long long)notes->items[i].offset, (long long)w->to);
        notes_release(notes);
        return;
    }
}

static int open_part(struct replay *r, const struct bookmark *b, const struct window *w,
                     struct err *err)
{
    struct redrive *d = r->redrive;
    struct redrive_part *part = &d->parts[d->part_count++];
    struct replay_part place = {(char *)w->topic, w->partition, w->from, w->from, w->to, 0};
    char text[NOTES_TEXT_MAX + 1];
    struct note *own;

    if (b->text && *b->text && !notes_parse(&part->notes, b->text))
        return err_fatal(err, EXIT_DATA,
                         "group %s, %s[%d]: what is committed there is no note of a redrive; "
                         "delete the group to begin anew",
                         d->group, w->topic, w->partition);
    drop_notes_beyond(&part->notes, w);
    notes_prune(&part->notes, w->from);
    own = notes_of(&part->notes, d->options->selection);
    part->noted = own->offset;
    own->offset = INT64_MAX; /* its longest */
    if (!notes_print(&part->notes, text))
        return err_fatal(err, EXIT_DATA,
                         "group %s, %s[%d]: no room for one more selection of letters, %zu are "
                         "noted; select as one of them did, or delete the group to begin anew",
                         d->group, w->topic, w->partition, part->notes.count - 1);
    own->offset = part->noted;
    if (place.next < part->noted)
        place.from = place.next = part->noted;
    if (place.to < place.from)
        place.to = place.from;
    part->noted = part->seen = place.from;
    part->stop = INT64_MAX;
    replay_state_add(&r->state, &place);
    return 0;
}

static int open_parts(struct replay *r, const struct find *f, struct err *err)
{
    r->redrive->parts = mem_alloc(f->count, sizeof *r->redrive->parts);
    for (size_t i = 0; i < f->count; i++) {
        struct window w = reader_window(f->reader, i);
        if (open_part(r, &f->letters[i], &w, err) != 0)
            return -1;
    }
    return 0;
}

static int begin(struct replay *r, struct find *f, const struct shared *shared, struct err *err)
{
    struct redrive *d = r->redrive;
    int result;

    snprintf(d->group, sizeof d->group, "%s-redrive", config_group(f->config));
    f->reader = reader_new(f->config, err);
    if (!f->reader)
        return -1;
    d->bookmarks = bookmarks_new(f->config, d->group, err);
    if (!d->bookmarks)
        return -1;
    log_event(LOG_INFO, "connecting", "dead letters");
    result = replay_wait(shared, find_all, f, err);
    return result == 0 ? open_parts(r, f, err) : result;
}

int redrive_open(struct replay *r, const struct shared *shared, struct err *err)
{
    struct redrive *d = r->redrive;
    struct find find = {.redrive = d, .config = &r->config};
    int result;

    d->partitions = mem_alloc(r->config.topic_count, sizeof *d->partitions);
    result = begin(r, &find, shared, err);
    for (size_t i = 0; i < find.count; i++)
        free(find.letters[i].text);
    free(find.letters);
    reader_free(find.reader);
    if (result != 0)
        return result < 0 ? -1 : 0;
    if (d->options->is_dry) {
        bookmarks_free(d->bookmarks);
        d->bookmarks = NULL;
    }
    replay_share_out(r);
    d->is_over = r->worker_count == 0;
    d->summary->partitions = d->part_count;
    r->allowed_ms = clock_ms();
    r->is_open = true;
    return 0;
}

/* ---- the whole */

/* Whose texts stay the caller's. */
static void configure(struct config *c, const struct redrive_options *o)
{
    static char none[] = "";

    *c = *o->config;
    c->workers = 1;
    c->delivery = DELIVERY_AT_LEAST_ONCE;
    c->breaker_share = 1; /* letters that die again are what is asked for */
    if (o->is_dry)
        c->score_format = FORMAT_JSON; /* no schema is registered for it */
    if (!o->is_to_origin)
        return;
    c->score_format = FORMAT_JSON;
    c->score_topic = c->topics[0]; /* proven before the first letter is sent */
    c->headers.count = 0;
    c->alert_topic = none;
    c->alert_decisions.count = 0;
}

static void release(struct replay *r)
{
    struct redrive *d = r->redrive;

    for (size_t i = 0; i < d->part_count; i++)
        notes_release(&d->parts[i].notes);
    free(d->parts);
    free(d->partitions);
    bookmarks_free(d->bookmarks);
    redrive_forget(d);
    free(d->originals);
    replay_state_release(&r->state);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

int redrive_run(const struct redrive_options *o, struct redrive_summary *summary, struct err *err)
{
    struct replay *r = mem_alloc(1, sizeof *r);
    struct redrive redrive = {.options = o, .summary = summary};
    const struct replay_options replay = {
        .config = o->config, .stop = o->stop, .mode = SCORE_LIVE, .rate = o->rate};
    struct pipeline_options run = {
        .config = &r->config, .build = o->build, .stop = o->stop, .replay = r};
    int result;

    *summary = (struct redrive_summary){.is_cut = false};
    r->options = &replay;
    r->redrive = &redrive;
    r->needs_topics = !o->is_dry;
    pthread_mutex_init(&r->lock, NULL);
    configure(&r->config, o);
    result = pipeline_run(&run, &summary->run, err);
    summary->is_stopped = result == 0 && !redrive.is_over;
    release(r);
    return result;
}
