/* schema_id.h: by what number an event names its schema: a registry's id, or the fingerprint of an
 * Avro schema (schemas/fingerprint.h). Which of the two it is follows from the configuration and is
 * the same for all records of a process.
 *
 * Plain values, any thread.
 */
#ifndef CORE_SCHEMA_ID_H
#define CORE_SCHEMA_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An event that names no schema. A fingerprint is any 64 bits: the one that looks like this is
 * taken for none, and its record is a dead letter as those of other unknown schemas are. */
enum { SCHEMA_ID_NONE = -1, SCHEMA_ID_TEXT_MAX = 24 };

/* A decimal id, or 16 hex digits; NUL-terminated, at most SCHEMA_ID_TEXT_MAX bytes with the NUL.
 * Returns the length. */
size_t schema_id_print(char *out, int64_t id, bool is_fingerprint);

#endif
