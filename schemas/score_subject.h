/* score_subject.h: the id that the schema of scores (schemas/score_schema.h) has in a registry.
 *
 * Looked up first, which needs no permission to write; registered where the subject does not have
 * it. Blocks for as long as a registry may take to answer: for the start only.
 */
#ifndef SCHEMAS_SCORE_SUBJECT_H
#define SCHEMAS_SCORE_SUBJECT_H

#include "schemas/registry.h"

/* Its id under a subject. ERR_DEPENDENCY: the registry does not answer, and the cache does not
 * know. Fatal: EXIT_DENIED it does not let us in, EXIT_CONFIGURATION the schema is refused (409 not
 * compatible with what is there, 422 not valid), in the registry's own words. */
int score_subject_find(const struct registry_options *options, const char *subject, uint32_t *id,
                       struct err *err);

/* What score_subject_find would come to, without registering anything. */
enum score_subject {
    SCORE_SUBJECT_HAS_IT, /* *id */
    SCORE_SUBJECT_FITS,   /* it would be registered as a new, compatible version */
    SCORE_SUBJECT_IS_NEW, /* and with it the subject */
};

/* Asks the registry alone, not the cache. Errors as score_subject_find; EXIT_CONFIGURATION: it is
 * not compatible with what is there. */
int score_subject_prove(const struct registry_options *options, const char *subject,
                        enum score_subject *state, uint32_t *id, struct err *err);

#endif
