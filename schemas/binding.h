/* binding.h: which field of an Avro schema each feature of a model takes, in words too.
 *
 * A schema is asked once, before any event: of a feature's paths the first that the schema has is
 * taken. Names match names of fields only. A field's alias does not: it is a promise to readers
 * with a schema of their own, a feature has none, and a renamed field often has another unit too;
 * the bundle says with `a | b` which names mean the same. Where an alias would match, the text says
 * so.
 *
 * Thread: any.
 */
#ifndef SCHEMAS_BINDING_H
#define SCHEMAS_BINDING_H

#include <stdio.h>

#include "core/err.h"
#include "core/feature.h"
#include "schemas/avro_schema.h"

/* No path, or a path to nothing but null: the feature is missing in each event of the schema. */
enum { BINDING_MISSING = -1 };

/* Fills paths[features->count] with the number of the path that each feature takes, or
 * BINDING_MISSING, and writes what it found to `say`: "22 features bound: distance <-
 * distance_miles (double), ...; missing: temp". Errors: EXIT_DATA, the schema cannot serve the
 * model: `say` and err name each feature that is required and not there, or of a type that never
 * converts; `say` is complete where err is cut. */
int binding_resolve(const struct avro_schema *schema, const struct features *features,
                    int32_t *paths, FILE *say, struct err *err);

/* True when a value of that kind can be what the feature takes. */
bool binding_converts(enum schema_kind kind, enum feature_type type);

#endif
