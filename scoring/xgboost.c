/* xgboost.c: each object of the file has its function, in the file's order from the inside out. */
#include "scoring/xgboost.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "scoring/version.h"
#include "scoring/xgboost_reader.h"

enum { NEWEST_MAJOR = 3 };

bool reader_refuse(struct reader *r, const char *format, ...)
{
    char what[400];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    for (char *p = what; *p; p++) /* names of the file are part of it */
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    err_fatal(r->err, EXIT_DATA, "%s: byte %zu: %s", r->name, document_at(&r->d), what);
    return document_fail(&r->d);
}

bool reader_is_well(const struct reader *r)
{
    return !r->d.has_failed && r->d.json.fault == JSON_OK;
}

bool reader_copy_text(const struct json_text *text, char *out, size_t cap)
{
    size_t len;

    if (text->len >= cap)
        return false;
    if (text->is_escaped) {
        len = json_unescape(text, out);
    } else {
        memcpy(out, text->data, text->len);
        len = text->len;
    }
    out[len] = '\0';
    return memchr(out, 0, len) == NULL;
}

bool reader_short_text(struct reader *r, char *out, size_t cap)
{
    struct json_text text;

    if (!document_string(&r->d, &text))
        return false;
    return reader_copy_text(&text, out, cap) || reader_refuse(r, "a name of %zu bytes", text.len);
}

bool reader_param(struct reader *r, const char *what, int64_t low, int64_t high, int64_t *value)
{
    char text[32];

    if (document_peek(&r->d) == DOCUMENT_NUMBER) {
        if (!document_int(&r->d, value) || *value < low || *value > high)
            return reader_refuse(r, "%s is out of range", what);
        return true;
    }
    if (!reader_short_text(r, text, sizeof text) ||
        !integer_parse(text, strlen(text), low, high, value))
        return reader_refuse(r, "%s is no number from %lld to %lld", what, (long long)low,
                             (long long)high);
    return true;
}

/* ---- learner */

static bool take_learner_param(struct reader *r)
{
    struct json_text key;

    r->has_params = true;
    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "base_score"))
            reader_take_base_score(r);
        else if (json_text_equals(&key, "num_class"))
            reader_param(r, "num_class", 0, MAX_OUTPUTS, &r->class_count);
        else if (json_text_equals(&key, "num_target"))
            reader_param(r, "num_target", 0, MAX_OUTPUTS, &r->target_count);
        else if (json_text_equals(&key, "num_feature"))
            reader_param(r, "num_feature", 1, MAX_FEATURES, &r->feature_count);
        else if (json_text_equals(&key, "boost_from_average"))
            reader_param(r, "boost_from_average", 0, 1, &r->boost_from_average);
        else
            reader_refuse(r, "unknown field %.*s in learner_model_param", (int)key.len, key.data);
    }
    return reader_is_well(r);
}

/* "[0.1,0.9]" are two alphas. */
static bool take_alphas(struct reader *r)
{
    struct json_text text;

    if (!document_string(&r->d, &text))
        return false;
    r->objective_outputs = 1;
    for (size_t i = 0; i < text.len; i++)
        r->objective_outputs += text.data[i] == ',';
    return true;
}

/* Parameters of training, and how many outputs the objective links together. */
static bool take_objective_param(struct reader *r)
{
    struct json_text key;

    if (document_peek(&r->d) != DOCUMENT_OBJECT)
        return document_skip(&r->d);
    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "num_class"))
            reader_param(r, "num_class", 0, MAX_OUTPUTS, &r->objective_outputs);
        else if (json_text_equals(&key, "quantile_alpha") ||
                 json_text_equals(&key, "expectile_alpha"))
            take_alphas(r);
        else
            document_skip(&r->d);
    }
    return reader_is_well(r);
}

static bool take_objective(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "name"))
            r->has_objective =
                reader_short_text(r, r->parts->objective, sizeof r->parts->objective);
        else
            take_objective_param(r);
    }
    return reader_is_well(r);
}

/* Users store what they like; of these two only whole numbers count. */
static bool take_attributes(struct reader *r)
{
    struct json_text key, text;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        int64_t *value = json_text_equals(&key, "best_iteration")     ? &r->best_iteration
                         : json_text_equals(&key, "best_ntree_limit") ? &r->best_tree_limit
                                                                      : NULL;
        if (!value || document_peek(&r->d) != DOCUMENT_STRING)
            document_skip(&r->d);
        else if (document_string(&r->d, &text) &&
                 !integer_parse(text.data, text.len, 0, TREES_MAX_NODES, value))
            *value = -1;
    }
    return reader_is_well(r);
}

static bool take_names(struct reader *r)
{
    struct json_text text;

    for (document_array(&r->d); document_item(&r->d) && document_string(&r->d, &text);) {
        r->name_texts = mem_grow(r->name_texts, r->name_count, &r->name_cap, sizeof *r->name_texts);
        r->name_texts[r->name_count++] = text;
    }
    return reader_is_well(r);
}

static bool take_learner(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "gradient_booster"))
            reader_take_booster(r);
        else if (json_text_equals(&key, "learner_model_param"))
            take_learner_param(r);
        else if (json_text_equals(&key, "objective"))
            take_objective(r);
        else if (json_text_equals(&key, "feature_names") && r->name_count == 0)
            take_names(r);
        else if (json_text_equals(&key, "attributes"))
            take_attributes(r);
        else if (json_text_equals(&key, "feature_types"))
            document_skip(&r->d);
        else
            reader_refuse(r, "unknown field %.*s in learner", (int)key.len, key.data);
    }
    return reader_is_well(r);
}

static bool take_version(struct reader *r)
{
    struct ints parts = {0};
    bool is_good = document_ints(&r->d, &parts) && parts.count == 3;

    for (size_t i = 0; i < parts.count && i < 3; i++) {
        is_good = is_good && parts.items[i] >= 0 && parts.items[i] < 1000;
        r->version[i] = (int)parts.items[i];
    }
    free(parts.items);
    r->has_version = true;
    if (!is_good)
        return reader_refuse(r, "version is not [major, minor, patch]");
    if (r->version[0] < 1 || r->version[0] > NEWEST_MAJOR)
        return reader_refuse(r, "written by XGBoost %d.%d.%d; 1.0 to %d.x are read", r->version[0],
                             r->version[1], r->version[2], NEWEST_MAJOR);
    return true;
}

static bool take_file(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "learner") && !r->has_params)
            take_learner(r);
        else if (json_text_equals(&key, "version") && !r->has_version)
            take_version(r);
        else if (json_text_equals(&key, "Model") || json_text_equals(&key, "Config"))
            reader_refuse(r, "a pickled snapshot with its configuration; save the model with "
                             "Booster.save_model");
        else
            reader_refuse(r, "unknown field %.*s at the top: not an XGBoost model", (int)key.len,
                          key.data);
    }
    if (reader_is_well(r) && !document_end(&r->d))
        reader_refuse(r, "bytes behind the end of the model");
    return reader_is_well(r) || reader_refuse(r, "the file is damaged or cut off");
}

/* ---- together */

/* src/common/categorical.h at each tag. */
static enum category_rule rule_of(const int version[3])
{
    if (version_is_before(version, 1, 6, 0))
        return CATEGORY_TRUNCATED;
    return version_is_before(version, 1, 7, 3) ? CATEGORY_BEYOND_IS_DEFAULT
                                               : CATEGORY_BEYOND_IS_LEFT;
}

static bool check_outputs(struct reader *r)
{
    const char *objective = r->parts->objective;
    bool is_multi = strncmp(objective, "multi:", 6) == 0;

    if (r->class_count > 1 && r->target_count > 1)
        return reader_refuse(r, "%lld classes of %lld targets", (long long)r->class_count,
                             (long long)r->target_count);
    if (is_multi && r->class_count == 0)
        return reader_refuse(r, "objective %s without num_class", objective);
    if (r->objective_outputs != 0 && r->objective_outputs != (int64_t)reader_output_count(r))
        return reader_refuse(r, "objective %s is of %lld outputs, the model has %zu", objective,
                             (long long)r->objective_outputs, reader_output_count(r));
    return true;
}

static bool check_whole(struct reader *r)
{
    struct model_parts *p = r->parts;
    struct objective objective;

    if (!r->has_version || !r->has_params || !r->has_objective || !r->booster[0])
        return reader_refuse(r, "not a whole XGBoost model: %s is missing",
                             !r->has_version     ? "version"
                             : !r->has_params    ? "learner_model_param"
                             : !r->has_objective ? "objective"
                                                 : "gradient_booster.name");
    if (r->feature_count == 0)
        return reader_refuse(r, "num_feature is missing");
    if (!objective_find(&objective, p->objective, r->version))
        return reader_refuse(r, "objective %s is not known to this version", p->objective);
    if (r->name_count != 0 && r->name_count != (size_t)r->feature_count)
        return reader_refuse(r, "%zu feature names for %lld features", r->name_count,
                             (long long)r->feature_count);
    p->trees->category = rule_of(r->version);
    p->link = objective_link(&objective, reader_output_count(r));
    return check_outputs(r) && reader_base_margins(r, &objective) && reader_finish_booster(r);
}

static void keep_names(struct reader *r)
{
    struct model_parts *p = r->parts;

    p->feature_count = (size_t)r->feature_count;
    if (r->name_count == 0)
        return;
    p->names = mem_alloc(p->feature_count, sizeof *p->names);
    for (size_t i = 0; i < r->name_count; i++) {
        p->names[i] = mem_alloc(r->name_texts[i].len + 1, 1);
        if (r->name_texts[i].is_escaped)
            json_unescape(&r->name_texts[i], p->names[i]);
        else
            memcpy(p->names[i], r->name_texts[i].data, r->name_texts[i].len);
    }
}

static bool assemble(struct reader *r)
{
    struct model_parts *p = r->parts;

    if (!check_whole(r))
        return false;
    keep_names(r);
    reader_forget_garbled_texts(r);
    if (r->category_count == p->feature_count) {
        p->categories = r->categories;
        r->categories = NULL;
        r->category_count = 0;
    } else if (r->category_count != 0) {
        return reader_refuse(r, "cats has %zu entries for %zu features", r->category_count,
                             p->feature_count);
    }
    snprintf(p->writer, sizeof p->writer, "XGBoost %d.%d.%d", r->version[0], r->version[1],
             r->version[2]);
    return true;
}

int xgboost_parse(struct model_parts *parts, const char *name, struct slice data,
                  const struct model_options *options, struct err *err)
{
    struct reader r = {.parts = parts,
                       .options = options,
                       .name = name,
                       .err = err,
                       .boost_from_average = 1,
                       .best_iteration = -1,
                       .best_tree_limit = -1};
    bool is_good;

    *parts = (struct model_parts){.trees = trees_new()};
    document_init(&r.d, (const char *)data.data, data.len);
    is_good = take_file(&r) && assemble(&r);
    reader_release_booster(&r);
    free(r.base.items);
    free(r.name_texts);
    category_texts_free(r.categories, r.category_count);
    if (!is_good)
        model_parts_release(parts);
    return is_good ? 0 : -1;
}
