/* rooted.h: a model's features as they lie in an envelope: every path with the root's steps in
 * front. Connect's envelope has the event at `payload`, Debezium's at `after`, CloudEvents' at
 * `data`.
 *
 * Owns its paths, borrows everything else from the features and the root. Thread: any.
 */
#ifndef SCHEMAS_ROOTED_H
#define SCHEMAS_ROOTED_H

#include "core/feature.h"

/* *rooted is new; root without steps gives plain copies. */
void rooted_init(struct features *rooted, const struct features *features, const struct path *root);
void rooted_release(struct features *rooted);

#endif
