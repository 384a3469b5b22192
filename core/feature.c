#include "core/feature.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

void path_release(struct path *path)
{
    for (size_t i = 0; i < path->step_count; i++)
        free(path->steps[i].name);
    free(path->steps);
    free(path->text);
    *path = (struct path){0};
}

const char *path_name(const struct path *path)
{
    for (size_t i = path->step_count; i-- > 0;)
        if (path->steps[i].kind != STEP_INDEX)
            return path->steps[i].name;
    return "";
}

static void features_free_one(struct feature *feature)
{
    for (size_t i = 0; i < feature->path_count; i++)
        path_release(&feature->paths[i]);
    free(feature->paths);
    free(feature->name);
    category_free(feature->table);
    *feature = (struct feature){0};
}

void features_release(struct features *features)
{
    for (size_t i = 0; i < features->count; i++)
        features_free_one(&features->items[i]);
    free(features->items);
    *features = (struct features){0};
}

void feature_print_missing(char out[FEATURE_WORDS_MAX], const struct feature *f)
{
    if (f->required)
        snprintf(out, FEATURE_WORDS_MAX, "dead letter missing_field");
    else if (isnan(f->missing))
        snprintf(out, FEATURE_WORDS_MAX, "missing");
    else
        snprintf(out, FEATURE_WORDS_MAX, "%.9g", (double)f->missing);
}

static struct step *add_step(struct path *path, enum step_kind kind, const char *name, size_t len)
{
    struct step *step;

    path->steps = mem_resize(path->steps, path->step_count + 1, sizeof *path->steps);
    step = &path->steps[path->step_count++];
    *step = (struct step){.kind = kind, .name = NULL, .name_len = len};
    if (kind != STEP_INDEX)
        step->name = mem_copy_text(name, len);
    return step;
}

/* Takes [3] or ["k"] at text[*at]; false when it is malformed. */
static bool take_bracket(struct path *path, const char *text, size_t len, size_t *at)
{
    const char *inside = text + *at + 1, *end = text + len;
    int64_t index;

    if (inside < end && *inside == '"') {
        const char *close = memchr(inside + 1, '"', (size_t)(end - inside - 1));
        if (!close || close + 1 == end || close[1] != ']')
            return false;
        add_step(path, STEP_KEY, inside + 1, (size_t)(close - inside - 1));
        *at = (size_t)(close + 2 - text);
        return true;
    }
    const char *close = memchr(inside, ']', (size_t)(end - inside));
    if (!close || *inside == '-' ||
        !integer_parse(inside, (size_t)(close - inside), 0, 1000000, &index))
        return false;
    add_step(path, STEP_INDEX, NULL, 0)->index = (size_t)index;
    *at = (size_t)(close + 1 - text);
    return true;
}

int path_parse(struct path *path, const char *text, size_t len, struct err *err)
{
    enum { MAX_STEPS = 32 };
    size_t at = 0;

    *path = (struct path){.text = mem_copy_text(text, len)};
    for (bool is_name_due = true; is_name_due || at < len;) {
        size_t name_len = 0;
        bool ok;
        if (is_name_due) {
            while (at + name_len < len && text[at + name_len] != '.' && text[at + name_len] != '[')
                name_len++;
            ok = name_len > 0;
            add_step(path, STEP_FIELD, text + at, name_len);
            at += name_len;
            is_name_due = false;
        } else if (text[at] == '.') {
            ok = is_name_due = true;
            at++;
        } else {
            ok = text[at] == '[' && take_bracket(path, text, len, &at);
        }
        if (!ok || path->step_count > MAX_STEPS) {
            err_fatal(err, EXIT_DATA,
                      "\"%s\" is not a path; paths look like a.b, a[0] or a[\"key\"]", path->text);
            path_release(path);
            return -1;
        }
    }
    return 0;
}

static bool word_is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool word_starts(const char *text, size_t len, const char *word)
{
    return len > strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

static int take_type(struct feature *f, const char *text, size_t len, const char *folder,
                     struct err *err)
{
    char *name, *path;
    int result;

    if (word_is(text, len, "number")) {
        f->type = FEATURE_NUMBER;
        return 0;
    }
    if (word_is(text, len, "boolean")) {
        f->type = FEATURE_BOOLEAN;
        return 0;
    }
    if (!word_starts(text, len, "category "))
        return err_fatal(err, EXIT_DATA,
                         "\"%.*s\" is no type; it is number, boolean or category TABLE.csv",
                         (int)len, text);
    f->type = FEATURE_CATEGORY;
    text += 9;
    len -= 9;
    text_trim(&text, &len);
    if (memchr(text, '/', len))
        return err_fatal(err, EXIT_DATA, "table %.*s must lie inside the bundle", (int)len, text);
    name = mem_copy_text(text, len);
    path = file_join(folder, name);
    result = category_load(&f->table, path, err);
    free(path);
    free(name);
    return result;
}

/* One of: required, optional, default N, unknown as error, unknown as missing. */
static int take_policy(struct feature *f, const char *text, size_t len, bool *has_missing,
                       bool *has_unknown, struct err *err)
{
    double number;
    bool is_unknown = word_starts(text, len, "unknown as ");
    bool *twice = is_unknown ? has_unknown : has_missing;

    if (*twice)
        return err_fatal(err, EXIT_DATA, "\"%.*s\" says again what was said before it", (int)len,
                         text);
    *twice = true;
    if (word_is(text, len, "required")) {
        f->required = true;
    } else if (word_is(text, len, "optional")) {
        f->missing = NAN;
    } else if (word_starts(text, len, "default ") &&
               number_parse(text + 8, len - 8, &number) == len - 8 && isfinite((float)number)) {
        f->missing = (float)number;
    } else if (f->type == FEATURE_CATEGORY && word_is(text, len, "unknown as error")) {
        f->unknown_is_missing = false;
    } else if (f->type == FEATURE_CATEGORY && word_is(text, len, "unknown as missing")) {
        f->unknown_is_missing = true;
    } else {
        return err_fatal(
            err, EXIT_DATA, "\"%.*s\" is no policy; required, optional or default N%s", (int)len,
            text,
            f->type == FEATURE_CATEGORY ? ", and unknown as error or unknown as missing" : "");
    }
    return 0;
}

/* What is left of a text whose parts stand between separators. */
struct parts {
    const char *text, *end;
    char separator;
};

/* The separator, or NULL; a key in quotes, ["a|b"], may hold it. */
static const char *find_separator(const struct parts *parts)
{
    bool is_key = false;

    for (const char *p = parts->text; p < parts->end; p++) {
        if (is_key)
            is_key = *p != '"';
        else if (*p == '"' && p > parts->text && p[-1] == '[')
            is_key = true;
        else if (*p == parts->separator)
            return p;
    }
    return NULL;
}

static bool next_part(struct parts *parts, const char **part, size_t *len)
{
    const char *stop;

    if (!parts->text)
        return false;
    stop = find_separator(parts);
    *part = parts->text;
    *len = (size_t)((stop ? stop : parts->end) - parts->text);
    text_trim(part, len);
    parts->text = stop ? stop + 1 : NULL;
    return true;
}

static int take_paths(struct feature *f, const char *text, size_t len, struct err *err)
{
    struct parts parts = {text, text + len, '|'};
    const char *part;
    size_t part_len;

    while (next_part(&parts, &part, &part_len)) {
        f->paths = mem_resize(f->paths, f->path_count + 1, sizeof *f->paths);
        if (path_parse(&f->paths[f->path_count], part, part_len, err) != 0)
            return -1;
        f->path_count++;
    }
    return 0;
}

static int take_rest(struct feature *f, const char *text, size_t len, const char *folder,
                     struct err *err)
{
    struct parts parts = {text, text + len, ','};
    bool has_missing = false, has_unknown = false;
    const char *part;
    size_t part_len;

    next_part(&parts, &part, &part_len);
    if (take_type(f, part, part_len, folder, err) != 0)
        return -1;
    while (next_part(&parts, &part, &part_len))
        if (take_policy(f, part, part_len, &has_missing, &has_unknown, err) != 0)
            return -1;
    if (!has_missing)
        return err_fatal(err, EXIT_DATA, "one of required, optional or default N must be written");
    if (f->table && !f->required && !isnan(f->missing) &&
        (f->missing != floorf(f->missing) || f->missing < 0 ||
         f->missing >= (float)category_code_count(f->table)))
        return err_fatal(err, EXIT_DATA, "default of a category must be one of its codes, 0 to %zu",
                         category_code_count(f->table) - 1);
    return 0;
}

int feature_parse(struct feature *feature, const char *name, const char *text, const char *folder,
                  struct err *err)
{
    const char *colon = strrchr(text, ':');

    *feature = (struct feature){.name = mem_copy_text(name, strlen(name)), .missing = NAN};
    if (!colon)
        err_fatal(
            err, EXIT_DATA,
            "expected PATH [| PATH ...] : TYPE, POLICY, such as weather.temp : number, optional");
    else if (take_paths(feature, text, (size_t)(colon - text), err) == 0 &&
             take_rest(feature, colon + 1, strlen(colon + 1), folder, err) == 0)
        return 0;
    err_prefix(err, "feature %s", name);
    features_free_one(feature);
    return -1;
}
