/* watch_state.h: struct watch, for the files that are it: watch.c (rows in, changes out),
 * watch_judge.c (what is suspicious), watch_profile.c (across a restart). Nobody else includes it.
 */
#ifndef SCORING_WATCH_STATE_H
#define SCORING_WATCH_STATE_H

#include "scoring/watch.h"

enum {
    WATCH_SOURCE_MAX = 64,
    WATCH_STRICT = 3, /* windows behind a change */
};

/* A feature, the score, or (without a column) the decisions. */
struct watched {
    struct column column;
    const char *name;              /* borrows the bundle's; NULL for the score and decisions */
    char source[WATCH_SOURCE_MAX]; /* its paths, cut */
    char source_before[WATCH_SOURCE_MAX]; /* "": they did not change */
    uint64_t binding;                     /* hash of paths, type, default and category table */
    bool has_history;                     /* the usual is from before this model, or this run */
    enum watch_after after;
    unsigned strict;             /* windows that are still held to stricter bounds */
    unsigned streak;             /* windows in a row that are suspicious */
    enum watch_what streak_what; /* the last of them */
    struct sighting streak_first;
    double streak_limit; /* of the distance */
    struct suspicion suspicion, ended;
    bool is_on, has_begun, has_ended, is_accepted;
    int64_t ended_ms;
};

struct watched_decision {
    const char *name; /* borrows the bundle's */
    uint32_t count;
    float share, low, high; /* usual: mean, lowest and highest of late */
    float last;             /* share in the window before */
};

struct watch {
    const struct bundle *bundle;
    size_t feature_count;
    struct watched *items; /* features, the score, the decisions */
    struct watched_decision *decisions;
    size_t decision_count;
    uint32_t decision_windows;
    bool owes_decisions; /* the last shares are to become usual */

    struct sighting first; /* record of this window */
    uint32_t row_count;
    int64_t seen_ms, runs_ms; /* the last row; when runs were looked at */
    uint32_t fresh;           /* windows since the start, or since a long silence */
    double allowed;           /* rows that may be looked at */
    int64_t allowed_ms;
    size_t skip;      /* records before the next one in 32 */
    size_t next;      /* of watch_next */
    float *stand_ins; /* of each feature */
};

static inline struct watched *watch_score(const struct watch *w)
{
    return &w->items[w->feature_count];
}

static inline struct watched *watch_decisions(const struct watch *w)
{
    return &w->items[w->feature_count + 1];
}

/* The feature of that name, or NULL. */
struct watched *watch_find(const struct watch *watch, const char *name);
/* Something has changed in front of it. */
void watch_be_strict(struct watched *item, enum watch_after after);

/* It is over, and watch_next says so. */
void watch_end(struct watched *item, int64_t now_ms);

/* Runs of missing values, which do not wait for the window's end; the window at its end. */
void watch_judge_runs(struct watch *watch, int64_t now_ms);
void watch_judge_window(struct watch *watch, int64_t now_ms);

#endif
