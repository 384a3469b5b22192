/* printer.h: scored rows as people and programs read them, for kscore score.
 *
 *   jsonl   {"line":1,"score":0.25,"decision":"watch"}      several outputs: "score":[0.1,0.9]
 *           contributions: {"line":1,"contributions":{"hour":0.25,"bias":-2.0}}
 *   csv     a heading, then 1,0.25,watch
 *   f32le   the numbers alone, little-endian float32, row after row; f64le: float64
 *
 * Borrows the stream and the bundle. Thread: whoever owns the stream.
 */
#ifndef PIPELINE_PRINTER_H
#define PIPELINE_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pipeline/offline.h"
#include "scoring/bundle.h"

struct printer {
    FILE *out;
    enum offline_output format;
    enum offline_values values;
    size_t count;                    /* numbers of a row */
    const struct features *features; /* names contributions */
    const struct bundle *bundle;     /* names decisions; NULL: none */
};

/* What stands before the first row: the heading of CSV. */
void printer_heading(const struct printer *printer);

/* One row: its numbers, and its decision or NULL. False and nothing is printed when a text would
 * have to say infinity or NaN. */
bool printer_row(const struct printer *printer, uint64_t line, const double *numbers,
                 const char *decision);

#endif
