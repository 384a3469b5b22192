#include "scoring/linear_json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"

enum { MAX_DEPTH = 8, MAX_FEATURES = 1 << 20, MAX_OUTPUTS = 4096, NEWEST_VERSION = 1 };

enum link_kind { LINK_IDENTITY, LINK_LOGISTIC, LINK_EXP, LINK_SOFTMAX };

static const char *const link_names[] = {"identity", "logistic", "exp", "softmax"};

struct numbers {
    double *items;
    size_t count, cap;
};

struct reader {
    struct json j;
    const char *name;
    struct err *err;
    struct model_parts *parts;
    unsigned met; /* a bit for each key */
    double version;
    int link;        /* enum link_kind */
    char **features; /* of parts, once they are all there */
    size_t feature_count, feature_cap, output_names;
    struct numbers intercepts, coefficients, missing;
    size_t coefficient_rows;
};

static bool refuse(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct reader *r, const char *format, ...)
{
    char what[200], shown[VISIBLE_MAX(sizeof what)];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    err_fatal(r->err, EXIT_DATA, "%s: byte %zu: %.*s", r->name, (size_t)(r->j.at - r->j.start),
              (int)visible_print(shown, what, strlen(what)), shown);
    return json_fail(&r->j, JSON_BAD);
}

/* ---- values */

static bool take_number(struct reader *r, double *value)
{
    if (!json_number(&r->j, value))
        return false;
    return isfinite(*value) || refuse(r, "a number that is too large");
}

static bool take_list(struct reader *r, struct numbers *list, size_t limit)
{
    for (json_enter_array(&r->j); json_item(&r->j);) {
        if (list->count == limit)
            return refuse(r, "more than %zu numbers", limit);
        list->items = mem_grow(list->items, list->count, &list->cap, sizeof *list->items);
        take_number(r, &list->items[list->count++]);
    }
    return r->j.fault == JSON_OK;
}

static bool take_version(struct reader *r)
{
    return take_number(r, &r->version) &&
           (r->version == NEWEST_VERSION || refuse(r, "version %g; 1 is read", r->version));
}

static bool take_format(struct reader *r)
{
    struct json_text text;

    return json_take_string(&r->j, &text) &&
           (json_text_equals(&text, "kscore-linear") || refuse(r, "format is not kscore-linear"));
}

static bool take_link(struct reader *r)
{
    struct json_text text;

    if (!json_take_string(&r->j, &text))
        return false;
    for (r->link = LINK_IDENTITY; r->link <= LINK_SOFTMAX; r->link++)
        if (json_text_equals(&text, link_names[r->link]))
            return true;
    return refuse(r, "link %.*s; it can be identity, logistic, exp or softmax", (int)text.len,
                  text.data);
}

static char *copy_text(const struct json_text *text)
{
    char *copy = mem_alloc(text->len + 1, 1);
    size_t len = json_unescape(text, copy);

    if (memchr(copy, 0, len) || !utf8_is_valid((const uint8_t *)copy, len) || len == 0) {
        free(copy);
        return NULL;
    }
    return copy;
}

static bool take_features(struct reader *r)
{
    struct json_text text;

    for (json_enter_array(&r->j); json_item(&r->j) && json_take_string(&r->j, &text);) {
        char *copy = copy_text(&text);
        if (!copy || r->feature_count == MAX_FEATURES) {
            free(copy);
            return refuse(r, "feature %zu is no name, or one too many", r->feature_count + 1);
        }
        r->features = mem_grow(r->features, r->feature_count, &r->feature_cap, sizeof *r->features);
        r->features[r->feature_count++] = copy;
    }
    return r->j.fault == JSON_OK;
}

/* For people: they are counted. */
static bool take_outputs(struct reader *r)
{
    struct json_text text;

    for (json_enter_array(&r->j); json_item(&r->j); r->output_names++)
        json_take_string(&r->j, &text);
    return r->j.fault == JSON_OK;
}

static bool take_intercepts(struct reader *r)
{
    return take_list(r, &r->intercepts, MAX_OUTPUTS);
}

static bool take_coefficients(struct reader *r)
{
    size_t width = 0;

    for (json_enter_array(&r->j); json_item(&r->j); r->coefficient_rows++) {
        size_t before = r->coefficients.count;
        if (!take_list(r, &r->coefficients, before + MAX_FEATURES))
            return false;
        if (r->coefficient_rows > 0 && r->coefficients.count - before != width)
            return refuse(r, "coefficients: row %zu has %zu numbers, the first %zu",
                          r->coefficient_rows + 1, r->coefficients.count - before, width);
        width = r->coefficients.count - before;
    }
    return r->j.fault == JSON_OK;
}

/* Numbers that stand in for a missing x; null: it stays missing. */
static bool take_missing(struct reader *r)
{
    struct numbers *list = &r->missing;
    double value;

    for (json_enter_array(&r->j); json_item(&r->j);) {
        value = NAN;
        if (list->count == MAX_FEATURES)
            return refuse(r, "missing: more than %d numbers", MAX_FEATURES);
        if (json_peek(&r->j) == JSON_NULL)
            json_take_null(&r->j);
        else if (json_number(&r->j, &value) && !isfinite(value))
            return refuse(r, "missing: a number that is too large");
        list->items = mem_grow(list->items, list->count, &list->cap, sizeof *list->items);
        list->items[list->count++] = value;
    }
    return r->j.fault == JSON_OK;
}

/* ---- the file */

static const struct {
    const char *name;
    bool is_optional;
    bool (*take)(struct reader *r);
} keys[] = {
    {"format", false, take_format},
    {"version", false, take_version},
    {"link", false, take_link},
    {"features", false, take_features},
    {"outputs", true, take_outputs},
    {"intercept", false, take_intercepts},
    {"coefficients", false, take_coefficients},
    {"missing", true, take_missing},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static size_t find_key(const struct json_text *text)
{
    size_t i = 0;

    while (i < KEY_COUNT && !json_text_equals(text, keys[i].name))
        i++;
    return i;
}

static bool take_all(struct reader *r)
{
    struct json_text key;

    for (json_enter_object(&r->j); json_key(&r->j, &key);) {
        size_t i = find_key(&key);
        if (i == KEY_COUNT)
            return refuse(r, "key %.*s is not known", (int)(key.len < 60 ? key.len : 60), key.data);
        if (r->met & 1u << i)
            return refuse(r, "key %s comes twice", keys[i].name);
        r->met |= 1u << i;
        keys[i].take(r);
    }
    if (!json_end(&r->j))
        return refuse(r, "not JSON, or not of the type that is wanted here");
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (!keys[i].is_optional && !(r->met & 1u << i))
            return refuse(r, "key %s is missing", keys[i].name);
    return true;
}

static bool check(struct reader *r)
{
    size_t outputs = r->intercepts.count, features = r->feature_count;

    if (outputs == 0 || features == 0)
        return refuse(r, "no features or no intercepts");
    if (r->coefficient_rows != outputs || r->coefficients.count != outputs * features)
        return refuse(r, "%zu rows of coefficients, %zu in all, for %zu features and %zu outputs",
                      r->coefficient_rows, r->coefficients.count, features, outputs);
    if (r->output_names != 0 && r->output_names != outputs)
        return refuse(r, "%zu names for %zu outputs", r->output_names, outputs);
    if (r->missing.count != 0 && r->missing.count != features)
        return refuse(r, "missing has %zu numbers for %zu features", r->missing.count, features);
    if (r->link == LINK_SOFTMAX && outputs == 1)
        return refuse(r, "softmax of one output is always 1: use logistic");
    return true;
}

/* ---- the model */

static double link_one(enum link_kind kind, double margin)
{
    switch (kind) {
    case LINK_LOGISTIC: return 1 / (1 + exp(-margin));
    case LINK_EXP: return exp(margin);
    case LINK_IDENTITY:
    case LINK_SOFTMAX: break;
    }
    return margin;
}

static void softmax(const double *margins, size_t count, double *scores)
{
    double max = margins[0], sum = 0;

    for (size_t i = 1; i < count; i++)
        max = margins[i] > max ? margins[i] : max;
    for (size_t i = 0; i < count; i++)
        sum += scores[i] = exp(margins[i] - max);
    for (size_t i = 0; i < count; i++)
        scores[i] /= sum;
}

static void apply(const struct link *link, const double *margins, size_t count, double *scores)
{
    size_t width = link->margin_count;

    for (size_t i = 0; i < count * width; i += width) {
        if (link->kind == LINK_SOFTMAX)
            softmax(margins + i, width, scores + i);
        for (size_t k = i; link->kind != LINK_SOFTMAX && k < i + width; k++)
            scores[k] = link_one((enum link_kind)link->kind, margins[k]);
    }
}

static void build(struct reader *r)
{
    struct model_parts *p = r->parts;
    size_t outputs = r->intercepts.count, features = r->feature_count;
    struct linear *l = p->linear = linear_new(features, outputs);

    l->is_double = l->nan_stays = true;
    memcpy(l->weights, r->coefficients.items, outputs * features * sizeof *l->weights);
    memcpy(l->intercepts, r->intercepts.items, outputs * sizeof *l->intercepts);
    if (r->missing.count > 0) {
        l->missing = r->missing.items;
        r->missing = (struct numbers){0};
    }
    p->feature_count = features;
    p->names = r->features;
    r->features = NULL;
    p->link = (struct link){
        .apply = apply, .margin_count = outputs, .score_count = outputs, .kind = r->link};
    snprintf(p->writer, sizeof p->writer, "kscore-linear 1");
    snprintf(p->objective, sizeof p->objective, "%s", link_names[r->link]);
}

int linear_json_parse(struct model_parts *parts, const char *name, struct slice data,
                      const struct model_options *options, struct err *err)
{
    struct reader r = {.name = name, .err = err, .parts = parts};
    int result = -1;

    *parts = (struct model_parts){0};
    json_init(&r.j, (const char *)data.data, data.len, MAX_DEPTH);
    if (options->rounds != 0)
        err_fatal(err, EXIT_DATA, "%s: a linear model has no rounds", name);
    else if (take_all(&r) && check(&r)) {
        build(&r);
        result = 0;
    }
    for (size_t i = 0; r.features && i < r.feature_count; i++)
        free(r.features[i]);
    free(r.features);
    free(r.intercepts.items);
    free(r.coefficients.items);
    free(r.missing.items);
    return result;
}

/* XGBoost's files begin with learner, or with version, a list. */
bool linear_json_is_one(struct slice data)
{
    struct json_text key;
    struct json j;
    size_t i;

    json_init(&j, (const char *)data.data, data.len, MAX_DEPTH);
    if (!json_enter_object(&j) || !json_key(&j, &key))
        return false;
    i = find_key(&key);
    return i < KEY_COUNT && (keys[i].take != take_version || json_peek(&j) == JSON_NUMBER);
}
