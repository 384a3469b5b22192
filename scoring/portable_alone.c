#include "scoring/portable.h"

enum {
    TOGETHER = PORTABLE_TOGETHER,
    LANES = 8, /* 4 need no memory, but 8 hide more of each other's waiting: 6 % */
    NEAR = 3,  /* levels: eight places that lie side by side are one cache line */
};

/* One row. */
struct row {
    const uint32_t *cells;
    const float *numbers;
    struct sums sums; /* its own come first */
};

/* Trees of one run, and where the row is in each: a place, or a node. */
struct group {
    const struct walk *walks;
    size_t count;
    size_t at[TOGETHER];
};

static inline uint32_t cell_at(const struct row *row, uint32_t offset)
{
    return *(const uint32_t *)((const char *)row->cells + offset);
}

/* ---- padded */

/* Always inline: `lanes` is a constant, and their places are registers. */
static inline __attribute__((always_inline)) void descend(const struct portable_program *p,
                                                          const struct row *row,
                                                          const struct walk *walks, size_t *out,
                                                          const size_t lanes, uint32_t levels)
{
    const struct place *places[LANES];
    size_t at[LANES];

    for (size_t i = 0; i < lanes; i++) {
        places[i] = p->places + walks[i].first;
        at[i] = out[i];
    }
    for (uint32_t level = 0; level < levels; level++)
        for (size_t i = 0; i < lanes; i++)
            at[i] = portable_step(places[i], at[i], cell_at(row, places[i][at[i]].offset));
    for (size_t i = 0; i < lanes; i++)
        out[i] = at[i];
}

static void descend_all(const struct portable_program *p, const struct row *row, struct group *g,
                        uint32_t levels)
{
    size_t i = 0;

    for (; i + LANES <= g->count; i += LANES)
        descend(p, row, g->walks + i, g->at + i, LANES, levels);
    for (; i < g->count; i++)
        descend(p, row, g->walks + i, g->at + i, 1, levels);
}

/* Where the NEAR levels below a place and the value behind them are: each level one line. */
static void fetch_below(const struct portable_program *p, const struct group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct place *places = p->places + g->walks[i].first;
        size_t at = g->at[i], end = g->walks[i].first + (at << NEAR) - (1u << g->walks->depth);
        __builtin_prefetch(places + at);
        __builtin_prefetch(places + 2 * at);
        __builtin_prefetch(places + 4 * at);
        __builtin_prefetch(p->floats    ? (const void *)(p->floats + end)
                           : p->doubles ? (const void *)(p->doubles + end)
                                        : (const void *)(p->ends + end));
    }
}

/* The next trees' first lines come while these are walked. */
static void find_ends(const struct portable_program *p, const struct row *row, struct group *g)
{
    uint32_t depth = g->walks->depth, below = p->is_large && depth > NEAR ? NEAR : 0;

    for (size_t i = 0; i < g->count; i++) {
        g->at[i] = 1;
        __builtin_prefetch(p->places + g->walks[i + TOGETHER].first);
    }
    descend_all(p, row, g, depth - below);
    if (below > 0) {
        fetch_below(p, g);
        descend_all(p, row, g, below);
    }
    for (size_t i = 0; i < g->count; i++)
        g->at[i] += g->walks[i].first - ((size_t)1 << depth);
}

static void add_leaf(const struct portable_program *p, const struct walk *walk,
                     const struct row *row, uint32_t id)
{
    leaves_add(&p->leaves, &(struct arrivals){walk->output, &id, row->numbers, 1}, row->sums);
}

/* One sum stays in a register: else each addition waits for the one before it to be stored. */
static void add_floats(const struct portable_program *p, const struct group *g, float *sums)
{
    float sum = *sums;

    for (size_t i = 0; p->has_one_output && i < g->count; i++)
        sum += p->floats[g->at[i]];
    *sums = sum;
    for (size_t i = 0; !p->has_one_output && i < g->count; i++)
        sums[(size_t)g->walks[i].output * KERNEL_ROWS] += p->floats[g->at[i]];
}

static void add_ends(const struct portable_program *p, const struct row *row, const struct group *g)
{
    const struct walk *walks = g->walks;

    if (p->floats && row->sums.floats) /* they come together */
        add_floats(p, g, row->sums.floats);
    for (size_t i = 0; p->doubles && i < g->count; i++)
        row->sums.doubles[(size_t)walks[i].output * KERNEL_ROWS] += p->doubles[g->at[i]];
    for (size_t i = 0; p->ends && i < g->count; i++)
        add_leaf(p, &walks[i], row, p->ends[g->at[i]]);
}

/* ---- linked */

static void find_leaves(const struct portable_program *p, const struct row *row, struct group *g)
{
    bool goes_on;

    for (size_t i = 0; i < g->count; i++)
        g->at[i] = 0;
    do {
        goes_on = false;
        for (size_t i = 0; i < g->count; i++) {
            const struct walk *walk = &g->walks[i];
            const struct node *n = &p->nodes[walk->first + g->at[i]];
            uint32_t cell = cell_at(row, n->offset);
            if (walk->kind == WALK_MIXED) {
                enum split_kind kind = p->node_kinds[walk->first + g->at[i]];
                g->at[i] = n->next[portable_is_left(p, n, kind, cell)];
            } else {
                g->at[i] = n->next[cell < n->threshold];
            }
            goes_on |= g->at[i] < walk->split_count;
        }
    } while (goes_on);
}

static void add_leaves(const struct portable_program *p, const struct row *row,
                       const struct group *g)
{
    for (size_t i = 0; i < g->count; i++)
        add_leaf(p, &g->walks[i], row, p->nodes[g->walks[i].first + g->at[i]].threshold);
}

/* ---- a row */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void add_row(const struct portable_program *p, const struct walk *walks, size_t count,
                    const struct row *row)
{
    struct group g;

    for (size_t i = 0; i < count; i += g.count) {
        g.walks = walks + i;
        g.count = least(least(walks[i].run, count - i), TOGETHER);
        if (walks[i].kind == WALK_PADDED) {
            find_ends(p, row, &g);
            add_ends(p, row, &g);
        } else {
            find_leaves(p, row, &g);
            add_leaves(p, row, &g);
        }
    }
}

void portable_add_alone(const struct portable_program *p, const struct walk *walks, size_t count,
                        const struct portable_block *b, struct sums sums)
{
    for (size_t r = 0; r < b->count; r++) {
        struct row row = {b->cells + r * p->inputs.cell_count,
                          b->rows + r * p->inputs.feature_count, sums};
        if (sums.floats)
            row.sums.floats += r;
        else
            row.sums.doubles += r;
        add_row(p, walks, count, &row);
    }
}
