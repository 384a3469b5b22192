/* writers.h: the schemas that values were written with, by id, for those who read values whole
 * (schemas/schema_table.h has plans, for those who score them).
 *
 * Ids come from events, hostile ones too: at most WRITERS_MAX schemas are kept, and an id that has
 * none is asked for again after a second.
 *
 * Owns its source and its schemas. Thread: the owner's.
 */
#ifndef SCHEMAS_WRITERS_H
#define SCHEMAS_WRITERS_H

#include <stdint.h>

#include "schemas/avro_schema.h"
#include "schemas/schema_source.h"

enum { WRITERS_MAX = 8192 };

struct writers;

/* *writers is new; takes the source over, and starts it. source NULL: no id is known. Errors: those
 * of the start; the source is freed. */
int writers_new(struct writers **writers, struct schema_source *source, struct err *err);
void writers_free(struct writers *writers);

/* The schema of an id or fingerprint, which lives until the next call; NULL and *why, a line that
 * lives as long. Waits at most 5 s for a registry. */
const struct avro_schema *writers_find(struct writers *writers, uint64_t id, const char **why);

#endif
