/* ranks.h: numbers as bytes. Of a feature's thresholds, sorted and each once, T[0] < T[1] ...,
 * a row needs only its rank, how many of them are not above x: x < T[k] is rank <= k. That is
 * exact; histogram-trained models have at most 255 thresholds per feature, and a rank is a
 * byte. A feature with more has several groups of 255, and a split looks at that of its threshold.
 *
 *   column   a byte for each row of a block
 *     rank   of a group; missing is 0, left of all. Splits that send it right look at a plane, too:
 *            a bit for each row, whether it is missing
 *     code   of a category, 0 to 253; CODE_BEYOND is all that no set can have, CODE_MISSING
 *
 * Owns its arrays. Immutable after ranks_init.
 */
#ifndef SCORING_RANKS_H
#define SCORING_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scoring/inputs.h"

enum {
    RANKS_GROUP = 255, /* thresholds */
    RANKS_MAX_COLUMNS = 1 << 16,
    CODE_BEYOND = 254,
    CODE_MISSING = 255,
};

/* The search of a group in two steps: which sixteen, which of them. x > below[k] is x >= T[k]; what
 * is unused is above all x. pivots[j] is below[16 * j + 15]. */
struct rank_group {
    _Alignas(64) int32_t pivots[16];
    int32_t below[RANKS_GROUP + 1];
};

/* One input, whatever its default side; a category has one column, and no groups. */
struct rank_source {
    size_t first_group, group_count, first_column;
    bool has_right; /* some split sends missing right */
};

struct ranks {
    struct inputs inputs;
    struct rank_source *sources; /* of inputs.items[i] */
    uint32_t *order;             /* the sources by their features */
    struct rank_group *groups;
    size_t group_count, column_count;
};

/* Where a split looks. */
struct rank_place {
    uint16_t column;
    uint8_t rank;          /* left when the row's is not above; unused for categories */
    bool is_missing_right; /* of numbers */
};

/* What the splits of the chosen trees become. */
struct rank_plan {
    const bool *chosen;        /* in: for each tree; SPLIT_LESS and SPLIT_MEMBER only */
    struct rank_place *places; /* out, for each split of the forest; those of other trees stay */
};

/* -1 when they need more than RANKS_MAX_COLUMNS: nothing is left behind. */
int ranks_init(struct ranks *ranks, const struct trees *trees, struct rank_plan *plan);
void ranks_release(struct ranks *ranks);

/* The byte of a category. */
uint8_t ranks_code(const struct ranks *ranks, size_t source, float x);

#endif
