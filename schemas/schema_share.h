/* schema_share.h: one source of schemas for the workers of a process.
 *
 *   table 1 --ask--> seat 1 --\                     /--> seat 1 --poll--> table 1
 *                              +--> the source --> *
 *   table 2 --ask--> seat 2 --/                     \--> seat 2 --poll--> table 2
 *
 * Whatever one worker asks for, all of them hear: a schema is fetched once and read once, and its
 * tree is shared. Plans are each worker's own, so that scoring takes no lock; a seat takes one only
 * when an answer is there. unknown_ids_per_s is shared out among the seats.
 *
 * A worker may have two seats, while a new bundle's table is made beside the one in use: whoever
 * comes late hears all schemas that there are first, and asks nobody.
 *
 * Owns the source. A seat is a schema_source that its table frees; the share outlives them all.
 * Any thread may use its seat.
 */
#ifndef SCHEMAS_SCHEMA_SHARE_H
#define SCHEMAS_SCHEMA_SHARE_H

#include "schemas/schema_source.h"

struct schema_share;

/* Never NULL. workers: at least 1. */
struct schema_share *schema_share_new(struct schema_source *source, unsigned workers);
void schema_share_free(struct schema_share *share);

/* A seat for that worker, of which two may be taken at a time. The first start of any of them
 * starts the source: what that says is what every start says. */
struct schema_source *schema_share_seat(struct schema_share *share, unsigned worker);

#endif
