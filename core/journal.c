#include "core/journal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"

enum { TROUBLE_CAP = JOURNAL_CAP / 4 };

/* Which lines are kept, and as what. docs/journal.md has the same table; a test holds them
 * together. */
static const struct {
    const char *event;
    enum journal_kind kind;
} kinds[] = {
    {"starting", JOURNAL_CHANGE},
    {"model_loaded", JOURNAL_CHANGE},
    {"schema_loaded", JOURNAL_CHANGE},
    {"schema_unusable", JOURNAL_CHANGE},
    {"model_swapped", JOURNAL_CHANGE},
    {"model_rolled_back", JOURNAL_CHANGE},
    {"model_refused", JOURNAL_CHANGE},
    {"changed", JOURNAL_CHANGE},
    {"stopping", JOURNAL_CHANGE},
    {"model_unchanged", JOURNAL_TROUBLE},    /* as often as somebody asks; this and the next: */
    {"model_first_offset", JOURNAL_TROUBLE}, /* one for each partition: not to push changes out */
    {"assigned", JOURNAL_TROUBLE},
    {"revoked", JOURNAL_TROUBLE},
    {"gap", JOURNAL_TROUBLE},
    {"waiting", JOURNAL_TROUBLE},
    {"parked", JOURNAL_TROUBLE},
    {"unparked", JOURNAL_TROUBLE},
    {"recovered", JOURNAL_TROUBLE},
    {"commit_failed", JOURNAL_TROUBLE},
    {"refused", JOURNAL_TROUBLE},
    {"failed", JOURNAL_TROUBLE},
    {"breaker_open", JOURNAL_TROUBLE},
    {"breaker_half_open", JOURNAL_TROUBLE},
    {"breaker_closed", JOURNAL_TROUBLE},
    {"suspect", JOURNAL_TROUBLE},
    {"suspect_over", JOURNAL_TROUBLE},
    {"first_dead_letter", JOURNAL_ERROR},
};

/* Two rings: changes, and what may come by the thousand. */
struct ring {
    struct journal_entry *entries;
    size_t cap, count, next;
};

struct journal {
    pthread_mutex_t lock;
    uint64_t number;
    struct ring changes, troubles;
};

enum journal_kind journal_kind_of(const char *event)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].event, event) == 0)
            return kinds[i].kind;
    return JOURNAL_NONE;
}

const char *journal_kind_name(enum journal_kind kind)
{
    static const char *const names[] = {"", "change", "trouble", "error"};

    return names[kind];
}

struct journal *journal_new(void)
{
    struct journal *j = mem_alloc(1, sizeof *j);

    pthread_mutex_init(&j->lock, NULL);
    j->changes = (struct ring){.cap = JOURNAL_CAP - TROUBLE_CAP};
    j->troubles = (struct ring){.cap = TROUBLE_CAP};
    j->changes.entries = mem_alloc(j->changes.cap, sizeof *j->changes.entries);
    j->troubles.entries = mem_alloc(j->troubles.cap, sizeof *j->troubles.entries);
    return j;
}

void journal_free(struct journal *j)
{
    if (!j)
        return;
    pthread_mutex_destroy(&j->lock);
    free(j->changes.entries);
    free(j->troubles.entries);
    free(j);
}

void journal_take(void *arg, const struct log_line *line)
{
    struct journal *j = arg;
    enum journal_kind kind = journal_kind_of(line->event);
    struct ring *ring = kind == JOURNAL_CHANGE ? &j->changes : &j->troubles;
    struct journal_entry *entry;

    if (kind == JOURNAL_NONE)
        return;
    pthread_mutex_lock(&j->lock);
    entry = &ring->entries[ring->next];
    ring->next = (ring->next + 1) % ring->cap;
    ring->count += ring->count < ring->cap;
    *entry = (struct journal_entry){.number = ++j->number,
                                    .at_ms = clock_wall_ms(),
                                    .kind = kind,
                                    .level = line->level,
                                    .worker = line->worker,
                                    .event = line->event};
    snprintf(entry->text, sizeof entry->text, "%.*s", JOURNAL_TEXT_MAX - 1, line->text);
    pthread_mutex_unlock(&j->lock);
}

/* The oldest one of a ring above `after`, from place *i on. */
static const struct journal_entry *peek(const struct ring *ring, uint64_t after, size_t *i)
{
    for (; *i < ring->count; (*i)++) {
        size_t place = (ring->next + ring->cap - ring->count + *i) % ring->cap;
        if (ring->entries[place].number > after)
            return &ring->entries[place];
    }
    return NULL;
}

size_t journal_read(struct journal *j, uint64_t after, struct journal_entry *out, size_t cap)
{
    size_t count = 0, a = 0, b = 0;

    pthread_mutex_lock(&j->lock);
    while (count < cap) {
        const struct journal_entry *change = peek(&j->changes, after, &a);
        const struct journal_entry *trouble = peek(&j->troubles, after, &b);
        bool is_change = change && (!trouble || change->number < trouble->number);
        if (!change && !trouble)
            break;
        out[count++] = is_change ? *change : *trouble;
        *(is_change ? &a : &b) += 1;
    }
    pthread_mutex_unlock(&j->lock);
    return count;
}

uint64_t journal_last(struct journal *j)
{
    uint64_t number;

    pthread_mutex_lock(&j->lock);
    number = j->number;
    pthread_mutex_unlock(&j->lock);
    return number;
}

size_t journal_word(const char *text, const char *key, const char **value)
{
    size_t len = strlen(key);

    for (const char *p = text; (p = strstr(p, key)) != NULL; p += len) {
        if ((p != text && p[-1] != ' ') || p[len] != '=')
            continue;
        *value = p + len + 1;
        return strcspn(*value, " ");
    }
    return 0;
}
