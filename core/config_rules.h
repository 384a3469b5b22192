/* config_rules.h: what must hold between the keys of a configuration, once each of them is read,
 * and what follows from several of them. */
#ifndef CORE_CONFIG_RULES_H
#define CORE_CONFIG_RULES_H

#include "core/config.h"
#include "core/ini.h"

/* Sets framing, start and start_ms where other keys decide. EXIT_CONFIGURATION at the line of ini
 * that is to blame. */
int config_rules_check(struct config *config, const struct ini *ini, struct err *err);

#endif
