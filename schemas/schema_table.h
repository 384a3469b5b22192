/* schema_table.h: schema ids and what became of them: a plan, a reason why there is none, or "no
 * such schema". The schemas come from a source (schemas/schema_source.h).
 *
 * Ids come from events, so hostile ones must not make it grow. What the source has is kept for
 * ever, up to SCHEMA_TABLE_MAX; then something useless makes room, and is asked for again when it
 * is needed. What it has not is in doubt: a table of fixed size from which the oldest falls out.
 *
 *   not asked -> asked -> usable | unusable | absent, for source->keep_ms | failed: asked again
 *
 * Owns plans and source, borrows the features. Thread: the decoder's.
 */
#ifndef SCHEMAS_SCHEMA_TABLE_H
#define SCHEMAS_SCHEMA_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/feature.h"
#include "schemas/plan.h"
#include "schemas/schema_source.h"

enum { SCHEMA_TABLE_MAX = 8192 };

struct schema_table;

enum schema_state {
    SCHEMA_NOT_ASKED, /* or no answer yet, or one that is too old */
    SCHEMA_USABLE,
    SCHEMA_UNUSABLE, /* damaged, or cannot serve the model */
    SCHEMA_ABSENT,
};

/* *table is new, with every schema that the source's start brings at once; the source is the
 * table's now. first_wait_ms: how long an id that is absent at first is asked for again before that
 * is the verdict. Errors: those of start, EXIT_IO what cannot be read; the source stays the
 * caller's. A damaged schema is no error here. */
int schema_table_load(struct schema_table **table, struct schema_source *source,
                      int64_t first_wait_ms, const struct features *features, struct err *err);
void schema_table_free(struct schema_table *table);

/* No allocation, about 2 ns. *plan is set when USABLE; it lives until the table learns. */
enum schema_state schema_table_find(struct schema_table *table, uint64_t id,
                                    const struct plan **plan);

/* Whether `next`, of other features, may take the place of table. 0; or -1 EXIT_DATA with the
 * schema that table has a plan for and next has not, and why: one that was found within the last
 * hour, or any where next has none at all. What next says like table is told already. */
int schema_table_hand_over(const struct schema_table *table, struct schema_table *next,
                           int64_t now_ms, struct err *err);

/* How many schemas can be used now. */
size_t schema_table_count(const struct schema_table *table);

/* Takes in the answers that came. now_ms, here and below: of core/clock.h's clock_ms. */
void schema_table_poll(struct schema_table *table, int64_t now_ms);

/* Asks for the id, unless it is known or asked for already. 0: known now, one way or another; 1:
 * the answer is still to come; -1 ERR_DEPENDENCY: it could not be told, or too many ids are asked
 * for; both may be tried again. */
int schema_table_learn(struct schema_table *table, uint64_t id, int64_t now_ms, struct err *err);

/* As source->await. */
int schema_table_await(struct schema_table *table, int timeout_ms, struct err *err);

/* As decoder_report; a file that has no fingerprint, for it is no schema, is SCHEMA_ID_NONE. */
void schema_table_report(struct schema_table *table,
                         void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                         void *arg);

#endif
