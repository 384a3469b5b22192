#include "scoring/column.h"

#include <stdlib.h>
#include <string.h>

static void window_reset(struct column_window *w)
{
    *w = (struct column_window){.low = INFINITY, .high = -INFINITY, .distance = -1};
}

static void usual_reset(struct column *c)
{
    c->usual = (struct usual){.low = INFINITY, .high = -INFINITY, .narrowest = INFINITY};
    c->far_low = -INFINITY;
    c->far_high = INFINITY;
    c->sample_count = 0;
    c->sampled = 0;
}

void column_init(struct column *c, float stand_in)
{
    *c = (struct column){.stand_in = stand_in, .random = 2463534242};
    window_reset(&c->now);
    window_reset(&c->last);
    usual_reset(c);
}

/* Marsaglia's xorshift. */
static uint32_t roll(struct column *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 17;
    c->random ^= c->random << 5;
    return c->random;
}

static void sample(struct column *c, float x)
{
    uint64_t place = c->sampled++;

    if (place < COLUMN_SAMPLES) {
        c->samples[c->sample_count++] = x;
        return;
    }
    place = c->sampled >> 32 ? UINT32_MAX : roll(c) % c->sampled;
    if (place < COLUMN_SAMPLES)
        c->samples[place] = x;
}

/* Fifteen comparisons without a branch: the compiler makes vectors of them. */
static unsigned bin_of(const float *edges, float x)
{
    unsigned bin = 0;

    for (int i = 0; i < COLUMN_BINS; i++)
        bin += edges[i] <= x;
    return bin;
}

void column_add(struct column *c, float x, const struct sighting *place)
{
    struct column_window *w = &c->now;

    w->row_count++;
    if (column_is_missing(c, x)) {
        column_run_on(c, 1, place);
        if (w->missing_count++ == 0)
            c->missing_first = *place;
        return;
    }
    column_run_end(c);
    w->low = x < w->low ? x : w->low;
    w->high = x > w->high ? x : w->high;
    w->outside_count += x < c->far_low || x > c->far_high;
    if (c->usual.has_bins)
        w->counts[bin_of(c->usual.edges, x) % COLUMN_BINS]++; /* infinity is in no bin */
    if (!c->usual.has_bins || c->usual.windows <= COLUMN_SAMPLED)
        sample(c, x);
}

static double value_count(const struct column_window *w)
{
    return w->row_count - w->missing_count;
}

double column_distance(const struct column *c)
{
    double count = value_count(&c->now), now = 0, usual = 0, most = 0;

    if (count < COLUMN_LEAST || !c->usual.has_bins)
        return -1;
    for (int i = 0; i < COLUMN_BINS; i++) {
        now += c->now.counts[i] / count;
        usual += c->usual.shares[i];
        most = fmax(most, fabs(now - usual));
    }
    return most;
}

double column_missing_share(const struct column_window *w)
{
    return w->row_count ? (double)w->missing_count / w->row_count : 0;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Bins of equal shares of the sample. */
static void make_bins(struct column *c)
{
    struct usual *u = &c->usual;
    float sorted[COLUMN_SAMPLES];
    size_t count = c->sample_count;

    if (count < COLUMN_LEAST)
        return;
    memcpy(sorted, c->samples, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_floats);
    for (size_t i = 1; i < COLUMN_BINS; i++)
        u->edges[i - 1] = sorted[i * count / COLUMN_BINS];
    u->edges[COLUMN_BINS - 1] = INFINITY;
    memset(u->shares, 0, sizeof u->shares);
    for (size_t i = 0; i < count; i++)
        u->shares[bin_of(u->edges, sorted[i]) % COLUMN_BINS] += 1 / (float)count;
    u->has_bins = true;
    u->values = (float)count;
}

/* The highest of late: it comes down to the mean slowly. */
static float keep_high(float high, float mean, float now)
{
    high += (mean - high) / COLUMN_LEVEL_MEMORY;
    return now > high ? now : high;
}

void column_spread(struct column *c)
{
    float width = c->usual.high - c->usual.low;

    if (width > 0) {
        c->far_low = c->usual.low - width;
        c->far_high = c->usual.high + width;
    }
}

/* The window is one of the usual ones. */
static void merge(struct column *c, const struct column_window *w)
{
    struct usual *u = &c->usual;
    uint32_t memory = u->windows < COLUMN_MEMORY ? u->windows + 1 : COLUMN_MEMORY;
    float missing = (float)column_missing_share(w), count = (float)value_count(w);
    bool has_counts = u->has_bins && count > 0;

    if (w->row_count == 0)
        return;
    u->windows++;
    u->values += has_counts ? count : 0;
    u->missing += (missing - u->missing) / (float)memory;
    u->missing_high = keep_high(u->missing_high, u->missing, missing);
    u->distance_high = keep_high(u->distance_high, 0, w->distance);
    for (int i = 0; has_counts && i < COLUMN_BINS; i++)
        u->shares[i] += ((float)w->counts[i] / count - u->shares[i]) / (float)memory;
    if (count >= COLUMN_LEAST)
        u->narrowest = fminf(u->narrowest, w->high - w->low);
    u->low = fminf(u->low, w->low);
    u->high = fmaxf(u->high, w->high);
    column_spread(c);
}

/* The bins of so few windows are made anew when there are more. */
static bool has_outgrown(const struct usual *u, uint32_t windows_before)
{
    return !u->has_bins ||
           (u->windows > windows_before && (u->windows == 4 || u->windows == COLUMN_SAMPLED));
}

void column_close(struct column *c, bool is_usual)
{
    uint32_t windows = c->usual.windows;

    c->now.distance = (float)column_distance(c);
    if (is_usual && c->owes_last)
        merge(c, &c->last);
    c->owes_last = is_usual && c->usual.windows > 0;
    if (is_usual && !c->owes_last)
        merge(c, &c->now); /* there is nothing else to compare with */
    c->last = c->now;
    window_reset(&c->now);
    if (is_usual && has_outgrown(&c->usual, windows)) {
        make_bins(c);
        c->owes_last = false; /* its counts are those of the bins before */
    }
}

void column_drop(struct column *c)
{
    window_reset(&c->now);
}

void column_accept(struct column *c)
{
    struct column_window now = c->now;

    usual_reset(c);
    c->owes_last = false;
    c->longest_run = c->run;
    c->ended_run = 0;
    memset(now.counts, 0, sizeof now.counts);
    merge(c, &now);
    window_reset(&c->now);
}

/* Between the edges of a bin its values are taken to lie evenly. */
static double quantile(const struct usual *u, const double *shares, double low, double high,
                       double q)
{
    double sum = 0;

    for (int i = 0; i < COLUMN_BINS; i++) {
        double from = i ? u->edges[i - 1] : low;
        double to = i < COLUMN_BINS - 1 ? u->edges[i] : high;
        if (shares[i] > 0 && sum + shares[i] >= q) {
            from = fmax(from, low);
            to = fmin(to, high);
            return to <= from ? from : from + (to - from) * (q - sum) / shares[i];
        }
        sum += shares[i];
    }
    return high;
}

double column_usual_quantile(const struct column *c, double q)
{
    double shares[COLUMN_BINS];

    if (!c->usual.has_bins)
        return NAN;
    for (int i = 0; i < COLUMN_BINS; i++)
        shares[i] = c->usual.shares[i];
    return quantile(&c->usual, shares, c->usual.low, c->usual.high, q);
}

static const struct column_window *newest(const struct column *c)
{
    return value_count(&c->now) >= COLUMN_LEAST ? &c->now : &c->last;
}

uint32_t column_window_values(const struct column *c)
{
    return newest(c)->row_count - newest(c)->missing_count;
}

double column_window_quantile(const struct column *c, double q)
{
    const struct column_window *w = newest(c);
    double shares[COLUMN_BINS];

    if (!c->usual.has_bins || value_count(w) < COLUMN_LEAST)
        return NAN;
    for (int i = 0; i < COLUMN_BINS; i++)
        shares[i] = w->counts[i] / value_count(w);
    return quantile(&c->usual, shares, w->low, w->high, q);
}
