/* lightgbm.c: the file line by line, from the first to the last. */
#include "scoring/lightgbm.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "scoring/lightgbm_reader.h"

bool lightgbm_refuse(struct lightgbm *r, const char *format, ...)
{
    char what[400];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    for (char *p = what; *p; p++) /* texts of the file are part of it */
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    err_fatal(r->err, EXIT_DATA, "%s: line %zu: %s", r->name, r->line, what);
    return false;
}

/* ---- lines and words */

bool lightgbm_line(struct lightgbm *r, struct text *line)
{
    const char *stop;

    if (r->at == r->end)
        return false;
    stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    *line = (struct text){r->at, (size_t)((stop ? stop : r->end) - r->at)};
    r->at = stop ? stop + 1 : r->end;
    r->line++;
    if (line->len > 0 && line->text[line->len - 1] == '\r')
        line->len--;
    return true;
}

struct text lightgbm_key(struct text line, struct text *value)
{
    const char *equals = memchr(line.text, '=', line.len);

    *value = (struct text){NULL, 0};
    if (!equals)
        return line;
    *value = (struct text){equals + 1, (size_t)(line.text + line.len - equals - 1)};
    return (struct text){line.text, (size_t)(equals - line.text)};
}

bool text_is(struct text text, const char *literal)
{
    return text.len == strlen(literal) && memcmp(text.text, literal, text.len) == 0;
}

static bool begins_with(struct text text, const char *literal)
{
    return text.len >= strlen(literal) && memcmp(text.text, literal, strlen(literal)) == 0;
}

static void skip_blanks(struct text *list)
{
    while (list->len > 0 && *list->text == ' ') {
        list->text++;
        list->len--;
    }
}

bool lightgbm_is_over(struct text list)
{
    skip_blanks(&list);
    return list.len == 0;
}

struct text lightgbm_word(struct text *list)
{
    struct text word;

    skip_blanks(list);
    word = (struct text){list->text, 0};
    if (list->len == 0) /* perhaps not there at all: NULL, to which nothing may be added */
        return word;
    while (word.len < list->len && word.text[word.len] != ' ')
        word.len++;
    list->text += word.len;
    list->len -= word.len;
    return word;
}

bool lightgbm_int(struct text *list, int64_t low, int64_t high, int64_t *value)
{
    enum { MAX_DIGITS = 11 }; /* more than any whole number of the library has */
    const char *p, *end, *digits;
    int64_t v = 0;

    skip_blanks(list);
    if (list->len == 0)
        return false;
    end = list->text + list->len;
    digits = p = list->text + (*list->text == '-');
    while (p < end && *p >= '0' && *p <= '9' && p - digits < MAX_DIGITS)
        v = v * 10 + (*p++ - '0');
    if (p == digits || (p < end && *p != ' '))
        return false;
    *value = digits > list->text ? -v : v;
    list->len = (size_t)(end - p);
    list->text = p;
    return *value >= low && *value <= high;
}

static bool special_double(struct text word, double *value)
{
    bool is_negative = word.len > 0 && *word.text == '-';

    word.text += is_negative;
    word.len -= is_negative;
    if (!text_is(word, "inf") && !text_is(word, "nan"))
        return false;
    *value = *word.text == 'n' ? NAN : (double)INFINITY;
    *value = is_negative ? -*value : *value;
    return true;
}

bool lightgbm_double(struct text *list, double *value)
{
    size_t len;

    skip_blanks(list);
    if (list->len == 0)
        return false;
    len = number_parse(list->text, list->len, value);
    if (len == 0)
        return special_double(lightgbm_word(list), value);
    list->text += len;
    list->len -= len;
    return list->len == 0 || *list->text == ' ';
}

/* ---- header */

struct header {
    struct text version, class_count, output_count, feature_max, average, ignored;
};

static bool take_header_line(struct lightgbm *r, struct header *h, struct text line)
{
    const struct {
        const char *key;
        struct text *place;
    } keys[] = {{"version", &h->version},
                {"num_class", &h->class_count},
                {"num_tree_per_iteration", &h->output_count},
                {"max_feature_idx", &h->feature_max},
                {"objective", &r->objective},
                {"average_output", &h->average},
                {"feature_names", &r->names},
                {"feature_infos", &r->infos},
                {"tree_sizes", &r->sizes},
                {"label_index", &h->ignored}, /* of the data that it was trained with */
                {"monotone_constraints", &h->ignored}};
    struct text value, key = lightgbm_key(line, &value);

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!text_is(key, keys[i].key))
            continue;
        if ((value.text == NULL) != (keys[i].place == &h->average))
            return lightgbm_refuse(r, "expected %s%s", keys[i].key, value.text ? "" : "=...");
        if (keys[i].place->text && keys[i].place != &h->ignored)
            return lightgbm_refuse(r, "%s comes twice", keys[i].key);
        *keys[i].place = value.text ? value : line;
        return true;
    }
    return lightgbm_refuse(r, "unknown field %.*s", (int)(key.len < 80 ? key.len : 80), key.text);
}

static bool header_number(struct lightgbm *r, const char *what, struct text text, int64_t high,
                          int64_t *value)
{
    if (!text.text)
        return lightgbm_refuse(r, "no %s in the header", what);
    return (lightgbm_int(&text, 0, high, value) && lightgbm_is_over(text)) ||
           lightgbm_refuse(r, "%s is no number from 0 to %lld", what, (long long)high);
}

static bool check_header(struct lightgbm *r, const struct header *h)
{
    int64_t version = 0, class_count;
    struct text number = h->version;

    if (!h->version.text)
        return lightgbm_refuse(r, "no version in the header: written before LightGBM 2.0.12; v2 "
                                  "to v4 are read");
    if (number.len > 1 && *number.text == 'v') {
        number.text++;
        number.len--;
        if (!lightgbm_int(&number, 0, 1000, &version) || number.len > 0)
            version = 0;
    }
    if (version < 2 || version > 4)
        return lightgbm_refuse(r, "version=%.*s; v2 to v4 are read",
                               (int)(h->version.len < 20 ? h->version.len : 20), h->version.text);
    r->version = (int)version;
    r->is_average = h->average.text != NULL;
    if (!header_number(r, "num_class", h->class_count, LIGHTGBM_MAX_OUTPUTS, &class_count) ||
        !header_number(r, "num_tree_per_iteration", h->output_count, LIGHTGBM_MAX_OUTPUTS,
                       &r->output_count) ||
        !header_number(r, "max_feature_idx", h->feature_max, LIGHTGBM_MAX_FEATURES - 1,
                       &r->feature_count))
        return false;
    r->feature_count++;
    if (r->output_count == 0)
        return lightgbm_refuse(r, "num_tree_per_iteration=0");
    return (r->names.text && r->infos.text) ||
           lightgbm_refuse(r, "no %s in the header",
                           r->names.text ? "feature_infos" : "feature_names");
}

/* Up to the first tree, or what comes where there is none. */
static bool take_header(struct lightgbm *r)
{
    struct header h = {0};
    struct text line = {0};

    lightgbm_line(r, &line); /* "tree" */
    for (;;) {
        const char *start = r->at;
        if (!lightgbm_line(r, &line) || begins_with(line, "Tree=") ||
            text_is(line, "end of trees") || text_is(line, "feature importances:")) {
            r->line -= r->at != start;
            r->at = start;
            return check_header(r, &h);
        }
        if (line.len > 0 && !take_header_line(r, &h, line))
            return false;
    }
}

/* ---- trees */

static bool take_trees(struct lightgbm *r)
{
    struct text line;
    int64_t number;

    while (lightgbm_line(r, &line)) {
        if (line.len == 0)
            continue;
        r->has_end_of_trees = text_is(line, "end of trees");
        if (r->has_end_of_trees || (r->version == 2 && text_is(line, "feature importances:")))
            return true;
        if (!begins_with(line, "Tree="))
            return lightgbm_refuse(r, "expected a tree or the end of the trees");
        line = (struct text){line.text + 5, line.len - 5};
        if (!lightgbm_int(&line, 0, INT32_MAX, &number) || line.len > 0 ||
            number != (int64_t)r->parts->trees->count)
            return lightgbm_refuse(r, "expected Tree=%zu: trees are out of order",
                                   r->parts->trees->count);
        if (!lightgbm_take_tree(r))
            return false;
    }
    return lightgbm_refuse(r, "the file is cut off: no end of trees");
}

/* ---- behind the trees */

static bool take_value(struct text line, const char *key, struct text *value)
{
    if (!begins_with(line, key))
        return false;
    *value = (struct text){line.text + strlen(key), line.len - strlen(key)};
    return true;
}

/* Nothing here changes a margin. Parameters tell versions apart; they lie between their own two
 * lines, and names of features in front. */
static bool take_rest(struct lightgbm *r)
{
    bool is_in_parameters = false;
    struct text line, ignored;

    while (lightgbm_line(r, &line)) {
        if (text_is(line, "parameters:"))
            is_in_parameters = r->has_parameters = true;
        else if (text_is(line, "end of parameters"))
            is_in_parameters = false;
        else if (is_in_parameters && take_value(line, "[precise_float_parser: ", &ignored))
            r->has_float_parser = true;
        else if (is_in_parameters)
            take_value(line, "[categorical_feature: ", &r->categorical_feature);
        else
            take_value(line, "pandas_categorical:", &r->pandas);
    }
    return !is_in_parameters || lightgbm_refuse(r, "the file is cut off: no end of parameters");
}

/* ---- together */

static bool check_count(struct lightgbm *r)
{
    size_t count = r->parts->trees->count, claimed = 0;
    struct text sizes = r->sizes;

    /* The sizes themselves go stale when a file is edited, and nothing here needs them. */
    while (lightgbm_word(&sizes).len > 0)
        claimed++;
    if (r->sizes.text && claimed != count)
        return lightgbm_refuse(r, "%zu trees, tree_sizes has %zu", count, claimed);
    return count % (size_t)r->output_count == 0 ||
           lightgbm_refuse(r, "%zu trees are no multiple of num_tree_per_iteration=%lld", count,
                           (long long)r->output_count);
}

static bool keep_rounds(struct lightgbm *r, size_t *iterations)
{
    int64_t rounds = r->options->rounds;

    *iterations = r->parts->trees->count / (size_t)r->output_count;
    if (rounds == ROUNDS_BEST)
        return lightgbm_refuse(r, "a LightGBM file does not say which iteration was best: "
                                  "save_model writes the trees up to it, so use all");
    if (rounds > (int64_t)*iterations)
        return lightgbm_refuse(r, "%lld rounds of a model that has %zu", (long long)rounds,
                               *iterations);
    if (rounds > 0) {
        *iterations = (size_t)rounds;
        trees_keep(r->parts->trees, *iterations * (size_t)r->output_count);
    }
    return true;
}

static bool parse(struct lightgbm *r)
{
    struct trees *t = r->parts->trees;
    size_t iterations;

    if (!take_header(r))
        return false;
    r->parts->feature_count = (size_t)r->feature_count;
    snprintf(r->parts->writer, sizeof r->parts->writer, "LightGBM v%d", r->version);
    /* names first: that there are as many words bounds what feature_count allocates */
    if (!lightgbm_take_names(r))
        return false;
    trees_set_shape(t, (size_t)r->feature_count, (size_t)r->output_count);
    t->sum = SUM_DOUBLE;
    t->category = CATEGORY_TRUNCATED;
    t->tiny_is_zero = true;
    return take_trees(r) && take_rest(r) && check_count(r) && keep_rounds(r, &iterations) &&
           lightgbm_link(r, iterations) && lightgbm_take_categories(r);
}

bool lightgbm_is(struct slice data)
{
    return data.len >= 6 &&
           (memcmp(data.data, "tree\n", 5) == 0 || memcmp(data.data, "tree\r\n", 6) == 0);
}

int lightgbm_parse(struct model_parts *parts, const char *name, struct slice data,
                   const struct model_options *options, struct err *err)
{
    struct lightgbm r = {.parts = parts,
                         .options = options,
                         .name = name,
                         .err = err,
                         .at = (const char *)data.data,
                         .end = (const char *)data.data + data.len};
    bool is_good;

    *parts = (struct model_parts){.trees = trees_new()};
    r.is_linear = memmem(data.data, data.len, "\nis_linear=1", 12) != NULL;
    is_good = parse(&r);
    free(r.nodes);
    free(r.used_sets);
    if (!is_good)
        model_parts_release(parts);
    return is_good ? 0 : -1;
}
