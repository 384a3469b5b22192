/* comparison.h: two sides joined, record by record, and what the differences come to.
 *
 * There is what was before (published, or another bundle's), here is the replay; a difference is
 * here - there, and a flip goes from there to here.
 *
 * Of several outcomes of one record there one counts: a score rather than a dead letter; of scores
 * the last that was published, as whoever upserts by (topic, partition, offset) has it: of one
 * partition of the scores' topic that with the highest offset, of several that with the latest time
 * stamp. The others are counted, by what they are to it.
 *
 * Equal are scores with the same bits, the same decision and the same other outputs; dead letters
 * with the same stage and reason. A tolerance is absolute, for each output; a decision that flips
 * is a change whatever the tolerance.
 *
 * Memory does not depend on how many records there are: quantiles are exact, by sorting the
 * differences in a temporary file. Borrows the fates. Thread: one at a time.
 */
#ifndef PIPELINE_COMPARISON_H
#define PIPELINE_COMPARISON_H

#include "pipeline/times.h"
#include "pipeline/fates.h"

struct comparison_place {
    uint32_t part; /* of the fates' window */
    int64_t offset;
};

struct difference {
    struct comparison_place place;
    int64_t event_time_ms;
    double there, here;
    uint32_t decision_there, decision_here;
};

/* Records with more than one outcome there: how many outcomes more, by what they are. */
struct comparison_others {
    uint64_t duplicates; /* scores with the id of the one that counts */
    uint64_t contrary;   /* of these, with another score or decision than the one before */
    uint64_t superseded; /* scores of other bundles, published before */
    uint64_t resolved;   /* dead letters of records with a score */
    uint64_t letters;    /* dead letters before the one that counts */
    uint64_t records;    /* that have any of these */
};

/* A difference's decimal order: 1 for 0.1 <= |d| < 1, -1 for 0.01 <= |d| < 0.1, ... */
enum { DECADE_LOW = -20, DECADE_HIGH = 20, DECADES = DECADE_HIGH - DECADE_LOW + 1 };

enum { QUANTILES = 9, LARGEST = 10, FLIP_WORDS = 128 };
extern const double comparison_quantiles[QUANTILES]; /* 0, 0.01, 0.05, 0.25, 0.5, ... 1 */

struct comparison {
    const struct fates *fates;
    double tolerance;
    struct tally all;
    struct comparison_place first[RELATION_COUNT]; /* of each that all.counts has */
    uint64_t outcomes[SIDE_COUNT][FATE_KINDS];     /* of those that count */
    struct comparison_others others;

    /* Of records that both sides scored. */
    uint64_t scored;
    uint64_t decades[2][DECADES]; /* below and above 0; beyond the ends: in them */
    uint64_t zero;
    struct sorter *differences; /* but for those of 0 */
    double quantiles[QUANTILES];
    double sum, abs_sum;
    struct difference largest[LARGEST];
    size_t largest_count;
    uint64_t *flips; /* FLIP_WORDS x FLIP_WORDS, there x here; higher numbers: WORDS_OTHERS */

    uint64_t *dead_here, *dead_there; /* WORDS_MAX: reasons of what is dead on that side only */
    struct tally *schemas, *models;   /* WORDS_MAX; models: of there, where it has the record */
    struct times times;
    struct tally *parts;
    struct comparison_place *part_first; /* where they part; offset -1: nowhere */
};

/* Sorts and joins. EXIT_IO. comparison_release in either case. */
int comparison_make(struct comparison *comparison, struct fates *fates, double tolerance,
                    struct err *err);
void comparison_release(struct comparison *comparison);

/* Records with an outcome on a side, and of them those that are not equal within the tolerance. */
uint64_t comparison_records(const struct comparison *comparison);
uint64_t comparison_differing(const struct comparison *comparison);

#endif
