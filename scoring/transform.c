#include "scoring/transform.h"

#include <stdlib.h>

#include "core/mem.h"

struct transform *transform_new(size_t from_count, size_t to_count)
{
    struct transform *t = mem_alloc(1, sizeof *t);

    *t = (struct transform){.from_count = from_count, .to_count = to_count};
    t->sources = mem_alloc(to_count, sizeof *t->sources);
    for (size_t i = 0; i < to_count; i++)
        t->sources[i] = (uint32_t)i;
    return t;
}

void transform_free(struct transform *t)
{
    if (!t)
        return;
    free(t->sources);
    free(t->steps);
    free(t);
}

void transform_add(struct transform *t, struct step step)
{
    t->steps = mem_grow(t->steps, t->step_count, &t->step_cap, sizeof *t->steps);
    t->steps[t->step_count++] = step;
}

static float apply_step(const struct step *s, float x)
{
    float a = (float)s->a, b = (float)s->b;

    switch (s->kind) {
    case STEP_REPLACE: return x == a || (x != x && a != a) ? b : x;
    case STEP_SCALE: return (x - a) * b;
    case STEP_SCALE_DOUBLE: return (float)(((double)x - s->a) * s->b);
    case STEP_ADD: return x + a;
    case STEP_SUBTRACT: return x - a;
    case STEP_MULTIPLY: return x * a;
    case STEP_DIVIDE: return x / a;
    }
    return x;
}

void transform_apply(const struct transform *t, const float *rows, size_t count, float *to)
{
    for (size_t r = 0; r < count; r++, rows += t->from_count, to += t->to_count) {
        for (size_t i = 0; i < t->to_count; i++)
            to[i] = rows[t->sources[i]];
        for (size_t i = 0; i < t->step_count; i++)
            to[t->steps[i].column] = apply_step(&t->steps[i], to[t->steps[i].column]);
    }
}
