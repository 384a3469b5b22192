#include "pipeline/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "pipeline/out_file.h"

enum { PIECE_MIN = 16 << 10 };

/* A sorted stretch of the file, and the piece of it that is in memory. */
struct run {
    int64_t next, end; /* bytes that are not read yet */
    char *piece;
    size_t at, len; /* its head, and where the piece ends */
};

struct sorter {
    size_t record_bytes, cap;
    int (*compare)(const void *a, const void *b);
    char *buffer; /* cap records; while it merges: the pieces */
    size_t count; /* in the buffer */
    size_t given; /* without a file: how many were taken out */
    uint64_t total;
    struct out_file file; /* path NULL: there is none */
    char name[300];
    struct run *runs;
    size_t run_count, run_cap, piece_bytes;
    size_t *heap; /* numbers of runs that have a head, the smallest first */
    size_t heap_count;
    bool has_given; /* the first run's head is out */
};

struct sorter *sorter_new(size_t record_bytes, size_t buffer_bytes,
                          int (*compare)(const void *a, const void *b))
{
    struct sorter *s = mem_alloc(1, sizeof *s);

    s->record_bytes = record_bytes;
    s->cap = buffer_bytes / record_bytes > 0 ? buffer_bytes / record_bytes : 1;
    s->compare = compare;
    s->buffer = mem_alloc(s->cap, record_bytes);
    return s;
}

void sorter_free(struct sorter *s)
{
    if (!s)
        return;
    out_file_close(&s->file);
    free(s->buffer);
    free(s->runs);
    free(s->heap);
    free(s);
}

uint64_t sorter_count(const struct sorter *s)
{
    return s->total;
}

int64_t sorter_bytes(const struct sorter *s)
{
    return s->file.bytes;
}

/* ---- in */

static int open_file(struct sorter *s, struct err *err)
{
    const char *folder = getenv("TMPDIR");

    snprintf(s->name, sizeof s->name, "%.250s/kscore-XXXXXX", folder && *folder ? folder : "/tmp");
    s->file = (struct out_file){.path = s->name, .fd = mkostemp(s->name, O_CLOEXEC)};
    if (s->file.fd < 0)
        return err_fatal(err, EXIT_IO, "%s: %s", s->name, strerror(errno));
    unlink(s->name);
    return 0;
}

static int spill(struct sorter *s, struct err *err)
{
    struct run run = {.next = s->file.bytes};

    if (!s->file.path && open_file(s, err) != 0)
        return -1;
    qsort(s->buffer, s->count, s->record_bytes, s->compare);
    if (out_file_append(&s->file, s->buffer, s->count * s->record_bytes, err) != 0)
        return -1;
    s->count = 0;
    run.end = s->file.bytes;
    s->runs = mem_grow(s->runs, s->run_count, &s->run_cap, sizeof *s->runs);
    s->runs[s->run_count++] = run;
    return 0;
}

int sorter_add(struct sorter *s, const void *record, struct err *err)
{
    if (s->count == s->cap && spill(s, err) != 0)
        return -1;
    memcpy(s->buffer + s->count++ * s->record_bytes, record, s->record_bytes);
    s->total++;
    return 0;
}

/* ---- out */

static const char *head(const struct sorter *s, size_t run)
{
    return s->runs[run].piece + s->runs[run].at;
}

/* 1: the run has a head, 0: it is empty. */
static int fill(struct sorter *s, struct run *run, struct err *err)
{
    int64_t left = run->end - run->next;

    if (run->at < run->len)
        return 1;
    if (left == 0)
        return 0;
    run->at = 0;
    run->len = left < (int64_t)s->piece_bytes ? (size_t)left : s->piece_bytes;
    if (out_file_read(&s->file, run->next, run->piece, run->len, err) != 0)
        return -1;
    run->next += (int64_t)run->len;
    return 1;
}

/* The heap holds again when only the run at `at` may be larger than those below it. */
static void sink_down(struct sorter *s, size_t at)
{
    for (size_t below; (below = at * 2 + 1) < s->heap_count; at = below) {
        size_t run = s->heap[at];
        if (below + 1 < s->heap_count &&
            s->compare(head(s, s->heap[below + 1]), head(s, s->heap[below])) < 0)
            below++;
        if (s->compare(head(s, run), head(s, s->heap[below])) <= 0)
            return;
        s->heap[at] = s->heap[below];
        s->heap[below] = run;
    }
}

static int begin_merge(struct sorter *s, struct err *err)
{
    size_t records = s->cap / s->run_count, least = PIECE_MIN / s->record_bytes + 1;

    s->piece_bytes = (records > least ? records : least) * s->record_bytes;
    free(s->buffer);
    s->buffer = mem_alloc(s->run_count, s->piece_bytes);
    s->heap = mem_alloc(s->run_count, sizeof *s->heap);
    for (size_t i = 0; i < s->run_count; i++) {
        s->runs[i].piece = s->buffer + i * s->piece_bytes;
        if (fill(s, &s->runs[i], err) < 0)
            return -1;
        s->heap[s->heap_count++] = i;
    }
    for (size_t i = s->heap_count; i-- > 0;)
        sink_down(s, i);
    return 0;
}

int sorter_sort(struct sorter *s, struct err *err)
{
    if (s->run_count == 0) {
        qsort(s->buffer, s->count, s->record_bytes, s->compare);
        return 0;
    }
    return spill(s, err) == 0 ? begin_merge(s, err) : -1;
}

/* The run whose head was given moves on. */
static int advance(struct sorter *s, struct err *err)
{
    struct run *run = &s->runs[s->heap[0]];
    int filled;

    run->at += s->record_bytes;
    filled = fill(s, run, err);
    if (filled == 0)
        s->heap[0] = s->heap[--s->heap_count];
    if (filled >= 0)
        sink_down(s, 0);
    return filled < 0 ? -1 : 0;
}

int sorter_next(struct sorter *s, const void **record, struct err *err)
{
    if (s->run_count == 0) {
        *record = s->buffer + s->given * s->record_bytes;
        return s->given++ < s->count;
    }
    if (s->has_given && advance(s, err) != 0)
        return -1;
    s->has_given = s->heap_count > 0;
    if (s->has_given)
        *record = head(s, s->heap[0]);
    return s->has_given;
}
