/* fingerprint.h: what identifies an Avro schema by itself: its Parsing Canonical Form and the
 * CRC-64-AVRO (Rabin) fingerprint of that. Documentation, aliases, defaults and logical types do
 * not change it.
 * Source: Apache Avro 1.11 specification, "Transforming into Parsing Canonical Form" and "Schema
 * Fingerprints"; Java's org.apache.avro.SchemaNormalization. Thread: any.
 */
#ifndef SCHEMAS_FINGERPRINT_H
#define SCHEMAS_FINGERPRINT_H

#include <stdint.h>

#include "schemas/avro_schema.h"

/* The canonical form, a new text of *len bytes and a NUL; free() it. */
char *canonical_form(const struct avro_schema *schema, size_t *len);

uint64_t fingerprint_of_text(const char *text, size_t len);
uint64_t fingerprint_of(const struct avro_schema *schema);

#endif
