/* writers.h: the schemas that values were written with, by id, for those who read values whole
 * (schemas/schema_table.h has plans, for those who score them): files <id>.avsc in one folder.
 *
 * Ids come from events: a cache of fixed size, where a newer id may push out an older one. An id
 * that has no file, or no schema in it, is asked again after a second.
 *
 * Owns its schemas. Thread: the owner's.
 */
#ifndef SCHEMAS_WRITERS_H
#define SCHEMAS_WRITERS_H

#include <stdint.h>

#include "schemas/avro_schema.h"

struct writers;

/* Never NULL. folder "": there is none, and no id is known. */
struct writers *writers_new(const char *folder);
void writers_free(struct writers *writers);

/* The id's schema, which lives until the next call; NULL and *why, a line that lives as long. */
const struct avro_schema *writers_find(struct writers *writers, uint32_t id, const char **why);

#endif
