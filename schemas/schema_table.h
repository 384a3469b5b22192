/* schema_table.h: schema ids and what became of them: a plan, a reason why there is none, or "no
 * such schema". The schemas are files in one folder: <id>.avsc, or, for ids that are fingerprints,
 * any *.avsc (schemas/schema_files.h).
 *
 * Ids come from events, so hostile ones must not make it grow: what has a file is kept for ever (as
 * many as there are files, at most SCHEMA_TABLE_MAX), what has none goes into a cache of fixed size
 * where a newer id may push out an older one, and is asked again after a second.
 *
 * Owns the plans, borrows the features. Thread: the decoder's.
 */
#ifndef SCHEMAS_SCHEMA_TABLE_H
#define SCHEMAS_SCHEMA_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/feature.h"
#include "schemas/plan.h"

enum { SCHEMA_TABLE_MAX = 8192, SCHEMA_RETRY_MS = 1000 };

struct schema_table;

enum schema_state {
    SCHEMA_NOT_ASKED, /* or the answer is too old */
    SCHEMA_USABLE,
    SCHEMA_UNUSABLE, /* damaged, or cannot serve the model */
    SCHEMA_ABSENT,
};

/* *table is new, with every <id>.avsc of the folder. Errors: EXIT_IO folder or file unreadable,
 * EXIT_CONFIGURATION more than SCHEMA_TABLE_MAX schemas. A damaged schema is no error here. */
int schema_table_load(struct schema_table **table, const char *folder,
                      const struct features *features, struct err *err);

/* The same with ids that are fingerprints, of every *.avsc. Each is read again when it changes, and
 * the folder at most once a second; a schema whose file is gone stays known. */
int schema_table_load_fingerprints(struct schema_table **table, const char *folder,
                                   const struct features *features, struct err *err);
void schema_table_free(struct schema_table *table);

/* No allocation, about 2 ns. *plan is set when USABLE. */
enum schema_state schema_table_find(const struct schema_table *table, uint64_t id,
                                    const struct plan **plan);

/* Opens the id's file, unless the id is usable already: its schema never changes. 0: known now, one
 * way or another; -1 ERR_DEPENDENCY: unreadable. now_ms: of core/clock.h's clock_ms. */
int schema_table_learn(struct schema_table *table, uint64_t id, int64_t now_ms, struct err *err);

/* As decoder_report; a file that has no fingerprint, for it is no schema, is SCHEMA_ID_NONE. */
void schema_table_report(struct schema_table *table,
                         void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                         void *arg);

#endif
