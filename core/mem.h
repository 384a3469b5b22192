/* mem.h: memory for set-up code. Out of memory prints one line and aborts, in one place, so that
 * callers need no branch. Sizes that come from input are bounded by the caller first. Never called
 * on the hot path. Everything is released with free(). */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>

/* Zeroed room for count items of size bytes; the product is checked for overflow. Never NULL. */
void *mem_alloc(size_t count, size_t size);

/* As realloc for count items; new bytes are not zeroed. Never NULL. */
void *mem_resize(void *old, size_t count, size_t size);

/* Zeroed room aligned to 64 bytes (a cache line, and the widest vector register). Never NULL. */
void *mem_alloc_aligned(size_t count, size_t size);

/* Bytes that will all be written, not zeroed; many of them in huge pages, where there are any: a
 * file of some MB costs a few page faults then, not thousands. Never NULL. */
void *mem_alloc_bulk(size_t bytes);

/* Copy of len bytes with a NUL behind. text may be NULL when len is 0. Never NULL. */
char *mem_copy_text(const char *text, size_t len);

/* Grows an array for one more item: returns items, moved if needed, and doubles *cap. */
void *mem_grow(void *items, size_t count, size_t *cap, size_t size);

#endif
