#include "pipeline/words.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"

enum { FIRST = WORDS_OTHERS + 1, SLOTS = sizeof((struct words *)0)->slots / sizeof(uint16_t) };

static size_t slot_of(struct slice text)
{
    uint64_t hash = hash_add(HASH_START, text.data, text.len);

    return (hash ^ hash >> 32) % SLOTS;
}

uint32_t words_add(struct words *w, struct slice text)
{
    size_t slot = slot_of(text);

    if (!text.data)
        return WORDS_NONE;
    if (text.len > WORDS_LONGEST)
        return WORDS_OTHERS;
    for (; w->slots[slot]; slot = (slot + 1) % SLOTS)
        if (slice_equals(text, w->items[w->slots[slot]], strlen(w->items[w->slots[slot]])))
            return w->slots[slot];
    if (words_count(w) == WORDS_MAX)
        return WORDS_OTHERS;
    w->count = words_count(w) + 1;
    w->items[w->count - 1] = mem_copy_text((const char *)text.data, text.len);
    w->slots[slot] = (uint16_t)(w->count - 1);
    return w->count - 1;
}

const char *words_text(const struct words *w, uint32_t word)
{
    return word == WORDS_NONE ? NULL : word == WORDS_OTHERS ? "others" : w->items[word];
}

uint32_t words_count(const struct words *w)
{
    return w->count ? w->count : FIRST;
}

bool words_is_same(uint32_t a, uint32_t b)
{
    return a == b && a != WORDS_OTHERS;
}

void words_release(struct words *w)
{
    for (uint32_t i = FIRST; i < w->count; i++)
        free(w->items[i]);
    *w = (struct words){0};
}
