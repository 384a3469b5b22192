/* journaling.h: [journal] topic: what the journal has goes there, and at the start what changed
 * since the run before is read back from it.
 *
 *   journaling_begin   before the first record: the last `run` and `profile` of this instance
 *   journaling_poll    once a second: new entries, and the run when it changed or an hour is over
 *   journaling_free    what is left, with a deadline
 *
 * The scoring waits for none of it but the first, which has a deadline. While the brokers are away
 * the journal keeps what is newest; an entry is sent again until they have it. docs/journal.md.
 *
 * Owns its producer, borrows configuration and journal. Thread: begin and free on one thread, the
 * others on any: one mutex.
 */
#ifndef PIPELINE_JOURNALING_H
#define PIPELINE_JOURNALING_H

#include "core/config.h"
#include "core/journal.h"
#include "core/metrics.h"

struct journaling;

/* NULL: no topic is configured, or err: EXIT_CONFIGURATION. All below take NULL. */
struct journaling *journaling_new(const struct config *config, const char *build,
                                  struct journal *journal, struct err *err);
void journaling_free(struct journaling *journaling);

/* Waits up to JOURNALING_READ_MS for what the last run left; logs each difference as `changed`. */
enum { JOURNALING_READ_MS = 5000 };
void journaling_begin(struct journaling *journaling, const struct model_metrics *model);

/* model: that scores now. */
void journaling_poll(struct journaling *journaling, const struct model_metrics *model);

/* The profile of the last run, JSON, as journaling_begin found it; NULL: none. */
const char *journaling_profile(const struct journaling *journaling);

/* The profile that the next run will find, as one worker has it, of so many windows (0: as it was
 * said before, or found); JSON, copied. Sent within a second or so. Of several workers that of the
 * most windows is kept. */
void journaling_put_profile(struct journaling *journaling, unsigned worker, uint32_t windows,
                            const char *text);

#endif
