/* selection.h: which dead letters are meant, and which of them redrives before have done.
 *
 *   attempts=5 topic=payments reason=bad_json,truncated partition=3
 *
 * is a selection as text: words of one field are alternatives, all fields must agree. A redrive
 * notes, for each partition of letters, how far it came together with this text:
 *
 *   812 attempts=5 topic=payments reason=bad_json; 1000 attempts=5 topic=payments
 *
 * A letter was done when its offset is below that of a note whose selection it matches. So each
 * letter is redriven once however the selections of redrives overlap, and those that were left out
 * are found again; a few notes say it for any number of letters.
 *
 * Plain data, owns its texts. Any thread, one at a time.
 */
#ifndef PIPELINE_SELECTION_H
#define PIPELINE_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/letter.h"

enum selection_field {
    SELECT_STAGE,
    SELECT_REASON,
    SELECT_BLAME,
    SELECT_SCHEMA,
    SELECT_MODEL,
    SELECT_TOPIC, /* of the origin */
    SELECT_FIELDS
};

struct selection_words {
    char **items;
    size_t count, cap;
};

struct selection {
    struct selection_words fields[SELECT_FIELDS]; /* none: any */
    int64_t attempts;                             /* of letters that failed fewer times */
    int64_t since_ms, until_ms;                   /* that failed in since <= t < until */
    int32_t partition;                            /* of the origin; -1: any */
};

/* Everything that failed fewer times than that. */
void selection_init(struct selection *selection, int64_t attempts);
void selection_release(struct selection *selection);
void selection_add(struct selection *selection, enum selection_field field, const char *word);

/* timestamp_ms: of the dead letter itself, for those that do not tell when they failed. */
bool selection_is_match(const struct selection *selection, const struct letter *letter,
                        int64_t timestamp_ms);

/* Everything from its topics that did not fail too often. */
bool selection_is_all(const struct selection *selection);

/* The text; the caller frees it. */
char *selection_print(const struct selection *selection);
/* False: it is none, and *selection is empty. */
bool selection_parse(struct selection *selection, const char *text, size_t len);

enum { NOTES_TEXT_MAX = 4000 }; /* brokers take 4,096 (offset.metadata.max.bytes) */

struct note {
    int64_t offset; /* letters below it were done */
    char *text;
    struct selection selection;
};

struct notes {
    struct note *items;
    size_t count, cap;
};

/* False: it is nothing that notes_print wrote, and *notes is empty. */
bool notes_parse(struct notes *notes, const char *text);
void notes_release(struct notes *notes);

/* A note of that selection, there or new: of offset 0. Borrowed until the next one. */
struct note *notes_of(struct notes *notes, const struct selection *selection);

/* Forgets what says nothing more: of letters below low, which are gone; what one of all says. */
void notes_prune(struct notes *notes, int64_t low);

/* Some note says that the letter at that offset was done. */
bool notes_is_done(const struct notes *notes, int64_t offset, const struct letter *letter,
                   int64_t timestamp_ms);

/* False: they do not fit into NOTES_TEXT_MAX, and text is not to be used. */
bool notes_print(const struct notes *notes, char text[NOTES_TEXT_MAX + 1]);

#endif
