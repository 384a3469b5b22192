#include "scoring/inputs.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "scoring/order.h"

enum { KINDS = 2 * 3 * 2 }; /* contents, kinds of missing, default sides */

void inputs_init(struct inputs *c, const struct trees *t)
{
    *c = (struct inputs){.feature_count = t->feature_count,
                         .tiny_is_zero = t->tiny_is_zero,
                         .cuts_to_zero = t->category == CATEGORY_TRUNCATED};
    c->places = mem_alloc(t->feature_count * KINDS + 1, sizeof *c->places);
}

void inputs_close(struct inputs *c)
{
    free(c->places);
    c->places = NULL;
}

void inputs_release(struct inputs *c)
{
    inputs_close(c);
    free(c->items);
}

uint32_t inputs_find(struct inputs *c, const struct split *s)
{
    bool is_category = s->kind == SPLIT_MEMBER;
    size_t kind = (size_t)is_category * 6 + (size_t)s->missing * 2 + s->default_left;
    uint32_t *place = &c->places[(size_t)s->feature * KINDS + kind];

    if (*place == 0) {
        c->items = mem_grow(c->items, c->count, &c->cap, sizeof *c->items);
        c->items[c->count++] = (struct input){s->feature, s->missing, is_category, s->default_left};
        *place = (uint32_t)c->count;
    }
    return *place - 1;
}

static int32_t category_of(const struct inputs *c, float x)
{
    if (c->cuts_to_zero && x > -1 && x < 0)
        return 0;
    return x >= 0 && x < 0x1p31f ? (int32_t)x : CATEGORY_BEYOND;
}

int32_t inputs_cell(const struct inputs *c, const struct input *input, float x)
{
    bool is_tiny = fabsf(x) <= 1e-35f;

    if ((x != x && input->missing != MISSING_NEVER) ||
        (is_tiny && input->missing == MISSING_NAN_OR_ZERO)) {
        if (input->is_category)
            return input->default_left ? CATEGORY_LEFT : CATEGORY_RIGHT;
        return input->default_left ? ORDER_LEFT : ORDER_RIGHT;
    }
    if (x != x || (is_tiny && c->tiny_is_zero))
        x = 0;
    return input->is_category ? category_of(c, x) : order_key(x);
}

void inputs_fill(const struct inputs *c, const float *row, int32_t *cells)
{
    for (size_t i = 0; i < c->count; i++)
        cells[i] = inputs_cell(c, &c->items[i], row[c->items[i].feature]);
}
