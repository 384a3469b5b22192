/* schemas.h: where a configuration's schemas come from. */
#ifndef PIPELINE_SCHEMAS_H
#define PIPELINE_SCHEMAS_H

#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/feature.h"
#include "schemas/decoder.h"
#include "schemas/schema_source.h"
#include "schemas/score_subject.h"

/* The folder or the registry, new; NULL where events name no schema. */
int schemas_open(const struct config *config, struct schema_source **source, struct err *err);

/* The id that Avro scores carry: configured, or of a registry, where it is registered if it has to
 * be; 0 for JSON. As score_subject_find. */
int schemas_find_score(const struct config *config, uint32_t *id, struct err *err);

/* What Confluent's clients call the schemas of a topic's values; new. */
char *schemas_subject(const char *topic);

/* The subjects whose versions are known at the start, [schemas] subjects or those of the topics:
 * new, as are its texts. Returns how many. */
size_t schemas_subjects(const struct config *config, char ***subjects);

/* The decoder that run has, for these features. It owns the source (NULL where events name no
 * schema); when it fails, that is still the caller's. Errors: as decoder_new. */
int schemas_decoder(struct decoder **decoder, const struct config *config,
                    struct schema_source *source, const struct features *features, struct err *err);

/* The same for one who asks about some records: opens the source, and waits at most timeout_ms for
 * its schemas (not for those of a registry whose cache has some). Errors: as above, ERR_DEPENDENCY
 * the registry does not answer, EXIT_DENIED. */
int schemas_decoder_now(struct decoder **decoder, const struct config *config,
                        const struct features *features, int timeout_ms, struct err *err);

/* The decoder waits for that schema: waits with it. 0: decode again; -1 ERR_DEPENDENCY: it could
 * not be told within wait_ms. */
int schemas_learn(struct decoder *decoder, int64_t number, int64_t wait_ms, struct err *err);

/* What the registry would make of it, of Avro scores without a configured id: see
 * score_subject_prove. */
int schemas_prove_score(const struct config *config, enum score_subject *state, uint32_t *id,
                        struct err *err);

#endif
