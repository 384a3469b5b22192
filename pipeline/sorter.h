/* sorter.h: sorts any number of records of one size in bounded memory.
 *
 *   sorter_add ...   into a buffer; a full one is sorted and written behind the others of its kind
 *   sorter_sort      nothing more comes
 *   sorter_next ...  the smallest of the runs' heads, each run read a piece at a time
 *
 * The file lies in $TMPDIR (or /tmp) and has no name: nothing is left of it whatever happens. What
 * fits into the buffer needs none. While it merges, the buffer is what the runs are read through,
 * so that memory stays what it was; a run's piece is at least 16 KiB, so where they are many it
 * grows by a piece for each.
 *
 * Thread: one at a time.
 */
#ifndef PIPELINE_SORTER_H
#define PIPELINE_SORTER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct sorter;

/* Records of record_bytes in a buffer of about that many bytes. compare: as qsort's; records that
 * are equal come in any order. */
struct sorter *sorter_new(size_t record_bytes, size_t buffer_bytes,
                          int (*compare)(const void *a, const void *b));
void sorter_free(struct sorter *sorter);

/* Copies it. EXIT_IO. */
int sorter_add(struct sorter *sorter, const void *record, struct err *err);

/* How many were added, and how many bytes the file has. */
uint64_t sorter_count(const struct sorter *sorter);
int64_t sorter_bytes(const struct sorter *sorter);

/* EXIT_IO. */
int sorter_sort(struct sorter *sorter, struct err *err);

/* 1: *record is the next one, borrowed until the next call. 0: there is none. -1: EXIT_IO. */
int sorter_next(struct sorter *sorter, const void **record, struct err *err);

#endif
