#include "core/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

enum { MAX_FILE_BYTES = 1 << 20 };

const struct ini_entry *ini_find(const struct ini *ini, const char *section, const char *name)
{
    for (size_t i = 0; i < ini->count; i++)
        if (strcmp(ini->entries[i].section, section) == 0 &&
            strcmp(ini->entries[i].name, name) == 0)
            return &ini->entries[i];
    return NULL;
}

int ini_fail(const struct ini *ini, const struct ini_entry *entry, struct err *err,
             const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (entry && entry->line > 0)
        return err_fatal(err, ini->code, "%s:%d: %s", ini->file, entry->line, text);
    return err_fatal(err, ini->code, "%s: %s", entry ? "-s" : ini->file, text);
}

static void add(struct ini *ini, char *section, char *name, char *value, int line)
{
    ini->entries = mem_grow(ini->entries, ini->count, &ini->cap, sizeof *ini->entries);
    ini->entries[ini->count++] = (struct ini_entry){section, name, value, line};
}

void ini_set(struct ini *ini, const char *section, const char *name, const char *value)
{
    struct ini_entry *entry = (struct ini_entry *)ini_find(ini, section, name);

    if (entry) {
        free(entry->value);
        entry->value = mem_copy_text(value, strlen(value));
        entry->line = 0;
        return;
    }
    add(ini, mem_copy_text(section, strlen(section)), mem_copy_text(name, strlen(name)),
        mem_copy_text(value, strlen(value)), 0);
}

struct reader {
    struct ini *ini;
    const char *section; /* borrowed from the text */
    size_t section_len;
    int line;
    struct err *err;
};

static int bad(struct reader *r, const char *what)
{
    return err_fatal(r->err, r->ini->code, "%s:%d: %s", r->ini->file, r->line, what);
}

static int take_entry(struct reader *r, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len), *name = text, *value;
    size_t name_len, value_len;

    if (!equals)
        return bad(r, "expected [section], name = value, or a comment that starts with ; or #");
    name_len = (size_t)(equals - text);
    text_trim(&name, &name_len);
    value = equals + 1;
    value_len = len - (size_t)(value - text);
    text_trim(&value, &value_len);
    if (name_len == 0)
        return bad(r, "a name is missing before =");
    if (!r->section)
        return bad(r, "an entry before the first [section]");
    add(r->ini, mem_copy_text(r->section, r->section_len), mem_copy_text(name, name_len),
        mem_copy_text(value, value_len), r->line);
    return 0;
}

static int take_line(struct reader *r, const char *text, size_t len)
{
    if (memchr(text, '\0', len) || !utf8_is_valid((const uint8_t *)text, len))
        return bad(r, "not text in UTF-8");
    text_trim(&text, &len);
    if (len == 0 || *text == ';' || *text == '#')
        return 0;
    if (*text != '[')
        return take_entry(r, text, len);
    r->section = text + 1;
    r->section_len = len > 2 ? len - 2 : 0;
    text_trim(&r->section, &r->section_len);
    if (text[len - 1] != ']' || r->section_len == 0)
        return bad(r, "a section is written [name]");
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct ini_entry *x = *(const struct ini_entry *const *)a;
    const struct ini_entry *y = *(const struct ini_entry *const *)b;
    int order = strcmp(x->section, y->section);

    if (order == 0)
        order = strcmp(x->name, y->name);
    return order ? order : x->line - y->line;
}

/* The first line that sets again what an earlier one set. Sorted: a model.ini may have 65,000
 * features, too many to compare each with each. */
static int refuse_twice(struct reader *r)
{
    const struct ini *ini = r->ini;
    const struct ini_entry **sorted = mem_alloc(ini->count, sizeof *sorted), *first = NULL,
                           *twice = NULL;

    for (size_t i = 0; i < ini->count; i++)
        sorted[i] = &ini->entries[i];
    qsort(sorted, ini->count, sizeof *sorted, by_name);
    for (size_t i = 1; i < ini->count; i++) {
        const struct ini_entry *x = sorted[i - 1], *y = sorted[i];
        if (strcmp(x->section, y->section) == 0 && strcmp(x->name, y->name) == 0 &&
            (!twice || y->line < twice->line)) {
            first = x;
            twice = y;
        }
    }
    if (twice)
        ini_fail(ini, twice, r->err, "%s is already set on line %d", twice->name, first->line);
    free(sorted);
    return twice ? -1 : 0;
}

int ini_parse(struct ini *ini, const char *file, const char *text, size_t len, enum exit_code code,
              struct err *err)
{
    struct reader r = {.ini = ini, .err = err};
    const char *end = text + len;

    *ini = (struct ini){.file = mem_copy_text(file, strlen(file)), .code = code};
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop)
            stop = end;
        r.line++;
        if (take_line(&r, text, (size_t)(stop - text)) != 0) {
            ini_release(ini);
            return -1;
        }
        text = stop + 1;
    }
    if (refuse_twice(&r) != 0) {
        ini_release(ini);
        return -1;
    }
    return 0;
}

int ini_load(struct ini *ini, const char *path, enum exit_code code, struct err *err)
{
    char *text;
    size_t len;
    int result;

    if (file_read(path, MAX_FILE_BYTES, &text, &len, err) != 0)
        return -1;
    result = ini_parse(ini, path, text, len, code, err);
    free(text);
    return result;
}

/* # or ; as a word of its own. Behind a quotation mark it may belong to a path or a command. */
static bool has_comment(const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len && value[i] != '"'; i++)
        if ((value[i] == '#' || value[i] == ';') && (i == 0 || text_is_blank(value[i - 1])) &&
            (i + 1 == len || text_is_blank(value[i + 1])))
            return true;
    return false;
}

int ini_refuse_comment(const struct ini *ini, const struct ini_entry *entry, struct err *err)
{
    if (entry->line == 0 || !has_comment(entry->value))
        return 0;
    return ini_fail(ini, entry, err,
                    "a comment behind the value; comments are whole lines that start with ; or #");
}

void ini_release(struct ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        free(ini->entries[i].section);
        free(ini->entries[i].name);
        free(ini->entries[i].value);
    }
    free(ini->entries);
    free(ini->file);
    *ini = (struct ini){0};
}
