/* contract.h: what a configuration's schemas mean to its model, feature by feature, before a record
 * is read: `kscore schema`, and a part of `kscore check`.
 *
 * Schemas come from where `run` takes them (pipeline/schemas.h) and are bound by the same code
 * (schemas/binding.h, schemas/plan.h): what is usable here is usable there. JSON events have no
 * schema: `source` says so and the list is empty; what they hold is seen by looking at some
 * (pipeline/sample.h).
 *
 * Plain data to print from. Owns everything below it, borrows configuration and bundle. Thread: the
 * owner's.
 */
#ifndef PIPELINE_CONTRACT_H
#define PIPELINE_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/feature.h"
#include "core/schema_id.h"
#include "schemas/binding.h"
#include "schemas/unused.h"
#include "scoring/bundle.h"

enum contract_source {
    CONTRACT_NONE,     /* JSON events: no schema is looked at */
    CONTRACT_FIXED,    /* [consumer] schema */
    CONTRACT_FOLDER,   /* every file of the folder */
    CONTRACT_REGISTRY, /* every version of the subjects (schemas_subjects) */
};

struct contract_schema {
    int64_t number;              /* the id; SCHEMA_ID_NONE of a file that is no schema */
    char id[SCHEMA_ID_TEXT_MAX]; /* as it is printed, "" of such a file */
    char *subject;               /* of a registry, and known; else NULL */
    int64_t version;             /* in that subject, else 0 */
    char *file;                  /* that it stands in, where that is not <id>.avsc; else NULL */
    char *name;                  /* full name of its record, else NULL */
    bool is_usable;              /* run scores events of it */
    char *why;                   /* not usable: a line; else NULL */
    struct avro_schema *schema;  /* NULL: it is no Avro schema */
    struct binding *binding;     /* per feature; NULL with the schema */
    struct unused unused;        /* fields that nobody takes */
};

struct contract_subject {
    char *name;
    size_t version_count; /* 0: nothing is known before the first record */
};

struct contract {
    const struct config *config;
    const struct bundle *bundle;
    struct features features; /* the bundle's, with the root in front of their paths */
    enum contract_source source;
    char *where; /* "registry http://r:8081", "schema folder x", a file; NULL of NONE */
    struct contract_subject *subjects; /* REGISTRY: subject_count */
    size_t subject_count;
    struct contract_schema *schemas; /* by subject and version, else by id or file */
    size_t schema_count, schema_cap, usable_count;
    /* Not set, or why the registry could not be asked: ERR_DEPENDENCY, or EXIT_DENIED. Schemas are
     * then what the cache has, without subjects. */
    struct err trouble;
};

struct contract_options {
    const struct config *config;
    const struct bundle *bundle;
    const char *id; /* only this schema, decimal or 16 hex digits; NULL: all */
    int timeout_ms; /* for the registry, for each of at most two questions */
};

/* Errors: EXIT_IO folder or file unreadable, EXIT_CONFIGURATION, EXIT_USAGE what is no id,
 * EXIT_DATA there is no such schema. Nothing is left behind then. */
int contract_init(struct contract *contract, const struct contract_options *options,
                  struct err *err);
void contract_release(struct contract *contract);

#endif
