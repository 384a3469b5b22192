/* unused.h: which fields of a schema, or of JSON events, nobody takes: no feature, carry or
 * event_time. Only fields below the root count; nothing outside of it could be taken.
 *
 * A field is named by its path from the outside, as model.ini writes it. Of a field that nobody
 * takes what lies inside is not listed. At most UNUSED_MAX paths are kept: events are hostile.
 *
 * Owns its texts, borrows features and binding. Thread: the owner's.
 */
#ifndef SCHEMAS_UNUSED_H
#define SCHEMAS_UNUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/feature.h"
#include "core/slice.h"
#include "schemas/avro_schema.h"
#include "schemas/binding.h"
#include "schemas/wish.h"

enum { UNUSED_MAX = 1000 };

struct unused_field {
    char *path;
    char *name;      /* its last name, for "did you mean" */
    uint64_t events; /* that had it */
    uint64_t round;  /* of the last of them */
};

struct unused {
    struct unused_field *items;
    size_t count, cap, next;
    bool has_more;
    uint64_t round; /* events so far */
    size_t visits;  /* to types of the schema: unions may lead to the same ones on many ways */
    struct wish root;
};

/* binding NULL: of each feature all paths are its own; else the one that it took, and all of those
 * that took none. */
void unused_init(struct unused *unused, const struct features *features,
                 const struct binding *binding);
void unused_release(struct unused *unused);

void unused_schema(struct unused *unused, const struct avro_schema *schema);

/* One JSON event more, whose syntax is right; what is nested deeper than max_depth is not seen. */
void unused_event(struct unused *unused, struct slice json, unsigned max_depth);

/* The most frequent first. */
void unused_sort(struct unused *unused);

/* The field of nearly that name, or NULL. */
const struct unused_field *unused_nearest(const struct unused *unused, const char *name);

#endif
