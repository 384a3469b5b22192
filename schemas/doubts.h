/* doubts.h: ids without a schema, and since when: asked for, failed, or absent. Room for
 * DOUBTS_MAX; one more pushes out the oldest, so that hostile ids cost no memory. The room is for
 * what a second's cap of 200 lets in within the 30 s that an answer of a registry is kept.
 *
 * Thread: the table's.
 */
#ifndef SCHEMAS_DOUBTS_H
#define SCHEMAS_DOUBTS_H

#include <stddef.h>
#include <stdint.h>

enum { DOUBTS_MAX = 8192 };

enum doubt_kind { DOUBT_NONE, DOUBT_ASKED, DOUBT_FAILED, DOUBT_ABSENT };

struct doubt {
    uint64_t id;
    uint16_t kind;     /* enum doubt_kind; NONE: room */
    uint16_t next;     /* in its chain: index + 1, 0 ends it */
    int64_t at_ms;     /* when it became that */
    int64_t absent_ms; /* when it was absent first, 0 before */
};

struct doubts {
    uint16_t chains[DOUBTS_MAX]; /* by hash of id: index + 1, 0 = empty */
    struct doubt items[DOUBTS_MAX];
    size_t oldest, asked_count;
};

/* NULL: never heard of. */
const struct doubt *doubts_find(const struct doubts *doubts, uint64_t id);

/* A new or known one becomes that kind. */
void doubts_put(struct doubts *doubts, uint64_t id, enum doubt_kind kind, int64_t now_ms);
void doubts_remove(struct doubts *doubts, uint64_t id);

#endif
