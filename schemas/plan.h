/* plan.h: an Avro schema and a model's features, compiled into a flat list of operations that read
 * a value from front to back and write floats straight into the row.
 *
 *   {"name": "weather", "type": ["null", {"record": temp, dewp}]}     OPTIONAL -> 3
 *                                                                     OPTIONAL_DOUBLE temp
 *                                                                     SKIP_OPTIONAL ...
 *
 * All that can be decided from the schema is decided here: names, alternatives, the codes of enum
 * symbols, what is skipped. What is left is one dispatch per field, each read checked against the
 * end of the value. A type that feeds nothing and has a name that is used more than once is
 * compiled once and called; that is also how records that hold themselves are read.
 *
 * Syntax and bounds of the whole value win over any fault of binding (schemas/bind.h).
 *
 * A plan owns its operations, copies what it needs of the schema, borrows the features. Immutable:
 * any thread may run it with scratch of its own.
 */
#ifndef SCHEMAS_PLAN_H
#define SCHEMAS_PLAN_H

#include <stdio.h>

#include "core/err.h"
#include "core/slice.h"
#include "schemas/avro_schema.h"
#include "schemas/bind.h"

enum { PLAN_MAX_OPS = 1 << 16 };

struct plan;
struct plan_frame;

/* What running needs besides the plan: the row's rules and room for open arrays, maps and calls. */
struct plan_scratch {
    struct bind bind;
    struct plan_frame *frames; /* cap; the first stands for the root */
    size_t cap;
};

/* max_depth: how many arrays, maps and records that are called may lie inside one another, the root
 * counting 1; at least 1. */
void plan_scratch_init(struct plan_scratch *scratch, const struct features *features,
                       unsigned max_depth);
void plan_scratch_release(struct plan_scratch *scratch);

/* *plan is new; what binds to what is written to `say`. Errors: EXIT_DATA, the schema cannot serve
 * the model (as binding_resolve), or the plan would need more than PLAN_MAX_OPS operations. */
int plan_compile(struct plan **plan, const struct avro_schema *schema,
                 const struct features *features, FILE *say, struct err *err);
void plan_free(struct plan *plan);
size_t plan_op_count(const struct plan *plan);

/* Decodes value from byte `from` on (behind the frame) into row. No allocation. */
struct outcome plan_run(const struct plan *plan, struct plan_scratch *scratch, struct slice value,
                        size_t from, float *row);

#endif
