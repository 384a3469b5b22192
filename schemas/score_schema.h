/* score_schema.h: schemas/score.avsc, the schema of scores in Avro, carried inside the program. */
#ifndef SCHEMAS_SCORE_SCHEMA_H
#define SCHEMAS_SCORE_SCHEMA_H

#include "core/slice.h"
#include "schemas/avro_schema.h"

/* Its text. */
struct slice score_schema_text(void);

/* New: avro_schema_free it. */
struct avro_schema *score_schema_new(void);

#endif
