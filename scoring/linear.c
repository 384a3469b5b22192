#include "scoring/linear.h"

#include <stdlib.h>

#include "core/mem.h"

struct linear *linear_new(size_t feature_count, size_t output_count)
{
    struct linear *l = mem_alloc(1, sizeof *l);

    *l = (struct linear){.feature_count = feature_count, .output_count = output_count};
    l->weights = mem_alloc(feature_count * output_count, sizeof *l->weights);
    l->intercepts = mem_alloc(output_count, sizeof *l->intercepts);
    return l;
}

void linear_free(struct linear *l)
{
    if (!l)
        return;
    free(l->missing);
    free(l->weights);
    free(l->intercepts);
    free(l);
}

size_t linear_size_bytes(const struct linear *l)
{
    return (l->feature_count + 1) * l->output_count * sizeof *l->weights;
}

static double sum_doubles(const struct linear *l, size_t output, const float *row)
{
    const double *weights = l->weights + output * l->feature_count;
    double sum = l->intercepts[output];

    for (size_t i = 0; i < l->feature_count; i++) {
        double x = linear_input(l, i, row[i]);
        if (x == x || l->nan_stays)
            sum += weights[i] * x;
    }
    return sum;
}

/* GBLinear::Pred in src/gbm/gblinear.cc of XGBoost. */
static double sum_floats(const struct linear *l, size_t output, const float *row)
{
    const double *weights = l->weights + output * l->feature_count;
    float sum = (float)l->intercepts[output];

    for (size_t i = 0; i < l->feature_count; i++)
        if (row[i] == row[i])
            sum += row[i] * (float)weights[i];
    return (double)sum;
}

void linear_score(const struct linear *l, const float *rows, size_t count, double *margins)
{
    for (size_t r = 0; r < count; r++)
        for (size_t o = 0; o < l->output_count; o++) {
            const float *row = rows + r * l->feature_count;
            margins[r * l->output_count + o] =
                l->is_double ? sum_doubles(l, o, row) : sum_floats(l, o, row);
        }
}
