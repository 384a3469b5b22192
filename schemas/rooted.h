/* rooted.h: a model's features as they lie in an envelope, and what else is asked of its events:
 * every path with the root's steps in front. Connect's envelope has the event at `payload`,
 * Debezium's at `after`, CloudEvents' at `data`.
 *
 * Owns its paths, borrows everything else from the features and the root. Thread: any.
 */
#ifndef SCHEMAS_ROOTED_H
#define SCHEMAS_ROOTED_H

#include "core/feature.h"

struct rooted_options {
    const struct path *root; /* NULL or without steps: none */
    const struct path *carry;
    size_t carry_count;
    const struct path *event_time; /* NULL or without steps: none */
};

/* *rooted is new. */
void rooted_init(struct features *rooted, const struct features *features,
                 const struct rooted_options *options);
void rooted_release(struct features *rooted);

#endif
