/* lifecycle.h: the models of a running process: another one in place of the one in use, and back.
 *
 *   reload    the bundle in [model] path now: when it is asked for, and with [model] watch when the
 *             folder has changed and is still
 *   rollback  the bundle before, which was kept: one step, at once
 *
 * One helper thread for a process does all that takes time: it loads the bundle beside the one in
 * use, lets it prove its goldens, compiles plans for all schemas, makes the workers' rooms, and
 * frees what is left behind. The workers go on meanwhile (pipeline/changeover.h). What cannot take
 * the place is refused, the one in use stays, and the log says why: model_loaded, model_refused,
 * model_unchanged, model_swapped, model_rolled_back.
 *
 * Memory: the model in use, the one before, and while it loads a third.
 */
#ifndef PIPELINE_LIFECYCLE_H
#define PIPELINE_LIFECYCLE_H

#include "pipeline/shared.h"

struct lifecycle;

/* Begins, before any worker does; NULL where no order can come: a replay's model stays. Sets
 * shared->changeover, and from then on shared->bundle is the one in use. */
struct lifecycle *lifecycle_new(struct shared *shared);

/* When all workers have ended. A load that hangs is left to itself. May be NULL. */
void lifecycle_free(struct lifecycle *lifecycle);

#endif
