#include "scoring/inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/order.h"

void inputs_init(struct inputs *in, const struct trees *t)
{
    *in = (struct inputs){.feature_count = t->feature_count,
                          .tiny_is_zero = t->tiny_is_zero,
                          .cuts_to_zero = t->category == CATEGORY_TRUNCATED};
    in->places = mem_alloc(t->feature_count * INPUTS_KINDS + 1, sizeof *in->places);
}

uint32_t inputs_add(struct inputs *in, const struct split *s, bool default_left)
{
    in->items = mem_grow(in->items, in->count, &in->cap, sizeof *in->items);
    in->items[in->count++] =
        (struct input){s->feature, s->missing, s->kind == SPLIT_MEMBER, default_left};
    *inputs_place(in, s, default_left) = (uint32_t)in->count;
    return (uint32_t)in->count - 1;
}

/* Where the number of the input of a side is kept while they are found. */
static const uint32_t *sides_of(const struct inputs *in, const struct input *input)
{
    return &in->places[(size_t)input->feature * INPUTS_KINDS + (size_t)input->missing * 2];
}

static void add_number(struct inputs *in, const struct input *input)
{
    struct input_numbers *n = &in->numbers;
    const uint32_t *sides = sides_of(in, input);

    n->features[n->count] = input->feature;
    n->nan_is_missing[n->count] = input->missing == MISSING_NEVER ? 0 : UINT32_MAX;
    n->tiny_is_missing[n->count] = input->missing == MISSING_NAN_OR_ZERO ? UINT32_MAX : 0;
    n->right[n->count] = sides[0] ? sides[0] - 1 : (uint32_t)in->count;
    n->left[n->count++] = sides[1] ? sides[1] - 1 : (uint32_t)in->count;
}

void inputs_close(struct inputs *in)
{
    size_t room = in->count + INPUTS_LANES;
    struct input_numbers *n = &in->numbers;

    n->features = mem_alloc(5 * room, sizeof *n->features);
    n->nan_is_missing = n->features + room;
    n->tiny_is_missing = n->features + 2 * room;
    n->right = n->features + 3 * room;
    n->left = n->features + 4 * room;
    in->cell_count = in->count + 1;
    for (size_t i = 0; i < in->count; i++) {
        const struct input *input = &in->items[i];
        const uint32_t *sides = sides_of(in, input);
        in->category_count += input->is_category;
        if (!input->is_category && (!input->default_left || sides[0] == 0))
            add_number(in, input); /* once for both sides */
    }
    free(in->places);
    in->places = NULL;
}

void inputs_release(struct inputs *in)
{
    free(in->places);
    free(in->numbers.features);
    free(in->items);
}

static uint32_t category_of(const struct inputs *in, float x)
{
    if (in->cuts_to_zero && x > -1 && x < 0)
        return 0;
    return x >= 0 && x < 0x1p31f ? (uint32_t)x : CATEGORY_BEYOND;
}

static uint32_t number_of(float x)
{
    return (uint32_t)order_key(x) ^ 0x80000000u;
}

uint32_t inputs_cell(const struct inputs *in, const struct input *input, float x)
{
    bool is_tiny = fabsf(x) <= 1e-35f;

    if ((x != x && input->missing != MISSING_NEVER) ||
        (is_tiny && input->missing == MISSING_NAN_OR_ZERO)) {
        if (input->is_category)
            return input->default_left ? CATEGORY_LEFT : CATEGORY_RIGHT;
        return input->default_left ? CELL_LEFT : CELL_RIGHT;
    }
    if (x != x || (is_tiny && in->tiny_is_zero))
        x = 0;
    return input->is_category ? category_of(in, x) : number_of(x);
}

/* inputs_cell for eight numbers, that from i on at every step: the cells where missing goes right,
 * and left. What the compiler makes vectors of. */
static inline void eight_numbers(const struct inputs *in, const float *x, size_t i, size_t step,
                                 uint32_t cells[2][INPUTS_LANES])
{
    uint32_t tiny_is_zero = in->tiny_is_zero ? UINT32_MAX : 0;
    const uint32_t *nan_is_missing = in->numbers.nan_is_missing + i;
    const uint32_t *tiny_is_missing = in->numbers.tiny_is_missing + i;

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
        cells[0][k] = number_of(number) | missing;  /* CELL_RIGHT */
        cells[1][k] = number_of(number) & ~missing; /* CELL_LEFT */
    }
}

void inputs_fill(const struct inputs *in, const float *row, uint32_t *cells)
{
    const struct input_numbers *n = &in->numbers;

    for (size_t i = 0; i < n->count; i += INPUTS_LANES) {
        float x[INPUTS_LANES];
        uint32_t eight[2][INPUTS_LANES];
        for (size_t k = 0; k < INPUTS_LANES; k++)
            x[k] = row[n->features[i + k]];
        eight_numbers(in, x, i, 1, eight);
        for (size_t k = 0; k < INPUTS_LANES && i + k < n->count; k++) {
            cells[n->right[i + k]] = eight[0][k];
            cells[n->left[i + k]] = eight[1][k];
        }
    }
    for (size_t i = 0; in->category_count > 0 && i < in->count; i++)
        if (in->items[i].is_category)
            cells[i] = inputs_cell(in, &in->items[i], row[in->items[i].feature]);
}

void inputs_fill_lanes(const struct inputs *in, const float *rows, size_t count, uint32_t *cells)
{
    const struct input_numbers *n = &in->numbers;
    const float *row[INPUTS_LANES];

    for (size_t r = 0; r < INPUTS_LANES; r++)
        row[r] = rows + (r < count ? r : count - 1) * in->feature_count;
    for (size_t i = 0; i < n->count; i++) {
        float x[INPUTS_LANES];
        uint32_t eight[2][INPUTS_LANES];
        for (size_t r = 0; r < INPUTS_LANES; r++)
            x[r] = row[r][n->features[i]];
        eight_numbers(in, x, i, 0, eight);
        memcpy(cells + n->right[i] * INPUTS_LANES, eight[0], sizeof eight[0]);
        memcpy(cells + n->left[i] * INPUTS_LANES, eight[1], sizeof eight[1]);
    }
    for (size_t i = 0; in->category_count > 0 && i < in->count; i++)
        for (size_t r = 0; in->items[i].is_category && r < INPUTS_LANES; r++)
            cells[i * INPUTS_LANES + r] =
                inputs_cell(in, &in->items[i], row[r][in->items[i].feature]);
}
