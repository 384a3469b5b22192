/* registry.h: schemas from Confluent's schema registry, or any that speaks its REST interface.
 *
 *   table: ask(id) --> asked --> thread: HTTP, references, cache --> answers --> table: poll
 *
 * A thread of its own does all that waits; ids go to it and answers come back under one lock, which
 * is not taken when there is nothing to take. An id is fetched once however often it is asked for
 * meanwhile, a few ids at the same time. It tries each URL once and then says that it failed: when
 * to try again is the asker's to say, with back-off and jitter.
 *
 * At the start it brings what the cache on disk has, and asks for the known versions of the
 * subjects.
 */
#ifndef SCHEMAS_REGISTRY_H
#define SCHEMAS_REGISTRY_H

#include "schemas/registry_http.h"
#include "schemas/schema_source.h"

/* The answer "no such id" is kept that long: a producer may register it later. */
enum { REGISTRY_KEEP_MS = 30000 };

/* At the same time; times REGISTRY_MAX_BODY it is what a hostile registry may cost. */
enum { REGISTRY_MAX_FETCHES = 8 };

struct registry_options {
    struct registry_access access;
    const char *cache;           /* folder, "" or NULL: none */
    const char *const *subjects; /* whose versions are fetched at the start */
    size_t subject_count;
    unsigned asks_per_s;
};

/* *source is new, its thread is not started. All texts are copied. Errors: those of
 * registry_http_new, EXIT_IO the cache cannot be written. await says ERR_DEPENDENCY while the
 * registry does not answer, EXIT_DENIED when it does not let us in. */
int registry_new(struct schema_source **source, const struct registry_options *options,
                 struct err *err);

#endif
