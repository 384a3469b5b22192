/* file.h: whole small files (models, schemas, tables, configuration) in memory. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stddef.h>

#include "core/err.h"

/* Reads path whole. *data is new (free() it), has a NUL behind its *len bytes. A file over
 * max_bytes is refused before anything is allocated. Errors are ERR_FATAL EXIT_IO with the path and
 * the system's words (errno is kept for callers that turn ENOENT into something else). */
int file_read(const char *path, size_t max_bytes, char **data, size_t *len, struct err *err);

/* folder + "/" + name, new. */
char *file_join(const char *folder, const char *name);

#endif
