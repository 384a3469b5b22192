#include <string.h>

#include "scoring/bits.h"

size_t bits_scratch_bytes(const void *program, size_t rows)
{
    const struct bits_program *p = program;

    (void)rows; /* a block is one, however short */
    return sizeof(struct bits_block) + p->ranks.column_count * (KERNEL_ROWS + BITS_PLANE_BYTES) +
           p->slot_count * BITS_PLANE_BYTES;
}

static uint8_t *planes_of(const struct bits_program *p, struct bits_block *b)
{
    return b->columns + p->ranks.column_count * KERNEL_ROWS;
}

size_t bits_alone_rows(const void *program)
{
    const struct bits_program *p = program;

    return p->alone.places > 0 ? BITS_ALONE_ROWS : 0;
}

/* ---- prepare */

static void fill_ranks(const struct bits_program *p, size_t source, struct bits_block *b)
{
    const struct ranks *ranks = &p->ranks;
    const struct rank_source *s = &ranks->sources[source];
    const struct input *input = &ranks->inputs.items[source];

    p->vectors->find_keys(b, &ranks->inputs, input, b->numbers[input->feature % BITS_FEATURES]);
    for (size_t g = 0; g < s->group_count; g++) {
        size_t column = s->first_column + g;
        p->vectors->rank(b, &ranks->groups[s->first_group + g],
                         p->tables ? &p->tables[s->first_group + g] : NULL);
        p->vectors->settle(b, b->columns + column * KERNEL_ROWS);
        if (s->has_right)
            p->vectors->mark(b, planes_of(p, b) + column * BITS_PLANE_BYTES);
    }
}

static void fill_codes(const struct bits_program *p, size_t source, struct bits_block *b)
{
    const struct ranks *ranks = &p->ranks;
    const float *x = b->numbers[ranks->inputs.items[source].feature % BITS_FEATURES];
    uint8_t *column = b->columns + ranks->sources[source].first_column * KERNEL_ROWS;

    for (size_t r = 0; r < b->count; r++)
        column[r] = ranks_code(ranks, source, x[r]);
}

void bits_prepare(const void *program, const float *rows, size_t count, void *scratch)
{
    const struct bits_program *p = program;
    const struct inputs *inputs = &p->ranks.inputs;
    size_t stride = inputs->feature_count, turned = SIZE_MAX;
    struct bits_block *b = scratch;

    b->rows = rows;
    b->count = count;
    for (size_t r = 0; count <= bits_alone_rows(p) && r < count; r++)
        p->vectors->fill_alone(p, rows + r * stride, b->alone[r]);
    if (count <= bits_alone_rows(p))
        return;
    for (size_t i = 0; i < inputs->count; i++) {
        size_t source = p->ranks.order[i], feature = inputs->items[source].feature;
        size_t first = feature - feature % BITS_FEATURES, rest = stride - first;
        if (first != turned)
            p->vectors->turn(b, rows + first, stride, rest < BITS_FEATURES ? rest : BITS_FEATURES);
        turned = first;
        if (inputs->items[source].is_category)
            fill_codes(p, source, b);
        else
            fill_ranks(p, source, b);
    }
}

/* ---- add */

/* Leaves that are more than a number. */
static void add_leaves(const struct bits_program *p, const struct bits_tree *tree,
                       const struct bits_block *b, struct sums sums)
{
    uint32_t ids[KERNEL_ROWS];

    for (size_t r = 0; r < b->count; r++)
        ids[r] = tree->first_leaf + p->ends[tree->first_code + b->codes[r]];
    leaves_add(&p->leaves, &(struct arrivals){tree->output, ids, b->rows, b->count}, sums);
}

void bits_add(const void *program, size_t first, size_t count, struct sums sums, void *scratch)
{
    const struct bits_program *p = program;
    struct bits_block *b = scratch;
    uint8_t *present = planes_of(p, b);
    uint8_t *slots = present + p->ranks.column_count * BITS_PLANE_BYTES;

    if (b->count <= bits_alone_rows(p)) {
        for (size_t r = 0; r < b->count; r++)
            p->vectors->add_alone(p, first, count, b->alone[r], sums.floats + r);
        return;
    }
    memset(slots, 0, SLOT_FREE * BITS_PLANE_BYTES); /* SLOT_CLEAR, and what padding reads */
    memset(slots + (size_t)SLOT_SET * BITS_PLANE_BYTES, 0xff, BITS_PLANE_BYTES);
    for (size_t i = first; i < first + count; i++) {
        const struct bits_tree *tree = &p->trees[i];
        size_t sum = (size_t)tree->output * KERNEL_ROWS;
        p->vectors->run(p, tree, b, present, slots);
        if (p->floats)
            p->vectors->add_floats(b, p->floats + tree->first_code, tree->plane_count,
                                   sums.floats + sum);
        else if (p->doubles)
            p->vectors->add_doubles(b, p->doubles + tree->first_code, sums.doubles + sum);
        else
            add_leaves(p, tree, b, sums);
    }
}
