#include "scoring/bits_alone.h"

#include <stdlib.h>

#include "core/mem.h"

static bool can_go_alone(const struct bits_program *p, const struct trees *t, const bool *taken)
{
    if (!p->vectors->add_alone || !p->floats || p->ranks.column_count > BITS_ALONE_COLUMNS)
        return false;
    for (size_t i = 0; i < t->count; i++)
        if (!taken[i] || !p->trees[i].is_padded || p->trees[i].member_count > 0)
            return false;
    return true;
}

/* The way to a place has level 0 as its highest bit, a code as its lowest. */
static uint32_t reversed(uint32_t way, size_t places)
{
    uint32_t code = 0;

    for (; places > 1; places /= 2, way /= 2)
        code = 2 * code + way % 2;
    return code;
}

static void place_splits(struct bits_program *p, size_t tree)
{
    const struct bits_tree *t = &p->trees[tree];
    const struct bits_compare *c = p->compares + t->first_compare;

    for (size_t k = 0; k < t->compare_count; k++) {
        bool is_right = k >= t->compare_count - t->right_count;
        size_t at = tree * p->alone.places + c[k].to + 1;
        p->alone.bytes[at] = (uint8_t)(c[k].column + is_right * p->ranks.column_count);
        p->alone.limits[at] = (uint8_t)(c[k].limit + 128);
    }
}

void bits_alone_build(struct bits_program *p, const struct trees *t, const bool *taken)
{
    struct bits_alone *alone = &p->alone;
    size_t tree_count = t->count;

    if (!can_go_alone(p, t, taken))
        return;
    alone->places = 64;
    for (size_t i = 0; i < tree_count; i++)
        while (alone->places < (size_t)1 << p->trees[i].plane_count)
            alone->places *= 2;
    alone->bytes = mem_alloc_aligned(tree_count * alone->places, 1);
    alone->limits = mem_alloc_aligned(tree_count * alone->places, 1);
    alone->values = mem_alloc_aligned(tree_count * alone->places, sizeof *alone->values);
    alone->runs = mem_alloc(tree_count, sizeof *alone->runs);
    for (size_t i = tree_count; i-- > 0;) {
        const struct bits_tree *tree = &p->trees[i];
        bool goes_on = i + 1 < tree_count && tree[1].output == tree->output;
        alone->runs[i] = goes_on ? alone->runs[i + 1] + 1 : 1;
        place_splits(p, i);
        for (uint32_t way = 0; way < alone->places; way++)
            alone->values[i * alone->places + way] =
                p->floats[tree->first_code +
                          (reversed(way, alone->places) & ((1u << tree->plane_count) - 1))];
    }
}

void bits_alone_release(struct bits_alone *alone)
{
    free(alone->bytes);
    free(alone->limits);
    free(alone->values);
    free(alone->runs);
}
