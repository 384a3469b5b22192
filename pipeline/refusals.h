/* refusals.h: what the brokers refused for what it is, and the search for which record it was.
 *
 * A broker refuses a batch as a whole and names no culprit. So the spans of a refused slot are
 * *suspect*: on the second pass their records are sent one by one, each alone on its way. What is
 * refused then is *refused*, remembered by its coordinates, and becomes a dead letter on the third
 * pass. Coordinates hold for one assignment: those of a topic made anew are other records.
 *
 * Plain values of fixed size. Thread: the worker's.
 */
#ifndef PIPELINE_REFUSALS_H
#define PIPELINE_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

#include "consumer/ring.h"
#include "core/outcome.h"

enum { REFUSED_MAX = 1024, SUSPECT_MAX = 256 };

struct refused {
    uint32_t part, epoch; /* of the assignment */
    int64_t offset;
    enum fault fault; /* of its score; FAULT_NONE when only its dead letter was refused */
    /* Of its dead letter: the first makes the next try carry the timestamp of now, the second only
     * what is smallest; from the third on everything waits. */
    unsigned dead_refusals;
};

struct suspect {
    uint32_t part, epoch;
    int64_t first, end;
};

struct refusals {
    struct refused refused[REFUSED_MAX]; /* oldest first */
    size_t refused_count;
    struct suspect suspects[SUSPECT_MAX];
    size_t suspect_count;
};

/* The culprit of a span of one record is known, or refused once more. A full table forgets the
 * oldest: its span would be sent one by one again. Returns it. */
const struct refused *refusals_add(struct refusals *refusals, const struct span *span,
                                   enum fault fault);

/* NULL when the record was not refused. */
const struct refused *refusals_find(const struct refusals *refusals, uint32_t part, int64_t offset);

/* Something in the span was refused. A full table does not note it: it is refused once more. */
void refusals_suspect(struct refusals *refusals, const struct span *span);

/* Forgets what has its outcome by now, or is not ours to give. */
void refusals_forget_past(struct refusals *refusals, const struct ledger *ledger);

/* Forgets all: nobody was to blame. */
void refusals_reset(struct refusals *refusals);

#endif
