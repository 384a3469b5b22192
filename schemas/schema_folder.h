/* schema_folder.h: schemas as files <id>.avsc in one folder. New files are found, changed ones are
 * read again as long as what they hold is of no use. */
#ifndef SCHEMAS_SCHEMA_FOLDER_H
#define SCHEMAS_SCHEMA_FOLDER_H

#include "schemas/schema_source.h"

enum { SCHEMA_FOLDER_MAX = 8192, SCHEMA_FOLDER_KEEP_MS = 1000 };

/* Never NULL. Its start asks for every file there is: EXIT_IO the folder cannot be read,
 * EXIT_CONFIGURATION it holds more than SCHEMA_FOLDER_MAX. */
struct schema_source *schema_folder_new(const char *folder);

#endif
