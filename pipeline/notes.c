/* notes.c: what redrives before have done, see selection.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "pipeline/selection.h"

/* Says whose text it is. */
static const char head[] = "kscore redrive 1: ";

void notes_release(struct notes *n)
{
    for (size_t i = 0; i < n->count; i++) {
        free(n->items[i].text);
        selection_release(&n->items[i].selection);
    }
    free(n->items);
    *n = (struct notes){0};
}

static struct note *add(struct notes *n, const char *text, size_t len)
{
    struct note note = {.text = mem_copy_text(text, len)};

    if (!selection_parse(&note.selection, text, len)) {
        free(note.text);
        return NULL;
    }
    n->items = mem_grow(n->items, n->count, &n->cap, sizeof *n->items);
    n->items[n->count] = note;
    return &n->items[n->count++];
}

/* "812 attempts=5 ..." */
static bool take_note(struct notes *n, const char *text, size_t len)
{
    const char *blank = memchr(text, ' ', len);
    size_t digits = blank ? (size_t)(blank - text) : len;
    struct note *note = blank ? add(n, blank + 1, len - digits - 1) : NULL;

    return note && integer_parse(text, digits, 0, INT64_MAX, &note->offset);
}

bool notes_parse(struct notes *n, const char *text)
{
    *n = (struct notes){0};
    if (strncmp(text, head, sizeof head - 1) != 0)
        return false;
    text += sizeof head - 1;
    while (*text) {
        size_t len = strcspn(text, ";");
        if (!take_note(n, text, len)) {
            notes_release(n);
            return false;
        }
        text += len + strspn(text + len, "; ");
    }
    return true;
}

struct note *notes_of(struct notes *n, const struct selection *selection)
{
    char *text = selection_print(selection);
    struct note *found = NULL;

    for (size_t i = 0; !found && i < n->count; i++)
        if (strcmp(n->items[i].text, text) == 0)
            found = &n->items[i];
    if (!found)
        found = add(n, text, strlen(text));
    free(text);
    return found;
}

static bool have_same_topics(const struct selection *a, const struct selection *b)
{
    const struct selection_words *one = &a->fields[SELECT_TOPIC];
    const struct selection_words *other = &b->fields[SELECT_TOPIC];

    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (strcmp(one->items[i], other->items[i]) != 0)
            return false;
    return true;
}

/* What `note` says of letters, another says, too. */
static bool is_covered(const struct notes *n, const struct note *note)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct note *other = &n->items[i];
        if (other != note && other->offset >= note->offset && selection_is_all(&other->selection) &&
            other->selection.attempts >= note->selection.attempts &&
            have_same_topics(&other->selection, &note->selection))
            return true;
    }
    return false;
}

void notes_prune(struct notes *n, int64_t low)
{
    for (size_t i = n->count; i-- > 0;) {
        if (n->items[i].offset > low && !is_covered(n, &n->items[i]))
            continue;
        free(n->items[i].text);
        selection_release(&n->items[i].selection);
        n->items[i] = n->items[--n->count];
    }
}

bool notes_is_done(const struct notes *n, int64_t offset, const struct letter *letter,
                   int64_t timestamp_ms)
{
    for (size_t i = 0; i < n->count; i++)
        if (offset < n->items[i].offset &&
            selection_is_match(&n->items[i].selection, letter, timestamp_ms))
            return true;
    return false;
}

bool notes_print(const struct notes *n, char text[NOTES_TEXT_MAX + 1])
{
    size_t len = (size_t)sprintf(text, "%s", head);

    for (size_t i = 0; i < n->count; i++) {
        int wrote = snprintf(text + len, NOTES_TEXT_MAX + 1 - len, "%s%" PRId64 " %s",
                             i ? "; " : "", n->items[i].offset, n->items[i].text);
        if (wrote < 0 || (size_t)wrote > NOTES_TEXT_MAX - len)
            return false;
        len += (size_t)wrote;
    }
    return true;
}
