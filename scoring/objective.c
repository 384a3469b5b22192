#include "scoring/objective.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "scoring/version.h"

static const struct {
    const char *name;
    struct objective objective;
} objectives[] = {
    {"reg:squarederror", {LINK_IDENTITY, BASE_MARGIN}},
    {"reg:linear", {LINK_IDENTITY, BASE_MARGIN}}, /* its name before 1.0 */
    {"reg:squaredlogerror", {LINK_IDENTITY, BASE_MARGIN}},
    {"reg:pseudohubererror", {LINK_IDENTITY, BASE_MARGIN}},
    {"reg:absoluteerror", {LINK_IDENTITY, BASE_MARGIN}},
    {"reg:quantileerror", {LINK_IDENTITY, BASE_MARGIN}},
    {"reg:expectileerror", {LINK_EXPECTILES, BASE_EXPECTILES}},
    {"reg:logistic", {LINK_SIGMOID, BASE_PROBABILITY}},
    {"binary:logistic", {LINK_SIGMOID, BASE_PROBABILITY}},
    {"binary:logitraw", {LINK_IDENTITY, BASE_MARGIN}},
    {"binary:hinge", {LINK_HINGE, BASE_MARGIN}},
    {"count:poisson", {LINK_EXP, BASE_MEAN}},
    {"reg:gamma", {LINK_EXP, BASE_MEAN}},
    {"reg:tweedie", {LINK_EXP, BASE_MEAN}},
    {"survival:cox", {LINK_EXP, BASE_MEAN}},
    {"survival:aft", {LINK_EXP, BASE_MEAN}},
    {"rank:pairwise", {LINK_IDENTITY, BASE_MARGIN}},
    {"rank:ndcg", {LINK_IDENTITY, BASE_MARGIN}},
    {"rank:map", {LINK_IDENTITY, BASE_MARGIN}},
    {"multi:softprob", {LINK_SOFTMAX, BASE_MARGIN}},
    {"multi:softmax", {LINK_CLASS, BASE_MARGIN}},
};

/* What other versions do otherwise than the table says; it holds for 1.6 to 3.1. */
static void adapt(struct objective *o, const char *name, const int version[3])
{
    if (strcmp(name, "binary:logitraw") == 0 && version_is_before(version, 1, 3, 1))
        o->base = BASE_PROBABILITY;
    if (o->link == LINK_SIGMOID && version_is_before(version, 1, 6, 0))
        o->link = LINK_PLAIN_SIGMOID;
    if (o->base == BASE_PROBABILITY && !version_is_before(version, 3, 2, 0))
        o->base = BASE_BOUND_PROBABILITY;
    if (strcmp(name, "reg:quantileerror") == 0 && !version_is_before(version, 3, 4, 0))
        o->link = LINK_SORTED;
}

bool objective_find(struct objective *objective, const char *name, const int version[3])
{
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        if (strcmp(objectives[i].name, name) == 0) {
            *objective = objectives[i].objective;
            adapt(objective, name, version);
            return true;
        }
    }
    return false;
}

/* ---- base scores */

static const float tiny = 1e-6f; /* kRtEps in include/xgboost/base.h */

static float base_margin(enum base base, float score)
{
    switch (base) {
    case BASE_MARGIN:
    case BASE_EXPECTILES: return score;
    case BASE_MEAN: return logf(score);
    case BASE_BOUND_PROBABILITY: score = fminf(fmaxf(score, tiny), 1.0f - tiny); break;
    case BASE_PROBABILITY: break;
    }
    return -logf(1.0f / score - 1.0f);
}

/* common::SoftPlusInv in src/common/math.h. */
static float softplus_inverse(float x)
{
    x = x < tiny ? tiny : x; /* as std::max */
    return x + logf(-expm1f(-x));
}

void objective_base_margins(const struct objective *objective, float *base, size_t count)
{
    if (objective->base == BASE_EXPECTILES)
        for (size_t i = count; i-- > 1;)
            base[i] = softplus_inverse(base[i] - base[i - 1] - tiny);
    for (size_t i = 0; i < count; i++)
        base[i] = base_margin(objective->base, base[i]);
}

/* ---- links: margins and scores of one row; a score is stored as float32 before it goes on */

/* common::Sigmoid in src/common/math.h. */
static float sigmoid(float x)
{
    x = 88.7f < -x ? 88.7f : -x; /* as std::min: NaN stays */
    return 1.0f / (expf(x) + 1.0f + 1e-16f);
}

static float link_one(enum link_kind kind, float margin)
{
    switch (kind) {
    case LINK_SIGMOID: return sigmoid(margin);
    case LINK_PLAIN_SIGMOID: return 1.0f / (1.0f + expf(-margin));
    case LINK_EXP: return expf(margin);
    case LINK_HINGE: return margin > 0.0f ? 1.0f : 0.0f;
    default: return margin;
    }
}

/* common::Softmax: float terms, their sum in double. */
static void softmax(const double *margins, size_t count, double *scores)
{
    float largest = (float)margins[0];
    double sum = 0;

    for (size_t i = 1; i < count; i++)
        largest = fmaxf((float)margins[i], largest);
    for (size_t i = 0; i < count; i++) {
        float term = expf((float)margins[i] - largest);
        scores[i] = (double)term;
        sum += scores[i];
    }
    for (size_t i = 0; i < count; i++)
        scores[i] = (double)((float)scores[i] / (float)sum);
}

/* common::FindMaxIndex. */
static double find_class(const double *margins, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++)
        if (margins[i] > margins[best])
            best = i;
    return (double)best;
}

/* QuantileRegression::PredTransform: equal ones keep their order, and so does NaN. */
static void sort(const double *margins, size_t count, double *scores)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && scores[at - 1] > margins[i]; at--)
            scores[at] = scores[at - 1];
        scores[at] = margins[i];
    }
}

/* common::SoftPlus. */
static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

static void add_expectiles(const double *margins, size_t count, double *scores)
{
    float sum = (float)margins[0];

    scores[0] = margins[0];
    for (size_t i = 1; i < count; i++) {
        sum += tiny + softplus((float)margins[i]);
        scores[i] = (double)sum;
    }
}

static void link_row(enum link_kind kind, const double *margins, size_t count, double *scores)
{
    switch (kind) {
    case LINK_SOFTMAX: softmax(margins, count, scores); return;
    case LINK_CLASS: *scores = find_class(margins, count); return;
    case LINK_SORTED: sort(margins, count, scores); return;
    case LINK_EXPECTILES: add_expectiles(margins, count, scores); return;
    default:
        for (size_t i = 0; i < count; i++)
            scores[i] = (double)link_one(kind, (float)margins[i]);
    }
}

static void apply(const struct link *link, const double *margins, size_t count, double *scores)
{
    for (size_t r = 0; r < count; r++)
        link_row((enum link_kind)link->kind, margins + r * link->margin_count, link->margin_count,
                 scores + r * link->score_count);
}

struct link objective_link(const struct objective *objective, size_t output_count)
{
    return (struct link){.apply = apply,
                         .margin_count = output_count,
                         .score_count = objective->link == LINK_CLASS ? 1 : output_count,
                         .kind = (int)objective->link};
}
