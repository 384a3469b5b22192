/* schema_fingerprints.h: schemas of a folder by their fingerprint (schemas/fingerprint.h), in files
 * of any name, *.avsc (schemas/schema_files.h). The folder is read at most once a second; a schema
 * whose file is gone stays known. */
#ifndef SCHEMAS_SCHEMA_FINGERPRINTS_H
#define SCHEMAS_SCHEMA_FINGERPRINTS_H

#include "schemas/schema_source.h"

enum { SCHEMA_FINGERPRINTS_KEEP_MS = 1000 };

/* Never NULL. Its start brings every schema there is: EXIT_IO folder or file unreadable,
 * EXIT_CONFIGURATION more than SCHEMA_FILES_MAX. */
struct schema_source *schema_fingerprints_new(const char *folder);

#endif
