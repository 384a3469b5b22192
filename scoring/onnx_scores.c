#include "scoring/onnx_scores.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void onnx_scores_add(struct onnx_scores *s, struct score_op op)
{
    s->items = mem_grow(s->items, s->count, &s->cap, sizeof *s->items);
    s->items[s->count++] = op;
}

void onnx_scores_release(struct onnx_scores *s)
{
    free(s->items);
    *s = (struct onnx_scores){0};
}

static float logistic(float x)
{
    float v = 1 / (1 + expf(-fabsf(x)));

    return x < 0 ? 1 - v : v;
}

static float largest(const float *v, size_t count)
{
    float max = -FLT_MAX;

    for (size_t i = 0; i < count; i++)
        max = v[i] > max ? v[i] : max;
    return max;
}

static void softmax(float *v, size_t count)
{
    float max = largest(v, count), sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += v[i] = expf(v[i] - max);
    for (size_t i = 0; i < count; i++)
        v[i] /= sum;
}

static void softmax_zero(float *v, size_t count)
{
    float max = largest(v, count), small = expf(-max), sum = 0;

    for (size_t i = 0; i < count; i++) {
        if (v[i] > 0.0000001f || v[i] < -0.0000001f)
            sum += v[i] = expf(v[i] - max);
        else
            v[i] *= small;
    }
    for (size_t i = 0; i < count; i++)
        v[i] /= sum;
}

static void normalize(float *v, size_t count)
{
    float sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += fabsf(v[i]);
    for (size_t i = 0; i < count && sum != 0; i++)
        v[i] /= sum;
}

static float one(const struct score_op *op, float x)
{
    switch (op->kind) {
    case SCORE_LOGISTIC: return logistic(x);
    case SCORE_SIGMOID: return 1 / (1 + expf(-x));
    case SCORE_EXP: return expf(x);
    case SCORE_ADD: return x + op->value;
    case SCORE_SUBTRACT: return x - op->value;
    case SCORE_SUBTRACT_FROM: return op->value - x;
    case SCORE_MULTIPLY: return x * op->value;
    case SCORE_DIVIDE: return x / op->value;
    case SCORE_DIVIDE_INTO: return op->value / x;
    default: return x;
    }
}

/* Returns how many there are now. */
static size_t apply_op(const struct score_op *op, float *v, size_t count)
{
    switch (op->kind) {
    case SCORE_SOFTMAX: softmax(v, count); return count;
    case SCORE_SOFTMAX_ZERO: softmax_zero(v, count); return count;
    case SCORE_NORMALIZE: normalize(v, count); return count;
    case SCORE_PICK: v[0] = v[op->column]; return 1;
    case SCORE_COMPLEMENT:
    case SCORE_OPPOSITE:
        v[1] = v[0];
        v[0] = op->kind == SCORE_COMPLEMENT ? 1 - v[0] : -v[0];
        return 2;
    default: break;
    }
    for (size_t i = 0; i < count; i++)
        if (op->column < 0 || op->column == (int32_t)i)
            v[i] = one(op, v[i]);
    return count;
}

struct program {
    size_t count;
    struct score_op ops[];
};

static void apply(const struct link *link, const double *margins, size_t count, double *scores)
{
    const struct program *p = link->program;
    float v[ONNX_MAX_OUTPUTS] = {0};

    for (size_t r = 0; r < count; r++) {
        size_t width = link->margin_count;
        for (size_t i = 0; i < width; i++)
            v[i] = (float)margins[r * width + i];
        for (size_t i = p->count; i-- > 0;)
            width = apply_op(&p->ops[i], v, width);
        for (size_t i = 0; i < link->score_count; i++)
            scores[r * link->score_count + i] = (double)v[i];
    }
}

struct link onnx_scores_link(const struct onnx_scores *s, size_t margin_count, size_t score_count)
{
    struct program *p = mem_alloc(1, sizeof *p + s->count * sizeof *p->ops);

    p->count = s->count;
    if (s->count > 0)
        memcpy(p->ops, s->items, s->count * sizeof *p->ops);
    return (struct link){
        .apply = apply, .margin_count = margin_count, .score_count = score_count, .program = p};
}
