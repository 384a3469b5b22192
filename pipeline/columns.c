#include "pipeline/columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

static struct path flat_path(const char *text)
{
    size_t len = strlen(text);
    struct path path = {.text = mem_copy_text(text, len), .step_count = 1};

    path.steps = mem_alloc(1, sizeof *path.steps);
    path.steps[0] =
        (struct step){.kind = STEP_FIELD, .name = mem_copy_text(text, len), .name_len = len};
    return path;
}

void columns_init(struct columns *columns, const struct features *features)
{
    *columns = (struct columns){.features.count = features->count};
    columns->features.items = mem_alloc(features->count, sizeof(struct feature));
    for (size_t i = 0; i < features->count; i++) {
        struct feature *copy = &columns->features.items[i];
        *copy = features->items[i];
        copy->name = mem_copy_text(copy->name, strlen(copy->name));
        copy->paths = mem_alloc(copy->path_count, sizeof *copy->paths);
        for (size_t k = 0; k < copy->path_count; k++)
            copy->paths[k] = flat_path(features->items[i].paths[k].text);
    }
}

void columns_release(struct columns *columns)
{
    for (size_t i = 0; i < columns->features.count; i++)
        columns->features.items[i].table = NULL; /* the bundle's */
    features_release(&columns->features);
    for (size_t i = 0; i < columns->count; i++)
        free(columns->items[i].key);
    free(columns->items);
    free(columns->json);
    *columns = (struct columns){0};
}

/* Takes the cell at *at (RFC 4180: plain, or in quotes with "" for a quote) into out; *at moves
 * behind the comma, or to NULL after the last. False when a quote is not closed. */
static bool take_cell(const char **at, const char *end, char *out, size_t *len)
{
    const char *p = *at;
    bool is_quoted = p < end && *p == '"';

    *len = 0;
    for (p += is_quoted; p < end; p++) {
        if (is_quoted && *p == '"') {
            if (p + 1 == end || p[1] != '"')
                break;
            p++;
        } else if (!is_quoted && *p == ',') {
            break;
        }
        out[(*len)++] = *p;
    }
    if (is_quoted && (p == end || (p + 1 < end && p[1] != ',')))
        return false;
    p += is_quoted;
    *at = p < end ? p + 1 : NULL;
    return true;
}

static void bind_column(const struct columns *columns, struct column *column, const char *name,
                        size_t len)
{
    for (size_t i = columns->features.count; i-- > 0;) {
        const struct feature *f = &columns->features.items[i];
        for (size_t k = 0; k < f->path_count; k++) {
            if (f->paths[k].steps[0].name_len == len &&
                memcmp(f->paths[k].steps[0].name, name, len) == 0) {
                column->type = f->type;
                column->is_used = true;
            }
        }
    }
}

int columns_read_heading(struct columns *columns, const char *line, size_t len, struct err *err)
{
    char *name = mem_alloc(len + 1, 1), *key = mem_alloc(JSON_STRING_MAX(len), 1);
    const char *at = line, *end = line + len;
    size_t name_len, cap = 0, used = 0;

    if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
        at += 3; /* the byte order mark of spreadsheets is no part of the first name */
    while (at && !err_is_set(err)) {
        struct column column = {0};
        if (!take_cell(&at, end, name, &name_len)) {
            err_fatal(err, EXIT_DATA, "CSV heading: a quote is not closed");
            break;
        }
        column.key_len = json_string_print(key, name, name_len);
        column.key = mem_copy_text(key, column.key_len);
        bind_column(columns, &column, name, name_len);
        used += column.is_used;
        for (size_t i = 0; i < columns->count; i++)
            if (column.is_used && strcmp(columns->items[i].key, column.key) == 0)
                err_fatal(err, EXIT_DATA, "CSV heading: column %s comes twice", column.key);
        columns->items = mem_grow(columns->items, columns->count, &cap, sizeof *columns->items);
        columns->items[columns->count++] = column;
    }
    if (used == 0)
        err_fatal(err, EXIT_DATA,
                  "CSV heading: no column feeds a feature; the first line names them, such as %s",
                  columns->features.count ? columns->features.items[0].paths[0].text : "");
    free(name);
    free(key);
    return err_is_set(err) ? -1 : 0;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* The cell as JSON: empty and nan are null; what the feature's type cannot be stays a string, for
 * the decoder to refuse. */
static size_t print_value(char *out, enum feature_type type, const char *cell, size_t len)
{
    double number;
    bool is_plain = false;

    if (len == 0 ||
        (type != FEATURE_CATEGORY && (is_word(cell, len, "nan") || is_word(cell, len, "NaN")))) {
        memcpy(out, "null", 4);
        return 4;
    }
    if (type == FEATURE_NUMBER)
        is_plain = number_parse(cell, len, &number) == len;
    else if (type == FEATURE_BOOLEAN)
        is_plain = is_word(cell, len, "true") || is_word(cell, len, "false");
    if (!is_plain)
        return json_string_print(out, cell, len);
    memcpy(out, cell, len);
    return len;
}

bool columns_to_json(struct columns *columns, const char *line, size_t len, struct slice *event)
{
    size_t need = JSON_STRING_MAX(len) + len + 16, cell_len;
    const char *at = line, *end = line + len;
    char *cell, *o;

    for (size_t i = 0; i < columns->count; i++)
        need += columns->items[i].key_len + 8;
    if (need > columns->json_cap) {
        columns->json = mem_resize(columns->json, need * 2, 1);
        columns->json_cap = need * 2;
    }
    cell = columns->json + columns->json_cap - len; /* unescaped cells, behind the event */
    o = columns->json;
    *o++ = '{';
    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->items[i];
        if (!at || !take_cell(&at, end, cell, &cell_len))
            return false;
        if (!column->is_used)
            continue;
        if (o[-1] != '{')
            *o++ = ',';
        memcpy(o, column->key, column->key_len);
        o += column->key_len;
        *o++ = ':';
        o += print_value(o, column->type, cell, cell_len);
    }
    *o++ = '}';
    *event = (struct slice){(const uint8_t *)columns->json, (size_t)(o - columns->json)};
    return at == NULL;
}

static struct category *texts_of(const struct model *model, size_t feature)
{
    size_t count = model_category_count(model, feature);
    struct category *table = count ? category_new() : NULL;

    for (size_t code = 0; code < count; code++) {
        const char *text = model_category_text(model, feature, code);
        category_add(table, text, strlen(text), (int32_t)code);
    }
    return table;
}

void columns_of_model(struct features *features, const struct model *model)
{
    features->count = model_feature_count(model);
    features->items = mem_alloc(features->count, sizeof *features->items);
    for (size_t i = 0; i < features->count; i++) {
        struct feature *f = &features->items[i];
        const char *stored = model_feature_name(model, i);
        char name[32];
        snprintf(name, sizeof name, "f%zu", i);
        *f = (struct feature){
            .name = mem_copy_text(stored ? stored : name, strlen(stored ? stored : name)),
            .path_count = 1,
            .missing = NAN,
            .table = texts_of(model, i)};
        f->type = f->table ? FEATURE_CATEGORY : FEATURE_NUMBER;
        f->paths = mem_alloc(1, sizeof *f->paths);
        f->paths[0] = flat_path(f->name);
    }
}
