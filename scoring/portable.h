/* portable.h: the kernel for every tree and every machine, and what its files share.
 *
 *   portable.c        compiles
 *   portable_run.c    blocks of rows: eight walk a tree together, a level at a time
 *   portable_alone.c  few rows, each by itself: it walks trees together
 *
 * Either way cache misses and the steps of a walk, which wait for each other, overlap.
 *
 *   padded  a complete tree of `depth` levels from place 1, place i has its right side at 2i and
 *           its left at 2i + 1: no links, no leaf test. Below a leaf that ends early every place
 *           leads to it
 *   linked  places with two links, leaves link to themselves, so who has arrived waits
 *
 * A program owns its arrays and is immutable; any thread may run it with a scratch of its own.
 */
#ifndef SCORING_PORTABLE_H
#define SCORING_PORTABLE_H

#include "scoring/inputs.h"
#include "scoring/kernel.h"
#include "scoring/leaves.h"

enum {
    PORTABLE_LANES = INPUTS_LANES,
    PORTABLE_TOGETHER = 16, /* trees that a row alone walks at once, at most */
};

/* Left when the cell is below the threshold: that at `offset` bytes in the cells of a row. */
struct place {
    uint32_t threshold, offset;
};

/* A split that is followed by links. A leaf: both links to itself, its number in `threshold`. */
struct node {
    uint32_t threshold; /* or the number of a set */
    uint32_t offset;
    uint32_t next[2]; /* right, left */
};

enum walk_kind { WALK_PADDED, WALK_LINKED, WALK_MIXED };

struct walk {
    size_t first; /* in nodes; of padded: in places its place 0, which is not used, and its end 0 */
    uint32_t depth, output, first_leaf, split_count;
    uint32_t run; /* so many from this one on are linked or mixed, or padded and of this depth */
    uint8_t kind; /* enum walk_kind; mixed: linked, and not all splits are SPLIT_LESS */
};

struct member_set {
    struct category_set set;
    bool beyond_is_right;
};

struct portable_program {
    struct inputs inputs;
    struct leaves leaves;
    struct walk *walks; /* PORTABLE_TOGETHER of nothing behind them */
    bool has_one_output;
    bool is_large; /* not all of it is in a near cache */
    struct place *places;
    float *floats;   /* behind the ends of padded trees, 2^depth each: a number, */
    double *doubles; /* the same in double, */
    uint32_t *ends;  /* or a leaf (vectors, linear functions) */
    size_t end_count;
    struct node *nodes;
    uint8_t *node_kinds; /* enum split_kind, looked at by mixed trees only */
    size_t node_count;
    struct member_set *sets;
    size_t set_count, set_cap;
    size_t size_bytes, level_count;
    /* So many trees are passed by all of a block before the next are: they stay in a near cache. So
     * many of its rows pass them together: their cells stay in the nearest; a multiple of
     * PORTABLE_LANES. */
    size_t chunk_trees, strip_rows;
};

/* Of a block: what prepare leaves for add. Cell i of row r is at [r * cell_count + i] where rows go
 * alone; else a group of PORTABLE_LANES rows has it at [i * PORTABLE_LANES] behind its first. */
struct portable_block {
    const float *rows;
    size_t count;
    _Alignas(64) uint32_t cells[];
};

/* What the functions of struct kernel are. */
void *portable_build(const struct trees *trees, bool *taken);
void portable_free(void *program);
size_t portable_size_bytes(const void *program);

/* Adds `count` trees from walks on to the sums of rows that go alone. */
void portable_add_alone(const struct portable_program *program, const struct walk *walks,
                        size_t count, const struct portable_block *block, struct sums sums);

/* 2 at + (cell < threshold): the carry of the comparison, of which gcc makes three instructions. */
static inline size_t portable_step(const struct place *places, size_t at, uint32_t cell)
{
#ifdef __x86_64__
    enum { ANY = 1 << 20 }; /* of the places, for the compiler to know what is read */

    __asm__("cmp (%[places], %[at], 8), %[cell]\n\tadc %[at], %[at]"
            : [at] "+r"(at)
            : [places] "r"(places), [cell] "r"(cell), "m"(*(const struct place(*)[ANY])places)
            : "cc");
    return at;
#else
    return at + at + (cell < places[at].threshold);
#endif
}

/* The side that a cell takes in a mixed tree: true is left. */
static inline bool portable_is_left(const struct portable_program *p, const struct node *n,
                                    enum split_kind kind, uint32_t cell)
{
    const struct member_set *m;

    if (kind == SPLIT_LESS)
        return cell < n->threshold;
    if (kind == SPLIT_EQUAL)
        return cell == n->threshold || cell == CELL_LEFT;
    if (cell == CATEGORY_LEFT || cell == CATEGORY_RIGHT)
        return cell == CATEGORY_LEFT;
    m = &p->sets[n->threshold];
    return cell < m->set.bit_count ? !category_set_has(&m->set, cell) : !m->beyond_is_right;
}

#endif
