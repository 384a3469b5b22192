#include "scoring/inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    c->masks.features = mem_alloc(c->count + INPUTS_LANES, sizeof(uint32_t));
    c->masks.nan_is_missing = mem_alloc(c->count + INPUTS_LANES, sizeof(uint32_t));
    c->masks.tiny_is_missing = mem_alloc(c->count + INPUTS_LANES, sizeof(uint32_t));
    c->masks.missing = mem_alloc(c->count + INPUTS_LANES, sizeof(uint32_t));
    for (size_t i = 0; i < c->count; i++) {
        const struct input *input = &c->items[i];
        c->masks.features[i] = input->feature;
        c->masks.nan_is_missing[i] = input->missing == MISSING_NEVER ? 0 : UINT32_MAX;
        c->masks.tiny_is_missing[i] = input->missing == MISSING_NAN_OR_ZERO ? UINT32_MAX : 0;
        c->masks.missing[i] = input->default_left ? CELL_LEFT : CELL_RIGHT;
        c->category_count += input->is_category;
    }
}

void inputs_release(struct inputs *c)
{
    free(c->places);
    free(c->masks.features);
    free(c->masks.nan_is_missing);
    free(c->masks.tiny_is_missing);
    free(c->masks.missing);
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

static uint32_t category_of(const struct inputs *c, float x)
{
    if (c->cuts_to_zero && x > -1 && x < 0)
        return 0;
    return x >= 0 && x < 0x1p31f ? (uint32_t)x : CATEGORY_BEYOND;
}

static uint32_t number_of(float x)
{
    return (uint32_t)order_key(x) ^ 0x80000000u;
}

uint32_t inputs_cell(const struct inputs *c, const struct input *input, float x)
{
    bool is_tiny = fabsf(x) <= 1e-35f;

    if ((x != x && input->missing != MISSING_NEVER) ||
        (is_tiny && input->missing == MISSING_NAN_OR_ZERO)) {
        if (input->is_category)
            return input->default_left ? CATEGORY_LEFT : CATEGORY_RIGHT;
        return input->default_left ? CELL_LEFT : CELL_RIGHT;
    }
    if (x != x || (is_tiny && c->tiny_is_zero))
        x = 0;
    return input->is_category ? category_of(c, x) : number_of(x);
}

/* Eight numbers; masks of input i + k * step are theirs. What the compiler makes vectors of. */
static inline void eight_numbers(const struct inputs *c, size_t i, size_t step, const float *x,
                                 uint32_t *cells)
{
    uint32_t tiny_is_zero = c->tiny_is_zero ? UINT32_MAX : 0;
    const uint32_t *nan_is_missing = c->masks.nan_is_missing + i;
    const uint32_t *tiny_is_missing = c->masks.tiny_is_missing + i;
    const uint32_t *cells_missing = c->masks.missing + i;

    for (size_t k = 0; k < INPUTS_LANES; k++) {
        uint32_t is_nan = x[k] != x[k] ? UINT32_MAX : 0;
        uint32_t is_tiny = fabsf(x[k]) <= 1e-35f ? UINT32_MAX : 0;
        uint32_t missing =
            (is_nan & nan_is_missing[k * step]) | (is_tiny & tiny_is_missing[k * step]);
        uint32_t bits;
        float number;
        memcpy(&bits, &x[k], sizeof bits);
        bits &= ~(is_nan | (is_tiny & tiny_is_zero));
        memcpy(&number, &bits, sizeof number);
        cells[k] = (number_of(number) & ~missing) | (cells_missing[k * step] & missing);
    }
}

void inputs_fill(const struct inputs *c, const float *row, uint32_t *cells)
{
    for (size_t i = 0; i < c->count; i += INPUTS_LANES) {
        float x[INPUTS_LANES];
        uint32_t eight[INPUTS_LANES];
        for (size_t k = 0; k < INPUTS_LANES; k++)
            x[k] = row[c->masks.features[i + k]];
        eight_numbers(c, i, 1, x, eight);
        for (size_t k = 0; k < INPUTS_LANES && i + k < c->count; k++)
            cells[(i + k) * INPUTS_LANES] = eight[k];
    }
    for (size_t i = 0; c->category_count > 0 && i < c->count; i++)
        if (c->items[i].is_category)
            cells[i * INPUTS_LANES] = inputs_cell(c, &c->items[i], row[c->items[i].feature]);
}

void inputs_fill_lanes(const struct inputs *c, const float *rows, size_t count, uint32_t *cells)
{
    size_t starts[INPUTS_LANES];

    for (size_t r = 0; r < INPUTS_LANES; r++)
        starts[r] = (r < count ? r : count - 1) * c->feature_count;
    for (size_t i = 0; i < c->count; i++, cells += INPUTS_LANES) {
        float x[INPUTS_LANES];
        for (size_t r = 0; r < INPUTS_LANES; r++)
            x[r] = rows[starts[r] + c->items[i].feature];
        if (!c->items[i].is_category)
            eight_numbers(c, i, 0, x, cells);
        for (size_t r = 0; c->items[i].is_category && r < INPUTS_LANES; r++)
            cells[r] = inputs_cell(c, &c->items[i], x[r]);
    }
}
