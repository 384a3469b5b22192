/* container_out.h: an Avro object container file, written block by block.
 *
 * Avro 1.11, "Object Container Files": a header (magic, schema, codec null, 16 bytes that mark the
 * end of each block), then blocks: how many records, how many bytes, those, the mark. Ours and not
 * avro-c's, whose schema in the header has lost its logical types and defaults.
 *
 * Whoever has the file writes the bytes; a file that is cut behind a block is whole, and what comes
 * is appended with the mark that its header has. Thread: the owner's.
 */
#ifndef SCHEMAS_CONTAINER_OUT_H
#define SCHEMAS_CONTAINER_OUT_H

#include <stdbool.h>

#include "core/slice.h"

enum { CONTAINER_OUT_MARK = 16, CONTAINER_OUT_HEAD = 20 };

/* The header of a file of that schema (JSON), new; *len is its length, its last CONTAINER_OUT_MARK
 * bytes are the mark, made up anew. */
char *container_out_header(struct slice schema, size_t *len);

/* What stands in front of a block's records: into out, of CONTAINER_OUT_HEAD; returns the length.
 * Behind them comes the mark. */
size_t container_out_block_head(char *out, size_t count, size_t bytes);

#endif
