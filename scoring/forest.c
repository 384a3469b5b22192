#include "scoring/forest.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/kernel.h"

struct forest {
    size_t feature_count, output_count, tree_count;
    enum sum_rule sum;
    double *base, divisor;
    const struct kernel *kernel;
    void *program;
};

struct forest *forest_new(const struct trees *t)
{
    struct forest *f = mem_alloc(1, sizeof *f);

    *f = (struct forest){.feature_count = t->feature_count,
                         .output_count = t->output_count,
                         .tree_count = t->count,
                         .sum = t->sum,
                         .divisor = t->divisor,
                         .kernel = &kernel_portable};
    f->base = mem_alloc(t->output_count, sizeof *f->base);
    memcpy(f->base, t->base, t->output_count * sizeof *f->base);
    f->program = f->kernel->build(t);
    return f;
}

void forest_free(struct forest *f)
{
    if (!f)
        return;
    f->kernel->free(f->program);
    free(f->base);
    free(f);
}

const char *forest_kernel(const struct forest *f)
{
    return f->kernel->name;
}

size_t forest_size_bytes(const struct forest *f)
{
    return f->kernel->size_bytes(f->program);
}

/* Sums of a block, then what the kernel needs. */
static size_t sums_bytes(const struct forest *f)
{
    return f->output_count * KERNEL_ROWS * (f->sum == SUM_DOUBLE ? sizeof(double) : sizeof(float));
}

size_t forest_scratch_bytes(const struct forest *f)
{
    return sums_bytes(f) + f->kernel->scratch_bytes(f->program);
}

static void begin(const struct forest *f, struct sums sums)
{
    for (size_t o = 0; o < f->output_count; o++)
        for (size_t r = 0; r < KERNEL_ROWS; r++) {
            if (f->sum == SUM_DOUBLE)
                sums.doubles[o * KERNEL_ROWS + r] = f->base[o];
            else
                sums.floats[o * KERNEL_ROWS + r] =
                    f->sum == SUM_FLOAT_BASE_LAST ? 0.0f : (float)f->base[o];
        }
}

static double margin_of(const struct forest *f, struct sums sums, size_t output, size_t row)
{
    size_t at = output * KERNEL_ROWS + row;

    switch (f->sum) {
    case SUM_FLOAT: return (double)sums.floats[at];
    case SUM_FLOAT_BASE_LAST: return (double)(sums.floats[at] + (float)f->base[output]);
    case SUM_DOUBLE: break;
    }
    return f->divisor != 0 ? sums.doubles[at] / f->divisor : sums.doubles[at];
}

static void score_block(const struct forest *f, const float *rows, size_t count, double *margins,
                        void *scratch)
{
    struct sums sums = {0};
    void *rest = (char *)scratch + sums_bytes(f);

    if (f->sum == SUM_DOUBLE)
        sums.doubles = scratch;
    else
        sums.floats = scratch;
    begin(f, sums);
    f->kernel->prepare(f->program, rows, count, rest);
    f->kernel->add(f->program, 0, f->tree_count, sums, rest);
    for (size_t r = 0; r < count; r++)
        for (size_t o = 0; o < f->output_count; o++)
            margins[r * f->output_count + o] = margin_of(f, sums, o, r);
}

void forest_score(const struct forest *f, const float *rows, size_t count, double *margins,
                  void *scratch)
{
    for (size_t r = 0; r < count; r += KERNEL_ROWS)
        score_block(f, rows + r * f->feature_count,
                    count - r < KERNEL_ROWS ? count - r : KERNEL_ROWS,
                    margins + r * f->output_count, scratch);
}
