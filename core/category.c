/* category.c: category tables: CSV in, an open-addressed hash table from text to code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/text.h"

enum { MAX_FILE_BYTES = 64 << 20, MAX_CODE = (1 << 24) - 1 };

struct value {
    char *text;
    uint32_t len;
    int32_t code;
};

struct category {
    struct value *values; /* in the file's order */
    size_t count, cap;
    uint32_t *slots; /* index + 1 into values, 0 = free; a power of two, at most half full */
    size_t slot_mask;
    size_t code_count;
};

/* The low bits select the slot. */
static size_t hash(const char *text, size_t len)
{
    uint64_t h = hash_add(HASH_START, text, len);

    return (size_t)(h ^ h >> 29);
}

static uint32_t *slot_of(const struct category *table, const char *text, size_t len)
{
    size_t i = hash(text, len) & table->slot_mask;

    for (; table->slots[i] != 0; i = (i + 1) & table->slot_mask) {
        const struct value *value = &table->values[table->slots[i] - 1];
        if (value->len == len && memcmp(value->text, text, len) == 0)
            break;
    }
    return &table->slots[i];
}

int32_t category_find(const struct category *table, const char *text, size_t len)
{
    uint32_t slot = *slot_of(table, text, len);

    return slot ? table->values[slot - 1].code : -1;
}

size_t category_code_count(const struct category *table)
{
    return table->code_count;
}

void category_each(const struct category *table,
                   void (*visit)(void *arg, const char *value, size_t len, int32_t code), void *arg)
{
    for (size_t i = 0; i < table->count; i++)
        visit(arg, table->values[i].text, table->values[i].len, table->values[i].code);
}

void category_free(struct category *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->values[i].text);
    free(table->values);
    free(table->slots);
    free(table);
}

struct category *category_new(void)
{
    enum { FIRST_SLOTS = 16 };
    struct category *table = mem_alloc(1, sizeof *table);

    table->slots = mem_alloc(FIRST_SLOTS, sizeof *table->slots);
    table->slot_mask = FIRST_SLOTS - 1;
    return table;
}

/* Twice the slots, every value placed anew. */
static void grow_slots(struct category *table)
{
    size_t slot_count = (table->slot_mask + 1) * 2;

    free(table->slots);
    table->slots = mem_alloc(slot_count, sizeof *table->slots);
    table->slot_mask = slot_count - 1;
    for (size_t i = 0; i < table->count; i++)
        *slot_of(table, table->values[i].text, table->values[i].len) = (uint32_t)i + 1;
}

bool category_add(struct category *table, const char *text, size_t len, int32_t code)
{
    uint32_t *slot = slot_of(table, text, len);

    if (*slot)
        return false;
    table->values = mem_grow(table->values, table->count, &table->cap, sizeof *table->values);
    table->values[table->count] = (struct value){mem_copy_text(text, len), (uint32_t)len, code};
    *slot = (uint32_t)++table->count;
    if ((size_t)code >= table->code_count)
        table->code_count = (size_t)code + 1;
    if (table->count * 2 > table->slot_mask)
        grow_slots(table);
    return true;
}

/* RFC 4180's first field at *text: plain, or quoted with "" for a quote. New text, or NULL when
 * malformed; *text moves to the comma behind it. */
static char *take_field(const char **text, const char *end, size_t *len)
{
    const char *p = *text;
    char *out;

    if (p == end || *p != '"') {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        if (!comma)
            return NULL;
        *len = (size_t)(comma - p);
        *text = comma;
        return mem_copy_text(p, *len);
    }
    out = mem_alloc((size_t)(end - p), 1);
    *len = 0;
    for (p++; p < end; p++) {
        if (*p == '"' && (p + 1 == end || p[1] != '"'))
            break;
        out[(*len)++] = *p;
        p += *p == '"';
    }
    if (p >= end || p + 1 >= end || p[1] != ',') {
        free(out);
        return NULL;
    }
    *text = p + 1;
    return out;
}

static const char *take_line(struct category *table, const char *line, size_t len)
{
    const char *at = line, *end = line + len;
    size_t text_len;
    char *text = take_field(&at, end, &text_len);
    int64_t code;

    if (!text)
        return "expected value,code";
    if (!integer_parse(at + 1, (size_t)(end - at - 1), 0, MAX_CODE, &code)) {
        free(text);
        return "a code is an integer from 0 to 16777215";
    }
    if (!category_add(table, text, text_len, (int32_t)code)) {
        free(text);
        return "this value came before";
    }
    free(text);
    return NULL;
}

/* Codes are 0 to n-1 without a gap. */
static int check_codes(const struct category *table, const char *path, struct err *err)
{
    bool *used;
    size_t highest = table->code_count - 1;

    if (highest >= table->count)
        return err_fatal(err, EXIT_DATA, "%s: code %zu with only %zu values: codes are 0 to n-1",
                         path, highest, table->count);
    used = mem_alloc(highest + 1, sizeof *used);
    for (size_t i = 0; i < table->count; i++)
        used[table->values[i].code] = true;
    for (size_t code = 0; code <= highest; code++)
        if (!used[code])
            err_fatal(err, EXIT_DATA, "%s: no value has code %zu: codes are 0 to n-1", path, code);
    free(used);
    return err_is_set(err) ? -1 : 0;
}

static int read_table(struct category *table, const char *path, const char *text, size_t len,
                      struct err *err)
{
    const char *end = text + len;
    size_t line = 0;

    if (memchr(text, '\0', len) || !utf8_is_valid((const uint8_t *)text, len))
        return err_fatal(err, EXIT_DATA, "%s: not a text file in UTF-8", path);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* spreadsheets put it in front */
        text += 3;
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text)), *what = NULL;
        size_t line_len = (size_t)((stop ? stop : end) - text);
        if (line_len > 0 && text[line_len - 1] == '\r')
            line_len--;
        if (++line == 1)
            what = line_len == 10 && memcmp(text, "value,code", 10) == 0
                       ? NULL
                       : "the heading must be value,code";
        else if (line_len > 0 || stop)
            what = take_line(table, text, line_len);
        if (what)
            return err_fatal(err, EXIT_DATA, "%s:%zu: %s", path, line, what);
        text = stop ? stop + 1 : end;
    }
    if (table->count == 0)
        return err_fatal(err, EXIT_DATA, "%s: no values below the heading value,code", path);
    return check_codes(table, path, err);
}

int category_load(struct category **table, const char *path, struct err *err)
{
    char *text;
    size_t len;
    int result;

    *table = NULL;
    if (file_read(path, MAX_FILE_BYTES, &text, &len, err) != 0)
        return -1;
    *table = category_new();
    result = read_table(*table, path, text, len, err);
    free(text);
    if (result != 0) {
        category_free(*table);
        *table = NULL;
    }
    return result;
}
