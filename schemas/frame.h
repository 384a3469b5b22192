/* frame.h: what stands in front of a value, by the framing that the configuration names.
 *
 *   Confluent, also before JSON   0x00, schema id (4 bytes, big-endian)
 *   Avro single-object            0xC3 0x01, CRC-64-AVRO fingerprint (8 bytes, little-endian)
 *
 * Other framings that can be told by their first bytes are named, not guessed at: AWS Glue's (0x03,
 * compression 0 or 5, 16-byte id), and these two in each other's place as far as they can be told.
 * Source: Confluent Schema Registry, "Wire format"; Apache Avro specification, "Single-object
 * encoding"; AWS Glue's SerializationDataEncoder.java. Thread: any.
 */
#ifndef SCHEMAS_FRAME_H
#define SCHEMAS_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/outcome.h"
#include "core/slice.h"

enum { FRAME_CONFLUENT_BYTES = 5, FRAME_SINGLE_OBJECT_BYTES = 10 };

/* Reads a Confluent frame's schema id, 0 to 2^32 - 1. FAULT_NONE, or what is wrong. */
enum fault frame_read(struct slice value, int64_t *schema_id);

/* As frame_read for a single-object: the fingerprint, any 64 bits. */
enum fault frame_read_single_object(struct slice value, int64_t *schema_id);

/* The value begins as AWS Glue's framing does. */
bool frame_is_glue(struct slice value);

#endif
