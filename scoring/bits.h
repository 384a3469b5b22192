/* bits.h: trees of up to 256 leaves as programs without jumps, for blocks of KERNEL_ROWS rows.
 *
 *   prepare   the block's columns (scoring/ranks.h)
 *   compare   every split of the tree for every row: one plane, a bit per row, set = goes left;
 *             where missing goes right, those that are missing are taken out
 *   mux       planes become the bits of the leaf's code: from the deepest splits up, a split takes
 *             each bit from its left side where it goes left, else from its right
 *   add       the value behind the code, tree after tree
 *
 * A leaf has a range of codes, from right to left. A split whose sides lie in two halves of a range
 * is itself a bit of the code, and what the one side does not care about is the other side's: so a
 * complete tree costs one mux per split, and trees of any shape fit 8 bits.
 *
 * A tree that is about as full as it is deep, to 8 levels, is *padded*: its splits lie where a
 * complete tree has them, the children of slot i at 2i + 1 (right) and 2i + 2, so the muxes need no
 * program, and bit l of the code is the side taken at level l. What lies below a leaf is
 * whatever is there: all codes that it can make lead to the leaf.
 *
 * bits.c compiles, bits_run.c runs, with the vectors of bits_avx2.c
 * or bits_avx512.c.
 */
#ifndef SCORING_BITS_H
#define SCORING_BITS_H

#include "scoring/kernel.h"
#include "scoring/leaves.h"
#include "scoring/ranks.h"

enum {
    BITS_MAX_LEAVES = 256,
    BITS_PLANES = 8,                    /* bits of a code */
    BITS_PLANE_BYTES = KERNEL_ROWS / 8, /* of a plane */

    BITS_FEATURES = 16, /* that are turned from rows to columns at a time */

    BITS_ALONE_ROWS = 4, /* that go each by itself, at most */
    BITS_ALONE_COLUMNS = 128,

    BITS_VALUES_BEYOND = 64, /* may be read behind the values of a tree */

    /* Slots hold planes: of split i slot i, then these; then what muxes need: at most 8 for each
     * two leaves. Programs name the bytes where they begin. */
    BITS_MAX_SLOTS = 2048,
    SLOT_CLEAR = BITS_MAX_LEAVES - 1,
    SLOT_SET,
    SLOT_FREE,
};

/* Columns and ranks are biased by 128, so that comparing signed bytes is comparing ranks.
 * Left is what is below the limit. */
struct bits_compare {
    uint16_t column;
    int8_t limit;
    uint8_t to; /* slot */
};

/* A split on a category. */
struct bits_member {
    uint8_t is_left[32]; /* bit c % 8 of byte c / 8 for code c */
    uint16_t column, to; /* where the slot begins */
};

struct bits_mux {
    uint16_t to, by, clear, set; /* by ? set : clear; where the slots begin */
};

/* The thresholds of a group by their place within sixteen: number k of each sixteen together, so
 * that a row finds that of its sixteen in one register. */
struct bits_table {
    _Alignas(64) int32_t below[16][16];
};

struct bits_tree {
    uint32_t first_compare, compare_count; /* at the end those whose missing goes right: */
    uint32_t right_count;
    uint32_t first_member, member_count;
    uint32_t first_mux, mux_count;
    uint32_t output, first_leaf;
    size_t first_code;            /* of 2^plane_count */
    uint16_t planes[BITS_PLANES]; /* where the slots begin, the lowest bit first; SLOT_CLEAR from
                                   * plane_count on */
    uint16_t plane_count;
    bool is_padded; /* then no muxes, and planes[] is unused */
};

/* For rows that go each by itself: of each tree its splits at their places in a heap, the root at
 * 1, the children of i at 2i (right) and 2i + 1, to as many places as the largest tree has; below
 * the last level what the row gets. A row is two bytes for each column: its rank where missing is
 * 0, then all those where missing is 255. All trees are padded, compare numbers and add a float. */
struct bits_alone {
    size_t places;           /* of a tree, a multiple of 64; 0: rows do not go alone */
    uint8_t *bytes, *limits; /* which byte of the row, and below what it is left */
    float *values;           /* as many */
    uint32_t *runs;          /* from each tree on, so many add to the same output */
};

struct bits_program {
    const struct bits_vectors *vectors;
    struct ranks ranks;
    struct bits_table *tables; /* of each group of ranks, where vectors want one */
    struct leaves leaves;
    struct bits_tree *trees; /* of each tree of the forest; of those not taken nothing */
    struct bits_compare *compares;
    struct bits_member *members;
    struct bits_mux *muxes;
    float *floats;   /* what is behind each code: a number, */
    double *doubles; /* the same in double, */
    uint8_t *ends;   /* or a leaf, counted within the tree (vectors, linear functions) */
    size_t code_count, compare_count, member_count, mux_count, mux_cap, slot_count;
    struct bits_alone alone;
    size_t size_bytes;
};

/* Of a block: what prepare leaves for add. */
struct bits_block {
    const float *rows;
    size_t count;
    _Alignas(64) float numbers[BITS_FEATURES][KERNEL_ROWS]; /* of features that follow each other */
    int32_t keys[KERNEL_ROWS];
    uint8_t missing[KERNEL_ROWS]; /* all ones or all zeros */
    uint8_t ranks[KERNEL_ROWS];
    uint8_t codes[KERNEL_ROWS]; /* of the leaf in one tree */
    uint8_t alone[BITS_ALONE_ROWS][2 * BITS_ALONE_COLUMNS];
    uint8_t columns[]; /* column_count of KERNEL_ROWS, then as many planes of what is not missing,
                        * then slots */
};

/* What the vectors of a processor do. Rows from count on may get anything. */
struct bits_vectors {
    /* numbers[] of a block: `width` features (1 to BITS_FEATURES) of its rows, from the one on that
     * x points to, in the first row; a row is `stride` floats */
    void (*turn)(struct bits_block *block, const float *x, size_t stride, size_t width);
    /* keys[] of x, one feature of numbers[]: its order_key; and missing[], whether it is */
    void (*find_keys)(struct bits_block *block, const struct inputs *inputs,
                      const struct input *input, const float *x);
    /* keys[] to ranks[] of a group, biased; a table only if `wants_tables` */
    bool wants_tables;
    void (*rank)(struct bits_block *block, const struct rank_group *group,
                 const struct bits_table *table);
    /* ranks[] to a column, with the lowest for what is missing */
    void (*settle)(const struct bits_block *block, uint8_t *column);
    /* missing[] to a plane, of those that are not */
    void (*mark)(const struct bits_block *block, uint8_t *plane);
    /* columns to codes[]; present: of each column whose missing some split sends right the plane of
     * what is not */
    void (*run)(const struct bits_program *program, const struct bits_tree *tree,
                struct bits_block *block, uint8_t *present, uint8_t *slots);
    /* adds values[codes[r]] of 2^planes values to sums[r] */
    void (*add_floats)(const struct bits_block *block, const float *values, uint16_t planes,
                       float *sums);
    void (*add_doubles)(const struct bits_block *block, const double *values, double *sums);
    /* Rows that go alone; NULL: none do. The bytes of one; then what bits_add does with it. */
    void (*fill_alone)(const struct bits_program *program, const float *row, uint8_t *bytes);
    void (*add_alone)(const struct bits_program *program, size_t first, size_t count,
                      const uint8_t *bytes, float *sums);
};

/* What the functions of struct kernel are; vectors must live on. */
void *bits_build(const struct trees *trees, bool *taken, const struct bits_vectors *vectors);
void bits_free(void *program);
size_t bits_size_bytes(const void *program);
size_t bits_scratch_bytes(const void *program, size_t rows);
size_t bits_alone_rows(const void *program);
void bits_prepare(const void *program, const float *rows, size_t count, void *scratch);
void bits_add(const void *program, size_t first, size_t count, struct sums sums, void *scratch);

#endif
