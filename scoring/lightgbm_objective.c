#include <math.h>
#include <string.h>

#include "scoring/lightgbm_reader.h"

enum link_kind {
    LINK_IDENTITY,
    LINK_SQUARE,  /* "sqrt": the root of the label was learnt */
    LINK_SIGMOID, /* of parameter * margin */
    LINK_SOFTMAX,
    LINK_EXP,
    LINK_SOFTPLUS,    /* 3.3 and later: log1p */
    LINK_OLD_SOFTPLUS /* loses all below a margin of about -37 */
};

/* Names that some version writes. */
static const struct objective {
    const char *name;
    enum link_kind kind;
    bool has_root; /* may be followed by sqrt */
} objectives[] = {
    {"regression", LINK_IDENTITY, true},
    {"regression_l1", LINK_IDENTITY, true},
    {"huber", LINK_IDENTITY, false},
    {"fair", LINK_IDENTITY, true},
    {"quantile", LINK_IDENTITY, true},
    {"quantile_l2", LINK_IDENTITY, true}, /* 2.0 */
    {"mape", LINK_IDENTITY, true},
    {"lambdarank", LINK_IDENTITY, false},
    {"rank_xendcg", LINK_IDENTITY, false},
    {"custom", LINK_IDENTITY, false},
    {"none", LINK_IDENTITY, false},
    {"poisson", LINK_EXP, false},
    {"gamma", LINK_EXP, false},
    {"tweedie", LINK_EXP, false},
    {"binary", LINK_SIGMOID, false},
    {"cross_entropy", LINK_SIGMOID, false},
    {"xentropy", LINK_SIGMOID, false}, /* 2.0 to 2.2 */
    {"cross_entropy_lambda", LINK_SOFTPLUS, false},
    {"xentlambda", LINK_SOFTPLUS, false}, /* 2.0 to 2.2 */
    {"multiclass", LINK_SOFTMAX, false},
    {"multiclassova", LINK_SIGMOID, false},
};

/* ---- links: ConvertOutput of each objective, in src/objective/ of LightGBM, double throughout */

static double convert(const struct link *link, double x)
{
    switch ((enum link_kind)link->kind) {
    case LINK_SQUARE: return (double)((x > 0) - (x < 0)) * x * x;
    case LINK_SIGMOID: return 1.0 / (1.0 + exp(-link->parameter * x));
    case LINK_EXP: return exp(x);
    case LINK_SOFTPLUS: return log1p(exp(x));
    case LINK_OLD_SOFTPLUS: return log(1.0 + exp(x));
    case LINK_IDENTITY:
    case LINK_SOFTMAX: break;
    }
    return x;
}

/* Common::Softmax in include/LightGBM/utils/common.h; its max keeps a NaN that comes first only. */
static void soften(double *scores, size_t count)
{
    double highest = scores[0], sum = 0;

    for (size_t k = 1; k < count; k++)
        highest = scores[k] < highest ? highest : scores[k];
    for (size_t k = 0; k < count; k++) {
        scores[k] = exp(scores[k] - highest);
        sum += scores[k];
    }
    for (size_t k = 0; k < count; k++)
        scores[k] /= sum;
}

static void apply(const struct link *link, const double *margins, size_t count, double *scores)
{
    for (size_t i = 0; i < count * link->margin_count; i++)
        scores[i] = convert(link, link->divisor != 0 ? margins[i] / link->divisor : margins[i]);
    for (size_t i = 0; link->kind == LINK_SOFTMAX && i < count; i++)
        soften(scores + i * link->margin_count, link->margin_count);
}

/* ---- the header's line */

/* Common::Atof, which reads parameters: it rounds in several places, and so must this. */
static double read_loosely(struct text word)
{
    const char *p = word.text, *end = p + word.len;
    double value = 0, fraction = 0, power = 1, scale = 1;
    bool is_small;
    int exponent = 0;

    for (; p < end && *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (*p - '0');
    p += p < end && *p == '.';
    while (p < end && *p >= '0' && *p <= '9' && power < 1e22) {
        fraction = (*p++ - '0') + fraction * 10;
        power *= 10;
    }
    if (power > 1)
        value += fraction / power;
    if (p < end && *p == 'e') {
        is_small = ++p < end && *p == '-';
        for (p += p < end && (*p == '-' || *p == '+'); p < end && *p >= '0' && *p <= '9'; p++)
            exponent = exponent < 308 ? exponent * 10 + (*p - '0') : 308;
        for (exponent = exponent < 308 ? exponent : 308; exponent >= 50; exponent -= 50)
            scale *= 1e50;
        for (; exponent >= 8; exponent -= 8)
            scale *= 1e8;
        for (; exponent > 0; exponent--)
            scale *= 10;
        value = is_small ? value / scale : value * scale;
    }
    return p == end ? value : NAN;
}

static bool take_parameter(struct text word, const char *name, struct text *value)
{
    size_t len = strlen(name);

    if (word.len <= len || memcmp(word.text, name, len) != 0 || word.text[len] != ':')
        return false;
    *value = (struct text){word.text + len + 1, word.len - len - 1};
    return true;
}

/* What follows the name: sigmoid:1, num_class:4, sqrt. */
static bool take_parameters(struct lightgbm *r, const struct objective *o, struct text rest)
{
    struct link *link = &r->parts->link;
    bool has_sigmoid = strcmp(o->name, "binary") == 0 || strcmp(o->name, "multiclassova") == 0;
    bool has_classes = strncmp(o->name, "multiclass", 10) == 0;
    int64_t classes = has_classes ? 0 : r->output_count;
    struct text word, value;

    link->parameter = has_sigmoid ? 0 : 1;
    while ((word = lightgbm_word(&rest)).len > 0) {
        if (has_sigmoid && take_parameter(word, "sigmoid", &value))
            link->parameter = read_loosely(value);
        else if (has_classes && take_parameter(word, "num_class", &value))
            lightgbm_int(&value, 0, LIGHTGBM_MAX_OUTPUTS, &classes);
        else if (o->has_root && text_is(word, "sqrt"))
            link->kind = LINK_SQUARE;
        else
            return lightgbm_refuse(r, "objective %s: parameter %.*s is not known", o->name,
                                   (int)(word.len < 80 ? word.len : 80), word.text);
    }
    if (!(link->parameter > 0) || isinf(link->parameter))
        return lightgbm_refuse(r, "objective %s without a sigmoid above 0", o->name);
    if (classes != r->output_count)
        return lightgbm_refuse(r, "objective %s has num_class:%lld, num_tree_per_iteration is %lld",
                               o->name, (long long)classes, (long long)r->output_count);
    return has_classes || classes == 1 || link->kind == LINK_IDENTITY ||
           lightgbm_refuse(r, "objective %s with num_tree_per_iteration=%lld", o->name,
                           (long long)r->output_count);
}

/* What a version does otherwise, and whether the file says which wrote it. */
static bool adapt(struct lightgbm *r)
{
    struct link *link = &r->parts->link;

    if (link->kind == LINK_SOFTPLUS && r->version == 3 && !r->has_parameters)
        return lightgbm_refuse(r,
                               "objective %s without the parameters that tell LightGBM 3.2 from "
                               "3.3: they have different predictions",
                               r->parts->objective);
    if (link->kind == LINK_SOFTPLUS && r->version < 4 && !r->has_float_parser)
        link->kind = LINK_OLD_SOFTPLUS;
    if (!r->is_average || r->version > 2 || link->kind == LINK_IDENTITY)
        return true;
    if (r->has_end_of_trees)
        return lightgbm_refuse(r, "a random forest (average_output) of LightGBM 2.2: up to 2.2.2 "
                                  "its leaves are predictions, from 2.2.3 on margins, and the file "
                                  "does not say; for 2.2.3 write version=v3, before delete the "
                                  "line objective");
    link->kind = LINK_IDENTITY;
    return true;
}

bool lightgbm_link(struct lightgbm *r, size_t iterations)
{
    struct text rest = r->objective, name = lightgbm_word(&rest);
    const struct objective *o = NULL;

    r->parts->link = (struct link){.apply = apply,
                                   .margin_count = (size_t)r->output_count,
                                   .score_count = (size_t)r->output_count,
                                   .parameter = 1,
                                   .divisor = r->is_average ? (double)iterations : 0};
    if (r->is_average && iterations == 0)
        return lightgbm_refuse(r, "a random forest without trees");
    strcpy(r->parts->objective, "no objective");
    if (!r->objective.text)
        return true;
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++)
        if (text_is(name, objectives[i].name))
            o = &objectives[i];
    if (!o || r->objective.len >= sizeof r->parts->objective)
        return lightgbm_refuse(r, "objective %.*s is not known to this version",
                               (int)(r->objective.len < 80 ? r->objective.len : 80),
                               r->objective.text);
    memcpy(r->parts->objective, r->objective.text, r->objective.len);
    r->parts->objective[r->objective.len] = '\0';
    r->parts->link.kind = (int)o->kind;
    return take_parameters(r, o, rest) && adapt(r);
}
