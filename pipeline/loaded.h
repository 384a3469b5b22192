/* loaded.h: what a PATH on the command line holds: a bundle (a folder, its golden rows and events
 * run) or a bare model file.
 */
#ifndef PIPELINE_LOADED_H
#define PIPELINE_LOADED_H

#include "core/err.h"
#include "core/feature.h"
#include "scoring/bundle.h"

struct loaded {
    struct bundle *bundle;           /* NULL for a bare model */
    struct model *model;             /* the bundle's, or owned */
    const struct features *features; /* the bundle's, or `own` */
    struct features own; /* of a bare model: each a number of its own name (columns_of_model) */
};

/* options: NULL for none. EXIT_IO, EXIT_DATA, EXIT_USAGE; nothing is left behind then. The struct
 * must stay in its place. */
int loaded_load(struct loaded *loaded, const char *path, const struct model_options *options,
                struct err *err);
void loaded_release(struct loaded *loaded);

#endif
