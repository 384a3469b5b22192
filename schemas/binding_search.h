/* binding_search.h: what may be at the end of a path in a schema, all branches of all unions on the
 * way taken at once; private to binding*.c.
 *
 * A search is made once for a schema and asked for path after path. Owns its sets, borrows the
 * schema. Thread: the owner's.
 */
#ifndef SCHEMAS_BINDING_SEARCH_H
#define SCHEMAS_BINDING_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/feature.h"
#include "schemas/avro_schema.h"

/* A set of types, unions opened: all that may be at a place of an event. */
struct types {
    int32_t *items;
    size_t count;
    uint32_t *marks; /* per type: the round in which it was added */
    uint32_t round;
};

/* The best that a path comes to. */
enum reach { REACH_ABSENT, REACH_NULL, REACH_VALUE, REACH_WRONG };

struct search {
    const struct avro_schema *schema;
    /* Of the last path: */
    struct types now;                  /* VALUE: what may be at its end */
    struct types refused;              /* on the way and at its end: what does not serve */
    bool may_miss;                     /* some event may have nothing there */
    const struct schema_type *stopped; /* record that lacks a name, or NULL */
    const char *stopped_name;          /* which */
    int32_t stopped_type;              /* type that cannot be stepped into, or converted */
    const struct step *stopped_step;   /* that could not be taken, or NULL at a path's end */

    struct types next;
};

void search_init(struct search *search, const struct avro_schema *schema);
void search_release(struct search *search);

/* Follows a path to what a feature of that type takes, or (search_root) to what has fields. */
enum reach search_feature(struct search *search, const struct path *path, enum feature_type type);
enum reach search_root(struct search *search, const struct path *path);

/* Whether something may be there that can be carried into a score, or (is_time) be its time. */
bool search_carry(struct search *search, const struct path *path, bool is_time);

#endif
