/* json_path.h: what stands at a path of an event's JSON text, for people who ask about one event.
 * Scoring never comes here: schemas/scan.h binds all features in one pass.
 *
 * Plain values, any thread.
 */
#ifndef CORE_JSON_PATH_H
#define CORE_JSON_PATH_H

#include <stdbool.h>

#include "core/feature.h"
#include "core/slice.h"

/* *value is the text of the value at path, as it stands in `text`: also of a null, or of whatever
 * else bars the way. False: there is none; a text that is damaged or cut has none from there on. Of
 * a key that comes twice the last counts. Borrows from text. */
bool json_path_find(struct slice text, const struct path *path, struct slice *value);

#endif
