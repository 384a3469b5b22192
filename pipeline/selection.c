#include "pipeline/selection.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

static const char *const names[SELECT_FIELDS] = {"stage",  "reason", "blame",
                                                 "schema", "model",  "topic"};
static const struct number {
    const char *name;
    size_t offset;
    int64_t any; /* means: whatever it is */
} numbers[] = {{"attempts", offsetof(struct selection, attempts), -1},
               {"since", offsetof(struct selection, since_ms), INT64_MIN},
               {"until", offsetof(struct selection, until_ms), INT64_MAX}};

enum { NUMBERS = sizeof numbers / sizeof numbers[0], NUMBER_MAX = 24 };

void selection_init(struct selection *s, int64_t attempts)
{
    *s = (struct selection){
        .attempts = attempts, .since_ms = INT64_MIN, .until_ms = INT64_MAX, .partition = -1};
}

void selection_release(struct selection *s)
{
    for (size_t f = 0; f < SELECT_FIELDS; f++) {
        for (size_t i = 0; i < s->fields[f].count; i++)
            free(s->fields[f].items[i]);
        free(s->fields[f].items);
    }
    *s = (struct selection){.partition = -1};
}

static void add(struct selection *s, size_t field, char *word)
{
    struct selection_words *w = &s->fields[field];

    w->items = mem_grow(w->items, w->count, &w->cap, sizeof *w->items);
    w->items[w->count++] = word;
}

void selection_add(struct selection *s, enum selection_field field, const char *word)
{
    add(s, field, mem_copy_text(word, strlen(word)));
}

/* ---- matching */

static bool has_word(const struct selection_words *w, struct slice text)
{
    for (size_t i = 0; i < w->count; i++)
        if (slice_equals(text, w->items[i], strlen(w->items[i])))
            return true;
    return w->count == 0;
}

bool selection_is_match(const struct selection *s, const struct letter *l, int64_t timestamp_ms)
{
    const struct slice texts[SELECT_FIELDS] = {l->stage,     l->reason, l->blame,
                                               l->schema_id, l->model,  l->topic};
    int64_t failed_ms = l->failed_ms >= 0 ? l->failed_ms : timestamp_ms;

    for (size_t f = 0; f < SELECT_FIELDS; f++)
        if (!has_word(&s->fields[f], texts[f]))
            return false;
    return l->attempts < s->attempts && failed_ms >= s->since_ms && failed_ms < s->until_ms &&
           (s->partition < 0 || s->partition == l->partition);
}

bool selection_is_all(const struct selection *s)
{
    for (size_t f = 0; f < SELECT_FIELDS; f++)
        if (f != SELECT_TOPIC && s->fields[f].count > 0)
            return false;
    return s->partition < 0 && s->since_ms == INT64_MIN && s->until_ms == INT64_MAX;
}

/* ---- text */

/* What separates words is written as %20. */
static size_t print_word(char *out, const char *word)
{
    size_t len = 0;

    for (; *word; word++)
        if (isalnum((unsigned char)*word) || strchr("_-.:/$", *word))
            out[len++] = *word;
        else
            len += (size_t)sprintf(out + len, "%%%02x", (unsigned char)*word);
    return len;
}

static int digit_of(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* New, or NULL. */
static char *parse_word(const char *text, size_t len)
{
    char *word = mem_alloc(len + 1, 1);
    size_t at = 0;

    for (size_t i = 0; i < len; i++) {
        int high = text[i] == '%' && i + 2 < len ? digit_of(text[i + 1]) : -1;
        int low = high >= 0 ? digit_of(text[i + 2]) : -1;
        if (text[i] != '%')
            word[at++] = text[i];
        else if (low < 0 || high + low == 0)
            goto fail;
        else
            word[at++] = (char)(high * 16 + low), i += 2;
    }
    if (at > 0)
        return word;
fail:
    free(word);
    return NULL;
}

static size_t text_max(const struct selection *s)
{
    size_t bytes = (NUMBERS + 1) * (NUMBER_MAX + 12) + SELECT_FIELDS * 10;

    for (size_t f = 0; f < SELECT_FIELDS; f++)
        for (size_t i = 0; i < s->fields[f].count; i++)
            bytes += strlen(s->fields[f].items[i]) * 3 + 1;
    return bytes;
}

char *selection_print(const struct selection *s)
{
    char *text = mem_alloc(text_max(s), 1);
    size_t len = 0;

    for (size_t i = 0; i < NUMBERS; i++) {
        int64_t value = *(const int64_t *)((const char *)s + numbers[i].offset);
        if (value != numbers[i].any)
            len += (size_t)sprintf(text + len, " %s=%lld", numbers[i].name, (long long)value);
    }
    if (s->partition >= 0)
        len += (size_t)sprintf(text + len, " partition=%d", s->partition);
    for (size_t f = 0; f < SELECT_FIELDS; f++)
        for (size_t i = 0; i < s->fields[f].count; i++) {
            len += (size_t)sprintf(text + len, i ? "," : " %s=", names[f]);
            len += print_word(text + len, s->fields[f].items[i]);
        }
    memmove(text, text + 1, len); /* with its NUL, without the first blank */
    return text;
}

static bool take_words(struct selection *s, size_t field, const char *text, size_t len)
{
    while (len > 0) {
        const char *comma = memchr(text, ',', len);
        size_t one = comma ? (size_t)(comma - text) : len;
        char *word = parse_word(text, one);
        if (!word)
            return false;
        add(s, field, word);
        text += one + (comma != NULL);
        len -= one + (comma != NULL);
    }
    return s->fields[field].count > 0;
}

/* "name=value" */
static bool take_term(struct selection *s, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : 0;
    size_t value_len = equals ? len - name_len - 1 : 0;
    int64_t partition;

    for (size_t i = 0; i < NUMBERS; i++)
        if (slice_equals((struct slice){(const uint8_t *)text, name_len}, numbers[i].name,
                         strlen(numbers[i].name)))
            return integer_parse(equals + 1, value_len, INT64_MIN, INT64_MAX,
                                 (int64_t *)((char *)s + numbers[i].offset));
    for (size_t f = 0; f < SELECT_FIELDS; f++)
        if (slice_equals((struct slice){(const uint8_t *)text, name_len}, names[f],
                         strlen(names[f])))
            return take_words(s, f, equals + 1, value_len);
    if (name_len != 9 || memcmp(text, "partition", 9) != 0 ||
        !integer_parse(equals + 1, value_len, 0, INT32_MAX, &partition))
        return false;
    s->partition = (int32_t)partition;
    return true;
}

bool selection_parse(struct selection *s, const char *text, size_t len)
{
    selection_init(s, -1);
    while (len > 0) {
        const char *blank = memchr(text, ' ', len);
        size_t one = blank ? (size_t)(blank - text) : len;
        if (!take_term(s, text, one))
            break;
        text += one + (blank != NULL);
        len -= one + (blank != NULL);
    }
    if (len == 0 && s->attempts >= 0)
        return true;
    selection_release(s);
    return false;
}
