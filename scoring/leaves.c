#include "scoring/leaves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static void *copy_of(const void *from, size_t count, size_t size)
{
    void *to = mem_alloc_aligned(count + 1, size);

    if (count > 0)
        memcpy(to, from, count * size);
    return to;
}

void leaves_init(struct leaves *l, const struct trees *t)
{
    *l = (struct leaves){.is_double = sum_is_double(t->sum),
                         .tiny_is_zero = t->tiny_is_zero,
                         .width = t->leaf_width,
                         .feature_count = t->feature_count};
    l->size_bytes = t->value_count * (l->is_double ? sizeof(double) : sizeof(float));
    if (l->is_double) {
        l->doubles = copy_of(t->values, t->value_count, sizeof *l->doubles);
    } else {
        l->floats = mem_alloc_aligned(t->value_count + 1, sizeof *l->floats);
        for (size_t i = 0; i < t->value_count; i++)
            l->floats[i] = (float)t->values[i];
    }
    if (!t->linear)
        return;
    l->linear = copy_of(t->linear, t->leaf_count, sizeof *l->linear);
    l->linear_features =
        copy_of(t->linear_features, t->coefficient_count, sizeof *l->linear_features);
    l->coefficients = copy_of(t->coefficients, t->coefficient_count, sizeof *l->coefficients);
}

void leaves_release(struct leaves *l)
{
    free(l->floats);
    free(l->doubles);
    free(l->linear);
    free(l->linear_features);
    free(l->coefficients);
}

/* LightGBM, src/io/tree.cpp: the linear function, or where one of its features is NaN the value
 * that the leaf would have without it. */
static double linear_value(const struct leaves *l, uint32_t leaf, const float *row)
{
    const struct linear_leaf *linear = &l->linear[leaf];
    double sum = linear->constant;

    for (size_t i = linear->first; i < linear->first + linear->count; i++) {
        float x = row[l->linear_features[i]];
        if (x != x)
            return l->doubles[leaf];
        if (l->tiny_is_zero && fabsf(x) <= 1e-35f)
            x = 0;
        sum += l->coefficients[i] * (double)x;
    }
    return sum;
}

void leaves_add(const struct leaves *l, const struct arrivals *at, struct sums sums)
{
    size_t first = l->width == 1 ? at->output : 0;

    for (size_t k = 0; k < l->width; k++) {
        float *floats = l->is_double ? NULL : sums.floats + (first + k) * KERNEL_ROWS;
        double *doubles = l->is_double ? sums.doubles + (first + k) * KERNEL_ROWS : NULL;
        for (size_t r = 0; floats && r < at->count; r++)
            floats[r] += l->floats[at->ids[r] * l->width + k];
        for (size_t r = 0; doubles && !l->linear && r < at->count; r++)
            doubles[r] += l->doubles[at->ids[r] * l->width + k];
        for (size_t r = 0; doubles && l->linear && r < at->count; r++)
            doubles[r] += linear_value(l, at->ids[r], at->rows + r * l->feature_count);
    }
}
