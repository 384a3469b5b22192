/* binding.h: which field of an Avro schema each feature of a model takes, as data and in words.
 *
 * A schema is asked once, before any event: of a feature's paths the first that the schema has is
 * taken. Names match names of fields only. A field's alias does not: it is a promise to readers
 * with a schema of their own, a feature has none, and a renamed field often has another unit too;
 * the bundle says with `a | b` which names mean the same. Where an alias would match, the text says
 * so.
 *
 * Owns its texts. Thread: any.
 */
#ifndef SCHEMAS_BINDING_H
#define SCHEMAS_BINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/feature.h"
#include "schemas/avro_schema.h"

/* No path, or a path to nothing but null: the feature is missing in each event of the schema. */
enum { BINDING_MISSING = -1 };

enum bound_kind {
    BOUND_FIELD,   /* the feature takes a field */
    BOUND_MISSING, /* it is missing in each event, which the model allows */
    BOUND_WRONG,   /* it cannot be had: the schema cannot serve the model */
};

/* What one feature takes. */
struct bound {
    enum bound_kind kind;
    int32_t path;  /* number of the path that is taken, or BINDING_MISSING */
    bool may_miss; /* FIELD: some event may have nothing or null there */
    char *type;    /* FIELD: what may be there, "null or double"; else NULL */
    char *how;     /* FIELD: how its values become the feature's, a line; else NULL */
    char *why;     /* WRONG, MISSING: a line, which names `nearest` too; else NULL */
    char *nearest; /* WRONG, MISSING: the field that may be meant, or NULL */
};

struct binding {
    struct bound *items; /* per feature; without a root all are WRONG, without a why */
    size_t count;
    size_t bound_count, missing_count, wrong_count;
    char *root_why; /* the schema has no root; else NULL */
    bool *carries;  /* of features->carries: whether there can be something to carry */
    size_t carry_count;
};

/* Never NULL. */
struct binding *binding_new(const struct avro_schema *schema, const struct features *features);
void binding_free(struct binding *binding);

/* No feature is WRONG, and there is a root. */
bool binding_is_usable(const struct binding *binding);

/* In a line: "22 features bound: distance <- distance_miles (double), ...; missing: temp", or
 * "cannot serve the model: feature ...; ..." with each that is WRONG. */
void binding_print(const struct binding *binding, const struct features *features, FILE *out);

/* True when a value of that kind can be what the feature takes. */
bool binding_converts(enum schema_kind kind, enum feature_type type);

/* True when a value of that kind can be carried into a score, or (is_time) be its time. */
bool binding_carries(enum schema_kind kind, bool is_time);

#endif
