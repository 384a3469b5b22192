#include "core/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* jemalloc(3), TUNING: a thread of its own gives back what was free for 10 s, which threads that
 * rest never would. Without jemalloc (tests, sanitizers) nobody reads it. */
const char *malloc_conf = "background_thread:true";

static void *check(void *memory, size_t count, size_t size)
{
    if (!memory) {
        fprintf(stderr, "kscore: out of memory (%zu x %zu bytes)\n", count, size);
        abort();
    }
    return memory;
}

static size_t product(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        check(NULL, count, size);
    return count * size;
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes = product(count, size);

    return check(calloc(1, bytes ? bytes : 1), count, size);
}

void *mem_resize(void *old, size_t count, size_t size)
{
    size_t bytes = product(count, size);

    return check(realloc(old, bytes ? bytes : 1), count, size);
}

void *mem_alloc_aligned(size_t count, size_t size)
{
    size_t bytes = (product(count, size) + 63) / 64 * 64;
    void *memory = check(aligned_alloc(64, bytes ? bytes : 64), count, size);

    memset(memory, 0, bytes);
    return memory;
}

void *mem_alloc_bulk(size_t bytes)
{
    enum { HUGE_PAGE = 1 << 21 };
    void *memory = NULL;

    if (bytes < 2 * (size_t)HUGE_PAGE)
        return mem_resize(NULL, bytes, 1);
    if (posix_memalign(&memory, HUGE_PAGE, bytes) != 0)
        memory = NULL;
    else
        madvise(memory, bytes, MADV_HUGEPAGE); /* advice: nothing depends on it */
    return check(memory, bytes, 1);
}

char *mem_copy_text(const char *text, size_t len)
{
    char *copy = mem_alloc(len + 1, 1);

    if (len != 0)
        memcpy(copy, text, len);
    return copy;
}

void *mem_grow(void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 8;
    return mem_resize(items, *cap, size);
}
