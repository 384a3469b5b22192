#include "scoring/objective.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* link: of predictions. stores_probability: base_score is stored before the link and must be turned
 * back. */
static const struct {
    const char *name;
    enum link link;
    bool stores_probability;
} objectives[] = {
    {"reg:squarederror", LINK_IDENTITY, false},
    {"reg:linear", LINK_IDENTITY, false}, /* its name before 1.0 */
    {"reg:squaredlogerror", LINK_IDENTITY, false},
    {"reg:pseudohubererror", LINK_IDENTITY, false},
    {"reg:absoluteerror", LINK_IDENTITY, false},
    {"reg:quantileerror", LINK_IDENTITY, false},
    {"reg:expectileerror", LINK_IDENTITY, false}, /* one alpha: the first is the margin itself */
    {"reg:logistic", LINK_SIGMOID, true},
    {"binary:logistic", LINK_SIGMOID, true},
    {"binary:logitraw", LINK_IDENTITY, false},
    {"binary:hinge", LINK_HINGE, false},
    {"count:poisson", LINK_EXP, true},
    {"reg:gamma", LINK_EXP, true},
    {"reg:tweedie", LINK_EXP, true},
    {"survival:cox", LINK_EXP, true},
    {"survival:aft", LINK_EXP, true},
    {"rank:pairwise", LINK_IDENTITY, false},
    {"rank:ndcg", LINK_IDENTITY, false},
    {"rank:map", LINK_IDENTITY, false},
};

bool objective_find(const char *name, enum link *link, bool *stores_probability)
{
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        if (strcmp(objectives[i].name, name) == 0) {
            *link = objectives[i].link;
            *stores_probability = objectives[i].stores_probability;
            return true;
        }
    }
    return false;
}

float objective_base_margin(enum link link, bool stores_probability, float base_score)
{
    const float edge = 1e-6f;

    if (!stores_probability)
        return base_score;
    if (link == LINK_EXP)
        return logf(base_score);
    base_score = fminf(fmaxf(base_score, edge), 1.0f - edge);
    return -logf(1.0f / base_score - 1.0f);
}

/* common::Sigmoid in src/common/math.h: the exponent is cut at 88.7 so that it cannot overflow. */
static float sigmoid(float x)
{
    return 1.0f / (expf(fminf(-x, 88.7f)) + 1.0f + 1e-16f);
}

float link_apply(enum link link, float margin)
{
    switch (link) {
    case LINK_IDENTITY: return margin;
    case LINK_SIGMOID: return sigmoid(margin);
    case LINK_EXP: return expf(margin);
    case LINK_HINGE: return margin > 0.0f ? 1.0f : 0.0f;
    }
    return margin;
}
