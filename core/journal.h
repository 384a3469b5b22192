/* journal.h: what happened in this process and could be a cause, or is a trouble: the answer to
 * "did my change cause it?".
 *
 * It is fed by the log (log_set_tap): a line whose event is in the table of journal.c is kept with
 * its time, whatever the log's level and however often it repeats, so what the journal says and
 * what the log says cannot differ. Coordinates are the line's key=value words. The newest
 * JOURNAL_CAP entries stay; of errors and troubles only the newest quarter, so that a storm of them
 * does not push the changes out.
 *
 * Owned by who made it. Any thread, one mutex: lines are rare.
 */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/log.h"

enum { JOURNAL_CAP = 512, JOURNAL_TEXT_MAX = 480 };

enum journal_kind {
    JOURNAL_NONE,    /* not kept */
    JOURNAL_CHANGE,  /* could be a cause: a start, a model, a schema */
    JOURNAL_TROUBLE, /* a dependency, a gap, the breaker, a rebalance, a suspicion */
    JOURNAL_ERROR,   /* the first of a kind of dead letter */
};

struct journal_entry {
    uint64_t number; /* 1, 2, ... */
    int64_t at_ms;   /* since 1970 UTC */
    enum journal_kind kind;
    enum log_level level;
    int worker;        /* -1: the process */
    const char *event; /* static */
    char text[JOURNAL_TEXT_MAX];
};

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *journal);

/* A tap of the log: arg is the journal. */
log_tap journal_take;

/* Copies up to cap entries whose number is above `after`, oldest first. Returns how many. */
size_t journal_read(struct journal *journal, uint64_t after, struct journal_entry *out, size_t cap);

/* The number of the newest entry, 0: none. */
uint64_t journal_last(struct journal *journal);

/* Of an event of the log's closed list. */
enum journal_kind journal_kind_of(const char *event);

/* "change", "trouble", "error"; "" of none. Static. */
const char *journal_kind_name(enum journal_kind kind);

/* The value of a key=value word of a line: its length, *value inside text; 0: there is none. */
size_t journal_word(const char *text, const char *key, const char **value);

#endif
