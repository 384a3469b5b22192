/* hash.h: the 64-bit hash of Fowler, Noll and Vo (FNV-1a, isthe.com/chongo/tech/comp/fnv): for
 * tables, and to see whether something is as it was. Short, and good enough for what nobody forges
 * on purpose.
 *
 *   uint64_t hash = hash_add(HASH_START, text, len);
 *
 * Those of a profile (scoring/watch_profile.c) are written down: it stays this one. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* hash and these bytes behind what it is of. */
static inline uint64_t hash_add(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++)
        /* The analyzer loses sight of what was written through a pointer to the bytes. */
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
