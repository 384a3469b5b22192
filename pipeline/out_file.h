/* out_file.h: a file that is written from front to back, in whole pieces, and that a run after a
 * kill goes on with: what lies behind the length that is known to be good is cut off.
 *
 * One process writes it, which a lock on the file sees to. Owns the descriptor, borrows the path.
 * Thread: one at a time.
 */
#ifndef PIPELINE_OUT_FILE_H
#define PIPELINE_OUT_FILE_H

#include <stdint.h>

#include "core/err.h"
#include "core/slice.h"

struct out_file {
    const char *path; /* NULL: there is none, and every call does nothing */
    int fd;
    int64_t bytes; /* good; the next piece begins here */
};

/* Opens or makes it and cuts it to `bytes`. EXIT_IO, EXIT_AGAIN another process writes it,
 * EXIT_DATA it is shorter than that. */
int out_file_open(struct out_file *file, const char *path, int64_t bytes, struct err *err);

/* Behind what is good; good itself when all of it is there. EXIT_IO. */
int out_file_append(struct out_file *file, const void *data, size_t len, struct err *err);

/* What is good survives the machine. EXIT_IO. */
int out_file_sync(struct out_file *file, struct err *err);

/* Bytes from the front. EXIT_IO, also when there are fewer. */
int out_file_read(const struct out_file *file, int64_t at, void *out, size_t len, struct err *err);

void out_file_close(struct out_file *file);

#endif
