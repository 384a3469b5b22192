#include "scoring/forest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/kernel.h"

/* A kernel and what it has compiled. */
struct engine {
    const struct kernel *kernel;
    void *program; /* NULL: none */
};

/* Trees that follow each other and are one kernel's. */
struct segment {
    bool is_fast;
    size_t first, count;
};

struct forest {
    size_t feature_count, output_count, tree_count;
    enum sum_rule sum;
    double *base, divisor;
    struct engine fast;     /* the trees that it takes, in blocks of rows_min and more */
    struct engine portable; /* all trees: what fast does not take, and short blocks */
    struct segment *segments;
    size_t segment_count, rows_min, alone_rows; /* up to which, and from which on, fast is */
    char name[60];
};

static void add_segments(struct forest *f, const bool *taken)
{
    size_t left = 0;

    f->segments = mem_alloc(f->tree_count, sizeof *f->segments);
    for (size_t i = 0; i < f->tree_count; i++) {
        if (i == 0 || taken[i] != taken[i - 1])
            f->segments[f->segment_count++] = (struct segment){taken[i], i, 0};
        f->segments[f->segment_count - 1].count++;
        left += !taken[i];
    }
    f->segments = mem_resize(f->segments, f->segment_count, sizeof *f->segments);
    if (left > 0)
        snprintf(f->name, sizeof f->name, "%s + portable (%zu trees)", f->fast.kernel->name, left);
}

/* From how many rows on a block's splits cost less than its rows' walks: at most a whole block. */
static size_t find_rows_min(const struct forest *f, size_t split_count)
{
    size_t cost = f->fast.kernel->split_cost * split_count;
    size_t levels = portable_level_count(f->portable.program);

    return cost < KERNEL_ROWS * levels ? cost / levels : KERNEL_ROWS;
}

struct forest *forest_new(const struct trees *t, const struct kernel *kernel)
{
    struct forest *f = mem_alloc(1, sizeof *f);
    bool *taken = mem_alloc(t->count, sizeof *taken);

    *f = (struct forest){.feature_count = t->feature_count,
                         .output_count = t->output_count,
                         .tree_count = t->count,
                         .sum = t->sum,
                         .divisor = t->divisor,
                         .portable = {.kernel = &kernel_portable}};
    f->base = mem_alloc(t->output_count, sizeof *f->base);
    memcpy(f->base, t->base, t->output_count * sizeof *f->base);
    f->portable.program = kernel_portable.build(t, taken);
    if (kernel != &kernel_portable)
        f->fast = (struct engine){kernel, kernel->build(t, taken)};
    snprintf(f->name, sizeof f->name, "%s", f->fast.program ? kernel->name : kernel_portable.name);
    if (f->fast.program) {
        add_segments(f, taken);
        f->rows_min = find_rows_min(f, t->split_count);
        f->alone_rows = kernel->alone_rows(f->fast.program);
    }
    free(taken);
    return f;
}

void forest_free(struct forest *f)
{
    if (!f)
        return;
    if (f->fast.program)
        f->fast.kernel->free(f->fast.program);
    f->portable.kernel->free(f->portable.program);
    free(f->segments);
    free(f->base);
    free(f);
}

const char *forest_kernel(const struct forest *f)
{
    return f->name;
}

size_t forest_size_bytes(const struct forest *f)
{
    const struct engine *e = f->fast.program ? &f->fast : &f->portable;

    return e->kernel->size_bytes(e->program);
}

/* ---- scratch: sums of a block, then what the kernels need */

static size_t up_to_line(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t sums_bytes(const struct forest *f)
{
    return f->output_count * KERNEL_ROWS * (sum_is_double(f->sum) ? sizeof(double) : sizeof(float));
}

static size_t fast_bytes(const struct forest *f)
{
    return f->fast.program ? up_to_line(f->fast.kernel->scratch_bytes(f->fast.program, KERNEL_ROWS))
                           : 0;
}

size_t forest_scratch_bytes(const struct forest *f)
{
    return sums_bytes(f) + fast_bytes(f) +
           f->portable.kernel->scratch_bytes(f->portable.program, KERNEL_ROWS);
}

/* ---- score */

struct block {
    const float *rows;
    size_t count;
    struct sums sums;
    void *fast, *portable; /* scratch */
};

static void begin(const struct forest *f, const struct block *b)
{
    for (size_t o = 0; o < f->output_count; o++)
        for (size_t r = 0; r < b->count; r++) {
            if (sum_is_double(f->sum))
                b->sums.doubles[o * KERNEL_ROWS + r] = f->sum == SUM_DOUBLE ? f->base[o] : 0;
            else
                b->sums.floats[o * KERNEL_ROWS + r] = f->sum == SUM_FLOAT ? (float)f->base[o] : 0;
        }
}

static double margin_of(const struct forest *f, struct sums sums, size_t output, size_t row)
{
    size_t at = output * KERNEL_ROWS + row;
    bool is_double = sum_is_double(f->sum);
    double sum = is_double ? sums.doubles[at] : (double)sums.floats[at];

    if (f->divisor != 0)
        sum = is_double ? sum / f->divisor : (double)((float)sum / (float)f->divisor);
    switch (f->sum) {
    case SUM_FLOAT:
    case SUM_DOUBLE: break;
    case SUM_FLOAT_BASE_LAST: return (double)((float)sum + (float)f->base[output]);
    case SUM_DOUBLE_BASE_LAST: return sum + f->base[output];
    }
    return sum;
}

static void add_trees(const struct forest *f, const struct block *b)
{
    const struct engine *fast = &f->fast, *portable = &f->portable;

    if (!fast->program || (b->count < f->rows_min && b->count > f->alone_rows)) {
        portable->kernel->prepare(portable->program, b->rows, b->count, b->portable);
        portable->kernel->add(portable->program, 0, f->tree_count, b->sums, b->portable);
        return;
    }
    fast->kernel->prepare(fast->program, b->rows, b->count, b->fast);
    if (f->segment_count > 1)
        portable->kernel->prepare(portable->program, b->rows, b->count, b->portable);
    for (size_t i = 0; i < f->segment_count; i++) {
        const struct segment *s = &f->segments[i];
        const struct engine *e = s->is_fast ? fast : portable;
        e->kernel->add(e->program, s->first, s->count, b->sums, s->is_fast ? b->fast : b->portable);
    }
}

static void score_block(const struct forest *f, const struct block *b, double *margins)
{
    begin(f, b);
    add_trees(f, b);
    for (size_t r = 0; r < b->count; r++)
        for (size_t o = 0; o < f->output_count; o++)
            margins[r * f->output_count + o] = margin_of(f, b->sums, o, r);
}

void forest_score(const struct forest *f, const float *rows, size_t count, double *margins,
                  void *scratch)
{
    struct block b = {.fast = (char *)scratch + sums_bytes(f),
                      .portable = (char *)scratch + sums_bytes(f) + fast_bytes(f)};

    if (sum_is_double(f->sum))
        b.sums.doubles = scratch;
    else
        b.sums.floats = scratch;
    for (size_t r = 0; r < count; r += KERNEL_ROWS) {
        b.rows = rows + r * f->feature_count;
        b.count = count - r < KERNEL_ROWS ? count - r : KERNEL_ROWS;
        score_block(f, &b, margins + r * f->output_count);
    }
}
