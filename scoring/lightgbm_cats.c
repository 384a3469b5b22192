#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "scoring/lightgbm_reader.h"

/* ---- names */

static size_t count_words(struct text list)
{
    size_t count = 0;

    while (lightgbm_word(&list).len > 0)
        count++;
    return count;
}

/* Column_0, Column_1, ...: what the library calls the columns of an array. */
static bool is_made_up(struct text list)
{
    for (int64_t i = 0;; i++) {
        struct text word = lightgbm_word(&list), number = {word.text + 7, word.len - 7};
        int64_t value;
        if (word.len == 0)
            return true;
        if (word.len < 8 || memcmp(word.text, "Column_", 7) != 0 ||
            !lightgbm_int(&number, 0, INT32_MAX, &value) || number.len > 0 || value != i)
            return false;
    }
}

bool lightgbm_take_names(struct lightgbm *r)
{
    struct text list = r->names;
    size_t count = (size_t)r->feature_count;

    if (count_words(r->names) != count || count_words(r->infos) != count)
        return lightgbm_refuse(r,
                               "feature_names has %zu words, feature_infos %zu, "
                               "max_feature_idx + 1 is %zu",
                               count_words(r->names), count_words(r->infos), count);
    if (memchr(list.text, '\0', list.len))
        return lightgbm_refuse(r, "a zero byte in feature_names");
    if (is_made_up(list))
        return true;
    r->parts->names = mem_alloc(count, sizeof *r->parts->names);
    for (size_t i = 0; i < count; i++) {
        struct text word = lightgbm_word(&list);
        r->parts->names[i] = mem_copy_text(word.text, word.len);
    }
    return true;
}

/* ---- category texts */

/* What pandas_categorical lists: for each column of that type, in the columns' order. */
struct columns {
    struct category_texts *lists;
    size_t count, cap;
};

static void take_category(struct json *j, struct category_texts *list, size_t *cap)
{
    struct json_text text;
    char *copy;

    if (json_peek(j) == JSON_STRING) {
        if (!json_take_string(j, &text))
            return;
        copy = mem_alloc(text.len + 1, 1);
        json_unescape(&text, copy);
    } else { /* a number as the file writes it */
        const char *start = j->at;
        if (json_peek(j) == JSON_ARRAY || json_peek(j) == JSON_OBJECT || !json_skip(j)) {
            json_fail(j, JSON_BAD);
            return;
        }
        copy = mem_copy_text(start, (size_t)(j->at - start));
    }
    list->items = mem_grow(list->items, list->count, cap, sizeof *list->items);
    list->items[list->count++] = copy;
}

static bool take_columns(struct lightgbm *r, struct columns *c)
{
    struct json j;

    json_init(&j, r->pandas.text, r->pandas.len, 4);
    j.allow_nan = true;
    for (json_enter_array(&j); json_item(&j);) {
        size_t cap = 0;
        c->lists = mem_grow(c->lists, c->count, &c->cap, sizeof *c->lists);
        c->lists[c->count] = (struct category_texts){0};
        for (json_enter_array(&j); json_item(&j);)
            take_category(&j, &c->lists[c->count], &cap);
        c->count++;
    }
    return json_end(&j) || lightgbm_refuse(r, "pandas_categorical is damaged: byte %zu of its JSON",
                                           (size_t)(j.at - j.start));
}

/* Numbers 0, 1, 2, ...: their codes are they themselves, and an event has them as numbers. */
static bool is_code(const struct category_texts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct text item = {list->items[i], strlen(list->items[i])};
        int64_t value;
        if (!lightgbm_int(&item, 0, INT32_MAX, &value) || item.len > 0 || value != (int64_t)i)
            return false;
    }
    return true;
}

/* ---- whose they are */

/* The next of a list that is divided by something else than blanks. */
static bool next_number(struct text *list, char divider, int64_t *value)
{
    const char *stop = memchr(list->text, divider, list->len);
    struct text item = {list->text, stop ? (size_t)(stop - list->text) : list->len};
    size_t taken = item.len + (stop != NULL);

    list->text += taken;
    list->len -= taken;
    return lightgbm_int(&item, -1, INT32_MAX, value) && item.len == 0;
}

/* feature_infos: [low:high] is a number, none a constant, 3:0:7 categories. The highest of them, -1
 * for what is no category. */
static int64_t highest_category(struct text info)
{
    int64_t highest = -1, value;

    while (info.len > 0) {
        if (!next_number(&info, ':', &value))
            return -1;
        highest = value > highest ? value : highest;
    }
    return highest;
}

/* Features by the parameter that the Python package sets, or else those that feature_infos has
 * categories for. */
static size_t find_features(const struct lightgbm *r, uint32_t *features, size_t cap)
{
    struct text list = r->categorical_feature, infos = r->infos;
    size_t count = 0;
    int64_t value;

    if (list.len > 0 && list.text[list.len - 1] == ']')
        list.len--;
    for (; list.len > 0; features[count++] = (uint32_t)value)
        if (count == cap || !next_number(&list, ',', &value) || value < 0 ||
            value >= r->feature_count || (count > 0 && (uint32_t)value <= features[count - 1]))
            break;
    if (list.len == 0 && count == cap)
        return count;
    count = 0;
    for (uint32_t i = 0; i < r->feature_count; i++)
        if (highest_category(lightgbm_word(&infos)) >= 0) {
            if (count == cap)
                return cap + 1;
            features[count++] = i;
        }
    return count;
}

/* Whether each list has a text for each category that its feature was trained with. */
static bool fits(const struct lightgbm *r, const struct columns *c, const uint32_t *features)
{
    struct text infos = r->infos;
    size_t k = 0;

    for (uint32_t i = 0; i < r->feature_count && k < c->count; i++) {
        int64_t highest = highest_category(lightgbm_word(&infos));
        if (features[k] == i && highest >= (int64_t)c->lists[k++].count)
            return false;
    }
    return true;
}

/* The file has the lists, not whose they are. Where their number is that of the categorical
 * features they follow each other in the same order; else nobody can tell (an ordered column has a
 * list and is a number, a column of codes is categorical and has none), and none is used. */
static void assign(struct lightgbm *r, struct columns *c)
{
    uint32_t *features = mem_alloc(c->count + 1, sizeof *features);

    if (c->count > 0 && find_features(r, features, c->count) == c->count && fits(r, c, features)) {
        r->parts->categories = mem_alloc((size_t)r->feature_count, sizeof *r->parts->categories);
        for (size_t i = 0; i < c->count; i++)
            if (!is_code(&c->lists[i])) {
                r->parts->categories[features[i]] = c->lists[i];
                c->lists[i] = (struct category_texts){0};
            }
    }
    free(features);
}

bool lightgbm_take_categories(struct lightgbm *r)
{
    struct columns c = {0};
    bool is_good = true;

    if (r->pandas.text && !text_is(r->pandas, "null")) {
        is_good = take_columns(r, &c);
        if (is_good)
            assign(r, &c);
    }
    category_texts_free(c.lists, c.count);
    return is_good;
}
