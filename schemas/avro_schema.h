/* avro_schema.h: an Avro schema as a compact tree, read from its JSON text.
 *
 * Types are numbers into `types`. Numbers 0 to 7 are the primitive types (their number is their
 * kind), so that nothing is stored twice; a named type is stored once and referred to, which is how
 * a record may hold itself. Logical types stay their raw type; of a long that is a timestamp finer
 * than milliseconds it is noted how fine. Defaults are for readers with a
 * schema of their own and are not kept; aliases are kept for hints only.
 *
 * Everything is checked on the way in, since a schema is input: text up to 1 MiB, 64 levels, names
 * defined before use and once, no duplicate field, symbol or branch, sane sizes, and no record that
 * must contain itself. Source: Apache Avro 1.11 specification, "Schema Declaration".
 *
 * Owns all it points to; immutable after parsing, then any thread may look.
 */
#ifndef SCHEMAS_AVRO_SCHEMA_H
#define SCHEMAS_AVRO_SCHEMA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum { SCHEMA_MAX_BYTES = 1 << 20, SCHEMA_MAX_DEPTH = 64, SCHEMA_NONE = -1 };

enum schema_kind {
    SCHEMA_NULL,
    SCHEMA_BOOLEAN,
    SCHEMA_INT,
    SCHEMA_LONG,
    SCHEMA_FLOAT,
    SCHEMA_DOUBLE,
    SCHEMA_BYTES,
    SCHEMA_STRING,
    SCHEMA_PRIMITIVE_COUNT,
    SCHEMA_RECORD = SCHEMA_PRIMITIVE_COUNT,
    SCHEMA_ENUM,
    SCHEMA_FIXED,
    SCHEMA_ARRAY,
    SCHEMA_MAP,
    SCHEMA_UNION,
};

struct schema_field {
    char *name;
    char *aliases; /* "old, older", or NULL; for hints */
    int32_t type;
};

struct schema_type {
    enum schema_kind kind;
    char *name;                  /* full name of a record, enum or fixed; else NULL */
    bool is_reused;              /* a named type that is referred to by name somewhere */
    bool is_settled;             /* has a value of finite length (all have, after parsing) */
    uint64_t min_size;           /* no value is shorter; 0 only when every value is empty */
    uint64_t count;              /* of fields, symbols or branches; FIXED: its bytes */
    struct schema_field *fields; /* RECORD */
    char **symbols;              /* ENUM */
    int32_t *branches;           /* UNION */
    int32_t items;               /* ARRAY, MAP: type of its elements */
    uint32_t units_per_ms;       /* LONG: 1000 for timestamp-micros; 0 says nothing */
};

struct avro_schema {
    struct schema_type *types;
    size_t count, cap;
    int32_t root;
    _Atomic unsigned owners;
};

/* *schema is new. Errors: EXIT_DATA that says where and what. */
int avro_schema_parse(struct avro_schema **schema, const char *text, size_t len, struct err *err);

/* The schema is the last of at least one text; those before it define types that it refers to, each
 * before its use. All of them together are at most SCHEMA_MAX_BYTES. */
int avro_schema_parse_all(struct avro_schema **schema, char *const *texts, size_t count,
                          struct err *err);

/* One more owner, any thread; returns the schema. It goes when each of them has freed it. */
struct avro_schema *avro_schema_share(struct avro_schema *schema);
void avro_schema_free(struct avro_schema *schema);

/* Number of the field of that name in a record, or -1. */
int32_t schema_field_find(const struct schema_type *record, const char *name);

/* "double", "record flights.Weather", "union [null, double]" into out; always NUL-terminated. */
void schema_type_print(const struct avro_schema *schema, int32_t type, char *out, size_t cap);

#endif
