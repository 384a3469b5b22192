/* wish.h: the paths of features as one tree of names, so that a plan or a scanner walks an event
 * once. A node is a place of an event; `wants` are the features that take the value itself.
 *
 *   temp = weather.temp, dewp = weather.dewp      root -- weather -- temp {0}
 *                                                              \-- dewp {1}
 *
 * .name and ["name"] are the same step: a field of a record, a map's key, an object's key.
 * Owns its arrays, borrows the names from the features. Thread: any.
 */
#ifndef SCHEMAS_WISH_H
#define SCHEMAS_WISH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/feature.h"

struct want {
    size_t slot; /* feature */
    size_t rank; /* which of its paths, from the left */
};

struct wish {
    enum step_kind kind; /* how it is reached from its parent: INDEX, or else by name */
    const char *name;
    size_t name_len, index;
    struct want *wants;
    size_t want_count, want_cap;
    bool is_root, leads_to_root; /* the content of an envelope is here, or below */
    struct wish *children;
    size_t child_count, child_cap;
};

/* Adds a feature's path below root (zeroed at first). */
void wish_add(struct wish *root, const struct path *path, struct want want);
void wish_release(struct wish *root);

/* Marks the place where the content of an envelope lies, if the path has steps. */
void wish_mark_root(struct wish *root, const struct path *path);

/* The child by name (or, is_index, by index) on the way to that place, or NULL. */
const struct wish *wish_to_root(const struct wish *w, bool is_index);

/* The child of that name, or NULL. */
const struct wish *wish_child(const struct wish *w, const char *name, size_t len);

/* How many children are reached by index, or by name. */
size_t wish_count(const struct wish *w, bool is_index);

#endif
