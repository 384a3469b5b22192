/* unpack.h: the blocks of an Avro container file, as they were before they were compressed.
 *
 * The bytes are hostile: what comes out is at most UNPACK_MAX_BYTES, and room for it grows with
 * what was really there, not with what a length claims. Sources: Apache Avro 1.11 specification,
 * "Required Codecs" and "Optional Codecs"; google/snappy, format_description.txt.
 *
 * The buffer is the caller's. Thread: any.
 */
#ifndef SCHEMAS_UNPACK_H
#define SCHEMAS_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

enum { UNPACK_MAX_BYTES = 64 << 20 };

enum unpack_codec { UNPACK_NULL, UNPACK_DEFLATE, UNPACK_SNAPPY, UNPACK_CODEC_COUNT };

/* Their names in avro.codec: "null", "deflate", "snappy". */
extern const char *const unpack_names[UNPACK_CODEC_COUNT];

/* Owns data, which is used again by the next block. Start with zeros. */
struct unpacked {
    uint8_t *data;
    size_t cap;
};

/* *out is the block's content, in `room`, or the block itself. NULL, or why it cannot be read: a
 * static text. */
const char *unpack(enum unpack_codec codec, struct slice block, struct unpacked *room,
                   struct slice *out);

#endif
