/* unsound.c: linked into `unsound`, a kscore of its own (Makefile) whose account has a bug: behind
 * the 50th score of a partition some are counted that there were not. What becomes of it: the suite
 * invariant. */
#include "consumer/ring.h"

/* The linker's names. */
size_t sound(struct ring *ring, struct ledger *ledger) __asm__("__real_ring_retire");
size_t unsound(struct ring *ring, struct ledger *ledger) __asm__("__wrap_ring_retire");

size_t unsound(struct ring *ring, struct ledger *ledger)
{
    size_t retired = sound(ring, ledger);

    for (size_t i = 0; i < ledger->count; i++)
        if (retired > 0 && ledger->parts[i].counts.scored >= 50)
            ledger->parts[i].counts.scored++;
    return retired;
}
