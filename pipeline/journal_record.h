/* journal_record.h: what stands in the records of [journal] topic (docs/journal.md): JSON, and what
 * a run is: its facts, held against those of the run before.
 *
 * Plain functions on values of their callers. Any thread.
 */
#ifndef PIPELINE_JOURNAL_RECORD_H
#define PIPELINE_JOURNAL_RECORD_H

#include "core/config.h"
#include "core/journal.h"
#include "core/metrics.h"

/* Who says it. */
struct journal_source {
    const char *name, *instance, *run; /* borrowed */
};

/* A key, from malloc: what is of one instance has one key; runs and profiles have others, so that a
 * compacted topic keeps the last of each. kind: NULL, "run" or "profile". */
char *journal_record_key(const struct journal_source *source, const char *kind);

/* Values, from malloc. missed: entries before this one that were lost. */
char *journal_record_entry(const struct journal_source *source, const struct journal_entry *entry,
                           uint64_t missed);
/* text: JSON; NULL where it is none. */
char *journal_record_profile(const struct journal_source *source, int64_t at_ms, const char *text);

/* What a run is. */
struct run_facts;

/* From the configuration, versions, and the model that scores. */
struct run_facts *run_facts_new(const struct config *config, const char *build);
void run_facts_free(struct run_facts *facts);
/* True: it is another one. */
bool run_facts_set_model(struct run_facts *facts, const struct model_metrics *model);
/* A schema was met; true: none of that id was before. */
bool run_facts_add_schema(struct run_facts *facts, const char *id, size_t len);
bool run_facts_has_schema(const struct run_facts *facts, const char *id, size_t len);

char *journal_record_run(const struct journal_source *source, int64_t at_ms,
                         const struct run_facts *facts);

/* A value that was read back: the facts of a `run`, or NULL; who and when in buffers. */
struct run_facts *run_facts_parse(const char *value, size_t len, char run[16], char time[32]);
/* The text of a `profile`, from malloc, or NULL. */
char *journal_record_parse_profile(const char *value, size_t len);

/* Which worker's profile is the process's: of those that go on the one of the most windows. */
struct profile_seat {
    unsigned worker;
    uint32_t windows;
    int64_t at_ms; /* when it was said last; 0: nobody has it */
};
/* A worker says its profile, at_ms: now. True: it takes the seat. */
bool profile_seat_take(struct profile_seat *seat, const struct profile_seat *next);

/* One difference, in texts that live until the next. */
typedef void run_facts_change(void *arg, const char *key, const char *from, const char *to);
/* Calls change for each fact that differs; returns how many. Schemas are not among them: which are
 * met is only known later. */
size_t run_facts_compare(const struct run_facts *before, const struct run_facts *now,
                         run_facts_change *change, void *arg);

#endif
