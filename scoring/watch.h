/* watch.h: whether rows, scores and decisions look as they did before: what is wrong without an
 * error.
 *
 * It sees a sample: every row up to 5,000 a second, beyond that one of 128, and of all rows whether
 * a feature has no value in a run of them. Rows are gathered in windows (10 s and 100 rows; where
 * there are few, 30 s and 30 rows), and each window is held against what is usual
 * (scoring/column.h). Found are, at most one at a time for each feature, for the score, and for the
 * decisions:
 *
 *   all_missing    a feature has no value in a run of rows four times as long as any before
 *   always_missing it never had one since the start
 *   missing        its share of missing values (of its default, of unknown categories) has jumped
 *   far            most of its values are far outside of the range of all before
 *   shifted        its values are distributed otherwise than they ever were
 *   constant       all scores are the same although rows differ; or all values of a feature that
 *                  never were
 *   decisions      a decision's share is far from before
 *
 * Behind a change of the model, features that are read from elsewhere now, the score and the
 * decisions are held to stricter bounds. The thresholds and their reasons: docs/watch.md.
 *
 * While something is suspected its usual is not touched. A suspicion ends when the data are as
 * before, or after 30 minutes as the new usual. Pure: no clock, no I/O; allocates in watch_new
 * alone. Borrows the bundle. Thread: the worker's.
 */
#ifndef SCORING_WATCH_H
#define SCORING_WATCH_H

#include "core/outcome.h"
#include "core/record.h"
#include "scoring/bundle.h"
#include "scoring/column.h"

enum watch_what {
    WATCH_NOTHING,
    WATCH_ALL_MISSING,
    WATCH_ALWAYS_MISSING,
    WATCH_MISSING,
    WATCH_FAR,
    WATCH_SHIFTED,
    WATCH_CONSTANT,
    WATCH_DECISIONS,
};

/* Since what the usual is compared with another's, for three windows. */
enum watch_after { WATCH_AFTER_NOTHING, WATCH_AFTER_SWAP, WATCH_AFTER_START };

struct suspicion {
    enum watch_what what;
    enum watch_after after;
    struct sighting first; /* the first sampled record that shows it, or of the window that does */
    int64_t since_ms;      /* when that was seen */
    double share, before; /* missing: shares; far: share outside; shifted: distance, and the highest
                             before; decisions: of that decision */
    const char *decision; /* DECISIONS only */
};

/* One suspicion began or is over. */
struct watch_change {
    struct suspicion suspicion;
    const char *feature;       /* NULL: the score, or decisions */
    const char *source;        /* the feature's paths; behind a change of them, source_before too */
    const char *source_before; /* or NULL */
    bool is_over, is_accepted; /* accepted: as the new usual */
    int64_t lasted_ms;
};

struct watch;

/* For rows of that bundle, which lives as long. New: watch_free. */
struct watch *watch_new(const struct bundle *bundle);
void watch_free(struct watch *watch);

/* The model was swapped: what `before` knows of features of the same names, of the score and of
 * decisions of the same names is the usual here; their suspicions go on, all others are over. What
 * was not told yet is `before`'s to tell (watch_next). Call it between two batches. */
void watch_take_over(struct watch *watch, struct watch *before);

/* A batch as scored: record i has row rows[i] when outcomes[i] is SCORED. */
struct watch_batch {
    const struct record *records;
    const struct outcome *outcomes;
    const uint32_t *rows;
    size_t count;
    const float *matrix;
    const double *margins, *scores;
};
void watch_take(struct watch *watch, const struct watch_batch *batch, int64_t now_ms);

/* Judges what is due. Also to be called when nothing comes. True: watch_next has something. */
bool watch_poll(struct watch *watch, int64_t now_ms);
bool watch_next(struct watch *watch, struct watch_change *change);

/* ---- what there is to see */

enum { WATCH_QUANTILES = 5 }; /* 0.01, 0.1, 0.5, 0.9, 0.99 */

struct watch_feature {
    const char *name, *source;
    double missing_now, missing_before; /* shares; NaN: unknown */
};

struct watch_decision {
    const char *name;
    double now, before;
};

struct watch_report {
    double scores_now[WATCH_QUANTILES], scores_before[WATCH_QUANTILES]; /* NaN: unknown */
    uint32_t score_count;                                               /* that scores_now is of */
    uint32_t windows, judged_windows; /* that the usual is of; since the start, or a long silence */
    size_t feature_count, decision_count, suspicion_count;
};

/* Numbers as of the window of now, or of the last while that has few rows. */
void watch_report(const struct watch *watch, struct watch_report *report);
struct watch_feature watch_report_feature(const struct watch *watch, size_t i);
struct watch_decision watch_report_decision(const struct watch *watch, size_t i);
/* The i-th of those that are on, as a change that has begun. */
struct watch_change watch_report_suspicion(const struct watch *watch, size_t i);

/* "all_missing", ... "model_swapped", "start", "" */
const char *watch_what_text(enum watch_what what);
const char *watch_after_text(enum watch_after after);

/* Before a swap, and before the profile at the end of a run: a first window that is not over yet,
 * but has 30 rows, is better than no usual at all. */
void watch_settle(struct watch *watch);

/* ---- across a restart */

enum { WATCH_PROFILE_MAX = 16384 };

/* What is usual as one line of JSON, in out (room for WATCH_PROFILE_MAX, NUL included); features
 * that do not fit, from about the sixtieth on, are left out. Returns the length. */
size_t watch_profile_print(const struct watch *watch, char *out, int64_t wall_ms);

/* Before the first row: the usual of the run before. What this bundle does not have is passed over.
 * EXIT_DATA: it is not a profile, and nothing is taken from it. */
int watch_profile_parse(struct watch *watch, const char *text, size_t len, struct err *err);

#endif
