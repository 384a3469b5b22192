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
    {"reg:expectileerror", {LINK_IDENTITY, BASE_MARGIN}}, /* one alpha: the first is the margin */
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

float objective_base_margin(const struct objective *objective, float base_score)
{
    const float edge = 1e-6f;

    switch (objective->base) {
    case BASE_MARGIN: return base_score;
    case BASE_MEAN: return logf(base_score);
    case BASE_BOUND_PROBABILITY: base_score = fminf(fmaxf(base_score, edge), 1.0f - edge); break;
    case BASE_PROBABILITY: break;
    }
    return -logf(1.0f / base_score - 1.0f);
}

/* common::Sigmoid in src/common/math.h. */
static float sigmoid(float x)
{
    x = 88.7f < -x ? 88.7f : -x; /* as std::min: NaN stays */
    return 1.0f / (expf(x) + 1.0f + 1e-16f);
}

float objective_apply(enum link_kind link, float margin)
{
    switch (link) {
    case LINK_IDENTITY: return margin;
    case LINK_SIGMOID: return sigmoid(margin);
    case LINK_PLAIN_SIGMOID: return 1.0f / (1.0f + expf(-margin));
    case LINK_EXP: return expf(margin);
    case LINK_HINGE: return margin > 0.0f ? 1.0f : 0.0f;
    }
    return margin;
}

static void apply(const struct link *link, const double *margins, size_t count, double *scores)
{
    for (size_t i = 0; i < count; i++)
        scores[i] = (double)objective_apply((enum link_kind)link->kind, (float)margins[i]);
}

struct link objective_link(const struct objective *objective)
{
    return (struct link){apply, 1, 1, (int)objective->link, 0};
}
