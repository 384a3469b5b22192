/* schema_source.h: where the writers' schemas come from: a folder of files, or a registry.
 *
 * Ids go in, answers come out; nothing blocks. A folder has its answer at once, a registry later,
 * from a thread of its own. What an answer means, how long it is kept and what is asked again is
 * the table's to say (schemas/schema_table.h): a source remembers nothing but what it is doing.
 *
 * A source begins with this struct: its functions get it back. Thread: the table's; await, and
 * is_ready, any.
 */
#ifndef SCHEMAS_SCHEMA_SOURCE_H
#define SCHEMAS_SCHEMA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/err.h"
#include "schemas/avro_schema.h"

enum schema_answer_kind {
    SCHEMA_FOUND,   /* texts */
    SCHEMA_MISSING, /* there is no such schema */
    SCHEMA_BAD,     /* it is there, and can be no schema of ours: words */
    SCHEMA_FAILED,  /* it cannot be told now: words */
};

/* Owns texts, words and subject; whoever polled it releases it. */
struct schema_answer {
    uint64_t id;
    enum schema_answer_kind kind;
    struct avro_schema *schema; /* FOUND where it is read already, instead of texts */
    char *file;                 /* and the file that it stands in */
    char *
        *texts; /* JSON: types that are referred to, each before its use; the schema is the last */
    size_t text_count;
    char *words;     /* a line for a person, never with a secret */
    char *subject;   /* that it was found under, at the start; else NULL */
    int64_t version; /* in that subject */
};

static inline void schema_answer_release(struct schema_answer *answer)
{
    for (size_t i = 0; i < answer->text_count; i++)
        free(answer->texts[i]);
    free(answer->texts);
    free(answer->file);
    avro_schema_free(answer->schema);
    free(answer->words);
    free(answer->subject);
    *answer = (struct schema_answer){0};
}

struct schema_source {
    const char *name;      /* for people: "schema folder x" */
    bool has_fingerprints; /* ids are fingerprints */
    bool is_immutable;     /* an id that was found never changes */
    int64_t keep_ms;       /* how long "missing" and "bad" are believed */
    unsigned asks_per_s;   /* how many ids the table may ask for in a second, 0 = any */

    /* Asks for what there is before the first record. Errors: fatal ones. */
    int (*start)(struct schema_source *source, struct err *err);

    /* Waits at most timeout_ms until start is answered. 0: it is; -1: not now (ERR_DEPENDENCY: call
     * again to try again), or never (ERR_FATAL). NULL: nothing to wait for. */
    int (*await)(struct schema_source *source, int timeout_ms, struct err *err);

    /* An answer for id will come, once, unless it is being asked for already. now_ms: clock_ms. */
    void (*ask)(struct schema_source *source, uint64_t id, int64_t now_ms);

    /* poll would find an answer; any thread may look. NULL: answers come of start and ask only. */
    bool (*is_ready)(const struct schema_source *source);

    /* The next answer, if there is one. About 1 ns when there is none. */
    bool (*poll)(struct schema_source *source, struct schema_answer *answer);

    /* What there is to say that is about no id, as decoder_report. NULL: nothing. */
    void (*report)(struct schema_source *source,
                   void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                   void *arg);

    void (*free)(struct schema_source *source);
};

#endif
