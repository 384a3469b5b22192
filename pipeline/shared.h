/* shared.h: what the workers of one process share: the model that they begin with, and the schemas.
 *
 * Opened by one thread before any worker, released after all of them; immutable in between, but for
 * the order to stop, which a worker that fails gives to all, and what pipeline/lifecycle.h says.
 */
#ifndef PIPELINE_SHARED_H
#define PIPELINE_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "pipeline/alerts.h"
#include "pipeline/changeover.h"
#include "pipeline/pipeline.h"
#include "schemas/schema_share.h"
#include "scoring/bundle.h"

enum { RUN_MAX = 13 };

struct shared {
    const struct pipeline_options *options;
    const struct config *config;
    struct replay *replay; /* or NULL */
    char run[RUN_MAX];
    struct bundle *bundle;
    struct alerts alerts;          /* of the bundle */
    uint64_t model_stamp;          /* of its folder (pipeline/folder_watch.h), before it was read */
    struct changeover *changeover; /* NULL: the model stays */
    struct schema_share *schemas;  /* NULL: events name no schema */
    uint32_t score_schema_id;      /* of Avro scores */
    _Atomic int failed;            /* the worker that failed first, -1: none did */
};

/* Loads the model, opens the source of schemas, and finds the schema of Avro scores, for which a
 * registry that is not there is waited for. 0: all is there, or shared_is_stopping. -1: err, fatal.
 * shared_release in either case. */
int shared_open(struct shared *shared, const struct pipeline_options *options, struct err *err);
void shared_release(struct shared *shared);

/* 12 hex digits of build and configuration, which scores and dead letters carry. */
void shared_name_run(const struct config *config, const char *build, char run[RUN_MAX]);

/* The bundle in the folder `path` may take traffic: its goldens hold. *bundle is the caller's,
 * whatever comes of it. config is not looked at any more when reading has begun. */
int shared_load_bundle(const struct config *config, const char *path, struct bundle **bundle,
                       struct err *err);
void shared_say_loaded(const struct bundle *bundle);

/* Told to stop, from outside or by a worker. */
bool shared_is_stopping(const struct shared *shared);

#endif
