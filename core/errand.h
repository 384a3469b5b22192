/* errand.h: a call that may take for ever, on a thread of its own.
 *
 * For what librdkafka has no deadline for: whoever asked looks now and then whether it is over, and
 * may leave it. Then it goes on by itself, and nothing waits for it: not even the process's end.
 *
 * Thread: run on its own; everything else on the owner's.
 */
#ifndef CORE_ERRAND_H
#define CORE_ERRAND_H

#include <stdbool.h>

struct errand;
typedef void errand_call(void *arg);

/* run(arg) begins; where no thread is to be had it is over when this returns. When it is over and
 * the errand is freed, drop(arg): on the owner's thread, or on its own where it was left. */
struct errand *errand_new(errand_call *run, errand_call *drop, void *arg);

/* Waits up to timeout_ms for the end. True: run has returned, and arg is the owner's to read. */
bool errand_poll(struct errand *errand, int timeout_ms);

/* Leaves it where it has not ended: false. May be NULL. */
bool errand_free(struct errand *errand);

#endif
