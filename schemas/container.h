/* container.h: an Avro container file, value by value, from a file or a pipe.
 *
 *   "Obj" 1 | metadata: avro.schema, avro.codec | sync | block | block ...
 *   block: count of values | size in bytes | the values, packed | sync
 *
 * A value has no length of its own: a plan without features (schemas/plan.h) finds where each
 * ends, so the value that is given out is one that decoder_decode takes as it takes a message. What
 * is wrong inside a block costs that block from there on; where a block begins or ends wrong, the
 * file ends.
 *
 * The bytes are hostile: sizes are bounded, and memory follows from what was really read: a block
 * of at most CONTAINER_MAX_BLOCK_BYTES, packed and unpacked. Source: Apache Avro 1.11
 * specification, "Object Container Files". Owns all below it, borrows the descriptor. Thread: the
 * owner's.
 */
#ifndef SCHEMAS_CONTAINER_H
#define SCHEMAS_CONTAINER_H

#include <stdint.h>

#include "core/err.h"
#include "core/slice.h"
#include "schemas/avro_schema.h"
#include "schemas/unpack.h"

enum { CONTAINER_MAX_BLOCK_BYTES = UNPACK_MAX_BYTES };

struct container;

/* *container is new; reads up to the first block. Errors: EXIT_IO, EXIT_DATA: it is none, its
 * schema is damaged, or its codec is none of unpack_names. */
int container_open(struct container **container, int fd, struct err *err);
void container_free(struct container *container);

/* What the values were written with. Lives as long as the container. */
const struct avro_schema *container_schema(const struct container *container);

/* 1: the next value, which lives until the next call. 0: the end. -1: ERR_RECORD, the rest of a
 * block is lost, and reading goes on behind it; or fatal, EXIT_IO or EXIT_DATA. */
int container_next(struct container *container, struct slice *value, struct err *err);

/* Number of the last value, those that were lost included, from 1; and how many bytes were read. */
uint64_t container_number(const struct container *container);
uint64_t container_bytes(const struct container *container);

#endif
