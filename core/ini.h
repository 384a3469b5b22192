/* ini.h: the one INI reader, for config.ini and model.ini.
 *
 *   ; a comment            # a comment             (whole lines only: a value may hold both signs)
 *   [section]
 *   name = value           blanks around both are cut; the value may contain "="
 *
 * Keeps every entry in the order of the file with its line. No escapes, no quotes, no continuation
 * lines: what is behind the first "=" is the value. Refused: a line that is none of these, an entry
 * before the first section, a NUL byte, bad UTF-8, the same name twice in a section. A byte order
 * mark in front is skipped.
 *
 * A struct ini owns all texts. Thread: whoever owns it.
 */
#ifndef CORE_INI_H
#define CORE_INI_H

#include <stddef.h>

#include "core/err.h"

struct ini_entry {
    char *section;
    char *name;
    char *value;
    int line;
};

struct ini {
    char *file;          /* for messages */
    enum exit_code code; /* for what is wrong inside */
    struct ini_entry *entries;
    size_t count;
    size_t cap;
};

/* Reads path (at most 1 MiB). Errors: EXIT_IO unreadable,
 * `code` for what is wrong inside ("file:line: ..."). */
int ini_load(struct ini *ini, const char *path, enum exit_code code, struct err *err);

/* The same from memory; file is the name for messages. */
int ini_parse(struct ini *ini, const char *file, const char *text, size_t len, enum exit_code code,
              struct err *err);
void ini_release(struct ini *ini);

/* The entry, or NULL. */
const struct ini_entry *ini_find(const struct ini *ini, const char *section, const char *name);

/* A fault in what the file says: "file:line: ...", "-s: ..." for an entry that ini_set made, "file:
 * ..." where entry is NULL. Returns -1. */
int ini_fail(const struct ini *ini, const struct ini_entry *entry, struct err *err,
             const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Refuses a value that reads like "fraud ; the group": it would be another consumer group, which
 * starts at the beginning. # or ; with blanks around it and no quotation mark before it. Not for
 * secrets, which may hold anything. Entries of ini_set pass: a shell has no comments there. */
int ini_refuse_comment(const struct ini *ini, const struct ini_entry *entry, struct err *err);

/* Sets or replaces section.name as if the file had it in the last place; line 0. Copies. */
void ini_set(struct ini *ini, const char *section, const char *name, const char *value);

#endif
