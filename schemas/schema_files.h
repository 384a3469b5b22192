/* schema_files.h: a folder of Avro schemas whose names say nothing: every *.avsc is read once, and
 * again when it has changed.
 *
 * What a file held before is the caller's to keep or to forget. A file that is no schema is said
 * once, and again when it has changed and still is none. At most SCHEMA_FILES_MAX files.
 *
 * Owns the names. Thread: the owner's.
 */
#ifndef SCHEMAS_SCHEMA_FILES_H
#define SCHEMAS_SCHEMA_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "schemas/avro_schema.h"

enum { SCHEMA_FILES_MAX = 8192 };

struct schema_files;

struct schema_files *schema_files_new(const char *folder);
void schema_files_free(struct schema_files *files);

/* Calls take(arg, ...) with each schema that is new or changed; it owns the schema and borrows the
 * name. -1 ERR_DEPENDENCY: folder or file unreadable, or too many files. */
int schema_files_read(struct schema_files *files,
                      void (*take)(void *arg, const char *name, struct avro_schema *schema),
                      void *arg, struct err *err);

/* Files that are no schemas, each once, as decoder_report says them, without an id. */
void schema_files_report(struct schema_files *files,
                         void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                         void *arg);

#endif
