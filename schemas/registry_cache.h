/* registry_cache.h: what a registry answered, as files, so that a restart needs no registry.
 *
 *   <folder>/<16 hex of the registry's URL>/<id>.json    {"schema": "...", "references": ["...", ]}
 *
 * Ids are for ever, so nothing is ever stale; what is damaged is no file, and asked for again. A
 * file appears whole (written beside, renamed): several processes may share a folder, and all of
 * it may be deleted at any time. What cannot be written, on a full disk say, costs no score: that
 * is said once in the log (event=cache_failed) until it can be written again.
 * Thread: one at a time.
 */
#ifndef SCHEMAS_REGISTRY_CACHE_H
#define SCHEMAS_REGISTRY_CACHE_H

#include "schemas/schema_source.h"

struct registry_cache {
    char *folder;    /* of this registry; NULL: there is no cache */
    bool is_failing; /* the last file could not be written, which is said */
};

/* folder NULL or "": nothing is kept. url: the registry's, without a user. Makes the folders.
 * EXIT_IO when they cannot be made or written. */
int registry_cache_init(struct registry_cache *cache, const char *folder, const char *url,
                        struct err *err);
void registry_cache_release(struct registry_cache *cache);

/* Every schema that is kept, at most `max` of them: *answers is new, as are its texts. Returns how
 * many. */
size_t registry_cache_load(const struct registry_cache *cache, size_t max,
                           struct schema_answer **answers);

/* Keeps a schema that was FOUND. */
void registry_cache_store(struct registry_cache *cache, const struct schema_answer *answer);

/* The id of a text that is registered under a subject, in a file <16 hex of both>.id. False: it is
 * not kept. */
bool registry_cache_load_id(const struct registry_cache *cache, const char *subject,
                            const char *text, uint32_t *id);
void registry_cache_store_id(struct registry_cache *cache, const char *subject, const char *text,
                             uint32_t id);

#endif
