/* column.h: what one feature, or the score, looks like: a window of now beside what is usual.
 *
 *     rows -> [now]  -> judged by scoring/watch.c -> [last] -> the usual: 16 bins, missing, range
 *
 * A window is taken into the usual only when the one behind it was judged, too: what begins in the
 * middle of a window does not spoil what it is compared with. Each weighs the same at first, later
 * a 60th: the usual is that of some ten minutes. Its bins hold equal shares of a sample of the
 * values (reservoir sampling, Vitter's algorithm R), and are made anew after 1, 4 and 16 windows.
 *
 * All room is inside: no allocation. Thread: the worker's.
 */
#ifndef SCORING_COLUMN_H
#define SCORING_COLUMN_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    COLUMN_BINS = 16,
    COLUMN_SAMPLES = 256,
    COLUMN_LEAST = 30,         /* values, below which nothing is said of their distribution */
    COLUMN_MEMORY = 60,        /* windows */
    COLUMN_LEVEL_MEMORY = 600, /* windows: the highest and the lowest of late */
    COLUMN_SETTLED = 6,        /* windows that make a usual level */
    COLUMN_SAMPLED = 16,       /* windows that the bins are made of, at most */
};

/* A record that was seen. topic lives as long as the ledger. */
struct sighting {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t at_ms;
};

struct column_window {
    uint32_t counts[COLUMN_BINS];
    uint32_t row_count, missing_count, outside_count; /* outside: far from the usual range */
    float low, high;                                  /* of the values */
    float distance;                                   /* when it was over; negative: unknown */
};

/* What the windows had. */
struct usual {
    uint32_t windows;
    float edges[COLUMN_BINS];  /* rising, the last is infinite; x is in bin count(edges <= x) */
    float shares[COLUMN_BINS]; /* of the values, not of the missing */
    bool has_bins;
    float values;                /* of which the shares are */
    float missing, missing_high; /* share: mean, and the highest of late */
    float distance_high;         /* the highest distance of late */
    float low, high;             /* of all values */
    float narrowest; /* least width (high - low) of a window's values; infinite: unknown */
};

struct column {
    float stand_in; /* what a missing value is in the row, beside NaN: a default, or NaN */
    struct column_window now, last;
    bool owes_last; /* last is to become usual */
    struct usual usual;
    float far_low, far_high;

    /* Rows without a value in a row: now; the longest that ended since runs were judged; before. */
    uint32_t run, ended_run, longest_run;
    struct sighting run_first, ended_first, missing_first; /* missing: of the window */
    uint64_t value_count;                                  /* since it began */

    float samples[COLUMN_SAMPLES];
    uint32_t sample_count;
    uint64_t sampled; /* values that were offered to the sample */
    uint32_t random;
};

void column_init(struct column *column, float stand_in);

static inline bool column_is_missing(const struct column *c, float x)
{
    return isnan(x) || x == c->stand_in;
}

/* `count` rows without a value, and one with. */
static inline void column_run_on(struct column *c, uint32_t count, const struct sighting *first)
{
    if (c->run == 0)
        c->run_first = *first;
    c->run = c->run < UINT32_MAX - count ? c->run + count : c->run;
}

static inline void column_run_end(struct column *c)
{
    c->value_count++;
    if (c->run > c->ended_run) {
        c->ended_run = c->run;
        c->ended_first = c->run_first;
    }
    c->run = 0;
}

/* One row's value. */
void column_add(struct column *column, float x, const struct sighting *place);

/* Kolmogorov and Smirnov's distance of the window's values from the usual ones, over its bins: 0 to
 * 1, the share that has moved. Negative: too few values, or nothing to compare with. */
double column_distance(const struct column *column);

double column_missing_share(const struct column_window *window);

/* The window is over: what was last becomes usual, and it is the last; or, is_usual false, neither
 * ever does. */
void column_close(struct column *column, bool is_usual);

/* The window of now is not worth a judgement. */
void column_drop(struct column *column);

/* What is seen now is what is usual. */
void column_accept(struct column *column);

/* The range of values that is far from `low` and `high`, which are known from elsewhere. */
void column_spread(struct column *column);

/* Where a share `q` of the usual values, or of the window's, ends, between the bins' edges. NaN:
 * unknown. */
double column_usual_quantile(const struct column *column, double q);
double column_window_quantile(const struct column *column, double q);

/* How many values the window has that column_window_quantile is of: of now, or the last while that
 * has few. */
uint32_t column_window_values(const struct column *column);

#endif
