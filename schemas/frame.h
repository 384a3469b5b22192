/* frame.h: what stands in front of an Avro value. Confluent's: 0x00, schema id (4 bytes,
 * big-endian). Other framings that can be told by their first bytes are named, not guessed at.
 * Source: Confluent Schema Registry, "Wire format"; AWS Glue SerializationDataEncoder.java (0x03,
 * compression 0 or 5, 16-byte id); Avro specification, "Single-object encoding" (0xC3 0x01). */
#ifndef SCHEMAS_FRAME_H
#define SCHEMAS_FRAME_H

#include <stdint.h>

#include "core/outcome.h"
#include "core/slice.h"

enum { FRAME_CONFLUENT_BYTES = 5 };

/* Reads the frame's schema id, 0 to 2^32 - 1. FAULT_NONE, or what is wrong. */
enum fault frame_read(struct slice value, int64_t *schema_id);

#endif
