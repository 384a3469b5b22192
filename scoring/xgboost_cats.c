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

/* Texts lie end to end in `values`, text i from offsets[i] to offsets[i + 1], as in Arrow; without
 * offsets the values are the categories themselves, whole numbers. */
static bool take_encoding(struct reader *r, struct category_texts *texts)
{
    struct ints offsets = {0}, values = {0};
    struct json_text key;
    int64_t ignored;
    bool is_good = true;
    char *bytes, number[24];

    for (document_object(&r->d); document_key(&r->d, &key);) {
        if (json_text_equals(&key, "offsets"))
            document_ints(&r->d, &offsets);
        else if (json_text_equals(&key, "values"))
            document_ints(&r->d, &values);
        else if (json_text_equals(&key, "type"))
            document_int(&r->d, &ignored);
        else
            reader_refuse(r, "unknown field %.*s in cats", (int)key.len, key.data);
    }
    bytes = mem_alloc(values.count + 1, 1);
    for (size_t i = 0; i < values.count; i++)
        bytes[i] = (char)values.items[i];
    for (size_t i = 0; i + 1 < offsets.count && is_good && reader_is_well(r); i++) {
        int64_t from = offsets.items[i], to = offsets.items[i + 1];
        if (from < 0 || to < from || to > (int64_t)values.count)
            is_good =
                reader_refuse(r, "cats: offsets %lld and %lld", (long long)from, (long long)to);
        else
            add_category_text(texts, bytes + from, (size_t)(to - from));
    }
    for (size_t i = 0; offsets.count == 0 && i < values.count && reader_is_well(r); i++)
        add_category_text(texts, number, integer_print(number, values.items[i]));
    free(bytes);
    free(offsets.items);
    free(values.items);
    return reader_is_well(r);
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
