/* schemas.h: where a configuration's schemas come from. */
#ifndef PIPELINE_SCHEMAS_H
#define PIPELINE_SCHEMAS_H

#include "core/config.h"
#include "core/err.h"
#include "schemas/schema_source.h"

/* The folder or the registry, new; NULL where events name no schema. */
int schemas_open(const struct config *config, struct schema_source **source, struct err *err);

#endif
