/* config_source.h: what a configuration's entries are in effect, before anybody asks what they
 * mean: command line over file, ${NAME} from the environment, key_FILE from a file.
 *
 * Works on the entries in place. Thread: the reader's.
 */
#ifndef CORE_CONFIG_SOURCE_H
#define CORE_CONFIG_SOURCE_H

#include "core/config.h"
#include "core/ini.h"

/* Errors: EXIT_USAGE for an override that is none or holds a secret, EXIT_CONFIGURATION for a
 * variable that is not set, EXIT_IO for a file that cannot be read. */
int config_source_resolve(struct ini *ini, const struct config_overrides *overrides,
                          struct err *err);

#endif
