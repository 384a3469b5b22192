#include "scoring/bundle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/ini.h"
#include "core/mem.h"
#include "core/text.h"
#include "scoring/golden.h"

enum { MAX_FILE_BYTES = 1 << 30 };

struct loader {
    struct bundle *b;
    const struct model_options *options;
    struct ini ini;
    struct err *err;
};

static const struct ini_entry *need(struct loader *l, const char *section, const char *name)
{
    const struct ini_entry *entry = ini_find(&l->ini, section, name);

    if (!entry || !*entry->value) {
        ini_fail(&l->ini, entry, l->err, "%s is missing in [%s]", name, section);
        return NULL;
    }
    return entry;
}

static char *copy(const char *text)
{
    return mem_copy_text(text, strlen(text));
}

/* Every key outside of [features] is one of these. */
static int check_keys(struct loader *l)
{
    static const char *const model_keys[] = {"name",   "version",   "format",   "file",
                                             "sha256", "exactness", "tolerance"};
    static const char *const output_keys[] = {"kind", "name", "index", "thresholds", "below"};

    for (size_t i = 0; i < l->ini.count; i++) {
        const struct ini_entry *e = &l->ini.entries[i];
        const char *const *keys = strcmp(e->section, "model") == 0 ? model_keys : output_keys;
        size_t count = keys == model_keys ? sizeof model_keys / sizeof model_keys[0]
                                          : sizeof output_keys / sizeof output_keys[0];
        const char *near;
        bool is_known = false;
        if (ini_refuse_comment(&l->ini, e, l->err) != 0)
            return -1;
        if (strcmp(e->section, "features") == 0)
            continue;
        if (keys == output_keys && strcmp(e->section, "output") != 0)
            return ini_fail(&l->ini, e, l->err,
                            "no section [%s]; there are [model], [output] and [features]",
                            e->section);
        for (size_t k = 0; k < count; k++)
            is_known = is_known || strcmp(keys[k], e->name) == 0;
        near = text_nearest(e->name, keys, count);
        if (!is_known)
            return ini_fail(&l->ini, e, l->err, "[%s] has no key %s%s%s%s", e->section, e->name,
                            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    return 0;
}

/* ---- model */

/* Scores that are only close to the library's are taken where the bundle says that this will do,
 * and how close is close. */
static int load_exactness(struct loader *l)
{
    const struct ini_entry *exactness = ini_find(&l->ini, "model", "exactness");
    const struct ini_entry *tolerance = ini_find(&l->ini, "model", "tolerance");
    const char *reason = model_close_reason(l->b->model);
    bool is_close = exactness && strcmp(exactness->value, "close") == 0;
    size_t len = tolerance ? strlen(tolerance->value) : 0;
    double *value = &l->b->tolerance;

    if (exactness && !is_close && strcmp(exactness->value, "exact") != 0)
        return ini_fail(&l->ini, exactness, l->err, "exactness %s; it can be exact or close",
                        exactness->value);
    if (reason && !is_close)
        return ini_fail(&l->ini, exactness, l->err,
                        "not exact: %s; say exactness = close and a tolerance in [model] if close "
                        "will do",
                        reason);
    if (is_close != (tolerance != NULL))
        return ini_fail(&l->ini, tolerance ? tolerance : exactness, l->err,
                        "exactness = close and tolerance go together");
    if (tolerance && (number_parse(tolerance->value, len, value) != len || len == 0 ||
                      !(*value > 0) || *value > 0.01))
        return ini_fail(&l->ini, tolerance, l->err,
                        "tolerance %s is no number above 0 and up to 0.01", tolerance->value);
    return 0;
}

static int hash_file(const char *folder, const char *name, char hex[SHA256_HEX + 1], char **data,
                     size_t *len, struct err *err)
{
    char *path = file_join(folder, name);
    struct sha256 hash;
    int result = file_read(path, MAX_FILE_BYTES, data, len, err);

    free(path);
    if (result != 0)
        return -1;
    sha256_init(&hash);
    sha256_add(&hash, *data, *len);
    sha256_hex(&hash, hex);
    return 0;
}

static int load_model(struct loader *l)
{
    const struct ini_entry *file = need(l, "model", "file"), *sha = need(l, "model", "sha256");
    const struct ini_entry *format = need(l, "model", "format");
    char hex[SHA256_HEX + 1], *data, *path;
    size_t len;
    int result;

    if (!file || !sha || !format)
        return -1;
    if (strchr(file->value, '/'))
        return ini_fail(&l->ini, file, l->err, "file must lie inside the bundle");
    if (!model_is_format(format->value))
        return ini_fail(&l->ini, format, l->err,
                        "format %s is not read by this version; xgboost, lightgbm, onnx and linear "
                        "are",
                        format->value);
    if (hash_file(l->b->path, file->value, hex, &data, &len, l->err) != 0)
        return err_prefix(l->err, "%s:%d", l->ini.file, file->line);
    if (strcasecmp(hex, sha->value) != 0) {
        free(data);
        return ini_fail(&l->ini, sha, l->err,
                        "%s has sha256 %s: not the file that the bundle was made with", file->value,
                        hex);
    }
    path = file_join(l->b->path, file->value);
    result = model_take(&l->b->model, path, (struct slice){(const uint8_t *)data, len}, l->options,
                        l->err);
    free(path);
    if (result == 0 && strcmp(model_format(l->b->model), format->value) != 0)
        return ini_fail(&l->ini, format, l->err, "format %s, but %s is a model of format %s",
                        format->value, file->value, model_format(l->b->model));
    return result == 0 ? load_exactness(l) : -1;
}

/* ---- output */

static int add_threshold(struct loader *l, const struct ini_entry *entry, const char *text,
                         size_t len)
{
    struct bundle *b = l->b;
    const char *decision;
    size_t taken, decision_len;
    double from;

    text_trim(&text, &len);
    taken = number_parse(text, len, &from);
    decision = text + taken;
    decision_len = len - taken;
    text_trim(&decision, &decision_len);
    if (taken == 0 || decision_len == 0 || decision == text + taken || !isfinite(from))
        return ini_fail(&l->ini, entry, l->err,
                        "\"%.*s\" is no threshold; they look like 0.25 watch, 0.50 late", (int)len,
                        text);
    if (b->threshold_count > 0 && !(from > b->thresholds[b->threshold_count - 1].from))
        return ini_fail(&l->ini, entry, l->err, "thresholds must rise: %.*s", (int)len, text);
    if (b->threshold_count == BUNDLE_MAX_THRESHOLDS)
        return ini_fail(&l->ini, entry, l->err, "more than %d thresholds", BUNDLE_MAX_THRESHOLDS);
    b->thresholds = mem_resize(b->thresholds, b->threshold_count + 1, sizeof *b->thresholds);
    b->thresholds[b->threshold_count++] =
        (struct threshold){from, mem_copy_text(decision, decision_len)};
    return 0;
}

static int load_thresholds(struct loader *l)
{
    const struct ini_entry *entry = ini_find(&l->ini, "output", "thresholds");
    const struct ini_entry *below = ini_find(&l->ini, "output", "below");

    for (const char *p = entry && *entry->value ? entry->value : NULL; p;) {
        const char *comma = strchr(p, ',');
        if (add_threshold(l, entry, p, comma ? (size_t)(comma - p) : strlen(p)) != 0)
            return -1;
        p = comma ? comma + 1 : NULL;
    }
    if ((l->b->threshold_count > 0) != (below && *below->value))
        return ini_fail(&l->ini, below ? below : entry, l->err,
                        "thresholds and below (the decision below the first) go together");
    l->b->below = below && *below->value ? copy(below->value) : NULL;
    return 0;
}

/* Which of several outputs is `score`: nobody can guess. */
static int load_index(struct loader *l)
{
    const struct ini_entry *entry = ini_find(&l->ini, "output", "index");
    struct bundle *b = l->b;
    int64_t index = 0;

    b->output_count =
        b->output == OUTPUT_MARGIN ? model_margin_count(b->model) : model_score_count(b->model);
    if (!entry && b->output_count > 1)
        return ini_fail(&l->ini, NULL, l->err,
                        "the model has %zu outputs: index in [output] says which of them, from 0, "
                        "is the score",
                        b->output_count);
    if (entry &&
        !integer_parse(entry->value, strlen(entry->value), 0, (int64_t)b->output_count - 1, &index))
        return ini_fail(&l->ini, entry, l->err, "index %s: the model has the outputs 0 to %zu",
                        entry->value, b->output_count - 1);
    b->output_index = (size_t)index;
    return 0;
}

static int load_output(struct loader *l)
{
    static const char *const kinds[] = {"probability", "value", "margin"};
    const struct ini_entry *kind = need(l, "output", "kind"), *name = need(l, "output", "name");

    if (!kind || !name)
        return -1;
    l->b->output_name = copy(name->value);
    for (int i = 0; i < 3; i++) {
        if (strcmp(kinds[i], kind->value) == 0) {
            l->b->output = (enum output_kind)i;
            return load_index(l) == 0 ? load_thresholds(l) : -1;
        }
    }
    return ini_fail(&l->ini, kind, l->err, "kind %s; it can be probability, value or margin",
                    kind->value);
}

/* ---- features */

static int load_features(struct loader *l)
{
    struct features *f = &l->b->features;

    f->items = mem_alloc(l->ini.count, sizeof *f->items);
    for (size_t i = 0; i < l->ini.count; i++) {
        const struct ini_entry *e = &l->ini.entries[i];
        if (strcmp(e->section, "features") != 0)
            continue;
        if (feature_parse(&f->items[f->count], e->name, e->value, l->b->path, l->err) != 0)
            return err_prefix(l->err, "%s:%d", l->ini.file, e->line);
        f->count++;
    }
    return f->count > 0 ? 0 : ini_fail(&l->ini, NULL, l->err, "no features in [features]");
}

static bool model_has(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model_feature_count(model); i++)
        if (strcmp(model_feature_name(model, i), name) == 0)
            return true;
    return false;
}

/* Rule 1: a name too many, too few or out of order refuses the bundle. */
static int check_names(struct loader *l)
{
    const struct bundle *b = l->b;
    size_t want = model_feature_count(b->model), have = b->features.count;

    for (size_t i = 0; i < want && i < have && model_feature_name(b->model, 0); i++) {
        const char *stored = model_feature_name(b->model, i), *given = b->features.items[i].name;
        if (strcmp(stored, given) != 0)
            return ini_fail(&l->ini, ini_find(&l->ini, "features", given), l->err,
                            "feature %zu is %s in the model and %s here%s", i + 1, stored, given,
                            model_has(b->model, given) ? ": the order must be the model's"
                                                       : ": the model does not have it");
    }
    if (want == have)
        return 0;
    if (have < want)
        return ini_fail(
            &l->ini, NULL, l->err,
            "%zu features, the model has %zu; the first that is missing is %s", have, want,
            model_feature_name(b->model, have) ? model_feature_name(b->model, have) : "unnamed");
    return ini_fail(&l->ini, ini_find(&l->ini, "features", b->features.items[want].name), l->err,
                    "%zu features, the model has %zu: %s is too many", have, want,
                    b->features.items[want].name);
}

/* Which codes have a value that equals the model's own text. */
struct match {
    const struct model *model;
    size_t feature;
    bool *is_met;
};

static void meet(void *arg, const char *value, size_t len, int32_t code)
{
    struct match *m = arg;
    const char *stored;

    if ((size_t)code >= model_category_count(m->model, m->feature))
        return;
    stored = model_category_text(m->model, m->feature, (size_t)code);
    if (strlen(stored) == len && memcmp(stored, value, len) == 0)
        m->is_met[code] = true;
}

/* A model that stores its category texts must agree with the table, code by code; other spellings
 * may come on top. */
static int check_categories(struct loader *l, size_t i)
{
    const struct bundle *b = l->b;
    const struct feature *f = &b->features.items[i];
    size_t count = model_category_count(b->model, i);
    struct match match = {b->model, i, NULL};
    int result = 0;

    if (count == 0)
        return 0;
    if (!f->table)
        return ini_fail(
            &l->ini, ini_find(&l->ini, "features", f->name), l->err,
            "the model stores %zu category texts for %s: it must be a category with a table", count,
            f->name);
    if (category_code_count(f->table) != count)
        return ini_fail(&l->ini, ini_find(&l->ini, "features", f->name), l->err,
                        "the table of %s has %zu codes, the model stores %zu categories", f->name,
                        category_code_count(f->table), count);
    match.is_met = mem_alloc(count, sizeof *match.is_met);
    category_each(f->table, meet, &match);
    for (size_t code = 0; code < count && result == 0; code++)
        if (!match.is_met[code])
            result = ini_fail(
                &l->ini, ini_find(&l->ini, "features", f->name), l->err,
                "code %zu of %s is \"%s\" in the model; no value of the table with that code is",
                code, f->name, model_category_text(b->model, i, code));
    free(match.is_met);
    return result;
}

/* ---- digest */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The file name behind "category" in a feature's line. */
static char *table_name(const char *line)
{
    const char *start = strrchr(line, ':') + 1, *end;
    size_t len;

    start = strstr(start, "category ") + 9;
    end = strchr(start, ',');
    len = end ? (size_t)(end - start) : strlen(start);
    text_trim(&start, &len);
    return mem_copy_text(start, len);
}

/* Other rounds are other scores. */
static void add_rounds(struct sha256 *hash, const struct model_options *options)
{
    char line[40];

    if (!options || options->rounds == 0)
        return;
    if (options->rounds == ROUNDS_BEST)
        snprintf(line, sizeof line, "rounds best\n");
    else
        snprintf(line, sizeof line, "rounds %lld\n", (long long)options->rounds);
    sha256_add(hash, line, strlen(line));
}

/* Over model.ini, the model file and each table once, sorted by name. */
static int make_digest(struct loader *l)
{
    struct bundle *b = l->b;
    char **names = mem_alloc(b->features.count + 2, sizeof *names), hex[SHA256_HEX + 1], *data;
    size_t count = 0, len;
    struct sha256 hash;
    int result = 0;

    names[count++] = copy("model.ini");
    names[count++] = copy(ini_find(&l->ini, "model", "file")->value);
    for (size_t i = 0; i < b->features.count; i++)
        if (b->features.items[i].table)
            names[count++] =
                table_name(ini_find(&l->ini, "features", b->features.items[i].name)->value);
    qsort(names, count, sizeof *names, by_text);
    sha256_init(&hash);
    for (size_t i = 0; i < count && result == 0; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        result = hash_file(b->path, names[i], hex, &data, &len, l->err);
        if (result != 0)
            break;
        free(data);
        sha256_add(&hash, names[i], strlen(names[i]));
        sha256_add(&hash, " ", 1);
        sha256_add(&hash, hex, SHA256_HEX);
        sha256_add(&hash, "\n", 1);
    }
    add_rounds(&hash, l->options);
    sha256_hex(&hash, b->digest);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return result;
}

/* ---- load */

static int load_all(struct loader *l)
{
    const struct ini_entry *name = need(l, "model", "name"), *version = need(l, "model", "version");

    if (!name || !version || check_keys(l) != 0)
        return -1;
    l->b->name = copy(name->value);
    l->b->version = copy(version->value);
    if (load_model(l) != 0 || load_output(l) != 0 || load_features(l) != 0 || check_names(l) != 0)
        return -1;
    for (size_t i = 0; i < l->b->features.count; i++)
        if (check_categories(l, i) != 0)
            return -1;
    return make_digest(l) == 0 && golden_load(l->b, l->err) == 0 ? golden_rows_run(l->b, l->err)
                                                                 : -1;
}

int bundle_load(struct bundle **bundle, const char *path, const struct model_options *options,
                struct err *err)
{
    struct loader l = {.b = mem_alloc(1, sizeof *l.b), .options = options, .err = err};
    char *ini_path = file_join(path, "model.ini");
    int result = ini_load(&l.ini, ini_path, EXIT_DATA, err);

    free(ini_path);
    l.b->path = copy(path);
    if (result == 0) {
        result = load_all(&l);
        ini_release(&l.ini);
    }
    if (result != 0) {
        bundle_free(l.b);
        l.b = NULL;
    }
    *bundle = l.b;
    return result;
}

void bundle_free(struct bundle *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->threshold_count; i++)
        free(b->thresholds[i].decision);
    for (size_t i = 0; i < b->golden_count; i++) {
        free(b->goldens[i].row);
        free(b->goldens[i].margins);
        free(b->goldens[i].scores);
        free(b->goldens[i].event);
    }
    free(b->thresholds);
    free(b->goldens);
    free(b->path);
    free(b->name);
    free(b->version);
    free(b->output_name);
    free(b->below);
    features_release(&b->features);
    model_free(b->model);
    free(b);
}

size_t bundle_decide(const struct bundle *b, double score)
{
    size_t i = 0;

    while (i < b->threshold_count && score >= b->thresholds[i].from)
        i++;
    return i;
}

const char *bundle_decision_name(const struct bundle *b, size_t i)
{
    return i == 0 ? b->below : b->thresholds[i - 1].decision;
}
