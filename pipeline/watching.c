#include "pipeline/watching.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "pipeline/journaling.h"

/* ---- what is usual, across a restart: by way of [journal] topic */

enum { PROFILE_MS = 60000 };

void watching_open(struct pipeline *p)
{
    const char *profile = journaling_profile(p->shared->options->journaling);
    struct err err = ERR_INIT;

    if (p->shared->replay)
        return;
    p->watch = watch_new(p->bundle);
    p->profile_ms = clock_ms();
    if (profile && watch_profile_parse(p->watch, profile, strlen(profile), &err) != 0)
        log_event(LOG_WARNING, "changed", "what was usual in the run before is not known: %s",
                  err.text);
}

/* One that has seen nothing new since only hands on what nobody else has. */
static void keep_profile(struct pipeline *p)
{
    char text[WATCH_PROFILE_MAX];
    struct watch_report report;

    p->profile_ms = clock_ms();
    watch_report(p->watch, &report);
    if (report.windows == 0)
        return;
    if (report.judged_windows == p->profile_windows)
        report.windows = 0;
    p->profile_windows = report.judged_windows;
    watch_profile_print(p->watch, text, clock_wall_ms());
    journaling_put_profile(p->shared->options->journaling, p->worker, report.windows, text);
}

void watching_close(struct pipeline *p)
{
    if (p->watch && p->shared->options->journaling) {
        watch_settle(p->watch);
        keep_profile(p);
    }
    watch_free(p->watch);
    p->watch = NULL;
}

/* ---- rows in, suspicions out */

void watching_take(struct pipeline *p)
{
    const struct batch *b = &p->batch;
    struct watch_batch seen = {b->records,     b->outcomes,     b->rows,       b->count,
                               b->room.matrix, b->room.margins, b->room.scores};

    if (p->watch)
        watch_take(p->watch, &seen, clock_ms());
}

/* ---- lines */

static const char *words_of(const struct watch_change *c)
{
    static const char *const words[] = {
        [WATCH_NOTHING] = "",
        [WATCH_ALL_MISSING] = "no value since then",
        [WATCH_ALWAYS_MISSING] = "no value since the start",
        [WATCH_MISSING] = "many more values are missing, or in no category table, than before",
        [WATCH_FAR] = "most values are far outside of the range of all before",
        [WATCH_SHIFTED] = "the values are distributed otherwise than before",
        [WATCH_CONSTANT] = "rows differ, and all scores are the same",
        [WATCH_DECISIONS] = "the share of this decision is far from before"};

    if (c->feature && c->suspicion.what == WATCH_CONSTANT && !c->is_over)
        return "all values are the same, which they never were in a window before";
    if (c->is_accepted)
        return "it is still so, and taken as usual from now on";
    return c->is_over ? "as before again" : words[c->suspicion.what];
}

/* Of whom it is: "feature=temp", "decision=late", "score". */
static void add_whose(char *out, size_t *len, const struct watch_change *c)
{
    if (c->feature)
        text_add(out, WATCHING_LINE_MAX, len, " feature=%s", c->feature);
    else if (c->suspicion.decision)
        text_add(out, WATCHING_LINE_MAX, len, " decision=%s", c->suspicion.decision);
    else
        text_add(out, WATCHING_LINE_MAX, len, " score");
}

static void add_place(char *out, size_t *len, const struct watch_change *c, int64_t now_ms)
{
    const struct suspicion *s = &c->suspicion;
    char since[CLOCK_TEXT_MAX];

    clock_print(since, clock_wall_ms() - (now_ms - s->since_ms));
    text_add(out, WATCHING_LINE_MAX, len,
             " share=%.2f before=%.2f topic=%s partition=%d offset=%lld since=%s", s->share,
             s->before, s->first.topic, s->first.partition, (long long)s->first.offset, since);
}

enum { LIST_MAX = 150 }; /* bytes of names: the journal keeps 480 of a line */

/* How many of their names make a list. */
static size_t list_count(const struct watch_change *changes, size_t count)
{
    size_t len = 0, i = 0;

    while (i < count && len < LIST_MAX)
        len += strlen(changes[i++].feature) + 1;
    return i;
}

/* Several, as many as the line can do with, and how many more there are. */
static void add_features(char *out, size_t *len, const struct watch_change *changes, size_t count)
{
    size_t named = count > 1 ? list_count(changes, count) : 0;

    for (size_t i = 0; i < named; i++)
        text_add(out, WATCHING_LINE_MAX, len, "%s%s", i ? "," : " features=", changes[i].feature);
    if (named > 0 && named < count)
        text_add(out, WATCHING_LINE_MAX, len, ",+%zu", count - named);
}

void watching_print(char out[WATCHING_LINE_MAX], const struct bundle *bundle,
                    const struct watch_change *changes, size_t count, int64_t now_ms)
{
    size_t len = 0;

    text_add(out, WATCHING_LINE_MAX, &len, "what=%s", watch_what_text(changes->suspicion.what));
    add_whose(out, &len, changes);
    if (changes->is_over)
        text_add(out, WATCHING_LINE_MAX, &len, " lasted_ms=%lld", (long long)changes->lasted_ms);
    else
        add_place(out, &len, changes, now_ms);
    text_add(out, WATCHING_LINE_MAX, &len, " model=%s version=%s", bundle->name, bundle->version);
    if (changes->suspicion.after)
        text_add(out, WATCHING_LINE_MAX, &len, " after=%s",
                 watch_after_text(changes->suspicion.after));
    if (changes->source && !changes->is_over)
        text_add(out, WATCHING_LINE_MAX, &len, " source=%s", changes->source);
    if (changes->source_before && !changes->is_over)
        text_add(out, WATCHING_LINE_MAX, &len, " source_before=%s", changes->source_before);
    add_features(out, &len, changes, count);
    text_add(out, WATCHING_LINE_MAX, &len, ": %s", words_of(changes));
}

enum { MOST_CHANGES = 64 };

static bool is_same_kind(const struct watch_change *a, const struct watch_change *b)
{
    return a->feature && b->feature && a->is_over == b->is_over &&
           a->is_accepted == b->is_accepted && a->suspicion.what == b->suspicion.what &&
           a->suspicion.after == b->suspicion.after;
}

static double moved(const struct watch_change *c)
{
    return c->suspicion.share - c->suspicion.before;
}

/* Those of the first one's kind to the front, the one that moved most first; how many. */
static size_t gather(struct watch_change *changes, size_t count)
{
    size_t alike = 1;

    for (size_t i = 1; i < count; i++) {
        struct watch_change one = changes[i];
        if (!is_same_kind(&changes[0], &one))
            continue;
        memmove(changes + alike + 1, changes + alike, (i - alike) * sizeof *changes);
        changes[alike++] = one;
        if (moved(&one) > moved(&changes[0])) {
            changes[alike - 1] = changes[0];
            changes[0] = one;
        }
    }
    return alike;
}

static void say(const struct pipeline *p, struct watch_change *changes, size_t count,
                int64_t now_ms)
{
    char line[WATCHING_LINE_MAX];

    while (count > 0) {
        size_t alike = gather(changes, count);
        if (changes->is_over && alike > 1) /* each is named, for its end ends a suspicion */
            alike = list_count(changes, alike);
        watching_print(line, p->bundle, changes, alike, now_ms);
        if (changes->is_over)
            log_event(LOG_INFO, "suspect_over", "%s", line);
        else
            log_event(LOG_WARNING, "suspect", "%s", line);
        changes += alike;
        count -= alike;
    }
}

/* All that has changed. */
static void say_changes(const struct pipeline *p, int64_t now_ms)
{
    struct watch_change changes[MOST_CHANGES];
    size_t count;

    do {
        for (count = 0; count < MOST_CHANGES && watch_next(p->watch, &changes[count]);)
            count++;
        say(p, changes, count, now_ms);
    } while (count == MOST_CHANGES);
}

void watching_turn(struct pipeline *p)
{
    int64_t now_ms = clock_ms();

    if (p->watch && p->shared->options->journaling && now_ms - p->profile_ms >= PROFILE_MS)
        keep_profile(p);
    if (p->watch && watch_poll(p->watch, now_ms))
        say_changes(p, now_ms);
}

void watching_swap(struct pipeline *p, struct watch *next)
{
    watch_take_over(next, p->watch);
    say_changes(p, clock_ms());
    watch_free(p->watch);
    p->watch = next;
}
