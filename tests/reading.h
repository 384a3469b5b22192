/* reading.h: a compiled plan or a scanner with its features and a row, for suites that decode one
 * value after the other. */
#ifndef TESTS_READING_H
#define TESTS_READING_H

#include <stddef.h>

#include "core/feature.h"
#include "schemas/plan.h"
#include "schemas/scan.h"
#include "tests/events.h"

/* A literal that may hold NULs, and its length: two initialisers or arguments. */
#define BYTES(text) text, sizeof(text) - 1

enum { READING_MAX_FEATURES = 64, READING_MAX_DEPTH = 64 };

struct reading {
    struct features features;
    struct scan *scan;           /* JSON, else NULL */
    struct plan *plan;           /* Avro; NULL: the schema cannot serve, `words` say why */
    struct plan_scratch scratch; /* Avro */
    char *words;                 /* Avro: what compiling said */
    float row[READING_MAX_FEATURES];
};

/* Text with ' for ", as tests write JSON: a new text with " for '. free() it. */
char *reading_quoted(const char *text);

/* The schema has ' for ". Features: as EVENTS_FEATURES gives them, owned from here on. What is no
 * schema fails the test. */
void reading_avro(struct reading *r, const char *schema, struct features features);
void reading_json(struct reading *r, struct features features);
void reading_release(struct reading *r);

/* Decodes a copy of exactly len bytes into r->row. As events_outcome: static buffer. */
const char *reading_take(struct reading *r, const void *data, size_t len);

/* Each beginning of data[0..len) must give `cut`, one byte more at its end `more`; between two of
 * them the whole gives `whole` and the same row as before. */
struct reading_ends {
    const char *whole, *cut, *more;
};
void reading_check_ends(struct reading *r, const void *data, size_t len, struct reading_ends want);

#endif
