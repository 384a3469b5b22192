#include <stdlib.h>

#include "core/mem.h"
#include "core/text.h"
#include "scoring/version.h"
#include "scoring/xgboost_reader.h"

static void add_category_text(struct category_texts *texts, const char *text, size_t len)
{
    texts->items = mem_resize(texts->items, texts->count + 1, sizeof *texts->items);
    texts->items[texts->count++] = mem_copy_text(text, len);
}

/* Texts lie end to end in `values`, text i from offsets[i] to offsets[i + 1], as in Arrow. */
static bool take_texts(struct reader *r, const struct ints *offsets, const struct ints *values,
                       struct category_texts *texts)
{
    char *bytes = mem_alloc(values->count + 1, 1);
    bool is_good = true;

    for (size_t i = 0; i < values->count; i++)
        bytes[i] = (char)values->items[i];
    for (size_t i = 0; i + 1 < offsets->count && is_good; i++) {
        int64_t from = offsets->items[i], to = offsets->items[i + 1];
        if (from < 0 || to < from || to > (int64_t)values->count)
            is_good =
                reader_refuse(r, "cats: offsets %lld and %lld", (long long)from, (long long)to);
        else
            add_category_text(texts, bytes + from, (size_t)(to - from));
    }
    free(bytes);
    return is_good;
}

/* Kinds of numbers, src/data/cat_container.cc; the others are whole. */
enum {
    CATS_FLOAT = 7,
    CATS_DOUBLE,
    CATS_INT8,
    CATS_UINT16 = 12,
    CATS_UINT32 = 14,
    CATS_UINT64 = 16
};

/* Whole numbers are the texts of their categories. UBJSON has no unsigned ones but bytes: 3.4
 * writes their bits. */
static bool take_numbers(struct reader *r, int64_t type, const struct ints *values,
                         struct category_texts *texts)
{
    int64_t span = type == CATS_UINT16   ? (int64_t)1 << 16
                   : type == CATS_UINT32 ? (int64_t)1 << 32
                                         : 0;
    char number[24];

    if (type < CATS_FLOAT || type > CATS_UINT64)
        return reader_refuse(r, "cats: type %lld", (long long)type);
    for (size_t i = 0; type >= CATS_INT8 && i < values->count; i++) {
        int64_t value = values->items[i] < 0 ? values->items[i] + span : values->items[i];
        add_category_text(texts, number, integer_print(number, value));
    }
    return true;
}

/* Categories that are no whole numbers below 2^53 stay without texts: rows are scored by codes, and
 * only the tables of a bundle are held against texts. */
static bool take_encoding(struct reader *r, struct category_texts *texts)
{
    struct ints offsets = {0}, values = {0};
    struct document values_at = {0};
    struct json_text key;
    int64_t type = 0;
    bool has_offsets = false, is_good, is_whole = false;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "offsets")) {
            has_offsets = true;
            document_ints(&r->d, &offsets);
        } else if (json_text_equals(&key, "values")) {
            values_at = r->d;
            is_whole = document_skip(&r->d);
        } else if (json_text_equals(&key, "type")) {
            document_int(&r->d, &type);
        } else {
            reader_refuse(r, "unknown field %.*s in cats", (int)key.len, key.data);
        }
    }
    is_good = reader_is_well(r);
    is_whole = is_whole && is_good && document_ints(&values_at, &values);
    if (is_good && has_offsets)
        is_good = (is_whole || reader_refuse(r, "cats: values are no bytes")) &&
                  take_texts(r, &offsets, &values, texts);
    else if (is_good)
        is_good = take_numbers(r, type, is_whole ? &values : &(struct ints){0}, texts);
    free(offsets.items);
    free(values.items);
    return is_good;
}

bool reader_take_cats(struct reader *r)
{
    struct json_text key;

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (!json_text_equals(&key, "enc")) {
            document_skip(
                &r->d); /* feature_segments and sorted_idx only speed up the library's own search */
            continue;
        }
        for (document_array(&r->d); document_item(&r->d);) {
            r->categories =
                mem_grow(r->categories, r->category_count, &r->category_cap, sizeof *r->categories);
            r->categories[r->category_count] = (struct category_texts){0};
            take_encoding(r, &r->categories[r->category_count++]);
        }
    }
    return reader_is_well(r);
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if (*text & 0x80)
            return false;
    return true;
}

static void release_texts(struct category_texts *texts)
{
    for (size_t k = 0; k < texts->count; k++)
        free(texts->items[k]);
    free(texts->items);
    *texts = (struct category_texts){0};
}

void reader_forget_garbled_texts(struct reader *r)
{
    if (!version_is_before(r->version, 3, 4, 0))
        return;
    for (size_t i = 0; i < r->category_count; i++) {
        const struct category_texts *texts = &r->categories[i];
        bool is_plain = true;
        for (size_t k = 0; k < texts->count && is_plain; k++)
            is_plain = is_ascii(texts->items[k]);
        if (!is_plain)
            release_texts(&r->categories[i]);
    }
}
