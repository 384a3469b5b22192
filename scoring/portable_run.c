#include "scoring/portable.h"

enum {
    LANES = PORTABLE_LANES,
    FEW = 4, /* rows that are faster alone than as lanes */
};

static size_t scratch_bytes(const void *program, size_t rows)
{
    const struct portable_program *p = program;
    size_t lanes = (rows + LANES - 1) / LANES * LANES;

    return sizeof(struct portable_block) + lanes * p->inputs.cell_count * sizeof(uint32_t) + 64;
}

/* Lanes beyond the rows walk with the last one, and are dropped. */
static void prepare(const void *program, const float *rows, size_t count, void *scratch)
{
    const struct portable_program *p = program;
    struct portable_block *b = scratch;
    size_t step = count <= FEW ? 1 : LANES;

    b->rows = rows;
    b->count = count;
    for (size_t r = 0; r < count; r += step) {
        const float *row = rows + r * p->inputs.feature_count;
        uint32_t *cells = b->cells + r * p->inputs.cell_count;
        if (step == 1)
            inputs_fill(&p->inputs, row, cells);
        else
            inputs_fill_lanes(&p->inputs, row, count - r, cells);
    }
}

/* Of a group of lanes, whose first cell is at `cells`. */
static inline uint32_t cell_of(const uint32_t *cells, uint32_t offset, size_t lane)
{
    const char *lanes = (const char *)cells + (size_t)LANES * offset;

    return ((const uint32_t *)lanes)[lane];
}

/* Where the lanes come out, counted from the first end. Inline: else they are kept in memory. */
static inline __attribute__((always_inline)) void walk_padded(const struct place *places,
                                                              uint32_t depth, const uint32_t *cells,
                                                              uint32_t *ends)
{
    size_t at[LANES];

    for (size_t r = 0; r < LANES; r++)
        at[r] = 1;
    for (uint32_t level = 0; level < depth; level++)
        for (size_t r = 0; r < LANES; r++)
            at[r] = portable_step(places, at[r], cell_of(cells, places[at[r]].offset, r));
    for (size_t r = 0; r < LANES; r++)
        ends[r] = (uint32_t)(at[r] - ((size_t)1 << depth));
}

/* One level for all lanes; whether some are not at a leaf yet. */
static inline bool follow(const struct portable_program *p, const struct walk *walk,
                          const uint32_t *cells, uint32_t *at)
{
    const struct node *nodes = p->nodes + walk->first;
    const uint8_t *kinds = p->node_kinds + walk->first;
    bool goes_on = false;

    for (size_t r = 0; r < LANES; r++) {
        const struct node *n = &nodes[at[r]];
        uint32_t cell = cell_of(cells, n->offset, r);
        at[r] = n->next[walk->kind == WALK_MIXED ? portable_is_left(p, n, kinds[at[r]], cell)
                                                 : cell < n->threshold];
        goes_on |= at[r] < walk->split_count;
    }
    return goes_on;
}

/* The leaves of the lanes. */
static void walk_linked(const struct portable_program *p, const struct walk *walk,
                        const uint32_t *cells, uint32_t *ids)
{
    uint32_t at[LANES] = {0};

    for (uint32_t level = 0; level < walk->depth && follow(p, walk, cells, at); level++)
        ;
    for (size_t r = 0; r < LANES; r++)
        ids[r] = p->nodes[walk->first + at[r]].threshold;
}

/* Rows of a block that pass trees together. */
struct strip {
    const uint32_t *cells;
    const float *rows;
    size_t count;
    struct sums sums; /* those of its rows come first */
};

static void add_ids(const struct portable_program *p, const struct walk *walk,
                    const struct strip *strip)
{
    uint32_t ids[KERNEL_ROWS];

    for (size_t r = 0; r < strip->count; r += LANES) {
        const uint32_t *cells = strip->cells + r * p->inputs.cell_count;
        if (walk->kind != WALK_PADDED) {
            walk_linked(p, walk, cells, ids + r);
            continue;
        }
        walk_padded(p->places + walk->first, walk->depth, cells, ids + r);
        for (size_t i = r; i < r + LANES; i++)
            ids[i] = p->ends[walk->first + ids[i]];
    }
    leaves_add(&p->leaves, &(struct arrivals){walk->output, ids, strip->rows, strip->count},
               strip->sums);
}

static void add_padded(const struct portable_program *p, const struct walk *walk,
                       const struct strip *strip)
{
    const struct place *places = p->places + walk->first;
    const uint32_t *cells = strip->cells;
    size_t sum = (size_t)walk->output * KERNEL_ROWS;

    for (size_t r = 0; r < strip->count; r += LANES, cells += LANES * p->inputs.cell_count) {
        uint32_t ends[LANES];
        walk_padded(places, walk->depth, cells, ends);
        for (size_t i = 0; p->floats && i < LANES; i++)
            strip->sums.floats[sum + r + i] += p->floats[walk->first + ends[i]];
        for (size_t i = 0; p->doubles && i < LANES; i++)
            strip->sums.doubles[sum + r + i] += p->doubles[walk->first + ends[i]];
    }
}

static struct strip strip_at(const struct portable_program *p, const struct portable_block *b,
                             size_t row, struct sums sums)
{
    struct strip strip = {b->cells + row * p->inputs.cell_count,
                          b->rows + row * p->inputs.feature_count, b->count - row, sums};

    if (strip.count > p->strip_rows)
        strip.count = p->strip_rows;
    if (sums.floats)
        strip.sums.floats += row;
    else
        strip.sums.doubles += row;
    return strip;
}

static void add_chunk(const struct portable_program *p, size_t first, size_t count,
                      const struct portable_block *b, struct sums sums)
{
    for (size_t row = 0; row < b->count; row += p->strip_rows) {
        struct strip strip = strip_at(p, b, row, sums);
        for (size_t i = first; i < first + count; i++) {
            const struct walk *walk = &p->walks[i];
            if (walk->kind != WALK_PADDED || p->ends)
                add_ids(p, walk, &strip);
            else
                add_padded(p, walk, &strip);
        }
    }
}

static void add(const void *program, size_t first, size_t count, struct sums sums, void *scratch)
{
    const struct portable_program *p = program;
    const struct portable_block *b = scratch;

    if (b->count <= FEW) {
        portable_add_alone(p, p->walks + first, count, b, sums);
        return;
    }
    for (size_t i = first; i < first + count; i += p->chunk_trees)
        add_chunk(p, i, first + count - i < p->chunk_trees ? first + count - i : p->chunk_trees, b,
                  sums);
}

const struct kernel kernel_portable = {.name = "portable",
                                       .build = portable_build,
                                       .free = portable_free,
                                       .size_bytes = portable_size_bytes,
                                       .scratch_bytes = scratch_bytes,
                                       .prepare = prepare,
                                       .add = add};
